"""While an exploration goes on, `threading` code is controlled without being changed; afterwards nothing has happened.

Three kinds of replacement, all undone in the reverse order whatever happens:

1. *Names.* What `_thread`, `_queue` and `time` make in C is replaced under every
   name by which any module knows it (`from threading import Lock` included).
2. *Methods of Thread.* start, join and is_alive become operations of their own:
   run as written they would add steps for the locks they keep books with.
3. *Looks without a lock* (`Event.is_set`, `Barrier.n_waiting`): they become
   visible, because what is not visible is not explored.

Every replacement asks whether its caller is an actor and else does the real
thing, so other threads of the process notice nothing. Refused: replacing
Condition, Event, Semaphore, Barrier, Queue or the executors (their own code is
what should be explored), and replacing modules in `sys.modules` (too late for
whoever has imported names).
"""

from __future__ import annotations

import _queue
import _thread
import itertools
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import partial
from types import FrameType, ModuleType
from typing import Any

from hocket.explore.threads import chance, files, refused
from hocket.explore.threads.bindings import Bindings, bind_again
from hocket.explore.threads.contexts import give_context, run_in_context
from hocket.explore.threads.control import ACTORS, Actor, Control, current
from hocket.explore.threads.earlier import StandIns, exchange
from hocket.explore.threads.ended import mark_stopped, owner_of
from hocket.explore.threads.leftovers import Leftovers
from hocket.explore.threads.naming import is_hocket, is_machinery, place_of
from hocket.explore.threads.pool import _get_ident
from hocket.explore.threads.primitives import (
    LOCKS,
    ExploredLock,
    ExploredRLock,
    ExploredSimpleQueue,
)
from hocket.trace.operation import Operation

__all__ = [
    "AT_END", "EXTENSIONS", "START", "THREAD_OPERATIONS", "begin_books", "close_books", "controlled", "end_books",
    "end_loops", "set_all", "virtual_time",
]

Thread = threading.Thread
_sleep, _time = time.sleep, time.time
_start_new_thread, _real_count = _thread.start_new_thread, _thread._count
_real_ident: Callable[[Thread], int | None] = Thread.__dict__["ident"].fget
_real: dict[str, Callable[..., Any]] = {
    "start": Thread.start, "join": Thread.join, "is_alive": Thread.is_alive,
    "notify": threading.Condition.notify, "wait": threading.Condition.wait,
    "enter": threading.Condition.__enter__,
}


EXTENSIONS: list[Callable[[], AbstractContextManager[None]]] = []
"""What else is replaced for the time of an exploration, by rooms that stand on this one."""
AT_END: list[Callable[[Control], None]] = []
"""Called at the end of an execution, on the thread of main, when all other actors are gone."""


@contextmanager
def controlled(extra: tuple[dict[str, Any], ...] = (), roots: Iterable[Any] = (),
               modules: Iterable[ModuleType] = ()) -> Iterator[Leftovers]:
    """For as long as this lasts, actors that use `threading` and its kin are controlled.

    What it gives is to be put back before each execution.
    `extra`: globals that belong to no module; `roots` and `modules`: where the program keeps locks (earlier.py).
    """
    modules = tuple(modules)
    with ExitStack() as undo:
        _set_methods(undo)
        _forward_is_set(undo)
        stand_ins = StandIns(_STAND_INS)
        tracked = {id(vars(module)) for module in modules}
        replaced: list[tuple[dict[str, Any], dict[str, Any]]] = []
        undo.callback(bind_again, replaced)
        for namespace in _BINDINGS.spaces(extra):
            locks = id(namespace) in tracked or namespace.get("__name__") not in _KEEP_THEIR_LOCKS
            _BINDINGS.replace(namespace, stand_ins.instead_of if locks else None, replaced)
        leftovers = Leftovers(exchange(undo, roots, modules, stand_ins))
        undo.callback(leftovers.put_back)
        _keep_counters(undo)
        for extension in EXTENSIONS:
            undo.enter_context(extension())
        undo.callback(set_all, _as_programs_find_it())
        undo.callback(setattr, sys, "unraisablehook", sys.unraisablehook)
        sys.unraisablehook = _told_of_finalisers(sys.unraisablehook)
        yield leftovers


def _told_of_finalisers(plain: Callable[[Any], Any]) -> Callable[[Any], None]:
    """What Python calls with an exception that it goes on after; of an actor it is a failure, of others as ever."""

    def told(unraisable: Any) -> None:
        actor = current()
        if actor is None or unraisable.exc_value is None:
            plain(unraisable)
            return
        actor.control.raised_in_finaliser(actor, unraisable.exc_value, owner_of(unraisable))

    return told


