"""What people and tests ask of the kernel: why a task stands where it stands, who waits for whom, whether it adds up.

Everything here reads. Nothing is recorded for it while tasks run: a story is
found when it is asked for, by looking at all open nodes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hocket.kernel.lifecycle import Edge, Outcome, Phase
from hocket.kernel.node import Node
from hocket.kernel.tables import state_row

__all__ = ["Happening", "HeldUp", "cycle_through", "story", "verify_counters", "waits", "way"]

_STANDING = {
    Phase.IDLE: "is being built: nobody has armed it",
    Phase.WAITING: "is waiting",
    Phase.READY: "is ready: no executor has taken it",
    Phase.RUNNING: "is running",
    Phase.DRAINING: "has run, and is held open by its children",
    Phase.CLOSED: "has closed",
}


def waits(nodes: Mapping[Node, None], node: Node) -> Iterator[tuple[Edge, Node]]:
    """What an open node still waits for, found by asking all open nodes: O(open edges)."""
    for other in nodes:
        for edge, waiting in ((Edge.AFTER, other.after), (Edge.INSIDE, other.inside), (Edge.HOLD, other.parents)):
            if waiting is not None and node in waiting:
                yield edge, other


def story(nodes: Mapping[Node, None], node: Node) -> str:
    """One sentence on where a node stands and why."""
    if node.outcome is None:
        told = [f"{node.name} {_STANDING[node.phase]}"]
    else:
        told = [f"{node.name} was {_ended(node)}" if node.fate > Outcome.FAILED else f"{node.name} {_ended(node)}"]
    told += [f"because {cause.name} was lost ({_ended(cause)})" for cause in _ends(causes(node))]
    for edge, other in waits(nodes, node):
        told.append(f"it waits for {other.name} ({edge.value}), which {_STANDING[other.phase]}")
    return "; ".join(told)


def causes(node: Node) -> Iterator[Node]:
    """The chain of losses that led to this one, nearest first."""
    seen = {node}
    cause = node.hurt or node.bereft
    while cause is not None and cause not in seen:
        yield cause
        seen.add(cause)
        cause = cause.hurt or cause.bereft


def _ends(chain: Iterator[Node]) -> list[Node]:
    """The nearest and the first of a chain of losses, which may be as long as the graph."""
    nodes = list(chain)
    return nodes if len(nodes) <= 3 else [nodes[0], nodes[-1]]


def _ended(node: Node) -> str:
    return node.fate.name.lower()


# -- who waits for whom ------------------------------------------------------------------------------------------------

Happening = tuple[Node, bool]  # a node's opening (False) or its closing (True)
HeldUp = Mapping[Node, Sequence[Node]]  # by node: others that close after it, for a reason that is no edge

_NO_JOINS: HeldUp = {}


def cycle_through(edge: Edge, source: Node, target: Node, joins: HeldUp = _NO_JOINS) -> list[Node]:
    """The nodes of the cycle that an edge from source to target would close, each waiting for the next; or [].

    Between moments, opening comes before closing and each kind of edge leads where `EDGES` says. A new node has nobody
    waiting for it and waits for nobody, so the search almost always ends before it begins.
    """
    if source is not target and not joins and (_waited_for_by_none(target) or _waits_for_none(source, edge)):
        return []
    return way([(target, edge is Edge.HOLD)], (source, edge is not Edge.INSIDE), joins)


def way(starts: Sequence[Happening], goal: Happening, joins: HeldUp = _NO_JOINS) -> list[Node]:
    """The nodes on a way from one of some moments to another, along what must follow what, the last first; or [].

    `joins` says, beside the edges, which nodes close after a node because they are in the middle of joining it.
    """
    came: dict[Happening, Happening | None] = dict.fromkeys(starts)
    agenda = list(came)
    while agenda:
        moment = agenda.pop()
        if moment == goal:
            return _walk_back(came, moment)
        for following in _following(*moment, joins):
            if following not in came:
                came[following] = moment
                agenda.append(following)
    return []


def _waited_for_by_none(node: Node) -> bool:
    return node.after is None and node.inside is None and node.parents is None


def _waits_for_none(node: Node, edge: Edge) -> bool:
    """Whether the moment that an edge from this node waits for waits for nothing itself; to open needs no children."""
    return node.start <= (node.phase is Phase.IDLE) and (edge is Edge.INSIDE or not node.children)


def _following(node: Node, closed: bool, joins: HeldUp) -> Iterator[Happening]:
    if closed:
        yield from ((later, False) for later in node.after or ())
        yield from ((parent, True) for parent in node.parents or ())
        yield from ((joiner, True) for joiner in joins.get(node, ()))
    else:
        yield node, True
        yield from ((inner, False) for inner in node.inside or ())


def _walk_back(came: Mapping[Happening, Happening | None], moment: Happening) -> list[Node]:
    path: list[Node] = []
    back: Happening | None = moment
    while back is not None:
        path.append(back[0])
        back = came[back]
    return list(dict.fromkeys(path))


# -- whether it adds up ------------------------------------------------------------------------------------------------


def verify_counters(nodes: Mapping[Node, None]) -> None:
    """Assert that every counter of every open node counts what it stands for."""
    start = {node: int(node.phase is Phase.IDLE) for node in nodes}
    children = dict.fromkeys(nodes, 0)
    for node in nodes:
        for held in (*(node.after or ()), *(node.inside or ())):
            if held in start:  # a cancelled node has closed, and is still on the lists of those it waited for
                start[held] += 1
        for parent in node.parents or ():
            children[parent] += 1
    for node in nodes:
        _verify_node(node, start[node], children[node])
    for scope in {node.scope: None for node in nodes}:
        opened = len(scope.open)
        assert scope.count == opened, f"{scope.name} counts {scope.count} open nodes; there are {opened}"


def _verify_node(node: Node, start: int, children: int) -> None:
    assert node.phase is not Phase.CLOSED, f"{node} is closed, and still listed as open"
    assert node.phase > Phase.WAITING or node.start == start, f"{node} counts {node.start} waits; there are {start}"
    assert node.children == children, f"{node} counts {node.children} children; there are {children}"
    assert (node.bodies > 0) == (node.phase is Phase.RUNNING), f"{node} has {node.bodies} bodies at work"
    assert not (node.opened and node.inside), f"{node} has opened, and still keeps {node.inside} waiting"
    assert state_row(node) is None, f"{node} has a row that applies, and it was not applied"
