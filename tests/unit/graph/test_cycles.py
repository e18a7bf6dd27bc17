"""Cycles and ranks against brute force, and both certificates against lies."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.graph import Cyclic, Ranked, cycle, rank_or_cycle, ranks_are_valid
from tests.strategies import DIGRAPHS

MANY = 200_000


def _shortest_length(successors):
    """The length of a shortest cycle by trying every sequence of distinct nodes; None where there is none."""
    for length in range(1, len(successors) + 1):
        for nodes in permutations(successors, length):
            following = (*nodes[1:], nodes[0])
            if all(after in successors[node] for node, after in zip(nodes, following, strict=True)):
                return length
    return None


def _longest_way_to(successors, node):
    before = [one for one in successors if node in successors[one]]
    return 1 + max(_longest_way_to(successors, one) for one in before) if before else 0


@given(DIGRAPHS)
def test_a_graph_has_a_shortest_cycle_or_the_longest_ways_as_ranks(successors):
    expected, answer = _shortest_length(successors), rank_or_cycle(successors)
    if expected is None:
        assert isinstance(answer, Ranked)
        assert answer.rank == {node: _longest_way_to(successors, node) for node in successors}
        assert ranks_are_valid(successors, answer.rank)
        assert cycle(successors) is None
    else:
        assert isinstance(answer, Cyclic)
        assert len(answer.nodes) == expected == len(set(answer.nodes))
        following = (*answer.nodes[1:], answer.nodes[0])
        assert all(after in successors[node] for node, after in zip(answer.nodes, following, strict=True))
        assert cycle(successors) == answer.nodes


@given(DIGRAPHS, st.data())
def test_one_lie_in_the_ranks_is_refused(successors, data):
    answer = rank_or_cycle(successors)
    edges = [(one, other) for one in successors for other in successors[one]]
    if isinstance(answer, Cyclic) or not edges:
        return
    one, other = data.draw(st.sampled_from(edges))
    assert not ranks_are_valid(successors, {**answer.rank, one: answer.rank[other]})
    assert not ranks_are_valid(successors, {**answer.rank, other: answer.rank[one] - 1})
    assert not ranks_are_valid(successors, {node: rank for node, rank in answer.rank.items() if node != other})


def test_no_ranks_make_a_cycle_valid():
    ring = {0: [1], 1: [2], 2: [0]}
    assert not any(ranks_are_valid(ring, dict(zip(ring, rank, strict=True))) for rank in permutations(range(3)))


def test_nodes_that_are_only_successors_count():
    assert rank_or_cycle({"a": ["b"]}) == Ranked({"a": 0, "b": 1})


def test_the_empty_graph_has_ranks_and_no_node():
    assert rank_or_cycle({}) == Ranked({})


def test_a_node_that_follows_itself_is_the_shortest_cycle_of_all():
    assert cycle({0: [1], 1: [2], 2: [0, 2]}) == (2,)


def test_a_long_way_into_a_short_cycle_is_not_part_of_it():
    assert cycle({**{n: [n + 1] for n in range(1_000)}, 1_000: [1_001], 1_001: [1_000]}) == (1_000, 1_001)


def test_a_chain_of_200_000_is_ranked_without_recursion():
    answer = rank_or_cycle({node: (node + 1,) for node in range(MANY)})
    assert isinstance(answer, Ranked)
    assert (answer.rank[0], answer.rank[MANY], len(answer.rank)) == (0, MANY, MANY + 1)


def test_a_ring_of_200_000_is_found_whole():
    ring = {node: ((node + 1) % 200_000,) for node in range(200_000)}
    answer = rank_or_cycle(ring)
    assert isinstance(answer, Cyclic)
    assert sorted(answer.nodes) == list(ring)


@pytest.mark.parametrize("times", [1, 3])
def test_an_edge_may_be_said_more_than_once(times):
    assert rank_or_cycle({0: [1] * times, 1: []}) == Ranked({0: 0, 1: 1})
