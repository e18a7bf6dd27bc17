"""Wrong searches, each with one shortcut that was shipped somewhere; the fuzz must kill every one.

Where each was found, and what it costs there, is in explorer.md c.4 and in the docstrings.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from hocket.explore.dpor import Optimal, Source
from hocket.explore.execution import Execution
from hocket.explore.races import Race, Races
from hocket.explore.wakeup import covered_by_sleep, insert

__all__ = ["OPTIMAL_MUTANTS", "SOURCE_MUTANTS"]


class _ImmediateRaces(Races):
    """A race is the latest conflict or none: the release hides the acquire before it (interweave)."""

    __slots__ = ()

    def _scan(self, execution: Execution, row: Any, number: int, *rest: Any) -> Iterator[Race]:
        *before, left, covered, direct = rest
        top = 1 << left.bit_length() - 1 if left else 0
        for race in super()._scan(execution, row, number, *before, left, covered, direct):
            if 1 << race.at == top:
                yield race
            return


class _NoLockRaces(Races):
    """Acquiring a lock orders, but is never reversed (frontrun 0.1.0)."""

    __slots__ = ()

    def of_event(self, execution: Execution, number: int, latest: int) -> list[Race]:
        found = super().of_event(execution, number, latest)
        return [race for race in found if race.operation.kind not in ("lock.acquire", "rlock.acquire")]


class _NobodyBlockedRaces(Races):
    """Operations that are blocked at the end could not have come first."""

    __slots__ = ()

    def late(self, execution: Execution) -> Iterator[Race]:
        length = len(self.order.events)
        return (race for race in super().late(execution) if race.second < length)


class _NoAlternatives(Races):
    """An event's other alternatives are not tried."""

    __slots__ = ()

    def late(self, execution: Execution) -> Iterator[Race]:
        length = len(self.order.events)
        return (race for race in super().late(execution) if race.second == length)


class _FootprintOfTheResult(Races):
    """A compare-exchange that failed here only reads, wherever it is moved (c.4.9)."""

    __slots__ = ()

    def _sharpened(self, row: Any, state: Any, actor: int, operation: Any, way: int, footprint: Any) -> Any:
        return self.order.footprints.of(operation, way, not row.always_changes)


class ImmediatePredecessors(Optimal):
    __doc__ = _ImmediateRaces.__doc__

    def _new_races(self) -> Races: return _ImmediateRaces(self.order)


class LocksNeverReversed(Optimal):
    __doc__ = _NoLockRaces.__doc__

    def _new_races(self) -> Races: return _NoLockRaces(self.order)


class BlockedForgotten(Optimal):
    __doc__ = _NobodyBlockedRaces.__doc__

    def _new_races(self) -> Races: return _NobodyBlockedRaces(self.order)


class AlternativesForgotten(Optimal):
    __doc__ = _NoAlternatives.__doc__

    def _new_races(self) -> Races: return _NoAlternatives(self.order)


class ResultTrusted(Optimal):
    __doc__ = _FootprintOfTheResult.__doc__

    def _new_races(self) -> Races: return _FootprintOfTheResult(self.order)


class DisabledDropped(Optimal):
    """If the second actor was not enabled where the race begins, nothing is planned (frontrun 0.1.0)."""

    own_from = sys.maxsize

    def choose(self, execution: Execution) -> Any:
        self._enabled = getattr(self, "_enabled", {})
        self._enabled[len(execution.events)] = {actor for actor, _ in execution.options()}
        return super().choose(execution)

    def begin(self) -> bool:
        found = super().begin()
        self.fixed = 0  # every state is passed, so that who was enabled is known for each
        return found

    def _plan(self, events: int, race: Race) -> None:
        if race.actor in self._enabled[race.at]:
            super()._plan(events, race)


class SequenceCut(Optimal):
    """The sequence is cut to what happens before the second event (Concuerror 43: lastzero 3 gives 9 of 12)."""

    own_from = sys.maxsize

    def _plan(self, events: int, race: Race) -> None:
        kept = self.order.closure(race.direct & events) & events
        frame = self.frames[race.at]
        if not covered_by_sleep(self.order, frame.sleep, kept, race):
            frame.planned = frame.planned or []
            insert(self.order, frame.planned, kept, race)


class AllAsleepIsFine(Optimal):
    """Sleeping steps never wake up: an execution that ends because all sleep is taken for a complete one."""

    def _asleep_after(self, sleep: Any, actor: int, done: Any) -> Any:
        return {choice: footprint for choice, footprint in sleep.items() if choice[0] != actor}

    def _all_sleep(self, execution: Execution) -> None: ...


class WeakInitials(Source):
    """A step that does not occur in the sequence may stand for it; but one step does not force the rest (c.4.6)."""

    def _plan(self, events: int, race: Race) -> None:
        order, frame = self.order, self.frames[race.at]
        known = {(node.actor, node.alternative): node.footprint for node in frame.planned or ()}
        known |= {frame.choice: frame.footprint} | frame.sleep
        if not covered_by_sleep(order, known, events, race):
            super()._plan(events, race)


OPTIMAL_MUTANTS = [ImmediatePredecessors, LocksNeverReversed, BlockedForgotten, AlternativesForgotten, ResultTrusted,
                   DisabledDropped, SequenceCut, AllAsleepIsFine]
SOURCE_MUTANTS = [WeakInitials]
