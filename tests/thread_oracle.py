"""All ends of a program with threads, found by plain Python: an oracle for the explorer, of which it knows nothing.

The program runs in real threads of which one has the baton. `sys.settrace` stops
it before every bytecode that can touch an object, in its own code and in that of the standard
library that is written in Python; there the baton may go to another thread. All schedules
with at most so many preemptions are run, fewest first. Locks are asked, and who does not
get one waits until it could; nothing else of the program is replaced.

Refused: greenlets (another dependency), and a machine for bytecode (a second Python, which could be wrong).
"""

from __future__ import annotations

import _thread
import dis
import functools
import gc
import itertools
import queue
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import CodeType, FrameType
from typing import Any, NamedTuple

__all__ = ["Ends", "ends_of"]

_TOUCHING = frozenset({
    "BEFORE_WITH", "BINARY_OP", "BINARY_SLICE", "BINARY_SUBSCR", "CALL", "CALL_FUNCTION_EX", "CALL_INTRINSIC_1",
    "CALL_KW", "COMPARE_OP", "CONTAINS_OP", "DELETE_ATTR", "DELETE_SUBSCR", "DICT_MERGE", "DICT_UPDATE",
    "FORMAT_SIMPLE", "FORMAT_VALUE", "FORMAT_WITH_SPEC", "FOR_ITER", "GET_ITER", "GET_LEN", "GET_YIELD_FROM_ITER",
    "JUMP_IF_FALSE_OR_POP", "JUMP_IF_TRUE_OR_POP", "LIST_EXTEND", "LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR",
    "MATCH_CLASS", "MATCH_KEYS", "MATCH_MAPPING", "MATCH_SEQUENCE", "POP_JUMP_BACKWARD_IF_FALSE",
    "POP_JUMP_BACKWARD_IF_TRUE", "POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_TRUE", "POP_JUMP_IF_FALSE",
    "POP_JUMP_IF_TRUE", "SEND", "SET_UPDATE", "STORE_ATTR", "STORE_SLICE", "STORE_SUBSCR", "TO_BOOL",
    "UNARY_INVERT", "UNARY_NEGATIVE", "UNARY_NOT", "UNPACK_EX", "UNPACK_SEQUENCE"})
_NAMING = frozenset({
    "DELETE_DEREF", "DELETE_GLOBAL", "LOAD_CLASSDEREF", "LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME", "STORE_DEREF",
    "STORE_GLOBAL"})
_DROPPING = frozenset({
    "DELETE_FAST", "POP_TOP", "RETURN_VALUE", "STORE_FAST"})
_BREAKERS = frozenset({
    "CALL", "CALL_FUNCTION_EX", "CALL_KW", "JUMP_BACKWARD", "POP_JUMP_BACKWARD_IF_FALSE",
    "POP_JUMP_BACKWARD_IF_NONE", "POP_JUMP_BACKWARD_IF_NOT_NONE", "POP_JUMP_BACKWARD_IF_TRUE", "RESUME"})
"""Those after which CPython 3.11 and later let another thread come."""
_ENDLESS = 20_000  # places in one execution
_CARRIERS = ("threading.py", "queue.py", "concurrent", "thread_oracle.py", "importlib", "enum.py", "inspect.py",
             "_weakrefset")
_ALONE = {"body", "<module>", "note", "guarded"}  # functions that share nothing, as `tests.fuzz_threads` has them


class Ends(NamedTuple):
    """What a program came to, in how many schedules; `complete` if no schedule within the bound was left out."""

    found: dict[Any, tuple[tuple[int, int], ...]]  # each end, and the plan that led there
    schedules: int
    complete: bool


class _Over(BaseException):
    """Everybody waits: the threads are taken down."""


class _Voice:
    """A thread of the program: its turn, what it waits for, and whether it has ended."""

    def __init__(self, number: int) -> None:
        self.number, self.ended = number, False
        self.turn = _allocate()
        self.turn.acquire()
        self.waits: Callable[[], bool] | None = None

    def may_go_on(self) -> bool:
        return not self.ended and (self.waits is None or self.waits())


_allocate, _start, _who = _thread.allocate_lock, _thread.start_new_thread, _thread.get_ident
_RUN: list[_Run] = []  # the one that goes on


