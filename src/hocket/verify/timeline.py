"""From a configuration to a run: what happens, one event after another, with some of it as late as it can be.

The solver says what happens, not when. Here the when is chosen: the least late
thing that can happen now, happens. What a claim is about is made late ("build ends
after all else"), so that the run shows what the claim denies. The result is only a
proposal: `replay` goes through it with its own eyes before anybody sees it.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from hocket.verify.formula import Outcome, Value
from hocket.verify.model import Graph, Join, Point, Task
from hocket.verify.replay import Did, Event, Mismatch, Run, Story, default_value

__all__ = ["schedule"]


def schedule(
    graph: Graph,
    values: Mapping[str, Value],
    outcomes: Mapping[str, Outcome] = {},  # read only
    interrupted: frozenset[str] = frozenset(),
    late: frozenset[tuple[Did, str]] = frozenset(),
    until_stuck: bool = False,
    unready: frozenset[str] = frozenset(),
    last: frozenset[str] = frozenset(),
) -> Run:
    """A run with these values and, where it is free to choose, these outcomes; what is `late` happens last.

    The tasks in `interrupted` have their turn after the run was cancelled; those in `unready` never become ready;
    those in `last` start when nothing else can happen.
    Where nothing is said a task succeeds, and becomes ready at once. Raises Mismatch if there is no such run.
    """
    return _Scheduler(graph, values, outcomes, interrupted, late, unready, last).run(until_stuck)


class _Scheduler:
    """Takes, again and again, the least late thing that can happen now."""

    def __init__(
        self,
        graph: Graph,
        values: Mapping[str, Value],
        outcomes: Mapping[str, Outcome],
        interrupted: frozenset[str],
        late: frozenset[tuple[Did, str]],
        unready: frozenset[str],
        last: frozenset[str],
    ) -> None:
        self.graph, self.outcomes, self.interrupted, self.late = graph, outcomes, interrupted, late
        self.unready, self.last = unready, last
        self.values = {name: values.get(name, default_value(variable)) for name, variable in graph.variables.items()}
        self.story = Story(graph, self.values)
        self.number = {name: place for place, name in enumerate(graph.tasks)}
        self.waits = {task.name: len(set(_waits(task))) + bool(task.parent) for task in graph.tasks.values()}
        self.after: dict[tuple[str, Point], list[str]] = {}  # who waits for that point of that task
        self.held_open: dict[tuple[str, Point], list[str]] = {}  # who cannot close before it
        for task in graph.tasks.values():
            for wait in dict.fromkeys(_waits(task)):
                self.after.setdefault(wait, []).append(task.name)
            for edge in task.awaits:
                self.held_open.setdefault((edge.before, edge.point), []).append(task.name)
        self.ready: list[tuple[int, int, int, str]] = []  # urgency, number, a key of _DEEDS, task
        self.turned: set[str] = set()
        self.ending: set[str] = set()
        self.blocked: list[str] = []
        self.stalled: dict[str, None] = {}  # who waits for a channel
        self.events: list[Event] = []

    def run(self, until_stuck: bool) -> Run:
        for name, count in self.waits.items():
            if not count:
                self._turn(name)
        while self.ready:
            _, _, deed, name = heapq.heappop(self.ready)
            _DEEDS[deed](self, name)
        left = [name for name in self.graph.tasks if name not in self.story.closed]
        if left and until_stuck:
            self._happens(Event(Did.STUCK, next(iter(self.blocked or self.stalled or left))))
        elif left:
            raise Mismatch(f"{left[0]} waits for ever")
        return Run(self.values, tuple(self.events))

    def _happens(self, event: Event) -> None:
        self.story.take(event)
        self.events.append(event)

    def _turn(self, name: str) -> None:
        self.turned.add(name)
        urgency = 2 * (name in self.interrupted) + ((Did.STARTED, name) in self.late) + 8 * (name in self.last)
        heapq.heappush(self.ready, (urgency, self.number[name], _DECIDE, name))

    def _decide(self, name: str) -> None:
        if name in self.interrupted and not self.story.cancelled:
            self._happens(Event(Did.CANCELLED))
        task = self.graph.tasks[name]
        if not self.story.may_run(task):
            choices = self.story.passed_outcomes(task)
            wanted = self.outcomes.get(name)
            self._closed(Event(Did.PASSED, name, wanted if wanted in choices else choices[0]))
            return
        if self.story.blocked(task) is not None:
            self.blocked.append(name)
            return
        self._happens(Event(Did.STARTED, name))
        self._reached(name, Point.OPENED)
        if task.ready and name not in self.unready and self._is_watched(name):
            self._happens(Event(Did.READY, name))
            self._reached(name, Point.READY)
        for child in self.graph.children.get(name, ()):
            self._one_less(child)
        self._go_on(name)

    def _is_watched(self, name: str) -> bool:
        return (name, Point.READY) in self.after or (name, Point.READY) in self.held_open

    def _go_on(self, name: str) -> None:
        heapq.heappush(self.ready, (-1, self.number[name], _CARRY_ON, name))

    def _carry_on(self, name: str) -> None:
        """Send and receive as far as it goes; then end, if nothing is in the way any more."""
        task = self.graph.tasks[name]
        if name not in self.story.opened or name in self.ending:
            return
        moved = False
        while (step := self.story.transfer(task)) is not None and self.story.can_move(step):
            self._happens(step)
            moved = True
        if step is not None:
            self.stalled[name] = None
        elif self.story.can_end(task):
            self.ending.add(name)
            urgency = 4 if (Did.ENDED, name) in self.late else 0
            heapq.heappush(self.ready, (urgency, self.number[name], _END, name))
        if moved or (step is not None and step.did is Did.RECEIVED):  # who comes to receive lets a sender meet it
            for other in [other for other in self.stalled if other != name and self._can_move(other)]:
                del self.stalled[other]
                self._go_on(other)

    def _can_move(self, name: str) -> bool:
        step = self.story.transfer(self.graph.tasks[name])
        return step is not None and self.story.can_move(step)

    def _end(self, name: str) -> None:
        choices = self.story.outcomes(self.graph.tasks[name])
        wanted = self.outcomes.get(name)
        usual = Outcome.SUCCEEDED if Outcome.SUCCEEDED in choices else min(choices, key=lambda outcome: outcome.value)
        self._closed(Event(Did.ENDED, name, wanted if wanted in choices else usual))
        waiting, self.blocked = self.blocked, []
        for one in waiting:
            self._turn(one)

    def _closed(self, event: Event) -> None:
        self._happens(event)
        name = event.task
        if event.did is Did.PASSED:
            self._reached(name, Point.OPENED)
            for child in self.graph.children.get(name, ()):
                self._one_less(child)
        if name not in self.story.ready:
            self._reached(name, Point.READY)
        self._reached(name, Point.CLOSED)
        parent = self.graph.tasks[name].parent
        if parent and parent in self.story.opened:
            self._go_on(parent)

    def _reached(self, name: str, point: Point) -> None:
        for follower in self.after.get((name, point), ()):
            self._one_less(follower)
        for holder in self.held_open.get((name, point), ()):
            if holder in self.story.opened:
                self._go_on(holder)

    def _one_less(self, name: str) -> None:
        self.waits[name] -= 1
        if name in self.turned:
            return
        task = self.graph.tasks[name]
        if not self.waits[name] or (task.join is Join.ANY and self.story.its_turn(task)):
            self._turn(name)


def _waits(task: Task) -> list[tuple[str, Point]]:
    return [(edge.before, edge.point) for edge in task.edges]


_CARRY_ON, _DECIDE, _END = range(3)
_DEEDS = {_CARRY_ON: _Scheduler._carry_on, _DECIDE: _Scheduler._decide, _END: _Scheduler._end}
