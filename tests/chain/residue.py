"""What of a kernel and its model can still make a difference: states with one residue have one future.

A task that has closed is gone, but for what its loss has done to those that are
open; an edge is gone when what it waited for has happened, or when its target has
opened or never will. What is left are the open tasks, how each stands in the
kernel and in the model, and the edges between them: up to their names, for
neither the kernel nor the model looks at a name. So a state of one graph is judged
in all graphs that lead to it.

That nothing else matters is said here and not proved. It is tested: with residues
and without, a search reaches the same residues (`test_kernel_refines_model.py`).
The order in which edges were made is no part of it: it can change in which order
closes that follow upon each other are told, and not whether they are.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from hocket.kernel import Phase
from hocket.kernel.node import Node
from tests.chain.small import least

_AFTER, _INSIDE, _HOLD = 1, 2, 4
_SMALL = 8  # counters are smaller, for up to seven tasks
_PARTS = ("armed", "opened", "over", "raised", "unwanted", "skipped")


class Residue:
    """Residues of the states of pairs over one machine."""

    def __init__(self, machine: Any) -> None:
        place = {(symbol.name, *at): n for (symbol, at), n in machine.place.items()}
        self.given = {(cell[0].name, *cell[1]): n for n, cell in enumerate(machine.rigid_cells)}
        size = max(at[1] for at in place if at[0] == "closed") + 1
        self._of = [[place[part, task] for part in _PARTS] for task in range(size)]
        self._outcome = [place["outcome", task] for task in range(size)]
        self._closed = [place["closed", task] for task in range(size)]
        self._stopped = place["stopped", 0]

    def raw(self, pair: Any) -> tuple[object, ...]:
        """Under the names that the graph has."""
        marks, edges = self._parts(pair)
        return self._whole(pair), tuple(marks.items()), tuple(edges)

    def least(self, pair: Any) -> bytes:
        """Under the names that all graphs share."""
        marks, edges = self._parts(pair)
        order = list(marks)
        new = {task: place for place, task in enumerate(order)}
        colours = list(marks.values())
        edges = [(kind, new[one], new[other]) for kind, one, other in edges]
        way = least(colours, edges)
        final = {task: place for place, task in enumerate(way)}
        told = sorted((final[one] << 8) | (final[other] << 4) | kind for kind, one, other in edges)
        words = chain(
            (self._whole(pair),), (colours[task].to_bytes(5) for task in way), (one.to_bytes(2) for one in told)
        )
        return b"".join(words)

    def _whole(self, pair: Any) -> bytes:
        return bytes((pair.kernel.scope.stopped is not None, pair.state[self._stopped], pair.spawns))

    def _parts(self, pair: Any) -> tuple[dict[int, int], list[tuple[int, int, int]]]:
        """How each open task stands, and the edges that still matter.

        A task that runs has opened: what it has lost are children, and the other marks say what its bodies have done.
        """
        state, nodes = pair.state, pair.nodes
        lost = [0] * len(nodes)
        edges = []
        for kind, one, other in pair.edges:
            ahead = nodes[one].phase < Phase.RUNNING  # it may open yet
            if kind == "hold":
                if not state[self._closed[one]]:
                    if not state[self._closed[other]]:
                        edges.append((_HOLD, one, other))
                    elif state[self._outcome[other]]:
                        lost[one] |= 1
            elif ahead and kind == "after":
                if not state[self._closed[other]]:
                    edges.append((_AFTER, one, other))
                elif state[self._outcome[other]]:
                    lost[one] |= 2
            elif ahead and not nodes[other].opened:
                if nodes[other].phase < Phase.RUNNING:
                    edges.append((_INSIDE, one, other))
                else:
                    lost[one] |= 4
        for task in pair.raised | pair.doubled:
            if nodes[task].phase is Phase.RUNNING:
                lost[task] |= 2 * (task in pair.raised) | 4 * (task in pair.doubled)
        open_tasks = [task for task in range(len(nodes)) if not state[self._closed[task]]]
        return {task: self._mark(nodes[task], lost[task], state, self._of[task]) for task in open_tasks}, edges

    @staticmethod
    def _mark(node: Node, lost: int, state: bytes, places: list[int]) -> int:
        mark = node.phase * 4 + node.fate
        for counter in (node.start, node.bodies, node.children, lost):
            assert counter < _SMALL, f"{node} counts {counter}: residues are for up to seven tasks"
            mark = mark * _SMALL + counter
        mark = mark * 16 + node.opened * 8 + node.bodied * 4 + (node.hurt is not None) * 2 + (node.bereft is not None)
        for place in places:
            mark = mark * 2 + state[place]
        return mark
