"""Where the two versions of each package lie: a directory that pip fills once, and that CI may keep.

Every version has a directory of its own, so that nothing is installed for anybody else. Without a network what is not
there yet is missing, and whoever asked is told so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.real_bugs.bug import Bug

__all__ = ["Missing", "paths"]

_SHELF = Path(os.environ.get("HOCKET_BUGS", Path(tempfile.gettempdir()) / "hocket-bugs"))


class Missing(Exception):
    """A version of a package that is not on the shelf and cannot be fetched."""


def paths(bug: Bug, version: str, *, fetch: bool) -> list[Path]:
    """The directories to import from; none for the standard library. Raises `Missing`."""
    if bug.package == "python":
        return []
    return [_shelved(wanted, fetch) for wanted in (f"{bug.package}=={version}", *bug.needs)]


def _shelved(wanted: str, fetch: bool) -> Path:
    place = _SHELF / wanted
    if place.is_dir():
        return place
    if not fetch:
        raise Missing(f"{wanted} is not in {_SHELF}: `python -m tests.real_bugs` fetches it")
    return _fetched(wanted, place)


def _fetched(wanted: str, place: Path) -> Path:
    _SHELF.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_SHELF) as half:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        done = subprocess.run([*pip, "--target", f"{half}/done", wanted], capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or ["it said nothing"]
            raise Missing(f"pip cannot install {wanted}: {said[-1]}")
        (Path(half) / "done").rename(place)
    return place
