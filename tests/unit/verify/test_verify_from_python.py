"""The verifier as a value: `check(graph)`, and schedulers that verify before they run."""

from __future__ import annotations

import pytest

import hocket
from hocket.errors import Unverified

GRAPH = {"build": [], "test": ["build"], "docs": ["build"], "deploy": ["test"]}


def test_claims_that_hold_can_be_chained():
    hocket.check(GRAPH).always_before("build", "deploy").requires("deploy", "test").can_run("docs").can_run_before(
        "docs", "deploy"
    ).never_together("build", "deploy").holds()


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ("always_before", ("docs", "deploy")),
        ("never_together", ("docs", "test")),
        ("requires", ("deploy", "docs")),
        ("can_run_before", ("deploy", "build")),
        ("always_runs", ("deploy",)),
        ("can_run", ("nothing",)),
    ],
)
def test_a_claim_that_does_not_hold_fails_a_test_with_its_report(ask, names):
    with pytest.raises(AssertionError) as caught:
        getattr(hocket.check(GRAPH), ask)(*names)
    assert isinstance(caught.value, Unverified)
    assert {finding.code for finding in caught.value.report.findings} <= {"G020", "G021"}


def test_a_task_runs_unless_another_fails():
    hocket.check(GRAPH).runs_unless_failed("deploy")


def test_a_graph_is_verified_before_any_of_it_runs():
    from hocket.graph import Graph, Task

    ran = []
    one, other = Task("one", lambda: ran.append(1)), Task("other", lambda: ran.append(2))
    round_ = Graph((one, other), ((0, 1), (1, 0)))
    with pytest.raises(Unverified, match="these tasks wait for each other"):
        hocket.run(round_, verify=True)
    with hocket.Scheduler(verify=True) as scheduler, pytest.raises(Unverified):
        scheduler.add_graph(round_)
    assert ran == []
    fine = Graph((one, other), ((1, 0),))
    with hocket.Scheduler(verify=True) as scheduler:
        scheduler.add_graph(fine)
    assert ran == [1, 2]


def test_any_function_that_judges_a_graph_will_do():
    asked = []

    class Report:
        verdict = "holds"

    def judge(graph, workers):
        asked.append(workers)
        return Report()

    hocket.run(hocket.seq(hocket.task(int), hocket.task(str)), verify=judge)
    assert asked == [None]


def test_the_runtime_loads_no_verifier_that_nobody_asked_for():
    import subprocess
    import sys

    code = "import sys, hocket; hocket.run(hocket.task(int)); print('hocket.verify' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
