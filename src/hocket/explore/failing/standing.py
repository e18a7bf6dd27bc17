"""Where an actor stands, as a value: equal values mean that it will go on in the same way, given the same answers.

A livelock is certain if a state repeats, and a state is more than the objects that
the explorer knows of: a loop that counts its rounds in a local variable ends one day.
So the locals of an actor, and whatever can be reached from them, become part of the
state: numbers, texts, containers, objects by their attributes, functions by their
code and what it refers to, iterators by how far they are. What is controlled (a cell, a lock) is named by its
number, because its state is kept elsewhere.

Everything else raises `Unsure`, and then nothing is claimed: iterators that will not say where they are, modules
(whose functions may keep a state, as those of `random` do), running `for` loops of threads, whose iterators nobody can
see. A state that is too large to look at is unsure, too.

Of a generator everything can be seen, also the operands and iterators on its stack, through `gc.get_referents`; that
is CPython's, and on another interpreter all is unsure.
"""

from __future__ import annotations

import dis
import gc
import sys
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from functools import cache
from inspect import CO_COROUTINE
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any

from hocket.explore.handles import Handle
from hocket.explore.threads.atomic import Controlled
from hocket.explore.threads.naming import is_hocket, is_machinery
from hocket.explore.threads.primitives import LOCKS

__all__ = ["PLAIN", "Look", "Unsure", "standing_of_frames", "standing_of_generator", "stands_in_loop", "value_of"]

_LARGEST = 5_000  # parts of a state
PLAIN = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), type(NotImplemented), range)
_SEQUENCES = (tuple, list, deque)
_COUNTING: tuple[Any, ...] = (
    type(iter([])), type(iter(())), type(iter(range(0))), type(iter("")), enumerate, zip, reversed)
# modules whose functions keep no state that a state here would not have: time is the actor's own
_HARMLESS = {"hocket", "threading", "time", "queue", "operator", "math", "asyncio", "warnings", "concurrent",
             "builtins", "functools", "itertools", "collections", "contextlib", "dataclasses", "enum", "typing",
             "logging", "pytest", "_pytest", "_thread", "unittest", "abc", "bisect", "copy", "fractions", "heapq",
             "json", "numbers", "re", "string", "textwrap", "types"}
_OF_TYPES = {"typing", "abc"}  # what these put into classes keeps nothing but caches
_OF_THREADS = {"_hocket", "_stderr", "_invoke_excepthook"}  # fields of Thread that say nothing of where it stands
_LOOPS = {"FOR_ITER", "SEND", "GET_ANEXT"}


class Unsure(Exception):
    """What cannot be looked at: where something stands is not known."""


def value_of(thing: Any) -> Hashable:
    """`thing` as a value; raises `Unsure`."""
    return Look().at(thing)


def standing_of_generator(generator: Any) -> Hashable:
    """Where a generator stands, with all that it delegates to; raises `Unsure`."""
    if sys.implementation.name != "cpython":
        raise Unsure(sys.implementation.name)
    return Look().at(generator)


def standing_of_frames(frame: FrameType | None) -> Hashable:
    """Where a thread stands: its frames from this one outwards, without the machinery's; raises `Unsure`."""
    look, found = Look(), []
    while frame is not None:
        if not is_machinery(frame.f_code.co_filename):
            found.append(look.frame(frame))
        elif frame.f_code.co_name == "_run" and hasattr(frame.f_locals.get("self"), "stands_still"):
            found.append(look.at(frame.f_locals["self"]))  # the event loop that the actor runs
        frame = frame.f_back
    return tuple(found)


