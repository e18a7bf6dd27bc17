"""The thread runtime's real code, in every interleaving, does only what running a graph means.

The code that ships runs under the explorer with plain `threading` locks, conditions and threads, two workers. Each
execution's openings, endings and closings are given to the model, event by event; then everything must have closed.
The number of interleavings is pinned: it changes when the runtime synchronises otherwise, and is then looked at anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import hocket
from hocket import fork, seq, task
from hocket.graph import Graph, Leaf, Task, graph_of
from hocket.kernel import Policy
from hocket.runtime import Context, Scheduler, threads
from hocket.runtime.build import build
from hocket.runtime.crew import Crew
from hocket.runtime.seats import Seats
from hocket.spec.refine import Accepted
from tests.chain.bridge import Event, model_of, recorder


def work() -> None:
    """What the tasks here run."""


def fail() -> None:
    raise LookupError("planted")


def _names(text: str) -> list[Leaf]:
    return [task(fail if name.endswith("!") else work, name) for name in text.split()]


def fork_join() -> Graph:
    """specs_task and legion_task: t0, three prongs, t3."""
    t0, *prongs, t3 = _names("t0 t1.1 t1.2 t1.3 t3")
    return graph_of(seq(t0, fork(*prongs), t3))


def nested_forks() -> Graph:
    """Their second example: t0, {tx, t1 then {ty, tz}}, t2."""
    t0, tx, t1, ty, tz, t2 = _names("t0 tx t1 ty tz t2")
    return graph_of(seq(t0, fork(tx, seq(t1, fork(ty, tz))), t2))


def broken_prong() -> Graph:
    """A prong fails: its fork fails when the other has closed, and what comes after is skipped."""
    p1, p2, after = _names("p1! p2 after")
    return graph_of(seq(fork(p1, p2), after))


def spawning() -> Graph:
    """A body that makes a child, which makes another: what `family` does, as a static graph for the model."""
    tasks = tuple(Task(name, work) for name in ("parent", "child", "grandchild", "after"))
    return Graph(tasks, after=((3, 0),), inside=((1, 0), (2, 1)), hold=((0, 1), (1, 2)))


def load(graph: Graph) -> Callable[[Scheduler], object]:
    """Give a scheduler the whole graph at once."""
    return lambda scheduler: scheduler.add_graph(graph)


def family(scheduler: Scheduler) -> None:
    """Spawn from a running task, two deep; the last task comes after the first."""

    def parent(context: Context) -> None:
        context.fork("child", child, context=True)

    def child(context: Context) -> None:
        context.fork("grandchild", work)

    first = scheduler.spawn("parent", parent, context=True, run=False)
    scheduler.spawn("after", work, after=[first], run=False)


def two_tasks() -> Graph:
    return Graph((Task("a", work), Task("b", work)))


def helped(scheduler: Scheduler) -> None:
    """Whoever spawns joins one of two tasks, and runs tasks meanwhile."""
    a, _ = scheduler.spawn("a", work), scheduler.spawn("b", work)
    a.join(help=True)


def crowd() -> Graph:
    return Graph((Task("m", work), Task("after", work)), after=((1, 0),))


def shared_out(scheduler: Scheduler) -> None:
    """One task of three bodies, which workers share, and one that comes after it."""
    drawn: list[int] = []
    many = scheduler.multi("m", 3, drawn.append, run=False)
    after = scheduler.spawn("after", lambda: drawn.sort() or drawn, after=[many], run=False)
    scheduler.close()
    assert after.value() == [0, 1, 2], f"each index once, and this was drawn: {drawn}"


def worker_removed(scheduler: Scheduler) -> None:
    """One of two workers is sent away while there is work."""
    scheduler.spawn("a", work)
    scheduler.spawn("b", work)
    scheduler.remove_worker("worker-0")


# what is run: the graph that the model knows, how the scheduler is given it, policy, workers: how many interleavings,
# and all sets of outcomes (in the order of the graph's tasks) that occur in them
FINISHED = ("finished",)
SCENARIOS = {
    "fork join": (fork_join(), load(fork_join()), "isolate", 2, 3124, {FINISHED * 6}),
    "nested forks": (nested_forks(), load(nested_forks()), "isolate", 2, 8104, {FINISHED * 8}),
    "nested forks, one worker": (nested_forks(), load(nested_forks()), "isolate", 1, 16, {FINISHED * 8}),
    "spawn two deep": (spawning(), family, "isolate", 2, 2068, {FINISHED * 4}),
    "spawn two deep, one worker": (spawning(), family, "isolate", 1, 4, {FINISHED * 4}),
    "a helping join": (two_tasks(), helped, "isolate", 1, 44, {FINISHED * 2}),
    "three bodies shared out": (crowd(), shared_out, "isolate", 2, 248, {FINISHED * 2}),
    "a worker removed": (two_tasks(), worker_removed, "isolate", 2, 1069, {FINISHED * 2}),
    "a prong fails, isolate": (
        broken_prong(),
        load(broken_prong()),
        "isolate",
        2,
        506,
        {("failed", "failed", "finished", "skipped")},
    ),
    "a prong fails, branch": (
        broken_prong(),
        load(broken_prong()),
        "branch",
        2,
        748,
        {("finished", "failed", "finished", "finished")},
    ),
    "a prong fails, fail_fast": (
        broken_prong(),
        load(broken_prong()),
        "fail_fast",
        2,
        418,
        {("failed", "failed", "finished", "cancelled"), ("failed", "failed", "cancelled", "cancelled")},
    ),
}


def explored(graph: Graph, give: Callable[[Scheduler], object], policy: str, workers: int):
    """Explore the scheduler on one scenario; the result, and the sets of outcomes that occurred."""
    model, outcomes = model_of(graph, Policy(policy), cancels=False), set()
    number = {task.name: index for index, task in enumerate(graph.tasks)}

    def body() -> None:
        events: list[Event] = []
        scheduler = Scheduler(workers, policy=policy, watch=recorder(events, lambda node: number[node.name]))
        give(scheduler)
        scheduler.close()
        answer = model.accepts(events)
        assert isinstance(answer, Accepted), str(answer)
        ended = {event[1]: event[2] for event in events if event[0] == "close"}
        outcomes.add(tuple(ended[index] for index in range(len(graph.tasks))))

    return hocket.explore(body, data="off"), outcomes


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_interleaving_of_the_thread_runtime_is_a_run_of_the_model(name):
    graph, give, policy, workers, interleavings, outcomes = SCENARIOS[name]
    result, occurred = explored(graph, give, policy, workers)
    assert result.verdict == "proved", str(result.failure)
    assert occurred == outcomes
    assert (result.executions, result.classes) == (interleavings, interleavings)


# -- plants: a runtime with a bug is caught ---------------------------------------------------------------------------

PLANTS = {
    "nobody is woken for new work": (Seats, "wake", lambda self: None, "fork join"),
    "whoever leaves does not hand on": (Crew, "_hand_on", lambda self: None, "a worker removed"),
    "a sleeper is not told of what it waits for": (Seats, "rouse", lambda self, seat: None, "nested forks"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_runtime_that_can_lose_a_wake_up_deadlocks_under_the_explorer(name, monkeypatch):
    place, method, planted, scenario = PLANTS[name]
    monkeypatch.setattr(place, method, planted)
    graph, give, policy, workers, _, _ = SCENARIOS[scenario]
    result, _ = explored(graph, give, policy, workers)
    assert result.verdict == "failed"
    assert result.failure.kind == "deadlock", str(result.failure)


def test_a_runtime_that_runs_a_task_too_early_is_refused_by_the_model(monkeypatch):
    """The kernel is given a graph without its edges, the model is not."""
    monkeypatch.setattr(threads, "build", lambda kernel, graph: build(kernel, replace(graph, after=())))
    graph, give, policy, workers, _, _ = SCENARIOS["fork join"]
    result, _ = explored(graph, give, policy, workers)
    assert result.failure.kind == "assertion"
    assert "what it waits for has happened" in str(result.failure.exception)