class _Run:
    """One execution: `plan` says at which choice who goes on other than by default."""

    def __init__(self, plan: Mapping[int, int], places: _Places) -> None:
        self.plan, self.places = plan, places
        self.voices = [_Voice(0)]
        self.by_ident = {_who(): self.voices[0]}
        # at each choice: who had the baton (-1: could not go on), who got it, who could
        self.trail: list[tuple[int, int, list[int]]] = []
        self.over = False
        self.points = 0

    def me(self) -> _Voice:
        return self.by_ident[_who()]

    def point(self) -> None:
        """Here somebody else may go on."""
        voice = self.by_ident.get(_who())
        if voice is not None and not self.over:
            self.points += 1
            if self.points > _ENDLESS:
                raise RecursionError("the program does not come to an end")
            able = [each.number for each in self.voices if each.may_go_on()]
            if len(able) > 1:
                self._hand_to(voice, self._chosen(voice.number, voice.number, able))

    def wait(self, until: Callable[[], bool]) -> None:
        """Others go on until it is so."""
        voice = self.me()
        while not until():
            if self.over:
                raise _Over
            voice.waits = until
            self._pass(voice)
            voice.waits = None

    def _pass(self, voice: _Voice) -> None:
        able = [each.number for each in self.voices if each.may_go_on()]
        if not able:
            self._end_all()
            raise _Over
        self._hand_to(voice, able[0] if len(able) == 1 else self._chosen(-1, able[0], able))

    def _chosen(self, holder: int, default: int, able: list[int]) -> int:
        chosen = self.plan.get(len(self.trail), default)
        assert chosen in able, "the program did not repeat itself"
        self.trail.append((holder, chosen, able))
        return chosen

    def _hand_to(self, voice: _Voice, number: int) -> None:
        if number != voice.number:
            self.voices[number].turn.release()
            if not voice.ended:
                voice.turn.acquire()
        if self.over and not voice.ended:
            raise _Over

    def _end_all(self) -> None:
        self.over = True
        for each in self.voices:
            if each.turn.locked():
                each.turn.release()

    def begin(self, work: Callable[[], None]) -> _Voice:
        """A new thread, which waits for its turn."""
        voice = _Voice(len(self.voices))
        self.voices.append(voice)
        todo = [work]
        _start(self._live, (voice, todo))
        return voice

    def _live(self, voice: _Voice, todo: list[Callable[[], None]]) -> None:
        voice.turn.acquire()
        self.by_ident[_who()] = voice
        if not self.over:
            sys.settrace(self.places.trace)
            try:
                todo.pop()()
            except _Over:
                pass
            finally:
                sys.settrace(None)
        voice.ended = True
        del self.by_ident[_who()]
        if not self.over:
            self._pass(voice)


# -- where threads may be switched ------------------------------------------------------------------------------------


