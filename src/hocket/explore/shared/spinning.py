"""Loops that poll: who goes round one and changes nothing has to wait until others change what it looks at.

    while not done[0]:            while not stop.wait(0.1):        with lock, again and again:
        time.sleep(0.01)              pass                             if queue: break

Left alone such a loop has one class of interleavings more for each time it goes round, without end. But a round that
leaves everything as it was may be left out: let an actor come twice to one place, where it stands as it stood there
before (standing.py), the objects that it used between as they were, and nobody else's step in between that these
steps depend on. Then its steps can be moved together and dropped, and whatever follows happens as before. So
every end that the program can come to is come to without such a round, and an actor that has made one need not go on:
it is left standing in this execution (`poll.vain`), and goes on in others, where what it looks at changed in time.

If nothing changed after it looked, it goes round for ever: a livelock. Whether a round is one is told by the actor's
own past alone, not by how independent steps happened to be ordered: by its locals and what is reachable only from
them, never by what others can write. What cannot be looked at (a running `for` loop, code that is not tracked)
leaves a loop as it is.

Refused: asking for an annotation, or for a limit on rounds. The first is not there in unmodified code, the second
leaves out what happens later.

Source: Kokologiannakis, Ren, Vafeiadis, FMCAD 2021 (spinloops in partial-order reduction), for rounds that only read.
"""

from __future__ import annotations

import dis
import os
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from types import CellType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.execution import Execution
from hocket.explore.failing.standing import PLAIN, Look, Unsure, stands_in_loop
from hocket.explore.semantics import ROWS, modes_of
from hocket.explore.shared.parts import is_made_by_python
from hocket.explore.threads.actor import Actor
from hocket.explore.threads.atomic import Controlled
from hocket.explore.threads.control import Control
from hocket.explore.threads.naming import is_hocket, is_machinery
from hocket.explore.threads.spaces import file_of
from hocket.trace.event import Event
from hocket.trace.operation import Operation

__all__ = ["VAIN", "Left", "Spinloops"]

VAIN = Operation("poll.vain", ())
_PATIENCE = 4  # rounds of a loop that come to something, before it is looked at less and less often
_RESTLESS = 30  # rounds that would have been in vain, if nobody else had come between
# where loops are gone round that are not the program's
_HIDING = tuple(f"{os.sep}{folder}" for folder in ("asyncio", f"explore{os.sep}aio", f"explore{os.sep}linear"))
_PROBES = "hocket.explore.shared."
# whose objects have a lock around what may change
_GUARDED = {"threading", "queue", "concurrent", "logging", "asyncio", "multiprocessing", "_pytest", "pytest", "hocket"}
# of the probes, those that come to one step, or to one function of the program, and do not call again and again
_ACCESSES = frozenset({"get", "_get_shared", "bound", "item", "glob", "_touch_global", "_touch_namespace", "name",
                       "cell", "truth", "contained", "compare", "linked", "_announce", "_in_one_step", "_touch",
                       "_touch_key", "_used", "_looked", "_called_on", "_call_bound"})
_CALLS = _ACCESSES | {"call", "_unspoken", "_foreign", "_handed_over", "_given_away", "_operate", "_begin", "_length",
                      "_bool", "_getattr", "_hasattr"}
_FOR, _WHILE = "for", "while"
_AROUND: dict[tuple[int, int], tuple[str, CodeType]] = {}  # code by identity, place in it -> the loop there, code
_MANY = 4096  # places, of which a program may make new ones in each execution
_ENDLESS = "polls in a loop, and others that poll, too, keep it going: wait on a Condition or Event"
_CONTAINERS = (list, dict, set, deque, bytearray, OrderedDict, defaultdict, CellType)
_BUILTIN = (*PLAIN, object, list, tuple, dict, set, frozenset)
_GROWING = ("data.write", "data.put", "data.ensure", "data.drop", "data.mixed", "thread.spawn", "thread.begin")

Site = tuple[int, ...]
"""The innermost code of the user's, what it has called of the library, and where each stands."""


class _Visit:
    """What is known of a place to which an actor comes again and again."""

    __slots__ = ("before", "count", "disturbed", "position", "standing", "states", "touched")

    def __init__(self, position: int) -> None:
        self.count, self.disturbed = 1, 0
        self.before, self.position = 0, position  # so many events before the last visit but one, and before the last
        self.standing: Hashable = None  # at the last visit, if it was looked at
        self.states: dict[int, Any] = {}  # of the objects, at the last visit
        self.touched: frozenset[int] = frozenset()  # the objects of its round before the last visit


