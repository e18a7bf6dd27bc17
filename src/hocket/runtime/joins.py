"""Who waits for whom while bodies join: the part of a deadlock that no edge of the graph says.

A body that joins a task cannot return before that task has closed, and neither
can anything else that its thread has begun and put aside. Together with the edges
that makes an order of closes; a circle in it would never end, so the join (or the
link) that would complete one is refused. Refused: looking for circles when
everything has come to rest, because the error belongs to the call that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hocket.kernel import Edge, Node, Phase
from hocket.kernel.story import cycle_through, way

__all__ = ["Joins"]


class Joins:
    """The joins that bodies are in the middle of; every access is under the scheduler's lock."""

    def __init__(self) -> None:
        self._held_up: dict[Node, list[Node]] = {}  # by what is joined: the nodes that cannot close before it
        self._waiting: dict[Node, int] = {}  # the same nodes, and in how many joins each of them is

    def __len__(self) -> int:
        return sum(map(len, self._held_up.values()))

    @contextmanager
    def waiting(self, joined: Node, stack: Sequence[Node]) -> Iterator[None]:
        """For as long as it lasts, the nodes of `stack` close after `joined`."""
        stack = tuple(stack)
        if not stack:  # a helper from outside holds nobody up
            yield
            return
        self._held_up.setdefault(joined, []).extend(stack)
        for node in stack:
            self._waiting[node] = self._waiting.get(node, 0) + 1
        try:
            yield
        finally:
            self._over(joined, stack)

    def _over(self, joined: Node, stack: Sequence[Node]) -> None:
        held_up = self._held_up[joined]
        for node in stack:
            held_up.remove(node)
            self._waiting[node] -= 1
            if not self._waiting[node]:
                del self._waiting[node]
        if not held_up:
            del self._held_up[joined]

    def circle_by_link(self, edge: Edge, source: Node, target: Node) -> list[Node]:
        """The circle that an edge would close, through edges and joins, each node waiting for the next; or []."""
        return cycle_through(edge, source, target, self._held_up)

    def circle_by_join(self, joined: Node, stack: Sequence[Node]) -> list[Node]:
        """The circle that a join from the top of `stack` would close; or [].

        What is ready, or runs and joins nothing, waits for nobody: the usual join is of such a one, and costs nothing.
        """
        busy = joined.phase < Phase.READY or joined.children or joined in self._waiting
        if not busy and joined not in stack:
            return []
        return way([(node, True) for node in stack], (joined, True), self._held_up)
