"""Airflow: serialized and live DAGs give the same graph; each trigger rule says when its task runs."""

from __future__ import annotations

import json
import math
from datetime import timedelta
from itertools import product

import pytest

import hocket
from hocket.verify.formula import Outcome
from hocket.verify.judge import read_graph
from hocket.verify.readers.airflow_rules import RULES
from hocket.verify.replay import Did, replay
from hocket.verify.timeline import schedule

pytest.importorskip("z3")

_OK, _BAD, _SKIP = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SKIPPED


def dag(*tasks: dict, **more) -> str:
    """A DAG as Airflow 3 writes it."""
    wrapped = [{"__type": "operator", "__var": {"task_type": "PythonOperator", **task}} for task in tasks]
    return json.dumps({"__version": 3, "dag": {"dag_id": "d", "tasks": wrapped, **more}}, indent=1)


def task(name: str, *behind: str, **more) -> dict:
    return {"task_id": name, "downstream_task_ids": list(behind), **more}


class Operator:
    """What a live operator looks like to whoever reads it."""

    def __init__(self, fields: dict) -> None:
        self.__dict__.update({"trigger_rule": "all_success", "task_type": "PythonOperator", **fields})


class Dag:
    dag_id = "d"
    max_active_tasks = 16
    dagrun_timeout = timedelta(minutes=5)  # cuts a run off; it is no promise that a run ends by then

    def __init__(self, *tasks: dict) -> None:
        self.task_dict = {one["task_id"]: Operator(one) for one in tasks}


# how two predecessors ended -> whether the task runs; written from Airflow's documentation of trigger rules
_PAIRS = list(product((_OK, _BAD, _SKIP), repeat=2))
_RUNS = {
    "all_success": lambda a, b: a is b is _OK,
    "all_failed": lambda a, b: a is b is _BAD,
    "all_done": lambda a, b: True,
    "all_done_min_one_success": lambda a, b: _OK in (a, b),
    "all_skipped": lambda a, b: a is b is _SKIP,
    "one_success": lambda a, b: _OK in (a, b),
    "one_failed": lambda a, b: _BAD in (a, b),
    "one_done": lambda a, b: {_OK, _BAD} & {a, b} != set(),
    "none_failed": lambda a, b: _BAD not in (a, b),
    "none_failed_min_one_success": lambda a, b: _BAD not in (a, b) and _OK in (a, b),
    "none_failed_or_skipped": lambda a, b: _BAD not in (a, b) and _OK in (a, b),
    "none_skipped": lambda a, b: _SKIP not in (a, b),
    "all_done_setup_success": lambda a, b: True,
    "always": lambda a, b: True,
    "dummy": lambda a, b: True,
}


def test_every_trigger_rule_is_in_the_table():
    assert _RUNS.keys() == RULES.keys()


@pytest.mark.parametrize("rule", _RUNS)
def test_a_trigger_rule_lets_its_task_run_after_exactly_these_outcomes(rule):
    text = dag(
        task("branch", "a", "b", "c", "d", task_type="BranchPythonOperator"),
        task("a", "t"), task("b", "t"), task("c"), task("d"), task("t", trigger_rule=rule),
    )  # fmt: skip
    graph = read_graph(text).graph
    for one, other in _PAIRS:
        values = {f"branch chooses {name}": end is not _SKIP for name, end in (("a", one), ("b", other))}
        run = schedule(graph, values, {"a": one, "b": other})
        assert (run.at(Did.STARTED, "t") >= 0) is _RUNS[rule](one, other), (rule, one, other)
        replay(graph, run)


def test_a_task_behind_a_failure_counts_as_failed_and_one_behind_a_skip_as_skipped():
    graph = read_graph(dag(task("a", "b", _can_skip_downstream=True), task("b", "c"), task("c"))).graph
    ended = {"failed": schedule(graph, {}, {"a": _BAD}), "skipped": schedule(graph, {"a chooses b": False})}
    for word, run in ended.items():
        outcomes = {event.task: event.outcome for event in run.events if event.outcome is not None}
        assert outcomes["c"].value == word


def test_a_join_of_two_branches_that_wants_both_never_runs_and_says_so():
    text = dag(
        task("choose", "a", "b", task_type="BranchPythonOperator"),
        task("a", "join"), task("b", "join"), task("join", trigger_rule="all_failed"),
    )  # fmt: skip
    assert hocket.verify(text).verdict == "holds"
    empty = dag(task("a", "join", _is_empty=True), task("join", trigger_rule="all_failed"))
    assert [(finding.code, finding.message[:6]) for finding in hocket.verify(empty).findings] == [("G012", "'join'")]


def test_a_follower_behind_a_chosen_one_is_not_skipped_by_the_branch():
    text = dag(
        task("choose", "a", "join", task_type="BranchPythonOperator"), task("a", "join"),
        task("join", trigger_rule="none_failed_min_one_success"),
    )  # fmt: skip
    graph = read_graph(text).graph
    run = schedule(graph, {"choose chooses a": True, "choose chooses join": False})
    assert run.at(Did.STARTED, "join") >= 0


def test_a_short_circuit_skips_all_behind_it_but_teardowns():
    text = dag(
        task("stop", "a", task_type="ShortCircuitOperator"), task("a", "b", "end"),
        task("b", "end", trigger_rule="all_done"),
        task("end", trigger_rule="all_done_setup_success", is_teardown=True),
    )  # fmt: skip
    values = {"stop lets the rest run": False, "stop respects trigger rules": False}
    for respected, started in ((False, ["stop", "end"]), (True, ["stop", "b", "end"])):
        run = schedule(read_graph(text).graph, values | {"stop respects trigger rules": respected})
        assert [event.task for event in run.events if event.did is Did.STARTED] == started


def test_wrong_names_and_rules_are_found_where_they_stand():
    text = dag(task("a", "bb"), task("b", trigger_rule="all_sucess"), task("b"))
    found = [(finding.code, finding.message, finding.cure) for finding in hocket.verify(text).findings]
    assert [code for code, *_ in found] == ["G002", "G008", "G003"]
    assert "did you mean 'all_success'?" in found[1][2]
    line = next(number for number, one in enumerate(text.splitlines(), 1) if '"bb"' in one)
    assert hocket.verify(text).findings[0].line == line


def test_a_live_dag_gives_the_graph_of_its_serialized_form():
    tasks = [
        task("choose", "a", "b", task_type="BranchPythonOperator"), task("a", "join"),
        task("b", "join", is_setup=True), task("join", trigger_rule="none_failed_min_one_success", is_teardown=True),
    ]  # fmt: skip
    written = read_graph(dag(*tasks, max_active_tasks=16, dagrun_timeout=300.0)).graph
    live = read_graph(Dag(*tasks)).graph
    for name, one in written.tasks.items():
        other = live.tasks[name]
        assert [(edge.before, edge.accepts) for edge in one.edges] == [
            (edge.before, edge.accepts) for edge in other.edges
        ]
        assert (one.activation, one.lost, one.join, one.may) == (other.activation, other.lost, other.join, other.may)
    assert (written.deadline, live.deadline) == (math.inf, math.inf)


def test_mapped_tasks_have_any_number_of_copies_and_take_their_rule_from_what_they_pass_on():
    text = dag(task("a", "m"), task("m", _is_mapped=True, partial_kwargs={"trigger_rule": "all_done", "retries": 2}))
    mapped = read_graph(text).graph.tasks["m"]
    assert (mapped.copies.least, mapped.copies.most, mapped.edges[0].accepts, mapped.timing.retries) == (
        0,
        None,
        None,
        2,
    )
