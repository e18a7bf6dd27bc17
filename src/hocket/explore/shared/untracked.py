"""Never certify falsely: watches which code the actors run, and lists every write that is shared but not tracked.

Synchronisation and Atomics are operations, and what rewritten code does to data (probes.py).
If other code writes an attribute, an item, a global, an enclosing variable, or calls a method that
changes a container, while two actors live, then orders that were never run could
differ, and no verdict may be "proved". Each piece of code that an actor enters is
read once (scan.py); calls into C are judged when they happen, by what is called.

While one actor lives alone, everything it does is ordered with everything else
(by starts and ends), so it may do what it likes: build its objects before the first
start, read its results after the last end. Of two unordered accesses the first
one happens while the other's actor is still alive, so it is always seen. A
function that was already running when its actor's solitude ended, or ends, is
judged by the instructions between the two points only.

Refused: taking the absence of a failure as a sign, and sampling (a look at every
tenth execution would miss code that runs in one of them).
"""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
import pprint
import re
import reprlib
import sys
import threading
import tokenize
import traceback
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from types import (
    BuiltinFunctionType,
    CodeType,
    FrameType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from hocket.explore.shared.calling import PROMISES
from hocket.explore.shared.parts import plainly
from hocket.explore.shared.scan import UNKNOWN, Finding, code_of
from hocket.explore.shared.sight import ENOUGH, Sight, sight
from hocket.explore.threads.atomic import Atomic
from hocket.explore.threads.control import Actor, Control, current
from hocket.explore.threads.naming import caller, is_machinery, place_text
from hocket.explore.threads.primitives import ExploredLock

__all__ = ["Watch"]

_PURE_BUILTINS = {
    "abs", "all", "any", "ascii", "bin", "callable", "chr", "dir", "divmod", "format", "getattr", "globals", "hasattr",
    "hash", "hex", "id", "isinstance", "issubclass", "iter", "len", "locals", "max", "min", "oct", "ord", "pow",
    "print", "repr", "round", "sorted", "sum", "vars", "__build_class__", "__import__", "breakpoint",
    "compile", "eval", "exec",  # what they run is Python code, which is seen when it begins
}
_PURE_MODULES = {"math", "cmath", "time", "sys", "_thread", "_weakref", "_functools", "_abc", "_struct", "binascii",
                 "unicodedata", "zlib", "_locale", "_string", "_contextvars", "_sre", "_statistics", "_warnings"}
_IMMUTABLE: tuple[type, ...] = (
    str, bytes, int, float, complex, bool, tuple, frozenset, range, type(None), type, slice, re.Pattern, re.Match,
    BaseException, type({}.keys()), type({}.values()), type({}.items()), memoryview,
)
_KEEP_TO_THEMSELVES = {module.__file__ for module in (
    ast, difflib, inspect, linecache, pprint, reprlib, tokenize, traceback)}
"""They change only what they have made; if they are given what is shared, that is reported."""
_READERS = {
    "get", "keys", "values", "items", "index", "count", "copy", "union", "intersection", "difference", "issubset",
    "symmetric_difference", "issuperset", "isdisjoint", "decode", "find", "hex", "startswith", "endswith",
    "__contains__", "__getitem__", "__len__", "__iter__", "__reversed__", "__eq__", "__ne__", "__sizeof__",
}
_OF_EACH_THREAD = {"TextIOWrapper", "ContextManager", "ContextVar"}  # the second of decimal; printed is read by nobody
_CONTAINERS = (list, dict, set, deque, OrderedDict, defaultdict, bytearray)
_Codes = dict[int, CodeType]  # by identity: to hash a code is to hash all of it, and is dearer than what is asked here
_MANY = 4096  # codes, of which a program may make new ones in each execution


def _by_identity(codes: Iterable[CodeType]) -> _Codes:
    return {id(code): code for code in codes}


def _remember(codes: _Codes, code: CodeType) -> None:
    """What `codes` are can be found out again."""
    if len(codes) >= _MANY:
        codes.clear()
    codes[id(code)] = code


# whoever enters one of these comes to a step before it returns or raises; until then nothing runs that is not ours.
# Those that are compiled are not seen when they are entered, and have no code
_STEPS: tuple[Callable[..., Any], ...] = (
    Control.plain, Control.touch, Control.step, Control.spawn, Atomic.load, Atomic.store, Atomic.swap, Atomic.add,
    Atomic.compare_exchange, ExploredLock.__enter__, ExploredLock.__exit__, ExploredLock.release)
_STEPS_AHEAD = _by_identity(step.__code__ for step in _STEPS if hasattr(step, "__code__"))
_LOWEST = getattr(Control._perform_body, "__code__", None)  # what called it is not the program's
_PROMISES = _by_identity(promise.__code__ for promise in PROMISES)
_BY_THREAD = _by_identity([reprlib.recursive_repr()(repr).__code__])  # keeps who tells of what, each for its thread
_LOOKS_AROUND = _by_identity((threading.enumerate.__code__, threading.active_count.__code__))


_off = partial(sys.setprofile, None)
_nothing: Callable[[], object] = object  # of C, and so unseen


class Watch:
    """The watch over one exploration; `findings` is its list, in the order of discovery.

    `is_rewritten(code)`: whether probes tell of what the code does, so that it need not be read here.
    """

    def __init__(self, is_rewritten: Callable[[CodeType], bool] = lambda code: False) -> None:
        self._is_rewritten = is_rewritten
        _add_executors()
        self.findings: dict[str, None] = {}
        self.files: dict[str, None] = {}  # the sources that they are about
        self._on = partial(sys.setprofile, self._profile)
        self._seen_by: Sight | None = None  # from 3.12 on, while it watches
        self._paused = False
        self._concurrent = False
        # what the calling thread does now is the explorer's; and: is the program's, which alone may do what it likes.
        # Both are made of C: they are called at each step, and a function in Python would be watched itself
        self.pause: Callable[[], object] = _off
        self.resume: Callable[[], object] = _nothing
        self._known: set[CodeType] = set()  # read already, or machinery
        self._met: _Codes = {}  # some of these
        self._ours: _Codes = {}  # machinery
        self._others: _Codes = {}  # and what is not
        self._quiet: _Codes = {}  # what is machinery, or rewritten
        self._calls: dict[tuple[Any, str], bool] = {}  # (type or module, function) -> harmless
        self._sites: set[tuple[CodeType, int]] = set()  # calls into C that were judged
        # what ran when solitude ended: the code, how far it was, and its writes from there on
        self._open: list[tuple[CodeType, int, dict[int, Finding]]] = []
        self._from: dict[tuple[CodeType, int, bool], dict[int, Finding]] = {}

    def begin_again(self) -> None:
        """Forget what was seen: more is tracked from now on."""
        for known in (self.findings, self.files, self._from):
            known.clear()
        self._known.clear()
        self._met.clear()
        self._sites.clear()
        self._open.clear()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """For the time of an exploration: from 3.12 on the interpreter tells of each place until it is told not to."""
        with sight(self._told_of_start, self._told_of_call) as self._seen_by:
            self.pause = _off if self._seen_by is None else partial(setattr, self, "_paused", True)
            self._let(False)
            yield
        self._seen_by = None

    # -- what the control reports -------------------------------------------------------------------------------------

    def enter(self, actor: Actor) -> None:
        """`actor` begins, on the calling thread."""
        if actor.number == 0:
            self._let(False)
            self._open.clear()
        self.resume()

    def leave(self, actor: Actor) -> None:
        """`actor` has left the program's code."""
        self.pause()
        if actor.number == 0 and self._open:
            self._close({})

    def spawned(self, actor: Actor) -> None:
        """`actor` has started another one."""
        self.pause()
        alone = not self._concurrent
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            code = frame.f_code
            if code is _LOWEST:
                break
            told_elsewhere = id(code) in self._quiet or self._is_quiet(code)
            if not told_elsewhere and (alone or code.co_name in ("__init__", "__post_init__")):
                writes = self._writes_after(frame, fresh_self=False)
                if alone:
                    self._open.append((code, frame.f_lasti, writes))
                else:
                    self._report(code, writes.values())
            frame = frame.f_back
        self._let(True)
        self.resume()

    def finished(self, control: Control) -> None:
        """Only one actor is left."""
        self._let(False)
        if not self._open:
            return
        survivor = next((actor for actor in control.actors.values() if not actor.done), None)
        ident = survivor.voice.ident if survivor is not None and survivor.voice is not None else None
        frame = sys._current_frames().get(ident) if ident is not None else None
        ends: dict[CodeType, list[int]] = {}
        while frame is not None:
            ends.setdefault(frame.f_code, []).append(frame.f_lasti)
            frame = frame.f_back
        self._close(ends)

    def _let(self, concurrent: bool) -> None:
        """Whether several actors live, so that there is something to see when the program goes on."""
        self._concurrent = concurrent
        if self._seen_by is not None:
            self.resume = partial(setattr, self, "_paused", False)
        else:
            self.resume = self._on if concurrent else _nothing

    def met_real_lock(self) -> None:
        """The calling actor uses a lock that is none of the explorer's."""
        self.met("a lock is used that was made outside of the exploration")

    def met(self, what: str) -> None:
        """The calling actor does something by which nothing can be proved."""
        frame = caller(sys._getframe(1))
        if frame is not None:
            self._report_at(frame, what)
        else:  # a thread whose target is a method of somebody else's
            self.findings.setdefault(what, None)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """For work of our own in the middle of the program's."""
        before = self._concurrent
        self._let(False)
        try:
            yield
        finally:
            self._let(before)

    # -- what runs ----------------------------------------------------------------------------------------------------

    def _profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """Most of what is told is told of our own code, and of returns, so these are out of the way first."""
        code = frame.f_code
        if event == "c_call":
            if id(code) not in self._ours and self._concurrent and not self._is_machinery(code):
                self._called(frame, code, argument)
        elif event == "call" and self._concurrent:
            if id(code) in _STEPS_AHEAD or (id(code) in _PROMISES and type(current()) is Actor):
                sys.setprofile(None)  # until the step that follows is over, or until others are called
            elif id(code) not in self._met:
                self._entered(frame, code)

    def _told_of_start(self, code: CodeType, offset: int) -> Any:
        """A function begins; whether to hear of it again."""
        told_elsewhere = id(code) in _CALLS_OTHERS or id(code) in _LOOKS_AROUND
        if self._is_machinery(code) and not told_elsewhere:
            return ENOUGH
        if self._paused or not self._concurrent or current() is None:
            return None
        if id(code) not in self._met:
            self._entered(sys._getframe(1), code)
        return None if told_elsewhere else ENOUGH

    def _told_of_call(self, code: CodeType, offset: int, function: Any, first: Any) -> Any:
        """Something is called; whether to hear of this place again."""
        if self._is_machinery(code):
            return ENOUGH
        if self._paused or not self._concurrent or current() is None:
            return None
        if issubclass(type(function), MethodDescriptorType):
            function = function.__get__(first, type(first))  # without the type, CPython 3.12 crashes over `re.match`
        if issubclass(type(function), BuiltinFunctionType):
            self._called(sys._getframe(1), code, function)
        return None

    def _entered(self, frame: FrameType, code: CodeType) -> None:
        calls_others = _CALLS_OTHERS.get(id(code))
        if calls_others is not None:
            self._given(frame, calls_others[1](frame))
            return
        _remember(self._met, code)
        if code in self._known:
            return
        self._known.add(code)
        if id(code) in _LOOKS_AROUND:
            self._report_at(frame, "the list of threads is read")
        if not self._is_machinery(code) and not self._is_rewritten(code):
            self._report(code, code_of(code).findings(_resolver(frame)).values())

    def _is_machinery(self, code: CodeType) -> bool:
        if id(code) in self._ours:
            return True
        if id(code) in self._others:
            return False
        ours = (is_machinery(code.co_filename) or id(code) in _BY_THREAD
                or code.co_filename in _KEEP_TO_THEMSELVES)
        _remember(self._ours if ours else self._others, code)
        return ours

    def _is_quiet(self, code: CodeType) -> bool:
        quiet = self._is_machinery(code) or self._is_rewritten(code)
        if quiet:
            _remember(self._quiet, code)
        return quiet

    # -- calls into C -------------------------------------------------------------------------------------------------

    def _called(self, frame: FrameType, code: CodeType, function: Any) -> None:
        owner = function.__self__
        if self._is_harmless(owner, function.__name__):
            return
        site = (code, frame.f_lasti)
        if site in self._sites:
            return
        self._sites.add(site)
        if issubclass(type(owner), _CONTAINERS) and code_of(code).receiver_is_private(frame.f_lasti):
            return
        self._report_at(frame, _call_in_words(function))

    def _is_harmless(self, owner: Any, name: str) -> bool:
        key = (owner.__name__ if issubclass(type(owner), ModuleType) else type(owner), name)
        known = self._calls.get(key)
        if known is None:
            known = self._calls[key] = _judge(owner, name)
        return known

    def _given(self, frame: FrameType, target: Any) -> None:
        """A thread or an executor was given something to call that is no Python code, so nobody would see it run."""
        while type(target).__name__ == "partial" or type(target) is MethodType:
            if type(target) is MethodType:
                target = target.__func__  # a method may be one of what `lru_cache` has wrapped
            else:
                target = target.args[0] if _runs_its_argument(target.func) else target.func
        if issubclass(type(target), (FunctionType, type)) or target is None:
            return
        if issubclass(type(target), BuiltinFunctionType) and self._is_harmless(target.__self__, target.__name__):
            return
        if isinstance(vars(type(target)).get("__call__"), FunctionType):
            return
        self.findings.setdefault(f"{_call_in_words(target)} by a thread", None)

    # -- findings -----------------------------------------------------------------------------------------------------

    def _writes_after(self, frame: FrameType, *, fresh_self: bool) -> dict[int, Finding]:
        key = (frame.f_code, frame.f_lasti, fresh_self)
        writes = self._from.get(key)
        if writes is None:
            code = code_of(frame.f_code)
            writes = self._from[key] = code.findings(_resolver(frame), start=frame.f_lasti, fresh_self=fresh_self)
        return writes

    def _close(self, ends: dict[CodeType, list[int]]) -> None:
        for code, start, writes in self._open:
            if not writes:
                continue
            end = ends.get(code, [])
            if len(end) == 1:
                between = code_of(code).between(start, end[0])
                self._report(code, [found for number, found in writes.items() if number in between])
            else:
                self._report(code, writes.values())
        self._open.clear()

    def _report(self, code: CodeType, findings: Any) -> None:
        for found in findings:
            self.files[code.co_filename] = None
            self.findings.setdefault(f"{place_text((code.co_filename, found.line))} {found.what}", None)

    def _report_at(self, frame: FrameType, what: str) -> None:
        self.files[frame.f_code.co_filename] = None
        self.findings.setdefault(f"{place_text((frame.f_code.co_filename, frame.f_lineno))} {what}", None)


def _runs_its_argument(function: Any) -> bool:
    """Whether it is `Context.run`, with which asyncio hands a function to a thread."""
    return plainly(function, "__name__") == "run" and type(plainly(function, "__self__")) is Context


def _judge(owner: Any, name: str) -> bool:
    """Whether a function of C leaves alone what others could see."""
    if issubclass(type(owner), ModuleType):
        if owner.__name__ == "builtins":
            return name in _PURE_BUILTINS
        return owner.__name__ in _PURE_MODULES and name != "pack_into"
    if issubclass(type(owner), _CONTAINERS):
        return name in _READERS
    return issubclass(type(owner), _IMMUTABLE) or type(owner).__name__ in _OF_EACH_THREAD


def _call_in_words(function: Any) -> str:
    owner, name = plainly(function, "__self__"), plainly(function, "__name__") or type(function).__name__
    if isinstance(owner, ModuleType):
        return f"{owner.__name__}.{name} is called, which may change what is shared"
    if owner is not None and type(owner).__module__ == "_thread":
        return "a lock is used that was made outside of the exploration"
    if owner is None:
        return f"{name}, made by C ({type(function).__name__}), is called"
    return f"{type(owner).__name__}.{name} changes an object in place"


def _resolver(frame: FrameType) -> Callable[[str, str], Any]:
    """The present values of names, for as long as one reading lasts."""
    local = frame.f_locals
    spaces = (frame.f_globals, frame.f_builtins)

    def resolve(instruction: str, name: str) -> Any:
        if instruction in ("LOAD_FAST", "LOAD_DEREF"):
            return local.get(name, UNKNOWN)
        return next((space[name] for space in spaces if name in space), UNKNOWN)

    return resolve


def _of_thread(frame: FrameType) -> Any:
    return getattr(frame.f_locals.get("self"), "_target", None)


def _of_work_item(frame: FrameType) -> Any:
    item = frame.f_locals.get("self")
    return getattr(item, "fn", None) or (getattr(item, "task", None) or (None,))[0]


_CALLS_OTHERS: dict[int, tuple[CodeType, Callable[[FrameType], Any]]] = {}  # by the identity of the code


def _asks(code: CodeType, target: Callable[[FrameType], Any]) -> None:
    """Where `code` begins, what it is going to call is `target(frame)`."""
    _CALLS_OTHERS[id(code)] = (code, target)


_asks(threading.Thread.run.__code__, _of_thread)


def _add_executors() -> None:
    """The executors are watched if they are loaded; loading them for that would cost every exploration."""
    pools = sys.modules.get("concurrent.futures.thread")
    if pools is not None:
        _asks(pools._WorkItem.run.__code__, _of_work_item)