class Left(NamedTuple):
    """Where an actor was left standing: after so many events its last round began, which used these objects."""

    since: int
    objects: frozenset[int]


class Spinloops:
    """Looks out for loops that poll, in the executions of one exploration."""

    def __init__(self, known: Mapping[int, Any], is_rewritten: Callable[[CodeType], bool]) -> None:
        self._known, self._is_rewritten = known, is_rewritten
        self._met: dict[Any, _Visit] = {}
        self._first: dict[Any, int] = {}  # so many events before a step was made first
        self.left: dict[int, Left] = {}  # the actors left standing

    def begin(self, control: Control) -> None:
        """An execution begins."""
        self._met.clear()
        self._first.clear()
        self.left.clear()

    # -- an actor comes to a step

    def announced(self, actor: Actor, operation: Operation) -> Operation:
        """The step that `actor` has come to; `VAIN` if it has gone round in vain."""
        return VAIN if self._goes_round(actor, operation) else operation

    def _goes_round(self, actor: Actor, operation: Operation) -> bool:
        step, here = (actor.number, operation.kind, operation.objects), len(actor.control.execution.events)
        first = self._first.setdefault(step, here)
        if first == here:  # most steps are made once, and where is not asked then
            return False
        if not _may_poll(sys._getframe(3)):
            return False
        place = (*step, _site())
        visit = self._met.get(place)
        if visit is None:
            visit = self._met[place] = _Visit(first)
        visit.count += 1
        if visit.count > _PATIENCE and not (_is_power(visit.count) or _is_power(visit.count - 1)):
            visit.standing = None
        elif self._closes(actor, visit, here):
            self.left[actor.number] = Left(visit.position, visit.touched)
            return True
        visit.before, visit.position = visit.position, here
        return False

    def _closes(self, actor: Actor, visit: _Visit, here: int) -> bool:
        """Compare this visit with the last one, and remember it for the next."""
        execution = actor.control.execution
        touched = visit.touched
        compared = visit.standing is not None and self._is_null(actor, visit, here)
        if not compared:
            touched = _touched(execution.events[visit.position:here], actor.number)
        standing = self._standing(actor, touched)
        if compared and standing is not None and standing == visit.standing:
            return True
        visit.standing, visit.states, visit.touched = standing, dict(execution.states), touched
        return False

    def _is_null(self, actor: Actor, visit: _Visit, here: int) -> bool:
        """Whether the round since the last visit left the objects as they were, and nobody came between its steps."""
        execution = actor.control.execution
        mine = [event for event in execution.events[visit.position:here] if event.actor == actor.number]
        if not mine or any(event.operation.kind.startswith(_GROWING) for event in mine):
            return False
        old = _touched(mine, actor.number) & visit.states.keys()
        if not old <= visit.touched or not all(_same(execution.states[each], visit.states[each]) for each in old):
            return False
        disturbed = _is_disturbed(execution.events[visit.before:here], actor.number, visit.position - visit.before)
        visit.disturbed += disturbed
        if visit.disturbed > _RESTLESS:
            actor.control.session.stop = f"{actor.name} {_ENDLESS}"
        return not disturbed

    def _standing(self, actor: Actor, touched: frozenset[int]) -> Hashable:
        """Where it stands, by what is its own; None if that cannot be told.

        What calls again and again may also be code of C (`map`, `sorted`, `reduce`), or ours, and where that stands
        nobody can see: so each function has to be called by another one of the program, or by what calls only once.
        """
        alone = actor.control.alive == 1
        look = _Own({} if alone else self._known, touched, alone=alone)
        found: list[Hashable] = []
        between: list[FrameType] = []  # frames of ours, or of the library, since the last one of the program
        frame: FrameType | None = sys._getframe(4)
        try:
            while frame is not None:
                code = frame.f_code
                if is_machinery(code.co_filename):
                    between.append(frame)
                else:
                    if not self._is_rewritten(code) or not _calls_once(between, inside=bool(found)):
                        return None
                    found.append(look.frame(frame))
                    between.clear()
                frame = frame.f_back
        except Unsure:
            return None
        return alone, actor.asks, actor.rebound, actor.whims, tuple(found)

    # -- an execution is over

    def is_in_vain(self, control: Control) -> bool:
        """Whether somebody was left standing, and others show how it goes on.

        What it looked at has changed since; a choice in its round could have been another one; or it could go round to
        where somebody else can go on.
        """
        execution = control.execution
        waiting = [number for number in execution.blocked() if number not in self.left]
        return any(_has_changed(execution.events, number, left.objects) or _could_choose(execution, number, left.since)
                   or _lets_on(execution, number, left.since, waiting) for number, left in self.left.items())


