"""Failing schedules, kept in pytest's cache from one run to the next.

A schedule that failed is tried before anything else when its test runs again:
one execution, instead of a search. It is forgotten once the test passes, and is
of no use once the program is another one, which the digest of its sources tells.
Only the process that prints the reports writes; workers of pytest-xdist read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Schedules", "digest_of"]

_KEY = "hocket/schedules"


class Schedules:
    """By the node id of a test the schedule that failed, and the digest of the sources that it failed with."""

    def __init__(self, config: pytest.Config) -> None:
        self._cache: Any = getattr(config, "cache", None)  # none if its plugin is switched off
        self._changes: dict[str, dict[str, str] | None] = {}

    def find(self, nodeid: str, digest: str) -> str:
        """The schedule to try first; empty if there is none of this program."""
        match self._all().get(nodeid):
            case {"schedule": str(schedule), "digest": known} if known == digest:
                return schedule
        return ""

    def learn(self, nodeid: str, facts: Mapping[str, Any]) -> None:
        """Take note of what came of a test; what is incomplete changes nothing."""
        if facts["verdict"] == "failed" and facts["schedule"] and facts["digest"]:
            self._changes[nodeid] = {"schedule": facts["schedule"], "digest": facts["digest"]}
        elif facts["verdict"] in ("proved", "bounded"):
            self._changes[nodeid] = None

    def save(self) -> None:
        """Write what was learnt into the cache as it is now: another run may have written meanwhile."""
        known = self._all() if self._changes else {}
        kept = {nodeid: entry for nodeid, entry in {**known, **self._changes}.items() if entry}
        if self._cache is not None and self._changes and kept != known:
            self._cache.set(_KEY, kept)

    def _all(self) -> dict[str, Any]:
        found = self._cache.get(_KEY, {}) if self._cache is not None else {}
        return found if isinstance(found, dict) else {}


def digest_of(item: pytest.Item, tracked: Iterable[Any]) -> str:
    """Of the sources of a test and of the modules that are tracked, in sixteen hexadecimal digits."""
    from hashlib import sha256

    found = sha256()
    names = {entry if isinstance(entry, str) else getattr(entry, "__module__", "") for entry in tracked}
    modules = [module for name, module in sorted(sys.modules.items()) if name in names]
    for path in (str(item.path), *(str(getattr(module, "__file__", "")) for module in modules)):
        if Path(path).is_file():
            found.update(Path(path).read_bytes())
    return found.hexdigest()[:16]
