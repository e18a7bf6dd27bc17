"""A predicate that an actor waits for, as the engine may ask it: at any time, on any thread, and about values only.

An explorer asks it to know who may go on, and again to turn races round. So it must be
a function of the value. What it does besides is looked for: a visible operation within
it is refused; and once the actor goes on, it is asked once more in the actor's own code,
where the watch over shared data sees what it touches, and must still hold.

Refused: reading several objects in one predicate, which would make each of their
writes an operation on all; put what belongs together into one value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from hocket.errors import Refused
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.pool import _get_ident
from hocket.trace.operation import Operation

__all__ = ["Asked"]


class _Silent:
    """Stands in for the actor while a predicate is asked: nothing may be done in its name."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # Python's own questions, such as those of a documentation tool
            raise AttributeError(name)
        raise Refused("predicate", "asked", "using something shared, or the time", "a function of the value alone",
                      "load what it needs before, or keep it in the one value")


_SILENT: Any = _Silent()


class Asked:
    """A predicate on values that keeps to itself; after a step, `refused` says if it did not."""

    __slots__ = ("__name__", "_holds", "refused")

    def __init__(self, holds: Callable[[Any], Any]) -> None:
        if not callable(holds):
            raise Refused("predicate", f"given as {holds!r}", "nothing that can be called", "a function of the value")
        self._holds = holds
        self.__name__ = getattr(holds, "__name__", type(holds).__name__)
        self.refused: Refused | None = None

    def __call__(self, value: Any) -> Any:
        ident = _get_ident()
        actor = ACTORS.get(ident)
        ACTORS[ident] = _SILENT
        try:
            return self._holds(value)
        except Refused as error:
            self.refused = self.refused or error
            raise
        finally:
            if actor is None:
                del ACTORS[ident]
            else:
                ACTORS[ident] = actor

    def step(self, actor: Actor, kind: str, number: int) -> Any:
        """Wait, as one operation of `actor`; returns what that answers."""
        control = actor.control
        try:
            found = control.step(actor, Operation(kind, (number,), self))
        except RuntimeError:
            if self.refused is not None:
                raise self.refused from None
            raise
        value = control.execution.before[-1]
        if not self(value):
            raise Refused("predicate", f"asked twice about {value!r}", "false the second time",
                          "a function of the value alone")
        return found
