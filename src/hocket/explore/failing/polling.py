"""Whether real code that reached its limit of steps would ever end: run again, with a look at where its threads stand.

Three executions are tried: the one that was cut, as far as the first three rounds of what it repeats; the same, and
then turns for everybody; and turns for everybody from the start, because actors keep in step then, which few
interleavings do. Each is looked at once more where it goes round (livelock.py). What none of them shows
for certain is only suspected.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hocket.explore.execution import Execution
from hocket.explore.failing.failures import Failure, failure_of
from hocket.explore.failing.livelock import Fair, Look, first_rounds, period, told
from hocket.explore.shared.tracker import Visible, new_session
from hocket.explore.strategy import Strategy
from hocket.explore.threads.control import Control, End
from hocket.explore.threads.runner import Runner
from hocket.trace.schedule import Schedule

__all__ = ["livelock_of"]


def livelock_of(body: Callable[[], Any], cut: Execution, steps: int, visible: Visible) -> tuple[Failure | None, str]:
    """The livelock, if it is certain, and else in words what seems to repeat in the execution that was cut."""
    def run(strategy: Strategy) -> Control:
        kept: list[Control] = []
        Runner(body, new_session(body, steps, visible)).run(strategy, _keep(kept), places=True)
        if not kept:
            raise _Blocked
        return kept[0]

    length = period(cut.events)
    found = None
    with suppress(_Blocked):
        found = _livelock(run, _rounds(cut, length))
    repeats = cut.events[len(cut.events) - length:]
    return found, told(repeats, cut.cast.actors, cut.cast.objects)


class _Blocked(Exception):
    """Run again, it blocks outside of the explorer's control."""


def _livelock(run: Callable[[Strategy], Control], rounds: Schedule) -> Failure | None:
    found = _circle(run, rounds)
    for start in (rounds, Schedule()):
        if found is None:
            control = run(Fair(start))
            if control.end == End.BOUND:
                execution = control.execution
                found = _circle(run, _rounds(execution, period(execution.events)))
    return found


def _rounds(execution: Execution, length: int) -> Schedule:
    """What leads to the end of the first three rounds; nothing if nothing repeats."""
    steps = execution.schedule().steps
    return Schedule(steps[:first_rounds(execution.events, length)] if length else ())


def _circle(run: Callable[[Strategy], Control], rounds: Schedule) -> Failure | None:
    return failure_of(run(Look(rounds))) if rounds.steps else None


def _keep(kept: list[Control]) -> Callable[[Control], bool]:
    def keep(control: Control) -> bool:
        kept.append(control)
        return False

    return keep
