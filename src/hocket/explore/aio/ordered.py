"""Tasks and futures that have the same place in a set in every execution.

`asyncio.wait` answers with sets of tasks, and people write `for task in pending: task.cancel()`. Objects
without a hash of their own are hashed by their address, which differs from one execution to the next: the
same schedule would do something else. So here they are hashed by when they were made.

Only the order is decided. Two of them are equal only if they are one, as ever.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

__all__ = ["OrderedFuture", "OrderedTask"]

_Task: Any = asyncio.Task
_Future: Any = asyncio.Future


class OrderedTask(_Task):  # type: ignore[misc]  # of Any: typeshed's is generic
    """A task of an explored loop."""

    def __init__(self, coro: Any, *, place: int, **named: Any) -> None:
        self._place = place
        super().__init__(coro, **named)

    def __hash__(self) -> int:
        return self._place


class OrderedFuture(_Future):  # type: ignore[misc]  # of Any: typeshed's is generic
    """A future of an explored loop."""

    def __init__(self, *, place: int, **named: Any) -> None:
        self._place = place
        super().__init__(**named)

    def __hash__(self) -> int:
        return self._place

    def cancelled(self) -> bool:
        """Whether it was cancelled.

        A thread that hands in a result asks this only to spare itself the trouble, if the loop is closed besides, and
        then asks that again (`futures._chain_future`). It is told no: so its steps do not hang on what nobody tracks.
        """
        return not _is_asked_by_a_thread_at_its_end() and bool(super().cancelled())


def _is_asked_by_a_thread_at_its_end() -> bool:
    caller = sys._getframe(2)
    return caller.f_code.co_name == "_call_set_state" and caller.f_globals.get("__name__") == "asyncio.futures"


for _kind, _name in ((OrderedTask, "Task"), (OrderedFuture, "Future")):
    _kind.__name__, _kind.__qualname__, _kind.__module__ = _name, _name, "_asyncio"  # what they are for everybody else
