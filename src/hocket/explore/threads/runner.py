"""Runs a strategy to its end on a borrowed thread, while the caller waits, watches the clock, and can be interrupted.

All executions run on one voice of the pool, so the caller's thread never holds
a baton: a Ctrl-C, a pytest-timeout or a debugger meets it waiting, and the
program under exploration is never torn in the middle of its own code by
something that is not part of it. The caller looks in every tenth of a second:
for limits, for progress to print, and for an actor that blocks for real (in C, on
input), which no explorer can resolve and which is therefore named, with its stack.
"""

from __future__ import annotations

import contextvars
import ctypes
import gc
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from hocket.errors import Refused
from hocket.explore.strategy import Strategy
from hocket.explore.threads import locals as thread_locals
from hocket.explore.threads import patch
from hocket.explore.threads.control import ACTORS, Control, End, Session, Unwind, current
from hocket.explore.threads.interrupts import held_back
from hocket.explore.threads.looking import is_debugging
from hocket.explore.threads.naming import is_machinery
from hocket.explore.threads.pool import POOL, Voice, _allocate_lock

__all__ = ["Runner", "Stuck"]

_LOOK = 0.1  # seconds between two looks of the caller
_BLOCKED = 1.0  # seconds without a step and without CPU: the actor blocks for real
_BUSY = 10.0  # seconds without a step but with CPU: it computes, and may never end
_COMPUTES = ("wait for other threads by something that can be seen: an Event, a Condition, Atomic.wait_until; and give "
             "a long computation less to do")
_WAITS = ("nobody else runs while it waits for the world outside: put a function of the test in its place, or a "
          "queue.Queue that the test fills")
_GARBAGE = 2_000  # new container objects between two collections
_one_at_a_time = _allocate_lock()
_HANDING_OVER = [getattr(waits, "__code__", None) for waits in (Control._wait, Voice._sing)]
_monotonic, _open = time.monotonic, open  # the real ones: patches are undone by name, not by value


@dataclass(slots=True)
class Stuck:
    """An actor that makes no step: `busy` if it computes, else it blocks outside of the explorer's control."""

    actor: str
    place: str
    stack: str
    busy: bool

    @property
    def hint(self) -> str:
        """What its author can do about it."""
        return _COMPUTES if self.busy else _WAITS


