"""Which files the actors of an execution open, look for, make and remove: noted, and no operations.

A file that two threads read and write is shared data like any other, and nothing in a program says that it is. So each
access by way of `open` and of `os` is noted while several actors live. If nothing orders two of them, one a write,
then orders that were never run could differ (tracker.py reports it, and nothing is proved); if something does in
every execution, exploring what orders them has covered everything (as for `data="race-check"`, racing.py).

What a file holds is taken to be read or written when it is opened and when a method of it is called; files that go by
the number of a descriptor, and what is moved with a folder, are not seen. A path that an execution finds in another
state than the first one did is told as well: nobody puts files back.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary
from zlib import crc32

from hocket.explore.threads.actor import Actor, current

__all__ = ["BOOKS", "REPLACED", "Book", "FileAccess", "note_database", "note_method"]

_open = io.open
_lstat = os.lstat
_READING = ("stat", "lstat", "access", "listdir", "scandir", "readlink")
_WRITING = ("mkdir", "rmdir", "remove", "unlink", "rename", "replace", "link", "symlink", "truncate", "utime", "chmod")
_OF_TWO = frozenset({"rename", "replace", "link", "symlink"})
_ENTRIES = frozenset({"listdir", "scandir"})
_LEFT_ALONE = ("/dev/", "/proc/", "/sys/")
_LARGE = 1 << 16  # bytes, of which the beginning is looked at


class FileAccess(NamedTuple):
    """`actor` reads or writes (`mode` r or w) what is at `path`, after so many events; a folder's entries end in /."""

    actor: int
    events: int
    mode: str
    path: str


class Book:
    """What is noted in one exploration; `begin` is called before each execution.

    `accesses` of this one, in their order; `changed`: the paths that it found in another state than the first one did.
    """

    def __init__(self, body: Any) -> None:
        self._first = _first_of(body)
        self._seen: set[str] = set()
        self.accesses: list[FileAccess] = []
        self.changed: dict[str, None] = {}

    def begin(self) -> None:
        self._seen.clear()
        self.accesses.clear()
        self.changed.clear()

    def compare(self, path: str) -> None:
        """Whether `path` is what it was when the first execution came by it; later its own deeds are seen there."""
        if path not in self._seen:
            state = _state(path)
            if self._first.setdefault(path, state) != state:
                self.changed[path] = None

    def note(self, access: FileAccess, *, counts: bool) -> None:
        self._seen.add(access.path)
        if counts:
            self.accesses.append(access)


def _first_of(body: Any) -> dict[str, Any]:
    """How the first execution of `body` found what: also where its exploration has begun again since."""
    try:
        return _FIRST.setdefault(body, {})
    except TypeError:  # it cannot be kept weakly
        return {}


_FIRST: WeakKeyDictionary[Any, dict[str, Any]] = WeakKeyDictionary()
BOOKS: dict[int, Book] = {}
"""By the `id` of the session, which the tracker keeps alive."""


def note_method(actor: Actor, file: Any, name: str) -> None:
    """A method of an open file is called."""
    path = getattr(file, "name", None)
    if type(path) is str:
        _note(actor, path, "w" if name in ("write", "writelines", "flush", "close", "truncate") else "r")


def note_database(actor: Actor, path: str, reads: bool) -> None:
    """Something is done with a database that is kept in a file."""
    _note(actor, path, "r" if reads else "w")


def _note(actor: Actor, path: Any, mode: str, entries: bool = False, depends: bool = True) -> None:
    actor.asks += 1
    control = actor.control
    book = BOOKS.get(id(control.session))
    if book is None or control.over:
        return
    whole = os.path.abspath(os.fsdecode(path))
    if whole.startswith(_LEFT_ALONE) or "__pycache__" in whole:
        return
    if depends:
        book.compare(whole)
    several, events = control.alive > 1, len(control.execution.events)
    book.note(FileAccess(actor.number, events, mode, whole + "/" * entries), counts=several)
    if mode == "w" and not entries:
        book.note(FileAccess(actor.number, events, mode, os.path.dirname(whole) + "/"), counts=several)


def _state(path: str) -> Any:
    try:
        found = _lstat(path)
        if found.st_mode & 0o170000 != 0o100000:
            return found.st_mode & 0o170000
        with _open(path, "rb") as file:
            return found.st_size, crc32(file.read(_LARGE))
    except OSError:
        return None


def _noting(real: Callable[..., Any], note: Callable[..., None]) -> Callable[..., Any]:
    @wraps(real, assigned=("__name__", "__doc__"), updated=())
    def call(*args: Any, **named: Any) -> Any:
        actor = current()
        if actor is not None:
            note(actor, real.__name__, *args, **named)
        return real(*args, **named)

    return call


def _opens(actor: Actor, name: str, file: Any = None, mode: Any = "r", *rest: Any, **named: Any) -> None:
    if isinstance(mode, str) and isinstance(file, (str, bytes, os.PathLike)):
        writes = not set(mode).isdisjoint("wax+")
        _note(actor, file, "w" if writes else "r", depends="w" not in mode)


def _goes(actor: Actor, name: str, path: Any = ".", *rest: Any, **named: Any) -> None:
    paths = [path, *(rest[:1] if name in _OF_TWO else ())]
    for each in paths:
        if isinstance(each, (str, bytes, os.PathLike)):
            _note(actor, each, "r" if name in _READING else "w", entries=name in _ENTRIES)


def _opens_low(actor: Actor, name: str, path: Any, flags: int, *rest: Any, **named: Any) -> None:
    if isinstance(path, (str, bytes, os.PathLike)):
        _note(actor, path, "w" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else "r")


REPLACED: list[tuple[Any, Any]] = [
    (_open, _noting(_open, _opens)),
    (os.open, _noting(os.open, _opens_low)),
    *((getattr(os, name), _noting(getattr(os, name), _goes)) for name in (*_READING, *_WRITING) if hasattr(os, name)),
]
"""The real function, and what stands in for it while an exploration goes on."""