def _depending(events: Iterable[Event], number: int) -> Iterator[tuple[int, int, bool]]:
    """For each step of an actor on an object: which event, which object, whether it depends on others' steps there.

    On those since its last step on that object; or until its next one, if the events are told backwards.
    """
    others: dict[int, list[str]] = defaultdict(list)  # object -> what others did to it
    for at, event in enumerate(events):
        for index, mode in modes_of(event.operation, event.alternative, event.reads_only):
            if event.actor != number:
                others[index].append(mode)
            else:
                met = others.pop(index, ())
                yield at, index, "w" in met or (mode == "w" and bool(met))


def _is_disturbed(events: Sequence[Event], number: int, since: int) -> bool:
    """Whether a step of the actor, since so many events, depends on one that somebody else has made after its last."""
    return any(depends and at >= since for at, _, depends in _depending(events, number))


def _has_changed(events: Sequence[Event], number: int, objects: frozenset[int]) -> bool:
    """Whether others have made a step that depends on the actor's last one on one of these objects."""
    last: dict[int, bool] = {}
    for _, index, depends in _depending(reversed(events), number):
        last.setdefault(index, depends)
    return any(last.get(index) for index in objects)


def _could_choose(execution: Execution, number: int, since: int) -> bool:
    """Whether a step of the actor's last round could have been taken in another way."""
    for event, before in zip(execution.events[since:], execution.before[since:], strict=True):
        row, operation = ROWS[event.operation.kind], event.operation
        if event.actor == number and not row.always_once and any(
                row.enabled(before, number, operation.argument, alternative)
                for alternative in range(row.alternatives(operation.argument)) if alternative != event.alternative):
            return True
    return False


def _lets_on(execution: Execution, number: int, since: int, waiting: list[int]) -> bool:
    """Whether one of those who wait could go on somewhere in the last round that this actor has made."""
    states: dict[int, list[Any]] = defaultdict(list)
    for event, before in zip(execution.events[since:], execution.before[since:], strict=True):
        if event.actor == number and event.operation.objects:
            each = before if len(event.operation.objects) > 1 else (before,)
            for index, state in zip(event.operation.objects, each, strict=True):
                states[index].append(state)
    return any(_could_go_on(execution, other, states) for other in waiting)


def _could_go_on(execution: Execution, actor: int, states: dict[int, list[Any]]) -> bool:
    operation = execution.pending[actor]
    assert operation is not None, "who waits has a step pending"
    row = ROWS[operation.kind]
    tried = product(*([execution.states[index], *states.get(index, ())] for index in operation.objects))
    return any(row.enabled(state[0] if len(state) == 1 else state, actor, operation.argument, alternative)
               for state in tried for alternative in range(row.alternatives(operation.argument)))


def _calls_once(between: list[FrameType], *, inside: bool) -> bool:
    """Whether code that is not the program's, called by it, makes one step, or calls one function of the program.

    A lock, an event or a queue may make several: the place in it is part of the site.
    """
    ours = {frame.f_code.co_name for frame in between if frame.f_globals.get("__name__", "").startswith(_PROBES)}
    if not ours:
        return not (between and inside)
    return ours <= (_ACCESSES if inside else _CALLS)


def _may_poll(frame: FrameType | None) -> bool:
    """Whether it stands in a loop of the program, and in none that is `for` or ours: how far those are is unknown."""
    loops = False
    while frame is not None:
        code = frame.f_code
        if is_machinery(code.co_filename):
            if _hides(code.co_filename):
                return False
        else:
            place = id(code), frame.f_lasti
            known = _AROUND.get(place) or _look_around(place, code)
            if known[0] == _FOR:
                return False
            loops = loops or known[0] == _WHILE
        frame = frame.f_back
    return loops


@cache
def _hides(file: str) -> bool:
    """Whether a file of the machinery calls the program again and again; `pathlib` may itself be what is explored."""
    return file.rpartition(os.sep)[0].endswith(_HIDING)


def _look_around(place: tuple[int, int], code: CodeType) -> tuple[str, CodeType]:
    """What loop there is around a place; remembered with the code, so that nobody else gets its identity."""
    if len(_AROUND) >= _MANY:
        _AROUND.clear()
    loop = _FOR if stands_in_loop(code, place[1]) else _WHILE if _is_in_while(code, place[1]) else ""
    found = _AROUND[place] = loop, code
    return found


