"""What went wrong in an execution, as a value: its kind, its schedule, and in words who did what.

A deadlock is told by its cycle ("t1 holds a and waits for b; t2 holds b and
waits for a"), a waiter that nobody will wake by the notify that came too early.
Nothing here decides whether an execution failed by looking at messages: the
kind follows from how the execution ended.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hocket.errors import DeadlockError, ExplorationError
from hocket.explore.failing.conflict import Told, arrows_of, conflict_of
from hocket.explore.failing.livelock import Look, told
from hocket.explore.semantics import Raise, unread
from hocket.explore.threads.control import Actor, Control, End
from hocket.explore.threads.naming import Place, called, place_of, place_text
from hocket.render.lanes import Lane, lanes
from hocket.render.page import Interleaving
from hocket.trace.event import Event
from hocket.trace.operation import Operation
from hocket.trace.schedule import Schedule, digest_of

__all__ = ["Failure", "digest", "failure_of"]

_BY_CONFLICT = ("assertion", "exception")  # the others say themselves what went wrong


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which the program goes wrong.

    `kind` is "assertion", "exception", "deadlock", "livelock", "leak", "race" or "nondeterminism"; `schedule` leads
    there (`hocket.replay` takes it, as a value or as text); `exception` is what was raised, if anything was; `cycle`
    names the actors of a deadlock that wait for each other, or the steps that a livelock repeats;
    `rows` is the interleaving, and `str()` draws it.
    """

    kind: str
    schedule: Schedule
    message: str
    exception: BaseException | None = None
    waits: tuple[str, ...] = ()
    cycle: tuple[str, ...] = ()
    rows: tuple[Lane, ...] = ()
    actors: tuple[str, ...] = ()
    replayed: bool = False
    preemptions: int = 0
    target: str = ""  # how to name the program on the command line
    flags: str = ""  # and what was visible in it
    origin: str = ""  # where the exception was raised, or where the actors wait
    mattered: str = ""  # the conflict that mattered, in one sentence, where one stands out
    arrows: tuple[tuple[int, int], ...] = ()  # numbers of rows: the second has to come after the first
    body: str = ""  # what to give to hocket.replay, for a program that has no name on the command line

    def __str__(self) -> str:
        return self.drawn()

    def drawn(self, width: int = 80) -> str:
        """The interleaving as lanes, in at most `width` columns."""
        said = f"{self.kind}: {self.message}" + (f"\n{self.mattered}" if self.mattered else "")
        return lanes(said, self.actors, self.rows, self.command(), width)

    def interleaving(self) -> Interleaving:
        """What `hocket.render.page` draws as a page, a picture, or a trace."""
        headline = f"{self.kind}: {self.message}"
        return Interleaving(headline, self.mattered, self.actors, self.rows, self.arrows, self.command())

    def command(self) -> str:
        """What leads here again."""
        if self.body:
            return f"hocket.replay({self.body}, '{self.schedule}')"
        return f"hocket replay {self.target or 'FILE::FUNCTION'} '{self.schedule}'{self.flags}"

    def same_as(self, other: Failure) -> bool:
        """Whether both are the same mistake of the program: kind, type of the exception, and where it was raised."""
        return (self.kind, type(self.exception), self.origin) == (other.kind, type(other.exception), other.origin)

    def error(self) -> BaseException:
        """What a replay raises: the program's own exception, or one of ours that carries the evidence."""
        if self.exception is not None:
            return self.exception
        if self.kind == "deadlock":
            return DeadlockError(self.message, self.waits, self.cycle)
        return ExplorationError(f"{self.kind}: {self.message}")


def failure_of(control: Control) -> Failure | None:
    """What went wrong in an execution that is over; None if nothing did, or if it was cut short."""
    telling = _TELLING.get(control.end)
    return telling(control) if telling else None


def digest(control: Control, steps: int | None = None) -> str:
    """What the first `steps` steps did (all, if not said), in six digits that are the same in every process."""
    names = control.session.cast.actors
    return digest_of((names[event.actor], event.operation.kind) for event in control.execution.events[:steps])


