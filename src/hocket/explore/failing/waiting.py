"""Who waits for whom at the end of an execution, in words and in which circle; and the notify that came too early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.explore.semantics import unread
from hocket.explore.threads.control import Actor, Control
from hocket.explore.threads.naming import Place, called, place_text
from hocket.explore.threads.values import Deed
from hocket.trace.event import Event
from hocket.trace.operation import Operation

__all__ = ["cycle_of", "for_what", "held_by", "is_spinning", "is_told_in", "pending_of", "story_of", "waits_of",
           "waits_of_tasks"]

_TOLD_BY_THE_LOOP = frozenset({"loop.turn", "loop.wait", "loop.timed", "loop.timer", "loop.next", "loop.cancel"})


def held_by(control: Control, actor: Actor) -> list[str]:
    names = control.session.cast.objects
    return [names[lock._number] for lock in control.held.values() if lock.owner is actor]


def waits_of_tasks(control: Control, actor: Actor) -> list[str]:
    """If the actor runs an event loop in which nothing is ready: what each task waits for."""
    operation = control.execution.pending[actor.number]
    tales = control.tales.get(operation.objects[0], []) if operation is not None and operation.objects else []
    return [f"{who} {what}{_at(place)}" for who, what, place in tales]


def waits_of(control: Control, actor: Actor) -> str:
    tasks = waits_of_tasks(control, actor)
    if tasks:
        return "; ".join(tasks)
    held = held_by(control, actor)
    holding = f"holds {' and '.join(held)} and " if held else ""
    return f"{called(control)[actor.number]} {holding}waits {for_what(control, actor)}"


def is_spinning(control: Control, actor: Actor) -> bool:
    """Whether it goes round a loop that polls, and for ever."""
    operation = control.execution.pending[actor.number]
    return operation is not None and operation.kind == "poll.vain"


def for_what(control: Control, actor: Actor) -> str:
    operation = control.execution.pending[actor.number]
    assert operation is not None
    names = control.session.cast.objects
    if is_spinning(control, actor):
        return "in a loop that polls, for what nobody is left to change"
    if operation.kind == "thread.join":
        return f"for {called(control)[operation.argument]} to end"
    thing = names[operation.objects[0]]
    if operation.kind == "queue.get":
        return f"for an item of {thing}, which is empty"
    condition = _condition_of(control, operation)
    if condition is None:
        return f"for {thing}"
    return f"to be notified{_lost_wakeup(control, condition, actor)}"


def _condition_of(control: Control, operation: Operation) -> Any:
    """The condition whose notify would release the lock that `operation` wants; None if it is an ordinary lock."""
    return control.signals.get(operation.objects[0])


def _lost_wakeup(control: Control, condition: Any, waiter: Actor) -> str:
    """The notify that came too early. It was before the wait: as long as somebody waits, none finds nobody."""
    early = control.early.get(id(condition))
    if early is None:
        return ", and nobody is left who could"
    who, step, place = early
    notified = f"{called(control)[who]} notified after step {_row(control, step)}{_at(place)}"
    waits = max(number for number, event in enumerate(control.execution.events, 1) if event.actor == waiter.number)
    return (f": a lost wake-up, {notified}, when nobody waited yet; {called(control)[waiter.number]} waits since step "
            f"{_row(control, waits)}{_at(waiter.place)}")


def _row(control: Control, events: int) -> int:
    """How many of so many events are drawn in the lanes, and so the number that the last of them has there."""
    told = sum(map(is_told_in(control), control.execution.events[:events]))
    return told + sum(deed.after <= events for deed in story_of(control))


def _at(place: Place | None) -> str:
    return f" at {place_text(place[:2])}" if place is not None else ""


def _owner(control: Control, actor: Actor) -> int | None:
    """The actor that `actor` waits for, if it waits for one."""
    operation = control.execution.pending[actor.number]
    if operation is None or not operation.objects:
        return None
    if operation.kind == "thread.join":
        target: int = operation.argument
        return target
    state = control.execution.states[operation.objects[0]]
    family = operation.kind.partition(".")[0]
    if family in ("lock", "rlock") and state is not None and operation.objects[0] not in control.signals:
        owner: int = state[0]
        return owner
    return None


def cycle_of(control: Control, stuck: list[Actor]) -> list[str]:
    for start in stuck:
        path: list[int] = []
        number: int | None = start.number
        while number is not None and number not in path and control.execution.pending[number] is not None:
            path.append(number)
            number = _owner(control, control.actors[number])
        if number is not None and number in path:
            return [called(control)[member] for member in path[path.index(number):]]
    return []


def pending_of(control: Control, actor: Actor) -> str:
    """What an actor stands before, without the numbers of steps: they differ between interleavings of one mistake."""
    operation = control.execution.pending[actor.number]
    assert operation is not None
    tasks = waits_of_tasks(control, actor)
    return "; ".join(tasks) if tasks else operation.told(control.session.cast.objects)


def is_told_in(control: Control) -> Callable[[Event], bool]:
    """Which events a reader is told: not a beginning, which the next step tells, nor a look at what nobody writes."""
    written = {index for event in control.execution.events if event.operation.kind.startswith("data.")
               for index in unread(event.operation, event.alternative)}

    def is_told(event: Event) -> bool:
        kind = event.operation.kind
        if kind in _TOLD_BY_THE_LOOP or kind == "thread.begin":
            return False
        return kind != "data.read" or not written.isdisjoint(event.operation.objects)

    return is_told


def story_of(control: Control) -> list[Deed]:
    """What was done that is no event: the two accesses of a race, and what tasks of event loops did.

    Of what tasks do to data only that is told which one of them writes and another touches.
    """
    story = control.story or []
    who: dict[str, set[str]] = {}
    for deed in story:
        who.setdefault(deed.name, set()).add(deed.who)
    written = {deed.name for deed in story if deed.value.writes}
    told = [deed for deed in story if not deed.name or (deed.name in written and len(who[deed.name]) > 1)]
    return sorted([*told, *_racing(control)], key=lambda deed: deed.after)


def _racing(control: Control) -> list[Deed]:
    race = control.session.tracker.race if control.session.tracker is not None else None
    if race is None:
        return []
    names = called(control)
    return [Deed(access.events, names[access.actor], "", access.stack[0] if access.stack else None, race.place,
                 access.value._replace(writes=access.mode == "w")) for access in (race.first, race.second)]
