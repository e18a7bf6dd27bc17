"""Every interleaving, depth first: the oracle that cleverer searches are held against.

It knows nothing of independence, so it cannot be wrong about it.
"""

from __future__ import annotations

from hocket.explore.execution import Choice, Execution

__all__ = ["DepthFirst"]


class DepthFirst:
    """All interleavings of a program, each once; memory is linear in the depth."""

    exhaustive = True

    def __init__(self) -> None:
        self._left: list[list[Choice]] = []  # for each step the choices still to make, the current one last
        self._started = False
        self.fixed = 0

    def begin(self) -> bool:
        if not self._started:
            self._started = True
            return True
        while self._left:
            self._left[-1].pop()
            if self._left[-1]:
                self.fixed = len(self._left) - 1
                return True
            self._left.pop()
        return False

    def choose(self, execution: Execution) -> Choice | None:
        depth = len(execution.events)
        if depth == len(self._left):
            options = execution.options()
            if not options:
                return None
            options.sort(key=lambda choice: choice[0] == execution.last)  # taken from the end: no needless switch first
            self._left.append(options)
        return self._left[depth][-1]

    def ended(self, execution: Execution) -> None: ...