def _as_programs_find_it() -> list[tuple[Any, str, Any]]:
    """What a program may exchange for the whole process, and does not always put back."""
    return [(threading, "excepthook", threading.excepthook), (sys, "stdout", sys.stdout), (sys, "stderr", sys.stderr)]


def _set_methods(undo: ExitStack) -> None:
    before = [(owner, name, owner.__dict__[name]) for owner, name, _ in _METHODS]
    undo.callback(set_all, before)
    set_all(_METHODS)


def set_all(methods: Iterable[tuple[Any, str, Any]]) -> None:
    """Attributes, each by who has it, its name and its value."""
    for owner, name, method in methods:
        setattr(owner, name, method)


def _keep_counters(undo: ExitStack) -> None:
    undo.callback(setattr, threading, "_counter", threading._counter)  # type: ignore[attr-defined]  # CPython's own
    pools = sys.modules.get("concurrent.futures.thread")
    if pools is not None:
        undo.callback(setattr, pools.ThreadPoolExecutor, "_counter", pools.ThreadPoolExecutor._counter)


# modules whose locks guard what is no part of the program: their own books, output, imports
_KEEP_THEIR_LOCKS = {"threading", "logging", "importlib._bootstrap", "_thread", "warnings", "random", "_weakrefset",
                     "asyncio.mixins", "asyncio.events"}


# -- time: virtual, and an actor's own --------------------------------------------------------------------------------

_EPOCH = 1_700_000_000.0  # what time.time() says when an execution begins


def _clock(real: Callable[[], Any], start: float, unit: int = 0) -> Callable[[], Any]:
    def read() -> Any:
        actor = current()
        if actor is None:
            return real()
        actor.control.timed = True
        if _asks_for_itself(sys._getframe(1)):
            actor.control.asked, actor.asks = True, actor.asks + 1
        seconds = start + actor.clock
        return int(seconds * unit) if unit else seconds

    read.__name__ = read.__qualname__ = getattr(real, "__name__", "clock")
    return read


