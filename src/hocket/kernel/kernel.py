"""The kernel: executes the rows of `lifecycle` on a graph of nodes, and performs nothing.

Sans-IO, as h11 is: stimuli go in, commands come out. It knows no thread, no loop,
no clock and no body; whoever drives it calls `receive` under a lock of its own,
does what the commands say, and reports back. So one kernel serves every runtime,
and what is proved of the rows is true of all.

A node has two gates, counters that each fire once (Choir's `Linearc`): `start`
holds its handle and everything it waits for; `bodies` and `children` together
hold its close. All that follows from one stimulus is worked off a list in the
order in which it came up, never by recursion: a chain of a million tasks closes
like one of two. Each edge costs one step when it is made and one when it is
released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hocket.errors import CycleError, Refused
from hocket.kernel.lifecycle import (
    EDGES,
    EVENTS,
    KEEPS,
    Command,
    Edge,
    Moment,
    Outcome,
    Phase,
    Policy,
    Stimulus,
)
from hocket.kernel.node import Node, Scope
from hocket.kernel.story import cycle_through, story, verify_counters
from hocket.kernel.tables import Commands, event_row, receive, settle, state_row, take

__all__ = ["Commands", "Kernel", "Watch"]

# read at every step: an enum's member costs a look-up in its class each time
CLOSED, DRAINING, IDLE = Phase.CLOSED, Phase.DRAINING, Phase.IDLE
AFTER, HOLD, INSIDE = Edge.AFTER, Edge.HOLD, Edge.INSIDE
OPENED, RAN, HAS_CLOSED = Moment.OPEN, Moment.RAN, Moment.CLOSE

Watch = Callable[[Moment, Node], None]
"""Told of every moment, when it happens and in the order in which it happens: for monitors, traces and tests."""


class Kernel:
    """All nodes that have not closed, and the three calls that change them: `add`, `link` and `receive`.

    `receive(stimulus, node)` tells it what happened to a node and returns what is to be done, in order; it raises
    Refused, and changes nothing, when no row allows that.

    >>> kernel = Kernel()
    >>> a, b = kernel.add("a"), kernel.add("b")
    >>> kernel.link(Edge.AFTER, a, b)
    >>> kernel.receive(Stimulus.ARMED, b)
    ()
    >>> kernel.receive(Stimulus.ARMED, a)
    [(<Command.RUN: 0>, <a ready>)]
    """

    def __init__(self, policy: Policy = Policy.ISOLATE, watch: Watch | None = None) -> None:
        self.scope = Scope(policy=policy)
        self.watch = watch
        self._scopes = {self.scope: None}  # those in use, and perhaps some that are empty again
        self._agenda: list[Node] = []  # nodes of which a state-triggered row may apply
        self.commands: list[tuple[Command, Node]] = []  # what has come up so far in answer to the present stimulus
        attach = getattr(watch, "attach", None)  # a monitor also hears what is asked
        if attach is not None:
            attach(self)

    def add(self, name: str, bodied: bool = True, scope: Scope | None = None) -> Node:
        """A new idle node: it waits for its handle, which the stimulus ARMED gives back."""
        if scope is None:
            scope = self.scope
        else:
            self._scopes[scope] = None
        node = Node(name, bodied, scope)
        came = scope.came
        came.append(node)
        scope.count += 1
        if len(came) > scope.limit:
            scope.sweep()
        return node

    @property
    def nodes(self) -> Mapping[Node, None]:
        """Every open node, scope by scope, in the order of creation: O(nodes)."""
        if len(self._scopes) == 1:
            return self.scope.open
        self._scopes = {scope: None for scope in self._scopes if scope.count or scope is self.scope}
        return {node: None for scope in self._scopes for node in scope.open}

    def link(self, edge: Edge, source: Node, target: Node) -> None:
        """Relate two nodes: AFTER (the target opens after the source has closed), INSIDE (… has opened) or HOLD
        (the target closes after the source has: the source is its child). What has happened already counts at once.

        Raises Refused when the target is past being held, CycleError when the two would wait for each other.
        """
        self.admit(edge, source, target)
        self.hold(edge, source, target)

    def admit(self, edge: Edge, source: Node, target: Node) -> None:
        """Raise what `link` would raise: for those who add several edges, or none."""
        if target.phase not in EDGES[edge].targets:
            raise _late(edge, source, target)
        cycle = cycle_through(edge, source, target)
        if cycle:
            raise CycleError([node.name for node in cycle])

    def hold(self, edge: Edge, source: Node, target: Node) -> None:
        """Link two nodes of which it is known that the link is admitted."""
        if edge is INSIDE:
            _hold_inside(source, target)
        elif source.phase is CLOSED:
            _count_a_loss(edge, source, target)
        elif edge is AFTER:
            target.start += 1
            if source.after is None:
                source.after = [target]
            else:
                source.after.append(target)
        else:
            target.children += 1
            if source.parents is None:
                source.parents = [target]
            else:
                source.parents.append(target)

    receive = receive  # the rows, written out: a method that looked it up would be a call more for every stimulus

    @property
    def idle(self) -> bool:
        """Whether no node is open."""
        return not any(scope.count for scope in self._scopes)

    def story(self, node: Node) -> str:
        """Where a node stands and why: what it waits for, or what it was lost to."""
        return story(self.nodes, node)

    def check(self) -> None:
        """Assert every invariant that the counters stand for, by counting again: O(nodes + edges)."""
        verify_counters(self.nodes)

    # -- what rows ask for: `tables` calls these ----------------------------------------------------------------------

    def follow(self) -> None:
        """Settle everybody whom the present stimulus concerns."""
        for waiting in self._agenda:  # grows while it is read
            settle(self, waiting)
        self._agenda.clear()

    def refusal(self, stimulus: Stimulus, node: Node) -> Refused:
        expected = [phase.name.lower() for row in EVENTS if row.stimulus is stimulus for phase in row.phases]
        return Refused(node.name, stimulus.name.lower(), str(node.phase), " or ".join(expected))

    def armed(self, node: Node) -> None:
        """It has been armed, into a scope that was stopped."""
        assert node.scope.stopped is not None, f"{node.scope.name} was not stopped"
        self._cancel(node, node.scope.stopped)

    def opened(self, node: Node) -> None:
        """The moment of opening: release who waits for it."""
        if self.watch is not None:
            self.watch(OPENED, node)
        if node.inside is not None:
            self._release(node.inside)
            node.inside = None

    def ended(self, node: Node) -> None:
        """Its last body is over; or it will never open, and who would have opened inside it is lost."""
        if node.opened:
            if self.watch is not None:
                self.watch(RAN, node)
        elif node.inside is not None:
            for inner in node.inside:
                inner.hurt = inner.hurt or node
            self._release(node.inside)
            node.inside = None

    def closed(self, node: Node) -> None:
        """The moment of closing: release dependents and parents, and stop the scope if its policy says so."""
        scope = node.scope
        stops = bool(scope.stops) and scope.stops[node.fate] and scope.stopped is None
        if stops:
            self._skip_first()
        if self.watch is not None:
            self.watch(HAS_CLOSED, node)
        if node.after is not None:
            if not scope.keeps_after[node.fate]:
                for later in node.after:
                    later.hurt = later.hurt or node
            self._release(node.after)
            node.after = None
        if node.parents is not None:
            self._release_parents(node, node.parents)
            node.parents = None
        scope.count -= 1
        if stops:
            self._stop(scope, node)
        if not scope.count:
            scope.stopped = None
            scope.came.clear()

    def _release_parents(self, child: Node, parents: list[Node]) -> None:
        kept = child.scope.keeps_hold[child.fate]
        for parent in parents:
            if not kept:
                parent.bereft = parent.bereft or child
            parent.children -= 1
            if not parent.children:
                self._agenda.append(parent)

    def _release(self, waiting: list[Node]) -> None:
        for node in waiting:
            node.start -= 1
            if not node.start:
                self._agenda.append(node)

    def _skip_first(self) -> None:
        """What cannot start any more is skipped, and not cancelled by a stop that comes after its loss."""
        for waiting in self._agenda:  # grows while it is read
            row = state_row(waiting)
            if row is not None and row.fate is Outcome.SKIPPED:
                settle(self, waiting)

    def _stop(self, scope: Scope, cause: Node) -> None:
        """Cancel what has not started: once per failing run, so O(1) per task. An idle one is cancelled when armed."""
        scope.stopped = cause
        for node in scope.open:
            if node.phase is not IDLE and event_row[Stimulus.CANCELLED][node.phase] is not None:
                self._cancel(node, cause)

    def _cancel(self, node: Node, cause: Node) -> None:
        node.hurt = node.hurt or cause
        taken = take[Stimulus.CANCELLED](self, node)
        assert taken, f"{node} was to be cancelled because of {cause}"
        self._agenda.append(node)


def _hold_inside(source: Node, target: Node) -> None:
    if source.opened:
        return
    if source.phase >= DRAINING:  # it will never open
        target.hurt = target.hurt or source
        return
    target.start += 1
    if source.inside is None:
        source.inside = [target]
    else:
        source.inside.append(target)


def _count_a_loss(edge: Edge, source: Node, target: Node) -> None:
    """An edge from what has closed already: nothing to wait for, but a loss counts."""
    if source.fate in KEEPS[source.scope.policy][edge]:
        return
    if edge is HOLD:
        target.bereft = target.bereft or source
    else:
        target.hurt = target.hurt or source


def _late(edge: Edge, source: Node, target: Node) -> Refused:
    row = EDGES[edge]
    return Refused(
        target.name,
        f"told to wait for {source.name!r} ({edge.value})",
        str(target.phase),
        " or ".join(phase.name.lower() for phase in row.targets),
        "What a task waits for is said before it is armed." if row.gate == "start" else "",
    )
