"""The smallest failing interleaving: fewest preemptions first, then fewest steps; replayed before it is shown.

A preemption is a step of another actor while the one that ran last could go on.
Nearly every failure needs one or two of them, so all schedules with 0, then 1,
then 2 ... are run, each once, until the same failure shows (as CHESS and
dejafu do). That is brute force, and it has a budget: if it runs out, the
failure that the search found is shown as it is, and it is a failure all the same.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hocket.explore.execution import Choice, Execution
from hocket.explore.failing.failures import Failure, failure_of
from hocket.explore.shared.tracker import Visible, new_session
from hocket.explore.threads.control import Control
from hocket.explore.threads.runner import Runner
from hocket.trace.schedule import Schedule

__all__ = ["FewPreemptions", "minimised", "simplest"]

_EXECUTIONS = 3_000
_SECONDS = 3.0


def minimised(body: Callable[[], Any], first: Failure, run: Callable[[Schedule], Failure | None], steps: int,
              visible: Visible, target: str, telling: Callable[[Control], Failure | None] = failure_of) -> Failure:
    """The smallest failure like `first` within the budget; `run` replays a schedule, `telling` judges an execution.

    A failure that does not repeat is one of nondeterminism.
    """
    smallest = _search(body, first, steps, visible, telling)
    candidates = [smallest, first] if smallest is not None else [first]
    for candidate in candidates:
        again = run(candidate.schedule)
        if again is not None and again.same_as(first):
            known = candidate.preemptions if candidate is not first else _switches(first.schedule)
            return replace(again, replayed=True, target=target, flags=visible.flags(), preemptions=known)
    return replace(first, kind="nondeterminism", target=target, message=(
        f"{first.message}; but the same schedule run again "
        + (f"gives {again.kind}: {again.message}" if again is not None else "passes")))


def _switches(schedule: Schedule) -> int:
    """At most so many preemptions: how often somebody else goes on although the last one had not ended."""
    actors = [step.actor for step in schedule.steps]
    ends = {actor: number for number, actor in enumerate(actors)}
    return sum(before != after and ends[before] > number
               for number, (before, after) in enumerate(itertools.pairwise(actors)))


def simplest(body: Callable[[], Any], known: Failure, steps: int, visible: Visible) -> Failure:
    """The smallest failure of any kind: the same whichever was `known`, unless the budget runs out."""
    return _search(body, known, steps, visible, failure_of, lambda one, other: True) or known


def _search(body: Callable[[], Any], like: Failure, steps: int, visible: Visible,
            telling: Callable[[Control], Failure | None],
            alike: Callable[[Failure, Failure], bool] = Failure.same_as) -> Failure | None:
    """All schedules of 0, 1, 2 ... preemptions; of the first number that suffices, the shortest."""
    deadline = time.monotonic() + _SECONDS
    left = _EXECUTIONS
    found: list[Failure] = []
    for allowed in range(len(like.schedule) + 1):
        strategy = FewPreemptions(allowed)
        runner = Runner(body, new_session(body, steps, visible))

        budget = left

        def judge(control: Control) -> bool:
            failure = telling(control)
            if failure is not None and alike(failure, like):
                found.append(replace(failure, preemptions=strategy.used))  # noqa: B023  # called in this round only
                strategy.shortest = min(strategy.shortest, len(failure.schedule))  # noqa: B023
            return runner.executions < budget and time.monotonic() < deadline  # noqa: B023

        runner.run(strategy, judge)
        left -= runner.executions
        if found or left <= 0 or time.monotonic() >= deadline or not strategy.cut:
            break
    return min(found, key=lambda failure: len(failure.schedule), default=None)


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
