"""Strategies for programs that are too large to exhaust: each execution is drawn, none is a proof.

`RandomWalk` picks among the options. `Pct` runs whoever has the highest of random
priorities and lowers the running actor's at d-1 random steps: a bug that needs d
ordering constraints is hit with probability at least 1 / (n·k^(d-1)) for n actors
and k steps. `Pos` gives every pending operation a random priority and draws again
for those that conflict with what was done. `Urw` picks actors in proportion to
what they have still to do, as learned from the executions before: without
blocking every interleaving is equally likely. `Portfolio` rotates them, because
each is blind to something that another sees.

Execution number i of a seed is the same whatever came before it, except that Pct
and Urw learn from earlier ones how long executions are.

Source: Burckhardt et al., ASPLOS 2010 (PCT); Yuan et al., CAV 2018 (POS); Zhao et al., ASPLOS 2025 (URW, SURW); Good,
Biometrika 1953 (unseen mass).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from random import Random

from hocket.explore.execution import Choice, Execution
from hocket.explore.footprint import Footprints, conflict
from hocket.trace.operation import Actor

__all__ = ["Coverage", "Pct", "Portfolio", "Pos", "RandomWalk", "Urw"]


class RandomWalk:
    """At each step any actor that can go on, with equal probability. At most `executions` are drawn."""

    exhaustive = False
    fixed = 0

    def __init__(self, executions: int = 1000, seed: int = 0) -> None:
        self.left, self.seed, self.number = executions, seed, 0
        self.rng = Random(seed)

    def begin(self) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        self.number += 1
        self.rng = Random(f"{self.seed} {self.number}")
        self.prepare()
        return True

    def choose(self, execution: Execution) -> Choice | None:
        ways: dict[Actor, list[int]] = {}
        for actor, way in execution.options():
            ways.setdefault(actor, []).append(way)
        if not ways:
            return None
        actor = self.pick(execution, list(ways)) if len(ways) > 1 else next(iter(ways))
        self.picked(execution, actor)
        return actor, self.rng.choice(ways[actor]) if len(ways[actor]) > 1 else ways[actor][0]

    def ended(self, execution: Execution) -> None: ...

    # -- what the others change

    def prepare(self) -> None:
        """An execution begins."""

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        """Which of at least two actors goes on."""
        return self.rng.choice(actors)

    def picked(self, execution: Execution, actor: Actor) -> None:
        """This one goes on."""


class Pct(RandomWalk):
    """Probabilistic concurrency testing, for bugs of a depth: the number of ordering constraints they need."""

    def __init__(self, executions: int = 1000, seed: int = 0, depth: int = 3) -> None:
        super().__init__(executions, seed)
        self.depth = depth
        self.longest = 1  # steps with a choice, in the longest execution so far
        self.steps = 0
        self.priorities: dict[Actor, float] = {}
        self.changes: list[int] = []

    def prepare(self) -> None:
        self.longest = max(self.longest, self.steps)
        self.steps, self.priorities = 0, {}
        self.changes = sorted(self.rng.randint(1, self.longest) for _ in range(self.depth - 1))

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        self.steps += 1
        for actor in actors:
            if actor not in self.priorities:
                self.priorities[actor] = self.depth + self.rng.random()
        while self.changes and self.changes[0] <= self.steps:
            self.changes.pop(0)
            self.priorities[self._highest(actors)] = len(self.changes) + 1  # below all that was not lowered
        return self._highest(actors)

    def _highest(self, actors: list[Actor]) -> Actor:
        return max(actors, key=lambda actor: self.priorities[actor])


class Pos(RandomWalk):
    """Partial-order sampling: a random priority for each operation, drawn again when something conflicting happens."""

    def __init__(self, executions: int = 1000, seed: int = 0) -> None:
        super().__init__(executions, seed)
        self.footprints = Footprints()
        self.priorities: dict[Actor, float] = {}

    def prepare(self) -> None:
        self.priorities = {}

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        for actor in actors:
            if actor not in self.priorities:
                self.priorities[actor] = self.rng.random()
        return max(actors, key=lambda actor: self.priorities[actor])

    def picked(self, execution: Execution, actor: Actor) -> None:
        done = execution.pending[actor]
        assert done is not None
        footprint = self.footprints.of(done, 0)
        for other, operation in enumerate(execution.pending):
            if operation is not None and (
                    other == actor or conflict(footprint, self.footprints.of(operation, 0))):
                self.priorities.pop(other, None)


class Urw(RandomWalk):
    """Uniform random walk: an actor with twice as much left to do is twice as likely to go on."""

    def __init__(self, executions: int = 1000, seed: int = 0) -> None:
        super().__init__(executions, seed)
        self.totals: Counter[Actor] = Counter()  # events of each actor over all executions
        self.done: Counter[Actor] = Counter()

    def prepare(self) -> None:
        self.done = Counter()

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        runs = max(1, self.number - 1)
        left = [max(0.5, self.totals[actor] / runs - self.done[actor]) for actor in actors]
        return self.rng.choices(actors, left)[0]

    def picked(self, execution: Execution, actor: Actor) -> None:
        self.done[actor] += 1

    def ended(self, execution: Execution) -> None:
        self.totals.update(self.done)


class Portfolio:
    """Random walk, PCT, POS and URW in turn, one execution each."""

    exhaustive = False
    fixed = 0

    def __init__(self, executions: int = 1000, seed: int = 0) -> None:
        each = -(-executions // 4)
        self.left = executions
        self.members: list[RandomWalk] = [kind(each, seed) for kind in (RandomWalk, Pct, Pos, Urw)]
        self.turn = -1

    def begin(self) -> bool:
        if self.left <= 0:
            return False
        self.left -= 1
        self.turn = (self.turn + 1) % len(self.members)
        return self.members[self.turn].begin()

    def choose(self, execution: Execution) -> Choice | None:
        return self.members[self.turn].choose(execution)

    def ended(self, execution: Execution) -> None:
        self.members[self.turn].ended(execution)


class Coverage:
    """How much a sample has seen: distinct classes, and the probability that the next execution shows a new one."""

    def __init__(self, key: Callable[[Execution], Hashable]) -> None:
        self.key, self.seen = key, Counter[Hashable]()

    def see(self, execution: Execution) -> None:
        """Count an execution that has ended; give it to a host as `watch`."""
        self.seen[self.key(execution)] += 1

    @property
    def distinct(self) -> int:
        """Classes seen: a lower bound of how many there are."""
        return len(self.seen)

    @property
    def unseen(self) -> float:
        """Good and Turing's estimate of the probability of a new class: the share of those that were seen once."""
        runs = self.seen.total()
        return sum(count == 1 for count in self.seen.values()) / runs if runs else 1.0
