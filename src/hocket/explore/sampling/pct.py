"""PCT: whoever has the highest of random priorities runs, and at d-1 random steps whoever runs falls behind all others.

A bug has depth d if d orderings between steps suffice to bring it about: 1 for
"this before that", 2 for a lost update or a deadlock of two locks. With n actors
and k steps each execution hits a bug of depth d with probability at least
1/(n·k^(d-1)): the right actor starts last (1/n), and each of d-1 changes falls on
the right step (1/k each).

k counts the steps at which several actors could go on, for a change where only one can changes nothing that a change
at its next step with rivals would not. k is not known before it was seen: it is the most of any execution so
far, so the promise holds of the executions after the longest, or of all if `steps` is given.
The change that was drawn i-th lowers to priority i, in whatever order they come: sorting them would make bugs that
need the other order impossible. Behind `fair_after` steps the walk is plainly random, because under fixed priorities
an actor that polls would keep out the one that it waits for.

Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding
Bugs" (ASPLOS 2010).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hocket.errors import Refused
from hocket.explore.execution import Execution
from hocket.explore.sampling.walk import RandomWalk
from hocket.trace.operation import Actor

__all__ = ["Pct"]


class Pct(RandomWalk):
    """Probabilistic concurrency testing for bugs of up to `depth`; `steps` is k, if it is known."""

    name = "pct"

    def __init__(self, executions: int | None = 1000, seed: int = 0, depth: int = 3, *, steps: int | None = None,
                 fair_after: int = 1_000, random: Callable[[str], Random] = Random) -> None:
        super().__init__(executions, seed, random=random)
        if depth < 1:
            raise Refused("depth", f"set to {depth}", "no depth of a bug", "1 or more")
        self.depth, self.fair_after = depth, fair_after
        self.actors = 1  # n
        self.longest = steps or 1  # k
        self.ranks: list[Actor] = []  # those that were not lowered, from the lowest priority to the highest
        self.lowered: dict[Actor, int] = {}  # the others, all below these
        self.changes: dict[int, list[int]] = {}  # step -> the priorities that it brings

    def prepare(self) -> None:
        self.ranks, self.lowered, self.changes = [], {}, {}
        last = min(self.longest, self.fair_after)
        for priority in range(1, self.depth):
            self.changes.setdefault(self.rng.randint(1, last), []).append(priority)

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        if self.choices > self.fair_after:
            return self.rng.choice(actors)
        for actor in actors:
            if actor not in self.lowered and actor not in self.ranks:
                self.ranks.insert(self.rng.randint(0, len(self.ranks)), actor)
        for priority in self.changes.get(self.choices, ()):
            self._lower(self._highest(actors), priority)
        return self._highest(actors)

    def _highest(self, actors: list[Actor]) -> Actor:
        unchanged = [actor for actor in actors if actor not in self.lowered]
        return max(unchanged, key=self.ranks.index) if unchanged else max(actors, key=self.lowered.__getitem__)

    def _lower(self, actor: Actor, priority: int) -> None:
        if actor in self.ranks:
            self.ranks.remove(actor)
        self.lowered[actor] = priority

    def learn(self, execution: Execution, choices: int) -> None:
        self.longest = max(self.longest, choices)
        moved = {event.actor for event in execution.events}
        self.actors = max(self.actors, len(moved.union(execution.blocked())))

    @property
    def probability(self) -> float:
        """The least probability with which one execution hits a bug of this depth, by what was seen of n and k; 0.0 if
        executions go on behind `fair_after`."""
        if self.longest > self.fair_after:
            return 0.0
        return float(1 / (self.actors * self.longest ** (self.depth - 1)))

    def promise(self) -> str:
        if not self.probability:
            return f"PCT promises nothing: executions have {self.longest:,} choices, more than {self.fair_after:,}"
        missed = (1 - self.probability) ** self.number
        return (f"PCT: with {self.actors} actors and {self.longest} choices, each execution hits a bug of depth "
                f"{self.depth} with probability at least 1/({self.actors}·{self.longest}^{self.depth - 1}) = "
                f"{self.probability:.2g}; such a bug escapes all {self.number:,} with at most {missed:.2g}")