def _asks_for_itself(frame: FrameType | None) -> bool:
    """Whether the program has asked, and not a wait of the library, which counts down what it was given."""
    while frame is not None and is_hocket(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is None or not is_machinery(frame.f_code.co_filename)


def virtual_time() -> float:
    """What `time.time()` says to the calling actor."""
    return float(_NAMES[id(_time)]())


def _clock_of(real: Callable[[int], Any], unit: int = 0) -> Callable[[int], Any]:
    """`time.clock_gettime`: of all its clocks, those of the calendar do not begin with the execution."""
    clocks = {calendar: _clock(partial(real, calendar), _EPOCH, unit) for calendar in _CALENDARS}

    def read(clock: int, /) -> Any:
        return (clocks.get(clock) or _clock(partial(real, clock), 0.0, unit))()

    read.__name__ = read.__qualname__ = real.__name__
    return read


_CALENDARS = [getattr(time, name) for name in ("CLOCK_REALTIME", "CLOCK_TAI") if hasattr(time, name)]


def _or_ours(real: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a frame is not to be named as the one that logged: the machinery's are not."""

    def is_internal(frame: Any) -> bool:
        return is_hocket(frame.f_code.co_filename) or real(frame)

    return is_internal


def _virtual_sleep(seconds: float) -> None:
    """Sleeping takes no time; somebody else may go on meanwhile."""
    actor = current()
    if actor is None:
        _sleep(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    actor.control.step(actor, Operation("thread.sleep"))
    actor.control.pass_time(actor, seconds)


# -- threads ----------------------------------------------------------------------------------------------------------


def _explored_ident() -> int:
    real = _get_ident()
    actor = ACTORS.get(real)
    return real if actor is None else actor.number + 1


def ident_of(actor: Actor) -> int:
    """What `get_ident` says: the same in every execution, and no number that a real thread could have."""
    return actor.number + 1


def _spawn(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> int:
    actor = current()
    if actor is None:
        return int(_start_new_thread(function, args, kwargs or {}))

    def run() -> None:
        with suppress(SystemExit):  # of `_thread.exit`
            function(*args, **(kwargs or {}))

    return ident_of(actor.control.spawn(actor, run, daemon=True))


def _count() -> int:
    """How many threads have been started and have not ended, main apart; one after the other is asked."""
    actor = current()
    if actor is None:
        return _real_count()
    control = actor.control
    control.see_ends()
    started = [control.execution.threads[number] for number in control.actors if number]
    return sum(bool(control.plain(actor, "thread.alive", number)) for number in started)


def _ident(thread: Thread) -> int | None:
    """What `get_ident` says to the main thread of an execution is what the others read of it."""
    main = threading._active.get(1) if current() is not None else None  # type: ignore[attr-defined]  # CPython's own
    return 1 if thread is main else _real_ident(thread)


def _start(thread: Thread) -> None:
    actor = current()
    if actor is None:
        _real["start"](thread)
        return
    state = vars(thread)
    if not thread._initialized:  # type: ignore[attr-defined]  # CPython's own field
        raise RuntimeError("thread.__init__() not called")
    if state["_started"]._flag:
        raise RuntimeError("threads can only be started once")
    state["_started"]._flag = True
    give_context(thread, actor)
    child = state["_hocket"] = actor.control.spawn(actor, lambda: _bootstrap(thread), thread.daemon, thread)
    # `start` waits until the thread has said who it is; here it begins later, and so this is said for it
    state["_ident"] = state["_native_id"] = ident = ident_of(child)
    threading._active[ident] = thread  # type: ignore[attr-defined]  # CPython's own field


def _bootstrap(thread: Thread) -> None:
    """What a started thread does, as `Thread._bootstrap_inner`, but an exception goes to the explorer.

    Unless the program has a hook of its own: one that was there before is the test runner's, and stands for a failure.
    """
    actor = current()
    assert actor is not None
    try:
        run_in_context(thread)
    except SystemExit:
        pass  # as threading does
    except Exception as error:
        tracker = actor.control.session.tracker
        hook = threading.excepthook if tracker is None else tracker.get(threading, "excepthook")
        if hook is actor.control.session.hook:
            raise
        hook(threading.ExceptHookArgs((type(error), error, error.__traceback__, thread)))
    finally:
        if actor.control.observer is not None:
            actor.control.observer.pause()
        threading._active.pop(ident_of(actor), None)  # type: ignore[attr-defined]  # CPython's own field
        mark_stopped(thread)


def _child(thread: Thread) -> tuple[Actor, Actor] | None:
    """The calling actor and the one that runs `thread`, if it was started in this execution."""
    actor = ACTORS.get(_get_ident())
    child = vars(thread).get("_hocket")
    if actor is None or child is None or child.control is not actor.control:
        return None
    return actor, child


def _join(thread: Thread, timeout: float | None = None) -> None:
    pair = _child(thread)
    if pair is None:
        _real["join"](thread, timeout)
        return
    actor, child = pair
    if actor is child:
        raise RuntimeError("cannot join current thread")
    control = actor.control
    number = control.execution.threads[child.number]
    if timeout is None:
        control.step(actor, control.about("thread.join", number, child.number))
    else:
        control.see_ends()
        if not control.step(actor, control.about("thread.join_timed", number, child.number)):
            control.pass_time(actor, timeout)
    if child.done:
        actor.clock = max(actor.clock, child.clock)


def _is_alive(thread: Thread) -> bool:
    pair = _child(thread)
    if pair is None:
        return bool(_real["is_alive"](thread))
    actor, child = pair
    actor.control.see_ends()
    number = actor.control.execution.threads[child.number]
    return bool(actor.control.step(actor, Operation("thread.alive", (number,))))


THREAD_OPERATIONS: frozenset[Any] = frozenset({_join, _is_alive, _count})
"""What stands in for methods of Thread and runs nobody else's code."""
START = _start
"""What stands in for `Thread.start`."""


# -- looks without a lock ---------------------------------------------------------------------------------------------


def _look(lock: Any) -> None:
    """A read of everything that `lock` guards."""
    actor = current()
    if actor is not None and isinstance(lock, ExploredLock):
        lock.locked()


def _is_set(event: threading.Event) -> bool:
    _look(event._cond._lock)  # type: ignore[attr-defined]  # CPython's own field
    return bool(event._flag)  # type: ignore[attr-defined]


_ASKED = "_hocket_is_set"
_FORWARDING = compile(f"def is_set(self):\n    return {_ASKED}(self)\n", __file__, "exec").co_consts[0]


def _forward_is_set(undo: ExitStack) -> None:
    """Let `Event.is_set` itself ask us: somebody may have fetched it, bound to an event, long before.

    Of all methods that are replaced it alone does nothing that would be a step by itself.
    """
    method, namespace = threading.Event.is_set, vars(threading)
    if _ASKED not in namespace:
        namespace[_ASKED] = _is_set
        undo.callback(namespace.pop, _ASKED)
    undo.callback(setattr, method, "__code__", method.__code__)
    method.__code__ = _FORWARDING


def _looking(name: str) -> property:
    plain = threading.Barrier.__dict__[name]

    def get(barrier: threading.Barrier) -> Any:
        _look(barrier._cond._lock)  # type: ignore[attr-defined]  # CPython's own field
        return plain.__get__(barrier)

    return property(get)


def _wait(condition: threading.Condition, timeout: float | None = None) -> bool:
    """A wait that may end for no reason is one with an endless time limit, of whose end the caller is told nothing.

    Whether it may is a choice of its own: an actor that could always wake up would hide that nobody notifies it.
    """
    actor = current()
    if actor is not None and actor.whims and actor.control.step(actor, Operation("choose", (), 2)):
        actor.whims -= 1
        _real["wait"](condition, threading.TIMEOUT_MAX)
        return True
    return bool(_real["wait"](condition, timeout))


def _enter(condition: threading.Condition) -> Any:
    """A lock that was held when the exploration began is still the real one: nobody sees who waits for it."""
    actor = current()
    real = type(condition._lock) in LOCKS  # type: ignore[attr-defined]  # CPython's own field
    if real and actor is not None and actor.control.observer is not None:
        actor.control.observer.met_real_lock()
    return _real["enter"](condition)


def _notify(condition: threading.Condition, n: int = 1) -> None:
    actor = current()
    if actor is not None and not condition._waiters:  # type: ignore[attr-defined]  # CPython's own field
        place = place_of(sys._getframe(1)) if actor.control.places is not None else None
        actor.control.early[id(condition)] = (actor.number, len(actor.control.execution.events), place)
    _real["notify"](condition, n)


_METHODS: list[tuple[type, str, Any]] = [
    (Thread, "start", _start),
    (Thread, "join", _join),
    (Thread, "is_alive", _is_alive),
    (Thread, "ident", property(_ident)),
    (threading.Condition, "notify", _notify),
    (threading.Condition, "wait", _wait),
    (threading.Condition, "__enter__", _enter),
    (threading.Barrier, "n_waiting", _looking("n_waiting")),
    (threading.Barrier, "broken", _looking("broken")),
    *chance.METHODS,
]

_REPLACED: list[tuple[Any, Any]] = [
    (_thread.allocate_lock, ExploredLock),
    (threading.Lock, ExploredLock),
    (_thread.RLock, ExploredRLock),
    (_queue.SimpleQueue, ExploredSimpleQueue),
    (_thread.start_new_thread, _spawn),
    (_thread.get_ident, _explored_ident),
    (_thread._count, _count),
    (time.sleep, _virtual_sleep),
    (time.monotonic, _clock(time.monotonic, 0.0)),
    (time.perf_counter, _clock(time.perf_counter, 0.0)),
    (time.time, _clock(time.time, _EPOCH)),
    (time.monotonic_ns, _clock(time.monotonic_ns, 0.0, 10**9)),
    (time.perf_counter_ns, _clock(time.perf_counter_ns, 0.0, 10**9)),
    (time.time_ns, _clock(time.time_ns, _EPOCH, 10**9)),
    *((getattr(time, name), _clock_of(getattr(time, name), unit))
      for name, unit in (("clock_gettime", 0), ("clock_gettime_ns", 10**9)) if hasattr(time, name)),
    *((function, _or_ours(function)) for function in [getattr(logging, "_is_internal_frame", None)] if function),
    *chance.REPLACED,
    *refused.REPLACED,
    *files.REPLACED,
]
_NAMES: dict[int, Any] = {id(original): replacement for original, replacement in _REPLACED}
_BINDINGS = Bindings(_NAMES)
_STAND_INS = [pair for pair in _REPLACED if pair[0] is not _start_new_thread]


# -- the books of threading, kept per execution -----------------------------------------------------------------------


def begin_books(main: Thread) -> Callable[[Control], None]:
    """What an execution starts with: main is known to threading, and threads are numbered from 1."""

    before = _as_programs_find_it()

    def begin(control: Control) -> None:
        set_all(before)
        control.session.hook = threading.excepthook
        threading._active[1] = main  # type: ignore[attr-defined]  # CPython's own field
        threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]  # CPython's own field
        pools = sys.modules.get("concurrent.futures.thread")
        if pools is not None:
            pools.ThreadPoolExecutor._counter = itertools.count().__next__

    return begin


def end_books(control: Control) -> None:
    """Threads that ended in an unusual way are forgotten."""
    end_loops(control)
    close_books(control)


def end_loops(control: Control) -> None:
    """What rooms above this one have to close."""
    for act in AT_END:
        act(control)


def close_books(control: Control) -> None:
    """No thread of this execution is known to `threading` any more, whether or not it will ever end."""
    active: dict[int, Thread] = threading._active  # type: ignore[attr-defined]  # CPython's own field
    for actor in control.actors.values():
        thread = active.pop(ident_of(actor), None)
        if thread is None and actor.voice is None:
            thread = actor.thread  # which never began
        if thread is not None and actor.number:
            mark_stopped(thread)


