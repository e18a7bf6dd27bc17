"""SURW: every order of the *interesting* operations is equally likely; URW is the same with all of them interesting.

In a random walk an actor with a hundred steps is nearly always still busy when one
with two has ended, so most orders are hardly ever drawn. If the next to go on is
drawn in proportion to what each actor has still to do, all interleavings are
equally likely (Urw). Most steps are of no interest to a given bug, though: so for
each execution a few shared objects are drawn, their operations are the
interesting ones, the actor that does the next of these is drawn in proportion to
how many it has left, and the others hold back theirs meanwhile; whatever is not
interesting may happen at any time.

How many operations each actor has, and on what, is learned from the executions before: the counts are
averages, and exact where control does not depend on the order. What a child will do counts for its creator until it
is spawned; then the draw that fell on the creator is made again between the two. Where somebody who was drawn is
blocked, and nobody else may go on, the draw is made again among those who can: with blocking, nothing is uniform.

Source: Zhao, Wolff, Mathur, Roychoudhury, "Selectively Uniform Concurrency Testing" (ASPLOS 2025).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from random import Random

from hocket.explore.execution import Execution
from hocket.explore.footprint import Footprints
from hocket.explore.sampling.walk import RandomWalk
from hocket.trace.operation import Actor, Operation

__all__ = ["Surw", "Urw"]

_MOST = 20  # objects that are of interest in one execution


class Urw(RandomWalk):
    """Uniform random walk: without blocking every interleaving is equally likely."""

    name = "urw"

    def __init__(self, executions: int | None = 1000, seed: int = 0, *,
                 random: Callable[[str], Random] = Random) -> None:
        super().__init__(executions, seed, random=random)
        self.runs = 0  # executions learned from
        self.totals: Counter[tuple[Actor, tuple[int, ...]]] = Counter()  # operations by actor and objects, over all
        self.creators: dict[Actor, Actor] = {}  # of those that are spawned on the way
        self.left: dict[Actor, float] = {}  # interesting operations that each actor has still to do, by experience
        self.unborn: set[Actor] = set()
        self.drawn: Actor | None = None  # who does the next interesting operation

    def interesting(self, objects: tuple[int, ...]) -> bool:
        """Whether operations on these objects are to be ordered evenly."""
        return True

    # -- an execution

    def prepare(self) -> None:
        self.left, self.unborn, self.drawn = {}, set(self.creators), None
        for (actor, objects), total in self.totals.items():
            if self.interesting(objects):
                self.left[actor] = self.left.get(actor, 0.0) + total / self.runs

    def pick(self, execution: Execution, actors: list[Actor]) -> Actor:
        pending = execution.pending
        if self.drawn is None or pending[self.drawn] is None:
            self.drawn = self._draw(execution, execution.blocked())
        allowed = [actor for actor in actors if actor == self.drawn or not self._is_interesting(pending[actor])]
        if allowed:
            return self.rng.choice(allowed) if len(allowed) > 1 else allowed[0]
        self.drawn = self._draw(execution, actors)
        assert self.drawn is not None, "all that can go on is interesting, so somebody has a weight"
        return self.drawn

    def picked(self, execution: Execution, actor: Actor) -> None:
        operation = execution.pending[actor]
        assert operation is not None, "an actor was picked that has nothing to do"
        if operation.kind == "thread.spawn":
            self.unborn.discard(operation.argument)
            if self.drawn == actor:  # it was drawn for what its child will do, too
                self.drawn = self._draw(execution, (actor, operation.argument))
        if self._is_interesting(operation):
            self.left[actor] = self.left.get(actor, 0.0) - 1
            self.drawn = None

    def _is_interesting(self, operation: Operation | None) -> bool:
        return operation is not None and self.interesting(operation.objects)

    def _draw(self, execution: Execution, actors: Iterable[Actor]) -> Actor | None:
        """One of these, in proportion to its interesting operations; None if nobody has any."""
        candidates = list(actors)
        weights = [self._weight(execution, actor) for actor in candidates]
        return self.rng.choices(candidates, weights)[0] if sum(weights) > 0 else None

    def _weight(self, execution: Execution, actor: Actor) -> float:
        born = actor < len(execution.pending) and self._is_interesting(execution.pending[actor])
        own = max(self.left.get(actor, 0.0), 1.0 if born else 0.0)
        children = (child for child in self.unborn if self.creators[child] == actor)
        return own + sum(self._weight(execution, child) for child in sorted(children))

    # -- experience

    def learn(self, execution: Execution, choices: int) -> None:
        self.runs += 1
        for event in execution.events:
            self.totals[event.actor, event.operation.objects] += 1
            if event.operation.kind == "thread.spawn":
                self.creators[event.operation.argument] = event.actor


class Surw(Urw):
    """Selectively uniform random walk: the interesting operations are those on a few objects, drawn each time."""

    name = "surw"

    def __init__(self, executions: int | None = 1000, seed: int = 0, *,
                 random: Callable[[str], Random] = Random) -> None:
        super().__init__(executions, seed, random=random)
        self.footprints = Footprints()
        self.users: dict[int, set[Actor]] = {}  # of each object
        self.written: set[int] = set()
        self.focus: frozenset[int] = frozenset()

    def interesting(self, objects: tuple[int, ...]) -> bool:
        return not self.focus.isdisjoint(objects)

    def prepare(self) -> None:
        self.focus = self.draw_focus()
        super().prepare()

    def draw_focus(self) -> frozenset[int]:
        """Some of the objects that several actors use, and one writes."""
        shared = sorted(index for index in self.written if len(self.users[index]) > 1)
        if not shared:
            return frozenset()
        return frozenset(self.rng.sample(shared, self.rng.randint(1, min(_MOST, len(shared)))))

    def learn(self, execution: Execution, choices: int) -> None:
        super().learn(execution, choices)
        for event in execution.events:
            if event.operation.kind.startswith("thread."):
                continue  # who starts or joins whom is decided by the program
            footprint = self.footprints.of(event.operation, event.alternative, event.reads_only)
            for index in (*footprint.reads, *footprint.writes):
                self.users.setdefault(index, set()).add(event.actor)
            self.written.update(footprint.writes)
