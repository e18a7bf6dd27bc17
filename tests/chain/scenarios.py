"""What the thread runtime is explored with: small programs, the graph of each, and how often they interleave.

The code that ships runs under the explorer with plain `threading` locks, conditions and threads. Each execution's
openings, endings and closings are given to the model, event by event, and at the end everything must have closed. What
was told in the same order before needs no second judgement: interleavings that differ only in who had which lock tell
the model the same.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import hocket
from hocket import fork, seq, task
from hocket.errors import CycleError, DeadlockError, Refused, Stranded
from hocket.graph import Graph, Leaf, Task, graph_of
from hocket.kernel import Policy
from hocket.runtime import Context, Handle, Scheduler
from hocket.spec.refine import Accepted, Run
from models.run import acceptor
from models.run import graph as model_graph
from tests.chain.bridge import Event, recorder


def work() -> None:
    """What the tasks here run."""


def fail() -> None:
    raise LookupError("planted")


def _names(text: str) -> list[Leaf]:
    return [task(fail if name.endswith("!") else work, name) for name in text.split()]


def diamond() -> Graph:
    """One, two that come after it, and one that comes after both."""
    return Graph(tuple(Task(name, work) for name in "abcd"), after=((1, 0), (2, 0), (3, 1), (3, 2)))


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


def shared_with_a_helper(scheduler: Scheduler) -> None:
    """One task of three bodies, shared by two workers and whoever joins it."""
    drawn: list[int] = []
    many = scheduler.multi("m", 3, drawn.append)
    after = scheduler.spawn("after", lambda: sorted(drawn), after=[many])
    many.join(help=True)
    assert sorted(drawn) == [0, 1, 2], f"each index once, and this was drawn: {drawn}"
    assert after.join() == [0, 1, 2]


class Drawn:
    """Numbers from 0, of which drawing one is an operation that the explorer sees.

    The scheduler draws from an iterator of the interpreter outside its lock, which no exploration can look into: so
    here is one in its place, that is as atomic, and that others may come between.
    """

    def __init__(self, count: int) -> None:
        self.count, self.next = count, hocket.Atomic(0)

    def __iter__(self) -> Drawn:
        return self

    def __next__(self) -> int:
        number: int = self.next.add(1)
        if number >= self.count:
            raise StopIteration
        return number

    def stop(self) -> None:
        self.next.store(self.count)

    def __length_hint__(self) -> int:
        return max(0, self.count - self.next.load())


def at_once(scheduler: Scheduler) -> None:
    """Two bodies of one task, at which two workers are at the same time."""
    drawn: list[int] = []
    many = scheduler.multi("m", 2, drawn.append, run=False)
    many.work = Drawn(2)
    after = scheduler.spawn("after", lambda: sorted(drawn), after=[many], run=False)
    scheduler.close()
    assert after.value() == [0, 1], f"each index once, and this was drawn: {drawn}"


def worker_removed(scheduler: Scheduler) -> None:
    """One of two workers is sent away while there is work."""
    scheduler.spawn("a", work)
    scheduler.spawn("b", work)
    scheduler.remove_worker("worker-0")


def pair_and_third() -> Graph:
    """A task, and one that it holds open and that nobody waits for else; one that comes after the first."""
    return Graph((Task("keeper", work), Task("kept", work), Task("after", work)), after=((2, 0),), hold=((0, 1),))


def adopting(scheduler: Scheduler) -> None:
    """A running body says that it is held by a task which is there already."""
    kept = scheduler.spawn("kept", work, run=False)

    def keeper(context: Context) -> None:
        context.add_fork(kept)

    first = scheduler.spawn("keeper", keeper, context=True, run=False)
    scheduler.spawn("after", work, after=[first], run=False)


def one_after_another() -> Graph:
    return Graph((Task("a", work), Task("b", work)), after=((1, 0),))


def spawned_in_order(scheduler: Scheduler) -> None:
    """The second comes while the first may be waiting, at work or over."""
    scheduler.spawn("b", work, after=[scheduler.spawn("a", work)])


def cancelling(scheduler: Scheduler) -> None:
    """A task that waits in the queue is cancelled from outside, if it has not started."""
    task = scheduler.spawn("a", work)
    scheduler.spawn("b", work)
    with suppress(Refused):
        task.cancel()


def _sent_away(scheduler: Scheduler) -> None:
    with suppress(Stranded):
        scheduler.remove_worker("worker-0")


def deserted(scheduler: Scheduler) -> None:
    """The only worker leaves while somebody joins: who waits is told that nobody is left, and another worker comes."""
    task = scheduler.spawn("a", work)
    scheduler.spawn("b", work)
    leaver = threading.Thread(target=_sent_away, args=(scheduler,))
    leaver.start()
    with suppress(DeadlockError):
        task.join()
    leaver.join()
    scheduler.add_worker("another")


def two_runs(scheduler: Scheduler) -> None:
    """A run that fails and is stopped, and when it is over, another in the same scheduler."""
    first = scheduler.spawn("a", fail)
    with suppress(LookupError):
        first.join()
    scheduler.spawn("b", work)


def joined_inside(scheduler: Scheduler) -> None:
    """One worker, and a body that joins its child: it has to run it by itself."""

    def parent(context: Context) -> None:
        context.fork("child", work).join()

    scheduler.spawn("parent", parent, context=True)


def joining_in_a_circle(scheduler: Scheduler) -> None:
    """A body joins what comes after it: the call is refused."""
    later: list[Handle] = []

    def first() -> None:
        with suppress(DeadlockError):
            later[0].join()

    a = scheduler.spawn("a", first, run=False)
    later.append(scheduler.spawn("b", work, after=[a], run=False))


def child_in_a_circle(scheduler: Scheduler) -> None:
    """A body wants a child that comes after what comes after itself: the call is refused."""
    later: list[Handle] = []

    def first(context: Context) -> None:
        with suppress(CycleError):
            context.fork("child", work, after=later)

    a = scheduler.spawn("a", first, context=True, run=False)
    later.append(scheduler.spawn("b", work, after=[a], run=False))


def maker_of_two() -> Graph:
    """A task that spawns two, of which the second comes after the first."""
    tasks = tuple(Task(name, work) for name in ("maker", "first", "second"))
    return Graph(tasks, after=((2, 1),), inside=((1, 0), (2, 0)))


def building_at_the_end(scheduler: Scheduler) -> None:
    """A body builds while the scheduler closes: what it has spawned idle is its own until it says run()."""

    def maker(context: Context) -> None:
        first = context.spawn("first", work, run=False)
        context.spawn("second", work, run=False).depend_on(first).run()
        first.run()

    scheduler.spawn("maker", maker, context=True)


def left_idle(scheduler: Scheduler) -> None:
    """A body leaves what it has built idle, in the order in which it is to run."""

    def maker(context: Context) -> None:
        first = context.spawn("first", work, run=False)
        context.spawn("second", work, after=[first], run=False)

    scheduler.spawn("maker", maker, context=True)


def parent_and_child() -> Graph:
    return Graph((Task("parent", work), Task("child", work)), inside=((1, 0),), hold=((0, 1),))


# what is run: the graph that the model knows, how the scheduler is given it, policy, workers: how many interleavings,
# and all sets of outcomes (in the order of the graph's tasks) that occur in them
FINISHED = ("finished",)
SCENARIOS = {
    "diamond": (diamond(), load(diamond()), "isolate", 2, 1616, {FINISHED * 4}),
    "fork join": (fork_join(), load(fork_join()), "isolate", 2, 3124, {FINISHED * 6}),
    "nested forks": (nested_forks(), load(nested_forks()), "isolate", 2, 8104, {FINISHED * 8}),
    "nested forks, one worker": (nested_forks(), load(nested_forks()), "isolate", 1, 16, {FINISHED * 8}),
    "spawn two deep": (spawning(), family, "isolate", 2, 2068, {FINISHED * 4}),
    "spawn two deep, one worker": (spawning(), family, "isolate", 1, 4, {FINISHED * 4}),
    "a helping join": (two_tasks(), helped, "isolate", 1, 44, {FINISHED * 2}),
    "three bodies shared out": (crowd(), shared_out, "isolate", 2, 248, {FINISHED * 2}),
    "three bodies and a joiner that helps": (crowd(), shared_with_a_helper, "isolate", 2, 3482, {FINISHED * 2}),
    "bodies at work at once": (crowd(), at_once, "isolate", 2, 3286, {FINISHED * 2}),
    "a body joins what waits for it": (one_after_another(), joining_in_a_circle, "isolate", 1, 4, {FINISHED * 2}),
    "a child after what waits for its parent": (
        one_after_another(),
        child_in_a_circle,
        "isolate",
        1,
        4,
        {FINISHED * 2},
    ),
    "a worker removed": (two_tasks(), worker_removed, "isolate", 2, 1069, {FINISHED * 2}),
    "a running task adopts another": (pair_and_third(), adopting, "isolate", 2, 704, {FINISHED * 3}),
    "spawned in order": (one_after_another(), spawned_in_order, "isolate", 2, 934, {FINISHED * 2}),
    "cancelled in the queue": (two_tasks(), cancelling, "isolate", 1, 42, {FINISHED * 2, ("cancelled", "finished")}),
    "the last worker leaves": (two_tasks(), deserted, "isolate", 1, 260, {FINISHED * 2}),
    "a run after one that was stopped": (two_tasks(), two_runs, "fail_fast", 1, 18, {("failed", "finished")}),
    "a body builds at the end": (maker_of_two(), building_at_the_end, "isolate", 1, 34, {FINISHED * 3}),
    "a body builds at the end, two workers": (
        maker_of_two(),
        building_at_the_end,
        "isolate",
        2,
        14568,
        {FINISHED * 3},
    ),
    "a body leaves tasks idle": (maker_of_two(), left_idle, "isolate", 1, 24, {FINISHED * 3}),
    "a body joins its child": (parent_and_child(), joined_inside, "isolate", 1, 16, {FINISHED * 2}),
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


# graphs of which some tasks may be cancelled, and those of several runs, one after the other in one scheduler
CANCELS = {"cancelled in the queue"}
RUNS = {"a run after one that was stopped": {0: "first", 1: "second"}}


def _model(name: str) -> Run:
    graph, _, policy, *_ = SCENARIOS[name]
    tasks = range(len(graph.tasks))
    bodiless = [index for index in tasks if graph.tasks[index].body is None]
    cancelled = tasks if name in CANCELS else ()
    relations = (graph.after, graph.inside, graph.hold, bodiless, policy)
    return acceptor(model_graph(tasks, *relations, scope=RUNS.get(name), may_be_cancelled=cancelled))


def explored(name: str) -> tuple[Any, set[tuple[str, ...]]]:
    """Explore the scheduler on one scenario; the result, and the sets of outcomes that occurred."""
    graph, give, policy, workers, _, expected = SCENARIOS[name]
    model, outcomes = _model(name), set()
    accepted: set[tuple[Event, ...]] = set()
    number = {task.name: index for index, task in enumerate(graph.tasks)}

    def body() -> None:
        events: list[Event] = []
        scheduler = Scheduler(workers, policy=Policy(policy), watch=recorder(events, lambda node: number[node.name]))
        give(scheduler)
        scheduler.close()
        told = tuple(with_cancellations(events) if name in CANCELS else events)
        if told not in accepted:
            answer = model.accepts(told)
            assert isinstance(answer, Accepted), str(answer)
            accepted.add(told)
        ended = {event[1]: event[2] for event in events if event[0] == "close"}
        outcome = tuple(ended.get(index, "open") for index in range(len(graph.tasks)))
        assert outcome in expected, f"tasks ended as {outcome}"
        outcomes.add(outcome)

    return hocket.explore(body, data="off"), outcomes


def with_cancellations(events: list[Event]) -> list[Event]:
    """The kernel tells nobody that a task was cancelled before it closes: the model is told then."""
    return [
        told for event in events for told in ([("cancel", event[1]), event] if event[-1] == "cancelled" else [event])
    ]


# what issue 5 asks to be counted with two workers, and what is told of building at the end
COUNTED = (
    "diamond",
    "fork join",
    "nested forks",
    "spawn two deep",
    "a running task adopts another",
    "three bodies and a joiner that helps",
    "a worker removed",
    "a body builds at the end, two workers",
    "a prong fails, isolate",
    "a prong fails, branch",
    "a prong fails, fail_fast",
)


def main() -> int:
    """`python -m tests.chain.scenarios`: how many interleavings each has, all of which are runs of the model.

    Ends with 1 where there are others than those that are pinned, or other outcomes.
    """
    wrong = 0
    for name in COUNTED:
        result, outcomes = explored(name)
        *_, interleavings, expected = SCENARIOS[name]
        right = (result.verdict, result.executions, outcomes) == ("proved", interleavings, expected)
        wrong += not right
        told = f"{name:40} {result.verdict} {result.executions:6,} interleavings, {len(outcomes)} outcomes"
        print(told if right else f"{told}, but {interleavings:,} and {len(expected)} were to come", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
