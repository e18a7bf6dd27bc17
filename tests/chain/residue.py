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

from operator import itemgetter
from typing import Any

from hocket.kernel import Phase
from hocket.kernel.node import Node
from tests.chain.small import least

_AFTER, _INSIDE, _HOLD = 1, 2, 4
_SMALL = 8  # counters are smaller, for up to seven tasks
_RUNNING = Phase.RUNNING
_PARTS = ("armed", "opened", "over", "raised", "unwanted", "skipped")

Parts = tuple[bytes, tuple[int, ...], tuple[int, ...], tuple[tuple[int, int, int], ...]]
"""What is said of the whole, the open tasks, how each stands, and the edges between them."""


class Residue:
    """Residues of the states of pairs over one machine."""

    def __init__(self, machine: Any) -> None:
        place = {(symbol.name, *at): n for (symbol, at), n in machine.place.items()}
        self.given = {(cell[0].name, *cell[1]): n for n, cell in enumerate(machine.rigid_cells)}
        size = max(at[1] for at in place if at[0] == "closed") + 1
        self._of = [itemgetter(*(place[part, task] for part in _PARTS)) for task in range(size)]
        self._outcome = [place["outcome", task] for task in range(size)]
        self._closed = [place["closed", task] for task in range(size)]
        self._stopped = place["stopped", 0]

    def parts(self, pair: Any) -> Parts:
        """The residue under the names that the graph has.

        A task that runs has opened: what it has lost are children, and the other marks say what its bodies have done.
        """
        state, nodes = pair.state, pair.nodes
        lost, edges = self._lost_and_left(pair)
        for task in pair.raised | pair.doubled:
            if nodes[task].phase is _RUNNING:
                lost[task] |= 2 * (task in pair.raised) | 4 * (task in pair.doubled)
        tasks = tuple([task for task, place in enumerate(self._closed[: len(nodes)]) if not state[place]])
        marks = tuple([_mark(nodes[task], lost[task], self._of[task](state)) for task in tasks])
        whole = bytes((pair.kernel.scope.stopped is not None, state[self._stopped], pair.spawns))
        return whole, tasks, marks, tuple(edges)

    def _lost_and_left(self, pair: Any) -> tuple[list[int], list[tuple[int, int, int]]]:
        """What each task has lost by the edges that have had their effect, and those that have not."""
        state, nodes, closed, outcome = pair.state, pair.nodes, self._closed, self._outcome
        lost = [0] * len(nodes)
        edges = []
        for kind, one, other in pair.edges:
            if kind == "hold":
                if not state[closed[one]]:
                    if not state[closed[other]]:
                        edges.append((_HOLD, one, other))
                    elif state[outcome[other]]:
                        lost[one] |= 1
            elif nodes[one].phase >= _RUNNING:  # it has opened, or never will
                continue
            elif kind == "after":
                if not state[closed[other]]:
                    edges.append((_AFTER, one, other))
                elif state[outcome[other]]:
                    lost[one] |= 2
            elif not nodes[other].opened:
                if nodes[other].phase < _RUNNING:
                    edges.append((_INSIDE, one, other))
                else:
                    lost[one] |= 4
        return lost, edges


def canonical(parts: Parts) -> bytes:
    """The residue under the names that all graphs share."""
    whole, tasks, marks, edges = parts
    new = {task: place for place, task in enumerate(tasks)}
    way, told = least(marks, [(kind, new[one], new[other]) for kind, one, other in edges])
    counts = [marks[task].to_bytes(5, signed=True) for task in way]
    return b"".join([whole, *counts, *[edge.to_bytes(2) for edge in told]])


def _mark(node: Node, lost: int, told: tuple[int, ...]) -> int:
    start, bodies, children = node.start, node.bodies, node.children
    small = start < _SMALL and bodies < _SMALL and children < _SMALL
    assert small, f"{node} counts more than {_SMALL - 1}: residues are for up to seven tasks"
    mark = ((((node.phase << 2 | node.fate) << 3 | start) << 3 | bodies) << 3 | children) << 3 | lost
    mark = mark << 4 | node.opened << 3 | node.bodied << 2 | (node.hurt is not None) << 1 | (node.bereft is not None)
    armed, opened, over, raised, unwanted, skipped = told
    return mark << 6 | armed << 5 | opened << 4 | over << 3 | raised << 2 | unwanted << 1 | skipped
