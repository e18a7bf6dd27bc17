"""Ticks: the tick numbers of the seeds' own tests, every graph of three nodes, their manager programmed directly."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import pytest

from hocket.spec import Accepted, RefusedTrace
from hocket.verdict import Holds, Violated
from models.broken.ticks_barrier_bypassed import SHOWCASE, BarrierOnTheWay
from models.ticks import GRAPHS, Building, Ticks, chain, fork_join, hollow_fork, nested_forks

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())
COUNTED = ("states", "transitions", "terminal", "depth")


def _given(row):
    given = GRAPHS[row["graph"]](ending=row["ending"])
    return {**given, "patience": dict.fromkeys(given["patience"], row["patience"])}


def _nodes(given):
    return list(given["patience"])


def _name(row):
    return f"{row['graph']}-{row['ending']}-{row['patience']}"


@pytest.mark.parametrize("row", EXPECTED["ticks"], ids=_name)
def test_a_search_finds_the_pinned_counts_and_every_property_holds(row):
    given = _given(row)
    found = Ticks.search(given, Node=_nodes(given))
    assert found.counts() == {key: row[key] for key in COUNTED}
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())


# ST-01, ST-03, ST-04, ST-05 of the seeds' scenarios: runners first, so the first body runs in the second tick; and a
# graph whose longest way has n tasks is gone after n + 1 ticks (forks cost none)
RAN = [
    (chain(1), {"t0": 2}, 2),
    (chain(3), {"t0": 2, "t1": 3, "t2": 4}, 4),
    (fork_join(), {"1": 2, "2": 3, "3": 3, "4": 4}, 4),
    (nested_forks(), {"t0": 2, "tx": 3, "t1": 3, "ty": 4, "tz": 4, "t2": 5}, 5),
]


@pytest.mark.parametrize(("given", "ran", "ticks"), RAN)
def test_bodies_run_in_the_ticks_that_the_seeds_say_and_the_graph_is_gone_after_the_last(given, ran, ticks):
    found = Ticks.search(given, Node=_nodes(given))
    [end] = found.ends
    assert {node: tick for node, tick in end["ran"].items() if tick} == ran
    assert end["tick"] == ticks + 1
    assert end["alive"] == set()


def test_nothing_runs_before_somebody_finalises_the_graph():
    given = chain(1, ending="keep")
    begin = [("finalize", "t0"), ("manage",), ("run", "t0", "done"), ("manage",)]
    refused = Ticks.accepts([("manage",)], given, Node=["t0"])
    assert isinstance(refused, RefusedTrace)
    assert refused.allowed == (("finalize", "t0"),)
    answer = Ticks.accepts(begin, given, Node=["t0"])
    assert isinstance(answer, Accepted)
    assert (answer.state["alive"], answer.state["ended"], answer.state["final"]) == ({"t0"}, {"t0"}, set())


def test_a_body_that_asks_is_called_once_a_tick_and_what_depends_on_it_starts_in_the_tick_after():
    given = chain(2, patience={"t0": 2})
    again = [("run", "t0", "again"), ("manage",)]
    run = [("finalize", "t1"), ("manage",), *again, *again, ("run", "t0", "done"), ("manage",), ("run", "t1", "done")]
    answer = Ticks.accepts(run, given, Node=["t0", "t1"])
    assert isinstance(answer, Accepted)
    assert answer.state["ran"] == {"t0": 4, "t1": 5}
    twice = Ticks.accepts([*run[:3], ("run", "t0", "done")], given, Node=["t0", "t1"])
    assert (twice.step, twice.guard) == (3, "it was not called in this tick")
    after = Ticks.accepts(
        [*run[:2], ("run", "t0", "done"), ("manage",), ("run", "t0", "done")], given, Node=["t0", "t1"]
    )
    assert (after.step, after.guard) == (4, "it is not complete")


@pytest.mark.parametrize(
    ("mistake", "steps"), [("a_body_runs_in_the_tick_that_unblocks_it", 2), ("everything_is_visited_at_once", 1)]
)
def test_what_somebody_may_think_is_refuted_by_a_shortest_run(mistake, steps):
    given = fork_join()
    verdict = Ticks.search(given, claims=[mistake], Node=_nodes(given)).verdicts[mistake]
    assert isinstance(verdict, Violated)
    assert len(verdict.counterexample.steps) == steps


# -- every graph ------------------------------------------------------------------------------------------------------


def _blank(nodes):
    return {"patience": dict.fromkeys(nodes, 0), "ending": dict.fromkeys(nodes, "delete")}


@pytest.mark.parametrize("row", EXPECTED["building"], ids=lambda row: row["nodes"])
def test_every_graph_that_users_can_make_ends(row):
    nodes = row["nodes"]
    found = Building.search(_blank(nodes), symmetric=["Node"] if row["merged"] else [], Node=nodes)
    assert found.counts() == {key: row[key] for key in COUNTED}
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())


class Careless(Building):
    """The same, but circles are accepted."""

    def closes_no_circle(s, c, waiting, entangled):
        pass


# each of two tasks is what one fork comes after, and within the other
TWO_FORKS = [
    *(("make_task", "a"), ("make_task", "b"), ("make_fork", "f"), ("make_fork", "g")),
    *(("join", "f", "a"), ("add_prong", "f", "b"), ("join", "g", "b"), ("add_prong", "g", "a")),
]


def test_two_forks_that_wait_within_each_other_never_end_and_cannot_be_made():
    finalised = [("finalize", "f"), ("finalize", "g"), ("anything",)]
    stuck = Careless.accepts([*TWO_FORKS, *finalised], _blank("abfg"), Node="abfg")
    assert (stuck.step, stuck.allowed) == (10, ())
    refused = Building.accepts(TWO_FORKS, _blank("abfg"), Node="abfg")
    assert (refused.step, refused.guard) == (7, "nothing is before a fork and within it")


def test_an_empty_fork_closes_only_once_the_fork_around_it_has_opened():
    given = hollow_fork()
    begin = [("finalize", "F"), ("finalize", "t3"), ("manage",)]
    early = Ticks.accepts([*begin, ("run", "t3", "done")], given, Node=_nodes(given))
    assert (early.step, early.guard) == (3, "it is unblocked")
    on_the_way = BarrierOnTheWay.accepts([*begin, ("run", "t3", "done")], given, Node=_nodes(given))
    assert isinstance(on_the_way, Accepted)  # t3 runs while t0 does
    answer = Ticks.accepts(
        [*begin, ("run", "t0", "done"), ("manage",), ("run", "t3", "done"), ("manage",)], given, Node=_nodes(given)
    )
    assert answer.state["ran"] == {"t0": 2, "t3": 3, "F": 0, "H": 0}


def test_a_circle_never_ends():
    stuck = Careless.search(_blank("ab"), Node="ab").verdicts["who_can_go_no_further_has_ended_what_it_began"]
    assert isinstance(stuck, Violated)
    # a fork, a task, the task after itself, the task a prong; finalised and looked at, nothing can happen
    circle = [("make_fork", "a"), ("make_task", "b"), ("add_prong", "a", "b"), ("join", "b", "b")]
    stuck = Careless.accepts([*circle, ("finalize", "a"), ("anything",)], _blank("ab"), Node="ab")
    assert (stuck.step, stuck.allowed) == (5, ())
    refused = Building.accepts(circle, _blank("ab"), Node="ab")
    assert (refused.step, refused.guard) == (3, "nothing waits for itself")


REFUSED = {
    "it has not been made": [("make_task", "a"), ("make_fork", "a")],
    "both were made": [("make_fork", "a"), ("add_prong", "a", "b")],
    "only a fork has prongs": [("make_task", "a"), ("make_task", "b"), ("add_prong", "a", "b")],
    "it is not a prong of it yet": [
        ("make_fork", "a"),
        ("make_task", "b"),
        ("add_prong", "a", "b"),
        ("add_prong", "a", "b"),
    ],
    "it is joined to nothing yet": [
        ("make_task", "a"),
        ("make_task", "b"),
        ("make_task", "c"),
        ("join", "a", "b"),
        ("join", "a", "c"),
    ],
    "nothing waits for itself": [("make_task", "a"), ("join", "a", "a")],
    "nothing is before a fork and within it": [
        ("make_fork", "a"),
        ("make_task", "b"),
        ("join", "a", "b"),
        ("add_prong", "a", "b"),
    ],
    "nothing was finalised yet": [("make_task", "a"), ("finalize", "a"), ("make_task", "b")],
    "somebody may finalise it": [("make_task", "a"), ("make_task", "b"), ("join", "a", "b"), ("finalize", "b")],
}


@pytest.mark.parametrize("guard", REFUSED)
def test_what_the_seeds_let_pass_or_report_too_late_is_refused_where_it_happens(guard):
    answer = Building.accepts(REFUSED[guard], _blank("abc"), Node="abc")
    assert isinstance(answer, RefusedTrace)
    assert (answer.step, answer.guard) == (len(REFUSED[guard]) - 1, guard)


# -- a second opinion: the seeds' own manager -------------------------------------------------------------------------


class _Manager:
    """specs_task's traversal as it stands in its source: one recursive function. State: plain sets in a tuple."""

    def __init__(self, given, barrier_is_an_edge):
        self.single, self.prong = (
            {n: [c for m, c in sorted(given[edge]) if m == n] for n in _nodes(given)} for edge in ("single", "prong")
        )
        self.given, self.edge = given, barrier_is_an_edge

    def maintain(self, e, state, freed):
        _, _, unblocked, _, _, complete, _, _ = state
        if e in self.given["fork"]:
            if not all(self.maintain(c, state, freed) for c in self.single[e]):
                return False  # the prongs are not visited: this is the barrier
            if self.edge and not self.passed(e, state):
                return False
            return all([self.maintain(p, state, freed) for p in self.prong[e]])  # noqa: C419  # it visits each of them
        if e in complete:
            return True
        if e in unblocked:
            return False
        if all([self.maintain(c, state, freed) for c in self.single[e]]):  # noqa: C419  # as above
            freed.add(e)
        return False

    def passed(self, n, state):
        """Every fork around it has its single complete: an edge, in the repaired manager."""
        above = [m for m in self.single if n in self.single[m]]
        forks = [f for f in self.prong if n in self.prong[f]]
        within = all(self.maintain(c, state, set()) for f in forks for c in self.single[f])
        return within and all(self.passed(m, state) for m in above + forks)

    def below(self, n):
        return {n}.union(*(self.below(m) for m in self.single[n] + self.prong[n]))

    def next(self, state):
        final, ended, unblocked, called, asked, complete, ran, (tick, alive) = state
        for n in self.given["root"]:
            if n not in final | ended:
                yield (final | {n}, *state[1:])
        due = unblocked - complete
        for n in due - called:
            done = {*ran, (n, tick)}
            yield final, ended, unblocked, called | {n}, asked, complete | {n}, frozenset(done), (tick, alive)
            times = dict(asked).get(n, 0)
            if times < self.given["patience"][n]:
                more = frozenset({(m, k) for m, k in asked if m != n} | {(n, times + 1)})
                yield final, ended, unblocked, called | {n}, more, complete, ran, (tick, alive)
        if final and due <= called:
            freed = set()
            over = frozenset(r for r in sorted(final) if self.maintain(r, state, freed))
            freed = frozenset(n for n in freed if not self.edge or self.passed(n, state))
            gone = {n for r in over if self.given["ending"][r] == "delete" for n in self.below(r)}
            if over or freed or called:
                none = frozenset()
                now = (tick + 1, alive - gone)
                yield final - over, ended | over, unblocked | freed, none, asked, complete, ran, now

    def counts(self):
        start = (*(frozenset(),) * 7, (1, frozenset(self.single)))
        seen, frontier, transitions, terminal, depth = {start}, [start], 0, 0, -1
        while frontier:
            depth, fresh = depth + 1, []
            for state in frontier:
                after = list(self.next(state))
                transitions += len(after)
                terminal += not after
                new = [one for one in dict.fromkeys(after) if one not in seen]
                seen.update(new)
                fresh += new
            frontier = fresh
        return {"states": len(seen), "transitions": transitions, "terminal": terminal, "depth": depth}