class Look:
    """One look at a state; what was met before is told by when."""

    def __init__(self) -> None:
        self.met: dict[int, int] = {}
        self.kept: list[Any] = []  # so that no identity is used twice

    def at(self, thing: Any) -> Hashable:
        if isinstance(thing, PLAIN) and type(thing) in PLAIN:
            return type(thing).__name__, thing
        known = self.met.get(id(thing))
        if known is not None:
            return "met", known
        if len(self.met) >= _LARGEST:
            raise Unsure("too large")
        self.met[id(thing)] = len(self.met)
        self.kept.append(thing)
        return type(thing).__qualname__, self._inside(thing)

    def all(self, things: Any) -> tuple[Hashable, ...]:
        return tuple([self.at(thing) for thing in things])

    def _inside(self, thing: Any) -> Hashable:
        speaks = getattr(type(thing), "stands_still", None)
        if speaks is not None:  # an event loop: it knows whether a callback has run
            return id(thing), speaks(thing)
        if type(thing).__module__ == "_asyncio" and hasattr(thing, "done"):
            return id(thing), thing.done()
        if type(thing) in LOCKS:  # a real one, of the machinery
            return repr(thing)
        for kind, tell in _TELLING:
            if isinstance(thing, kind):
                return tell(self, thing)
        return self._object(thing)

    # -- by kind

    def _dict(self, thing: dict[Any, Any]) -> Hashable:
        return self.all(thing), self.all(thing.values())

    def _set(self, thing: Any) -> Hashable:
        """Objects are told by identity as well: by that the set orders them."""
        if all(type(one) in PLAIN for one in thing):
            return frozenset(self.at(one) for one in thing)
        return tuple([(id(one), self.at(one)) for one in sorted(thing, key=id)])

    def _function(self, thing: FunctionType) -> Hashable:
        if thing.__module__ in _OF_TYPES:
            return id(thing.__code__)
        if is_hocket(thing.__code__.co_filename):  # a stand-in: what it changes are states of the engine
            return id(thing.__code__)
        known = is_machinery(thing.__code__.co_filename)  # its modules keep nothing that a program would wait for
        return (id(thing.__code__), self.all(thing.__closure__ or ()), self.all(thing.__defaults__ or ()),
                () if known else self._globals(thing.__code__, thing.__globals__))

    def _cell(self, thing: CellType) -> Hashable:
        try:
            return (self.at(thing.cell_contents),)
        except ValueError:
            return ()

    def _iterator(self, thing: Any) -> Hashable:
        _, arguments, *state = thing.__reduce__()
        return self.all(arguments), self.all(state)

    def _generator(self, thing: Any) -> Hashable:
        frame = thing.gi_frame
        if frame is None:
            return "ended"
        if thing.gi_running:
            raise Unsure("a running generator")
        inside = (one for one in gc.get_referents(thing) if one is not frame.f_globals and one is not frame.f_builtins)
        return id(frame.f_code), frame.f_lasti, self.all(one for one in inside if not isinstance(one, FrameType))

    def _module(self, thing: ModuleType) -> Hashable:
        if thing is sys:  # by what it says; its functions are about frames and limits
            return tuple(sorted((name, str(value)) for name, value in vars(sys).items() if type(value) in (str, int)))
        if thing.__name__.partition(".")[0] not in _HARMLESS:
            raise Unsure(f"module {thing.__name__}")
        return thing.__name__

    def _type(self, thing: type) -> Hashable:
        if thing.__module__.partition(".")[0] in _HARMLESS or thing.__module__ == "builtins":
            return id(thing)
        return id(thing), self.all(value for value in vars(thing).values() if isinstance(value, FunctionType))

    def _builtin(self, thing: Any) -> Hashable:
        owner = thing.__self__
        return thing.__name__, id(owner) if isinstance(owner, ModuleType) else self.at(owner)

    def _object(self, thing: Any) -> Hashable:
        attributes = getattr(thing, "__dict__", None)
        slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
        if attributes is None and not slots:
            raise Unsure(type(thing).__qualname__)
        values = [getattr(thing, name) for name in slots if name[:2] != "__" and hasattr(thing, name)]
        own = {name: value for name, value in (attributes or {}).items() if name not in _OF_THREADS}
        return self.at(type(thing)), self.all(values), self._dict(own)

    # -- frames of threads

    def frame(self, frame: FrameType) -> Hashable:
        if stands_in_loop(frame.f_code, frame.f_lasti):
            raise Unsure("a for loop")
        values = dict(frame.f_locals)
        return (id(frame.f_code), frame.f_lasti, tuple(values), self.all(values.values()),
                self._globals(frame.f_code, frame.f_globals))

    def _globals(self, code: CodeType, names: dict[str, Any]) -> Hashable:
        used = [name for name in code.co_names if name in names]
        return tuple(used), self.all(names[name] for name in used)


def stands_in_loop(code: CodeType, at: int) -> bool:
    """Whether an iterator that nobody can see is in use where `code` stands."""
    return any(start <= at < end for start, end in _loops(code))


@cache
def _loops(code: CodeType) -> tuple[tuple[int, int], ...]:
    """Where `for` loops begin and end, also `yield from`; of `async for` the end is not told.

    But what a coroutine awaits while its thread runs is the next frame, which is looked at.
    """
    awaits = code.co_flags & CO_COROUTINE
    found = [step for step in dis.get_instructions(code)
             if step.opname in _LOOPS and not (awaits and step.opname == "SEND")]
    return tuple((step.offset, step.argval) if step.opname != "GET_ANEXT" else (0, len(code.co_code)) for step in found)


def _identity(look: Look, thing: Any) -> Hashable:
    return id(thing)


def _number(look: Look, thing: Controlled) -> Hashable:
    return thing._number


_TELLING: list[tuple[Any, Callable[[Look, Any], Hashable]]] = [
    (_SEQUENCES, Look.all),
    (dict, Look._dict),
    ((set, frozenset), Look._set),
    (FunctionType, Look._function),
    (MethodType, lambda look, thing: look.all((thing.__func__, thing.__self__))),
    (CellType, Look._cell),
    (_COUNTING, Look._iterator),
    (GeneratorType, Look._generator),
    (ModuleType, Look._module),
    (type, lambda look, thing: look._type(thing)),
    (BuiltinFunctionType, Look._builtin),
    (CodeType, _identity),
    (Handle, lambda look, thing: thing.index),
    (weakref.ref, lambda look, thing: look.at(thing())),
    (Controlled, _number),
    (Iterator, lambda look, thing: _refuse(thing)),
]


def _refuse(thing: Any) -> Hashable:
    raise Unsure(type(thing).__qualname__)
