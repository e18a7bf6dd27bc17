"""What a person holds of a scheduler's task, outside of bodies (`Handle`) and inside (`Context`).

Both are thin: every call goes to the scheduler, which has the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from hocket.kernel import Edge, Node
from hocket.runtime.task import Task

if TYPE_CHECKING:
    from hocket.runtime.building import Building
    from hocket.runtime.seats import Seat
    from hocket.runtime.threads import Scheduler

__all__ = ["Built", "Context", "Handle"]


class Built(Task):
    """A task of a scheduler, with the calls that build it: what handles have in common on all runtimes."""

    __slots__ = ("scheduler", "waiters")

    def __init__(
        self,
        scheduler: Any,
        node: Node,
        body: Callable[..., Any] | None,
        work: Iterator[Any] | None = None,
        wants_context: bool = False,
        priority: float = 0,
    ) -> None:
        super().__init__(node, body, work, wants_context)
        self.scheduler = scheduler
        self.priority = priority
        self.waiters: Any = ()  # who joins it; changed and read under the scheduler's lock

    def run(self) -> Self:
        """Arm a task that was spawned with `run=False`. Raises Refused when it is armed already."""
        self.scheduler.arm(self)
        return self

    def depend_on(self, *earlier: Task) -> Self:
        """It starts after these have closed. Raises Refused when it is armed already, CycleError on a circle."""
        self.scheduler.link(Edge.AFTER, earlier, self)
        return self

    def before(self, *later: Task) -> Self:
        """These start after it has closed. Raises Refused when one of them is armed already, CycleError on a circle."""
        self.scheduler.link_to(Edge.AFTER, self, later)
        return self

    def cancel(self) -> None:
        """Keep it from starting. Raises Refused when it has started: what runs is closed by itself only."""
        self.scheduler.cancel(self)


class Handle(Built):
    """A task of a `Scheduler`, with the calls that wait for it."""

    __slots__ = ()
    scheduler: Scheduler
    waiters: Sequence[Seat]

    def run_attached(self) -> Any:
        """Run it (where it is idle, arm it) with this thread's help: returns when it has closed, with all its indices
        and all its forks, what `join` returns. Other tasks may run in this thread meanwhile (CH-09, CH-14).
        """
        self.scheduler.arm_if_idle(self)
        return self.join(help=True)

    def join(self, help: bool = False, timeout: float | None = None) -> Any:
        """Wait until it has closed, and return what its body returned (None for tasks of many bodies).

        With `help`, run other tasks meanwhile; inside a body it always helps, so that no number of waiting tasks can
        starve the workers. Raises what the body raised; TaskLost when it was skipped or cancelled, or a child was
        lost; TimeoutError after `timeout` seconds, saying what it waits for; DeadlockError when nobody can run it.
        """
        self.scheduler.join(self, help, timeout)
        return self.value()

    @property
    def result(self) -> Any:
        """As `join()`."""
        return self.join()


H = TypeVar("H", bound=Built)


class Context(Generic[H]):
    """What a body is given that asks for it (`context=True`): its own task, and the scheduler, from inside."""

    __slots__ = ("scheduler", "task")

    def __init__(self, scheduler: Building[H], task: Task) -> None:
        self.scheduler, self.task = scheduler, task

    @property
    def self_task(self) -> Task:
        """`task`, by the name that it has in Choir."""
        return self.task

    def spawn(self, name: str, body: Callable[..., Any] | None, **options: Any) -> H:
        """As `Scheduler.spawn`: a task that this one does not wait for."""
        return self.scheduler.spawn(name, body, **options)

    def fork(self, name: str, body: Callable[..., Any] | None, **options: Any) -> H:
        """A child: this task closes, and its dependents start, only after the child has closed (CH-06)."""
        return self.scheduler.spawn(name, body, parent=self.task, **options)

    def add_fork(self, other: Task) -> None:
        """Hold this task open until `other` has closed, whether or not it has begun (CH-07)."""
        self.scheduler.link(Edge.HOLD, (other,), self.task)
