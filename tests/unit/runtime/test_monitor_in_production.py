"""The monitor that ships: it allows what the model allows, names the guard of what it does not, and costs little."""

from __future__ import annotations

import random
from contextlib import suppress
from functools import partial

import pytest

import hocket
from hocket import fork, seq, task
from hocket.errors import Refused
from hocket.graph import Cyclic, Graph, Task, event_order, graph_of, rank_or_cycle
from hocket.kernel import Kernel, Outcome, Policy
from hocket.runtime import Scheduler, run_inline
from hocket.runtime.build import build
from hocket.runtime.watching import Monitor
from tests.chain.bridge import model_of
from tests.chain.plants import KERNEL, RUNTIME
from tests.chain.rules import PLACE, compiled
from tests.chain.small import RELATIONS, edges_of
from tests.chain.test_plants import plant
from tests.counting import instructions

POLICIES = [policy.value for policy in Policy]


def work() -> None:
    """What tasks do here."""


def fail() -> None:
    raise LookupError("planted")


def some_graph(rng: random.Random, size: int, failing: float = 0.2) -> Graph:
    """Tasks with all relations; some fail, some have no body."""
    related = {(i, j): rng.choice(RELATIONS) for j in range(size) for i in range(j)}
    edges = [edge for (i, j), relation in related.items() for edge in edges_of(relation, i, j)]
    pairs = {kind: tuple((a, b) for k, a, b in edges if k == kind) for kind in ("after", "inside", "hold")}
    bodies = [fail if rng.random() < failing else rng.choice((work, work, None)) for _ in range(size)]
    tasks = tuple(Task(str(number), body) for number, body in enumerate(bodies))
    graph = Graph(tasks, **pairs)
    return Graph(tasks, pairs["after"]) if isinstance(rank_or_cycle(event_order(graph)), Cyclic) else graph


# -- what is executed is the model ------------------------------------------------------------------------------------


def test_what_ships_is_the_model_compiled():
    assert PLACE.read_text() == compiled(), "say `python -m tests.chain.rules`"


@pytest.mark.parametrize("policy", POLICIES)
def test_the_monitor_refuses_what_the_interpreter_refuses_with_the_same_guard(policy):
    """Events of the model at random, and now and then one that is not allowed; tasks that are gone are told apart."""
    rng, taken, refused = random.Random(policy), 0, 0
    for _ in range(60):
        graph = some_graph(rng, 6)
        model, monitor, kernel = model_of(graph, Policy(policy), True, late=True), Monitor(), Kernel(Policy(policy))
        monitor.attach(kernel)
        nodes = build(kernel, graph)
        state = model.start
        while (allowed := model.allowed(state)) and monitor.refused is None:
            event = rng.choice(allowed if rng.random() < 0.96 else model._machine.events)
            node, lacking = nodes[event[1]], model.refusal(state, event)
            gone = node not in monitor._number
            how = [Outcome[event[2].upper()]] if len(event) > 2 else []
            monitor._take(event[0], node, *how)
            assert (monitor.refused is None) == (lacking is None), (event, lacking, monitor.refused)
            if lacking is not None:
                assert gone or monitor.refused.guard == lacking
                refused += 1
                break
            state, taken = model.step(state, event), taken + 1
            if event[0] == "close":
                node.fate = how[0]
                monitor._close(node)
    assert taken > 500
    assert refused > 20


# -- schedulers that are in order -------------------------------------------------------------------------------------


def events_of(tasks) -> int:
    """Each task is armed and closes; those that opened open, and those of them that have a body end."""
    opened = [one for one in tasks if one.node.opened]
    return 2 * len(tasks) + len(opened) + sum(one.node.bodied for one in opened)


@pytest.mark.parametrize("policy", POLICIES)
def test_any_run_of_any_graph_is_in_order(policy):
    for seed in range(60):
        rng, monitor = random.Random(seed), Monitor()
        tasks = run_inline(some_graph(rng, 9), Policy(policy), monitor)
        assert monitor.refused is None, str(monitor.refused)
        # who is armed into a stopped scope is cancelled by it, and that is no event of its own
        assert monitor.events == events_of(tasks)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_scheduler_that_spawns_fails_and_goes_on_is_in_order(policy):
    rng, monitor = random.Random(policy), Monitor()
    scheduler = Scheduler(2, policy=policy, watch=monitor)

    def parent(depth, context):
        for n in range(2 if depth else 0):
            child = context.fork(f"child {n}", partial(parent, depth - 1), context=True)
            context.spawn("aside", fail if n else work, after=[child])

    handles = []
    for round_ in range(20):
        earlier = rng.sample(handles, min(2, len(handles)))  # most of them have closed, some were lost
        handles.append(scheduler.spawn(f"root {round_}", partial(parent, 2), context=True, after=earlier))
        scheduler.add_graph(some_graph(rng, 5))
        scheduler.multi("many", 5, lambda n: None, after=handles[-1:])
        with suppress(Refused):
            scheduler.spawn("unwanted", work, after=handles[-1:]).cancel()
    scheduler.close()
    assert monitor.refused is None, str(monitor.refused)
    assert monitor.events > 1000 if policy != "fail_fast" else monitor.events > 300


def test_what_has_closed_is_forgotten():
    """A chain that is spawned on and on: no more rows than tasks that are open, or that somebody looks at."""
    monitor = Monitor()
    with Scheduler(1, watch=monitor) as scheduler:
        last = scheduler.spawn("first", work)
        for _ in range(2000):
            last.join()
            last = scheduler.spawn("next", work, after=[last])
    assert (monitor.refused, monitor.events) == (None, 2001 * 4)
    assert len(monitor._lookers) == 64  # the first rows are enough
    assert not monitor._number
    assert len(monitor._free) == len(monitor._lookers)


