"""The order that a graph induces, against a reading of it that is slow and obvious."""

from __future__ import annotations

import pytest
from hypothesis import given

from hocket.errors import CycleError, GraphError
from hocket.graph import (
    Entities,
    Fork,
    Graph,
    Leaf,
    Seq,
    Task,
    event_order,
    fork,
    from_edges,
    graph_of,
    induced,
    ranks,
    seq,
)
from tests.strategies import EXPRESSIONS


def t(name: object) -> Leaf:
    return Leaf(None, str(name))


def _named(graph: Graph):
    """The three relations by name; forks are called F0, F1, …"""
    forks = [index for index, task in enumerate(graph.tasks) if task.name.startswith("fork")]
    name = [f"F{forks.index(i)}" if i in forks else task.name for i, task in enumerate(graph.tasks)]
    return tuple(
        {(name[one], name[other]) for one, other in relation} for relation in (graph.after, graph.inside, graph.hold)
    )


def test_a_sequence_is_after():
    assert _named(graph_of(seq(t("a"), t("b"), t("c")))) == ({("b", "a"), ("c", "b")}, set(), set())


def test_a_prong_is_held_by_its_fork_and_opens_inside_it():
    assert _named(graph_of(fork(t("a"), t("b")))) == (
        set(),
        {("a", "F0"), ("b", "F0")},
        {("F0", "a"), ("F0", "b")},
    )


def test_a_prong_that_is_a_chain_is_held_by_its_end_and_opens_inside_by_its_head():
    assert _named(graph_of(seq(t("z"), fork(seq(t("a"), t("b"), t("c")), t("d"))))) == (
        {("F0", "z"), ("b", "a"), ("c", "b")},
        {("a", "F0"), ("d", "F0")},
        {("F0", "c"), ("F0", "d")},
    )


def test_the_nested_forks_of_the_seed_induce_fourteen_pairs():
    graph = seq(t("t0"), fork(t("tx"), seq(t("t1"), fork(t("ty"), t("tz")))), t("t2"))
    after, inside, hold = _named(graph_of(graph))
    assert after == {("F0", "t0"), ("F1", "t1"), ("t2", "F0")}
    assert inside == {("tx", "F0"), ("t1", "F0"), ("ty", "F1"), ("tz", "F1")}
    assert hold == {("F0", "tx"), ("F0", "F1"), ("F1", "ty"), ("F1", "tz")}


def _meaning(expression):
    """(tasks, pairs of tasks of which the first closes before the second opens), by recursion on the expression."""
    match expression:
        case Leaf(_, name):
            return [name], set()
        case Seq(first, then):
            (ours, before), (theirs, after) = _meaning(first), _meaning(then)
            return ours + theirs, before | after | {(one, other) for one in ours for other in theirs}
        case Fork(one, other):
            (ours, before), (theirs, after) = _meaning(one), _meaning(other)
            return ours + theirs, before | after
    return [], set()


def _reachable(following, start):
    seen, agenda = set(), [start]
    while agenda:
        for event in following[agenda.pop()]:
            if event not in seen:
                seen.add(event)
                agenda.append(event)
    return seen


@given(EXPRESSIONS)
def test_the_induced_order_is_exactly_what_the_expression_says(drawn):
    expression, names = drawn
    graph = graph_of(expression)
    following = event_order(graph)
    index = {task.name: number for number, task in enumerate(graph.tasks)}
    said = {
        (one, other)
        for one in names
        for other in names
        if 2 * index[other] in _reachable(following, 2 * index[one] + 1)
    }
    assert said == _meaning(expression)[1]


@given(EXPRESSIONS)
def test_every_expression_has_ranks(drawn):
    graph = graph_of(drawn[0])
    rank = ranks(graph)
    assert all(rank[one] < rank[other] for one, others in event_order(graph).items() for other in others)
    assert len(rank) == 2 * len(graph.tasks)


def test_ranks_name_the_tasks_that_wait_for_each_other():
    with pytest.raises(CycleError) as caught:
        ranks(from_edges("abcd", [("b", "a"), ("c", "b"), ("a", "c"), ("d", "a")]))
    assert len(caught.value.cycle) == 3
    pairs = {("a", "c"), ("c", "b"), ("b", "a")}  # each waits for the next
    assert set(zip(caught.value.cycle, (*caught.value.cycle[1:], caught.value.cycle[0]), strict=True)) == pairs


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        (Graph((Task("a"),), after=((0, 0),)), {"a"}),
        (Graph((Task("a"), Task("b")), hold=((0, 1), (1, 0))), {"a", "b"}),
        (Graph((Task("p"), Task("c")), after=((1, 0),), hold=((0, 1),)), {"p", "c"}),
        (Graph((Task("a"), Task("b")), inside=((0, 1), (1, 0))), {"a", "b"}),
    ],
    ids=["itself", "two parents of each other (p20)", "a child after its parent (p16)", "inside each other"],
)
def test_graphs_that_deadlock_by_construction_are_refused(graph, cycle):
    with pytest.raises(CycleError) as caught:
        ranks(graph)
    assert set(caught.value.cycle) == cycle


def test_a_chain_of_single_edges_that_closes_is_refused_with_its_tasks():
    entities = Entities()
    a, b, one = entities.make_task(t("a")), entities.make_task(t("b")), entities.make_fork()
    entities.join(a, b), entities.join(b, a), entities.add_prong(one, a)
    with pytest.raises(CycleError) as caught:
        induced(entities)
    assert set(caught.value.cycle) == {"a", "b"}


def test_a_prong_at_the_end_of_many_chains_costs_each_chain_once():
    graph = graph_of(fork(*(seq(*[t("x")] * 1_000) for _ in range(100))))
    assert (len(graph.after), len(graph.inside), len(graph.hold)) == (99_900, 100, 100)


def test_edges_by_name_refuse_doubles_and_strangers():
    with pytest.raises(GraphError, match="two tasks are called 'a'"):
        from_edges("aba")
    with pytest.raises(GraphError, match="an edge names 'z'"):
        from_edges("ab", [("a", "z")])


@pytest.mark.parametrize("relation", ["after", "inside", "hold"])
def test_a_relation_names_only_tasks_that_are_there(relation):
    with pytest.raises(GraphError, match=relation):
        Graph((Task("a"),), **{relation: ((0, 1),)})
