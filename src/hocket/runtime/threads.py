"""Worker threads over one kernel: the scheduler.

One lock guards the kernel and everything else here; bodies run outside it. The
crew executes; this is what people hold: building tasks, joining them, and the end.

A joiner waits on a condition of its own, registered with the task under the lock
that the task closes under. A joiner that helps is an executor like any worker, and
inside a body a join always helps, so that no number of waiting bodies can starve
the rest. A join that would wait for itself is refused at the call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import index as as_count
from types import TracebackType
from typing import Any

from hocket.errors import CycleError, DeadlockError, Refused
from hocket.graph import Graph
from hocket.kernel import Edge, Kernel, Node, Phase, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.build import build
from hocket.runtime.crew import Crew, names_of
from hocket.runtime.handle import Handle
from hocket.runtime.joins import Joins
from hocket.runtime.lazily import Lazily
from hocket.runtime.pickers import Picker, picker_of
from hocket.runtime.primitives import THREADING, Primitives
from hocket.runtime.seats import Seat
from hocket.runtime.task import After, Task, given_by, refuse_what_cannot_be_called, tasks_of

__all__ = ["Scheduler"]

_ARMED = Stimulus.ARMED  # an enum's member costs a look-up in its class each time


class Scheduler(Crew):
    """Tasks with dependencies on worker threads.

    `workers`: how many, or their names; they may be added and removed at any time. `policy`: what a failure does to
    the other tasks, "isolate" (dependents are skipped), "fail_fast" (nothing else starts) or "branch" (parents do not
    fail). `picker`: which ready task is taken next, "fifo", "lifo", "priority" (the highest first), "random" (drawn
    from `seed`) or a `Picker` of one's own. Leaving the `with` block arms what is idle, waits for everything, and
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
        primitives: Primitives = THREADING,
    ) -> None:
        names = names_of(workers)
        super().__init__(Kernel(Policy(policy), watch), primitives, picker_of(picker, seed))
        self._waiting: list[Seat] = []  # joiners that do not help: told when the last executor leaves
        self._joins = Joins()
        self._closing: Stimulus | None = None  # while it closes: what idle tasks are told when nothing else is left
        for name in names:
            self.add_worker(name)

    # -- building -----------------------------------------------------------------------------------------------------

    def spawn(
        self,
        name: str,
        body: Callable[..., Any] | None,
        *,
        after: After = (),
        parent: Task | None = None,
        run: bool = True,
        context: bool = False,
        priority: float = 0,
    ) -> Handle:
        """A task that calls `body()` once, after those in `after` have closed; `body=None` is a point to join at.

        Where `after` is a mapping, `{"x": a}`, the body is called with what those tasks returned, by these names.
        `parent` is held open until it has closed. With `run=False` it stays idle, to be built on, until `.run()` or
        the end of the `with` block. With `context`, the body is given a `Context`, before all else. `priority` counts
        where the scheduler's picker is "priority". Raises TypeError for a body that cannot be called so, Refused
        after the scheduler has closed or when the parent has.
        """
        refuse_what_cannot_be_called(name, body, given_by(after), context)
        return self._spawn(name, (body, None, context, priority), after, parent, run)

    def multi(self, name: str, count: int, body: Callable[..., Any], **options: Any) -> Handle:
        """One task that calls `body(i)` for each i in range(count), in any order, on any workers, each once (CH-04).

        `options` are those of `spawn`; what `after` gives by name, every call is given.
        """
        count = as_count(count)
        if count < 0:
            raise ValueError(f"multi {name!r} was given a count of {count}; a count is 0 or more")
        return self._many(name, range(count), body, **options)

    def iter(
        self, name: str, items: Iterable[Any], body: Callable[..., Any], *, lazy: bool = False, **options: Any
    ) -> Handle:
        """One task that calls `body(item)` for each of `items`, each once (CH-05); `options` as for `multi`.

        The items are taken now, so that an iterator that raises does so here; with `lazy`, each is taken when an
        executor has time for it, one at a time, and what the iterator raises fails the task.
        """
        taken = Lazily(items, self._primitives.lock()) if lazy else list(items)
        return self._many(name, taken, body, **options)

    def _many(
        self,
        name: str,
        items: Sequence[Any] | Lazily,
        body: Callable[..., Any],
        after: After = (),
        parent: Task | None = None,
        run: bool = True,
        context: bool = False,
        priority: float = 0,
    ) -> Handle:
        if body is None:
            raise TypeError(f"{name!r} needs a body to call for each index, not None")
        refuse_what_cannot_be_called(name, body, given_by(after), 1 + context)
        if not items:  # nothing to run: a point to join at (CH-03)
            return self._spawn(name, (None,), tasks_of(after), parent, run)
        return self._spawn(name, (body, iter(items), context, priority), after, parent, run)

    def _spawn(self, name: str, what: tuple[Any, ...], after: After, parent: Task | None, run: bool) -> Handle:
        given = given_by(after)
        earlier = [self._mine(task).node for task in tasks_of(after)]
        holder = None if parent is None else self._mine(parent).node
        with self._lock:
            self._refuse_when_closed(name)
            if holder is not None:
                self._refuse_child(name, holder, earlier)
            node = self._kernel.add(name, what[0] is not None)
            handle = Handle(self, node, *what)
            handle.given = given
            for source in earlier:
                self._kernel.hold(Edge.AFTER, source, node)
            if holder is not None:
                self._kernel.hold(Edge.HOLD, node, holder)
            if run:
                self._do(self._kernel.receive(_ARMED, node))
        return handle

    def _refuse_child(self, name: str, parent: Node, earlier: Iterable[Node]) -> None:
        """A new task that comes after others can close a circle in one way only: as the child of one that they need."""
        if parent.phase is Phase.CLOSED:
            raise Refused(parent.name, f"given the child {name!r}", "closed", "a task that has not closed")
        for source in earlier:
            circle = self._joins.circle_by_link(Edge.HOLD, source, parent)
            if circle:
                raise CycleError([name, *(node.name for node in circle)])

    def add_graph(self, graph: Graph) -> list[Handle]:
        """Every task of a `hocket.graph.Graph`, armed: the handles, in the graph's order."""
        with self._lock:
            self._refuse_when_closed("a graph")
            nodes = build(self._kernel, graph)
            handles = [Handle(self, node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
            for node in nodes:
                self._do(self._kernel.receive(Stimulus.ARMED, node))
        return handles

    def link(self, edge: Edge, sources: Iterable[Task], target: Task) -> None:
        """Relate several tasks to one, all or none. Raises Refused or CycleError."""
        held = self._mine(target).node
        self._link(edge, [(self._mine(source).node, held) for source in sources])

    def link_to(self, edge: Edge, source: Task, targets: Iterable[Task]) -> None:
        """Relate one task to several, all or none. Raises Refused or CycleError."""
        node = self._mine(source).node
        self._link(edge, [(node, self._mine(target).node) for target in targets])

    def _link(self, edge: Edge, pairs: Sequence[tuple[Node, Node]]) -> None:
        with self._lock:
            for node, held in pairs:
                self._kernel.admit(edge, node, held)
                circle = self._joins and self._joins.circle_by_link(edge, node, held)
                if circle:
                    raise CycleError([member.name for member in circle])
            for node, held in pairs:
                self._kernel.hold(edge, node, held)

    def arm(self, task: Task) -> None:
        self._tell(_ARMED, task)

    def arm_if_idle(self, task: Task) -> None:
        node = self._mine(task).node
        with self._lock:
            if node.phase is Phase.IDLE:
                self._do(self._kernel.receive(_ARMED, node))

    def cancel(self, task: Task) -> None:
        self._tell(Stimulus.CANCELLED, task)

    def _tell(self, stimulus: Stimulus, task: Task) -> None:
        node = self._mine(task).node
        with self._lock:
            self._do(self._kernel.receive(stimulus, node))

    def _mine(self, task: Task) -> Task:
        if not isinstance(task, Handle) or task.scheduler is not self:
            raise Refused(getattr(task, "name", repr(task)), "used here", "not a task of this scheduler", "one that is")
        return task

    # -- joining ------------------------------------------------------------------------------------------------------

    def join(self, task: Handle, help: bool, timeout: float | None) -> None:
        with self._lock:
            if task.outcome is not None:
                return
            seat = self._seats.get(self._primitives.get_ident())
            if seat is not None:
                self._refuse_to_wait_for_oneself(seat, task)
            if seat is not None or help:
                self._help(seat, task, timeout)
            elif not self._wait(task, timeout):
                raise DeadlockError(
                    f"nobody can run {task.name!r}: there is no worker; add one, or join(help=True)",
                    [self._kernel.story(task.node)],
                )

    def _help(self, seat: Seat | None, task: Handle, timeout: float | None) -> None:
        """Be an executor until the task has closed: woken by new work as well as by its end."""
        if timeout is not None:
            raise Refused(task.name, "joined with a timeout", "joined by an executor", "a join that does not help")
        place = self._seat("helper" if seat is None else seat.name)
        place.stack = [] if seat is None else seat.stack
        task.waiters = [*task.waiters, place]
        try:
            with self._joins.waiting(task.node, [mine.node for mine in place.stack]):
                self._serve(place, lambda: task.outcome is not None)
        finally:
            task.waiters = [seat for seat in task.waiters if seat is not place]

    def _wait(self, task: Handle, timeout: float | None = None) -> bool:
        """Sleep until the task has closed, while others run it; False when there is nobody who could."""
        seat = self._seat("joiner")
        task.waiters = [*task.waiters, seat]
        self._waiting.append(seat)
        try:
            while task.outcome is None and (self._workers or self._seats):
                if not seat.condition.wait(timeout) and timeout is not None and task.outcome is None:
                    raise TimeoutError(f"after {timeout} s, {self._kernel.story(task.node)}")
            return task.outcome is not None
        finally:
            task.waiters = [other for other in task.waiters if other is not seat]
            self._waiting.remove(seat)

    def _refuse_to_wait_for_oneself(self, seat: Seat, task: Task) -> None:
        """A body may not wait for what waits for it, nor for what this thread has put aside to help."""
        circle = self._joins.circle_by_join(task.node, [mine.node for mine in seat.stack])
        if circle:
            raise DeadlockError(
                f"{seat.stack[-1].name!r} joined {task.name!r}, which cannot close before {circle[-1].name!r} does: "
                "the join would wait for itself; join it from outside, or make it a child with fork()",
                cycle=[node.name for node in circle],
            )

    # -- the end ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Scheduler:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(cancel=error is not None)
        if error is None:
            self._raise_what_nobody_asked_for()

    def close(self, cancel: bool = False) -> None:
        """Run what is left (with `cancel`: only what has started), then end the workers. A second call does nothing."""
        with self._lock:
            if self._closed:
                return
            if self._primitives.get_ident() in self._seats:
                raise Refused("the scheduler", "closed", "running the body that closes it", "a call from outside")
            self._closing = Stimulus.CANCELLED if cancel else _ARMED
            if cancel:
                self._cancel_what_waits()
            self._tell_the_idle()
            self._finish()
            self._closed = True
            seats = list(self._workers.values())
            self._workers.clear()
            for seat in seats:
                self._dismiss(seat)
        for seat in seats:
            assert seat.thread is not None, f"{seat.name} has a seat and no thread"
            seat.thread.join()

    def _cancel_what_waits(self) -> None:
        for node in list(self._kernel.nodes):
            if Phase.IDLE < node.phase < Phase.RUNNING:
                self._do(self._kernel.receive(Stimulus.CANCELLED, node))

    def _rest(self) -> bool:
        return self._closing is not None and self._tell_the_idle()

    def _nobody_is_left(self) -> None:
        for seat in self._waiting:
            seat.condition.notify()

    def _tell_the_idle(self) -> bool:
        """At the end, idle tasks are armed (or cancelled): those there are, and again whenever all has come to rest."""
        assert self._closing is not None, "idle tasks are their makers' until the scheduler closes"
        idle = [node for node in self._kernel.nodes if node.phase is Phase.IDLE]
        for node in idle:
            if node.phase is Phase.IDLE:
                self._do(self._kernel.receive(self._closing, node))
        return bool(idle)

    def _finish(self) -> None:
        """Wait for everything, which may grow meanwhile; where there are no workers, do it."""
        while self._kernel.nodes:
            last: Any = next(reversed(list(self._kernel.nodes))).load
            if not self._wait(last):
                self._help(None, last, None)

    def _raise_what_nobody_asked_for(self) -> None:
        errors = [task._error for task in self._failed if not task.taken_note_of() and task._error is not None]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup(f"{len(errors)} tasks failed, and nobody asked for them", errors)

    # -- what people ask ----------------------------------------------------------------------------------------------

    def story(self, task: Task) -> str:
        """Where a task stands and why, in one sentence."""
        node = self._mine(task).node
        with self._lock:
            return self._kernel.story(node)

    def check(self) -> None:
        """Assert the kernel's invariants: O(tasks + edges), for tests."""
        with self._lock:
            self._kernel.check()