def test_lost_tasks_that_nobody_looks_at_are_forgotten_as_well():
    monitor = Monitor()
    with Scheduler(1, watch=monitor) as scheduler:
        lost = scheduler.spawn("lost", fail)
        for _ in range(300):
            with suppress(LookupError, hocket.errors.TaskLost):
                scheduler.spawn("after", work, after=[lost]).join()
    assert monitor.refused is None
    assert len(monitor._lookers) == 64  # the first rows are enough
    assert len(monitor._free) == len(monitor._lookers)


# -- and those that are not -------------------------------------------------------------------------------------------

# by rule of the plant: how it is noticed in production, in one run of one thread
NOTICED = {
    "a task closes once": "it has not closed",
    "after waits for the close": "what it waits for has happened",
    "a parent waits for its children": "all its children have closed",
    "the barrier of a fork is an edge": None,  # the graph itself lacks it: a monitor believes what the kernel is asked
    "what comes after a loss is skipped": "nothing that it waits for was lost",
    "a parent with a lost child fails": "failed if and only if its body raised or a child was lost",
    "under fail_fast a failure stops the run": "nobody has cancelled it",
}


def shapes(policy: str):
    two = seq(fork(task(fail, "f"), task(work, "g")), task(work, "h"), task(work, "i"))
    return [(graph_of(seq(task(work, "a"), fork(task(work, "b"), task(work, "c")), task(work, "d")))), graph_of(two)]


@pytest.mark.parametrize("rule", NOTICED)
def test_a_kernel_with_a_bug_is_reported_with_the_guard_that_failed(rule, monkeypatch):
    (planted,) = (one for one in KERNEL if one.rule == rule)
    plant(monkeypatch, planted)
    policy, heard = planted.where["policy"], []
    for graph in [*shapes(policy), Graph((Task("f", fail), Task("late", work)))]:
        with suppress(AssertionError, Refused, IndexError):
            run_inline(graph, policy, Monitor(heard.append))
    found = {illegal.guard for illegal in heard}
    assert (NOTICED[rule] in found) if NOTICED[rule] else (found == set())


def test_a_scheduler_that_forgets_edges_is_reported_and_goes_on(monkeypatch):
    """The kernel is asked, and does not do it."""
    monkeypatch.setattr(Kernel, "hold", lambda self, edge, source, target: None)
    heard: list[object] = []
    monitor = Monitor(heard.append)
    with Scheduler(1, watch=monitor) as scheduler:
        first = scheduler.spawn("first", work, run=False)
        second = scheduler.spawn("second", work, after=[first])
        second.join()
    assert heard == [monitor.refused]
    assert str(monitor.refused) == "step 1: 'open second' is refused: not 'what it waits for has happened'"
    assert monitor.refused.where["armed second"] is True
    assert {one.outcome for one in (first, second)} == {Outcome.FINISHED}


def test_every_plant_is_a_rule_once():
    rules = [one.rule for one in (*KERNEL, *RUNTIME)]
    assert len(rules) == len(set(rules)) == 54


# -- switched on while it runs ----------------------------------------------------------------------------------------


def test_it_can_be_switched_on_while_tasks_wait_and_run():
    seen: list[object] = []
    monitor, scheduler = Monitor(), Scheduler(0, watch=lambda moment, node: seen.append((moment, node.name)))
    over = scheduler.spawn("over", work)
    over.join(help=True)
    before = len(seen)

    def running(context):
        context.fork("kept", work)
        monitor.join(scheduler)

    root = scheduler.spawn("root", running, context=True)
    scheduler.spawn("after", work, after=[root, over])
    scheduler.close()
    assert monitor.refused is None
    # root ends and closes; the two others open, end and close
    assert (monitor.events, len(seen) - before) == (8, 9)


def test_it_is_not_switched_on_where_something_is_lost_already():
    scheduler = Scheduler(0)
    lost, monitor = scheduler.spawn("lost", fail), Monitor()
    held = scheduler.spawn("held", work, after=[lost], run=False)
    with suppress(LookupError):
        lost.join(help=True)
    with pytest.raises(Refused, match="too late: held was lost"):
        monitor.join(scheduler)
    held.run()
    monitor.join(scheduler)
    with pytest.raises(Refused, match="one monitor for each scheduler"):
        monitor.join(scheduler)
    scheduler.close()


def test_a_call_that_is_refused_is_no_event():
    monitor = Monitor()
    with Scheduler(0, watch=monitor) as scheduler:
        task = scheduler.spawn("t", work)
        with pytest.raises(Refused):
            task.run()
        assert monitor.events == 1
        task.cancel()
        with pytest.raises(Refused):
            task.cancel()
    assert (monitor.refused, monitor.events) == (None, 3)


# -- what it costs ----------------------------------------------------------------------------------------------------


def test_an_event_costs_as_much_in_a_graph_ten_times_as_large():
    """Instructions with and without, building the graph included; microseconds: `benchmarks/runtime/monitored.py`."""
    costs = []
    for rows in (3, 30):
        stages = [fork(*(task(int, f"t{row}.{n}") for n in range(10))) for row in range(rows)]
        graph, monitor = graph_of(seq(*stages)), Monitor()
        watched = instructions(partial(run_inline, graph, watch=monitor))
        plain = instructions(partial(run_inline, graph))
        assert (monitor.refused, monitor.events) == (None, rows * (11 * 2 + 11 + 10))
        costs.append((watched - plain) / monitor.events)
    assert costs[1] < 1.1 * costs[0], costs  # a loop over all tasks would be ten times as many
    assert max(costs) < 500, costs  # as many as Python performs in some microseconds
