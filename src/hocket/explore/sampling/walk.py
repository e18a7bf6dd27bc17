"""A sampler draws its executions one by one: what all of them share, and the plainest of them, the random walk.

A sampler is a strategy that leaves things out and says so: `exhaustive` is False,
`begin` goes on until its executions are drawn, and everything random comes from
the seed. Each execution has a source of its own, made of the seed and its
number, so that the second is not another one because the first was longer.
What a sampler learns (how long executions are, what is shared in them) it learns
in `learn`, from its own executions or from those of its peers in a portfolio.

Where only one actor can go on nothing is drawn. Alternatives of an operation
(time-outs, data choices) are drawn evenly by all samplers: the algorithms speak
of actors only.

Refused: the module `random`'s own generator, which the program under exploration may use as well.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hocket.explore.execution import Choice, Execution
from hocket.trace.operation import Actor

__all__ = ["RandomWalk"]


class RandomWalk:
    """At each step any actor that can go on, with equal probability; at most `executions` are drawn, None: no end.

    `random` makes the source of one execution from a text.
    """

    exhaustive = False
    fixed = 0
    name = "random"

    def __init__(self, executions: int | None = 1000, seed: int = 0, *,
                 random: Callable[[str], Random] = Random) -> None:
        self.executions, self.seed, self.random = executions, seed, random
        self.number = 0  # of the present execution, from 1
        self.choices = 0  # steps of the present execution at which several actors could go on
        self.rng = random(str(seed))

    # -- the three methods

    def begin(self) -> bool:
        if self.executions is not None and self.number >= self.executions:
            return False
        self.number += 1
        self.choices = 0
        self.rng = self.random(f"{self.seed} {self.number}")
        self.prepare()
        return True

    def choose(self, execution: Execution) -> Choice | None:
        ways: dict[Actor, list[int]] = {}
        for actor, way in execution.options():
            ways.setdefault(actor, []).append(way)
        if not ways:
            return None
        actor = self._one_of(execution, list(ways)) if len(ways) > 1 else next(iter(ways))
        self.picked(execution, actor)
        return actor, self.rng.choice(ways[actor]) if len(ways[actor]) > 1 else ways[actor][0]

    def ended(self, execution: Execution) -> None:
        self.learn(execution, self.choices)

    def _one_of(self, execution: Execution, actors: list[Actor]) -> Actor:
        self.choices += 1
        return self.pick(execution, actors)

    # -- what the others change

    def prepare(self) -> None:
        """An execution begins."""

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        """Which of at least two actors goes on."""
        return self.rng.choice(actors)

    def picked(self, execution: Execution, actor: Actor) -> None:
        """This one goes on; its operation is still pending."""

    def learn(self, execution: Execution, choices: int) -> None:
        """An execution has ended that had so many steps with a choice; it may be a peer's."""

    def promise(self) -> str:
        """What is guaranteed of the executions so far, in words; empty if nothing is."""
        return ""