# -- by end -----------------------------------------------------------------------------------------------------------


def _failure(control: Control, kind: str, message: str, **more: Any) -> Failure:
    names = called(control)
    present = [names[number] for number in sorted(control.actors)]
    rows, told = _rows(control)
    mattered = conflict_of(told, names, control.session.cast.objects) if kind in _BY_CONFLICT else ""
    tasks = dict.fromkeys(row.actor for row in rows if row.actor not in present)
    return Failure(kind, replace(control.execution.schedule(), digest=digest(control)), message, rows=rows,
                   actors=(*present, *tasks), arrows=arrows_of(told), mattered=mattered, **more)


def _raised(control: Control) -> Failure | None:
    error, actor = control.error, control.failed
    assert error is not None
    if actor is None:  # the strategy's: a mistake of ours, and no finding about the program
        raise error
    kind = "assertion" if isinstance(error, AssertionError) else "exception"
    lines = str(error).splitlines()  # pytest explains an assertion on further lines
    said = f": {lines[0]}" if lines else ""
    message = f"{type(error).__name__}{said} in {_name(control, actor)}"
    return _failure(control, kind, message, exception=error, origin=_origin(error))


def _origin(error: BaseException) -> str:
    trace = error.__traceback__
    where = ""
    while trace is not None:
        place = place_of(trace.tb_frame)
        if place is not None and place[0] == trace.tb_frame.f_code.co_filename:
            where = f"{place[0]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def _complete(control: Control) -> Failure | None:
    """Locks that their owner took to its end; a lock that others release is a signal, and may stay taken."""
    pending = control.execution.pending  # of a daemon that waits for ever, which has not ended
    left = [lock for lock in control.held.values()
            if lock.owner is not None and lock.owner.done and pending[lock.owner.number] is None and not lock.sign]
    if not left and not control.leaks:
        return _race(control)
    names = control.session.cast.objects
    held = [f"{_name(control, lock.owner)} has ended and still holds {names[lock._number]}" for lock in left]
    told = "; ".join([*held, *control.leaks])
    return _failure(control, "leak", told, waits=(told,), origin=_unnumbered(told))


def _race(control: Control) -> Failure | None:
    """Two accesses that nothing orders, where data is watched for them."""
    race = control.session.tracker.race if control.session.tracker is not None else None
    if race is None:
        return None
    names = called(control)
    sides = [f"{names[access.actor]} {'writes' if access.mode == 'w' else 'reads'} it at {_stack_text(access.stack)}"
             for access in (race.first, race.second)]
    origin = " / ".join(sorted(f"{place[0]}:{place[1]}" for access in (race.first, race.second)
                               for place in access.stack[:1]))
    return _failure(control, "race", f"nothing orders two accesses to {race.place}: {', and '.join(sides)}",
                    waits=tuple(sides), origin=origin)


def _stack_text(stack: tuple[Place, ...]) -> str:
    return " < ".join(f"{place_text(place[:2])} in {place[2]}" for place in stack) or "?"


def _deadlock(control: Control) -> Failure:
    stuck = [control.actors[number] for number in control.execution.blocked()]
    waits = tuple(_waits(control, actor) for actor in stuck)
    cycle = _cycle(control, stuck)
    told = [wait for actor, wait in zip(stuck, waits, strict=True) if not cycle or _name(control, actor) in cycle]
    origin = "; ".join(f"{actor.name} {_unnumbered(_pending(control, actor))}" for actor in stuck)
    waits = tuple(wait for actor in stuck for wait in (_waits_of_tasks(control, actor) or [_waits(control, actor)]))
    return _failure(control, "deadlock", "; ".join(told), waits=waits, cycle=tuple(cycle), origin=origin)


def _name(control: Control, actor: Actor) -> str:
    return called(control)[actor.number]


