"""What nobody could read may be anything: what is said of it, and what a run that is shown supposes of it."""

from __future__ import annotations

import hocket
from hocket.verify.replay import Run

WORKFLOW = """\
on: push
concurrency: {group: x}
jobs:
  a: {runs-on: x, steps: [{run: x}], if: "frobnicate(github.ref)"}
  c: {uses: ./.github/workflows/no.yml, concurrency: {group: x}, if: "frobnicate(github.sha)"}
"""


def test_a_run_that_is_shown_names_what_it_supposes_of_a_condition_that_was_not_read():
    (finding,) = hocket.verify(WORKFLOW, format="github").findings
    assert finding.code == "G006"
    assert isinstance(finding.witness, Run)
    assert finding.witness.values["frobnicate(github.sha)"] is True
    assert "with frobnicate(github.sha) = true" in str(hocket.verify(WORKFLOW, format="github"))


def test_nothing_is_impossible_because_of_a_condition_that_was_not_read():
    """Nobody says that `c` runs where `a` does not, or the other way round."""
    text = WORKFLOW.replace("concurrency: {group: x}, ", "").replace("frobnicate(github.sha)", "!frobnicate('x')")
    report = hocket.verify(text, format="github", assertions=["a can run", "c can run"])
    assert report.findings == ()
