"""Where a task stands: the line of the program that awaits, and what it awaits, in words without addresses."""

from __future__ import annotations

import asyncio
from types import FrameType
from typing import Any

from hocket.explore.threads.naming import Place, is_machinery

__all__ = ["is_of_asyncio", "name_of", "place_of_task", "waits_of"]


def name_of(task: asyncio.Task[Any]) -> str:
    """What a report calls a task: its name, or that of its coroutine if nobody named it."""
    name = task.get_name()
    if not name.startswith("Task-"):
        return name
    coroutine = getattr(task.get_coro(), "__name__", "")
    return f"{coroutine} ({name})" if coroutine else name


def is_of_asyncio(task: asyncio.Task[Any]) -> bool:
    """Whether it runs a coroutine of asyncio itself, such as those with which `asyncio.run` ends."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and code.co_name.startswith("shutdown_") and is_machinery(code.co_filename)


def place_of_task(task: asyncio.Task[Any]) -> Place | None:
    """The innermost line of the program's own code at which a suspended task stands."""
    own, _ = _split(_frames(task.get_coro()))
    return (own.f_code.co_filename, own.f_lineno, own.f_code.co_name) if own is not None else None


def waits_of(task: asyncio.Task[Any]) -> str:
    """`waits in Lock.acquire`, `waits for writer (Task-3)`, `waits for <Future pending>`."""
    _, inner = _split(_frames(task.get_coro()))
    awaited = getattr(task, "_fut_waiter", None)
    if isinstance(awaited, asyncio.Task):
        return f"waits for {name_of(awaited)}"
    gathered = [name_of(child) for child in getattr(awaited, "_children", ())
                if isinstance(child, asyncio.Task) and not child.done()]
    if gathered:
        return f"waits for {', '.join(gathered)}"
    told = "" if awaited is None else f", for <{type(awaited).__name__} {_state(awaited)}>"
    if inner is not None:
        return f"waits in {inner.f_code.co_qualname}{told}"
    return f"waits{told.removeprefix(',')}"


def _state(future: Any) -> str:
    return "done" if future.done() else "pending"


def _frames(awaitable: Any) -> list[FrameType]:
    """The frames of a suspended coroutine and of what it awaits, from the outside in."""
    frames: list[FrameType] = []
    while awaitable is not None and len(frames) < 1_000:
        kind = next((prefix for prefix in ("cr", "gi", "ag") if hasattr(awaitable, f"{prefix}_frame")), None)
        frame = getattr(awaitable, f"{kind}_frame") if kind else None
        if frame is None:
            break
        frames.append(frame)
        awaitable = getattr(awaitable, {"cr": "cr_await", "gi": "gi_yieldfrom", "ag": "ag_await"}[str(kind)], None)
    return frames


def _split(frames: list[FrameType]) -> tuple[FrameType | None, FrameType | None]:
    """The innermost frame of the program, and the frame of asyncio that it called."""
    last = max((number for number, frame in enumerate(frames) if not is_machinery(frame.f_code.co_filename)),
               default=-1)
    inside = frames[last + 1:]
    inner = next((frame for frame in inside if frame.f_code.co_name[0] != "_"), inside[0] if inside else None)
    return (frames[last] if last >= 0 else None), inner
