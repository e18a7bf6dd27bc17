"""Graphs of plain tasks run without a kernel until a body fails: the same order, values and outcomes as with one.

Small graphs are gone through, with every set of failing bodies and every policy, and each answer
is held against that of the kernel, which refines the model (`tests/chain`).
"""

from __future__ import annotations

import random
import threading
from collections import deque
from itertools import chain, combinations

import pytest

from hocket.errors import CycleError
from hocket.graph import Graph, Ranked, Task, rank_or_cycle
from hocket.kernel import Kernel, Node, Outcome, Policy, Stimulus
from hocket.runtime import Scheduler, run, run_inline
from hocket.runtime import task as task_module
from hocket.runtime.flat import AllFinished, Drawing, is_flat


class Planned(Exception):
    pass


def subsets(things):
    things = list(things)
    return chain.from_iterable(combinations(things, size) for size in range(len(things) + 1))


def acyclic(size):
    """All graphs of so many tasks in which nothing but order relates them."""
    for edges in subsets((one, other) for one in range(size) for other in range(size) if one != other):
        following = {one: [later for later, earlier in edges if earlier == one] for one in range(size)}
        if isinstance(rank_or_cycle(following), Ranked):
            yield edges


def told(size, edges, failing, policy, watch):
    order = []

    def body(number):
        order.append(number)
        if number in failing:
            raise Planned(number)
        return number

    graph = Graph(tuple(Task(str(n), lambda n=n: body(n)) for n in range(size)), edges)
    tasks = run_inline(graph, policy, watch)
    ended = [(task.outcome, task._value if task.outcome is Outcome.FINISHED else None) for task in tasks]
    return order, ended, [str(task.exception) for task in tasks]


@pytest.mark.parametrize(("size", "graphs", "every"), [(1, 1, 1), (2, 3, 1), (3, 25, 1), (4, 543, 11)])
def test_every_small_graph_ends_as_with_a_kernel_whatever_fails(size, graphs, every):
    """1, 3, 25 and 543 are the numbers of labelled acyclic graphs (OEIS A003024); of those of four, every 11th."""
    count = 0
    for edges in acyclic(size):
        count += 1
        if count % every:
            continue
        for failing in subsets(range(size)):
            for policy in (Policy.ISOLATE, Policy.FAIL_FAST) if failing else (Policy.ISOLATE,):
                without = told(size, edges, failing, policy, None)
                assert without == told(size, edges, failing, policy, lambda moment, node: None)
    assert count == graphs


def test_nothing_is_made_for_a_task_that_nobody_asks_about(monkeypatch):
    made = []
    real = task_module.Task.__init__
    monkeypatch.setattr(task_module.Task, "__init__", lambda self, *what: made.append(1) or real(self, *what))
    result = run(Graph(tuple(Task(str(n), lambda n=n: n) for n in range(50))))
    assert (result.ok, len(made), isinstance(result.tasks, AllFinished)) == (True, 0, True)
    assert [task.value() for task in result.tasks[3:5]] == [3, 4]
    assert (result.tasks[-1].name, result.tasks[49] is result.tasks[-1], len(made)) == ("49", True, 3)
    assert (result.results["7"], result.outcomes["7"], len(made)) == (7, Outcome.FINISHED, 50)
    with pytest.raises(IndexError):
        result.tasks[50]


def test_a_task_that_was_made_afterwards_is_as_one_that_lived_in_a_kernel():
    made = run(Graph((Task("a", int),))).tasks[0].node
    kernel = Kernel()
    lived = kernel.add("a")
    for stimulus in (Stimulus.ARMED, Stimulus.STARTED, Stimulus.RETURNED):
        kernel.receive(stimulus, lived)
    fields = [field for field in Node.__slots__ if field not in ("scope", "load")]
    assert [getattr(made, field) for field in fields] == [getattr(lived, field) for field in fields]


def test_which_graphs_are_flat():
    body = Task("b", int)
    two = (body, body)
    graphs = [Graph(two, ((1, 0),)), Graph((body, Task("join")))]
    graphs += [Graph(two, hold=((0, 1),)), Graph(two, inside=((0, 1),))]
    assert [is_flat(graph) for graph in graphs] == [True, False, False, False]


