"""Multiplied tasks are written out with all that runs within them."""

from __future__ import annotations

import pytest

import hocket
from hocket.verify.judge import read_graph
from hocket.verify.unrolling import TooMany, unrolled

NESTED = """\
hocket: 1
tasks:
  start: {}
  outer:
    copies: [0, null]
    works: true
    after: start
    tasks: {one: {copies: 2}, two: {after: {task: one, accepts: any}, if: one failed}}
  end: {after: outer}
"""


def test_a_copy_of_a_task_is_a_copy_of_all_that_runs_within_it():
    tasks = unrolled(read_graph(NESTED, "hocket").graph, 2, 100).tasks
    assert {name: (task.parent, [edge.before for edge in task.edges]) for name, task in tasks.items()} == {
        "start": ("", []),
        "outer": ("", ["start"]),
        "outer (2)": ("", ["start"]),
        "outer / one": ("outer", []),
        "outer / one (2)": ("outer", []),
        "outer (2) / one": ("outer (2)", []),
        "outer (2) / one (2)": ("outer (2)", []),
        "outer / two": ("outer", ["outer / one", "outer / one (2)"]),
        "outer (2) / two": ("outer (2)", ["outer (2) / one", "outer (2) / one (2)"]),
        "end": ("", ["outer", "outer (2)"]),
    }
    assert [str(tasks[name].activation) for name in ("outer / two", "outer (2) / two")] == [
        "outer / one is failed", "outer (2) / one is failed",
    ]  # fmt: skip


def test_any_number_of_copies_that_wait_for_what_runs_within_them_take_all_workers():
    """It was said to hold: only the first copy had anything within it."""
    for workers in (1, 2, 3):
        (finding,) = hocket.verify(NESTED, format="hocket", workers=workers).findings
        assert finding.code == "G018"
        assert len(finding.about) == workers + 1
    assert hocket.verify(NESTED.replace("[0, null]", "2"), format="hocket", workers=3).verdict == "holds"


def test_a_thousand_million_workers_are_not_written_out_one_by_one():
    with pytest.raises(TooMany):
        unrolled(read_graph(NESTED, "hocket").graph, 10**9, 20_000)
    (finding,) = hocket.verify(NESTED, format="hocket", workers=10**9).findings
    assert finding.code == "G090"
    assert "with each copy of them written out" in finding.message
