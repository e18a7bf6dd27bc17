"""What it means to run a graph: counts against a simulator written by hand, and every refusal by name."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import pytest

from hocket.spec import Accepted, RefusedTrace
from hocket.verdict import Holds, Violated
from models.graphs import GRAPHS, chain, diamond, family, fork_join, knot
from models.run import acceptor, graph, search

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())
COUNTED = ("states", "transitions", "terminal", "depth")


def _given(row):
    given = GRAPHS[row["graph"]](policy=row["policy"], may_fail=None if row["failures"] else ())
    return {**given, "may_be_cancelled": set(given["scope"]) if row["cancellations"] else set()}


def _name(row):
    return f"{row['graph']}-{row['policy']}{'-failures' * row['failures']}{'-cancellations' * row['cancellations']}"


@pytest.mark.parametrize("row", EXPECTED["run"], ids=_name)
def test_a_search_finds_the_pinned_counts_and_every_property_holds(row):
    found = search(_given(row))
    assert found.counts() == {key: row[key] for key in COUNTED}
    assert all(isinstance(verdict, Holds) for verdict in found.verdicts.values())


# -- a second opinion: the same words, programmed directly -----------------------------------------------------------


class _ByHand:
    """One graph as a set of facts per task: "open", "over", "raised", "closed", an outcome, "unwanted", "skipped"."""

    def __init__(self, given):
        self.given, self.tasks = given, list(given["scope"])

    def pairs(self, edge, task):
        return [other for one, other in self.given[edge] if one == task]

    def has(self, state, task, *facts):
        return any((task, fact) in state for fact in facts)

    def settled(self, state, task):
        later = all(self.has(state, u, "closed") for u in self.pairs("after", task))
        return later and all(self.has(state, u, "open", "unwanted", "skipped") for u in self.pairs("inside", task))

    def lost(self, state, task):
        return self.has(state, task, "=failed", "=skipped", "=cancelled")

    def hurt(self, state, task):
        barred = any(self.has(state, u, "unwanted", "skipped") for u in self.pairs("inside", task))
        return barred or any(self.lost(state, u) for u in self.pairs("after", task))

    def fixed(self, state):
        for task in self.tasks * len(self.tasks):
            if not self.has(state, task, "open", "unwanted", "skipped") and self.settled(state, task):
                state |= {(task, "skipped")} if self.hurt(state, task) else set()
        return frozenset(state)

    def policy(self, task):
        return self.given["policy"][self.given["scope"][task]]

    def next(self, state):
        for task in self.tasks:
            fresh = not self.has(state, task, "open", "unwanted", "skipped")
            if fresh and self.settled(state, task) and not self.hurt(state, task):
                yield {(task, "open")} | ({(task, "over")} if task in self.given["bodiless"] else set())
            if self.has(state, task, "open") and not self.has(state, task, "over"):
                yield {(task, "over")}
                if task in self.given["may_fail"]:
                    yield {(task, "over"), (task, "raised")}
            if fresh and task in self.given["may_be_cancelled"]:
                yield {(task, "unwanted")}
            yield from self.closing(state, task)

    def closing(self, state, task):
        children = self.pairs("hold", task)
        if self.has(state, task, "closed") or not self.has(state, task, "over", "unwanted", "skipped"):
            return
        if not all(self.has(state, child, "closed") for child in children):
            return
        bereft = any(self.lost(state, child) and self.policy(child) != "branch" for child in children)
        failed = self.has(state, task, "raised") or bereft
        how = "failed" if failed else "finished"
        how = "skipped" if self.has(state, task, "skipped") else how
        how = "cancelled" if self.has(state, task, "unwanted") else how
        stopped = set()
        if how == "failed" and self.policy(task) == "fail_fast":
            same = [u for u in self.tasks if self.given["scope"][u] == self.given["scope"][task]]
            stopped = {(u, "unwanted") for u in same if not self.has(state, u, "open", "skipped")}
        yield {(task, "closed"), (task, f"={how}")} | stopped

    def counts(self):
        start = self.fixed(set())
        seen, frontier, transitions, terminal, depth = {start}, [start], 0, 0, -1
        while frontier:
            depth, fresh = depth + 1, []
            for state in frontier:
                after = [self.fixed(set(state | more)) for more in self.next(state)]
                transitions += len(after)
                terminal += not after
                new = [one for one in dict.fromkeys(after) if one not in seen]
                seen.update(new)
                fresh += new
            frontier = fresh
        return {"states": len(seen), "transitions": transitions, "terminal": terminal, "depth": depth}


@pytest.mark.parametrize("row", [row for row in EXPECTED["run"] if row["states"] < 2000], ids=_name)
def test_a_simulator_written_by_hand_counts_the_same(row):
    assert _ByHand(_given(row)).counts() == {key: row[key] for key in COUNTED}


def test_all_graphs_of_two_tasks_have_the_counts_of_the_simulator():
    # each kind of edge in each direction, or not: 2^6 graphs, cycles included
    pairs = (("a", "b"), ("b", "a"))
    some = [[pair for pair, yes in zip(pairs, chosen, strict=True) if yes] for chosen in product((0, 1), repeat=2)]
    for after, inside, hold in product(some, repeat=3):
        one = graph("ab", after, inside, hold, policy="fail_fast", may_be_cancelled="a")
        assert search(one, claims=()).counts() == _ByHand(one).counts()


# -- what is refused, and why ----------------------------------------------------------------------------------------

FORK = fork_join(prongs=1, may_be_cancelled=["t3"])
STEPS = {
    "it has not opened": [("open", "t0"), ("open", "t0")],
    "it is not armed yet": [("arm", "t0")],
    "what it waits for has happened": [("open", "F")],
    "it has opened": [("ran", "t0", "finished")],
    "its body is at work": [("open", "t0"), ("ran", "t0", "finished"), ("ran", "t0", "finished")],
    "a body finishes or fails": [("open", "t0"), ("ran", "t0", "skipped")],
    "it has not closed": [
        ("open", "t0"),
        ("ran", "t0", "finished"),
        ("close", "t0", "finished"),
        ("close", "t0", "finished"),
    ],
    "its body is over, or will never begin": [("open", "t0"), ("close", "t0", "finished")],
    "all its children have closed": [
        ("open", "t0"),
        ("ran", "t0", "finished"),
        ("close", "t0", "finished"),
        ("open", "F"),
        ("close", "F", "finished"),
    ],
    "nothing that it waits for was lost": [
        ("open", "t0"),
        ("ran", "t0", "failed"),
        ("close", "t0", "failed"),
        ("open", "F"),
    ],
    "nobody has cancelled it": [("cancel", "t3"), ("open", "t3")],
    "its end is not decided": [("cancel", "t3"), ("cancel", "t3")],
    "somebody may cancel it": [("cancel", "t0")],
    "cancelled if and only if it was cancelled": [("cancel", "t3"), ("close", "t3", "skipped")],
    "skipped if and only if what it waited for was lost": [
        ("open", "t0"),
        ("ran", "t0", "finished"),
        ("close", "t0", "skipped"),
    ],
    "failed if and only if its body raised or a child was lost": [
        ("open", "t0"),
        ("ran", "t0", "failed"),
        ("close", "t0", "finished"),
    ],
    "the model knows this event": [("open", "nobody")],
}


@pytest.mark.parametrize("guard", STEPS)
def test_a_trace_is_refused_at_its_last_step_with_the_guard_that_failed(guard):
    answer = acceptor(FORK).accepts(STEPS[guard])
    assert isinstance(answer, RefusedTrace)
    assert (answer.step, answer.guard) == (len(STEPS[guard]) - 1, guard)


def test_a_body_that_may_not_fail_does_not():
    answer = acceptor(chain(1, may_fail=())).accepts([("open", "t0"), ("ran", "t0", "failed")])
    assert isinstance(answer, RefusedTrace)
    assert answer.guard == "its body may fail"
    assert answer.allowed == (("ran", "t0", "finished"),)


def test_a_failure_runs_down_a_chain_and_every_outcome_says_so():
    run = [("open", "t0"), ("ran", "t0", "failed"), ("close", "t0", "failed")]
    answer = acceptor(chain(3)).accepts([*run, ("close", "t1", "skipped"), ("close", "t2", "skipped")])
    assert isinstance(answer, Accepted)
    assert answer.state["outcome"] == {"t0": "failed", "t1": "skipped", "t2": "skipped"}


def test_a_prong_of_a_fork_that_never_opens_is_skipped_before_the_fork_closes():
    lost = [("open", "t0"), ("ran", "t0", "failed"), ("close", "t0", "failed")]
    run = acceptor(FORK)
    state = run.start
    for event in lost:
        state = run.step(state, event)
    assert run.allowed(state) == (("close", "t1.1", "skipped"), ("cancel", "t3"))


@pytest.mark.parametrize(
    ("policy", "outcome"), [("isolate", "failed"), ("fail_fast", "failed"), ("branch", "finished")]
)
def test_a_parent_whose_child_failed_fails_unless_the_policy_is_branch(policy, outcome):
    given = graph(["p", "c"], inside=[("c", "p")], hold=[("p", "c")], policy=policy, may_fail=["c"])
    run = [("open", "p"), ("ran", "p", "finished"), ("open", "c"), ("ran", "c", "failed"), ("close", "c", "failed")]
    assert isinstance(acceptor(given).accepts([*run, ("close", "p", outcome)]), Accepted)


def test_under_fail_fast_what_has_not_started_is_cancelled_and_what_runs_goes_on():
    given = graph("abc", after=[("c", "b")], policy="fail_fast")
    run = [("open", "a"), ("open", "b"), ("ran", "a", "failed"), ("close", "a", "failed")]
    assert acceptor(given).accepts(run).state["unwanted"] == {"c"}
    rest = [("close", "c", "cancelled"), ("ran", "b", "finished"), ("close", "b", "finished")]
    assert isinstance(acceptor(given).accepts([*run, *rest]), Accepted)


def test_what_is_late_neither_opens_nor_is_skipped_before_it_is_armed():
    lost = [("open", "a"), ("ran", "a", "failed"), ("close", "a", "failed")]
    given = graph("ab", after=[("b", "a")], late="b")
    early = acceptor(given).accepts([*lost, ("close", "b", "skipped")])
    assert isinstance(early, RefusedTrace)
    assert early.allowed == (("arm", "b"),)
    assert isinstance(acceptor(given).accepts([*lost, ("arm", "b"), ("close", "b", "skipped")]), Accepted)
    assert acceptor(given).accepts([("open", "b")]).guard == "it is armed"


def test_what_is_armed_in_a_stopped_scope_is_cancelled():
    lost = [("open", "a"), ("ran", "a", "failed"), ("close", "a", "failed")]
    given = graph("ab", policy="fail_fast", late="b")
    assert isinstance(acceptor(given).accepts([*lost, ("arm", "b"), ("close", "b", "cancelled")]), Accepted)
    assert acceptor(given).accepts([*lost, ("arm", "b"), ("open", "b")]).guard == "nobody has cancelled it"


def test_two_scopes_do_not_share_their_failures():
    scope, policies = {"a": "x", "b": "y"}, {"x": "fail_fast", "y": "isolate"}
    given = graph("ab", scope=scope, policies=policies)
    run = [("open", "a"), ("ran", "a", "failed"), ("close", "a", "failed"), ("open", "b")]
    assert isinstance(acceptor(given).accepts(run), Accepted)


def test_two_tasks_that_wait_for_each_other_get_stuck_and_the_search_says_so():
    found = search(knot())
    stuck = found.verdicts["who_can_go_no_further_has_closed_everything"]
    assert (found.states, found.terminal) == (1, 1)
    assert isinstance(stuck, Violated)


@pytest.mark.parametrize(
    ("mistake", "given", "steps"),
    [
        # the parent's body is over, its child's is not: open p, ran p, open c
        ("a_parent_is_at_work_while_its_children_are", family(), 3),
        # a closes after 3 steps, then b and c open
        ("one_at_a_time", diamond(), 5),
        # open p, open c1, ran c1 failed, close c1, ran p, open c2, ran c2, close c2, close p
        ("a_failed_task_had_a_body_that_raised", family(), 9),
    ],
)
def test_what_somebody_may_think_is_refuted_by_a_shortest_run(mistake, given, steps):
    verdict = search(given, claims=[mistake]).verdicts[mistake]
    assert isinstance(verdict, Violated)
    assert verdict.counterexample.replayed
    assert len(verdict.counterexample.steps) == steps
    trace = [tuple(map(str, step)) for step in verdict.counterexample.steps]
    assert isinstance(acceptor(given).accepts(trace), Accepted)


def test_every_deed_of_the_model_can_be_done():
    given = family(may_be_cancelled=["later"], late=["later"])
    assert search(given).never() == []
