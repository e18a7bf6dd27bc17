"""What a person holds of a task on an event loop: it can be awaited, and built upon as on every runtime."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Generator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Self

from hocket.errors import Refused, TaskLost
from hocket.kernel import Node
from hocket.runtime.bodies import is_async
from hocket.runtime.handle import Built
from hocket.runtime.task import PLAIN, More

if TYPE_CHECKING:
    from asyncio import Future

    from hocket.runtime.aio import AsyncScheduler

__all__ = ["AsyncHandle"]


class AsyncHandle(Built):
    """A task of an `AsyncScheduler`: `await handle` gives what its body returned, or raises what came of it."""

    __slots__ = ("context", "is_async")
    scheduler: AsyncScheduler
    work: Any  # an iterator of either kind
    waiters: dict[Future[bool], None]  # who awaits it; only the loop's thread changes and reads them

    def __init__(self, scheduler: Any, node: Node, body: Callable[..., Any] | None, more: More = PLAIN) -> None:
        super().__init__(scheduler, node, body, more)
        self.is_async = is_async(body)
        self.context = copy_context()  # that of whoever spawns it, as with `asyncio.create_task`

    @classmethod
    def light(cls, scheduler: Any, name: str, body: Callable[..., Any] | None, more: More) -> Self:
        handle = super().light(scheduler, name, body, more)
        handle.is_async = is_async(body)
        handle.context = copy_context()
        return handle

    def __await__(self) -> Generator[Any, None, Any]:
        return self.join().__await__()

    async def run_attached(self) -> Any:
        """Arm it, where it is idle, and wait until it has closed, with all its indices and all its forks (CH-14)."""
        self.scheduler.arm_if_idle(self)
        return await self.join(help=True)

    async def join(self, timeout: float | None = None, *, help: bool = False) -> Any:
        """Wait until it has closed, and return what its body returned (None for tasks of many bodies).

        Raises what the body raised; TaskLost when it was skipped or cancelled, or a child was lost; TimeoutError after
        `timeout` seconds, saying what it waits for: the task goes on. In a body, DeadlockError when the task waits for
        that body, or nobody can run it. Raises Refused in another event loop than its scheduler's. To wait is to let
        others run here, so `help` changes nothing as long as there is a worker; where there is none, it is one.
        """
        await self.scheduler.join(self, timeout, help)
        return self.value()

    @property
    def result(self) -> Any:
        """As `await handle`, once it has closed; Refused before."""
        if self.outcome is None:
            raise Refused(self.name, "asked for its result", str(self.node.phase), "closed", "Await it.")
        return self.value()

    def interrupt(self) -> None:
        """Raise CancelledError in its running bodies, where each of them awaits; a body may end as it likes.

        If that comes out of a body, the task has failed. Raises Refused when none runs on the loop: what has not
        started is kept from it by `cancel`, and a body in a worker thread ends by itself only.
        """
        self.scheduler.interrupt(self)

    def value(self) -> Any:
        """As on every runtime; a body that ended by being interrupted is a loss, and not the end of who asks."""
        if isinstance(self._error, CancelledError):
            self._seen = True
            raise TaskLost(self.name, "interrupted", "") from self._error
        return super().value()

    def failed_with(self, error: BaseException) -> bool:
        """As on every runtime; but a body that was interrupted is a loss only where no other has failed."""
        if isinstance(error, CancelledError) and self._error is not None:
            return False
        if isinstance(self._error, CancelledError):
            self._error = None
        return super().failed_with(error)

    def begin(self, context: Any, *drawn: Any) -> Any:
        """Call its body, or that for what was drawn, with what it is given by name."""
        assert self.body is not None, f"{self.name} has no body, and was given to an executor"
        more = self._more
        if more is PLAIN:
            return self.body()
        first = (context, *drawn) if more.wants_context else drawn
        return self.body(*first, **self.values()) if more.given else self.body(*first)
