"""`hocket verify package.module:plan`: what a compiled plan promises about order, and what it does not."""

from __future__ import annotations

import pytest

import hocket
from hocket.cli import main
from hocket.errors import SourceError
from hocket.plan import StepResult, bind, borrow_prev, compile_plan, task_tree


def order() -> dict:
    return {}


def lines(order) -> list:
    return []


def total(lines) -> int:
    return 0


def label() -> StepResult:
    return StepResult.success()


TREE = task_tree(order, task_tree(bind(lines, borrow_prev), bind(total, borrow_prev)), label)
PLAN = compile_plan(TREE)
BAD = task_tree(bind(total, borrow_prev))


@pytest.mark.parametrize("source", [PLAN, TREE])
def test_claims_about_the_order_of_a_plan_are_judged(source):
    assert hocket.verify(source, assertions=["order before total", "order before label"]).verdict == "holds"
    report = hocket.verify(source, assertions=["total before label"])
    assert report.verdict == "violated"
    finding = next(finding for finding in report.findings if finding.code == "G020")
    assert finding.about == ("total", "label") or "label" in finding.message


def test_a_certificate_of_a_plan_is_audited():
    report = hocket.verify(PLAN)
    assert report.verdict == "holds"
    assert type(hocket.audit(report.certificate, PLAN)).__name__ == "Holds"


def test_a_tree_that_cannot_be_compiled_is_no_source():
    with pytest.raises(
        SourceError, match="the plan cannot be compiled: 'total' does not allow prev access at the root"
    ):
        hocket.verify(BAD)


@pytest.mark.parametrize(("claim", "code"), [("order before total", 0), ("total before label", 1)])
def test_the_command_line_reads_a_plan_by_its_name(claim, code, capsys):
    assert main(["verify", f"{__name__}:PLAN", "--assert", claim]) == code
    assert "label" in capsys.readouterr().out or code == 0
