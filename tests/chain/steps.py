"""One step of the kernel's in every neighbourhood: it does to a task, and to those who wait for it, what the rows say.

`proofs/kernel_refines_proof.py` is about rows, for any number of tasks; that `kernel.py` performs them is looked at
here, in the small: a task however it may stand, told anything, with up to two others that wait for it in every way and
stand however they may. `Said` is the rows once more: read one by one as they are written, on plain fields, by nothing
of `tables.py` or `kernel.py`. More than two who wait are a longer loop over the same lines.

`python -m tests.chain.steps` goes through all of it; a slice is part of the tests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, islice, product

from hocket.errors import Refused
from hocket.kernel import Edge, Kernel, Node, Policy
from hocket.kernel.lifecycle import (
    EDGES,
    EVENTS,
    KEEPS,
    STATES,
    STOPS,
    Command,
    EventRow,
    Moment,
    Outcome,
    Phase,
    StateRow,
    Stimulus,
)

P, O = Phase, Outcome  # noqa: E741  # as `lifecycle` has them
CANCEL = next(row for row in EVENTS if row.stimulus is Stimulus.CANCELLED)


@dataclass
class Stands:
    """The fields of a node that rows speak of, and the edges by which it waits for the first one."""

    phase: Phase
    fate: Outcome = O.FINISHED
    opened: bool = False
    start: int = 0
    bodies: int = 0
    children: int = 0
    hurt: bool = False
    bereft: bool = False
    bodied: bool = True
    by: tuple[Edge, ...] = ()  # how it waits for the node in the middle
    aside: bool = False  # it is of another scope

    def seen(self) -> tuple[object, ...]:
        counted = (self.start, self.bodies, self.children, self.hurt, self.bereft)
        return (self.phase, self.fate, self.opened, *counted)


# -- the rows, as they are written -------------------------------------------------------------------------------------


@dataclass
class Said:
    """What the rows say of some nodes, of which the first has all the others waiting for it."""

    policy: Policy
    stopped: bool
    nodes: list[Stands]
    commands: list[tuple[Command, int]] = field(default_factory=list)
    agenda: list[int] = field(default_factory=list)

    def receive(self, stimulus: Stimulus, who: int = 0) -> bool:
        """Whether a row allows it; then it has happened, with all that follows."""
        if not self.takes(stimulus, who):
            return False
        self.settle(who)
        while self.agenda:
            self.settle(self.agenda.pop(0))
        return True

    def takes(self, stimulus: Stimulus, who: int) -> bool:
        node = self.nodes[who]
        rows = [row for row in EVENTS if row.stimulus is stimulus and node.phase in row.phases]
        for row in rows:
            node.bodies += row.bodies
            node.start -= row.token
            self.performs(row, who)
            if row.token and self.stopped and not node.aside:
                node.hurt = True
                self.takes(Stimulus.CANCELLED, who)
        return bool(rows)

    def settle(self, who: int) -> None:
        while (row := self.row_of(who)) is not None:
            self.performs(row, who)

    def row_of(self, who: int) -> StateRow | None:
        node = self.nodes[who]
        rows = [row for row in STATES if row.phase is node.phase and all(self.holds(one, node) for one in row.when)]
        assert len(rows) <= 1, f"two rows for {node}"
        return rows[0] if rows else None

    @staticmethod
    def holds(condition: object, node: Stands) -> bool:
        return bool(getattr(node, condition.field)) == condition.holds_when  # type: ignore[attr-defined]  # a Condition

    def performs(self, row: EventRow | StateRow, who: int) -> None:
        node = self.nodes[who]
        node.phase = node.phase if row.to is None else row.to
        node.fate = node.fate if row.fate is None else row.fate
        if row.command is not None:
            self.commands.append((row.command, who))
        if row.opens:
            node.opened = True
            self.comes(Moment.OPEN, who)
        if row.to is P.DRAINING and not node.opened:
            self.comes(Moment.OPEN, who)  # it never will
        if row.to is P.CLOSED:
            stops = node.fate in STOPS[self.policy_of(node)] and not node.aside and not self.stopped
            if stops:
                self.skip_first()
            self.comes(Moment.CLOSE, who)
            if stops:
                self.stop()

    def policy_of(self, node: Stands) -> Policy:
        return Policy.ISOLATE if node.aside else self.policy

    def comes(self, moment: Moment, who: int) -> None:
        """Release the edges that wait for this moment of the first node: those of one kind, then those of the next."""
        if who:
            return
        node = self.nodes[0]
        for edge, row in EDGES.items():
            if row.moment is moment:
                kept = KEEPS[self.policy].get(edge)
                lost = not node.opened if kept is None else node.fate not in kept
                for other, one in enumerate(self.nodes):
                    for _ in range(one.by.count(edge)):
                        self.released(row.gate, row.hurt, lost, other)
                    one.by = tuple(each for each in one.by if each is not edge)

    def released(self, gate: str, hurt: str, lost: bool, other: int) -> None:
        one = self.nodes[other]
        if lost:
            setattr(one, hurt, True)
        setattr(one, gate, getattr(one, gate) - 1)
        if not getattr(one, gate):
            self.agenda.append(other)

    def skip_first(self) -> None:
        """What was lost before a stop is skipped, as the model does at once."""
        for other in self.agenda:
            row = self.row_of(other)
            if row is not None and row.fate is O.SKIPPED:
                self.settle(other)

    def stop(self) -> None:
        self.stopped = True
        for other, one in enumerate(self.nodes):
            if not one.aside and one.phase in CANCEL.phases and one.phase is not P.IDLE:
                one.hurt = True
                self.takes(Stimulus.CANCELLED, other)
                self.agenda.append(other)


# -- the kernel in the same neighbourhood ------------------------------------------------------------------------------

_LISTS = {Edge.AFTER: "after", Edge.INSIDE: "inside", Edge.HOLD: "parents"}


def kernel_of(said: Said, made: type[Kernel] = Kernel) -> tuple[Kernel, list[Node]]:
    """A kernel that stands as it is said, whether or not it could have come there."""
    kernel = made(said.policy)
    other = Kernel(Policy.ISOLATE).scope
    cause = kernel.add("cause")
    cause.phase, cause.opened, cause.bodies = P.RUNNING, True, 1  # a scope that is empty would begin anew
    kernel.scope.stopped = cause if said.stopped else None
    nodes = [kernel.add(str(n), one.bodied, other if one.aside else None) for n, one in enumerate(said.nodes)]
    for node, one in zip(nodes, said.nodes, strict=True):
        node.phase, node.fate, node.opened = one.phase, one.fate, one.opened
        node.start, node.bodies, node.children = one.start, one.bodies, one.children
        node.hurt, node.bereft = cause if one.hurt else None, cause if one.bereft else None
        for edge in one.by:
            place = _LISTS[edge]
            setattr(nodes[0], place, [*(getattr(nodes[0], place) or ()), node])
    return kernel, nodes


def seen(node: Node) -> tuple[object, ...]:
    hurt, bereft = node.hurt is not None, node.bereft is not None
    return (node.phase, node.fate, node.opened, node.start, node.bodies, node.children, hurt, bereft)


def differs(said: Said, stimulus: Stimulus) -> str | None:
    """What the kernel does otherwise than the rows say."""
    kernel, nodes = kernel_of(said)
    before = [replace(one) for one in said.nodes]
    try:
        commands = [(command, nodes.index(node)) for command, node in kernel.receive(stimulus, nodes[0])]
    except Refused:
        commands = None
    theirs = commands, [seen(node) for node in nodes], kernel.scope.stopped is not None
    expected = said.commands if said.receive(stimulus) else None
    ours = expected, [one.seen() for one in said.nodes], said.stopped
    if ours == theirs:
        return None
    return f"{stimulus.name} under {said.policy.name} in {before}: the rows say {ours}, the kernel does {theirs}"


# -- every neighbourhood -----------------------------------------------------------------------------------------------

FLAGS = (False, True)


def middles() -> Iterator[Stands]:
    """A node however it may stand; of a counter it matters whether it is zero, and whether it comes to be."""
    for bodied, hurt, bereft, children in product(FLAGS, FLAGS, FLAGS, range(2)):
        rest = {"hurt": hurt, "bereft": bereft, "children": children, "bodied": bodied}
        yield from (Stands(P.IDLE, start=start, **rest) for start in (1, 2))
        yield from (Stands(P.WAITING, start=start, **rest) for start in (1, 2))
        if bodied and not hurt:
            yield Stands(P.READY, **rest)
        if bodied:
            how = product((O.FINISHED, O.FAILED), (1, 2))
            yield from (Stands(P.RUNNING, fate, True, bodies=bodies, **rest) for fate, bodies in how)
        if children:  # without, it would have closed
            yield from (Stands(P.DRAINING, fate, True, **rest) for fate in (O.FINISHED, O.FAILED))
            yield from (Stands(P.DRAINING, fate, False, start=1, **rest) for fate in (O.SKIPPED, O.CANCELLED))


WAYS = [(edge,) for edge in Edge] + [(Edge.AFTER, Edge.INSIDE), (Edge.AFTER, Edge.HOLD), (Edge.INSIDE, Edge.HOLD)]
WAYS += [(*Edge,), (Edge.AFTER, Edge.AFTER), (Edge.HOLD, Edge.HOLD)]


def waiters(few: bool = False) -> Iterator[Stands]:
    """Somebody who waits, in every way, for nothing else or for more; `few`: by one edge, unhurt, and of one scope."""
    marks = [(False, False, True)] if few else product(FLAGS, FLAGS, FLAGS)
    ways, scopes = (WAYS[: len(Edge)], FLAGS[:1]) if few else (WAYS, FLAGS)
    for (hurt, bereft, bodied), by, more, aside in product(list(marks), ways, range(2), scopes):
        starts = sum(EDGES[edge].gate == "start" for edge in by)
        rest = {"hurt": hurt, "bereft": bereft, "bodied": bodied, "by": by, "aside": aside}
        children = len(by) - starts + more
        waiting = Stands(P.WAITING, start=starts + more, children=children, **rest)
        if waiting.start:
            yield from (waiting, replace(waiting, phase=P.IDLE, start=waiting.start + 1))
        if not few:
            yield replace(waiting, phase=P.DRAINING, fate=O.CANCELLED)
        if not starts and children:
            yield from (
                Stands(phase, fate, True, bodies=int(phase is P.RUNNING), children=children, **rest)
                for phase, fate in product((P.RUNNING, P.DRAINING), (O.FINISHED, O.FAILED))
            )


def neighbourhoods(every: int = 1) -> Iterator[tuple[Said, Stimulus]]:
    """Nobody, anybody, and any two of a few; of all of these, every so manieth that is possible."""
    around = [(), *((one,) for one in waiters()), *combinations_with_replacement(waiters(few=True), 2)]
    asked = product(around, Policy, FLAGS, list(middles()), Stimulus)
    for others, policy, stopped, middle, stimulus in islice(asked, None, None, every):
        if possible(policy, stopped, (middle, *others)):
            yield Said(policy, stopped, [replace(one) for one in (middle, *others)]), stimulus


def possible(policy: Policy, stopped: bool, nodes: Iterable[Stands]) -> bool:
    """Only `fail_fast` stops, and where it has nothing is about to start (proved: `kernel_order_proof`)."""
    about = any(one.phase in (P.WAITING, P.READY) and not one.aside for one in nodes)
    return not stopped or (policy is Policy.FAIL_FAST and not about)


def judged(every: int = 1) -> int:
    """How many neighbourhoods were tried, every so manieth; AssertionError for the first that differs."""
    tried = 0
    for said, stimulus in neighbourhoods(every):
        found = differs(said, stimulus)
        assert found is None, found
        tried += 1
    return tried


if __name__ == "__main__":
    began = time.process_time()
    tried = judged(int(sys.argv[1]) if sys.argv[1:] else 1)
    print(f"{tried} steps as the rows say, {time.process_time() - began:.0f} s")
