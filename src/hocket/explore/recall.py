"""What the actors of a pure model do after which answers: found out by running them, and remembered.

An actor of a model keeps everything in its locals, so the answers that it got say
where it stands. A search brings an actor to one place again and again, and most
of the time it went on from there before: what came of it is read here, and no
generator runs. One does when a place is reached for the second time, and every
64th time after that, because a body that keeps state between runs must not be believed.

An operation may ask a question, a function that sees variables of its actor. It
sees them as they are when it is called, and a search calls it also after the actor
has gone on and was taken back. So it gets variables of its own; and if what it sees
may be changed in place, its actor stays where it is, and another one goes on in its stead.

Refused: remembering without a limit, because memory must not grow with the number of executions. The first places are
kept, and an actor that stands elsewhere is run as if there were no memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.handles import Body, Handle, Spawn, Steps
from hocket.explore.semantics import Raise
from hocket.trace.operation import Operation

__all__ = ["AGAIN", "UNKNOWN", "Differs", "Ended", "Life", "Raised", "Recall", "Stand", "label"]

AGAIN = 63
"""An actor is run again at the visits of a place whose number, in these bits, is 1."""

UNKNOWN = object()
"""The label of an answer that cannot be told from others."""

_ROOM = 10_000
_LABELLED = (bool, int, str, bytes, type(None))
_CALLING = {"cell.await", "cell.until", "cell.update"}  # the argument is called when they happen, or are asked for
_FIXED = (int, float, complex, str, bytes, type(None), type, range, ModuleType, BuiltinFunctionType, Handle, Enum)


class Raised(NamedTuple):
    """The end of an actor by an exception."""

    error: Exception


class Ended(NamedTuple):
    """The end of an actor: what it returned, or `Raised`."""

    how: Any


class Stand:
    """A place in the life of an actor: what it yielded there, or how it ended."""

    __slots__ = ("answer", "asked", "first", "inner", "key", "operation", "others", "plain", "seen", "stays", "steps",
                 "then")

    def __init__(self, answer: Any, steps: Steps, asked: Any) -> None:
        self.answer = answer  # after this one
        self.steps: Steps | None = steps  # a generator that stands here, unless it went on
        self.asked = asked  # what it yielded, or `Ended`
        self.operation: Any = None  # what that means; the host says it of what is not `plain`
        self.plain = False  # an operation before which nothing has to be done
        self.stays = False  # the generator must stay here: what it asked sees its variables
        self.inner = False  # it came here without an event: an inner step of a re-entrant lock
        self.key: Any = UNKNOWN  # the label of an answer, and where it went on to after that
        self.then: Stand | None = None
        self.others: dict[Any, Stand] = _NOWHERE  # and after others
        self.seen = 0  # how often it came here by memory
        self.first: Stand | None = None  # where that begins which is spawned here


_NOWHERE: dict[Any, Stand] = {}


class Differs(Exception):
    """At its `number`-th place, from 0, an actor yielded `now`, and `then` before; or `Ended`."""

    def __init__(self, number: int, then: Any, now: Any) -> None:
        self.number, self.then, self.now = number, then, now
        super().__init__(number, then, now)


class Life:
    """An actor in one execution: its body, and where it stood; where it stands comes last."""

    __slots__ = ("arguments", "body", "path")

    def __init__(self, body: Body, arguments: tuple[Any, ...], first: Stand | None = None) -> None:
        self.body, self.arguments = body, arguments
        self.path = [first or _go_on(body(*arguments), None)]


class Recall:
    """The places of all actors that are remembered, at most `room`."""

    __slots__ = ("room",)

    def __init__(self, room: int = _ROOM) -> None:
        self.room = room

    def find_out(self, life: Life, answer: Any, key: Any) -> Stand:
        """Where an actor goes from where it stands, to be remembered by `key`. Raises `Differs`."""
        here = life.path[-1]
        steps = here.steps
        if steps is None or here.stays:
            steps = _caught_up(life)
        else:
            here.steps = None
        found = _go_on(steps, answer)
        if self.room and key is not UNKNOWN:
            self.room -= 1
            if here.then is None:
                here.key, here.then = key, found
            elif here.others is _NOWHERE:
                here.others = {key: found}
            else:
                here.others[key] = found
        return found

    def look_again(self, life: Life, known: Stand) -> None:
        """Whether an actor goes from where it stands to `known` once more. Raises `Differs`."""
        steps = _caught_up(life)
        asked = _send(steps, known.answer)
        if not _same(asked, known.asked):
            raise Differs(len(life.path), known.asked, asked)
        if known.steps is None:
            known.steps = steps


def label(answer: Any) -> Any:
    """By what an answer is remembered: equal for answers that no program can tell apart, else `UNKNOWN`."""
    kind = type(answer)
    if kind in _LABELLED:
        return kind, answer
    if kind is tuple:
        parts = tuple([label(part) for part in answer])
        return UNKNOWN if UNKNOWN in parts else parts
    return UNKNOWN


# -- running actors ---------------------------------------------------------------------------------------------------


def _go_on(steps: Steps, answer: Any) -> Stand:
    """Give an answer to a generator, and see where it comes to."""
    asked = _send(steps, answer)
    stand = Stand(answer, steps, asked)
    if type(asked) is Operation:
        if asked[0] in _CALLING:
            function, stand.stays = _own(asked[2])
            stand.asked = asked = asked._replace(argument=function)
        stand.operation, stand.plain = asked, asked[0][:5] != "rlock"
    elif type(asked) is Spawn:
        function, stand.stays = _own(asked.body)
        stand.asked = asked._replace(body=function)
    return stand


def _caught_up(life: Life) -> Steps:
    """A fresh generator that stands where the actor stands, since it got the same answers."""
    steps, path = life.body(*life.arguments), life.path
    before = path[0].asked
    asked = _send(steps, None)
    for number in range(1, len(path)):
        if not _same(asked, before):
            raise Differs(number - 1, before, asked)
        before, asked = path[number].asked, _send(steps, path[number].answer)
    if not _same(asked, before):
        raise Differs(len(path) - 1, before, asked)
    return steps


def _send(steps: Steps, answer: Any) -> Any:
    """What a generator yields when it is given this answer, or how it ended."""
    try:
        return steps.send(answer) if type(answer) is not Raise else steps.throw(answer.type(answer.message))
    except StopIteration as stop:
        return Ended(stop.value)
    except Exception as error:
        return Ended(Raised(error))


def _same(asked: Any, before: Any) -> bool:
    """Whether both are the same step of a program; arguments need not be comparable."""
    return type(asked) is type(before) and (type(asked) is not Operation or asked[:2] == before[:2])


# -- functions that see variables -------------------------------------------------------------------------------------


def _own(function: Callable[..., Any]) -> tuple[Callable[..., Any], bool]:
    """The function with variables of its own; or as it is, and True, if it sees what may be changed in place."""
    if type(function) is not FunctionType:
        return function, not isinstance(function, (BuiltinFunctionType, type))
    if not all(map(_is_fixed, _seen_by(function))):
        return function, True
    if not function.__closure__:
        return function, False
    cells = tuple([CellType(cell.cell_contents) for cell in function.__closure__])
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, cells)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy, False


def _seen_by(function: FunctionType) -> Iterator[Any]:
    """What it sees besides arguments and globals; instead of a variable without a value the variable itself."""
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            yield cell


def _is_fixed(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_fixed, value))
    if type(value) is FunctionType:
        return not value.__closure__ and all(map(_is_fixed, _seen_by(value)))
    return isinstance(value, _FIXED)
