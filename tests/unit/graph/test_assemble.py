"""Entities and their two kinds of stored edge, as specs_task documents them."""

from __future__ import annotations

import pytest

from hocket.errors import GraphError
from hocket.graph import Entities, Leaf, assemble, empty, fork, seq


def t(name: object) -> Leaf:
    return Leaf(None, str(name))


def _named(expression):
    """Names instead of entities; forks are F0, F1, … in the order in which they were made."""
    entities, last = assemble(expression)
    forks = [entity for entity, leaf in enumerate(entities.tasks) if leaf is None]

    def name(entity):
        return f"F{forks.index(entity)}" if entity in forks else entities.tasks[entity].name

    return (
        {name(later): name(earlier) for later, earlier in entities.single.items()},
        {name(one): list(map(name, prongs)) for one, prongs in entities.multi.items()},
        None if last is None else name(last),
    )


def test_the_documented_example_assembles_to_fa_and_fb():
    graph = seq(t("t0"), fork(t("tx"), seq(t("t1"), fork(t("ty"), t("tz")))), t("t2"))
    assert _named(graph) == (
        {"F0": "t0", "F1": "t1", "t2": "F0"},  # FA after t0, FB after t1, t2 after FA
        {"F0": ["tx", "F1"], "F1": ["ty", "tz"]},
        "t2",
    )


def test_a_fork_in_a_fork_is_the_same_fork_and_lists_its_prongs_as_they_were_done():
    single, multi, last = _named(fork(t("a"), fork(t("b"), t("c"))))
    assert (single, last) == ({}, "F0")
    assert sorted(multi["F0"]) == ["a", "b", "c"]
    assert len(multi) == 1


def test_forks_may_nest_on_either_side_and_stay_one():
    single, multi, last = _named(fork(fork(t("a"), fork(t("b"), t("c"))), t("d")))
    assert (single, {name: sorted(prongs) for name, prongs in multi.items()}, last) == ({}, {"F0": list("abcd")}, "F0")


def test_a_sequence_in_a_fork_is_a_prong_by_its_last_entity():
    assert _named(fork(seq(t("a"), t("b")), t("c"))) == ({"b": "a"}, {"F0": ["b", "c"]}, "F0")


def test_a_fork_that_ends_a_sequence_in_a_fork_is_a_prong_of_its_own():
    single, multi, _ = _named(fork(seq(t("a"), fork(t("b"), t("c"))), t("d")))
    assert single == {"F1": "a"}
    assert multi == {"F0": ["F1", "d"], "F1": ["b", "c"]}


def test_a_fork_after_a_fork_is_joined_to_it():
    assert _named(seq(fork(t("a"), t("b")), fork(t("c"), t("d")))) == (
        {"F1": "F0"},
        {"F0": ["a", "b"], "F1": ["c", "d"]},
        "F1",
    )


def test_a_graph_that_ends_with_a_fork_ends_with_the_fork():
    assert _named(seq(t("a"), fork(t("b"), t("c"))))[2] == "F0"


def test_the_empty_graph_has_no_entity():
    entities, last = assemble(empty())
    assert (entities.tasks, entities.single, entities.multi, last) == ([], {}, {}, None)


def test_a_chain_of_200_000_assembles_without_recursion():
    entities, last = assemble(seq(*[t("x")] * 200_000))
    assert (len(entities.tasks), len(entities.single), last) == (200_000, 199_999, 199_999)


def test_a_fork_of_100_000_is_one_fork():
    entities, last = assemble(fork(*[t("x")] * 100_000))
    assert list(entities.multi) == [last]
    assert len(entities.multi[last]) == 100_000


def _snapshot(entities):
    return (
        list(entities.tasks),
        dict(entities.single),
        {one: list(prongs) for one, prongs in entities.multi.items()},
    )


def test_a_prong_cannot_be_added_to_a_task_st_06():
    entities = Entities()
    task, one = entities.make_task(t("t")), entities.make_fork()
    before = _snapshot(entities)
    with pytest.raises(GraphError, match="t is a task, and only a fork has prongs"):
        entities.add_prong(task, one)
    assert _snapshot(entities) == before


def test_what_comes_after_something_cannot_be_joined_again_st_07():
    entities = Entities()
    first, second = entities.make_task(t("t1")), entities.make_task(t("t2"))
    entities.join(first, second)
    before = _snapshot(entities)
    with pytest.raises(GraphError, match="t1 already comes after t2, so it cannot come after t2 as well"):
        entities.join(first, second)
    assert _snapshot(entities) == before


@pytest.mark.parametrize(("one", "other"), [(0, 2), (2, 0), (-1, 0)])
def test_entities_that_do_not_exist_are_refused(one, other):
    entities = Entities()
    entities.make_fork(), entities.make_task(t("t"))
    for call in (entities.add_prong, entities.join):
        with pytest.raises(GraphError, match="there is no entity"):
            call(one, other)
