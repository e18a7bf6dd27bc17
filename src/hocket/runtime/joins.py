"""Who waits for whom while bodies join: the part of a deadlock that no edge of the graph says.

A body that joins a task cannot return before that task has closed, and neither
can anything else that its thread has begun and put aside. Together with the edges
that makes an order of closes; a circle in it would never end, so the join (or the
link) that would complete one is refused. Refused: looking for circles when
everything has come to rest, because the error belongs to the call that made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from hocket.kernel import Edge, Node, Phase
from hocket.kernel.story import cycle_through

__all__ = ["Joins"]


class Joins:
    """The joins that bodies are in the middle of; every access is under the scheduler's lock."""

    def __init__(self) -> None:
        self._open: list[tuple[Node, tuple[Node, ...]]] = []  # what is joined, and what cannot close before

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def waiting(self, joined: Node, held_up: Iterable[Node]) -> Iterator[None]:
        """For as long as it lasts, the nodes `held_up` close after `joined`."""
        entry = (joined, tuple(held_up))
        self._open.append(entry)
        try:
            yield
        finally:
            self._open.remove(entry)

    def circle(self, edge: Edge, source: Node, target: Node) -> list[Node]:
        """The last part of a circle that an edge from source to target would close, through edges and joins; or []."""
        wanted = Edge.AFTER if edge is Edge.INSIDE else edge  # as `edge`, and about the close of what is joined
        reached = [target]
        for start in reached:  # grows while it is read
            cycle = cycle_through(edge, source, start)
            if cycle:
                return cycle
            for joined, held_up in self._open:
                if cycle_through(wanted, joined, start):
                    reached += (node for node in held_up if node not in reached)
            edge = wanted = Edge.HOLD  # from here on it is about closes
        return []

    def may_wait(self, node: Node) -> bool:
        """Whether an open node's close can depend on others at all: what is ready, or runs alone, depends on nobody."""
        return node.phase < Phase.READY or node.children > 0 or bool(self._open)
