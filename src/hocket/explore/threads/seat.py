"""All voices of an exploration sit on one CPU, because they take turns anyway.

Only one of them runs at a time. Spread over CPUs, each hand-over wakes a sleeping one and
moves the interpreter's data there, which costs more than most steps of an exploration; on
one CPU it is a switch of context. The CPU is the one on which the caller waits, which it
leaves free by waiting. If others want it too, the voices may run anywhere again, as the
system finds room for them. Where it has no such call, they run where they run.

Nor does a voice that is woken push aside the one that woke it, which still holds the interpreter:
it would find that out, go back to sleep, and have cost two switches more. Linux spares threads of
the policy "batch" that; they get as much time as others.

What the program sees of it: `os.sched_getaffinity(0)` is one CPU, and `os.sched_getscheduler(0)` is
`SCHED_BATCH`, which processes and threads that it starts do not inherit. Refused: pinning the
whole process, and for longer than an exploration needs it; a voice moves when it is used.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

__all__ = ["Seat", "wait_politely"]

_ENOUGH = 0.75  # of the time is what an exploration gets that has a CPU for itself
_monotonic, _process_time = time.monotonic, time.process_time


def _getter() -> Callable[[], int] | None:
    """What tells the CPU on which the calling thread runs; None where threads cannot be seated."""
    try:
        getter: Any = ctypes.CDLL(None).sched_getcpu if hasattr(os, "sched_setaffinity") else None
    except (AttributeError, OSError, TypeError):
        return None
    return getter if getter is not None and getter() >= 0 else None


_cpu_of_caller = _getter()


def wait_politely() -> None:
    """From now on the calling thread, when it is woken, waits until there is room for it; nothing where that is new."""
    if sys.platform == "linux":
        with suppress(OSError):
            if os.sched_getscheduler(0) == os.SCHED_OTHER:
                os.sched_setscheduler(0, os.SCHED_BATCH | os.SCHED_RESET_ON_FORK, os.sched_param(0))


class Seat:
    """The CPU of one exploration; -1: wherever the caller may run."""

    __slots__ = ("_cpu_time", "_everywhere", "_wall", "cpu")

    def __init__(self) -> None:
        self.cpu = _cpu_of_caller() if _cpu_of_caller is not None else -1
        self._everywhere = os.sched_getaffinity(0) if _cpu_of_caller is not None else set()
        self._wall, self._cpu_time = _monotonic(), _process_time()

    def sit(self) -> int:
        """Move the calling thread there; answers the CPU, also if that is not allowed."""
        if self._everywhere:
            try:
                os.sched_setaffinity(0, (self.cpu,) if self.cpu >= 0 else self._everywhere)
            except OSError:  # not one of those that this process may use now
                self.cpu = -1
        return self.cpu

    def look(self) -> None:
        """Called by the waiting caller now and then: leave the CPU if there is no room on it."""
        wall, used = _monotonic(), _process_time()
        share = (used - self._cpu_time) / max(wall - self._wall, 1e-9)
        self._wall, self._cpu_time = wall, used
        if share < _ENOUGH:
            self.cpu = -1
