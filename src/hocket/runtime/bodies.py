"""What a body may be, on which runtime: asked when a task is made, so that the error stands at the call that made it.

A function is called, a coroutine function is awaited, and everything else that looks
like one runs nothing when it is called: a coroutine that has been made already, a
generator function. Each is refused with what was meant. This is asked for every task,
so a plain function answers by the flags of its code, and only other callables are
taken apart by `inspect`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from types import FunctionType
from typing import Any

from hocket.graph import Task

__all__ = ["REFUSED", "is_async", "refuse_bodies_of", "refuse_body"]

_GENERATES = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_body = attrgetter("body")
REFUSED = {True: _GENERATES, False: _GENERATES | inspect.CO_COROUTINE}  # by whether bodies are awaited


def is_async(body: Callable[..., Any] | None) -> bool:
    """Whether a call of it gives a coroutine; a plain function that returns one is not seen through."""
    if type(body) is FunctionType:
        return bool(body.__code__.co_flags & inspect.CO_COROUTINE)
    return any(map(inspect.iscoroutinefunction, _called(body)))


def refuse_body(name: str, body: Any, awaits: bool) -> None:
    """Raise TypeError for a body that would run nothing, and, unless this runtime `awaits`, for one that is async."""
    function = body
    while type(function) is partial:
        function = function.func
    if type(function) is FunctionType and not function.__code__.co_flags & REFUSED[awaits]:
        return
    if inspect.iscoroutine(body):
        body.close()  # nobody will await it, and Python would warn of that
        made = body.__name__
        raise TypeError(
            f"the body of {name!r} is a coroutine object, which {made}() has made already: give the function, as in "
            f"spawn({name!r}, {made}), or functools.partial({made}, ...) where it takes arguments"
        )
    if any(inspect.isgeneratorfunction(one) or inspect.isasyncgenfunction(one) for one in _called(body)):
        raise TypeError(
            f"the body of {name!r} is a generator function: to call it runs nothing. "
            f"Take out its yield, or give what it yields to iter({name!r}, items, body)"
        )
    if not awaits and is_async(body):
        raise TypeError(
            f"the body of {name!r} is async, and nobody awaits it on this runtime: "
            "say async with hocket.AsyncScheduler(), or hocket.run(..., runtime='asyncio')"
        )


def refuse_bodies_of(tasks: Iterable[Task], awaits: bool) -> None:
    """The same for all tasks of a graph, whose bodies are often the same few."""
    tasks = list(tasks)
    for task in dict(zip(map(id, map(_body, tasks)), tasks, strict=True)).values():
        refuse_body(task.name, task.body, awaits)


def _called(body: Any) -> Iterator[Any]:
    """The functions that a call of it may begin: its own, and that of an object that is called like one."""
    while isinstance(body, partial):
        body = body.func
    yield body
    yield vars(type(body)).get("__call__")