def _pending(control: Control, actor: Actor) -> str:
    """What an actor stands before, without the numbers of steps: they differ between interleavings of one mistake."""
    operation = control.execution.pending[actor.number]
    assert operation is not None
    tasks = _waits_of_tasks(control, actor)
    return "; ".join(tasks) if tasks else operation.told(control.session.cast.objects)


def _unnumbered(text: str) -> str:
    """The same without numbers: which of several objects of one name is `lock#2` differs from session to session."""
    return re.sub(r"\d+", "", text)


def _livelock(control: Control) -> Failure | None:
    """A state that came again under fair turns; whoever replays with a `Look` has seen it."""
    circle = control.strategy.circle if isinstance(control.strategy, Look) else ()
    if not circle:
        return None
    names, objects = called(control), control.session.cast.objects
    steps = tuple(told((event,), names, objects) for event in circle)
    repeats = told(circle, names, objects)
    return _failure(control, "livelock", f"{repeats}: this repeats for ever, though everybody who can go on has turns",
                    cycle=steps, origin=repeats)


def _diverged(control: Control) -> Failure:
    return _failure(control, "nondeterminism",
                    f"{control.error}", origin="nondeterminism")


def _swallowed(control: Control) -> Failure:
    who = _name(control, control.failed) if control.failed is not None else "an actor"
    message = f"{who} catches BaseException in a loop and would not end with its execution; catch Exception instead"
    return _failure(control, "exception", message, origin="swallowed")


_TELLING = {
    End.RAISED: _raised,
    End.COMPLETE: _complete,
    End.DEADLOCK: _deadlock,
    End.ABANDONED: _livelock,
    End.DIVERGED: _diverged,
    End.SWALLOWED: _swallowed,
}


# -- who waits for whom -----------------------------------------------------------------------------------------------


def _held_by(control: Control, actor: Actor) -> list[str]:
    names = control.session.cast.objects
    return [names[lock._number] for lock in control.held.values() if lock.owner is actor]


def _waits_of_tasks(control: Control, actor: Actor) -> list[str]:
    """If the actor runs an event loop in which nothing is ready: what each task waits for."""
    operation = control.execution.pending[actor.number]
    tales = control.tales.get(operation.objects[0], []) if operation is not None and operation.objects else []
    return [f"{who} {what}{_at(place)}" for who, what, place in tales]


def _waits(control: Control, actor: Actor) -> str:
    tasks = _waits_of_tasks(control, actor)
    if tasks:
        return "; ".join(tasks)
    held = _held_by(control, actor)
    holding = f"holds {' and '.join(held)} and " if held else ""
    return f"{_name(control, actor)} {holding}waits {_for_what(control, actor)}"


def _for_what(control: Control, actor: Actor) -> str:
    operation = control.execution.pending[actor.number]
    assert operation is not None
    names = control.session.cast.objects
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
    return (f": a lost wake-up, {notified}, when nobody waited yet; {_name(control, waiter)} waits since step "
            f"{_row(control, waits)}{_at(waiter.place)}")


def _row(control: Control, events: int) -> int:
    """How many of so many events are drawn in the lanes, and so the number that the last of them has there."""
    told = sum(map(_telling_of(control), control.execution.events[:events]))
    return told + sum(after <= events for after, *_ in control.story or ())


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


def _cycle(control: Control, stuck: list[Actor]) -> list[str]:
    for start in stuck:
        path: list[int] = []
        number: int | None = start.number
        while number is not None and number not in path and control.execution.pending[number] is not None:
            path.append(number)
            number = _owner(control, control.actors[number])
        if number is not None and number in path:
            return [called(control)[member] for member in path[path.index(number):]]
    return []


_TOLD_BY_THE_LOOP = {"loop.turn", "loop.wait", "loop.timed", "loop.timer", "loop.next", "loop.cancel"}


