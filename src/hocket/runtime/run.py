"""Run a whole graph at once, on the runtime of one's choice, and say how each task ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hocket.graph import Expression, Graph, graph_of
from hocket.kernel import Outcome, Policy
from hocket.kernel.kernel import Watch
from hocket.runtime.bodies import refuse_bodies_of
from hocket.runtime.checked import Verify, refuse_unverified
from hocket.runtime.flat import AllFinished, is_flat
from hocket.runtime.inline import run_inline
from hocket.runtime.pickers import Picker, picker_of
from hocket.runtime.task import Task, error_of
from hocket.runtime.threads import Scheduler
from hocket.runtime.ticks import run_ticks

__all__ = ["RUNTIMES", "How", "Run", "run"]


@dataclass(frozen=True, slots=True)
class How:
    """What a runtime is told besides the graph; it reads what concerns it."""

    workers: int | None
    policy: Policy
    watch: Watch | None
    picker: str
    seed: int


@dataclass(frozen=True, slots=True)
class Run:
    """How a graph ran: its tasks, closed, in the graph's order."""

    tasks: Sequence[Task]

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """How each task closed, forks included, by name; a second task of one name is called `name#2`."""
        return {name: task.outcome for name, task in self._named() if task.outcome is not None}

    @property
    def results(self) -> dict[str, Any]:
        """What the bodies of finished tasks returned."""
        finished = ((name, task) for name, task in self._named() if task.outcome is Outcome.FINISHED)
        return {name: task.value() for name, task in finished if task.body is not None}

    @property
    def ok(self) -> bool:
        return isinstance(self.tasks, AllFinished) or all(task.outcome is Outcome.FINISHED for task in self.tasks)

    def raise_if_failed(self) -> None:
        """Raise what the bodies raised: one exception as itself, several as a group."""
        if isinstance(self.tasks, AllFinished):
            return
        errors = [task.exception for task in self.tasks if task.exception is not None]
        if len(errors) > 1:
            raise BaseExceptionGroup(f"{len(errors)} tasks failed", errors)
        for error in errors:
            raise error
        for task in self.tasks:
            if task.outcome is not Outcome.FINISHED:
                raise error_of(task.node)

    def _named(self) -> list[tuple[str, Task]]:
        seen: dict[str, int] = {}
        named = []
        for task in self.tasks:
            seen[task.name] = seen.get(task.name, 0) + 1
            named.append((task.name if seen[task.name] == 1 else f"{task.name}#{seen[task.name]}", task))
        return named


def run(
    graph: Expression | Graph,
    runtime: str = "inline",
    *,
    workers: int | None = None,
    policy: Policy | str = Policy.ISOLATE,
    watch: Watch | None = None,
    check: bool = True,
    picker: str = "fifo",
    seed: int = 0,
    verify: Verify = False,
) -> Run:
    """Run every task of a graph once, each after what it waits for; returns when all have closed.

    `runtime`: "inline" (the caller's thread), "threads" (`workers` of them, else 2), "asyncio" (a new event loop, in
    which `async def` bodies are awaited, and others run in threads; `workers` bodies in flight, else any number) or
    "ticks" (the caller's thread, in rounds: what a round frees runs in a later one, and a `TaskComponent` is called
    until it is complete). `policy`: what a failure does to other tasks. With `check`, what the bodies raised is raised
    here; without, the `Run` says it. `watch` is told of every opening, ending and closing. `picker`: which ready task
    is taken next, "fifo", "lifo" or "random" (drawn from `seed`); ticks keep their own order.

    >>> from hocket.graph import seq, fork, task
    >>> run(seq(task(int), fork(task(str), task(list)))).results
    {'int': 0, 'str': '', 'list': []}

    With `verify`, the graph is verified first (by `hocket.verify`, or by a function like it): raises Unverified.

    Raises CycleError, before anything has run, when tasks wait for each other; TypeError for a body that this runtime
    cannot run; ValueError for an unknown runtime or picker.
    """
    if runtime not in RUNTIMES:
        raise ValueError(f"there is no runtime {runtime!r}; there are {', '.join(map(repr, RUNTIMES))}")
    flat = graph if isinstance(graph, Graph) else graph_of(graph)
    refuse_bodies_of(flat.tasks, awaits=runtime == "asyncio")
    refuse_unverified(flat, verify, workers)
    how = How(workers, Policy(policy), watch, picker, seed)
    result = Run(RUNTIMES[runtime](flat, how))
    if check:
        result.raise_if_failed()
    return result


def _inline(graph: Graph, how: How) -> Sequence[Task]:
    picker: Picker[Task] | None = None if how.picker == "fifo" else picker_of(how.picker, how.seed)
    return run_inline(graph, how.policy, how.watch, picker)


def _threads(graph: Graph, how: How) -> Sequence[Task]:
    workers = 2 if how.workers is None else how.workers
    with Scheduler(workers, policy=how.policy, watch=how.watch, picker=how.picker, seed=how.seed) as scheduler:
        if how.watch is None and how.picker == "fifo" and graph.tasks and is_flat(graph):
            drawing = scheduler.draw(graph)
            if not drawing.broken:
                return AllFinished(graph, drawing.values)
            handles = scheduler.go_on_with(graph, drawing)
        else:
            handles = scheduler.add_graph(graph)
        scheduler.close()
        for handle in handles:
            handle.exception  # noqa: B018  # it is ours to report
    return handles


def _ticks(graph: Graph, how: How) -> list[Task]:
    return run_ticks(graph, how.policy, how.watch)


def _asyncio(graph: Graph, how: How) -> list[Task]:
    from hocket.runtime.aio import run_in_new_loop  # here: whoever awaits nothing does not pay for asyncio

    return run_in_new_loop(graph, how)


RUNTIMES: Mapping[str, Callable[[Graph, How], Sequence[Task]]] = {
    "inline": _inline,
    "threads": _threads,
    "asyncio": _asyncio,
    "ticks": _ticks,
}
"""Each runtime by name: a graph and how to run it in, closed tasks out."""