def test_a_cycle_is_found_before_anything_runs_also_where_edges_lead_back():
    with pytest.raises(CycleError):
        run(Graph(tuple(Task(name, pytest.fail) for name in "abc"), after=((0, 1), (1, 2), (2, 0))))
    seen = deque()
    run(Graph(tuple(Task(name, lambda name=name: seen.append(name)) for name in "abc"), after=((0, 1), (1, 2))))
    assert "".join(seen) == "cba"


def test_an_interrupt_comes_out_as_itself():
    def interrupted():
        raise KeyboardInterrupt

    for runtime in ("inline", "threads"):
        with pytest.raises(KeyboardInterrupt):
            run(Graph((Task("a", interrupted), Task("b", pytest.fail))), runtime, workers=0)


# -- drawn by workers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("policy", ["isolate", "fail_fast", "branch"])
def test_workers_that_draw_end_every_task_as_one_thread_does_or_as_a_stop_may(workers, policy):
    chance = random.Random(f"{workers} {policy}")
    for _ in range(60):
        size = chance.randint(1, 9)
        edges = tuple({(n, chance.randrange(n)) for n in range(1, size) for _ in range(2) if chance.random() < 0.7})
        failing = {n for n in range(size) if chance.random() < 0.15}
        order = []

        def body(number, order=order, failing=failing):
            order.append(number)
            if number in failing:
                raise Planned(number)
            return number

        tasks = tuple(Task(str(n), lambda n=n, body=body: body(n)) for n in range(size))
        drawn = run(Graph(tasks, edges), "threads", workers=workers, policy=policy, check=False)
        assert len(set(order)) == len(order)
        assert all(order.index(one) < order.index(later) for later, one in edges if later in order)
        ended = {int(name): outcome for name, outcome in drawn.outcomes.items()}
        assert {n for n in ended if ended[n] is Outcome.FINISHED} == set(order) - failing
        assert {n for n in ended if ended[n] is Outcome.FAILED} == set(order) & failing
        assert all(value == int(name) for name, value in drawn.results.items())
        if policy != "fail_fast":
            assert drawn.outcomes == run(Graph(tasks, edges), "inline", policy=policy, check=False).outcomes


def test_all_workers_come_when_there_is_more_to_draw_also_after_there_was_nothing():
    """One, then four at once, then one, then four at once."""
    meeting = threading.Barrier(4)

    def meet():
        meeting.wait(30)

    four = range(4)
    tasks = (Task("a", int), *[Task("m", meet)] * 4, Task("b", int), *[Task("m", meet)] * 4)
    edges = [(1 + n, 0) for n in four] + [(5, 1 + n) for n in four] + [(6 + n, 5) for n in four]
    assert run(Graph(tasks, tuple(edges)), "threads", workers=4).ok


def test_what_a_drawn_body_raises_comes_out_with_its_name():
    def fails():
        raise Planned("by the body")

    with pytest.raises(Planned, match="by the body") as caught:
        run(Graph((Task("a", int), Task("bad", fails), Task("c", pytest.fail)), ((1, 0), (2, 1))), "threads", workers=2)
    assert caught.value.__notes__ == ["raised by the body of the task 'bad'"]


def test_nothing_is_drawn_of_nothing():
    assert run(Graph(()), "threads", workers=1).outcomes == {}


def test_an_interrupt_while_workers_draw_lets_them_draw_no_more(monkeypatch):
    running, go_on, ran, stop = threading.Event(), threading.Event(), [], Drawing.stop

    def interrupted(self, task, help, timeout):
        assert running.wait(30)
        raise KeyboardInterrupt

    def first():
        running.set()
        ran.append("first")
        assert go_on.wait(30)

    monkeypatch.setattr(Scheduler, "join", interrupted)
    monkeypatch.setattr(Drawing, "stop", lambda self: (stop(self), go_on.set()))
    later = [Task("later", lambda: ran.append("later"))] * 5
    with pytest.raises(KeyboardInterrupt):
        run(Graph((Task("first", first), *later), tuple((n, 0) for n in range(1, 6))), "threads", workers=1)
    assert ran == ["first"]
