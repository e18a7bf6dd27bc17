"""Which objects of C have a state that their methods read and change, and what else is changed with them.

A stream, a hash, a compressor, a generator of random numbers, a writer of CSV, a connection to SQLite: each method is
one step on all of the state, since C does it in one go. What lies beneath (the buffer of a text stream, the file of a
writer, the iterators that a `zip` takes from, the connection of a cursor) is read and changed by the same step: two
objects on top of one are not independent.

Kinds are found by name, so that their modules need not be loaded, and by what they inherit from. Refused: taking any
object of C for such a one. Some call code of the program, or change with another object that nothing leads to (the
branches of a tree); of these nothing is known, and they are reported.
"""

from __future__ import annotations

import ast
import gc
import sys
from io import BytesIO, StringIO
from types import (
    AsyncGeneratorType,
    CellType,
    CoroutineType,
    GetSetDescriptorType,
    MemberDescriptorType,
)
from typing import Any

from hocket.explore.shared.parts import METHODS_OF_C, is_made_by_python, is_stepping

__all__ = [
    "BLIND", "READING", "beneath", "faces_of", "is_beyond_reach", "is_read_by_nobody", "is_stateful", "set_state",
    "state_of",
]

_Random: Any = __import__("_random").Random

_STATEFUL = frozenset({
    "_io.StringIO", "_io.BytesIO", "_io.TextIOWrapper", "_io.BufferedReader", "_io.BufferedWriter",
    "_io.BufferedRandom", "_io.FileIO", "_csv.writer", "_random.Random", "_sre.SRE_Scanner", "decimal.Context",
    "_hashlib.HASH", "_hashlib.HMAC", "_blake2.blake2b", "_blake2.blake2s", "zlib.Compress", "zlib.Decompress",
    "_bz2.BZ2Compressor", "_bz2.BZ2Decompressor", "_lzma.LZMACompressor", "_lzma.LZMADecompressor", "mmap.mmap",
    "sqlite3.Connection", "sqlite3.Cursor",
})
_KEPT_IN_C = ("_hashlib", "_blake2", "zlib", "_bz2", "_lzma", "sqlite3")  # modules: nobody can put it back
READING = frozenset({
    "getvalue", "tell", "readable", "writable", "seekable", "getbuffer", "get", "keys", "values", "items", "copy",
    "digest", "hexdigest", "getstate", "__getitem__", "__len__", "__reduce__", "__getstate__", "size", "fileno",
    "isatty"})
"""Methods that change nothing."""

BLIND = frozenset({"write", "writelines", "writerow", "writerows", "flush", "update"})
"""Methods that tell nothing of what there was."""

_PASSED = frozenset({"builtins.zip", "builtins.map", "builtins.filter", "builtins.enumerate", "builtins.tuple",
                     "builtins.callable_iterator", "_csv.reader"})
"""Iterators of C that go on with others."""


_FACES = (GetSetDescriptorType, MemberDescriptorType)
_WITH_FACES = frozenset({CellType, CoroutineType, AsyncGeneratorType})
_known: dict[type, bool] = {}
_faces: dict[type, frozenset[str]] = {}
_MANY = 4096  # classes, of which a program may make new ones in each execution


def is_stateful(kind: type) -> bool:
    """Whether each method of its instances is one step on all of their state."""
    found = _known.get(kind)
    if found is None:
        if len(_known) >= _MANY:
            _known.clear()
        found = _known[kind] = any(f"{each.__module__}.{each.__qualname__}" in _STATEFUL for each in kind.__mro__)
    return found


def is_beyond_reach(o: Any) -> bool:
    """Whether what its methods change in it can be neither seen nor put back."""
    return any(each.__module__ in _KEPT_IN_C for each in type(o).__mro__)


def faces_of(kind: type) -> frozenset[str]:
    """The attributes that are faces of one state that C keeps: of what a cell holds, of where an iterator stands."""
    found = _faces.get(kind)
    if found is None:
        if len(_faces) >= _MANY:
            _faces.clear()
        has_some = kind in _WITH_FACES or is_stepping(kind) or is_stateful(kind)
        found = _faces[kind] = frozenset(
            name for above in kind.__mro__ if has_some and not is_made_by_python(above)
            for name, attribute in vars(above).items() if type(attribute) in _FACES and name[:2] != "__")
    return found


def _leads_on(kind: type) -> bool:
    return kind.__module__ == "itertools" or f"{kind.__module__}.{kind.__qualname__}" in _PASSED or is_stateful(kind)


def beneath(o: Any) -> list[Any]:
    """`o`, and the streams and iterators that it reads and changes when it is used."""
    found, todo = {id(o): o}, [o]
    while todo:
        each = todo.pop()
        for part in gc.get_referents(each) if _leads_on(type(each)) else ():
            below = part.__self__ if type(part) in METHODS_OF_C else part
            if id(below) not in found and (_leads_on(type(below)) or hasattr(type(below), "__next__")):
                found[id(below)] = below
                todo.append(below)
    return list(found.values())


def is_read_by_nobody(stream: Any) -> bool:
    """Whether a stream is the output of the whole run, which no program looks at."""
    return stream is sys.__stdout__ or stream is sys.__stderr__ or type(stream).__name__ in ("EncodedFile", "_Sink")


def state_of(o: Any) -> str | None:
    """The state of a stream in memory, or of a generator of random numbers, as a text; None of all else."""
    if issubclass(type(o), (StringIO, BytesIO)):
        return None if o.closed else sys.intern(repr((o.getvalue(), o.tell())))
    return sys.intern(repr(_Random.getstate(o))) if issubclass(type(o), _Random) else None


def set_state(o: Any, states: list[str]) -> None:
    """What `state_of` told is its state again; a stream that is closed since stays so."""
    state = ast.literal_eval(states[0])
    if issubclass(type(o), _Random):
        _Random.setstate(o, state)
    elif not o.closed:
        held, position = state
        o.seek(0)
        o.truncate()
        o.write(held)
        o.seek(position)