class Runner:
    """Runs executions of one body; one runner at a time in a process, because names of modules are replaced."""

    def __init__(self, body: Callable[[], Any], session: Session) -> None:
        self.body = body
        self.session = session
        self.stuck: Stuck | None = None
        self.executions = 0
        self._context = contextvars.copy_context()
        self._error: BaseException | None = None
        self._over = False
        self._mark = (-1, -1)  # executions and steps at the last look
        self._since = 0.0
        self._cpu = 0.0

    def run(self, strategy: Strategy, judge: Callable[[Control], bool], *, places: bool = False,
            look: Callable[[], None] | None = None) -> None:
        """Execute until the strategy is done, `judge` answers False, or the session is stopped.

        `judge` sees each execution after its end. `look` is called every now and then by the waiting caller.
        Raises what the strategy raised, and KeyboardInterrupt once everything is in order again.
        """
        if current() is not None:
            raise Refused("explore", "called", "running inside an exploration", "one exploration at a time",
                          "an explored body cannot explore")
        if not _one_at_a_time.acquire(timeout=60):
            raise Refused("explore", "called", "waiting for another thread's exploration", "one exploration at a time")
        try:
            with held_back(self._interrupt):
                self._run(strategy, judge, places, look)
        except KeyboardInterrupt as error:
            error.add_note(f"hocket: interrupted after {self.executions} executions")
            raise
        finally:
            _one_at_a_time.release()
        if self._error is not None:
            raise self._error

    def _interrupt(self) -> None:
        self.session.stop = "interrupted"

    def _run(self, strategy: Strategy, judge: Callable[[Control], bool], places: bool,
             look: Callable[[], None] | None) -> None:
        extra = getattr(self.body, "__globals__", None)
        self.session.on_begin = patch.begin_books(threading.current_thread())
        self.session.on_end = patch.end_books
        observer = self.session.observer
        watching = observer.watching() if observer is not None else nullcontext()
        tracker = self.session.tracker
        tracking: AbstractContextManager[None] = nullcontext()
        if tracker is not None:
            tracking = tracker.active()
            self.session.on_begin = _both(self.session.on_begin, tracker.begin)
            self.session.on_end = _both(tracker.end, self.session.on_end)
        modules = tracker.modules if tracker is not None else ()
        controlled = patch.controlled((extra,) if extra is not None else (), (self.body, extra), modules)
        with controlled as leftovers, tracking, watching:
            self.session.on_begin = _both(lambda control: leftovers.put_back(), self.session.on_begin)
            self._wait_for(strategy, judge, places, look)

    # -- the borrowed thread ------------------------------------------------------------------------------------------

    def _wait_for(self, strategy: Strategy, judge: Callable[[Control], bool], places: bool,
                  look: Callable[[], None] | None) -> None:
        done = _allocate_lock()
        done.acquire()
        self._over = False

        def over() -> None:
            self._over = True
            if done.locked():
                done.release()

        self.session.give_up = over
        voice = POOL.take()

        def task() -> None:
            try:
                self._all_executions(strategy, judge, places, voice)
            except BaseException as error:
                self._error = error
            POOL.give(voice)
            over()

        collecting = gc.isenabled()
        gc.disable()  # finalisers at odd moments would make executions differ
        try:
            voice.run(task)
            self._watch(done, look)
        finally:
            if collecting:
                gc.enable()
            self.session.control = None
        POOL.settle()  # so that who is done with the exploration is done with all that it held

    def _all_executions(self, strategy: Strategy, judge: Callable[[Control], bool], places: bool, voice: Any) -> None:
        session = self.session
        thread_locals.find_all()
        while not self._stopped() and strategy.begin():
            control = Control(session, strategy, places=places)
            control.run(partial(self._context.copy().run, self.body), voice)
            if self._stopped():  # cut short, perhaps on the way to what is new: of no account
                return
            self.executions += 1
            if control.end != End.DIVERGED and len(control.execution.events) >= strategy.fixed:
                strategy.ended(control.execution)  # else it is no execution of what was planned
            if not judge(control):
                return
            control.forget()
            del control
            if gc.get_count()[0] > _GARBAGE:
                gc.collect(1)

    def _stopped(self) -> bool:
        """Whether the exploration is to end now; that can be said from any thread, at any time."""
        return bool(self.session.stop)

    # -- the waiting caller -------------------------------------------------------------------------------------------

    def _watch(self, done: Any, look: Callable[[], None] | None) -> None:
        interrupted: KeyboardInterrupt | None = None
        while True:
            try:
                if done.acquire(timeout=_LOOK) or self._over:  # an interrupt may come between the acquire and us
                    break
                if look is not None:
                    look()
                self.session.seat.look()
                if self._is_stuck():
                    break
            except KeyboardInterrupt as error:  # a second one, or the caller's own `look` raised it
                interrupted = error
                self._interrupt()
            except BaseException:  # a time-out plugin, an exit: leave things in order, then let it through
                self.session.stop = "stopped"
                done.acquire(timeout=5)
                raise
        if interrupted is not None:
            raise interrupted

    def _is_stuck(self) -> bool:
        control = self.session.control
        mark = (self.executions, len(control.execution.events) if control is not None else 0)
        now = _monotonic()
        if mark != self._mark or control is None:
            self._mark, self._since, self._cpu = mark, now, self._cpu_time(control)
            return False
        quiet = now - self._since
        if quiet < _BLOCKED:
            return False
        busy = self._cpu_time(control) - self._cpu > 0.05 * quiet
        if (busy or _is_to_run(control)) and quiet < _BUSY:
            return False
        return self._report(control, busy)

    def _cpu_time(self, control: Control | None) -> float:
        ident = _ident_of_running(control)
        if ident is None or not hasattr(time, "pthread_getcpuclockid"):
            return _monotonic()  # as if busy: better patient than wrong
        return time.clock_gettime(time.pthread_getcpuclockid(ident))

    def _report(self, control: Control, busy: bool) -> bool:
        ident = _ident_of_running(control)
        frame = sys._current_frames().get(ident) if ident is not None else None
        actor = ACTORS.get(ident) if ident is not None else None
        if ident is None or frame is None or actor is None or is_debugging(frame):
            return False
        whole = traceback.extract_stack(frame)
        stack = [entry for entry in whole if not is_machinery(entry.filename)] or whole  # a pool runs C code for it
        place = f"{stack[-1].filename}:{stack[-1].lineno} in {stack[-1].name}"
        self.stuck = Stuck(actor.name, place, "".join(traceback.format_list(stack)), busy)
        self.session.stop = "stuck"
        self._leave(control)
        if busy:  # Python code can be left by an exception from outside
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(Unwind))
        return True

    def _leave(self, control: Control) -> None:
        """Set right now what belongs to the process: who is stuck may come back when others explore, or never."""
        patch.close_books(control)
        self.session.on_end = patch.end_loops


def _both(first: Callable[[Control], None], second: Callable[[Control], None]) -> Callable[[Control], None]:
    def act(control: Control) -> None:
        first(control)
        second(control)

    return act


def _voice_of_running(control: Control | None) -> Voice | None:
    actor = control.running if control is not None else None
    return actor.voice if actor is not None else None


def _ident_of_running(control: Control | None) -> int | None:
    voice = _voice_of_running(control)
    return voice.ident or None if voice is not None else None  # 0: its OS thread does not run yet


def _is_to_run(control: Control) -> bool:
    """Whether who is chosen would go on if the system gave it a CPU, or has not woken up yet; on a busy machine.

    In the kernel's words a thread that blocks is asleep, and one that waits for its turn is running.
    """
    voice = _voice_of_running(control)
    if voice is None:
        return False
    frame = sys._current_frames().get(voice.ident)
    if frame is None or frame.f_code in _HANDING_OVER:
        return True
    with suppress(OSError), _open(f"/proc/self/task/{voice.native}/stat") as told:
        return told.read().rpartition(")")[2].startswith(" R")
    return False
