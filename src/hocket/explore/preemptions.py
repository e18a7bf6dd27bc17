"""How few preemptions a class needs, over all its interleavings, and the interleaving that shows it.

A preemption is a step of another actor while the one that ran last could go on.
The number belongs to the class, not to the interleaving that a search happened to
run: pruning a reduced search by its representatives' counts loses classes
(explorer.md c.6: 246 of 476 at bound 0). So a class is within a bound k if *some*
interleaving of it has at most k, and that is decided here exactly: the shortest path,
by preemptions, through what may have happened so far (the parts closed under
happens-before) and who ran last. Every part is visited at most once for each last
actor; a class with very many parts is given up, and that is said.

Source: Musuvathi, Qadeer, PLDI 2007 (context bounding); Marmanis, Kokologiannakis, Vafeiadis, TACAS 2023 (bounds as a
property of the class).
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from hocket.explore.classes import trace_of
from hocket.explore.execution import Choice, Execution
from hocket.explore.semantics import FINISHED, ROWS
from hocket.trace.clock import seen
from hocket.trace.event import Event
from hocket.trace.operation import Actor, Operation
from hocket.trace.schedule import Schedule, Step

__all__ = ["Least", "least_preemptions"]


class Least(NamedTuple):
    """The fewest preemptions of any interleaving of a class, and one that has no more."""

    preemptions: int
    schedule: Schedule


def least_preemptions(execution: Execution, most_parts: int = 20_000) -> Least | None:
    """The least number for the class of a complete execution; None if more than `most_parts` parts were looked at."""
    return _Search(execution).run(most_parts)


class _Part(NamedTuple):
    """What has happened: so many events of each actor; the states of the objects after it; and who ran last."""

    counts: tuple[int, ...]
    last: Actor
    states: dict[int, Any]
    path: Any  # (choice, path before) or None


class _Search:
    """Breadth first by preemptions: steps that cost nothing are taken before those that cost one."""

    def __init__(self, execution: Execution) -> None:
        self.execution = execution
        self.actors = range(len(execution.pending))
        trace = trace_of(execution)
        self.lines: list[list[Event]] = [[] for _ in self.actors]
        self.needs: list[list[tuple[int, ...]]] = [[] for _ in self.actors]
        for event, clock in zip(execution.events, trace.clocks, strict=True):
            self.lines[event.actor].append(event)
            before = [seen(clock, actor) - (actor == event.actor) for actor in self.actors]
            self.needs[event.actor].append(tuple(before))

    def run(self, most_parts: int) -> Least | None:
        """The shortest path from nothing to everything."""
        goal = tuple(len(line) for line in self.lines)
        states = dict(self.execution.initial)
        for actor in self.actors:
            if not self.lines[actor] and self._begins_at_once(actor):
                self._finish_if_done(states, actor, 0)
        waiting = deque([(0, _Part((0,) * len(self.lines), 0, states, None))])
        done: set[tuple[tuple[int, ...], Actor]] = set()
        while waiting:
            cost, part = waiting.popleft()
            if part.counts == goal:
                return Least(cost, self._schedule(part.path))
            if (part.counts, part.last) in done:
                continue
            done.add((part.counts, part.last))
            if len(done) > most_parts:
                return None
            goes_on = self._can_go_on(part)
            for actor in self.actors:
                if self._is_next(part, actor):
                    if goes_on and actor != part.last:
                        waiting.append((cost + 1, self._after(part, actor)))
                    else:
                        waiting.appendleft((cost, self._after(part, actor)))
        raise AssertionError("an execution is an interleaving of its own class")

    def _is_next(self, part: _Part, actor: Actor) -> bool:
        """Whether the actor's next event may come now without leaving the class."""
        done = part.counts[actor]
        if done == len(self.lines[actor]):
            return False
        return all(have >= need for have, need in zip(part.counts, self.needs[actor][done], strict=True))

    def _after(self, part: _Part, actor: Actor) -> _Part:
        _, operation, alternative, _, _ = event = self.lines[actor][part.counts[actor]]
        states, objects, row = dict(part.states), operation.objects, ROWS[operation.kind]
        new, _ = row.perform(_state(states, operation), actor, operation.argument, alternative)
        states.update(zip(objects, (new,) if len(objects) == 1 else new, strict=True))
        counts = (*part.counts[:actor], part.counts[actor] + 1, *part.counts[actor + 1:])
        self._finish_if_done(states, actor, counts[actor])
        if operation.kind == "thread.spawn" and not self.lines[operation.argument]:
            self._finish_if_done(states, operation.argument, 0)
        return _Part(counts, actor, states, ((event.actor, alternative), part.path))

    def _can_go_on(self, part: _Part) -> bool:
        """Whether the actor that ran last has an operation pending that is possible now."""
        actor = part.last
        done, line = part.counts[actor], self.lines[actor]
        operation = line[done].operation if done < len(line) else self.execution.pending[actor]
        if operation is None:
            return False
        row, state = ROWS[operation.kind], _state(part.states, operation)
        ways = range(row.alternatives(operation.argument))
        return any(row.enabled(state, actor, operation.argument, way) for way in ways)

    def _begins_at_once(self, actor: Actor) -> bool:
        return all(event.operation.kind != "thread.spawn" or event.operation.argument != actor
                   for event in self.execution.events)

    def _finish_if_done(self, states: dict[int, Any], actor: Actor, done: int) -> None:
        thread = self.execution.threads.get(actor)
        if thread is not None and done == len(self.lines[actor]) and self.execution.pending[actor] is None:
            states[thread] = FINISHED

    def _schedule(self, path: Any) -> Schedule:
        choices: list[Choice] = []
        while path is not None:
            choice, path = path
            choices.append(choice)
        names = self.execution.cast.actors
        return Schedule(tuple(Step(names[actor], way) for actor, way in reversed(choices)))


def _state(states: dict[int, Any], operation: Operation) -> Any:
    objects = operation.objects
    return states[objects[0]] if len(objects) == 1 else tuple(states[index] for index in objects)
