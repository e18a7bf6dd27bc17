"""Bugs planted in the code that ships, one for each rule of the protocol, and who refuses each.

A plant replaces one function, or one row, by one that breaks one rule: as somebody might who writes it anew. The real
kernel or the real scheduler then runs with it, beside its model. `refused` is what is said of it: the guard of the
model that an event lacks; what only one of the two would do; a deadlock; or the kernel's own check of its counters.
`after` is how much was gone through until then: graphs for the bridge, executions for the explorer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hocket.graph import Graph
from hocket.kernel import Edge, Kernel, Node, Outcome, Phase, Policy, Stimulus, tables
from hocket.kernel import kernel as kernel_module
from hocket.kernel import story as story_module
from hocket.kernel.lifecycle import EVENTS, KEEPS, STATES, EventRow
from hocket.kernel.node import Scope
from hocket.runtime import Scheduler, building
from hocket.runtime.build import build
from hocket.runtime.crew import Crew
from hocket.runtime.joins import Joins
from hocket.runtime.seats import Seat, Seats
from tests.chain import bridge

Patch = tuple[object, str, object]  # where, which name, and what stands there instead


@dataclass(frozen=True)
class Plant:
    """`where`: a scenario's name, for the explorer; or, for the bridge, how its graphs are gone through."""

    rule: str
    patches: tuple[Patch, ...]
    where: str | dict[str, Any]
    refused: str
    after: int

    def __str__(self) -> str:
        return self.rule


# -- how rows are planted ----------------------------------------------------------------------------------------------


def rows(states: tuple[Any, ...]) -> tuple[Patch, ...]:
    """A kernel that executes other state rows, and a `check` that believes in them."""
    return _with_rows("STATES", states)


def _with_rows(table: str, told: tuple[Any, ...]) -> tuple[Patch, ...]:
    before = getattr(tables, table)
    setattr(tables, table, told)
    try:
        received = (Kernel, "receive", tables._receiver())
        if table == "EVENTS":
            return ((kernel_module, "take", [tables._taker(stimulus) for stimulus in Stimulus]), received)
        settled = (kernel_module, "settle", tables._settler())
        reader = tables._state_reader()
        patches = (settled, received, (story_module, "state_row", reader), (kernel_module, "state_row", reader))
        return ((tables, table, told), *patches)
    finally:
        setattr(tables, table, before)


def event(stimulus: Stimulus, **changed: Any) -> tuple[Patch, ...]:
    """A kernel that executes one event row otherwise."""

    def told(row: EventRow) -> EventRow:
        return replace(row, **changed) if row.stimulus is stimulus else row

    return _with_rows("EVENTS", tuple(map(told, EVENTS)))


def also_in(stimulus: Stimulus, phase: Phase) -> tuple[Patch, ...]:
    """A kernel that may be told something in one phase more."""
    (phases,) = (row.phases for row in EVENTS if row.stimulus is stimulus)
    return event(stimulus, phases=(*phases, phase))


def _nothing(*_: Any, **__: Any) -> None:
    """What a function does that was forgotten."""


# -- planted in the kernel ---------------------------------------------------------------------------------------------

_hold, _closed, _release, _cancel = Kernel.hold, Kernel.closed, Kernel._release, Kernel._cancel


def _as(edge: Edge, other: Edge | None) -> Callable[..., None]:
    """One kind of edge is made as if it were another, or not made at all."""

    def hold(self: Kernel, kind: Edge, source: Node, target: Node) -> None:
        if kind is not edge or other is not None:
            _hold(self, other if kind is edge and other else kind, source, target)

    return hold


def _closed_twice(self: Kernel, node: Node) -> None:
    assert self.watch is not None
    self.watch(kernel_module.HAS_CLOSED, node)
    _closed(self, node)


def _released_twice(self: Kernel, waiting: list[Node]) -> None:
    for node in waiting[:1]:
        node.start -= node.start > 1
    _release(self, waiting)


def _ended_alone(self: Kernel, node: Node) -> None:
    if node.opened and self.watch is not None:
        self.watch(kernel_module.RAN, node)


def _released_unhurt(self: Kernel, node: Node) -> None:
    """Who would have opened inside a task that never opens is released, and not told that it is lost."""
    _ended_alone(self, node)
    if not node.opened and node.inside is not None:
        self._release(node.inside)
        node.inside = None


def _one_parent(self: Kernel, child: Node, parents: list[Node]) -> None:
    for parent in parents[:1]:
        parent.bereft = parent.bereft or (None if child.scope.keeps_hold[child.fate] else child)
        parent.children -= 1
        if not parent.children:
            self._agenda.append(parent)


