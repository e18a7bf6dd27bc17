"""Random programs that spawn, fail and change their workers: what each runtime does, the model of running allows.

A program is a graph, some of whose tasks fork children from inside and some of whose bodies raise. Every opening,
ending and closing is given to the model in the order in which the kernel told it. Interleavings are those that happen:
the exhaustive ones are in `test_runtime_refines_model.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.graph import Graph, Task
from hocket.runtime import RUNTIMES, Scheduler, run
from hocket.runtime.pickers import PICKERS
from hocket.spec.refine import Accepted
from models.run import acceptor
from models.run import graph as model_graph
from tests.chain.bridge import Event, recorder
from tests.strategies import task_graphs

POLICIES = ("isolate", "branch", "fail_fast")


class Planned(Exception):
    pass


@dataclass(frozen=True)
class Program:
    """`after[n]`: whom task n comes after; `forks[n]`: how many children its body makes; `failing`: whose bodies raise.

    Only tasks that wait for nobody fork: what a body makes is in the model from the beginning, and a task that never
    opens would close there after children that nobody has made.
    """

    after: tuple[tuple[int, ...], ...]
    forks: tuple[int, ...]
    failing: frozenset[int]

    @property
    def children(self) -> dict[int, list[int]]:
        """By task, the numbers of its children, which follow those of the tasks."""
        numbers = iter(range(len(self.after), len(self.after) + sum(self.forks)))
        return {task: [next(numbers) for _ in range(count)] for task, count in enumerate(self.forks)}


@st.composite
def programs(draw) -> Program:
    size = draw(st.integers(1, 5))
    after = tuple(tuple(sorted(draw(st.sets(st.integers(0, n - 1), max_size=2)))) if n else () for n in range(size))
    forks = tuple(0 if after[n] else draw(st.integers(0, 2)) for n in range(size))
    failing = draw(st.frozensets(st.integers(0, size + sum(forks) - 1), max_size=2))
    return Program(after, forks, failing)


def model_of(program: Program, policy: str):
    children = program.children
    after = [(n, earlier) for n, others in enumerate(program.after) for earlier in others]
    inside = [(child, parent) for parent, made in children.items() for child in made]
    tasks = range(len(program.after) + len(inside))
    return acceptor(model_graph(tasks, after, inside, [(p, c) for c, p in inside], (), policy))


@settings(max_examples=60)
@given(programs(), st.sampled_from(POLICIES), st.sampled_from(sorted(PICKERS)), st.integers(0, 3), st.data())
def test_what_a_scheduler_does_while_workers_come_and_go_is_a_run_of_the_model(program, policy, picker, workers, data):
    if policy == "fail_fast":  # who is cancelled before it opens would close, in the model, after children nobody made
        program = replace(program, forks=(0,) * len(program.after))
    events: list[Event] = []
    s = Scheduler(workers, policy=policy, picker=picker, watch=recorder(events, lambda node: int(node.name)))
    names = sorted(s._workers)

    def body(number):
        def runs(context):
            for child in program.children.get(number, ()):
                context.fork(str(child), body(child), context=True)
            if number in program.failing:
                raise Planned

        return runs

    # under fail_fast a failure belongs to the run that it ends: tasks that are made later are another run
    idle = policy == "fail_fast" or data.draw(st.booleans())
    handles = []
    for number, after in enumerate(program.after):
        earlier = [handles[n] for n in after]
        options = {"after": earlier, "run": not idle, "priority": number % 3}
        handles.append(s.spawn(str(number), body(number), context=True, **options))
        if data.draw(st.booleans()):
            names.append(f"late {number}")
            s.add_worker(names[-1])
        if len(names) > 1 and data.draw(st.booleans()):
            s.remove_worker(names.pop(0))
    s.close()
    answer = model_of(program, policy).accepts(events)
    assert isinstance(answer, Accepted), str(answer)
    opened = {event[1] for event in events if event[0] == "open"}
    closed = [event[1] for event in events if event[0] == "close"]
    assert len(closed) == len(set(closed))
    assert opened <= set(closed)
    assert set(range(len(program.after))) <= set(closed)


@settings(max_examples=40)
@given(task_graphs(most=5, body=lambda name: int), st.sampled_from(POLICIES), st.data())
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_each_runtime_does_with_a_graph_is_a_run_of_the_model(runtime, graph, policy, data):
    failing = data.draw(st.frozensets(st.integers(0, len(graph.tasks) - 1), max_size=2))

    def fails():
        raise Planned

    tasks = tuple(Task(str(n), task.body and (fails if n in failing else int)) for n, task in enumerate(graph.tasks))
    bodiless = [n for n, task in enumerate(tasks) if task.body is None]
    events: list[Event] = []
    run(Graph(tasks, graph.after, graph.inside, graph.hold), runtime, policy=policy, check=False,
        watch=recorder(events, lambda node: int(node.name)))
    given = model_graph(range(len(tasks)), graph.after, graph.inside, graph.hold, bodiless, policy)
    answer = acceptor(given).accepts(events)
    assert isinstance(answer, Accepted), str(answer)
    assert {event[1] for event in events if event[0] == "close"} == set(range(len(tasks)))
