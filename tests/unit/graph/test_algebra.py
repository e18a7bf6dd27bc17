"""Graphs as expressions: right-nesting, the unit, structural equality, and sizes at which recursion would fail."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given

from hocket.graph import Empty, Fork, Leaf, Seq, assemble, empty, fork, leaves, seq, task
from tests.strategies import EXPRESSIONS, without_empties

MANY = 200_000


def t(name: object) -> Leaf:
    return Leaf(None, str(name))


def test_a_fork_of_two_is_a_pair_st_c1():
    assert fork(t(1), t(2)) == Fork(t(1), t(2))


def test_a_fork_of_three_nests_to_the_right_st_c2():
    assert fork(t(1), t(2), t(3)) == Fork(t(1), Fork(t(2), t(3)))


def test_a_fork_within_a_fork_is_written_the_same_st_c3():
    assert fork(t(1), fork(t(2), t(3))) == fork(t(1), t(2), t(3))


def test_many_nested_parts_keep_their_shape_st_c4():
    assert seq(t(1), fork(seq(t(2), t(3), t(4)), t(5), t(6)), t(7)) == Seq(
        t(1), Seq(Fork(Seq(t(2), Seq(t(3), t(4))), Fork(t(5), t(6))), t(7))
    )


@pytest.mark.parametrize(
    "built",
    [fork(empty(), t("x")), fork(t("x"), empty()), fork(empty(), fork(empty(), t("x")))],
    ids=["ST-C5", "ST-C6", "ST-C7"],
)
def test_empty_is_the_unit_of_fork(built):
    assert built == t("x")


def test_a_sequence_accumulated_in_a_loop_nests_to_the_left_st_c8():
    grown = reduce(seq, map(t, range(4)), empty())
    assert grown == Seq(Seq(Seq(t(0), t(1)), t(2)), t(3))
    assert grown != seq(*map(t, range(4)))
    assert [leaf.name for leaf in leaves(grown)] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("pair", [seq, fork])
def test_nested_empties_vanish_wherever_they_stand_s_b1(pair):
    a, nil = t("a"), empty()
    assert [
        pair(a, nil, nil),
        pair(pair(nil, nil), a),
        pair(nil, pair(nil, pair(nil, nil)), a, pair(seq(nil, fork(nil, nil)))),
    ] == [a, a, a]
    assert pair(nil, nil) == pair() == pair(pair(), pair(pair())) == empty()


@given(EXPRESSIONS)
def test_no_expression_holds_an_empty_part_and_every_one_can_be_assembled(drawn):
    expression, names = drawn
    assert without_empties(expression)
    assert [leaf.name for leaf in leaves(expression)] == names
    entities, last = assemble(expression)
    assert (last is None) == (not names) == isinstance(expression, Empty)
    assert [leaf.name for leaf in entities.tasks if leaf is not None] == names


@given(EXPRESSIONS, EXPRESSIONS)
def test_equality_is_that_of_the_written_trees(one, other):
    def tree(expression):
        match expression:
            case Seq(first, then):
                return ("seq", tree(first), tree(then))
            case Fork(first, then):
                return ("fork", tree(first), tree(then))
            case Leaf(body, name):
                return (body, name)
        return ()

    assert (one[0] == other[0]) == (tree(one[0]) == tree(other[0]))
    if one[0] == other[0]:
        assert hash(one[0]) == hash(other[0])


def test_an_expression_differs_from_what_is_no_expression():
    assert t("a") != "a"
    assert seq(t("a"), t("b")) != fork(t("a"), t("b"))
    assert Leaf(print, "a") != Leaf(None, "a")


def test_200_000_tasks_are_a_value_like_any_other():
    right = seq(*[t("x")] * MANY)
    assert sum(1 for _ in leaves(right)) == MANY


@pytest.mark.parametrize("pair", [seq, fork])
def test_long_expressions_are_compared_hashed_and_printed_without_recursion(pair):
    right = pair(*[t("x")] * 20_000)
    assert right == pair(*[t("x")] * 20_000)
    assert hash(right) == hash(pair(*[t("x")] * 20_000))
    assert right != pair(*[t("x")] * 19_999)
    assert right != pair(*[t("x")] * 19_999, t("y"))
    assert repr(right).endswith(" …")
    assert len(repr(right)) < 1_000


def test_a_left_nested_sequence_is_compared_and_printed_without_recursion():
    grown = reduce(seq, [t("x")] * 20_000)
    assert grown == reduce(seq, [t("x")] * 20_000)
    assert len(repr(grown)) < 2_000


def test_an_expression_prints_as_it_is_written():
    assert repr(seq(t("a"), fork(t("b"), seq(t("c"), t("d"))), t("e"))) == (
        "seq(task(a), fork(task(b), seq(task(c), task(d))), task(e))"
    )
    assert repr(empty()) == "empty()"


def test_a_task_is_called_as_its_body_unless_it_is_given_a_name():
    class Callable_:
        def __call__(self) -> None: ...

    assert [task(print).name, task(print, "p").name, task(None).name, task(Callable_()).name] == [
        "print",
        "p",
        "join",
        "Callable_",
    ]


@pytest.mark.parametrize("body", [1, "f", [print]])
def test_what_cannot_be_called_is_no_body(body):
    with pytest.raises(TypeError, match="say task\\(f\\), not task\\(f\\(\\)\\)"):
        task(body)


@pytest.mark.parametrize("pair", [seq, fork])
@pytest.mark.parametrize("part", [None, print, "a", 3])
def test_what_is_no_graph_is_no_part(pair, part):
    with pytest.raises(TypeError, match=f"{pair.__name__} takes graphs"):
        pair(t("a"), part)
