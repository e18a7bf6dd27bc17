"""The class of an execution, read off its events and the rows alone; no search is asked."""

from __future__ import annotations

from hocket.explore.execution import Execution
from hocket.explore.semantics import ROWS, Raise, modes_of
from hocket.trace.event import Event
from hocket.trace.operation import Actor
from hocket.trace.trace import ClassKey, Mark, Trace, class_key

__all__ = ["class_of", "marks_of", "trace_of"]


def class_of(execution: Execution) -> ClassKey:
    """A hashable value, equal for exactly the executions that are the same up to the order of independent events.

    It speaks of actors and objects by name and birth, so that classes of different explorations can be compared.
    """
    actors, births = execution.cast.actors, execution.cast.births
    return class_key([
        Mark(
            actors[actor],
            (label[0], *[births[index] for index in label[1]], label[2]),
            tuple([(births[index], mode) for index, mode in touched]),
        )
        for actor, label, touched, _ in marks_of(execution.events)
    ])


def trace_of(execution: Execution) -> Trace:
    """The happens-before order of an execution."""
    return Trace.of(marks_of(execution.events))


def marks_of(events: list[Event]) -> list[Mark]:
    """Each event with its footprint and its irreversible predecessors."""
    latest: dict[Actor, int] = {}
    wakers: dict[Actor, int] = {}
    marks = []
    for number, event in enumerate(events):
        operation = event.operation
        label = (operation.kind, operation.objects, event.alternative)
        touched = modes_of(operation, event.alternative, event.reads_only)
        marks.append(Mark(event.actor, label, touched, _irreversible(event, latest, wakers)))
        latest[event.actor] = number
        if type(event.result) is not Raise:
            wakers.update((actor, number) for actor in ROWS[operation.kind].wakes(operation.argument, event.result))
    return marks


def _irreversible(event: Event, latest: dict[Actor, int], wakers: dict[Actor, int]) -> tuple[int, ...]:
    row = ROWS[event.operation.kind]
    after = []
    waker = wakers.pop(event.actor, None)
    if waker is not None and (event.actor not in latest or row.modes_for(event.alternative).startswith("-")):
        after.append(waker)
    if row.follows and event.operation.argument in latest:
        after.append(latest[event.operation.argument])
    return tuple(after)