def _any_child_will_do(self: Kernel, child: Node, parents: list[Node]) -> None:
    for parent in parents:
        parent.children = 0
        self._agenda.append(parent)


def _cancelled_for_later(self: Kernel, node: Node, cause: Node) -> None:
    _cancel(self, node, cause)
    self._agenda.remove(node)


def _stops_who_waits(self: Kernel, scope: Scope, cause: Node) -> None:
    scope.stopped = cause
    for node in scope.open:
        if node.phase is Phase.WAITING:
            self._cancel(node, cause)


def _stays_stopped(self: Kernel, node: Node) -> None:
    _closed(self, node)
    if node.scope.stops and node.scope.stops[node.fate]:
        node.scope.stopped = node


def _turned(turned: Policy, edge: Edge) -> tuple[Patch, ...]:
    """What is kept is lost, and the reverse."""
    kept = {**KEEPS[turned], edge: frozenset(Outcome) - KEEPS[turned][edge]}
    made = Scope.__init__

    def scoped(self: Scope, name: str = "run", policy: Policy = Policy.ISOLATE) -> None:
        made(self, name, policy)
        if policy is turned:
            row = tuple(outcome in kept[edge] for outcome in Outcome)
            setattr(self, "keeps_after" if edge is Edge.AFTER else "keeps_hold", row)

    return ((Scope, "__init__", scoped),)


def _without_barrier(kernel: Kernel, graph: Graph) -> list[Node]:
    return build(kernel, replace(graph, inside=()))


_unfinished = rows(tuple(replace(row, fate=None) if row.why.startswith("all children") else row for row in STATES))

ISOLATE, FAIL_FAST, BRANCH = ({"policy": policy} for policy in Policy)
LATE, SPAWNS, CANCELS, SPLITS = {"late": True}, {"spawns": 1}, {"cancels": True}, {"splits": True}

KERNEL = (
    Plant("the handle's token is taken off the gate", event(Stimulus.ARMED, token=False), ISOLATE, "only the model", 1),
    Plant(
        "a task opens when its first body starts",
        event(Stimulus.STARTED, opens=False),
        ISOLATE,
        "was done, and came to",
        1,
    ),
    Plant("a body that raised has failed", event(Stimulus.RAISED, fate=None), ISOLATE, "nobody did that", 1),
    Plant("a body that returned is over", event(Stimulus.RETURNED, bodies=0), ISOLATE, "was done, and came to", 1),
    Plant(
        "a task starts once", also_in(Stimulus.STARTED, Phase.RUNNING), ISOLATE, "running, and may be told STARTED", 1
    ),
    Plant("only what is ready starts", also_in(Stimulus.STARTED, Phase.WAITING), ISOLATE, "may be told STARTED", 5),
    Plant(
        "what runs is closed by itself only", also_in(Stimulus.CANCELLED, Phase.RUNNING), ISOLATE, "told CANCELLED", 1
    ),
    Plant("an outcome is final", also_in(Stimulus.CANCELLED, Phase.CLOSED), ISOLATE, "closed, and may be told", 1),
    Plant("what was armed is built", also_in(Stimulus.ARMED, Phase.WAITING), ISOLATE, "may be told ARMED", 5),
    Plant(
        "a cancelled task does not finish",
        event(Stimulus.CANCELLED, fate=None),
        {**ISOLATE, **CANCELS},
        "cancelled if and only if",
        1,
    ),
    Plant("a task closes once", ((Kernel, "closed", _closed_twice),), ISOLATE, "it has not closed", 1),
    Plant("a parent with a lost child fails", _unfinished, ISOLATE, "failed if and only if", 9),
    Plant(
        "after waits for the close",
        ((Kernel, "hold", _as(Edge.AFTER, Edge.INSIDE)),),
        ISOLATE,
        "only the kernel",
        5,
    ),
    Plant(
        "inside waits for no more than the opening",
        ((Kernel, "hold", _as(Edge.INSIDE, Edge.AFTER)),),
        ISOLATE,
        "only the model",
        7,
    ),
    Plant("a parent waits for its children", ((Kernel, "hold", _as(Edge.HOLD, None)),), ISOLATE, "a child was lost", 9),
    Plant("the barrier of a fork is an edge", ((bridge, "build", _without_barrier),), ISOLATE, "only the kernel", 7),
    Plant("each wait is released once", ((Kernel, "_release", _released_twice),), ISOLATE, "only the model", 15),
    Plant(
        "all children have to close",
        ((Kernel, "_release_parents", _any_child_will_do),),
        ISOLATE,
        "failed if and only if",
        9,
    ),
    Plant("every parent is told", ((Kernel, "_release_parents", _one_parent),), ISOLATE, "counts 1 children", 51),
    Plant("who waits for what never opens is told", ((Kernel, "ended", _ended_alone),), ISOLATE, "only the model", 148),
    Plant(
        "who opens inside what never opens is lost",
        ((Kernel, "ended", _released_unhurt),),
        ISOLATE,
        "only the model",
        148,
    ),
    Plant("what comes after a loss is skipped", _turned(Policy.ISOLATE, Edge.AFTER), ISOLATE, "only the model", 5),
    Plant("a lost child is a loss", _turned(Policy.ISOLATE, Edge.HOLD), ISOLATE, "failed if and only if", 9),
    Plant("under branch a parent goes on", _turned(Policy.BRANCH, Edge.HOLD), BRANCH, "failed if and only if", 9),
    Plant("under fail_fast a failure stops the run", ((Kernel, "_stop", _nothing),), FAIL_FAST, "only the model", 3),
    Plant("a stop reaches what is ready", ((Kernel, "_stop", _stops_who_waits),), FAIL_FAST, "only the model", 3),
    Plant(
        "a stop reaches what is armed later",
        ((Kernel, "armed", _nothing),),
        {**FAIL_FAST, **LATE},
        "only the model",
        3,
    ),
    Plant("what a stop cancels closes", ((Kernel, "_cancel", _cancelled_for_later),), FAIL_FAST, "only the model", 3),
    Plant(
        "one more body, one more end to wait for",
        event(Stimulus.SPLIT, bodies=0),
        {**ISOLATE, **SPLITS},
        "nobody did that",
        1,
    ),
    Plant(
        "a task spawned after a loss is skipped",
        ((kernel_module, "_count_a_loss", _nothing),),
        {**ISOLATE, **SPAWNS},
        "only the model",
        9,
    ),
)

