"""A failing schedule made simpler by joining what one actor does in two turns, as long as the failure stays.

For programs that are too long to go through all schedules of few preemptions. A schedule is a list of turns; of two
turns of one actor the later is tried right after the earlier, or the earlier right before the later. What is not
possible then waits until it is. The failure must be the same, with fewer preemptions or fewer steps; then it is the
one to go on from. The end is no proof of the fewest: a schedule of which no single turn can be joined.

Source: Jalbert, Sen, "A trace simplification technique for effective debugging of concurrent programs" (FSE 2010).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hocket.explore.execution import Choice, Execution
from hocket.trace.schedule import Schedule, Step

__all__ = ["Joining"]

Turn = list[Step]


class Joining:
    """The strategy that tries one after the other; whoever judges says which of them fail alike."""

    exhaustive = False
    fixed = 0

    def __init__(self, schedule: Schedule) -> None:
        self._tries = _joined(schedule.steps)
        self._first: Sequence[Step] | None = schedule.steps  # for its preemptions, which nobody has counted
        self._wishes: Turn = []
        self._least: tuple[int, int] | None = None
        self.used = 0  # preemptions of the present schedule

    def begin(self) -> bool:
        wishes = self._first if self._first is not None else next(self._tries, None)
        self._first, self._wishes, self.used = None, list(wishes or ()), 0
        return wishes is not None

    def choose(self, execution: Execution) -> Choice | None:
        """The first wish that is possible; else whoever ran last, or anybody."""
        options = execution.options()
        if not options:
            return None
        last = execution.last
        chosen = self._wished(execution.cast.actors, options) or min(options, key=lambda way: (way[0] != last, way))
        self.used += chosen[0] != last and any(actor == last for actor, _ in options)
        return chosen

    def ended(self, execution: Execution) -> None:
        pass

    def failed(self, schedule: Schedule) -> bool:
        """The present schedule, as it came out, fails alike; answers whether none was simpler before."""
        cost = (self.used, len(schedule))
        if self._least is not None and cost >= self._least:
            return False
        self._least, self._tries = cost, _joined(schedule.steps)
        return True

    def _wished(self, names: list[str], options: list[Choice]) -> Choice | None:
        ways: dict[str, list[Choice]] = {}
        for choice in options:
            ways.setdefault(names[choice[0]], []).append(choice)
        for number, wish in enumerate(self._wishes):
            if wish.actor in ways:
                del self._wishes[number]
                found = ways[wish.actor]
                return next((choice for choice in found if choice[1] == wish.alternative), found[0])
        return None


def _joined(steps: Sequence[Step]) -> Iterator[Turn]:
    """The schedules in which two turns of an actor that follow each other are one, and those with a turn less."""
    turns = _turns(steps)
    for later, turn in enumerate(turns):
        earlier = next((number for number in range(later - 1, -1, -1) if turns[number][0].actor == turn[0].actor), None)
        if earlier is not None:
            between, rest = turns[earlier + 1:later], turns[later + 1:]
            yield _flat([*turns[:earlier + 1], turn, *between, *rest])
            yield _flat([*turns[:earlier], *between, turns[earlier], turn, *rest])
    for number in range(len(turns)):
        yield _flat([*turns[:number], *turns[number + 1:]])


def _turns(steps: Sequence[Step]) -> list[Turn]:
    turns: list[Turn] = []
    for step in steps:
        if turns and turns[-1][0].actor == step.actor:
            turns[-1].append(step)
        else:
            turns.append([step])
    return turns


def _flat(turns: list[Turn]) -> Turn:
    return [step for turn in turns for step in turn]
