"""Each bug of the seeds' catalogue is found in its own way, by a shortest run, and its repaired twin is clean."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

from hocket.spec import Accepted, RefusedTrace
from hocket.verdict import Holds, Violated
from models.broken.algebra_empty_left_behind import all_trees, from_above, from_below
from models.broken.choir_circles import AnyEdges, Edges
from models.broken.choir_helper_never_leaves import HelpingForEver
from models.broken.choir_join_inside import BlockingJoin, Nested
from models.broken.plan_retry_of_half_done import RetryingInPlace
from models.broken.plan_slots_shared_in_parallel import COMPACT, SCOPE
from models.plans import Plan

MODELS = Path(__file__).parents[3] / "models"
EXPECTED = tomllib.loads((MODELS / "expected.toml").read_text())
ROWS = EXPECTED["broken"]


def _showcase(row):
    return importlib.import_module(f"models.broken.{row['file']}").SHOWCASE


def _of_broken(showcase):
    return {"given": showcase.given, **showcase.scope}


def _of_repaired(showcase):
    given = showcase.given if showcase.given_repaired is None else showcase.given_repaired
    return {"given": given, **showcase.scope}


def _holds(part, whole):
    """Whether these facts are among those."""
    return all(
        _holds(value, whole[key]) if isinstance(value, dict) else whole[key] == value for key, value in part.items()
    )


def test_every_rank_of_the_catalogue_has_a_broken_model_and_every_model_is_pinned():
    rows = [*ROWS, *EXPECTED["broken_cases"]]
    files = {path.stem for path in (MODELS / "broken").glob("*.py")}
    assert {row["file"] for row in rows} == files
    assert len(files) == len(rows) == 23  # ranks 9, 11 and 20 have two
    assert {_showcase(row).rank for row in rows} == set(range(1, 21))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_broken_model_is_found_broken_by_a_shortest_run_and_counted(row):
    showcase = _showcase(row)
    found = showcase.broken.search(**_of_broken(showcase))
    assert found.counts() == row["broken"]
    if showcase.kind == "livelock":
        return
    verdict = found.verdicts[showcase.claim]
    assert isinstance(verdict, Violated)
    run = verdict.counterexample.steps
    assert (len(run), verdict.counterexample.replayed) == (row["steps"], True)
    answer = showcase.broken.accepts(run, **_of_broken(showcase))
    assert isinstance(answer, Accepted)
    assert _holds(row.get("ends", {}), answer.state)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_its_repaired_twin_is_clean_counted_and_can_do_all_that_it_says(row):
    showcase = _showcase(row)
    found = showcase.repaired.search(**_of_repaired(showcase))
    assert found.counts() == row["repaired"]
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())
    assert set(found.never()) <= {"end"}  # a plan in which everything succeeds


@pytest.mark.parametrize("row", [row for row in ROWS if _showcase(row).kind == "deadlock"], ids=lambda row: row["file"])
def test_a_deadlock_is_a_state_in_which_nothing_can_happen(row):
    showcase = _showcase(row)
    run = showcase.broken.search(**_of_broken(showcase)).verdicts[showcase.claim].counterexample.steps
    refused = showcase.broken.accepts([*run, ("anything",)], **_of_broken(showcase))
    assert isinstance(refused, RefusedTrace)
    assert (refused.step, refused.allowed) == (len(run), ())


@pytest.mark.parametrize("row", [row for row in ROWS if _showcase(row).kind == "livelock"], ids=lambda row: row["file"])
def test_a_livelock_comes_back_to_its_state_for_ever(row):
    showcase = _showcase(row)
    found = showcase.broken.search(**_of_broken(showcase)).verdicts[showcase.claim]
    assert isinstance(found, Violated)
    lasso = found.counterexample
    assert (len(lasso.steps), len(lasso.cycle), lasso.replayed) == (row["steps"], row["loop"], True)
    once = showcase.broken.accepts(lasso.steps, **_of_broken(showcase))
    thrice = showcase.broken.accepts([*lasso.steps, *lasso.cycle, *lasso.cycle], **_of_broken(showcase))
    assert once.state == thrice.state


def test_the_helper_that_never_leaves_has_found_nothing_when_the_worker_finishes_and_no_choice_frees_it():
    lasso = HelpingForEver.search().verdicts["the_joiner_returns"].counterexample
    assert lasso.steps == (("worker_takes",), ("join",), ("worker_finishes",))
    assert lasso.cycle == (("find_nothing",), ("see_that_it_is_done",))
    # nothing else is possible there: no fairness that one may ask for ends it
    for steps, only in ((lasso.steps, lasso.cycle[0]), ((*lasso.steps, lasso.cycle[0]), lasso.cycle[1])):
        assert HelpingForEver.accepts([*steps, ("anything",)]).allowed == (only,)


# -- the bugs that the catalogue tells in more words -------------------------------------------------------------------

CIRCLES = {
    "p14: two idle tasks depend on each other": [("depend_on", "a", "b"), ("depend_on", "b", "a")],
    "p15: a task is its own fork": [("add_fork", "a", "a")],
    "p16: a fork depends on its parent": [("fork", "a", "b"), ("depend_on", "b", "a")],
    "p20: two tasks are forks of each other": [("add_fork", "a", "b"), ("add_fork", "b", "a")],
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_each_circle_of_the_family_is_accepted_and_by_the_repaired_twin_refused_at_its_last_edge(circle):
    scope, edges = {"Task": ["a", "b"]}, CIRCLES[circle]
    answer = AnyEdges.accepts(edges, **scope)
    assert isinstance(answer, Accepted)
    assert any(pair[:2] == pair[2:] for pair in answer.state["before"])
    refused = Edges.accepts(edges, **scope)
    assert isinstance(refused, RefusedTrace)
    assert refused.step == len(edges) - 1
    assert refused.guard in ("no event would wait for itself", "it is not the same event")


def test_two_tasks_can_stand_to_each_other_in_seven_ways():
    # unrelated; one before the other, 2; one ends before the other ends, 2; one within the other, 2
    assert Edges.search(Task=2).states == 7


def test_three_attempts_make_thirteen_of_ten():
    thrice = [("attempt",), ("ask_for_another",)] * 2 + [("attempt",), ("succeed",)]
    assert RetryingInPlace.accepts(thrice).state["payload"] == 13


@pytest.mark.parametrize(("workers", "deadlock"), [(1, True), (2, True), (3, False)])
def test_three_nested_joins_that_block_need_three_workers(workers, deadlock):
    found = BlockingJoin.search(Worker=workers).verdicts["who_can_go_no_further_has_done_everything"]
    assert isinstance(found, Violated if deadlock else Holds)
    assert isinstance(Nested.search(Worker=workers).verdict, Holds)


def test_siblings_that_take_turns_may_share_a_slot():
    assert isinstance(Plan.search(COMPACT, **SCOPE).verdict, Holds)


def test_the_trees_on_which_looking_once_fails():
    [row] = EXPECTED["broken_cases"]
    showcase = _showcase(row)
    trees = list(all_trees())
    assert len(trees) == len(set(trees)) == row["cases"] == 2 + 8 + 64 + 640
    assert len(showcase.failing(showcase.broken)) == row["failing"]
    assert showcase.failing(showcase.repaired) == []
    # a smallest one, and the seeds' three
    assert showcase.failing(showcase.broken)[0] == ("seq", "task", ("seq", "empty", "empty"))
    crash = ("seq", ("seq", "empty", "empty"), "task")
    assert (from_above(crash), from_below(crash)) == (("seq", "empty", "task"), "task")
    assert from_above(("seq", "empty", "empty")) == "empty"  # which is why nobody noticed


def test_the_failing_trees_are_those_with_an_empty_pair_below_something_that_stays():
    # counted another way: going down past empty children, some pair keeps a child that only becomes empty
    def dead(tree):
        return tree == "empty" or (isinstance(tree, tuple) and all(map(dead, tree[1:])))

    def fails(tree):
        if not isinstance(tree, tuple):
            return False
        kept = [child for child in tree[1:] if child != "empty"]
        if len(kept) < 2:
            return any(map(fails, kept))
        return any(map(dead, kept)) or any(map(fails, kept))

    # a pair of two pairs that both become empty is left as seq(empty, empty): it fails as well
    assert sum(map(fails, all_trees())) == EXPECTED["broken_cases"][0]["failing"]