# -- planted in the scheduler ------------------------------------------------------------------------------------------

_add, _park, _do, _perform, _call = Scheduler._add, Seats.park, Crew._do, Crew._perform, Crew._call
_link, _many, _serve = Scheduler.link, Scheduler._many, Crew._serve


def _without_after(self: Any, name: str, body: Any, more: Any, before: Any, above: Any, run: bool) -> Any:
    return _add(self, name, body, more, (), above, run)


def _without_parent(self: Any, name: str, body: Any, more: Any, before: Any, above: Any, run: bool) -> Any:
    return _add(self, name, body, more, before, None, run)


def _armed_first(self: Any, name: str, body: Any, more: Any, before: Any, above: Any, run: bool) -> Any:
    """The edges are made when the task is armed already."""
    handle = _add(self, name, body, more, (), above, run)
    for earlier in before:
        self._kernel.hold(Edge.AFTER, earlier.entered(), handle.entered())
    return handle


def _kept_coming(self: Seats, seat: Any, longest: Any = None) -> None:
    """Whoever has come is still thought to be on the way."""
    self.parked.append(seat)
    seat.condition.wait()
    if seat in self.parked:
        self.parked.remove(seat)


def _offered_twice(self: Any, commands: Any, takes_one: bool = False) -> None:
    _do(self, commands, takes_one)
    for command, node in commands:
        if command is kernel_module.Command.RUN:
            self._ready.append(node.load)


def _silent(self: Any, seat: Any, task: Any) -> None:
    """What a body raised is dropped."""
    _call(self, seat, task)


class _Restless(Seat):
    """A seat that is always called, so that whether it is done is asked after every step."""

    __slots__ = ()
    called = property(lambda self: True, lambda self, value: None)  # type: ignore[assignment]  # that is the plant


def _serve_once(self: Any, seat: Any, done: Callable[[], bool]) -> None:
    """C-B7: a helper goes away after one step."""
    if seat.thread is not None:
        return _serve(self, seat, done)
    steps = iter((False,))
    seat.__class__ = _Restless
    return _serve(self, seat, lambda: done() or next(steps, True))


def _without_adoption(self: Any, edge: Edge, sources: Any, target: Any) -> None:
    if edge is not Edge.HOLD:
        _link(self, edge, sources, target)


class _EachAnew:
    """Arguments that everybody who draws begins anew."""

    def __init__(self, items: Any) -> None:
        self.items = list(items)

    def __iter__(self) -> Iterator[Any]:
        items, self.items = list(self.items), []
        yield from items
        yield from items[:1]

    def __length_hint__(self) -> int:
        return len(self.items)


def _drawn_twice(self: Any, name: str, items: Any, body: Any, after: Any = (), **options: Any) -> Any:
    handle = _many(self, name, items, body, after, run=False)
    handle.work = _EachAnew(handle.work)  # type: ignore[assignment]  # that is the plant
    return handle


