"""Which tests are explored, and with what options; a mistake in a marker is found before anything runs.

A test asks by the marker, or by the decorator `hocket.explore.test`, which says
the same; `--explore` asks for all others. The options are the keyword arguments
of `hocket.explore`, and no list of them is kept here: its signature is read.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import MethodType
from typing import Any

import pytest
from _pytest.unittest import TestCaseFunction

from hocket.errors import HocketError
from hocket.pytest_plugin.options import OPTIONS

__all__ = ["Asked", "asked", "has_examples", "innermost", "is_async", "mistake", "plain"]

_NOT_HERE = ("progress",)  # pytest's terminal is not for whoever wants to draw on it
_NO_CASE = "a coroutine of a TestCase is run by unittest, on a loop of its own; make it a plain `async def` test"
_NO_GENERATOR = "it is an asynchronous generator, which is no test; return instead of yield"


@dataclass(frozen=True, slots=True)
class Asked:
    """A test that asks to be explored: by itself, or only because all are; `words` is what its markers say."""

    options: Mapping[str, Any]
    by_itself: bool
    words: tuple[Any, ...] = ()  # without a name, which means nothing


def asked(item: pytest.Item, everything: bool) -> Asked | None:
    """How `item` asks to be explored; None if it does not, or cannot."""
    if not isinstance(item, pytest.Function):
        return None
    marks = list(item.iter_markers("explore"))
    decorated = decorator_options(innermost(item.obj))
    if not marks and decorated is None:
        return Asked({}, by_itself=False) if everything and not is_async(item.obj) else None
    options: dict[str, Any] = dict(decorated or {})
    for mark in reversed(marks):  # the nearest last
        options.update(mark.kwargs)
    return Asked(options, True, tuple(word for mark in marks for word in mark.args))


def innermost(function: Any) -> Any:
    """The function that Hypothesis calls for each example, if it is one with `@given`; else `function`."""
    given = getattr(function, "hypothesis", None)
    return getattr(given, "inner_test", function)


def has_examples(item: pytest.Item) -> bool:
    """Whether Hypothesis runs the test, once for each example."""
    return isinstance(item, pytest.Function) and innermost(item.obj) is not item.obj


def decorator_options(function: Any) -> Mapping[str, Any] | None:
    """What `@hocket.explore.test(...)` was told; None if `function` is not what it returned."""
    function = getattr(function, "__func__", function)
    body = getattr(function, "__hocket_body__", None)
    if body is None or getattr(function, "__wrapped__", None) is not body:
        return None  # another decorator is around it, and has copied its attributes
    options: Mapping[str, Any] | None = getattr(function, "__hocket_options__", None)
    return options if options is not None else inspect.getclosurevars(function).nonlocals.get("options", {})


def plain(function: Any) -> Any:
    """What is to be explored of a test: itself, or the function below `@hocket.explore.test`."""
    if decorator_options(function) is None:
        return function
    body = getattr(function, "__func__", function).__hocket_body__
    return MethodType(body, function.__self__) if inspect.ismethod(function) else body


def is_async(function: Any) -> bool:
    """Whether it is for another plugin to run, unless it asks to be explored."""
    function = inspect.unwrap(innermost(function))
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)


# -- mistakes ---------------------------------------------------------------------------------------------------------


def mistake(item: pytest.Item) -> str:
    """What is wrong with the way in which `item` asks; empty if nothing is."""
    request = asked(item, everything=False)
    if request is None:
        return ""
    assert isinstance(item, pytest.Function)
    wrong = _wrong_kind(item) or _wrong_words(request) or _wrong_values(request.options)
    return f"{item.nodeid}: {wrong}" if wrong else ""


def _wrong_kind(item: pytest.Function) -> str:
    if inspect.isasyncgenfunction(inspect.unwrap(innermost(item.obj))):
        return _NO_GENERATOR
    return _NO_CASE if is_async(item.obj) and isinstance(item, TestCaseFunction) else ""


def _wrong_words(request: Asked) -> str:
    if request.words:
        given = ", ".join(map(repr, request.words))
        return f"explore({given}): options have names, such as explore(seconds=10)"
    names = _known()
    for name in request.options:
        if name not in names:
            return f"explore() has no option {name!r}{_nearest(name, names)}; its options are {', '.join(names)}"
    return ""


def _known() -> list[str]:
    from hocket.explore.front import explore

    parameters = inspect.signature(explore).parameters.values()
    names = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.name not in _NOT_HERE]
    return [*names, "workers"]  # which is for this room: see seats.py


def _nearest(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _wrong_values(options: Mapping[str, Any]) -> str:
    from hocket.explore.options import SUPPORTED, check_options, check_strategy

    limits = [option for option in OPTIONS if option.name in options and option.name not in (*SUPPORTED, "track")]
    for option in limits:
        given = options[option.name]
        try:
            ok = given is None or (not isinstance(given, str) and option.value(given) is not None)
        except ValueError:
            ok = False
        if not ok:
            return f"explore({option.name}={given!r}): expected {option.expected}"
    try:
        check_options(**{name: options[name] for name in ("model", "data") if name in options})
        check_strategy(options.get("strategy", "optimal"))
    except HocketError as error:
        return f"explore(): {error}"
    return ""
