"""What a callable says about itself: its parameters, where they come from, and what it returns.

One place reads annotations, so that a rule about them is written once. An annotation that cannot be evaluated (a class
that is local to some function, named in a string) is no error as long as nobody needs it: then it is *unknown*, and a
source or `returns=` says it instead.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from hocket.errors import PlanError
from hocket.plan.results import StepResult, TaskResult
from hocket.plan.sources import ANY, DirectOut, Source, as_source

__all__ = ["UNSAID", "Parameter", "Returns", "Signature", "is_member", "read", "returned"]


class _Unsaid:
    def __repr__(self) -> str:
        return "nothing said"


UNSAID = _Unsaid()
"""No annotation, or none that can be evaluated. (`None` is one that says: no payload.)"""


@dataclass(frozen=True, slots=True)
class Parameter:
    """`type` is ANY where it is not known; `source` is what its annotation says, if it says it."""

    name: str
    type: Any
    source: Source | None
    needed: bool
    is_out: bool


@dataclass(frozen=True, slots=True)
class Signature:
    parameters: tuple[Parameter, ...]
    returns: Any
    is_async: bool


@dataclass(frozen=True, slots=True)
class Returns:
    """A return annotation, read: `control` if it is a StepResult or a TaskResult, and the `payload` type or None."""

    control: bool
    payload: Any


def read(body: Callable[..., Any], name: str) -> Signature:
    """Raises PlanError for what cannot be called, or has no signature of its own."""
    if not callable(body):
        raise PlanError("not-callable", name, "is no task: it cannot be called", "say bind(f, …), not bind(f(…))")
    try:
        signature = inspect.signature(body)
    except (ValueError, TypeError):
        raise _shapeless(name, "Python knows no signature of it") from None
    parameters = []
    for parameter in signature.parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            if parameter.kind is parameter.VAR_POSITIONAL:
                raise _shapeless(name, f"it takes *{parameter.name}")
            continue
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty:
                raise _shapeless(name, f"its parameter {parameter.name!r} can only be given by name")
            continue
        parameters.append(_parameter(body, parameter))
    kind = body if isinstance(body, type) else _evaluated(body, signature.return_annotation)
    return Signature(tuple(parameters), kind, _is_async(body))


def is_member(body: Callable[..., Any]) -> bool:
    """Whether it is a function of a class, that has not been given its object yet."""
    if isinstance(body, partial):  # since 3.14 it binds as functions do
        return False
    if inspect.ismethoddescriptor(body):
        return True
    if not inspect.isfunction(body):
        return False
    within = body.__qualname__.rpartition("<locals>.")[2]
    return "." in within and next(iter(inspect.signature(body).parameters), "") == "self"


def returned(said: Any) -> Returns:
    """What a return annotation means. Raises ValueError, with the reason, for a payload that cannot be one."""
    if said is None or said is type(None):
        return Returns(False, None)
    if said is StepResult:
        return Returns(True, None)
    if said is TaskResult:
        return Returns(True, ANY)
    if typing.get_origin(said) is TaskResult:
        (payload,) = typing.get_args(said)
        if payload is None or payload is type(None):
            raise ValueError("declares a TaskResult without a payload type: that is a StepResult")
        return Returns(True, payload_type(payload))
    return Returns(False, payload_type(said))


def payload_type(said: Any) -> Any:
    """The type of a payload. Raises ValueError for a borrowed one: a payload is owned by its slot."""
    if typing.get_origin(said) is typing.Annotated:
        if any(as_source(word) is not None for word in said.__metadata__):
            raise ValueError("does not allow a borrowed payload: a slot owns what is in it, so return the type itself")
        return typing.get_args(said)[0]
    return ANY if said is Any else said


def _parameter(body: Callable[..., Any], parameter: inspect.Parameter) -> Parameter:
    said = _evaluated(body, parameter.annotation)
    needed = parameter.default is parameter.empty
    if said is UNSAID:
        return Parameter(parameter.name, ANY, None, needed, False)
    if typing.get_origin(said) is typing.Annotated:
        kind = typing.get_args(said)[0]
        source = next((found for word in said.__metadata__ if (found := as_source(word)) is not None), None)
    else:
        kind, source = said, None
    is_out = kind is DirectOut or typing.get_origin(kind) is DirectOut
    if is_out:
        (kind,) = typing.get_args(kind) or (ANY,)
    return Parameter(parameter.name, ANY if kind is Any else kind, source, needed, is_out)


def _evaluated(body: Callable[..., Any], annotation: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return UNSAID
    if not isinstance(annotation, str):
        return annotation
    function: Any = inspect.unwrap(getattr(body, "func", body))
    if isinstance(body, type):
        function = body.__init__  # type: ignore[misc]  # whose annotations are read; nobody calls it
    if not inspect.isfunction(function):
        function = getattr(function, "__func__", None) or vars(type(function)).get("__call__", function)
    names = dict(getattr(function, "__globals__", {}))
    for name, cell in zip(_free(function), getattr(function, "__closure__", None) or (), strict=False):
        try:
            names[name] = cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    try:
        return eval(annotation, names)  # as typing.get_type_hints does
    except Exception:
        return UNSAID


def _free(function: Any) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return code.co_freevars if code is not None else ()


def _is_async(body: Any) -> bool:
    return inspect.iscoroutinefunction(body) or inspect.iscoroutinefunction(vars(type(body)).get("__call__"))


def _shapeless(name: str, why: str) -> PlanError:
    cure = f"{why}; wrap it in a function with one parameter for each argument"
    return PlanError("shape", name, "has no one concrete signature", cure)
