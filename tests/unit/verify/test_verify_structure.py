"""The shape of a graph: ranks, shortest cycles, reachability, against brute force and at scale."""

from __future__ import annotations

import graphlib
import random
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket.errors import SourceError
from hocket.verify.judge import read_graph
from hocket.verify.structure import components, cycles, ranks, reaches, shape

graphs = st.integers(1, 7).flatmap(
    lambda size: st.fixed_dictionaries({node: st.lists(st.integers(0, size - 1), max_size=3) for node in range(size)})
)


def shortest(befores: dict[int, list[int]], start: int) -> int:
    """The length of a shortest cycle through `start` by breadth-first search over predecessors; 0 if there is none."""
    layer, seen, length = {start}, set(), 0
    while layer:
        length += 1
        layer = {before for node in layer for before in befores[node]}
        if start in layer:
            return length
        layer -= seen
        seen |= layer
    return 0


@settings(max_examples=300)
@given(graphs)
def test_a_cycle_is_found_exactly_if_graphlib_finds_one_and_is_as_short_as_any_of_its_knot(befores):
    report = hocket.verify(befores)
    found = [finding for finding in report.findings if finding.code in ("G001", "G005")]
    try:
        graphlib.TopologicalSorter(befores).prepare()
        assert found == []
        assert report.verdict == "holds"
    except graphlib.CycleError:
        assert found
    for finding in found:
        names = [int(name) for name in finding.witness]
        for waits, on in pairwise([*names, names[0]]):
            assert on in befores[waits]
        knot = [node for node in befores if shortest(befores, node) and _connected(befores, node, names[0])]
        assert len(names) == min(shortest(befores, node) for node in knot)


def _connected(befores: dict[int, list[int]], one: int, other: int) -> bool:
    return other in _above(befores, one) and one in _above(befores, other)


def _above(befores: dict[int, list[int]], node: int) -> set[int]:
    found: set[int] = set()
    waiting = [node]
    while waiting:
        for before in befores[waiting.pop()]:
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found


@settings(max_examples=200)
@given(graphs)
def test_ranks_components_and_ways_agree_with_brute_force(befores):
    form = shape(read_graph(befores).graph)
    rank = ranks(form)
    above = {node: _above(befores, node) for node in befores}
    for node in befores:
        stuck = any(up in above[up] for up in above[node] | {node})
        assert (rank[form.opening[str(node)]] < 0) == stuck
        for other in befores:
            way = reaches(form, form.closing[str(other)], form.opening[str(node)])
            assert bool(way) == (other in above[node] or node == other)
    knots = components(form, [point for point in range(form.size) if rank[point] < 0])
    said = {frozenset(int(form.names[point]) for point in knot) for knot in knots}
    assert said == {
        frozenset(one for one in befores if one == node or _connected(befores, node, one))
        for node in befores
        if node in above[node]
    }


def test_a_long_chain_and_a_long_cycle_need_no_recursion():
    chain = {n: [n - 1] for n in range(1, 15_000)}
    assert hocket.verify(chain).verdict == "holds"
    chain[0] = [14_999]
    (finding,) = hocket.verify(chain).findings
    assert len(finding.witness) == 15_000


def test_parents_and_children_are_opened_and_closed_in_order(tmp_path):
    home = tmp_path / ".github" / "workflows"
    home.mkdir(parents=True)
    body = "    runs-on: x\n    steps: [{run: x}]\n"
    (home / "in.yml").write_text(f"on: workflow_call\njobs:\n  x:\n{body}")
    (home / "out.yml").write_text(
        f"on: push\njobs:\n  a:\n{body}"
        f"  call:\n    needs: a\n    uses: ./.github/workflows/in.yml\n  z:\n    needs: call\n{body}"
    )
    claims = ["a before call / x", "call / x before z", "a before z", "call / x before call"]
    report = hocket.verify(home / "out.yml", assertions=claims)
    assert [finding.message for finding in report.findings] == [
        "'call / x before call' does not hold: 'call' can start before 'call / x' has ended"
    ]
    form = shape(report.graph)
    assert ranks(form).tolist() == [0, 1, 3, 2, 4]  # a, call opens, call closes, x, z


def test_fifty_thousand_tasks_and_a_hundred_and_fifty_thousand_edges_are_looked_at_once():
    # CPU time: one pass takes half a second, one pass for each task would take hours
    chance = random.Random(1)
    befores = {n: [chance.randrange(n) for _ in range(3)] if n else [] for n in range(50_000)}
    graph = read_graph(befores).graph
    start = time.process_time()
    form = shape(graph)
    rank = ranks(form)
    found = cycles(form, rank)
    assert time.process_time() - start < 30
    assert found == []
    assert min(rank) == 0


# -- Python graphs ----------------------------------------------------------------------------------------------------


class Job:
    def __init__(self, name: str, *predecessors: object) -> None:
        self.name, self.predecessors = name, predecessors


def test_objects_with_predecessors_are_followed_to_all_they_wait_for():
    fetch = Job("fetch")
    build = Job("build", fetch)
    report = hocket.verify([Job("ship", build, fetch)], assertions=["fetch before ship", "build before fetch"])
    assert list(report.graph.tasks) == ["ship", "build", "fetch"]
    assert [finding.message for finding in report.findings] == [
        "'build before fetch' does not hold: 'fetch' can start before 'build' has ended"
    ]


def test_two_tasks_of_one_name_stay_two():
    assert list(hocket.verify([Job("x"), Job("x")]).graph.tasks) == ["x", "x#2"]


def test_a_node_that_is_only_a_predecessor_is_a_task_as_in_graphlib():
    assert list(hocket.verify({"b": ["a"]}).graph.tasks) == ["b", "a"]


def test_a_python_graph_requires_success_of_what_it_waits_for():
    assert hocket.verify({"a": [], "b": ["a"]}, assertions=["b requires a"]).verdict == "holds"
    assert hocket.verify({"a": [], "b": []}, assertions=["b requires a"]).verdict == "violated"


@pytest.mark.parametrize("graph", [{"a": "b"}, {"a": 3}, [1, 2], 5, {"a": [[]]}])
def test_what_is_no_graph_is_refused_with_a_cure(graph):
    with pytest.raises(SourceError) as caught:
        hocket.verify(graph)
    assert caught.value.cure
