"""Plans: a compact layout never lays one payload on another, depth first, for every tree of up to four nodes."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import pytest

from hocket.verdict import Holds, Violated
from models.plans import InParallel, Plan, plan

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())
COUNTED = ("states", "transitions", "terminal", "depth")
MODELS = {"serial": Plan, "parallel": InParallel}
TREES = {"chain": (None, 0, 1, 2), "wide": (None, 0, 0, 0), "two_branches": (None, 0, 1, 0, 3)}


def _searched(row, layout):
    tree = TREES[row["tree"]]
    given, scope = plan(tree, layout, may_end=range(len(tree)) if row["may_end"] else ())
    return MODELS[row["picker"]].search(given, **scope)


def _name(row):
    return f"{row['tree']}-{row['picker']}-{row['may_end']}"


@pytest.mark.parametrize("row", EXPECTED["plans"], ids=_name)
def test_a_search_finds_the_pinned_counts_and_with_a_slot_for_each_everything_holds(row):
    found = _searched(row, "one_to_one")
    assert found.counts() == {key: row[key] for key in COUNTED}
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())


@pytest.mark.parametrize("row", EXPECTED["plans"], ids=_name)
def test_a_compact_layout_is_sound_unless_siblings_overlap(row):
    verdict = _searched(row, "compact").verdicts["no_two_payloads_share_a_slot"]
    overlap = row["picker"] == "parallel" and row["tree"] != "chain"
    assert isinstance(verdict, Violated if overlap else Holds)


def _trees(nodes):
    """Every tree of so many nodes in the order of a walk: each node's parent is on the way down to the one before."""
    found = [(None,)]
    for node in range(1, nodes):
        grown = []
        for tree in found:
            above, last = [], node - 1
            while last is not None:
                above.append(last)
                last = tree[last]
            grown += [(*tree, parent) for parent in above]
        found = grown
    return found


def test_there_are_as_many_trees_as_catalan_says():
    assert [len(_trees(nodes)) for nodes in range(1, 6)] == [1, 1, 2, 5, 14]


def _compact(nodes):
    """Each tree of so many nodes with each choice of who has a payload."""
    for tree in _trees(nodes):
        for some in product((False, True), repeat=nodes):
            yield tree, [n for n in range(nodes) if some[n]]


@pytest.mark.parametrize("nodes", [1, 2, 3, 4])
def test_depth_first_no_compact_slot_holds_two_payloads_whatever_the_tree_and_whoever_has_one(nodes):
    for tree, payless in _compact(nodes):
        given, scope = plan(tree, "compact", payless, may_end=range(nodes))
        assert isinstance(Plan.search(given, **scope).verdict, Holds)


def test_a_compact_layout_has_as_many_slots_as_payloads_on_the_longest_way_down():
    # YO-S3: nodes int, string, void, void, bool at levels 0, 1, 2, 1, 2: slots 0, 1, -, -, 1
    given, scope = plan((None, 0, 1, 0, 3), "compact", payless=(2, 3))
    assert [given["slot"][n] for n in (0, 1, 4)] == [0, 1, 1]
    assert len(scope["Slot"]) == 2


@pytest.mark.parametrize("how", ["abort_branch", "failure"])
def test_an_aborted_branch_ends_itself_and_a_failure_ends_the_run(how):
    # A -> B (ends) -> C, D: YO-04 and YO-06
    given, scope = plan((None, 0, 1, 0), may_end=[1])
    run = [("enter", 0), ("succeed", 0), ("enter", 1), ("end", 1, how)]
    allowed = Plan.accepts([*run, ("anything",)], given, **scope).allowed
    assert allowed == ((("enter", 3),) if how == "abort_branch" else (("leave", 0),))


@pytest.mark.parametrize(
    ("model", "mistake", "steps"), [(Plan, "every_branch_is_entered", 2), (InParallel, "one_branch_at_a_time", 4)]
)
def test_what_somebody_may_think_is_refuted_by_a_shortest_run(model, mistake, steps):
    given, scope = plan((None, 0, 0), may_end=range(3))
    verdict = model.search(given, claims=[mistake], **scope).verdicts[mistake]
    assert isinstance(verdict, Violated)
    assert len(verdict.counterexample.steps) == steps


# -- a second opinion: a walk, and an interleaving of walks -----------------------------------------------------------


def _after(tree, may_end, parallel, places, stopped):
    """Places: 0 untouched, 1 at work, 2 live, 3 over."""

    def put(n, place, stop=stopped):
        return (*places[:n], place, *places[n + 1 :]), stop

    for n, parent in enumerate(tree):
        children = [places[c] for c, p in enumerate(tree) if p == n]
        before = [places[m] for m in range(n) if tree[m] == parent]
        ready = (parent is None or places[parent] == 2) and (parallel or all(place == 3 for place in before))
        if places[n] == 0 and ready and not stopped:
            yield put(n, 1)
        if places[n] == 1:
            yield put(n, 2)
        if places[n] == 1 and may_end:
            yield put(n, 3)
            yield put(n, 3, True)
        if places[n] == 2 and not {1, 2} & set(children) and (stopped or set(children) <= {3}):
            yield put(n, 3)


@pytest.mark.parametrize("row", EXPECTED["plans"], ids=_name)
def test_a_walk_counts_the_same(row):
    tree, parallel = TREES[row["tree"]], row["picker"] == "parallel"
    start = ((0,) * len(tree), False)
    seen, frontier, transitions, terminal, depth = {start}, [start], 0, 0, -1
    while frontier:
        depth, fresh = depth + 1, []
        for state in frontier:
            after = list(_after(tree, row["may_end"], parallel, *state))
            transitions += len(after)
            terminal += not after
            new = [one for one in dict.fromkeys(after) if one not in seen]
            seen.update(new)
            fresh += new
        frontier = fresh
    assert {"states": len(seen), "transitions": transitions, "terminal": terminal, "depth": depth} == {
        key: row[key] for key in COUNTED
    }
