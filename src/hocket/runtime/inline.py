"""The smallest runtime: one thread, no lock, first in first out unless told otherwise.

What runs is decided by the kernel alone, so this is also the shortest text that
shows how a driver works: offer what the kernel says may run, report what came of
it, until nothing is left.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from hocket.graph import Graph
from hocket.kernel import Command, Commands, Kernel, Phase, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.build import build
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
) -> list[Task]:
    """Run every task of a graph in the caller's thread; the closed tasks, in the graph's order."""
    kernel = Kernel(policy, watch)
    nodes = build(kernel, graph)
    tasks = [Task(node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
    receive = kernel.receive
    ready: Picker[Task] = deque() if picker is None else picker
    for node in nodes:
        _offer(receive(_ARMED, node), ready)
    while ready:
        task = ready.popleft()
        node = task.node
        if node.phase is _READY:  # it may have been cancelled in the queue
            _offer(receive(_STARTED, node), ready)
            _offer(receive(_called(task), node), ready)
    assert not kernel.nodes, f"nothing is left to run, and these are open: {list(kernel.nodes)}"
    return tasks


def _offer(commands: Commands, ready: Picker[Task]) -> None:
    for command, node in commands:
        if command is _RUN:
            task: Any = node.load
            ready.append(task)


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
