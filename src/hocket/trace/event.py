"""An operation that was performed: by whom, which of its alternatives, with what result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from hocket.trace.operation import Actor, Operation

__all__ = ["Event"]


class Event(NamedTuple):
    """One step of an execution. `reads_only`: it turned out to change nothing, e.g. a compare-exchange that failed."""

    actor: Actor
    operation: Operation
    alternative: int = 0
    result: Any = None
    reads_only: bool = False

    def told(self, actors: Sequence[str] = (), objects: Sequence[str] = ()) -> str:
        """The event for people: `t1: counter.load → 0`."""
        who = actors[self.actor] if self.actor < len(actors) else f"actor {self.actor}"
        gave = "" if self.result is None else f" → {self.result!r}"
        return f"{who}: {self.operation.told(objects)}{gave}"

    def __str__(self) -> str:
        return self.told()
