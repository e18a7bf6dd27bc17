"""Whoever watches a run hears the same of an event loop as of threads: recordings, bars, monitors; and bodies the same
names in their context."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest
import rich.console

import hocket
from hocket import AsyncScheduler, Scheduler, run, run_async
from hocket.errors import TaskLost
from hocket.graph import Graph, Task
from hocket.kernel import Outcome
from hocket.kernel.lifecycle import Moment
from tests.unit.runtime_aio.test_aio_scheduler import forty, looped


async def fails() -> None:
    await asyncio.sleep(0)
    raise LookupError("planted")


def mixed() -> Graph:
    """On the loop and in threads: `a` before `b` and `c`, which fails; `d` after both."""
    return Graph(tuple(map(Task, "abcd", (forty, int, fails, forty))), after=((1, 0), (2, 0), (3, 1), (3, 2)))


def bar() -> hocket.Progress:
    return hocket.Progress(console=rich.console.Console(file=io.StringIO()))


ENDS = ["finished", "finished", "failed", "skipped"]


@looped
async def test_a_recording_of_a_loop_has_all_tasks_edges_and_outcomes():
    recording = hocket.Recording()
    ran = await run_async(mixed(), watch=recording, check=False)
    assert [str(task.outcome) for task in ran.tasks] == recording.outcomes == ENDS
    assert sorted(recording.graph.after) == [(1, 0), (2, 0), (3, 1), (3, 2)]
    assert "✗ c" in recording.svg()
    assert 't3["→ d"]:::skipped' in recording.mermaid()
    events = json.loads(recording.chrome())["traceEvents"]
    slices = {event["name"]: event for event in events if event["ph"] == "X"}
    assert {name: event["args"]["outcome"] for name, event in slices.items()} == dict(zip("abc", ENDS, strict=False))
    assert slices["b"]["ts"] >= slices["a"]["ts"] + slices["a"]["dur"]


@looped
async def test_a_recording_hears_what_is_spawned_by_bodies_on_the_loop_and_in_threads():
    recording = hocket.Recording()

    async def parent(context: Any) -> None:
        context.fork("on the loop", forty)
        context.fork("in a thread", lambda inner: inner.fork("grandchild", forty), context=True)

    async with AsyncScheduler(watch=recording) as s:
        s.multi("many", 3, lambda n: asyncio.sleep(0), after=[s.spawn("parent", parent, context=True)])
    tasks = [task.name for task in recording.graph.tasks]
    assert sorted(tasks) == ["grandchild", "in a thread", "many", "on the loop", "parent"]
    holds = {(tasks[parent], tasks[child]) for parent, child in recording.graph.hold}
    assert holds == {("parent", "on the loop"), ("parent", "in a thread"), ("in a thread", "grandchild")}
    assert recording.outcomes == ["finished"] * 5


def test_a_bar_counts_what_a_loop_runs_and_is_right_at_the_end():
    running = []

    async def main() -> None:
        async with AsyncScheduler(workers=2, watch=shown) as s:
            s.multi("m", 5, lambda n: asyncio.sleep(0))

            async def looks() -> None:
                running.append(shown.running)

            s.spawn("looks", looks)

    with bar() as shown:
        asyncio.run(run_async(mixed(), watch=shown, check=False))
    assert (shown.made, shown.closed, shown.running, shown.lost) == (4, 4, 0, 2)
    with bar() as shown:
        asyncio.run(main())
    assert (shown.made, shown.closed, running) == (2, 2, [2])


@pytest.mark.parametrize("workers", [1, None])
def test_a_monitor_allows_what_a_loop_does_and_counts_the_same_events_as_on_threads(workers):
    counts = []
    for runtime in ("asyncio", "threads", "inline"):
        monitor = hocket.Monitor()
        graph = Graph(tuple(Task(task.name, int) for task in mixed().tasks), mixed().after)
        run(graph, runtime, workers=None if runtime == "inline" else workers, watch=monitor)
        assert monitor.refused is None
        counts.append(monitor.events)
    assert counts == [16] * 3  # four tasks are armed, open, run and close


@looped
async def test_a_monitor_joins_a_loop_at_work_and_hears_failures_cancellations_and_what_is_interrupted():
    monitor = hocket.Monitor()
    async with AsyncScheduler(policy="fail_fast") as s:
        first = s.spawn("first", forty)
        monitor.join(s)
        failing = s.spawn("failing", fails, after=[first])
        stopped = s.spawn("stopped", forty, after=[failing])
        hangs = s.spawn("hangs", asyncio.Event().wait)
        with pytest.raises(LookupError):
            await failing
        hangs.interrupt()
        with pytest.raises(TaskLost):
            await hangs
    assert (str(stopped.outcome), monitor.refused) == ("cancelled", None)


def test_a_monitor_refuses_on_a_loop_what_a_broken_kernel_says():
    monitor = hocket.Monitor()

    async def main() -> None:
        async with AsyncScheduler(watch=monitor) as s:
            task = s.spawn("t", forty, run=False)
            monitor(Moment.OPEN, task.node)
            task.cancel()

    asyncio.run(main())
    assert monitor.refused is not None
    assert "it is armed" in str(monitor.refused)


@pytest.mark.parametrize("place", ["a thread's worker", "a loop's thread", "a loop"])
def test_a_context_has_the_same_names_everywhere(place):
    """`self_task` is Choir's name for `task`: the handle that `spawn` gave, of the scheduler that it was spawned in."""
    seen: list[Any] = []

    def sync(context: Any) -> Any:
        seen.append(context)
        return context.self_task.name, context.self_task is context.task, context.task.outcome

    async def on_loop(context: Any) -> Any:
        await asyncio.sleep(0)
        return sync(context)

    async def main() -> tuple[Any, Any, Any]:
        async with AsyncScheduler() as s:
            handle = s.spawn("own", on_loop if place == "a loop" else sync, context=True)
            return s, handle, await handle

    if place == "a thread's worker":
        with Scheduler(1) as s:
            handle = s.spawn("own", sync, context=True)
            told = handle.join()
    else:
        s, handle, told = asyncio.run(main())
    assert told == ("own", True, None)
    assert (seen[0].task is handle, seen[0].scheduler is s, handle.outcome) == (True, True, Outcome.FINISHED)
    assert {name for name in dir(seen[0]) if not name.startswith("_")} == {
        "add_fork", "fork", "scheduler", "self_task", "spawn", "task"}
