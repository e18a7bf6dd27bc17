"""The smallest failing interleaving: fewest preemptions first, then fewest steps; replayed before it is shown.

A preemption is a step of another actor while the one that ran last could go on.
Nearly every failure needs one or two of them, so all classes within 0, then 1,
then 2 ... are run until the same failure shows (CHESS and dejafu run all schedules;
see bounded.py). That has a budget. If it runs out, what was found is made simpler turn by
turn (joining.py), and that is few, and perhaps not the fewest.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hocket.explore.bounded import Bounded
from hocket.explore.failing.failures import Failure, failure_of
from hocket.explore.failing.joining import Joining
from hocket.explore.shared.tracker import Visible, new_session
from hocket.explore.threads.control import Control
from hocket.explore.threads.runner import Runner
from hocket.trace.schedule import Schedule

__all__ = ["minimised", "simplest"]

_EXECUTIONS = 3_000
_SECONDS = 3.0  # of CPU: a busy machine comes to the same schedule as an idle one
_cpu_seconds = time.process_time


def minimised(body: Callable[[], Any], first: Failure, run: Callable[[Schedule], Failure | None], steps: int,
              visible: Visible, target: str, telling: Callable[[Control], Failure | None] = failure_of) -> Failure:
    """The smallest failure like `first` within the budget; `run` replays a schedule, `telling` judges an execution.

    A failure that does not repeat is one of nondeterminism.
    """
    smallest, least = _search(body, first, steps, visible, telling)
    if not least:
        smallest = _simpler(body, smallest or first, first, steps, visible, telling) or smallest
    candidates = [smallest, first] if smallest is not None else [first]
    for candidate in candidates:
        again = run(candidate.schedule)
        if again is not None and again.same_as(first):
            fewest = candidate.preemptions if candidate is not first else _switches(first.schedule)
            return replace(again, replayed=True, target=target, flags=visible.flags(), preemptions=fewest)
    return replace(first, kind="nondeterminism", target=target, message=(
        f"{first.message}; but the same schedule run again "
        + (f"gives {again.kind}: {again.message}" if again is not None else "passes")))


def _simpler(body: Callable[[], Any], known: Failure, like: Failure, steps: int, visible: Visible,
             telling: Callable[[Control], Failure | None]) -> Failure | None:
    """What is left of a failure when no two turns of an actor can be joined; None if it does not come again."""
    deadline = _cpu_seconds() + _SECONDS
    strategy, found = Joining(known.schedule), [like]
    runner = Runner(body, new_session(body, steps, visible))

    def judge(control: Control) -> bool:
        failure = telling(control)
        if failure is not None and failure.same_as(like) and strategy.failed(failure.schedule):
            found.append(replace(failure, preemptions=strategy.used))
        return runner.executions < _EXECUTIONS and _cpu_seconds() < deadline

    runner.run(strategy, judge)
    return found[-1] if found[-1] is not like else None


def _switches(schedule: Schedule) -> int:
    """At most so many preemptions: how often somebody else goes on although the last one had not ended."""
    actors = [step.actor for step in schedule.steps]
    ends = {actor: number for number, actor in enumerate(actors)}
    return sum(before != after and ends[before] > number
               for number, (before, after) in enumerate(itertools.pairwise(actors)))


def simplest(body: Callable[[], Any], known: Failure, steps: int, visible: Visible) -> Failure:
    """The smallest failure of any kind: the same whichever was `known`, unless the budget runs out."""
    return _search(body, known, steps, visible, failure_of, lambda one, other: True)[0] or known


def _search(body: Callable[[], Any], like: Failure, steps: int, visible: Visible,
            telling: Callable[[Control], Failure | None],
            alike: Callable[[Failure, Failure], bool] = Failure.same_as) -> tuple[Failure | None, bool]:
    """All classes within 0, 1, 2 ... preemptions: of the first number that suffices the shortest, and whether it is."""
    deadline = _cpu_seconds() + _SECONDS
    left = _EXECUTIONS
    found: list[Failure] = []
    for allowed in range(len(like.schedule) + 1):
        strategy = Bounded(allowed)
        runner = Runner(body, new_session(body, steps, visible))

        budget = left

        def judge(control: Control) -> bool:
            failure = telling(control)
            if failure is not None and alike(failure, like):
                found.append(replace(failure, preemptions=strategy.used))  # noqa: B023  # called in this round only
                strategy.shortest = min(strategy.shortest, len(failure.schedule))  # noqa: B023
            return runner.executions < budget and _cpu_seconds() < deadline  # noqa: B023

        runner.run(strategy, judge)
        left -= runner.executions
        spent = left <= 0 or _cpu_seconds() >= deadline
        if found or spent or not strategy.cut:
            break
    return min(found, key=lambda failure: len(failure.schedule), default=None), not spent
