"""The executions of real threads: nothing is taken back, because a thread cannot be; the next one starts anew."""

from __future__ import annotations

from typing import Any

from hocket.explore.execution import Execution
from hocket.trace.operation import Actor

__all__ = ["Once"]


class Once(Execution):
    """An execution without the account that `rewind` needs."""

    __slots__ = ()

    def set(self, where: dict[Any, Any], key: Any, value: Any) -> None:
        where[key] = value

    def drop(self, where: dict[Any, Any], key: Any) -> None:
        del where[key]

    def new_actor(self, creator: Actor) -> Actor:
        """As of old, in a third of the time: an actor and its thread object are always made together."""
        count = self._made.get((creator, "actor"), 0) + 1
        self._made[creator, "actor"] = self._made[creator, "thread"] = count
        actor, thread = self.cast.actor(creator, count), self.cast.object(creator, count, "thread")
        while len(self.pending) <= actor:
            self.pending.append(None)
        self.threads[actor] = thread
        self.states[thread] = self.initial[thread] = None
        return actor

    def meet(self, index: int, state: Any) -> None:
        """An object that was there before is used for the first time; whoever audits has to know how it began."""
        self.states[index] = self.initial[index] = state

    def rewind(self, length: int) -> None:
        raise AssertionError("real threads cannot go back")
