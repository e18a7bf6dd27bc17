"""Where the arguments of a task come from: the context, a value, or the payload of the task before it.

A source says three things: its mode (how the argument is taken), the type that is expected, and, in plans made of `seq`
and `fork`, *whose* payload. Each of the words below is called with a type, `borrow_prev(int)`, or used bare where the
parameter says its type: `def half(n: Annotated[int, borrow_prev]) -> int` is a task as it stands.

From YOrch (section 5.1 of the seeds). Python has neither const nor moves: `borrow_prev` is a promise to leave the
payload as it is, `borrow_prev_mut` says that it will be changed, and `consume_prev` takes it out of its slot, so that
whoever looks later finds nothing. Who may say what beside whom is checked when the plan is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar, cast

from hocket.errors import PlanError, Refused
from hocket.plan.copies import copy_of

__all__ = [
    "ANY",
    "EXCLUSIVE",
    "PREV",
    "DirectOut",
    "Mode",
    "Ref",
    "Source",
    "as_source",
    "borrow_prev",
    "borrow_prev_mut",
    "consume_prev",
    "copy_prev",
    "from_ctx",
    "ref",
    "value",
]

T = TypeVar("T")


class _Any:
    """Any type at all: what a bare word expects."""

    def __repr__(self) -> str:
        return "any type"


ANY = _Any()


class Mode(Enum):
    """How an argument is taken."""

    CONTEXT = "from_ctx"
    VALUE = "value"
    BORROW = "borrow_prev"
    BORROW_MUT = "borrow_prev_mut"
    COPY = "copy_prev"
    CONSUME = "consume_prev"

    __hash__ = object.__hash__


PREV = frozenset({Mode.BORROW, Mode.BORROW_MUT, Mode.COPY, Mode.CONSUME})
EXCLUSIVE = frozenset({Mode.BORROW_MUT, Mode.CONSUME})


@dataclass(frozen=True, slots=True)
class Source:
    """`mode`; the `type` expected; `of`: the name of the task whose payload it is, "" for the one before;
    `held`: the object of a value; `shared`: tasks that run at once may all have this part of the context."""

    mode: Mode
    type: Any = ANY
    of: str = ""
    held: Any = None
    shared: bool = False

    def __str__(self) -> str:
        inside = [] if self.type is ANY else [name_of(self.type)]
        inside += [f"of={self.of!r}"] if self.of else []
        inside = [repr(self.held)] if self.mode is Mode.VALUE else inside
        return f"{self.mode.value}({', '.join(inside)})" if inside else self.mode.value


def name_of(kind: Any) -> str:
    """A type as people write it."""
    return kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)


def from_ctx(type: Any = ANY, *, shared: bool = False) -> Source:
    """The object of this type in the context that the plan is run with; the task may change it.

    `shared`: it may be used by tasks that run at the same time (it is only read, or guards itself).

    >>> from hocket.plan import bind, compile_plan, context, task_tree
    >>> from hocket.runtime.plans import run_plan
    >>> seen = []
    >>> plan = compile_plan(task_tree(bind(seen.append, from_ctx(str), returns=None)))
    >>> run_plan(plan, context("job")).ok, seen
    (True, ['job'])
    """
    return Source(Mode.CONTEXT, type, shared=shared)


def value(held: Any) -> Source:
    """This object, or rather a copy of it that is made now and belongs to the task; `value(ref(x))` is x itself.

    >>> numbers = [1, 2]
    >>> source = value(numbers)
    >>> numbers.append(3)
    >>> source.held
    [1, 2]

    Raises PlanError for what cannot be copied.
    """
    try:
        kept = held.thing if isinstance(held, Ref) else copy_of(held)
    except Exception as error:
        told = f"cannot be copied ({error})"
        raise PlanError("copy", name_of(type(held)), told, "value(ref(x)) gives the task x itself") from error
    return Source(Mode.VALUE, kept.__class__, held=kept)


def borrow_prev(type: Any = ANY, *, of: str = "") -> Source:
    """The payload of the task before, to be read. Several may borrow it, also at once.

    >>> str(borrow_prev(int)), str(borrow_prev(int, of="fetch"))
    ('borrow_prev(int)', "borrow_prev(int, of='fetch')")
    """
    return Source(Mode.BORROW, type, of)


def borrow_prev_mut(type: Any = ANY, *, of: str = "") -> Source:
    """The payload of the task before, to be changed: nobody else may have it at the time.

    >>> str(borrow_prev_mut(list))
    'borrow_prev_mut(list)'
    """
    return Source(Mode.BORROW_MUT, type, of)


def copy_prev(type: Any = ANY, *, of: str = "") -> Source:
    """A copy of the payload of the task before, which is the task's own.

    >>> str(copy_prev(list))
    'copy_prev(list)'
    """
    return Source(Mode.COPY, type, of)


def consume_prev(type: Any = ANY, *, of: str = "") -> Source:
    """The payload of the task before, taken out of its slot: it is the task's own, and nobody else's any more.

    >>> str(consume_prev(bytes))
    'consume_prev(bytes)'
    """
    return Source(Mode.CONSUME, type, of)


_WORDS: tuple[Callable[..., Source], ...] = (from_ctx, borrow_prev, borrow_prev_mut, copy_prev, consume_prev)


def as_source(said: object) -> Source | None:
    """The source that somebody wrote, called or bare; None where it is something else."""
    if isinstance(said, Source):
        return said
    return next((word() for word in _WORDS if said is word), None)


@dataclass(frozen=True, slots=True)
class Ref:
    """Not to be copied: `value(ref(x))`."""

    thing: Any


def ref(thing: Any) -> Ref:
    """Share an object with a task instead of giving it a copy.

    >>> log = []
    >>> value(ref(log)).held is log
    True
    """
    return Ref(thing)


class DirectOut(Generic[T]):
    """The last parameter of a task that puts its payload into its slot itself.

    `emplace(*args)` makes a T there; `put(payload)` puts one there that is made already; at most one lives at a time.
    A success without one is an error (Y-B1: in the original it was only asserted, and the child read garbage).

    >>> from hocket.plan import bind_into, compile_plan, task_tree
    >>> from hocket.runtime.plans import run_plan
    >>> def three(out: DirectOut[list]) -> None:
    ...     out.emplace(range(3))
    >>> run_plan(compile_plan(task_tree(bind_into(three)))).ok
    True
    """

    __slots__ = ("_kind", "_payload")
    _NOTHING: Any = object()

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._payload = DirectOut._NOTHING

    def emplace(self, *args: Any, **named: Any) -> T:
        """Make the payload in place, as T(*args, **named). Raises Refused when there is one."""
        self._refuse_a_second()
        self._payload = self._kind(*args, **named)
        return cast(T, self._payload)

    def put(self, payload: T) -> None:
        """Raises Refused when there is a payload already."""
        self._refuse_a_second()
        self._payload = payload

    def destroy(self) -> None:
        """Take the payload away, so that another can be made."""
        self._payload = DirectOut._NOTHING

    @property
    def has_value(self) -> bool:
        return self._payload is not DirectOut._NOTHING

    @property
    def value(self) -> T:
        if not self.has_value:
            raise Refused("a direct output", "read", "empty", "emplaced: emplace(...) comes before success")
        return cast(T, self._payload)

    def _refuse_a_second(self) -> None:
        if self.has_value:
            raise Refused("a direct output", "emplaced", "full", "empty: destroy() the payload that is there")