def _last_dropped(self: Any, name: str, items: Any, body: Any, after: Any = (), **options: Any) -> Any:
    return _many(self, name, items[:-1], body, after, **options)


def _run_anyway(self: Any, seat: Any, task: Any) -> None:
    """A task that was cancelled in the queue is run by whoever takes it."""
    if task.node.phase >= Phase.DRAINING:
        _call(self, seat, task)
        self._do(self._kernel.receive(Stimulus.RETURNED, task.node), takes_one=True)
    else:
        _perform(self, seat, task)


def _stays(self: Any, seat: Any) -> None:
    """A worker is told to leave in its sleep, and sleeps on."""
    seat.alive = False


RUNTIME = (
    Plant("new work wakes somebody", ((Seats, "wake", _nothing),), "fork join", "deadlock", 345),
    Plant("whoever leaves hands on", ((Crew, "_hand_on", _nothing),), "a worker removed", "deadlock", 59),
    Plant("a sleeper is told of what it waits for", ((Seats, "rouse", _nothing),), "nested forks", "deadlock", 1),
    Plant("whoever has come is not on the way", ((Seats, "park", _kept_coming),), "spawned in order", "deadlock", 253),
    Plant("whoever is sent away wakes up for it", ((Crew, "_dismiss", _stays),), "a worker removed", "deadlock", 1),
    Plant(
        "joiners learn that nobody is left",
        ((Scheduler, "_nobody_is_left", _nothing),),
        "the last worker leaves",
        "deadlock",
        1,
    ),
    Plant("a helper stays until the end", ((Crew, "_serve", _serve_once),), "a helping join", "TaskLost", 10),
    Plant(
        "a body that joins helps",
        ((Scheduler, "_help", lambda self, seat, task, timeout: self._wait(task)),),
        "a body joins its child",
        "deadlock",
        1,
    ),
    Plant(
        "at the end, idle tasks are armed",
        ((Scheduler, "_tell_the_idle", lambda self, at_rest: False),),
        "spawn two deep",
        "deadlock",
        1,
    ),
    Plant(
        "what a body builds is its own until it has said run()",
        ((Scheduler, "_body_here", _nothing),),
        "a body builds at the end",
        "tasks ended as",
        11,
    ),
    Plant(
        "a spawned task waits for those it comes after",
        ((Scheduler, "_add", _without_after),),
        "spawned in order",
        "what it waits for has happened",
        7,
    ),
    Plant(
        "what a task waits for is said before it is armed",
        ((Scheduler, "_add", _armed_first),),
        "spawned in order",
        "what it waits for has happened",
        7,
    ),
    Plant(
        "a child is held by its parent",
        ((Scheduler, "_add", _without_parent),),
        "spawn two deep",
        "all its children have closed",
        1,
    ),
    Plant(
        "a running task may be held by another",
        ((Scheduler, "link", _without_adoption),),
        "a running task adopts another",
        "all its children have closed",
        9,
    ),
    Plant(
        "a ready task is offered once",
        ((Crew, "_do", _offered_twice),),
        "a helping join",
        "was returned but it is closed",
        4,
    ),
    Plant("what a body raised is told", ((Crew, "_call", _silent),), "a prong fails, isolate", "tasks ended as", 1),
    Plant(
        "what was cancelled in the queue does not run",
        ((Crew, "_perform", _run_anyway),),
        "cancelled in the queue",
        "was returned but it is closed",
        1,
    ),
    Plant(
        "no index is drawn twice",
        ((Scheduler, "_many", _drawn_twice),),
        "three bodies shared out",
        "each index once",
        1,
    ),
    Plant(
        "no index is left out", ((Scheduler, "_many", _last_dropped),), "three bodies shared out", "each index once", 1
    ),
    Plant(
        "one more body, one more end",
        event(Stimulus.SPLIT, bodies=0),
        "bodies at work at once",
        "was returned but it is closed",
        11,
    ),
    Plant(
        "a join that waits for itself is refused",
        ((Joins, "circle_by_join", lambda *_: []),),
        "a body joins what waits for it",
        "deadlock",
        1,
    ),
    Plant(
        "a child that waits for its parent is refused",
        ((Scheduler, "_refuse_child", _nothing),),
        "a child after what waits for its parent",
        "deadlock",
        1,
    ),
    Plant(
        "a stop belongs to one run",
        ((Kernel, "closed", _stays_stopped),),
        "a run after one that was stopped",
        "its body is over, or will never begin",
        1,
    ),
    Plant(
        "a graph keeps its edges",
        ((building, "build", lambda kernel, graph: build(kernel, replace(graph, after=()))),),
        "fork join",
        "what it waits for has happened",
        1,
    ),
)
