"""Python graphs of every usual kind, by what they can do: nothing of theirs is imported for it."""

from __future__ import annotations

import graphlib
from types import SimpleNamespace

import pytest

import hocket
from hocket.errors import SourceError
from hocket.verify.judge import read_graph

pytest.importorskip("z3")


def befores(value):
    return {name: sorted(edge.before for edge in task.edges) for name, task in read_graph(value).graph.tasks.items()}


def add(*numbers):
    return sum(numbers)


class DirectedGraph:
    """As networkx has it: nodes, and for each its predecessors."""

    def __init__(self, pairs, directed=True):
        self.nodes = list(dict.fromkeys(node for pair in pairs for node in pair))
        self.pred = {node: {one: {} for one, other in pairs if other == node} for node in self.nodes}
        self.directed = directed

    def is_directed(self):
        return self.directed

    def predecessors(self, node):
        return iter(self.pred[node])


class NumberedGraph:
    """As rustworkx has it: numbers for nodes, and what hangs at each."""

    def __init__(self, held, pairs):
        self.held, self.pairs = held, pairs

    def node_indices(self):
        return range(len(self.held))

    def __getitem__(self, place):
        return self.held[place]

    def edge_list(self):
        return self.pairs


CHAIN = {"a": [], "b": ["a"], "c": ["b"]}


def test_a_sorter_is_read_prepared_or_not():
    for prepare in (False, True):
        sorter = graphlib.TopologicalSorter({"c": ["b"], "b": ["a"]})
        if prepare:
            sorter.prepare()
        assert befores(sorter) == CHAIN


def test_a_directed_graph_is_read_and_an_undirected_one_refused():
    assert befores(DirectedGraph([("a", "b"), ("b", "c")])) == CHAIN
    with pytest.raises(SourceError, match="orders nothing"):
        read_graph(DirectedGraph([("a", "b")], directed=False))


def test_a_numbered_graph_is_named_by_what_hangs_at_its_nodes_where_that_differs():
    assert befores(NumberedGraph(["a", "b", "c"], [(0, 1), (1, 2)])) == CHAIN
    assert befores(NumberedGraph(["a", "a"], [(0, 1)])) == {"0": [], "1": ["0"]}


def test_a_dask_graph_of_tuples_names_keys_anywhere_in_its_tasks():
    graph = {
        "a": 1,
        ("b", 0): (add, "a", [("c", 1), {"x": "a"}]),
        ("c", 1): (add, 2),
        "d": ("b", 0),
        "e": (add, "free"),
    }
    assert befores(graph) == {
        "a": [],
        "('b', 0)": ["('c', 1)", "a"],
        "('c', 1)": [],
        "d": ["('b', 0)"],
        "e": [],
    }


def test_a_dask_graph_of_task_objects_and_what_holds_one():
    tasks = {
        "a": SimpleNamespace(key="a", dependencies=frozenset()),
        "b": SimpleNamespace(key="b", dependencies=frozenset({"a"})),
    }
    assert befores(tasks) == {"a": [], "b": ["a"]}

    class Delayed:
        def __dask_graph__(self):
            return tasks

        def __getattr__(self, name):
            return Delayed()  # as Dask's own: whatever it is asked for, it has

    assert befores(Delayed()) == {"a": [], "b": ["a"]}


def test_our_own_graphs_hold_their_prongs_and_wait_for_them():
    graph = hocket.seq(
        hocket.task(None, "a"), hocket.fork(hocket.task(None, "b"), hocket.task(None, "c")), hocket.task(None, "d")
    )
    claims = ["a before b", "b before d", "c before d", "b can run before c", "c can run before b"]
    assert hocket.verify(graph, assertions=claims).verdict == "holds"


def test_what_is_no_graph_is_refused():
    for value, reason in (
        (42, "is no graph"),
        ({"a": 1}, "should be a list of tasks"),
        ([1, 2], "has no 'predecessors'"),
        ({"a": [[]]}, "not hashable"),
    ):
        with pytest.raises(SourceError, match=reason):
            read_graph(value)


@pytest.mark.parametrize("package", ["networkx", "rustworkx", "dask"])
def test_the_real_ones_are_read_alike(package):
    module = pytest.importorskip(package)
    if package == "networkx":
        assert befores(module.DiGraph([("a", "b"), ("b", "c")])) == CHAIN
    elif package == "rustworkx":
        graph = module.PyDiGraph()
        a, b, c = graph.add_nodes_from(["a", "b", "c"])
        graph.add_edges_from_no_data([(a, b), (b, c)])
        assert befores(graph) == CHAIN
    else:
        a = module.delayed(add)(1, dask_key_name="a")
        b = module.delayed(add)(a, dask_key_name="b")
        assert befores(module.delayed(add)(b, dask_key_name="c")) == CHAIN
