"""Running a body once more, in the one interleaving that a schedule says.

A schedule does not say what was an operation when it was found, because a search
may have begun anew with more of it. So every way of seeing is tried, the likeliest
first, and the steps tell which it was: they fit, to the digest, or diverge.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from hocket.errors import DivergenceError, ExplorationError
from hocket.explore.aio.seam import checked_cancel, checked_order, runnable
from hocket.explore.dpor import Optimal
from hocket.explore.failing.failures import Failure, digest, failure_of
from hocket.explore.failing.livelock import Look
from hocket.explore.options import MODELS, check_body, check_options
from hocket.explore.shared.functions import is_rewritten
from hocket.explore.shared.tracker import Visible, named, new_session
from hocket.explore.shared.untracked import Watch
from hocket.explore.threads.control import RESTART, Control, End
from hocket.explore.threads.debugging import shown
from hocket.explore.threads.naming import target_of
from hocket.explore.threads.runner import Runner
from hocket.trace.schedule import Schedule

__all__ = ["STEPS", "judged", "replay", "replayed"]

STEPS = 20_000
"""Steps of one execution, unless the caller says otherwise."""


def replay(body: Callable[[], Any], schedule: Schedule | str, *, data: str | None = None,
           track: Iterable[Any] = (), spurious: int = 0, order: str = "fifo",
           cancel: str | Iterable[str] | None = None, model: str | None = None) -> Any:
    """Run `body` in the one interleaving that `schedule` says; raises what it raises there, else returns its value.

    `track`, `spurious`, `order` and `cancel` are those of the exploration that found the schedule; so is `data`, if it
    was "race-check". Without a `model` the steps tell which it was.

    Raises `DivergenceError` if the schedule is of another program, `ScheduleError` if it cannot be read,
    `DeadlockError` for a deadlock, `ExplorationError` for a leak or a livelock.
    """
    value, failure = judged(body, schedule, data=data, track=track, spurious=spurious, order=order, cancel=cancel,
                            model=model)
    if failure is None:
        return value
    error = failure.error()
    error.add_note(str(failure))
    raise error


def judged(body: Callable[[], Any], schedule: Schedule | str, *, data: str | None = None, track: Iterable[Any] = (),
           spurious: int = 0, order: str = "fifo", cancel: str | Iterable[str] | None = None,
           model: str | None = None) -> tuple[Any, Failure | None]:
    """What `replay` returns, and what it raises as a value: for whoever shows it in a way of their own."""
    check_body(body)
    parsed = schedule if isinstance(schedule, Schedule) else Schedule.parse(schedule)
    if data is not None:
        check_options(data=data)
    if model is not None:
        check_options(model=model)
    ways: Iterator[Visible] = (
        replace(way, model=kind) for kind in ([model] if model is not None else MODELS)
        for way in _ways_of_seeing(data, named(track), int(spurious)) if way.data in ("track", data) or kind == "free")
    ways = (replace(way, order=checked_order(order), cancel=checked_cancel(cancel)) for way in ways)
    control = _replayed_any(runnable(body), parsed, ways)
    failure = failure_of(control)
    if failure is None and control.end == End.BOUND:
        raise ExplorationError(f"no end after {len(control.execution.events):,} steps, and no certain livelock")
    return control.value, None if failure is None else replace(failure, target=target_of(body))


def _replayed_any(body: Callable[[], Any], schedule: Schedule, ways: Iterator[Visible]) -> Control:
    """Along a schedule that does not say what was visible: as what it fits."""
    refused: list[DivergenceError] = []
    known = list(ways)
    tracked = [way for way in known if way.data != "off"]
    others = [way for way in known if way.data == "off"]  # last: what these leave behind, nobody puts back
    reached: dict[Visible, Visible] = {}  # whether ends and lives are steps decides nothing about that

    def reaching_further(way: Visible) -> Visible:
        plain = replace(way, ends=False, mortal=False)
        if plain not in reached:
            reached[plain] = _reaching_further(body, plain)
        return replace(way, reached=reached[plain].reached, replaced=reached[plain].replaced)

    further = (wider for way in tracked if (wider := reaching_further(way)) != way)
    for visible in itertools.chain(tracked, further, others):
        try:
            control = replayed(body, schedule, STEPS, visible)
        except DivergenceError as error:
            refused.append(error)
            continue
        if control.session.stop != RESTART:
            return control
    if not refused:
        raise ExplorationError("the program asks for more to be visible each time: it does not repeat itself")
    raise max(refused, key=lambda error: error.step)


def _reaching_further(body: Callable[[], Any], visible: Visible) -> Visible:
    """With what an exploration tracks as well, once it has seen in whose hands shared data is.

    What that leaves behind is put back: the execution that is asked for begins as it did.
    """
    while True:
        session = new_session(body, STEPS, replace(visible, afresh=True), Watch(is_rewritten))
        Runner(body, session).run(Optimal(), lambda control: False)
        wider = session.tracker.reaching_further() if session.tracker is not None else None
        if wider is None:
            return visible
        visible = replace(wider, afresh=visible.afresh)


def _ways_of_seeing(data: str | None, track: tuple[str, ...], spurious: int) -> Iterator[Visible]:
    """What an exploration may have had as operations, the likeliest first."""
    for kind in (data,) if data is not None else ("track", "off"):
        for everything in (False, True) if kind == "track" else (False,):
            for ends in (False, True):
                yield Visible(ends, kind, track, everything, spurious)
    if data != "off":
        yield from (Visible(ends, data or "track", track, everything, spurious, mortal=True)
                    for everything in (False, True) for ends in (False, True))


def replayed(body: Callable[[], Any], schedule: Schedule, steps: int, visible: Visible) -> Control:
    """The execution of `body` along `schedule`, with places recorded; raises `DivergenceError` if it does not fit."""
    session = new_session(body, max(steps, len(schedule)), visible, telling=True)
    kept: list[Control] = []
    runner = Runner(body, session)
    with shown():
        runner.run(Look(schedule), _keeping(kept), places=True)
    if not kept:
        stuck = runner.stuck
        raise ExplorationError("the interleaving did not come to its end" if stuck is None else (
            f"{stuck.actor} {'computes without end' if stuck.busy else 'blocks for real'} at {stuck.place}\n"
            f"{stuck.stack}"))
    control = kept[0]
    if session.stop == RESTART:
        return control
    if control.end == End.DIVERGED:
        assert control.error is not None
        raise control.error
    if len(control.execution.events) < len(schedule):
        step = len(control.execution.events) + 1
        raise DivergenceError(step, f"a step of {schedule.steps[step - 1].actor}", "end")
    done = digest(control, len(schedule))
    if schedule.digest and schedule.digest != done:
        raise DivergenceError(len(schedule), f"steps of digest {schedule.digest}", f"steps of digest {done}")
    return control


def _keeping(kept: list[Control]) -> Callable[[Control], bool]:
    def keep(control: Control) -> bool:
        kept.append(control)
        return False

    return keep
