"""What each event of a shown execution read or wrote, in words.

Noted while the execution runs, because afterwards the objects have changed: what was read, when its event is
performed, and what was written, when the next one is, since a write happens after its event and before anybody
else comes. Words only, so that nothing lives longer for being told about; and no code of the program is run for them
(trace/brief.py), so that the execution is the one that it would have been.

Of locks that are taken inside of `threading` and `queue` a reader wants to know whose: so the method that the program
has called is told with them, and what went through it. Only what is replayed to be shown has a `Values`.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, TypeVar, cast

from hocket.explore.execution import Execution
from hocket.explore.semantics import Raise, unread
from hocket.explore.threads.naming import Place, is_hocket, is_machinery
from hocket.trace.brief import Naming, brief
from hocket.trace.event import Event

__all__ = ["ABSENT", "Deed", "Value", "Values", "altered", "now"]

# methods of the standard library, and which of their locals has what they are given, or what they have got
_GIVEN = {"Queue.put": "item", "Queue.put_nowait": "item", "Future.set_result": "result"}
_GOT = {"Queue.get": "item"}
_SILENT = {"lock.acquire", "rlock.acquire", "queue.put"}  # which can do nothing but succeed
_OURS = {"_is_set": "event"}  # what stands in for a method, and the local that has the flag


_Record = TypeVar("_Record", bound=tuple[Any, ...])

ABSENT = "absent"
"""The words for a place where there is nothing."""


class Value(NamedTuple):
    """What an event read, or wrote: then `text` is what is there now, and `before` what was.

    `gave` is the result of an operation that is a call, `said` the call with its arguments, as they were then; `place`
    the object that the text is about, if it is about data; `via` the method of the standard library that the program
    has called, if it stands in one.
    """

    text: str = ""
    before: str = ""
    writes: bool = False
    place: int | None = None
    gave: str = ""
    said: str = ""
    via: str = ""


class Deed(NamedTuple):
    """What a task did after so many events: in words, or `value` at the place that is called `name`."""

    after: int
    who: str
    text: str
    place: Place | None
    name: str = ""
    value: Value = Value()


class Values:
    """Those of one execution, one for each event."""

    def __init__(self, execution: Execution) -> None:
        self.seen: list[Value] = []
        self.called: Naming = lambda value: ""
        self._execution = execution
        self._objects = execution.cast.objects
        self._calls: dict[int, _Call] = {}  # that actors stand in, by actor
        self._later: Callable[[], None] | None = None  # enters what was written last, once it is

    def announced(self, actor: int, frame: FrameType | None) -> None:
        """An actor stands before its next operation, in `frame` or further out."""
        self._calls[actor] = _call_of(frame, self.called)

    def performed(self, event: Event) -> None:
        self.settle()
        call = self._calls.pop(event.actor, _NONE)
        family, _, verb = event.operation.kind.partition(".")
        if family == "data":
            self.seen.append(Value())
        elif family == "cell":
            self.seen.append(self._of_cell(event))
        elif call.flag is not None:
            flag = object.__getattribute__(call.flag, "__dict__").get("_flag")
            self.seen.append(Value(gave=brief(flag), said=f"{self._objects[event.operation.objects[0]]}.is_set"))
        else:
            gave = call.got if verb == "release" else self._result(event)
            self.seen.append(Value(gave=gave, said=self._said(event), via=call.told))

    def _said(self, event: Event) -> str:
        return event.operation.told(self._objects)

    def _result(self, event: Event) -> str:
        result, kind = event.result, event.operation.kind
        if result is None or type(result) is Raise or (result is True and kind in _SILENT):
            return ""
        taken = kind.startswith("queue.") and type(result) is tuple
        return brief(result[0] if taken else result, self.called)

    def _of_cell(self, event: Event) -> Value:
        number = event.operation.objects[0]
        now, before = self._execution.states[number], self._execution.before[-1]
        writes = bool(unread(event.operation, event.alternative)) and not event.reads_only
        return Value(brief(now, self.called), brief(before, self.called) if writes else "", writes, number,
                     self._result(event), self._said(event))

    def looked(self, place: int, writes: bool, look: Callable[[], str]) -> None:
        """The last event touches data at `place`, where `look` tells what is there."""
        if self.seen[-1].place is not None:
            return
        self.seen[-1] = now(Value(place=place, writes=writes), look)
        if writes:
            last = len(self.seen) - 1

            def enter() -> None:
                self.seen[last] = altered(self.seen[last], text=look())

            self.later(enter)

    def did(self, story: list[Deed], deed: Deed, look: Callable[[], str]) -> None:
        """The same of what a task does, which is no event."""
        self.settle()
        story.append(altered(deed, value=now(deed.value, look)))
        if deed.value.writes:
            last = len(story) - 1

            def enter() -> None:
                story[last] = altered(story[last], value=altered(story[last].value, text=look()))

            self.later(enter)

    def later(self, enter: Callable[[], None]) -> None:
        """Call `enter` once what is about to be written is there."""
        self._later = enter

    def settle(self) -> None:
        """What was written last is there now."""
        later, self._later = self._later, None
        if later is not None:
            later()


def altered(record: _Record, **new: Any) -> _Record:
    """As `_replace` of a named tuple does, whose code is that of `collections`, which may be under exploration."""
    kind: Any = type(record)
    return cast(_Record, tuple.__new__(kind, map(new.get, kind._fields, record)))


def now(value: Value, look: Callable[[], str]) -> Value:
    """With what is there before the access itself."""
    return altered(value, before=look()) if value.writes else altered(value, text=look())


class _Call(NamedTuple):
    """A call of the standard library: in words, what it has got, and the Event whose flag it asks for."""

    told: str = ""
    got: str = ""
    flag: Any = None


_NONE = _Call()


def _call_of(frame: FrameType | None, called: Naming) -> _Call:
    """What the program has called that leads to `frame`."""
    name = given = got = ""
    while frame is not None and is_machinery(frame.f_code.co_filename):
        code = frame.f_code
        if is_hocket(code.co_filename):
            if code.co_name in _OURS:
                return _Call(flag=frame.f_locals.get(_OURS[code.co_name]))
        else:
            name = code.co_name
            given = given or _local(frame, _GIVEN.get(code.co_qualname), called)
            got = got or _local(frame, _GOT.get(code.co_qualname), called)
        frame = frame.f_back
    if not name or name[:2] == "__":
        return _NONE
    return _Call(f"{name}({given})", got)


def _local(frame: FrameType, name: str | None, called: Naming) -> str:
    held = frame.f_locals if name is not None else {}
    return brief(held[name], called) if name in held else ""
