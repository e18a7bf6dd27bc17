"""The explorer's notion of one run, by brute force: the laws it rests on, and the explorer's own counts."""

from __future__ import annotations

import tomllib
from math import factorial
from pathlib import Path

import pytest

from hocket.explore.dpor import Optimal
from hocket.explore.model import run
from hocket.explore.tally import Limits
from models.equivalence import (
    FAMILIES,
    a_class_has_one_end,
    a_class_is_an_end,
    a_class_is_an_order,
    a_swap_makes_a_run,
    classes,
    counter,
    only_writes,
    readers,
    runs,
)
from tests import explorer_programs

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())
ROWS = EXPECTED["equivalence"]


def _name(row):
    return f"{row['program']}-{row['n']}"


@pytest.fixture(scope="module")
def every():
    """All runs of each program, made once."""
    return {_name(row): list(runs(FAMILIES[row["program"]][0](row["n"]))) for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_brute_force_finds_as_many_classes_as_the_formula_says(row, every):
    _, formula = FAMILIES[row["program"]]
    assert len(every[_name(row)]) == row["runs"]
    assert len(classes(every[_name(row)])) == row["classes"] == formula(row["n"])


def test_some_numbers_of_runs_by_hand():
    by_name = {_name(row): row["runs"] for row in ROWS}
    assert by_name["counter-3"] == factorial(6) // 2**3  # three threads of two operations each
    assert by_name["readers-4"] == factorial(5)
    assert by_name["locked-3"] == factorial(3)  # who holds the lock runs alone
    assert by_name["lastzero-1"] == 3  # a1 is read before both, between both, or after both of r a0, w a1


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_the_explorer_executes_as_many_as_brute_force_finds(row):
    program = getattr(explorer_programs, row["program"])(row["n"])
    tally = run(program, Optimal(), Limits(executions=1000))
    assert (tally.executions, tally.abandoned) == (row["classes"], 0)


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_the_laws_of_swapping_hold(row, every):
    made = every[_name(row)]
    assert a_swap_makes_a_run(made)
    assert a_class_has_one_end(made)
    assert a_class_is_an_order(made)


def test_the_same_end_does_not_make_the_same_run():
    # both threads read 0, and write 1 in either order: one memory, two classes
    assert not a_class_is_an_end(list(runs(counter(2))))


def test_a_read_may_not_overtake_a_write():
    lost = list(runs(readers(1)))
    assert (len(classes(lost)), len(classes(lost, only_writes))) == (2, 1)
    assert not a_class_has_one_end(lost, only_writes)
    assert not a_swap_makes_a_run(list(runs(counter(2))), only_writes)
