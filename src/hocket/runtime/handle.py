"""What a person holds of a scheduler's task, outside of bodies (`Handle`) and inside (`Context`).

Both are thin: every call goes to the scheduler, which has the lock.

A handle whose task is light (`light.py`) has no node: it says itself where the task stands, and who comes after it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from hocket.kernel import Edge, Node, Outcome, Phase
from hocket.runtime.task import PLAIN, More, Task

if TYPE_CHECKING:
    from hocket.runtime.building import Building
    from hocket.runtime.seats import Seat
    from hocket.runtime.threads import Scheduler

__all__ = ["CLOSED", "RUNNING", "Built", "Context", "Handle"]

_new = object.__new__
_CLOSED, _FINISHED = Phase.CLOSED, Outcome.FINISHED

RUNNING, CLOSED = -1, -2
"""Where a light task stands: for so many it waits, ready at zero; or it runs, or has finished."""


class Built(Task):
    """A task of a scheduler, with the calls that build it: what handles have in common on all runtimes."""

    __slots__ = ("later", "scheduler", "standing", "waiters")
    _node: Node | None  # type: ignore[assignment]  # None while it is light
    standing: int  # as long as it is light
    later: Any  # the light tasks that come after it: one, or a list; None when there is none

    def __init__(self, scheduler: Any, node: Node, body: Callable[..., Any] | None, more: More = PLAIN) -> None:
        self.name, self._node, self.body, self._more = node.name, node, body, more  # as a Task, without another call
        self._error = self._value = None
        self._seen = False
        self.scheduler = scheduler
        self.waiters: Any = ()  # who joins it; changed and read under the scheduler's lock
        node.load = self

    @classmethod
    def light(cls, scheduler: Any, name: str, body: Callable[..., Any] | None, more: More) -> Self:
        """A task of which nothing is known but that it is ready; written out, for these are made by the 100,000."""
        handle = _new(cls)
        handle.scheduler, handle.name, handle.body, handle._more = scheduler, name, body, more
        handle._node = handle._error = handle._value = handle.later = None
        handle._seen, handle.waiters, handle.standing = False, (), 0
        return handle

    def entered(self) -> Node:
        """Its node in the kernel; the scheduler's lock is held."""
        node = self._node
        if node is None:
            node = self.scheduler.enter(self)
        return node

    @property
    def node(self) -> Node:
        node = self._node
        if node is None:
            node = self.scheduler.node_of(self)
        return node

    @property
    def outcome(self) -> Outcome | None:
        node = self._node
        if node is None:
            return _FINISHED if self.standing == CLOSED else None
        return node.fate if node.phase is _CLOSED else None

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
