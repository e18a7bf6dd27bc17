"""Random graphs with failures: every runtime ends every task alike, and as a reading of the rules says by itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.graph import Graph, Task, event_order
from hocket.kernel import Outcome, Policy
from hocket.kernel.lifecycle import Moment
from hocket.runtime import RUNTIMES, Scheduler, run
from tests.strategies import task_graphs

FINISHED, FAILED, SKIPPED, CANCELLED = Outcome


class Planned(Exception):
    pass


def _with_failures(graph: Graph, failing: set[int]) -> Graph:
    def fails():
        raise Planned

    bodies = [None if t.body is None else (fails if n in failing else int) for n, t in enumerate(graph.tasks)]
    tasks = tuple(Task(t.name, body) for t, body in zip(graph.tasks, bodies, strict=True))
    return Graph(tasks, graph.after, graph.inside, graph.hold)


def _expected(graph: Graph, failing: set[int], policy: Policy) -> list[Outcome]:
    """Each outcome from those of others, said as the policies are said in words."""
    opened: dict[int, bool] = {}
    outcome: dict[int, Outcome] = {}

    def opens(n):
        if n not in opened:
            opened[n] = all(ended(earlier) is FINISHED for later, earlier in graph.after if later == n) and all(
                opens(outer) for inner, outer in graph.inside if inner == n
            )
        return opened[n]

    def ended(n):
        if n not in outcome:
            lost = [c for p, c in graph.hold if p == n and ended(c) is not FINISHED]
            if not opens(n):
                outcome[n] = SKIPPED
            elif n in failing and graph.tasks[n].body is not None:
                outcome[n] = FAILED
            else:
                outcome[n] = FAILED if lost and policy is not Policy.BRANCH else FINISHED
        return outcome[n]

    return [ended(n) for n in range(len(graph.tasks))]


@settings(max_examples=60)
@given(task_graphs(body=lambda name: int), st.data())
@pytest.mark.parametrize("policy", [Policy.ISOLATE, Policy.BRANCH], ids=lambda policy: policy.value)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_outcomes_are_what_the_policy_says(runtime, policy, graph, data):
    failing = data.draw(st.sets(st.integers(0, len(graph.tasks) - 1), max_size=3))
    moments: list[int] = []
    index = {}

    def watch(moment, node):
        if moment is not Moment.RAN:
            moments.append(2 * index[node] + (moment is Moment.CLOSE))

    class Indexed(dict):
        def __missing__(self, node):
            return self.setdefault(node, int(node.name[1:]))

    index = Indexed()
    result = run(_with_failures(graph, failing), runtime, policy=policy, watch=watch, check=False)
    assert [task.outcome for task in result.tasks] == _expected(graph, failing, policy)
    place = {event: place for place, event in enumerate(moments)}
    assert len(place) == len(moments)
    for one, others in event_order(graph).items():
        for other in others:
            if other in place and one in place:
                assert place[one] < place[other]


@settings(max_examples=40)
@given(task_graphs(body=lambda name: int), st.data())
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_fail_fast_closes_everything_and_starts_nothing_after_the_first_failure(runtime, graph, data):
    failing = data.draw(st.sets(st.integers(0, len(graph.tasks) - 1), max_size=2))
    told = []
    result = run(
        _with_failures(graph, failing),
        runtime,
        policy="fail_fast",
        watch=lambda moment, node: told.append((moment, node)),
        check=False,
    )
    assert all(task.outcome is not None for task in result.tasks)
    lost = [place for place, (moment, node) in enumerate(told) if moment is Moment.CLOSE and node.outcome is FAILED]
    if lost:
        assert not [node for moment, node in told[lost[0] :] if moment is Moment.OPEN]
    else:
        assert result.ok


@settings(max_examples=30)
@given(st.data())
def test_random_trees_of_forks_run_every_body_once(data):
    """A body forks up to three children; each body is counted, and the root's join waits for all."""
    plan = data.draw(st.recursive(st.just([]), lambda inner: st.lists(inner, max_size=3), max_leaves=12))
    workers = data.draw(st.integers(0, 3))
    done = []

    def body(children):
        def grow(context):
            for number, child in enumerate(children):
                context.fork(str(number), body(child), context=True)
            done.append(1)

        return grow

    def size(tree):
        return 1 + sum(map(size, tree))

    with Scheduler(workers) as s:
        s.spawn("root", body(plan), context=True).join(help=True)
        assert len(done) == size(plan)
        s.check()