def _telling_of(control: Control) -> Callable[[Event], bool]:
    """Which events a reader is told: not a beginning, which the next step tells, nor a look at what nobody writes."""
    written = {index for event in control.execution.events if event.operation.kind.startswith("data.")
               for index in unread(event.operation, event.alternative)}

    def is_told(event: Event) -> bool:
        kind = event.operation.kind
        if kind in _TOLD_BY_THE_LOOP or kind == "thread.begin":
            return False
        return kind != "data.read" or not written.isdisjoint(event.operation.objects)

    return is_told


# -- the lanes --------------------------------------------------------------------------------------------------------


def _rows(control: Control) -> tuple[tuple[Lane, ...], list[Told]]:
    """The interleaving, if places were recorded: one row a step that means something to a reader; and their events."""
    if control.places is None:
        return (), []
    names, objects = called(control), control.session.cast.objects
    rows: list[Lane] = []
    told: list[Told] = []
    held: dict[int, list[str]] = {}
    is_told = _telling_of(control)
    story = list(control.story or ())
    for number, (event, place) in enumerate(zip(control.execution.events, control.places, strict=True)):
        _tell(story, number, rows)
        if not is_told(event):
            continue
        _follow_locks(event, objects, held)
        told.append((len(rows) + 1, event))
        rows.append(Lane(len(rows) + 1, names[event.actor], _told(event, objects, names), place,
                         tuple(held.get(event.actor, ()))))
    _tell(story, len(control.places), rows)
    stuck = control.execution.blocked() if control.end == End.DEADLOCK else []
    for member in stuck:
        actor = control.actors[member]
        operation = control.execution.pending[member]
        tales = control.tales.get(operation.objects[0], []) if operation is not None and operation.objects else []
        rows += [Lane(0, who, what, place) for who, what, place in tales]
        if tales:
            continue
        waits = f"waits {_for_what(control, actor)}"
        rows.append(Lane(0, names[member], waits, actor.place, tuple(_held_by(control, actor))))
    if control.end == End.RAISED and control.failed is not None and control.error is not None:
        rows.append(Lane(0, names[control.failed.number], type(control.error).__name__, _raising_place(control.error)))
    return tuple(rows), told


def _tell(story: list[tuple[int, str, str, Place | None]], events: int, rows: list[Lane]) -> None:
    """Move to the rows what event loops did before so many events had happened."""
    while story and story[0][0] <= events:
        _, who, what, place = story.pop(0)
        rows.append(Lane(len(rows) + 1, who, what, place))


def _raising_place(error: BaseException) -> Any:
    where, _, line = _origin(error).rpartition(":")
    return (where, int(line), "") if where else None


def _told(event: Any, objects: list[str], actors: list[str]) -> str:
    operation = event.operation
    if operation.kind == "thread.sleep":
        return "sleep"
    if operation.kind.startswith("data."):
        return f"{'reads' if operation.kind == 'data.read' else 'writes'} {objects[operation.objects[0]]}"
    if operation.kind.startswith("thread."):
        verb = operation.kind.partition(".")[2].replace("spawn", "start").replace("_timed", "")
        thing = actors[operation.argument] if operation.argument is not None else objects[operation.objects[0]]
        gave = f" → {event.result}" if operation.kind in ("thread.join_timed", "thread.alive") else ""
        return f"{verb} {thing}{gave}"
    silent = event.result is None or (event.result is True and operation.kind.endswith(".acquire"))
    if type(event.result) is Raise:
        return f"{operation.told(objects)} raises {event.result.type.__name__}"
    gave = "" if silent else f" → {event.result!r}"
    return f"{operation.told(objects)}{gave}"


def _follow_locks(event: Any, objects: list[str], held: dict[int, list[str]]) -> None:
    family, _, verb = event.operation.kind.partition(".")
    if family not in ("lock", "rlock"):
        return
    name = objects[event.operation.objects[0]]
    if verb == "release":
        for mine in held.values():
            if name in mine:
                mine.remove(name)
    elif verb != "locked" and event.result is True:
        held.setdefault(event.actor, []).append(name)
