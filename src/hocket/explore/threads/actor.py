"""A thread of the program under exploration, and how it is found.

The actors are found by the identity of their OS thread in `ACTORS`, the one
place where stand-in primitives must find their controller. Threads that are no
actors are not found there and get the real thing (see strangers.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hocket.explore.threads.naming import Place
from hocket.explore.threads.pool import Voice, _get_ident
from hocket.explore.threads.strangers import ByThread

if TYPE_CHECKING:
    from hocket.explore.threads.control import Control

__all__ = ["ACTORS", "Actor", "Unwind", "current"]


class Unwind(BaseException):
    """Leaves an actor that is no longer needed; not for catching."""


class Actor:
    """A thread of the program under exploration."""

    __slots__ = ("asks", "chance", "clock", "control", "daemon", "done", "number", "place", "rebound", "result", "task",
                 "thread", "unwound", "voice", "whims")

    def __init__(self, control: Control, number: int, task: Callable[[], Any], daemon: bool = False) -> None:
        self.control = control
        self.number = number
        self.task = task
        self.daemon = daemon
        self.voice: Voice | None = None  # none before its first step
        self.result: Any = None  # of the operation that was performed for it
        self.done = False
        self.clock = 0.0  # virtual seconds
        self.chance: Any = None  # what it draws from, once it has (see chance.py)
        self.unwound = 0
        self.whims = control.session.spurious  # how often it may still wake up for no reason
        self.thread: Any = None  # its threading.Thread, if it has one
        self.asks = 0  # how often it has looked at a clock, or at files
        self.rebound = 0  # how often it has assigned a captured variable that nobody else reaches
        self.place: Place | None = None  # file and line of the pending operation, if places are recorded

    @property
    def name(self) -> str:
        return self.control.execution.cast.actors[self.number]


ACTORS: ByThread[Actor] = ByThread()


def current() -> Actor | None:
    """The actor that calls; None for a thread that is not explored."""
    return ACTORS.get(_get_ident())
