"""The smallest runtime: one thread, no lock, first in first out unless told otherwise.

What runs is decided by the kernel alone, so this is also the shortest text that
shows how a driver works: offer what the kernel says may run, report what came of
it, until nothing is left. A graph of plain tasks needs no kernel before a body fails.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from hocket.graph import Graph
from hocket.kernel import Command, Kernel, Node, Phase, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.build import build
from hocket.runtime.flat import Broken, is_flat, run_flat
from hocket.runtime.pickers import Picker
from hocket.runtime.task import Task

__all__ = ["run_inline"]


# an enum's member costs a look-up in its class each time, and these are read for every task
_ARMED, _STARTED, _RETURNED, _RAISED = Stimulus.ARMED, Stimulus.STARTED, Stimulus.RETURNED, Stimulus.RAISED
_RUN, _READY = Command.RUN, Phase.READY


def run_inline(
    graph: Graph,
    policy: Policy = Policy.ISOLATE,
    watch: Watch | None = None,
    picker: Picker[Task] | None = None,
) -> Sequence[Task]:
    """Run every task of a graph in the caller's thread; the closed tasks, in the graph's order."""
    if watch is None and picker is None and is_flat(graph):
        try:
            return run_flat(graph)
        except Broken as broken:
            return _Inline(graph, policy, None, deque()).go_on(broken)
    return _Inline(graph, policy, watch, deque() if picker is None else picker).run()


class _Inline:
    """A graph in a kernel, and what is ready."""

    def __init__(self, graph: Graph, policy: Policy, watch: Watch | None, ready: Picker[Task]) -> None:
        self._kernel, self._ready = Kernel(policy, watch), ready
        nodes = build(self._kernel, graph)
        self._tasks = [Task(node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
        for node in nodes:
            self._tell(_ARMED, node)

    def run(self) -> list[Task]:
        while self._ready:
            task = self._ready.popleft()
            node = task.node
            if node.phase is _READY:  # it may have been cancelled in the queue
                self._tell(_STARTED, node)
                self._tell(_called(task), node)
        assert self._kernel.idle, f"nothing is left to run, and these are open: {list(self._kernel.nodes)}"
        return self._tasks

    def go_on(self, broken: Broken) -> list[Task]:
        """After what has run without a kernel, and the body that raised, go on with one."""
        *well, last = (self._tasks[number] for number in broken.ran)
        for task in well:
            self._start(task)
            self._tell(_RETURNED, task.node)
        for task, value in zip(self._tasks, broken.values, strict=True):
            task.gave(value)
        self._start(last)
        last.failed_with(broken.error)
        self._tell(_RAISED, last.node)
        return self.run()

    def _start(self, task: Task) -> None:
        """It has run already: the kernel must have wanted it next."""
        wanted = self._ready.popleft()
        assert task is wanted, f"{task} has run, and it was {wanted} that was to run"
        self._tell(_STARTED, task.node)

    def _tell(self, stimulus: Stimulus, node: Node) -> None:
        for command, other in self._kernel.receive(stimulus, node):
            if command is _RUN:
                task: Any = other.load
                self._ready.append(task)


def _called(task: Task) -> Stimulus:
    """Run a task's body, and say how it went."""
    try:
        task.call(None)
    except KeyboardInterrupt:  # meant for the caller, whose thread this is
        raise
    except BaseException as error:
        task.failed_with(error)
        return _RAISED
    return _RETURNED