class _Places:
    """The bytecodes before which others may come. `written`: names of variables that functions assign to."""

    def __init__(self, written: frozenset[str], drops: bool, gil: bool) -> None:
        self.written, self.drops, self.gil = written, drops, gil
        self._found: dict[CodeType, frozenset[int]] = {}

    @property
    def seen(self) -> int:
        """How many code objects were met."""
        return len(self._found)

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        code = frame.f_code
        offsets = self._found.get(code)
        if offsets is None:
            offsets = self._found[code] = self._offsets(code)
        if not offsets:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._after(offsets) if self.gil else self._before(offsets)

    def _before(self, offsets: frozenset[int]) -> Any:
        def stop(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "opcode" and frame.f_lasti in offsets:
                _RUN[0].point()
            return stop

        return stop

    def _after(self, offsets: frozenset[int]) -> Any:
        last = [-1]

        def stop(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "opcode":
                if last[0] in offsets:
                    _RUN[0].point()
                last[0] = frame.f_lasti
            return stop

        return stop

    def _offsets(self, code: CodeType) -> frozenset[int]:
        if code.co_name in _ALONE or any(part in code.co_filename for part in _CARRIERS):
            return frozenset()
        return frozenset(each.offset for each in dis.get_instructions(code) if self._counts(each))

    def _counts(self, instruction: dis.Instruction) -> bool:
        name = instruction.opname
        if self.gil:
            return name in _BREAKERS
        named = name in _NAMING and instruction.argval in self.written
        return named or name in _TOUCHING or (self.drops and name in _DROPPING)


# -- what the program finds in place of locks and threads -------------------------------------------------------------


class _Lock:
    """A lock that is asked."""

    _again = False

    def __init__(self) -> None:
        self._owner: _Voice | None = None
        self._count = 0

    def _is_free(self) -> bool:
        return self._owner is None or (self._again and self._owner is _RUN[0].me())

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        run = _RUN[0]
        run.point()
        voice = run.me()
        if not (self._owner is None or (self._again and self._owner is voice)):
            if not blocking:
                return False
            run.wait(lambda: self._owner is None)
        self._owner, self._count = voice, self._count + 1
        return True

    __enter__ = acquire

    def release(self) -> None:
        _RUN[0].point()
        if self._owner is None:
            raise RuntimeError("release unlocked lock")
        self._count -= 1
        if not self._count:
            self._owner = None

    def __exit__(self, *_: Any) -> None:
        if not _RUN[0].over:
            self.release()

    def locked(self) -> bool:
        return self._owner is not None


class _RLock(_Lock):
    _again = True

    def _is_owned(self) -> bool:
        return self._owner is _RUN[0].me()

    def release(self) -> None:
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        super().release()

    def _release_save(self) -> tuple[int, Any]:
        _RUN[0].point()
        state = (self._count, self._owner)
        self._count, self._owner = 0, None
        return state

    def _acquire_restore(self, state: tuple[int, Any]) -> None:
        _RUN[0].wait(lambda: self._owner is None)
        self._count, self._owner = state


class _Thread:
    """As much of `threading.Thread` as programs and executors use."""

    def __init__(self, group: Any = None, target: Any = None, name: Any = None, args: Any = (), kwargs: Any = None,
                 *, daemon: Any = None) -> None:
        self._work, self._voice, self.name, self.daemon = (target, args, kwargs or {}), None, name, daemon

    def start(self) -> None:
        self._voice = _RUN[0].begin(self.run)

    def run(self) -> None:
        target, args, kwargs = self._work
        del self._work
        with suppress(Exception):  # as threads do, it is said and forgotten
            target(*args, **kwargs)

    def join(self, timeout: Any = None) -> None:
        voice = self._voice
        _RUN[0].wait(lambda: voice.ended)

    def is_alive(self) -> bool:
        return self._voice is not None and not self._voice.ended


_STAND_INS: tuple[tuple[Any, str, Any], ...] = (
    (threading, "Lock", _Lock), (threading, "_allocate_lock", _Lock), (threading, "RLock", _RLock),
    (threading, "Thread", _Thread), (queue, "SimpleQueue", queue._PySimpleQueue),
    (functools, "RLock", _RLock),
)


@contextmanager
def _in_place() -> Iterator[None]:
    kept = [(module, name, getattr(module, name)) for module, name, _ in _STAND_INS]
    for module, name, stand_in in _STAND_INS:
        setattr(module, name, stand_in)
    try:
        yield
    finally:
        for module, name, value in kept:
            setattr(module, name, value)


# -- all schedules ----------------------------------------------------------------------------------------------------


def ends_of(program: Callable[[], Any], *, written: frozenset[str] = frozenset(), drops: bool = False,
            gil: bool = False, preemptions: int = 2, most: int = 1_500, seed: int = 0) -> Ends:
    """What `program()` returns (it is run anew for each), over all schedules with so few preemptions, `most` at most.

    "deadlock" is an end, too. `drops`: also where a name is dropped; `gil`: only where CPython looks for others.
    """
    places, found = _Places(written, drops, gil), {}
    levels: list[list[tuple[tuple[int, int], ...]]] = [[()], *([] for _ in range(preemptions))]
    rng, schedules = random.Random(seed), 0
    with _in_place(), _no_collection():
        for cost, level in enumerate(levels):
            while level:
                if schedules >= most:
                    return Ends(found, schedules, False)
                if cost == preemptions:  # the last level is large, and may be cut short: anywhere, then
                    at = rng.randrange(len(level))
                    level[at], level[-1] = level[-1], level[at]
                plan = level.pop()
                end, trail = _run_traced(program, dict(plan), places)
                found.setdefault(end, plan)
                schedules += 1
                for more, further in _others(plan, trail):
                    if cost + more <= preemptions:
                        levels[cost + more].append(further)
    return Ends(found, schedules, True)


def _others(plan: tuple[tuple[int, int], ...], trail: list[tuple[int, int, list[int]]]) -> Iterator[Any]:
    """The plans that part from this one after its last choice: how many preemptions each adds, and the plan."""
    first = plan[-1][0] + 1 if plan else 0
    for at, (holder, chosen, able) in enumerate(itertools.islice(trail, first, None), first):
        for other in able:
            if other != chosen:
                yield int(holder >= 0), (*plan, (at, other))


def _run_traced(program: Callable[[], Any], plan: Mapping[int, int], places: _Places) -> tuple[Any, Any]:
    """The end and the choices of one run; anew if it met code that was not traced before.

    From 3.12 on CPython marks the bytecodes of a code object once they are asked for, and a frame that goes on
    meanwhile does not show them all: the same plan would meet more choices the next time.
    """
    while True:
        known = places.seen
        told = _run_once(program, plan, places)
        if places.seen == known:
            return told


def _run_once(program: Callable[[], Any], plan: Mapping[int, int], places: _Places) -> tuple[Any, Any]:
    run = _Run(plan, places)
    _RUN[:] = [run]
    before = sys.gettrace()
    sys.settrace(places.trace)
    try:
        end = program()
    except _Over:
        end = "deadlock"
    finally:
        sys.settrace(before)
    return end, run.trail


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
