"""POS: a random priority for each pending operation, drawn again for those that conflict with what was done.

A random walk is the less likely to take two steps in a given order the more other
steps lie between them. Here the priorities of operations that conflict with
nothing stay, so the order of two conflicting operations is decided by few draws, and orders of independent ones cost
nothing. It has no parameter and learns nothing. An operation that waits for a lock keeps its priority
until somebody touches that lock.

Refused: drawing all priorities again at every step, which is the random walk.

Source: Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling" (CAV 2018).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hocket.explore.execution import Execution
from hocket.explore.footprint import Footprints, conflict
from hocket.explore.sampling.walk import RandomWalk
from hocket.trace.operation import Actor

__all__ = ["Pos"]


class Pos(RandomWalk):
    """Partial-order sampling."""

    name = "pos"

    def __init__(self, executions: int | None = 1000, seed: int = 0, *,
                 random: Callable[[str], Random] = Random) -> None:
        super().__init__(executions, seed, random=random)
        self.footprints = Footprints()
        self.priorities: dict[Actor, float] = {}  # of the operations that are pending

    def prepare(self) -> None:
        self.priorities = {}

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        for actor in actors:
            if actor not in self.priorities:
                self.priorities[actor] = self.rng.random()
        return max(actors, key=self.priorities.__getitem__)

    def picked(self, execution: Execution, actor: Actor) -> None:
        done = execution.pending[actor]
        assert done is not None, "an actor was picked that has nothing to do"
        footprint = self.footprints.of(done, 0)
        self.priorities.pop(actor, None)
        for other in list(self.priorities):
            operation = execution.pending[other]
            if operation is None or conflict(footprint, self.footprints.of(operation, 0)):
                del self.priorities[other]
