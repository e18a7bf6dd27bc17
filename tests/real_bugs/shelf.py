"""Where the two versions of each package lie: a directory that pip fills once, and that CI may keep.

Every version has a directory of its own, so that nothing is installed for anybody else. Without a network what is not
there yet is missing, and whoever asked is told so.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from tests.real_bugs.bug import Bug

__all__ = ["Missing", "needed", "paths", "stock"]

_SHELF = Path(os.environ.get("HOCKET_BUGS", Path(tempfile.gettempdir()) / "hocket-bugs"))


class Missing(Exception):
    """A version of a package that is not on the shelf and cannot be fetched."""


def paths(bug: Bug, version: str, *, fetch: bool) -> list[Path]:
    """The directories to import from; none for the standard library. Raises `Missing`."""
    return [_shelved(wanted, fetch) for wanted in needed(bug, version)]


def needed(bug: Bug, *versions: str) -> list[str]:
    """What has to be on the shelf for these versions; nothing for the standard library."""
    if bug.package == "python":
        return []
    return [*(f"{bug.package}=={version}" for version in versions if version), *bug.needs]


def _shelved(wanted: str, fetch: bool) -> Path:
    place = _SHELF / wanted
    if place.is_dir():
        return place
    if not fetch:
        raise Missing(f"{wanted} is not in {_SHELF}: `python -m tests.real_bugs` fetches it")
    return _fetched(wanted, place)


def _fetched(wanted: str, place: Path) -> Path:
    stock([wanted])
    return place


def stock(wanted: Iterable[str]) -> None:
    """Fetch what is not there yet, in as few calls of pip as names allow: one cannot ask for two versions of a package.

    Raises `Missing` with what pip said last.
    """
    _SHELF.mkdir(parents=True, exist_ok=True)
    missing = [each for each in dict.fromkeys(wanted) if not (_SHELF / each).is_dir()]
    while missing:
        together = {each.partition("==")[0]: each for each in missing}
        _put_on_the_shelf(list(together.values()))
        missing = [each for each in missing if each not in together.values()]


def _put_on_the_shelf(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=_SHELF) as half:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet", "--no-deps"]
        done = subprocess.run([*pip, "--wheel-dir", half, *wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise Missing(f"pip cannot fetch {', '.join(wanted)}: {said[-1]}")
        for wheel in Path(half).glob("*.whl"):
            name, version, *_ = wheel.name.split("-")
            each = next(one for one in wanted if _plain(one) == _plain(f"{name}=={version}"))
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(Path(half) / each)
            (Path(half) / each).rename(_SHELF / each)


def _plain(wanted: str) -> str:
    """As wheels spell it."""
    name, _, version = wanted.partition("==")
    return f"{re.sub('[-_.]+', '_', name).lower()}=={version}"
