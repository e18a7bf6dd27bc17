"""OS threads that are parked between uses, because making one costs more than a whole execution.

Creating and joining a thread costs about a millisecond where a hand-over between
two living ones costs a few microseconds, so actors borrow a *voice* from this
pool and give it back. A voice waits on one raw lock, its baton: whoever releases
the baton lets it run. Refused: greenlets (thread identity, `threading.local`, C
locks, pdb and coverage would stop working) and a queue of tasks (a second lock
and a second wake-up per hand-over).
"""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Callable

from hocket.explore.threads.locals import Kept, kept_here
from hocket.explore.threads.seat import wait_politely

__all__ = ["POOL", "Pool", "Voice"]

# taken when this module is loaded, hence never the stand-ins of an exploration
_allocate_lock = _thread.allocate_lock
_start_new_thread = _thread.start_new_thread
_get_ident = _thread.get_ident
_get_native_id = _thread.get_native_id
_sleep = time.sleep

_UNTOLD = -2  # runs where the thread runs that made it
_KEPT = 64  # voices that stay parked; more are let go


class Voice:
    """One OS thread of the pool: give it a `task`, release its `baton`, and it runs the task and parks again."""

    __slots__ = ("baton", "busy", "cpu", "ident", "locals", "native", "task")

    def __init__(self) -> None:
        self.baton = _allocate_lock()  # held while the voice has to be silent
        self.baton.acquire()
        self.task: Callable[[], None] | None = None
        self.busy = False  # something of its task is still on its stack
        self.ident = self.native = 0  # as Python, and as the system numbers its thread
        self.cpu = _UNTOLD  # where it was told to run (see seat.py)
        self.locals: Kept = {}  # to be cleared by who begins: a new thread has no value in any of them
        _start_new_thread(self._sing, ())

    def _sing(self) -> None:
        wait_politely()
        self.native, self.locals = _get_native_id(), kept_here()
        self.ident = _get_ident()
        while True:
            self.baton.acquire()
            task = self.task
            if task is None:
                return
            self.task = None  # before the task can hand this voice to somebody else
            task()
            del task  # a parked voice keeps nothing of the execution alive
            self.busy = self.task is not None

    def run(self, task: Callable[[], None]) -> None:
        """Start `task` on this voice, which must be parked."""
        self.task, self.busy = task, True
        self.baton.release()

    def retire(self) -> None:
        """Let a parked voice end its OS thread."""
        self.task = None
        self.baton.release()


class Pool:
    """The parked voices of this process; only one thread at a time may take and give (the one that has the baton)."""

    def __init__(self) -> None:
        self._parked: list[Voice] = []

    def take(self) -> Voice:
        """A voice that does nothing yet."""
        return self._parked.pop() if self._parked else Voice()

    def give(self, voice: Voice) -> None:
        """Take back a voice that has ended its task, or is about to and will touch nothing any more."""
        if len(self._parked) < _KEPT:
            self._parked.append(voice)
        else:
            voice.retire()

    def settle(self) -> None:
        """Wait until nothing is left on the stacks of voices that were given back before they had quite ended."""
        while any(voice.busy for voice in self._parked):
            _sleep(0)

    def forget(self) -> None:
        """After a fork the child has none of these threads."""
        self._parked.clear()


POOL = Pool()
os.register_at_fork(after_in_child=POOL.forget)
