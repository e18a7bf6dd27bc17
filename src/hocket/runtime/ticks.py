"""Tasks by ticks: in each tick every body that may run is called once, then the manager looks what may run next.

For programs that have a loop already (a game, a simulation) and want no thread. A
*runner* calls the tasks of one type; a body that is a `TaskComponent` is called once
a tick until it says that it is complete. The kernel decides as ever; all that is
particular here is *when* its word is heard: what becomes ready while runners are at
work waits for the manager, so that nothing starts in the tick that freed it.

From specs_task and legion_task. Refused is their manager, which finds out what may
run by walking down from every final entity in every tick (n² visits for a chain, 2^d
for stacked diamonds): a gate that fires is told once, so a pass costs what changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from hocket.graph import Graph
from hocket.kernel import Command, Kernel, Node, Phase, Policy, Stimulus
from hocket.kernel.kernel import Watch
from hocket.runtime.bodies import refuse_body
from hocket.runtime.build import build
from hocket.runtime.task import Task

__all__ = ["PlainBody", "TaskComponent", "Ticks", "kind_of", "run_ticks"]


class TaskComponent:
    """The body of a task that takes several ticks: subclass it and say what `run` does.

    >>> class Countdown(TaskComponent):
    ...     left = 3
    ...     def run(self, data):
    ...         self.left -= 1
    ...         return self.left == 0
    """

    def run(self, data: Any) -> bool:
        """Called once a tick until it returns True, and never again; `data` is what the runner of its type was given.

        It may make and finalise entities: they start in a later tick (ST-X2). What it raises fails the task.
        """
        raise NotImplementedError(f"{type(self).__name__} is a TaskComponent without a run(self, data)")

    def __init_subclass__(cls) -> None:
        """Raise TypeError for a `run` that would run nothing when it is called: one that is async, or a generator."""
        super().__init_subclass__()
        refuse_body(f"{cls.__name__}.run", cls.run, awaits=False)

    def __call__(self) -> None:
        kind = type(self).__name__
        raise TypeError(f"a {kind} is called once a tick until it is complete: run it with runtime='ticks'")


class PlainBody:
    """The type, among runners, of tasks whose body is an ordinary callable: called once, complete when it returns."""


def kind_of(body: object) -> type:
    """Whose runner calls a body."""
    return type(body) if isinstance(body, TaskComponent) else PlainBody


class Ticks:
    """A kernel driven by ticks. Runners call `run_tasks`, each for one type; then the manager calls `manage`.

    `now` is the number of the tick that is going on, from 1. `look` is asked before each call of a body: where it
    raises, the task fails with that.
    """

    def __init__(
        self,
        policy: Policy = Policy.ISOLATE,
        watch: Watch | None = None,
        look: Callable[[Any], None] | None = None,
    ) -> None:
        self.kernel, self.now, self.look = Kernel(policy, watch), 1, look
        self._due: dict[type, deque[Node]] = {}  # by type: what its runner calls when it has its turn
        self._freed: list[Node] = []  # ready, and the manager has not been round since
        self._closed: list[Node] = []

    @property
    def kinds(self) -> list[type]:
        """The types of the tasks that are due."""
        return [kind for kind, due in self._due.items() if due]

    @property
    def at_rest(self) -> bool:
        """Whether neither a runner nor the manager has anything to do."""
        return not (self._freed or self._closed or self.kinds)

    def tell(self, stimulus: Stimulus, node: Node) -> None:
        """Report to the kernel, and keep what it says for the manager."""
        for command, other in self.kernel.receive(stimulus, node):
            self._heed(command, other)

    def run_tasks(self, kind: type, data: Any = None) -> int:
        """Call every body of that type that is due, once; returns how many were called."""
        due, called = self._due.get(kind, _NOTHING), 0
        for _ in range(len(due)):  # who asks to be called again is appended, and is not called in this pass
            node = due.popleft()
            if node.phase is _READY or node.phase is _RUNNING:  # it may have been cancelled in the queue
                try:
                    self._call(node, data)
                except KeyboardInterrupt:  # meant for the caller, whose thread this is; nothing is lost
                    due.appendleft(node)
                    raise
                called += 1
        return called

    def manage(self) -> tuple[list[Node], list[Node]]:
        """Let what has become ready be called from the next turn of its runner on, and end the tick.

        Returns what was freed so, and what has closed since the last pass.
        """
        freed, self._freed = self._freed, []
        closed, self._closed = self._closed, []
        for node in freed:
            self._queue(node)
        self.now += 1
        return freed, closed

    def _call(self, node: Node, data: Any) -> None:
        task: Any = node.load
        if node.phase is _READY:
            self.tell(Stimulus.STARTED, node)
        try:
            if self.look is not None:
                self.look(task)
            how = _stepped(task, data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            task.failed_with(error)
            how = Stimulus.RAISED
        self.tell(how, node)

    def _heed(self, command: Command, node: Node) -> None:
        if command is Command.RUN:
            self._freed.append(node)
        elif command is Command.RESUME:
            self._queue(node)
        else:
            self._closed.append(node)

    def _queue(self, node: Node) -> None:
        task: Any = node.load
        self._due.setdefault(kind_of(task.body), deque()).append(node)


# an enum's member costs a look-up in its class each time
_READY, _RUNNING = Phase.READY, Phase.RUNNING
_NOTHING: deque[Node] = deque()


def _stepped(task: Task, data: Any) -> Stimulus:
    """Call a body once, and say whether it is over."""
    component = task.body
    if not isinstance(component, TaskComponent):
        task.call(None)
        return Stimulus.RETURNED
    complete: object = component.run(data)
    if isinstance(complete, bool):
        return Stimulus.RETURNED if complete else Stimulus.PENDED
    said = f"{type(component).__name__}.run returned {complete!r}"
    raise TypeError(f"{said}: return True when the task is complete, False to be called again")


def run_ticks(graph: Graph, policy: Policy = Policy.ISOLATE, watch: Watch | None = None) -> list[Task]:
    """Run every task of a graph by ticks in the caller's thread; the closed tasks, in the graph's order.

    Everything is armed in the first tick, so the first bodies are called in the second (ST-03). A component's `run` is
    given None. It ticks as long as a body asks to be called again.
    """
    ticks = Ticks(policy, watch)
    nodes = build(ticks.kernel, graph)
    tasks = [Task(node, task.body) for node, task in zip(nodes, graph.tasks, strict=True)]
    for node in nodes:
        ticks.tell(Stimulus.ARMED, node)
    ticks.manage()
    while kinds := ticks.kinds:
        for kind in kinds:
            ticks.run_tasks(kind)
        ticks.manage()
    assert not ticks.kernel.nodes, f"nothing is left to run, and these are open: {list(ticks.kernel.nodes)}"
    return tasks
