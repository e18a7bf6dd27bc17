"""All classes with a schedule of at most k preemptions: every such schedule, but no state twice for nothing.

A bound counts preemptions of schedules, and a reduced search may not be pruned by it: the
schedule that it happens to run for a class need not be the one with the fewest (explorer.md
c.6: 246 of 476 classes lost at bound 0). So this goes through schedules, not through classes.
But two beginnings that are one up to the order of independent events, with the same actor
last, are followed by the same: the same states, the same operations, the same preemptions.
If one of them was gone through with no more preemptions before it, the other brings
nothing, and is given up.

No class within the bound is lost. Take its schedule of fewest preemptions, and the longest
beginning that, up to equivalence and with the same actor last, was entered at no greater cost.
What follows it was gone through from there, one step further, at no greater cost: so the
beginning was not the longest. (Beginnings of one class are equally long, so that one is
finished before the other is come to.)

Measured against all schedules, in executions, for bound 3: lastzero 4: 1,942 of 18,243; counter 4:
956 of 1,656; philosophers 3: 83 of 249. Memory grows with the beginnings, as it does not in any
other search here. Refused: the number of a class from an optimal search of everything (28
executions for lastzero 4) instead of this, since what a bound is for is programs of which not
everything can be run (counter 4 within no preemption: 24 executions of 576).

Source: Musuvathi, Qadeer, "Partial-order reduction for context-bounded state exploration" (2007) for happens-before
as the name of a state; Marmanis, Kokologiannakis, Vafeiadis, TACAS 2023 for the bound as one of classes.
"""

from __future__ import annotations

from typing import Any

from hocket.explore.execution import Choice, Execution
from hocket.explore.order import Order
from hocket.trace.operation import Actor

__all__ = ["Bounded", "FewPreemptions"]

Beginning = tuple[frozenset[int], Actor]
"""The events so far, by identity, and who ran last."""


class FewPreemptions:
    """All schedules with at most so many preemptions, depth first; none longer than the shortest that was of use.

    `cut` tells afterwards whether anything was left out. The bound is one of schedules, so whatever class has a
    schedule within the bound is reached: brute force makes that sound where pruning a reduced search does not
    (explorer.md c.6).
    """

    exhaustive = True  # within its bound
    fixed = 0

    def __init__(self, allowed: int) -> None:
        self.allowed = allowed
        self.shortest = 1_000_000_000
        self.cut = False  # whether some schedule was left out for its preemptions
        self._left: list[list[tuple[Choice, int]]] = []  # for each step the choices to make, with preemptions so far
        self._started = False

    @property
    def used(self) -> int:
        """Preemptions of the present schedule."""
        return self._left[-1][-1][1] if self._left else 0

    def begin(self) -> bool:
        if not self._started:
            self._started = True
            return True
        while self._left:
            self._left[-1].pop()
            if self._left[-1]:
                return True
            self._left.pop()
        return False

    def choose(self, execution: Execution) -> Choice | None:
        depth = len(execution.events)
        if depth == len(self._left):
            options = self._options(execution, depth)
            if not options:
                return None
            self._left.append(options)
        return self._left[depth][-1][0]

    def _options(self, execution: Execution, depth: int) -> list[tuple[Choice, int]]:
        if depth >= self.shortest:
            return []
        options = execution.options()
        before = self._left[-1][-1][1] if self._left else 0
        goes_on = any(actor == execution.last for actor, _ in options)
        costs = [(choice, before + (goes_on and choice[0] != execution.last)) for choice in options]
        allowed = [cost for cost in costs if cost[1] <= self.allowed]
        self.cut = self.cut or len(allowed) < len(costs)
        return sorted(allowed, key=lambda cost: -cost[1])  # taken from the end: staying comes first

    def ended(self, execution: Execution) -> None:
        del self._left[max(1, len(execution.events)):]


class Bounded(FewPreemptions):
    """The strategy for `bound=k`; `given_up` counts the executions that ended where another one had been before."""

    def __init__(self, allowed: int) -> None:
        super().__init__(allowed)
        self.given_up = 0
        self._order = Order()
        self._numbers: dict[Any, int] = {}  # of identities: what an event is, and after which others
        self._events: list[int] = []  # the numbers of the events so far
        self._entered: dict[Beginning, int] = {}  # with how many preemptions, at least

    def begin(self) -> bool:
        found = super().begin()
        same = max(0, len(self._left) - 1)
        del self._events[same:]
        self._order.truncate(same)
        return found

    def choose(self, execution: Execution) -> Choice | None:
        if len(execution.events) == len(self._left) and self._left and not self._is_new(execution):
            self.given_up += bool(execution.options())
            return None
        return super().choose(execution)

    def _is_new(self, execution: Execution) -> bool:
        """Whether nobody was here before, or only with more preemptions; then this is noted."""
        for number in range(len(self._events), len(execution.events)):
            self._events.append(self._identity(execution, number))
        beginning, used = (frozenset(self._events), execution.last), self.used
        if self._entered.get(beginning, used + 1) <= used:
            return False
        self._entered[beginning] = used
        return True

    def _identity(self, execution: Execution, number: int) -> int:
        event, order = execution.events[number], self._order
        footprint = order.footprints.of(event.operation, event.alternative, event.reads_only, execution.before[number])
        near = order.direct_before(event.actor, event.operation, event.alternative) | order.push(event, footprint)
        before = frozenset(self._events[k] for k in range(number) if near >> k & 1)
        identity = (event.actor, event.operation.kind, event.operation.objects, event.alternative, before)
        return self._numbers.setdefault(identity, len(self._numbers))
