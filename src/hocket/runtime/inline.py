"""The smallest runtime: one thread, no lock, first in first out.

What runs is decided by the kernel alone, so this is also the shortest text that
shows how a driver works: offer what the kernel says may run, report what came of
it, until nothing is left.
"""

from __future__ import annotations

from collections import deque

from hocket.graph import Graph
from hocket.kernel import Command, Commands, Kernel, Node, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.build import build
from hocket.runtime.task import Task

__all__ = ["run_inline"]


def run_inline(graph: Graph, policy: Policy = Policy.ISOLATE, watch: Watch | None = None) -> list[Task]:
    """Run every task of a graph in the caller's thread; the closed tasks, in the graph's order."""
    kernel = Kernel(policy, watch)
    nodes = build(kernel, graph)
    tasks = [Task(node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
    ready: deque[Task] = deque()
    for node in nodes:
        _queue(kernel.receive(Stimulus.ARMED, node), ready)
    while ready:
        task = ready.popleft()
        if task.outcome is None:  # it may have been cancelled in the queue
            _queue(kernel.receive(Stimulus.STARTED, task.node), ready)
            _queue(kernel.receive(_called(task), task.node), ready)
    assert not kernel.nodes, f"nothing is left to run, and these are open: {list(kernel.nodes)}"
    return tasks


def _called(task: Task) -> Stimulus:
    try:
        task.call(None)
    except KeyboardInterrupt:  # meant for the caller, whose thread this is
        raise
    except BaseException as error:
        task.failed_with(error)
        return Stimulus.RAISED
    return Stimulus.RETURNED


def _queue(commands: Commands, ready: deque[Task]) -> None:
    ready.extend(_task(node) for command, node in commands if command is Command.RUN)


def _task(node: Node) -> Task:
    assert isinstance(node.load, Task), f"{node} has no task"
    return node.load
