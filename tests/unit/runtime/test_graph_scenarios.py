"""The scenarios of specs_task and legion_task as facts of order, on every runtime that runs a whole graph."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import pytest

from hocket.graph import empty, fork, graph_of, seq, task
from hocket.kernel.lifecycle import Moment
from hocket.runtime import RUNTIMES, run

every = pytest.mark.parametrize("runtime", RUNTIMES)


def _ran(graph_from, runtime, names):
    """The order in which bodies ran, and the moments of all tasks by name."""
    bodies: list[str] = []
    moments: list[tuple[str, str]] = []
    leaf = {name: task(lambda name=name: bodies.append(name), name) for name in names}
    outcome = run(graph_from(leaf), runtime, watch=lambda moment, node: moments.append((moment.name, node.name)))
    assert outcome.ok
    assert sorted(bodies) == sorted(names)
    return bodies, moments


def _before(bodies, *groups):
    """Each group is over before the next begins."""
    places = [[bodies.index(name) for name in group] for group in groups]
    return all(max(one) < min(other) for one, other in pairwise(places))


@every
def test_the_static_readme_graph_st_r1_lt_r1(runtime):
    bodies, _ = _ran(
        lambda t: seq(t["foo"], fork(t["bar1"], t["bar2"], t["bar3"]), t["zing"]),
        runtime,
        ["foo", "bar1", "bar2", "bar3", "zing"],
    )
    assert _before(bodies, ["foo"], ["bar1", "bar2", "bar3"], ["zing"])


@every
def test_the_dynamic_readme_graph_is_one_fork_of_ten_prongs_st_r2(runtime):
    names = ["first", *(f"p{n}" for n in range(10)), "last"]

    def build(t):
        return seq(t["first"], reduce(fork, (t[name] for name in names[1:-1]), empty()), t["last"])

    graph = graph_of(build({name: task(None, name) for name in names}))
    assert sum(node.body is None and node.name.startswith("fork") for node in graph.tasks) == 1
    assert len(graph.hold) == 10
    bodies, _ = _ran(build, runtime, names)
    assert _before(bodies, ["first"], names[1:-1], ["last"])


@every
def test_two_stages_of_three_prongs_st_d1(runtime):
    names = ["t0", "1.a", "1.b", "1.c", "2.a", "2.b", "2.c", "t3"]
    bodies, _ = _ran(
        lambda t: seq(t["t0"], fork(*(t[n] for n in names[1:4])), fork(*(t[n] for n in names[4:7])), t["t3"]),
        runtime,
        names,
    )
    assert _before(bodies, ["t0"], names[1:4], names[4:7], ["t3"])


@every
def test_a_nested_fork_is_flattened_lt_05(runtime):
    bodies, moments = _ran(lambda t: seq(t["1"], fork(t["2"], fork(t["3"], t["4"])), t["5"]), runtime, list("12345"))
    assert _before(bodies, ["1"], ["2", "3", "4"], ["5"])
    assert sum(name.startswith("fork") for moment, name in moments if moment == "OPEN") == 1


@every
def test_nested_forks_with_a_sequence_keep_all_barriers_st_05(runtime):
    names = ["t0", "tx", "t1", "ty", "tz", "t2"]
    bodies, moments = _ran(
        lambda t: seq(t["t0"], fork(t["tx"], seq(t["t1"], fork(t["ty"], t["tz"]))), t["t2"]), runtime, names
    )
    assert _before(bodies, ["t0"], ["tx", "t1"], ["t2"])
    assert _before(bodies, ["t1"], ["ty", "tz"], ["t2"])
    assert len(moments) == 3 * 8  # six tasks and two forks, each opens, ends and closes


@every
def test_a_watcher_sees_open_ran_close_of_every_task_in_order(runtime):
    moments: list[tuple[Moment, object]] = []
    graph = seq(task(int, "a"), fork(*[task(int, "b")] * 20), task(int, "c"))
    result = run(graph, runtime, watch=lambda moment, node: moments.append((moment, node)))
    for closed in result.tasks:
        assert [moment for moment, node in moments if node is closed.node] == list(Moment)


@every
def test_results_are_named_and_doubles_are_numbered(runtime):
    result = run(
        seq(task(lambda: 1, "a"), fork(task(lambda: 2, "b"), task(lambda: 3, "b")), task(None, "end")), runtime
    )
    assert result.results == {"a": 1, "b": 2, "b#2": 3}
    assert list(result.outcomes) == ["a", "fork1", "b", "b#2", "end"]


@every
def test_the_empty_graph_runs(runtime):
    result = run(empty(), runtime)
    assert (result.ok, result.outcomes) == (True, {})
