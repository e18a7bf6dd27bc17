"""A cycle, with its nodes, or else a rank for every node: the two certificates of a directed graph.

`rank_or_cycle` answers with reasons, never with a flag. A cyclic graph gets a *shortest*
cycle, because that is the one that people can mend; an acyclic one gets a rank,
which anybody checks by looking once at every edge. All of it is iterative: a
chain of a million nodes is an ordinary input.

Kahn (1962) peels off what can be ranked; what remains holds the cycles, and a
breadth-first search from each of its nodes, bounded by the best cycle so far,
finds a shortest. Refused: graphlib, which gives some cycle, not a shortest one,
and no ranks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Cyclic", "Ranked", "cycle", "rank_or_cycle", "ranks_are_valid"]

N = TypeVar("N", bound=Hashable)

# looking for a *shortest* cycle costs a search from each node; when this many nodes were looked at, the best so far is
# given, which in a ring of a million is the only one
_EFFORT = 1_000_000


@dataclass(frozen=True, slots=True)
class Ranked(Generic[N]):
    """Every node with its rank: the length of the longest way to it. Each edge goes from a lower to a higher rank."""

    rank: dict[N, int]


@dataclass(frozen=True, slots=True)
class Cyclic(Generic[N]):
    """Nodes each of which has an edge to the next, and the last one to the first."""

    nodes: tuple[N, ...]


def rank_or_cycle(successors: Mapping[N, Iterable[N]]) -> Ranked[N] | Cyclic[N]:
    """Rank every node of the graph, or show a cycle in it.

    `successors` maps each node to those its edges go to; nodes that only occur as
    successors count as well. O(nodes + edges) where there is no cycle.
    """
    rank, remaining = _peel(successors)
    if not remaining:
        return Ranked(rank)
    core = {node: [child for child in successors.get(node, ()) if child in remaining] for node in remaining}
    return Cyclic(_shortest(core))


def cycle(successors: Mapping[N, Iterable[N]]) -> tuple[N, ...] | None:
    """The nodes of a shortest cycle, or None."""
    answer = rank_or_cycle(successors)
    return answer.nodes if isinstance(answer, Cyclic) else None


def ranks_are_valid(successors: Mapping[N, Iterable[N]], rank: Mapping[N, int]) -> bool:
    """Check a `Ranked` without trusting who made it: every edge goes up, and every node has a rank."""
    return all(
        node in rank and child in rank and rank[node] < rank[child]
        for node, children in successors.items()
        for child in children
    ) and all(node in rank for node in successors)


def _peel(successors: Mapping[N, Iterable[N]]) -> tuple[dict[N, int], dict[N, int]]:
    """Rank all that no cycle precedes; what remains comes with the number of its unranked predecessors."""
    waiting: dict[N, int] = dict.fromkeys(successors, 0)
    for children in successors.values():
        for child in children:
            waiting[child] = waiting.get(child, 0) + 1
    rank: dict[N, int] = {}
    free = deque(node for node, count in waiting.items() if not count)
    rank.update(dict.fromkeys(free, 0))
    while free:
        node = free.popleft()
        del waiting[node]
        above = rank[node] + 1
        for child in successors.get(node, ()):
            waiting[child] -= 1
            rank[child] = max(rank.get(child, 0), above)
            if not waiting[child]:
                free.append(child)
    for node in waiting:
        rank.pop(node, None)
    return rank, waiting


def _shortest(core: Mapping[N, list[N]]) -> tuple[N, ...]:
    """A shortest cycle of a graph in which one is known to be."""
    core = _trim(core)
    best: tuple[N, ...] = ()
    effort = 0
    for start in core:
        if best and (len(best) == 1 or effort > _EFFORT):
            break
        found, looked_at = _cycle_through(core, start, len(best) or len(core) + 1)
        best = found or best
        effort += looked_at
    assert best, "what Kahn leaves over holds a cycle"
    return best


def _trim(core: Mapping[N, list[N]]) -> dict[N, list[N]]:
    """Take off, from the other end, the nodes from which no cycle can be reached."""
    before: dict[N, list[N]] = {node: [] for node in core}
    leaving = {node: len(children) for node, children in core.items()}
    for node, children in core.items():
        for child in children:
            before[child].append(node)
    ends = [node for node, count in leaving.items() if not count]
    while ends:
        for node in before[ends.pop()]:
            leaving[node] -= 1
            if not leaving[node]:
                ends.append(node)
    return {node: [child for child in core[node] if leaving[child]] for node in core if leaving[node]}


def _cycle_through(core: Mapping[N, list[N]], start: N, limit: int) -> tuple[tuple[N, ...], int]:
    """A shortest cycle through `start` with fewer than `limit` nodes, or (); and how many nodes were looked at."""
    came: dict[N, N] = {}
    layer, length = [start], 1
    while layer and length < limit:
        following = []
        for node in layer:
            for child in core[node]:
                if child == start:
                    return _walk_back(came, start, node), len(came) + 1
                if child not in came:
                    came[child] = node
                    following.append(child)
        layer, length = following, length + 1
    return (), len(came) + 1


def _walk_back(came: Mapping[N, N], start: N, node: N) -> tuple[N, ...]:
    path = [node]
    while path[-1] != start:
        path.append(came[path[-1]])
    return tuple(reversed(path))
