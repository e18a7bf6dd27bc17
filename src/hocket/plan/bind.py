"""From a callable and its sources to a task of a plan: `bind` and its five sisters.

They differ in two things. Where the payload goes: an *ordinary* task returns it, an *into* task puts it into its slot
itself (`DirectOut`), and a *forward-prev* task changes its parent's payload, which is then its own as well. And whose
function it is: a *member* function has a receiver, and the receiver is an argument with a source like any other.

Everything that can be judged without a tree is judged here, so that an error has the line of the `bind` in its
traceback; what needs the tree is `checks.py`'s. After YOrch's bind (YO-B1 to YO-B24) and its compile-fail suite, whose
static assertions are PlanErrors here, each with its stable text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, get_args, get_origin

from hocket.errors import PlanError
from hocket.plan.adapters import Adapter
from hocket.plan.copies import may_be_copied
from hocket.plan.signature import UNSAID, Parameter, Signature, is_member, payload_type, read, returned
from hocket.plan.sources import ANY, PREV, Mode, Source, as_source, name_of

__all__ = [
    "Bound",
    "Slot",
    "Style",
    "as_bound",
    "bind",
    "bind_forward_prev",
    "bind_forward_prev_member",
    "bind_into",
    "bind_into_member",
    "bind_member",
    "fits",
]


class Style(Enum):
    """How a task gives its payload."""

    ORDINARY = "ordinary"
    INTO = "into"
    FORWARD = "forward-prev"

    __hash__ = object.__hash__


class Slot(Enum):
    """Whether a task that succeeds has a payload in a slot of its own."""

    NONE = "none"  # it returns nothing, or a status, or forwards what its parent has
    MUST = "must"
    MAYBE = "maybe"  # not where it ends with another status

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """A callable with a source for each of its arguments.

    `payload` is the type of what it gives (None: nothing; UNSAID: it does not say, and then no plan is compiled);
    `control`: it returns a status; `declared`: the modes that its own parameters ask for, None where they do not.
    It can be called like the body itself.
    """

    name: str
    body: Callable[..., Any]
    sources: tuple[Source, ...]
    style: Style
    payload: Any
    control: bool
    declared: tuple[Mode | None, ...]
    adapters: tuple[Adapter, ...]
    is_async: bool

    @property
    def slot(self) -> Slot:
        if self.payload is None or self.style is Style.FORWARD:
            return Slot.NONE
        return Slot.MAYBE if self.control or self.style is Style.INTO else Slot.MUST

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.body(*args, **named)

    def _said(self) -> tuple[Any, ...]:
        return self.name, self.body, self.sources, self.style, self.payload, self.adapters

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Bound) and self._said() == other._said())

    def __hash__(self) -> int:
        return hash((self.name, self.style))


def bind(
    body: Callable[..., Any],
    *sources: Any,
    returns: Any = UNSAID,
    adapters: Iterable[Adapter] = (),
    name: str = "",
) -> Bound:
    """A task that calls `body` with what its sources give, and whose payload is what it returns.

    One source for each parameter, in order, or none at all where the annotations say them. What it returns is said by
    its annotation, or by `returns`: None, a payload type, `StepResult`, or `TaskResult[T]`.

    >>> from typing import Annotated
    >>> from hocket.plan.sources import borrow_prev, value
    >>> def half(n: Annotated[int, borrow_prev]) -> int:
    ...     return n // 2
    >>> bind(half).sources == bind(lambda n: n // 2, borrow_prev(int), returns=int).sources
    True

    Raises PlanError, with a code and a cure.
    """
    return _bind(body, sources, Style.ORDINARY, False, returns, adapters, name)


def bind_into(
    body: Callable[..., Any],
    *sources: Any,
    returns: Any = UNSAID,
    adapters: Iterable[Adapter] = (),
    name: str = "",
) -> Bound:
    """A task whose last parameter is a `DirectOut[T]`, into which it puts its payload; it returns None or a StepResult.

    >>> from hocket.plan.sources import DirectOut, value
    >>> def text(n: int, out: DirectOut[str]) -> None:
    ...     out.emplace(n)
    >>> bind_into(text, value(7)).payload
    <class 'str'>
    """
    return _bind(body, sources, Style.INTO, False, returns, adapters, name)


def bind_forward_prev(
    body: Callable[..., Any],
    *sources: Any,
    returns: Any = UNSAID,
    adapters: Iterable[Adapter] = (),
    name: str = "",
) -> Bound:
    """A task that changes its parent's payload in place and hands it on: the same object, no slot of its own.

    >>> from hocket.plan.sources import borrow_prev_mut, value
    >>> bind_forward_prev(list.append, borrow_prev_mut(list), value(3)).payload
    Traceback (most recent call last):
    ...
    hocket.errors.PlanError: 'append' is a member function: use bind_forward_prev_member, whose first source is ...
    >>> bind_forward_prev(lambda items: items.append(3), borrow_prev_mut(list)).payload
    <class 'list'>
    """
    return _bind(body, sources, Style.FORWARD, False, returns, adapters, name)


def bind_member(
    body: Callable[..., Any],
    *sources: Any,
    returns: Any = UNSAID,
    adapters: Iterable[Adapter] = (),
    name: str = "",
) -> Bound:
    """As `bind`, for a function of a class: the first source is the receiver's.

    >>> from hocket.plan.sources import value
    >>> bind_member(str.upper, value("a"), returns=str).name
    'upper'
    """
    return _bind(body, sources, Style.ORDINARY, True, returns, adapters, name)


def bind_into_member(
    body: Callable[..., Any],
    *sources: Any,
    returns: Any = UNSAID,
    adapters: Iterable[Adapter] = (),
    name: str = "",
) -> Bound:
    """As `bind_into`, for a function of a class: the first source is the receiver's."""
    return _bind(body, sources, Style.INTO, True, returns, adapters, name)


def bind_forward_prev_member(
    body: Callable[..., Any],
    *sources: Any,
    returns: Any = UNSAID,
    adapters: Iterable[Adapter] = (),
    name: str = "",
) -> Bound:
    """As `bind_forward_prev`, for a function of a class: the receiver or another argument is the payload."""
    return _bind(body, sources, Style.FORWARD, True, returns, adapters, name)


def as_bound(task: Any, sources: tuple[Any, ...] = (), **options: Any) -> Bound:
    """The task that somebody wrote into a tree: bound already, or a callable with its sources."""
    if isinstance(task, Bound):
        if sources or options:
            raise PlanError("bound-twice", task.name, "is bound already", "give its sources and options to bind(…)")
        return task
    takes_out = callable(task) and any(parameter.is_out for parameter in _signature(task, options.get("name", "")))
    style = Style.INTO if takes_out else Style.ORDINARY
    member = callable(task) and is_member(task)
    return _bind(task, sources, style, member, **{"returns": UNSAID, "adapters": (), "name": "", **options})


def fits(given: Any, wanted: Any) -> bool:
    """Whether a payload of type `given` may be taken as `wanted`: False only where that is certainly a mistake.

    Of unions, protocols, type variables and the like nothing is said: that is a type checker's to judge.
    """
    one, other = _class_of(given), _class_of(wanted)
    if one is None or other is None or (one, other) in _PROMOTED:
        return True
    if not issubclass(one, other):
        return False
    ours, theirs = get_args(given), get_args(wanted)
    plain = one is other and all(isinstance(kind, type) for kind in (*ours, *theirs))
    return not (plain and ours and theirs) or ours == theirs


_PROMOTED = {(int, float), (int, complex), (float, complex)}  # PEP 484


def _class_of(kind: Any) -> type | None:
    """The class that a type is of, if it is a class at all."""
    kind = get_origin(kind) or kind
    return kind if isinstance(kind, type) and not getattr(kind, "_is_protocol", False) else None


# -- reading ----------------------------------------------------------------------------------------------------------


def _bind(
    body: Any, given: tuple[Any, ...], style: Style, member: bool, returns: Any, adapters: Iterable[Adapter], name: str
) -> Bound:
    name = name or getattr(body, "__name__", "") or type(body).__name__
    signature = read(body, name)
    _check_membership(body, name, style, member, given)
    parameters = _without_out(signature.parameters, name, style)
    sources = _sources(parameters, given, name)
    declared = tuple(parameter.source.mode if parameter.source else None for parameter in parameters[: len(sources)])
    if style is Style.FORWARD:
        control, payload = _forwarded(signature, sources, returns, name)
    elif style is Style.INTO:
        control, payload = _put(signature, returns, name)
    else:
        control, payload = _given_back(signature, returns, name)
    return Bound(name, body, sources, style, payload, control, declared, tuple(adapters), signature.is_async)


_WORDS = {
    (Style.ORDINARY, False): "bind",
    (Style.ORDINARY, True): "bind_member",
    (Style.INTO, False): "bind_into",
    (Style.INTO, True): "bind_into_member",
    (Style.FORWARD, False): "bind_forward_prev",
    (Style.FORWARD, True): "bind_forward_prev_member",
}


def _check_membership(body: Any, name: str, style: Style, member: bool, given: tuple[Any, ...]) -> None:
    word = _WORDS[style, not member]
    if not member and is_member(body):
        raise PlanError("member", name, "is a member function", f"use {word}, whose first source is the receiver's")
    if member and not is_member(body):
        raise PlanError("not-a-member", name, "is no member function", f"use {word}, or name it through its class")
    if member and not given and read(body, name).parameters[0].source is None:
        raise PlanError("receiver", name, "requires a receiver source", "the first source says whose member it is")


def _signature(body: Any, name: str) -> tuple[Parameter, ...]:
    return read(body, name or getattr(body, "__name__", type(body).__name__)).parameters


def _without_out(parameters: tuple[Parameter, ...], name: str, style: Style) -> tuple[Parameter, ...]:
    outs = [parameter for parameter in parameters if parameter.is_out]
    if style is Style.INTO:
        if len(outs) == 1 and parameters[-1].is_out:
            return parameters[:-1]
        if not outs and parameters and parameters[-1].type is ANY:  # a lambda cannot say it
            return parameters[:-1]
        raise PlanError("direct-out", name, "requires DirectOut[T] as its last parameter", "out: DirectOut[T]")
    if outs:
        if style is Style.FORWARD:
            raise PlanError("forward-out", name, "does not allow DirectOut in a forward-prev task", "drop one")
        raise PlanError("direct-out", name, "takes a DirectOut", "use bind_into (or bind_into_member)")
    return parameters


def _sources(parameters: tuple[Parameter, ...], given: tuple[Any, ...], name: str) -> tuple[Source, ...]:
    """A source for each parameter, typed: as given, else as the annotations say."""
    needed = sum(parameter.needed for parameter in parameters)
    if not given:
        silent = [parameter.name for parameter in parameters if parameter.needed and parameter.source is None]
        if silent:
            raise _arity(name, f"nothing says where {', '.join(silent)} should come from")
        said = [parameter for parameter in parameters if parameter.source is not None]
        if said != list(parameters[: len(said)]):
            raise _arity(name, "a parameter without a source stands before one that has one")
        return tuple(_typed(parameter.source, parameter, name) for parameter in said if parameter.source)
    if not needed <= len(given) <= len(parameters):
        raise _arity(name, f"it has {len(parameters)} parameters and was given {len(given)} sources")
    return tuple(_typed(_said(word, name), one, name) for word, one in zip(given, parameters, strict=False))


def _said(word: Any, name: str) -> Source:
    source = as_source(word)
    if source is None:
        raise PlanError("source", name, f"was given {word!r}, which is no source", "value(x) hands x to the task")
    return source


def _typed(source: Source, parameter: Parameter, name: str) -> Source:
    """The source with the parameter's type, if it has none of its own. Raises PlanError where the two do not fit."""
    if source.mode is Mode.CONTEXT and source.type is ANY and parameter.type is ANY:
        raise PlanError("context-type", name, "takes from the context, and nothing says what", "say from_ctx(T)")
    if not fits(source.type, parameter.type) and not fits(parameter.type, source.type):
        told = f"{name_of(parameter.type)} and is given {source}"
        raise PlanError("argument-type", name, f"has a parameter {parameter.name!r} that is {told}", "the types differ")
    if source.type is ANY and source.mode is not Mode.VALUE:
        source = Source(source.mode, parameter.type, source.of, source.held, source.shared)
    if source.mode is Mode.COPY and not may_be_copied(source.type):
        raise PlanError("copy", name, f"copies {name_of(source.type)}, which cannot be copied", "borrow or consume it")
    return source


def _arity(name: str, why: str) -> PlanError:
    return PlanError("arity", name, "requires exactly one source per parameter", why)


# -- what comes out ---------------------------------------------------------------------------------------------------


def _given_back(signature: Signature, returns: Any, name: str) -> tuple[bool, Any]:
    said = signature.returns if returns is UNSAID else returns
    if said is UNSAID:
        return False, UNSAID
    try:
        read = returned(said)
    except ValueError as error:
        raise PlanError("payload", name, str(error)) from None
    return read.control, read.payload


def _put(signature: Signature, returns: Any, name: str) -> tuple[bool, Any]:
    """The payload of an into task: its DirectOut's, which `returns` may repeat."""
    _check_step(signature, name)
    out = signature.parameters[-1].type
    kind = out if returns is UNSAID else _payload(returns, name)
    if kind is ANY:
        raise PlanError("direct-out", name, "requires a payload type", "DirectOut[T], or returns=T")
    if out is not ANY and out != kind:
        told = f"has a DirectOut[{name_of(out)}] and should give {name_of(kind)}"
        raise PlanError("direct-out-type", name, told, "make them the same")
    return True, _payload(kind, name)


def _forwarded(signature: Signature, sources: tuple[Source, ...], returns: Any, name: str) -> tuple[bool, Any]:
    """The payload of a forward-prev task: what its one borrow_prev_mut is of."""
    _check_step(signature, name)
    kind = ANY if returns is UNSAID else _payload(returns, name)
    accesses = [source for source in sources if source.mode in PREV]
    if len(accesses) != 1:
        told = f"requires exactly one prev access, and has {len(accesses)}"
        raise PlanError("forward-count", name, told, "borrow_prev_mut(T), once, among the receiver and the arguments")
    if accesses[0].mode is not Mode.BORROW_MUT:
        told = f"only supports borrow_prev_mut, not {accesses[0].mode.value}"
        raise PlanError("forward-mode", name, told, "what is handed on is changed in place")
    found = accesses[0].type
    if not fits(found, kind) and not fits(kind, found):
        told = f"should forward {name_of(kind)} and borrows {name_of(found)}"
        raise PlanError("forward-type", name, told, "make them the same")
    return True, found if kind is ANY else kind


def _payload(said: Any, name: str) -> Any:
    if said is None or said is type(None):
        raise PlanError("payload", name, "requires a payload type that is not None", "a task without payload is bind's")
    try:
        return payload_type(said)
    except ValueError as error:
        raise PlanError("payload", name, str(error)) from None


def _check_step(signature: Signature, name: str) -> None:
    """Tasks that do not return their payload return nothing else but a status."""
    if signature.returns is UNSAID:
        return
    said = returned(signature.returns)
    if said.payload is not None:
        told = f"returns {name_of(said.payload)}, and may return None or a StepResult only"
        raise PlanError("step-only", name, told, "its payload goes another way")
