"""Graphs as expressions: `seq`, `fork`, `task` and `empty`, as in specs_task and legion_task.

An expression is a binary tree. `seq` and `fork` nest to the right, so that
seq(a, b, c) *is* seq(a, seq(b, c)); `empty` is the unit of both and is taken out
wherever it stands, at once, so that no expression with an empty part inside
exists (in the original an empty graph two levels deep crashed the assembly).
Equality is structural: seq(seq(a, b), c) means the same as seq(a, b, c) and is
not equal to it. Nothing here recurses: a chain of a million tasks is a value
like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Empty", "Expression", "Fork", "Leaf", "Seq", "empty", "fork", "leaves", "seq", "task"]


class _Expression:
    """Equality and hash of all expressions, without recursion."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Expression):
            return NotImplemented
        return _equal(self, other)

    def __hash__(self) -> int:
        return hash(tuple(_shape(self)))

    def __repr__(self) -> str:
        return _text(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Empty(_Expression):
    """No task at all: the unit of `seq` and of `fork`."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Leaf(_Expression):
    """One task: what it runs (None: a point to join at), and what people call it."""

    body: Callable[..., Any] | None
    name: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Seq(_Expression):
    """`first`, and when all of it has closed, `then`."""

    first: Expression
    then: Expression


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fork(_Expression):
    """`one` and `other`, in any order or at once."""

    one: Expression
    other: Expression


Expression = Empty | Leaf | Seq | Fork


def task(body: Callable[..., Any] | None, name: str = "") -> Leaf:
    """A graph of one task; its name is the body's unless another is given.

    >>> task(print)
    task(print)

    Raises TypeError when `body` can be neither called nor None.
    """
    if body is not None and not callable(body):
        raise TypeError(f"a task's body is a callable or None, not {body!r}: say task(f), not task(f())")
    return Leaf(body, name or getattr(body, "__name__", "") or ("join" if body is None else type(body).__name__))


def empty() -> Empty:
    """The graph without a task, which `seq` and `fork` leave out: what a loop that adds to a graph starts from.

    >>> seq(empty(), fork(empty(), empty()), task(print))
    task(print)
    """
    return _EMPTY


def seq(*parts: Expression) -> Expression:
    """One part after the other: each opens when the one before it has closed (ST-C1 to ST-C8).

    >>> seq(task(min), task(max), task(sum))
    seq(task(min), task(max), task(sum))

    Raises TypeError when a part is no graph.
    """
    return _nest(Seq, parts)


def fork(*parts: Expression) -> Expression:
    """All parts at once; what follows in a `seq` opens when every one of them has closed.

    >>> fork(task(min), fork(task(max), task(sum)))
    fork(task(min), task(max), task(sum))

    Raises TypeError when a part is no graph.
    """
    return _nest(Fork, parts)


def leaves(expression: Expression) -> Iterator[Leaf]:
    """The tasks of an expression, from left to right."""
    return (part for part in _parts(expression) if isinstance(part, Leaf))


_EMPTY = Empty()


def _nest(pair: type[Seq] | type[Fork], parts: tuple[Expression, ...]) -> Expression:
    for part in parts:
        if not isinstance(part, _Expression):
            raise TypeError(f"{pair.__name__.lower()} takes graphs, and {part!r} is none: wrap a callable as task(f)")
    result: Expression = _EMPTY
    for part in reversed(parts):
        if isinstance(part, Empty):
            continue
        result = part if isinstance(result, Empty) else pair(part, result)
    return result


def _parts(expression: Expression) -> Iterator[Expression]:
    """Every sub-expression, each before its own parts, from left to right."""
    agenda: list[Expression] = [expression]
    while agenda:
        part = agenda.pop()
        yield part
        match part:
            case Seq(first, then):
                agenda += (then, first)
            case Fork(one, other):
                agenda += (other, one)


def _equal(one: _Expression, other: _Expression) -> bool:
    """Whether two trees say the same; parts that they share are not looked at."""
    agenda = [(one, other)]
    while agenda:
        ours, theirs = agenda.pop()
        if ours is theirs:
            continue
        match ours, theirs:
            case Seq(), Seq():
                agenda += ((ours.then, theirs.then), (ours.first, theirs.first))
            case Fork(), Fork():
                agenda += ((ours.other, theirs.other), (ours.one, theirs.one))
            case Leaf(), Leaf():
                if (ours.body, ours.name) != (theirs.body, theirs.name):
                    return False
            case _:
                if type(ours) is not type(theirs):
                    return False
    return True


def _shape(expression: _Expression) -> Iterator[tuple[Any, ...]]:
    """The tree in Polish notation, which says all of it."""
    for part in _parts(expression):  # type: ignore[arg-type]  # the four expressions are all there are
        yield (Leaf, part.body, part.name) if isinstance(part, Leaf) else (type(part),)


_WRITTEN = 60  # tasks of an expression that its text shows


def _text(expression: _Expression) -> str:
    """The expression as one would write it, with the right-nested pairs as one list; long ones are cut."""
    pieces: list[str] = []
    agenda: list[str | _Expression] = [expression]
    written = 0
    while agenda:
        part = agenda.pop()
        if isinstance(part, str):
            pieces.append(part)
        elif isinstance(part, Empty):
            pieces.append("empty()")
        elif isinstance(part, Leaf):
            written += 1
            pieces.append(f"task({part.name})")
        else:
            agenda += reversed(_listed(part))
        if written == _WRITTEN or len(pieces) > 8 * _WRITTEN:
            return "".join(pieces) + " …"
    return "".join(pieces)


def _listed(pair: _Expression) -> list[str | _Expression]:
    kind = type(pair)
    listed: list[str | _Expression] = [f"{kind.__name__.lower()}("]
    while isinstance(pair, kind) and len(listed) < 2 * _WRITTEN:
        first, pair = (pair.first, pair.then) if isinstance(pair, Seq) else (pair.one, pair.other)  # type: ignore
        listed += (first, ", ")
    return [*listed, pair, ")"]
