"""A sequential object as an automaton: its states are numbers, and each call leads from one to the next.

To decide whether a history fits, a search asks "what would the sequential object
have answered here?" thousands of times, from states that keep coming back. So a
state is known by the calls that lead to it and by what it looks like inside; each
step is made once, on an object that is built again from the factory. Refused:
`copy.deepcopy` of the object (locks, iterators and callbacks cannot be copied),
and asking it for `__eq__` and `__hash__` (an ordinary class has none that speak of
its state). What cannot be compared is taken to be different, which costs time only.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from enum import Enum
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, NamedTuple

__all__ = ["Answer", "Call", "Kind", "Reference", "Waits", "answer_of", "look"]


class Waits(Exception):
    """Raised by a method of a *sequential* class for a call that has to wait until others have made it possible."""


class Call:
    """One call of a scenario: two equal calls are still two."""

    __slots__ = ("arguments", "method")

    def __init__(self, method: str, arguments: tuple[Any, ...] = ()) -> None:
        self.method, self.arguments = method, arguments

    def __repr__(self) -> str:
        return f"{self.method}({', '.join(map(repr, self.arguments))})"


class Kind(Enum):
    """How a call may end."""

    RETURNED = "returned"
    RAISED = "raised"
    WAITS = "waits"


class Answer(NamedTuple):
    """What a call came to: the value that it returned, or the type of the exception that it raised."""

    kind: Kind
    value: Any = None

    def same_as(self, other: Answer) -> bool:
        """Whether a client could not tell the two apart: equal values, or exceptions of one type."""
        if self.kind is not other.kind:
            return False
        return self.value is other.value or bool(self.value == other.value)

    def __str__(self) -> str:
        if self.kind is Kind.WAITS:
            return "it would wait"
        return repr(self.value) if self.kind is Kind.RETURNED else f"raises {self.value.__name__}"


def answer_of(thing: Any, call: Call) -> Answer:
    """Make the call; an exception is an answer like any other."""
    try:
        value = getattr(thing, call.method)(*call.arguments)
    except Waits:
        return Answer(Kind.WAITS)
    except Exception as error:
        return Answer(Kind.RAISED, type(error))
    return Answer(Kind.RETURNED, _as_it_is_now(value))


def _as_it_is_now(value: Any) -> Any:
    """A value that later calls cannot change."""
    if value is None or type(value) in _ATOMS:
        return value
    try:
        return deepcopy(value)
    except Exception:  # what cannot be copied is compared as it is
        return value


class Reference:
    """The sequential object; `after(state, call)` says what the call gives in that state, and where it leads.

    State 0 is that of a new object. A call that waits leads nowhere.
    """

    def __init__(self, factory: Callable[[], Any]) -> None:
        self.factory = factory
        self._paths: list[tuple[Call, ...]] = [()]
        self._known: dict[Any, int] = {look(factory()): 0}
        self._steps: dict[tuple[int, Call], tuple[Answer, int]] = {}

    def after(self, state: int, call: Call) -> tuple[Answer, int]:
        step = self._steps.get((state, call))
        if step is None:
            step = self._steps[state, call] = self._step(state, call)
        return step

    def _step(self, state: int, call: Call) -> tuple[Answer, int]:
        thing = self.factory()
        for earlier in self._paths[state]:
            answer_of(thing, earlier)
        answer = answer_of(thing, call)
        if answer.kind is Kind.WAITS:
            return answer, state
        number = self._known.setdefault(look(thing), len(self._paths))
        if number == len(self._paths):
            self._paths.append((*self._paths[state], call))
        return answer, number


# -- what an object looks like inside ---------------------------------------------------------------------------------


_ATOMS = {int, str, bytes, bool, float, complex, type(None)}
_IN_ORDER: tuple[type, ...] = (list, tuple, set, frozenset)


def look(thing: Any) -> Any:
    """A value that is equal for objects that behave alike: contents in their order, and which parts are the same.

    It reads what pickle would save, because every type says there what its state is.
    """
    try:
        return _contents(thing, {})
    except Exception:  # pickle's ways to say no are many
        return object()  # equal to nothing


def _contents(value: Any, seen: dict[int, tuple[int, Any]]) -> Any:
    kind = type(value)
    if kind in _ATOMS:
        return kind, repr(value) if kind in (float, complex) else value
    if isinstance(value, (type, Enum)):
        return value
    if id(value) in seen:
        return "again", seen[id(value)][0]
    seen[id(value)] = len(seen), value
    if kind in _IN_ORDER:
        return (kind, *[_contents(item, seen) for item in value])
    if kind is dict:
        return (kind, *[(_contents(key, seen), _contents(item, seen)) for key, item in value.items()])
    if isinstance(value, (FunctionType, BuiltinFunctionType)):
        return _function(value)
    saved = value.__reduce_ex__(2)
    if isinstance(saved, str):  # the name of something that exists once
        return value
    return kind, *[_contents(list(part) if number >= 3 and part is not None else part, seen)
                   for number, part in enumerate(saved)]


def _function(function: Any) -> Any:
    """A function that remembers nothing is equal to itself; of another nobody can say what it will do."""
    if getattr(function, "__closure__", None) or not isinstance(getattr(function, "__self__", None), ModuleType | None):
        raise TypeError(function)
    return function
