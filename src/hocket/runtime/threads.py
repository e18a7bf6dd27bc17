"""Worker threads over one kernel: the scheduler.

One lock guards the kernel and everything else here; bodies run outside it. The
crew executes; `building.py` makes tasks; here are the joins and the end.

A joiner waits on a condition of its own, registered with the task under the lock
that the task closes under. A joiner that helps is an executor like any worker, and
inside a body a join always helps, so that no number of waiting bodies can starve
the rest. A join that would wait for itself is refused at the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType

from hocket.errors import DeadlockError, Refused
from hocket.graph import Expression, Graph, graph_of
from hocket.kernel import Kernel, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.checked import Verify, refuse_unverified
from hocket.runtime.crew import Crew, names_of
from hocket.runtime.handle import Built, Handle
from hocket.runtime.pickers import Picker, picker_of
from hocket.runtime.primitives import THREADING, Primitives
from hocket.runtime.seats import Seat

__all__ = ["Scheduler"]


class Scheduler(Crew):
    """Tasks with dependencies on worker threads.

    `workers`: how many, or their names; they may be added and removed at any time. `policy`: what a failure does to
    the other tasks, "isolate" (dependents are skipped), "fail_fast" (nothing else starts) or "branch" (parents do not
    fail). `picker`: which ready task is taken next, "fifo", "lifo", "priority" (the highest first), "random" (drawn
    from `seed`) or a `Picker` of one's own. With `verify`, a graph is verified before it is added (by
    `hocket.verify`, or a function like it). Leaving the `with` block arms what is idle, waits for everything, and
    raises the failures that nobody asked for.

    >>> with Scheduler(workers=2) as s:
    ...     a = s.spawn("a", lambda: 40)
    ...     b = s.spawn("b", lambda x: x + 2, after={"x": a})
    ...     b.join()
    42

    Source: Choir (CH-01 to CH-X7), without its bugs C-B1 to C-B12.
    """

    def __init__(
        self,
        workers: int | Iterable[str] = 1,
        *,
        policy: Policy | str = Policy.ISOLATE,
        picker: str | Picker[Handle] = "fifo",
        seed: int = 0,
        watch: Watch | None = None,
        verify: Verify = False,
        primitives: Primitives = THREADING,
    ) -> None:
        names = names_of(workers)
        super().__init__(Kernel(Policy(policy), watch), primitives, picker_of(picker, seed))
        self._verify = verify
        self._waiting: list[Seat] = []  # joiners that do not help: told when the last executor leaves
        for name in names:
            self.add_worker(name)

    def add_graph(self, graph: Expression | Graph) -> list[Handle]:
        """Every task of a `hocket.graph.Graph`, or of a `seq` / `fork` expression, armed: the handles, in its order.

        With `verify`, raises Unverified before any of them is there if something is wrong with the graph.
        """
        graph = graph if isinstance(graph, Graph) else graph_of(graph)
        refuse_unverified(graph, self._verify, len(self._workers))
        return super().add_graph(graph)

    # -- joining ------------------------------------------------------------------------------------------------------

    def join(self, task: Handle, help: bool, timeout: float | None) -> None:
        with self._lock:
            if task.outcome is not None:
                return
            seat = self._seats.get(self._primitives.get_ident())
            if seat is not None:
                self._refuse_to_wait_for_oneself(seat.stack, task)
            if seat is not None or help:
                self._help(seat, task, timeout)
            elif not self._wait(task, timeout):
                raise DeadlockError(
                    f"nobody can run {task.name!r}: there is no worker; add one, or join(help=True)",
                    [self._kernel.story(task.entered())],
                )

    def _help(self, seat: Seat | None, task: Handle, timeout: float | None) -> None:
        """Be an executor until the task has closed: woken by new work as well as by its end."""
        if timeout is not None:
            raise Refused(task.name, "joined with a timeout", "joined by an executor", "a join that does not help")
        place = self._seat("helper" if seat is None else seat.name)
        place.stack = [] if seat is None else seat.stack
        task.waiters = [*task.waiters, place]
        try:
            with self._joining(task, place.stack):
                self._serve(place, lambda: task.outcome is not None)
        finally:
            task.waiters = [seat for seat in task.waiters if seat is not place]

    def _joining(self, task: Handle, stack: Sequence[Built]) -> AbstractContextManager[None]:
        """For as long as it lasts, the bodies of a stack wait for the task; whoever is in no body holds nobody up."""
        if not stack:
            return nullcontext()
        return self._joins.waiting(task.entered(), [body.entered() for body in stack])

    def _wait(self, task: Handle, timeout: float | None = None) -> bool:
        """Sleep until the task has closed, while others run it; False when there is nobody who could."""
        seat = self._seat("joiner")
        try:
            task.waiters = [*task.waiters, seat]
            self._waiting.append(seat)
            while task.outcome is None and (self._workers or self._seats):
                longest = self._primitives.longest_sleep() if timeout is None else timeout
                if not seat.condition.wait(longest) and timeout is not None and task.outcome is None:
                    raise TimeoutError(f"after {timeout} s, {self._kernel.story(task.entered())}")
            return task.outcome is not None
        finally:
            task.waiters = [other for other in task.waiters if other is not seat]
            self._waiting = [other for other in self._waiting if other is not seat]

    # -- the end ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Scheduler:
        if self._closed:
            raise Refused("the scheduler", "entered", "closed", "a new one", "Make one for each block.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=error is not None)
        if error is None:
            self._raise_what_nobody_asked_for()

    def close(self, cancel: bool = False) -> None:
        """Run what is left (with `cancel`: only what has started), then end the workers. A second call does nothing.

        With `cancel`, a task of many bodies is broken off between two calls, and joined, raises TaskLost. A
        KeyboardInterrupt meanwhile cancels in the same way, and is raised when what runs is over; a second one at once.
        """
        if self._primitives.get_ident() in self._seats:
            raise Refused("the scheduler", "closed", "running the body that closes it", "a call from outside")
        try:
            self._end(cancel)
        except KeyboardInterrupt:
            self._end(cancel=True)
            raise
        finally:
            if not self._closed:
                with self._lock:
                    self._send_all_away()

    def _end(self, cancel: bool) -> None:
        with self._lock:
            if self._closed:
                return
            self._finish(cancel)
            seats = self._send_all_away()
        for seat in seats:
            assert seat.thread is not None, f"{seat.name} has a seat and no thread"
            seat.thread.join()

    def _send_all_away(self) -> list[Seat]:
        self._closed = True
        seats = list(self._workers.values())
        self._workers.clear()
        for seat in seats:
            self._dismiss(seat)
        return seats

    def _rest(self) -> bool:
        return self._closing is not None and self._tell_the_idle(at_rest=True)

    def _nobody_is_left(self) -> None:
        for seat in self._waiting:
            seat.condition.notify()

    def _finish(self, cancel: bool) -> None:
        """Wait for everything, which may grow meanwhile; where there are no workers, do it."""
        self._closing = Stimulus.CANCELLED if cancel else Stimulus.ARMED
        if cancel:
            self._stop()
        self._tell_the_idle(at_rest=len(self._asleep.parked) == len(self._seats))
        newest = True
        while (last := self._open_one(newest)) is not None:
            newest = not newest
            if not self._wait(last):
                self._help(None, last, None)

    def _open_one(self, newest: bool) -> Handle | None:
        """A task that has not closed: with most pickers, the newest or the oldest is run last."""
        if self._light:
            came = reversed(self._came) if newest else iter(self._came)
            return next(task for task in came if task._node is None and task.outcome is None)
        if self._kernel.idle:
            return None
        nodes = list(self._kernel.nodes)
        return nodes[-1 if newest else 0].load  # type: ignore[return-value]  # only the scheduler adds nodes
