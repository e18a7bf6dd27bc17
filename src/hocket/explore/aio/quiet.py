"""Which callbacks that are ready do nothing but count: asyncio's own notes that one of several things is done.

A timer that comes before or after one of them comes to the same, so it is not asked whether it does: with ten tasks
that sleep alike in a `gather` that would be a factor for each. Known are `gather`, `wait` and `TaskGroup`, each as long
as others are still awaited and nothing has failed; what is not known by name is no note. That nothing is lost by this
is tested against all moments at which a timer can come (tests/fuzz_asyncio.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["is_news"]


def is_news(ready: Sequence[Any]) -> bool:
    """Whether anything among these handles, which run next, could tell whether a timer came before it."""
    return not all(_only_counts(handle, ready) for handle in ready)


def _only_counts(handle: Any, ready: Sequence[Any]) -> bool:
    callback = handle._callback
    row = _ROWS.get(getattr(callback, "__qualname__", ""))
    if row is None or not str(callback.__module__).startswith("asyncio."):
        return False
    done = handle._args[0]
    if done.cancelled() or done._exception is not None:
        return False
    return row(callback, sum(other._callback == callback for other in ready))


def _gathered(callback: Any, notes: int) -> bool:
    known = _cells(callback)
    return bool(known["nfinished"] + notes < known["nfuts"])


def _awaited(callback: Any, notes: int) -> bool:
    known = _cells(callback)
    return bool(known["return_when"] != asyncio.FIRST_COMPLETED and known["counter"] > notes)


def _grouped(callback: Any, notes: int) -> bool:
    return len(callback.__self__._tasks) > notes


def _cells(callback: Any) -> dict[str, Any]:
    return {name: cell.cell_contents
            for name, cell in zip(callback.__code__.co_freevars, callback.__closure__, strict=True)}


_ROWS: dict[str, Callable[[Any, int], bool]] = {
    "gather.<locals>._done_callback": _gathered,
    "_wait.<locals>._on_completion": _awaited,
    "TaskGroup._on_task_done": _grouped,
}
