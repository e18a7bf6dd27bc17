"""An execution that was shown, as lanes: a row for each step that means something to a reader, with its value."""

from __future__ import annotations

from typing import Any

from hocket.explore.failing.conflict import Access, Told
from hocket.explore.failing.waiting import for_what, held_by, is_told_in, story_of
from hocket.explore.semantics import Raise, modes_of
from hocket.explore.threads.control import Control, End
from hocket.explore.threads.naming import Place, called, place_of
from hocket.explore.threads.values import ABSENT, Value
from hocket.render.lanes import Lane
from hocket.trace.event import Event

__all__ = ["Rows", "origin_of", "rows_of"]


class Rows:
    """The lanes of an execution; `told` are the events in them, `accesses` what they do to data, by number of row."""

    def __init__(self, control: Control) -> None:
        self.lanes: list[Lane] = []
        self.told: list[Told] = []
        self.accesses: list[Access] = []
        self._names, self._objects = called(control), control.session.cast.objects
        self._held: dict[int, list[str]] = {}  # by actor, the locks
        self._story = story_of(control)

    def event(self, event: Event, place: Place | None, value: Value) -> None:
        """A step of an actor."""
        self._follow_locks(event)
        who, number = self._names[event.actor], len(self.lanes) + 1
        self.told.append((number, event))
        if event.operation.kind.startswith(("data.", "cell.")):
            value = self._accessed(number, event, who, value)
        held = tuple(self._held.get(event.actor, ()))
        self.lanes.append(Lane(number, who, self._text(event, value), place, held, *_shown(value)))

    def story(self, events: int) -> None:
        """What tasks of event loops did before so many events had happened."""
        while self._story and self._story[0].after <= events:
            deed, number = self._story.pop(0), len(self.lanes) + 1
            where = (deed.name,) if deed.name else ()
            reads, writes = ((), where) if deed.value.writes else (where, ())
            self.accesses.append(Access(number, deed.who, reads, writes, deed.name, deed.value))
            text = f"{_verb(deed.value)} {deed.name}" if deed.name else deed.text
            self.lanes.append(Lane(number, deed.who, text, deed.place, (), *_shown(deed.value)))

    def last(self, who: str, text: str, place: Place | None, held: tuple[str, ...] = ()) -> None:
        """What was not performed any more."""
        self.lanes.append(Lane(0, who, text, place, held))

    def _accessed(self, number: int, event: Event, who: str, value: Value) -> Value:
        """Enter what an event does to data into the account from which the conflict that mattered is read off."""
        reads: list[str] = []
        writes: list[str] = []
        for index, mode in modes_of(event.operation, event.alternative, event.reads_only):
            (reads if mode == "r" else writes).append(self._objects[index])
        about = self._objects[value.place] if value.place is not None else ""
        self.accesses.append(Access(number, who, tuple(reads), tuple(writes), about, value))
        return value if about else value._replace(place=event.operation.objects[0], writes=bool(writes))

    def _text(self, event: Event, value: Value) -> str:
        operation = event.operation
        family, _, verb = operation.kind.partition(".")
        if family == "data" and value.place is not None:
            return f"{_verb(value)} {self._objects[value.place]}"
        if operation.kind == "thread.sleep":
            return "sleep"
        if family == "thread":
            whom = operation.argument
            thing = self._names[whom] if whom is not None else self._objects[operation.objects[0]]
            return f"{verb.replace('spawn', 'start').replace('_timed', '')} {thing}"
        said = value.said or operation.told(self._objects)
        if type(event.result) is Raise:
            return f"{said} raises {event.result.type.__name__}"
        return f"{said} in {value.via}" if value.via else said

    def _follow_locks(self, event: Event) -> None:
        family, _, verb = event.operation.kind.partition(".")
        if family not in ("lock", "rlock"):
            return
        name = self._objects[event.operation.objects[0]]
        if verb == "release":
            for mine in self._held.values():
                if name in mine:
                    mine.remove(name)
        elif verb != "locked" and event.result is True:
            self._held.setdefault(event.actor, []).append(name)


def rows_of(control: Control) -> Rows:
    """The rows of an execution; none if it was not recorded where its steps were taken."""
    rows = Rows(control)
    if control.places is None or control.values is None:
        return rows
    is_told = is_told_in(control)
    steps = zip(control.execution.events, control.places, control.values.seen, strict=True)
    for number, (event, place, value) in enumerate(steps):
        rows.story(number)
        if is_told(event):
            rows.event(event, place, value)
    rows.story(len(control.places))
    _stand_still(control, rows)
    if control.end == End.RAISED and control.failed is not None and control.error is not None:
        who = called(control)[control.failed.number]
        rows.last(who, type(control.error).__name__, _raising_place(control.error))
    return rows


def _stand_still(control: Control, rows: Rows) -> None:
    """Who waits in a deadlock, and for what; of an event loop, its tasks."""
    for member in control.execution.blocked() if control.end == End.DEADLOCK else ():
        actor, operation = control.actors[member], control.execution.pending[member]
        tales = control.tales.get(operation.objects[0], []) if operation is not None and operation.objects else []
        for who, what, place in tales:
            rows.last(who, what, place)
        if not tales:
            held = tuple(held_by(control, actor))
            waits = for_what(control, actor).partition(": ")[0]  # the reason is in the headline
            rows.last(called(control)[member], f"waits {waits}", actor.place, held)


def origin_of(error: BaseException) -> str:
    """Where in the program it was raised; empty if nowhere."""
    trace = error.__traceback__
    where = ""
    while trace is not None:
        place = place_of(trace.tb_frame)
        if place is not None and place[0] == trace.tb_frame.f_code.co_filename:
            where = f"{place[0]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def _raising_place(error: BaseException) -> Any:
    where, _, line = origin_of(error).rpartition(":")
    return (where, int(line), "") if where else None


def _verb(value: Value) -> str:
    return "reads" if not value.writes else "removes" if value.text == ABSENT else "writes"


def _shown(value: Value) -> tuple[str, str, str]:
    """The value of a lane, the sign in front of it, and what was there before it was written."""
    if value.gave or value.said:
        return (value.gave, "→", value.before) if value.gave else (value.text, "", value.before)
    if value.writes and value.text == ABSENT:
        return ("", "", "") if value.before == ABSENT else (value.before, "was", "")
    return value.text, "" if not value.text else "=" if value.writes else "→", value.before
