"""Names for people: an object is called what the line that made it calls it.

`door = threading.Lock()` makes an object named `door`; a report that says
"t1 holds door and waits for window" needs no legend. Names decide nothing:
objects are told apart by their numbers. Also here: where the program's own code
ends and the machinery (Hocket, threading, queue, concurrent.futures) begins.
"""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hocket.explore.threads.control import Control
    from hocket.explore.threads.session import Session

__all__ = [
    "Place", "called", "caller", "is_hocket", "is_library", "is_machinery", "name_newcomer", "place_of", "place_text",
    "target_of",
]

Place = tuple[str, int, str]
"""File, line and function."""

_HOCKET = str(Path(__file__).resolve().parents[2]) + os.sep
_TESTED = tuple(_HOCKET + room + os.sep for room in ("runtime", "orchestra", "kernel", "plan", "graph"))
_STDLIB = os.path.dirname(threading.__file__) + os.sep
_SITES = tuple(sysconfig.get_paths()[which] + os.sep for which in ("purelib", "platlib"))
_MACHINERY = {
    _STDLIB + name.replace("/", os.sep)
    for name in ("threading.py", "queue.py", "concurrent/futures/_base.py", "concurrent/futures/thread.py",
                 "weakref.py", "_weakrefset.py", "contextlib.py", "unittest/mock.py")
}
_ASYNCIO = _STDLIB + "asyncio" + os.sep
_BY_DEFAULT = re.compile(r"Thread-\d+( \(.*\))?|ThreadPoolExecutor-\d+_\d+|MainThread|Dummy-\d+")
_ASSIGNED = re.compile(r"([\w.]+(?:\s*,\s*[\w.]+)*)\s*(?::[^=]+)?=(?!=)([^=]*)$")  # the last target before the call


@cache
def is_hocket(filename: str) -> bool:
    """Whether a file is the explorer's own; the runtimes, which are explored themselves, are not."""
    return filename.startswith(_HOCKET) and not filename.startswith(_TESTED)


@cache
def is_machinery(filename: str) -> bool:
    """Whether a file is part of what carries the actors: no line of it is the user's."""
    return is_hocket(filename) or filename in _MACHINERY or filename.startswith(("<frozen ", _ASYNCIO))


def is_library(namespace: Mapping[str, object]) -> bool:
    """Whether a module is of the standard library or of the interpreter."""
    file = namespace.get("__file__")
    if file is None:
        return getattr(namespace.get("__spec__"), "origin", None) in ("built-in", "frozen")
    return str(file).startswith(_STDLIB) and not str(file).startswith(_SITES)


def caller(frame: FrameType | None) -> FrameType | None:
    """The innermost frame, from `frame` outwards, of the program's own code."""
    while frame is not None and is_machinery(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def place_of(frame: FrameType | None) -> Place | None:
    """Where the program's own code stands."""
    frame = caller(frame)
    return (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name) if frame is not None else None


def place_text(place: tuple[str, int]) -> str:
    """`file.py:12`, without the directory."""
    return f"{os.path.basename(place[0])}:{place[1]}"


def target_of(body: object) -> str:
    """How to name a body on the command line: `path/to/file.py::function`; empty if it cannot be found again there."""
    body = getattr(body, "__hocket_body__", body)
    code = getattr(body, "__code__", None)
    name = getattr(body, "__qualname__", "")
    if code is None or "<" in name or code.co_filename.startswith("<"):
        return ""
    path = os.path.relpath(code.co_filename)
    return f"{code.co_filename if path.startswith('..') else path}::{name}"


def called(control: Control) -> list[str]:
    """By actor, what a report calls it: as the program has named its thread, else as schedules do (`t1`)."""
    names = list(control.session.cast.actors)
    given = {number: str(actor.thread.name) for number, actor in control.actors.items() if actor.thread is not None}
    taken = Counter(names) + Counter(given.values())
    for number, name in given.items():
        if name and not _BY_DEFAULT.fullmatch(name):
            names[number] = name if taken[name] == 1 else f"{name} ({names[number]})"
    return names


def name_newcomer(session: Session, number: int) -> None:
    """Call object `number` what its maker's line calls it, if this is its first appearance."""
    names = session.cast.objects
    session.named = len(names)
    if session.observer is not None:
        with session.observer.paused():
            _name(names, number)
    else:
        _name(names, number)


def _name(names: list[str], number: int) -> None:
    frame = caller(sys._getframe(1))
    wanted = _assigned_name(frame.f_code, frame.f_lasti) if frame is not None else None
    if wanted is None:
        return
    taken = set(names[:number])
    names[number] = wanted if wanted not in taken else next(
        name for count in range(2, len(names) + 3) if (name := f"{wanted}#{count}") not in taken)


@lru_cache(maxsize=1024)
def _assigned_name(code: CodeType, offset: int) -> str | None:
    """The name that the expression at `offset` is assigned to, read from the text in front of it."""
    line, _, column, _ = next(islice(code.co_positions(), offset // 2, None), (None, None, None, None))
    if line is None:
        return None
    text = linecache.getline(code.co_filename, line)
    match = _ASSIGNED.search(text[:column])
    if match is None:
        return None
    targets = [target.strip().rpartition(".")[2] for target in match[1].split(",")]  # `a, b = Lock(), Lock()`
    return targets[_commas(match[2]) % len(targets)]


def _commas(text: str) -> int:
    """How many commas stand outside of all brackets."""
    depth = count = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        count += sign == "," and depth == 0
    return count
