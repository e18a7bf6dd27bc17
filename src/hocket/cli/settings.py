"""What `[tool.hocket.verify]` in pyproject.toml says; the command line says it louder.

    [tool.hocket.verify]
    assertions = { "release.yml" = ["test before publish", "deploy requires build"] }
    workers = 4
    notes = true
    seconds = 60
    fail-on = "warning"
    baseline = "hocket-baseline.json"

A key that means nothing is refused: a typing error must not switch a check off.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from hocket.errors import SourceError
from hocket.verify.assertions import Assertion, parse_assertion
from hocket.verify.budget import SECONDS

__all__ = ["LEVELS", "Settings", "settings_in", "settings_of"]

LEVELS = ("error", "warning", "note", "never")  # what makes the exit code 1: findings of this severity and above


@dataclass(frozen=True)
class Settings:
    """What is asked beyond the questions themselves, and when it counts as failed."""

    assertions: Mapping[str, tuple[Assertion, ...]] = field(default_factory=dict)
    workers: int | None = None
    notes: bool = False
    seconds: float = SECONDS
    fail_on: str = "error"
    baseline: str = ""

    def claims_for(self, path: str) -> list[Assertion]:
        """The assertions about this file: those whose name is its path, or the end of it."""
        parts = PurePath(path).parts
        return [claim for name, claims in self.assertions.items()
                if parts[-len(PurePath(name).parts) :] == PurePath(name).parts for claim in claims]  # fmt: skip


def settings_in(path: Path) -> Settings:
    """The settings in a pyproject.toml; none if there is no such file. Raises SourceError where they mean nothing."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("hocket", {}).get("verify", {})
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", str(path)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, AttributeError) as error:
        raise SourceError(f"is no TOML: {error}", str(path)) from None
    return settings_of(table, str(path))


def settings_of(table: Any, path: str) -> Settings:
    """The settings that a table of `[tool.hocket.verify]` means; raises SourceError for a key that means nothing."""
    if not isinstance(table, Mapping):
        raise SourceError("[tool.hocket.verify] is no table", path, cure="write [tool.hocket.verify]")
    found: dict[str, Any] = {}
    for key, value in table.items():
        row = _KEYS.get(key)
        if row is None:
            raise SourceError(f"[tool.hocket.verify] has no key {key!r}", path, cure=f"its keys are {', '.join(_KEYS)}")
        fits, expected = row
        if not fits(value):
            raise SourceError(f"[tool.hocket.verify] {key} is {value!r}", path, cure=f"write {expected}")
        found[key.replace("-", "_")] = value
    said = found.get("assertions", {})
    found["assertions"] = {name: tuple(map(parse_assertion, claims)) for name, claims in said.items()}
    return Settings(**found)


def _are_claims(value: Any) -> bool:
    lists = value.values() if isinstance(value, Mapping) else [None]
    return all(isinstance(claims, list) and all(isinstance(claim, str) for claim in claims) for claims in lists)


_KEYS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "assertions": (_are_claims, 'a table of lists, { "file.yml" = ["a before b"] }'),
    "workers": (lambda value: type(value) is int and value > 0, "a number of workers"),
    "notes": (lambda value: isinstance(value, bool), "true or false"),
    "seconds": (lambda value: type(value) in (int, float) and value > 0, "a number of seconds"),
    "fail-on": (lambda value: value in LEVELS, f"one of {', '.join(LEVELS)}"),
    "baseline": (lambda value: isinstance(value, str), "the name of a file"),
}
