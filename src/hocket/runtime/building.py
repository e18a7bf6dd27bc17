"""What people build with and ask of a scheduler, on every runtime alike: tasks, what they wait for, their stories.

A runtime brings a lock that guards the kernel, and `_do`, which takes up what the
kernel says; it is called with that lock held. Bodies may build while they run, from
whichever thread, so all of this is under the lock, and nothing here waits. Joining
and the end are each runtime's own, because to wait is to sleep in one and to await
in another.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import index as as_count
from types import FunctionType
from typing import Any, ClassVar, Generic, TypeVar

from hocket.errors import CycleError, DeadlockError, Refused
from hocket.graph import Expression, Graph, graph_of
from hocket.kernel import Command, Commands, Edge, Kernel, Node, Phase, Stimulus
from hocket.runtime.bodies import REFUSED, refuse_bodies_of, refuse_body
from hocket.runtime.build import build
from hocket.runtime.flat import Drawing
from hocket.runtime.handle import Built
from hocket.runtime.joins import Joins
from hocket.runtime.lazily import Lazily
from hocket.runtime.primitives import Lock
from hocket.runtime.task import (
    NOBODY,
    NOTHING_GIVEN,
    PLAIN,
    After,
    More,
    Task,
    given_by,
    refuse_what_cannot_be_called,
    tasks_of,
)

__all__ = ["Building"]

_ARMED, _AFTER = Stimulus.ARMED, Edge.AFTER  # an enum's member costs a look-up in its class each time

H = TypeVar("H", bound=Built)


class Building(Generic[H]):
    """The half of a scheduler that no runtime has of its own."""

    _handle: type[H]  # what a task is held by
    _awaits: ClassVar[bool]  # whether bodies may be async

    def __init__(self, kernel: Kernel, lock: Lock) -> None:
        self._kernel, self._lock = kernel, lock
        self._joins = Joins()
        self._failed: list[Task] = []
        self._refused = REFUSED[self._awaits]
        self._closed = False
        self._closing: Stimulus | None = None  # while it closes: what idle tasks are told that nobody builds
        # idle tasks that bodies at work have spawned, both ways: nobody else arms them
        self._built_by: dict[Node, Built] = {}
        self._builds: dict[Built, dict[Node, None]] = {}
        self._told: set[Node] = set()  # idle tasks that the end has armed or cancelled, and nobody has run yet

    def _do(self, commands: Commands) -> None:
        """Take up what the kernel says; the lock is held."""
        raise NotImplementedError

    def _lock_for_items(self) -> Lock:
        """A lock around each draw from an iterator."""
        raise NotImplementedError

    def _body_here(self) -> Built | None:
        """The task of the innermost body that the caller is in, if it is in one of this scheduler's."""
        raise NotImplementedError

    def _refuse_when_closed(self, name: str) -> None:
        if self._closed:
            raise Refused(name, "added", "too late: the scheduler has closed", "an open scheduler")

    # -- building -----------------------------------------------------------------------------------------------------

    def spawn(
        self,
        name: str,
        body: Callable[..., Any] | None,
        *,
        after: After = NOBODY,
        parent: Task | None = None,
        run: bool = True,
        context: bool = False,
        priority: float = 0,
    ) -> H:
        """A task that calls `body()` once, after those in `after` have closed; `body=None` is a point to join at.

        Where `after` is a mapping, `{"x": a}`, the body is called with what those tasks returned, by these names.
        `parent` is held open until it has closed. With `run=False` it stays idle, to be built on, until `.run()` or
        the end of the `with` block; where a body has spawned it, until `.run()` or the end of both. With `context`,
        the body is given a `Context`, before all else. `priority` counts where the scheduler's picker is "priority".
        Raises TypeError for a body that cannot be called so, Refused after the scheduler has closed or when the parent
        has.
        """
        given = NOTHING_GIVEN if after is NOBODY or type(after) is list else given_by(after)
        called = body.func if type(body) is partial else body
        if given or type(called) is not FunctionType or called.__code__.co_flags & self._refused:
            self._refuse_body(name, body, given, context)
        more = More(None, context, priority, given) if context or priority or given else PLAIN
        if run and parent is None and body is not None:
            return self._spawn_armed(name, body, more, after)
        return self._spawn(name, body, more, after, parent, run)

    def _spawn_armed(self, name: str, body: Callable[..., Any], more: More, after: After) -> H:
        """A task with one body that is armed, and a child of none."""
        return self._spawn(name, body, more, after, None, run=True)

    def multi(self, name: str, count: int, body: Callable[..., Any], **options: Any) -> H:
        """One task that calls `body(i)` for each i in range(count), in any order, on any workers, each once (CH-04).

        `options` are those of `spawn`; what `after` gives by name, every call is given.
        """
        count = as_count(count)
        if count < 0:
            raise ValueError(f"multi {name!r} was given a count of {count}; a count is 0 or more")
        return self._many(name, range(count), body, **options)

    def iter(
        self, name: str, items: Iterable[Any], body: Callable[..., Any], *, lazy: bool = False, **options: Any
    ) -> H:
        """One task that calls `body(item)` for each of `items`, each once (CH-05); `options` as for `multi`.

        The items are taken now, so that an iterator that raises does so here; with `lazy`, each is taken when an
        executor has time for it, one at a time, and what the iterator raises fails the task.
        """
        if isinstance(items, AsyncIterable):
            raise TypeError(f"the items of {name!r} come from an async iterator: say AsyncScheduler, which awaits them")
        taken = Lazily(items, self._lock_for_items()) if lazy else list(items)
        return self._many(name, taken, body, **options)

    def _refuse_body(self, name: str, body: Any, given: Mapping[str, Task], arguments: int) -> None:
        refuse_body(name, body, self._awaits)
        refuse_what_cannot_be_called(name, body, given, arguments)

    def _many(
        self,
        name: str,
        items: Sequence[Any] | Lazily | Drawing | AsyncIterator[Any],
        body: Callable[..., Any],
        after: After = (),
        parent: Task | None = None,
        run: bool = True,
        context: bool = False,
        priority: float = 0,
    ) -> H:
        if body is None:
            raise TypeError(f"{name!r} needs a body to call for each index, not None")
        given = given_by(after)
        self._refuse_body(name, body, given, 1 + context)
        if not items:  # nothing to run: a point to join at (CH-03)
            return self._spawn(name, None, PLAIN, after, parent, run)
        work: Any = items if isinstance(items, AsyncIterator) else iter(items)
        return self._spawn(name, body, More(work, context, priority, given), after, parent, run)

    def _spawn(
        self, name: str, body: Callable[..., Any] | None, more: More, after: After, parent: Task | None, run: bool
    ) -> H:
        before = [self._mine(task) for task in tasks_of(after)]
        above = None if parent is None else self._mine(parent)
        with self._lock:
            self._refuse_when_closed(name)
            return self._add(name, body, more, before, above, run)

    def _add(
        self, name: str, body: Callable[..., Any] | None, more: More, before: Sequence[H], above: H | None, run: bool
    ) -> H:
        """A task with a node; the lock is held."""
        earlier = [task.entered() for task in before]
        holder = None if above is None else above.entered()
        if holder is not None:
            self._refuse_child(name, holder, earlier)
        node = self._kernel.add(name, body is not None)
        handle = self._handle(self, node, body, more)
        for source in earlier:
            self._kernel.hold(_AFTER, source, node)
        if holder is not None:
            self._kernel.hold(Edge.HOLD, node, holder)
        if run:
            self._do(self._kernel.receive(_ARMED, node))
        elif (body_here := self._body_here()) is not None:
            self._built_by[node] = body_here
            self._builds.setdefault(body_here, {})[node] = None
        return handle

    def _refuse_child(self, name: str, parent: Node, earlier: Iterable[Node]) -> None:
        """A new task that comes after others can close a circle in one way only: as the child of one that they need."""
        if parent.phase is Phase.CLOSED:
            raise Refused(parent.name, f"given the child {name!r}", "closed", "a task that has not closed")
        for source in earlier:
            circle = self._joins.circle_by_link(Edge.HOLD, source, parent)
            if circle:
                raise CycleError([name, *(node.name for node in circle)])

    def add_graph(self, graph: Expression | Graph) -> list[H]:
        """Every task of a `hocket.graph.Graph`, or of a `seq` / `fork` expression, armed: the handles, in its order."""
        graph = graph if isinstance(graph, Graph) else graph_of(graph)
        refuse_bodies_of(graph.tasks, self._awaits)
        with self._lock:
            self._refuse_when_closed("a graph")
            return self._add_armed(graph)

    def _add_armed(self, graph: Graph) -> list[H]:
        """The lock is held."""
        nodes = build(self._kernel, graph)
        handles = [self._handle(self, node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
        for node in nodes:
            self._do(self._kernel.receive(_ARMED, node))
        return handles

    def go_on_with(self, graph: Graph, drawing: Drawing) -> list[H]:
        """The tasks of a graph of which some have run without a kernel, and the first to fail have failed."""
        with self._lock:
            self._refuse_when_closed("a graph")
            nodes, receive = build(self._kernel, graph), self._kernel.receive
            handles = [self._handle(self, node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
            for node in nodes:
                receive(_ARMED, node)
            for number in drawing.ran:
                handles[number].gave(drawing.values[number])
                receive(Stimulus.STARTED, nodes[number])
                receive(Stimulus.RETURNED, nodes[number])
            for number, _ in drawing.broken:
                receive(Stimulus.STARTED, nodes[number])
            for number, error in drawing.broken:
                handles[number].failed_with(error)
                receive(Stimulus.RAISED, nodes[number])
            self._do([(Command.RUN, node) for node in nodes if node.phase is Phase.READY])
        return handles

    def link(self, edge: Edge, sources: Iterable[Task], target: Task) -> None:
        """Relate several tasks to one, all or none. Raises Refused or CycleError."""
        held = self._mine(target)
        self._link(edge, [(self._mine(source), held) for source in sources])

    def link_to(self, edge: Edge, source: Task, targets: Iterable[Task]) -> None:
        """Relate one task to several, all or none. Raises Refused or CycleError."""
        mine = self._mine(source)
        self._link(edge, [(mine, self._mine(target)) for target in targets])

    def _link(self, edge: Edge, tasks: Sequence[tuple[H, H]]) -> None:
        with self._lock:
            pairs = [(source.entered(), target.entered()) for source, target in tasks]
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
        mine = self._mine(task)
        with self._lock:
            if mine.entered().phase is Phase.IDLE:
                self._tell_node(_ARMED, mine.entered())

    def cancel(self, task: Task) -> None:
        self._tell(Stimulus.CANCELLED, task)

    def _tell(self, stimulus: Stimulus, task: Task) -> None:
        mine = self._mine(task)
        with self._lock:
            node = mine.entered()
            if stimulus is _ARMED and node in self._told and not self._closed:
                self._told.remove(node)  # its maker had not come to say run() when all others ended
            else:
                self._tell_node(stimulus, node)

    def _tell_node(self, stimulus: Stimulus, node: Node) -> None:
        """A task is armed or cancelled, so nobody builds it any more; the lock is held."""
        body = self._built_by.pop(node, None)
        if body is not None:
            del self._builds[body][node]
            if not self._builds[body]:
                del self._builds[body]
        self._do(self._kernel.receive(stimulus, node))

    def _mine(self, task: Task) -> Any:
        if not isinstance(task, Built) or task.scheduler is not self:
            raise Refused(getattr(task, "name", repr(task)), "used here", "not a task of this scheduler", "one that is")
        return task

    # -- workers ------------------------------------------------------------------------------------------------------

    def add_worker(self, name: str) -> None:
        raise NotImplementedError

    def remove_worker(self, name: str) -> None:
        raise NotImplementedError

    @contextmanager
    def worker(self, name: str) -> Iterator[None]:
        """One worker more for as long as the block lasts: a plain `with`. Raises Refused as `add_worker` does."""
        self.add_worker(name)
        try:
            yield
        finally:
            self.remove_worker(name)

    # -- what people ask ----------------------------------------------------------------------------------------------

    def story(self, task: Task) -> str:
        """Where a task stands and why, in one sentence."""
        mine = self._mine(task)
        with self._lock:
            return self._kernel.story(mine.entered())

    def check(self) -> None:
        """Assert the invariants of the kernel and of what is beside it: O(tasks + edges), for tests."""
        with self._lock:
            self._check()

    def _check(self) -> None:
        self._kernel.check()

    # -- what all ends have in common ----------------------------------------------------------------------------------

    def _enter_all(self) -> None:
        """Whoever is not in the kernel is now: for what asks for all that is open."""

    def _cancel_what_waits(self) -> None:
        self._enter_all()
        for node in list(self._kernel.nodes):
            if Phase.IDLE < node.phase < Phase.RUNNING:
                self._do(self._kernel.receive(Stimulus.CANCELLED, node))

    def _tell_the_idle(self, at_rest: bool) -> bool:
        """At the end, idle tasks are armed (or cancelled) that no body at work is building: those there are, and again
        whenever all has come to rest. Then bodies are waiting, if any, and what these build is armed when nothing else
        is left. Whether there was one.
        """
        idle = [node for node in self._kernel.nodes if node.phase is Phase.IDLE]
        nobodys = [node for node in idle if node not in self._built_by]
        return self._end_idleness(nobodys or (idle if at_rest else []))

    def _end_idleness(self, idle: list[Node]) -> bool:
        assert self._closing is not None, "idle tasks are their makers' until the scheduler closes"
        self._told.update(idle)
        for node in idle:
            if node.phase is Phase.IDLE:
                self._tell_node(self._closing, node)
        return bool(idle)

    def _builds_no_more(self, task: H) -> None:
        """A body of a task that has spawned idle ones is over: when all are, these are nobody's."""
        if task not in self._builds or task.entered().phase is Phase.RUNNING:
            return
        left = self._builds.pop(task)
        for node in left:
            del self._built_by[node]
        if self._closing is not None:
            self._end_idleness(list(left))

    def _raise_what_nobody_asked_for(self) -> None:
        errors = [task._error for task in self._failed if not task.taken_note_of() and task._error is not None]
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise BaseExceptionGroup(f"{len(errors)} tasks failed, and nobody asked for them", errors)

    # -- what all joins have in common ---------------------------------------------------------------------------------

    def _refuse_to_wait_for_oneself(self, stack: Sequence[Built], task: Built) -> None:
        """A body may not wait for what waits for it, nor for what this thread has put aside to help."""
        circle = self._joins.circle_by_join(task.entered(), [mine.entered() for mine in stack])
        if circle:
            raise DeadlockError(
                f"{stack[-1].name!r} joined {task.name!r}, which cannot close before {circle[-1].name!r} does: "
                "the join would wait for itself; join it from outside, or make it a child with fork()",
                cycle=[node.name for node in circle],
            )