def _is_in_while(code: CodeType, at: int) -> bool:
    """Whether a jump leads back from behind this place to before it."""
    return any("JUMP_BACKWARD" in step.opname and step.argval <= at <= step.offset
               for step in dis.get_instructions(code))


def _is_power(count: int) -> bool:
    return count & (count - 1) == 0


def _touched(events: list[Event], number: int) -> frozenset[int]:
    return frozenset(index for event in events if event.actor == number for index in event.operation.objects)


def _same(one: Any, other: Any) -> bool:
    """Equal, and no method of the program is asked."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if type(one) in (tuple, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) in PLAIN and bool(one == other)


def _site() -> Site:
    found: list[int] = []
    frame: FrameType | None = sys._getframe(3)
    while frame is not None:
        file = frame.f_code.co_filename
        if not is_hocket(file):
            found += (id(frame.f_code), frame.f_lasti)
            if not is_machinery(file):
                break
        frame = frame.f_back
    return tuple(found)


class _Own(Look):
    """A look at what is an actor's own: what others can reach is named, and not looked into.

    To an actor that is `alone` everything belongs: what it does to shared data is no operation then.
    """

    def __init__(self, known: Mapping[int, Any], touched: frozenset[int], *, alone: bool) -> None:
        super().__init__()
        self._known, self._touched = known, touched
        self._told: tuple[type, ...] = () if alone else PLAIN  # where such a value is, an operation says so

    def _is_told(self, thing: Any) -> bool:
        """Whether whatever is done to it is an operation."""
        kind = type(thing)
        return id(thing) in self._known and (kind in _CONTAINERS or (
            _is_of_python(kind) and not is_machinery(_file_of(kind))))

    def at(self, thing: Any) -> Hashable:
        shared = self._known.get(id(thing))
        if shared is None or not self._is_told(thing) or isinstance(thing, (FunctionType, type)):
            return super().at(thing)
        return "shared", shared.number, self.at(_code_in(thing) or type(thing))

    def _object(self, thing: Any) -> Hashable:
        kind = type(thing)
        if not _is_of_python(kind) or is_hocket(_file_of(kind)):
            raise Unsure(kind.__qualname__)  # what is kept in C is not seen
        guarded = kind.__module__.partition(".")[0] in _GUARDED and is_machinery(_file_of(kind))
        if guarded and self._touched.isdisjoint(_locks_within(thing)):
            return id(thing)  # others may change it, and a round that does would take one of its locks
        return super()._object(thing)

    def _type(self, thing: type) -> Hashable:
        attributes = [] if self._told or not is_made_by_python(thing) or is_machinery(_file_of(thing)) else [
            value for name, value in vars(thing).items() if name[:2] != "__"]
        return super()._type(thing), self.all(attributes)

    def frame(self, frame: FrameType) -> Hashable:
        code = frame.f_code
        captured = {*code.co_cellvars, *code.co_freevars}  # assigning one is an operation, or counted (probes.py)
        values = {name: value for name, value in frame.f_locals.items()
                  if name not in captured or not (type(value) in self._told or self._is_told(value))}
        return id(code), frame.f_lasti, tuple(values), self.all(values.values()), self._globals(code, frame.f_globals)

    def _globals(self, code: CodeType, names: dict[str, Any]) -> Hashable:
        """A global is read and assigned by operations: of what it holds code matters, and what nobody shares."""
        used = [(name, names[name]) for name in code.co_names if name in names]
        own = [(name, value) for name, value in used if isinstance(value, (FunctionType, type, ModuleType))
               or not (type(value) in self._told or self._is_told(value))]
        return tuple(name for name, _ in own), self.all(value for _, value in own)


def _is_of_python(kind: type) -> bool:
    """Whether its objects keep nothing in C that could not be seen."""
    return all(is_made_by_python(base) or base in _BUILTIN for base in kind.__mro__)


def _code_in(thing: Any) -> Any:
    """The function or class that a captured variable holds, if it is one."""
    try:
        found = thing.cell_contents if isinstance(thing, CellType) else None
    except ValueError:
        return None
    return found if isinstance(found, (FunctionType, type)) else None


def _file_of(kind: type) -> str:
    return file_of(sys.modules.get(kind.__module__)) or ""


def _locks_within(thing: Any, depth: int = 2) -> set[int]:
    """The numbers of the controlled objects that a lock, an event or a queue of the library is made of."""
    found: set[int] = set()
    for value in getattr(thing, "__dict__", {}).values():
        if isinstance(value, Controlled):
            if isinstance(value._number, int):
                found.add(value._number)
        elif depth and is_machinery(_file_of(type(value))):
            found |= _locks_within(value, depth - 1)
    return found