@pytest.mark.parametrize("row", EXPECTED["ticks"], ids=_name)
@pytest.mark.parametrize("edge", [False, True])
def test_the_seeds_own_manager_counts_the_same_with_and_without_the_edge(row, edge):
    # only the last node is finalised: then the barrier on the way is as good as an edge; not so of the hollow fork
    edge = edge or row["graph"] == "hollow_fork"
    assert _Manager(_given(row), edge).counts() == {key: row[key] for key in COUNTED}


def test_the_seeds_own_manager_counts_the_bypassed_barrier_and_its_repair():
    [row] = [row for row in EXPECTED["broken"] if row["file"] == "ticks_barrier_bypassed"]
    assert _Manager(SHOWCASE.given, False).counts() == row["broken"]
    assert _Manager(SHOWCASE.given, True).counts() == row["repaired"]


def test_both_managers_agree_with_the_model_on_all_graphs_of_three_nodes_whoever_is_finalised():
    # one fork f, two tasks a and b: every choice of edges that is a tree, every choice of roots
    tried = 0
    for first, second, roots in product(("", "single", "prong"), ("", "single", "prong"), ("f", "fa", "fab")):
        edges = {"single": set(), "prong": set()}
        for kind, child in ((first, "a"), (second, "b")):
            if kind:
                edges[kind].add(("f", child))
        if len(edges["single"]) < 2:
            given = {**_blank("fab"), **edges, "fork": {"f"}, "root": set(roots)}
            for model, edge in ((BarrierOnTheWay, False), (Ticks, True)):
                assert model.search(given, claims=(), Node="fab").counts() == _Manager(given, edge).counts()
                tried += 1
    assert tried == 2 * 8 * 3
