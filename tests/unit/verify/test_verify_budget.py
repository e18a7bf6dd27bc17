"""A graph is looked at for so long and no longer: what was not answered is said, and is never success."""

from __future__ import annotations

import json
import math
import random
from itertools import count

import pytest

import hocket
from hocket.cli import main
from hocket.errors import SourceError
from hocket.verify.budget import Budget
from hocket.verify.judge import judge_graph, read_graph
from hocket.verify.readers import Reading
from tests.fuzz_verify import random_graph

GATED = """\
hocket: 1
variables: {debug: boolean, level: {values: [one, two]}}
resources: {gpu: 1, disk: 1}
tasks:
  build: {if: debug, present: "level == 'one'", takes: 5}
  test: {after: build, if: not debug}
  ship: {after: {task: build, accepts: [skipped]}, present: "level == 'two' or debug"}
  one: {holds: gpu, tasks: {inner: {holds: disk, if: debug}}}
  two: {holds: disk, tasks: {inner: {holds: gpu, if: not debug}}}
"""
CLAIMS = ["ship requires test", "one never with test", "ship always runs"]


def after_looks(number: int) -> Budget:
    """A budget that is over when its clock is looked at for that many times."""
    looks = count()
    return Budget(1.0, lambda: 0.0 if next(looks) <= number else 9.0)


def test_with_no_time_left_each_claim_and_each_question_of_conditions_is_listed_as_not_decided():
    report = judge_graph(read_graph(GATED, "hocket"), CLAIMS, budget=after_looks(0))
    said = [finding.message for finding in report.findings]
    assert {finding.code for finding in report.findings} == {"G090"}
    assert report.verdict == "unknown"
    assert all("the 1 s for one graph are over (--seconds gives more)" in one for one in said)
    assert all(any(f"'{claim}' is not decided" in one for one in said) for claim in CLAIMS)
    assert any("'build' and whatever comes after it in the file can be left out" in one for one in said)
    assert any("'test'" in one and "can run is not decided" in one for one in said)


def test_with_no_time_left_what_costs_one_pass_is_asked_all_the_same():
    text = "hocket: 1\nvariables: {v: boolean}\ntasks:\n  a: {if: v}\n  b: {timeout: 1, takes: 2}\n"
    report = judge_graph(read_graph(text, "hocket"), ["a always runs"], budget=after_looks(0))
    assert {finding.code for finding in report.findings} == {"G023", "G090"}
    cycle = "hocket: 1\ntasks:\n  a: {after: b}\n  b: {after: a}\n"
    assert [one.code for one in judge_graph(read_graph(cycle, "hocket"), budget=after_looks(0)).findings] == ["G001"]


def test_wherever_the_time_ends_nothing_is_said_to_hold_that_does_not():
    """The more time, the more is answered: from nothing but doubts to what there is without a limit."""
    whole = judge_graph(read_graph(GATED, "hocket"), CLAIMS)
    doubts = set()
    looks = 0
    while True:
        report = judge_graph(read_graph(GATED, "hocket"), CLAIMS, budget=after_looks(looks))
        found = {finding for finding in report.findings if finding.code != "G090"}
        assert {one.about[:1] for one in found} <= {one.about[:1] for one in whole.findings}
        assert report.verdict != "holds"
        assert report.certificate is None
        doubts.add(len(report.findings) - len(found))
        if report.findings == whole.findings:
            break
        assert any(finding.code == "G090" for finding in report.findings), looks
        looks += 1 + looks // 4
    assert len(doubts) > 3


@pytest.mark.parametrize("number", range(6))
def test_a_random_graph_with_little_time_is_unknown_or_what_it_is(number):
    graph = random_graph(random.Random(f"budget/{number}"))
    whole = judge_graph(Reading(graph)).verdict
    for looks in (0, 1, 2, 5, 10, 20, 40):
        assert judge_graph(Reading(graph), budget=after_looks(looks)).verdict in ("unknown", whole)


def test_the_command_line_and_pyproject_say_how_long(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gated.yml").write_text("hocket: 1\nvariables: {v: boolean}\ntasks:\n  a: {if: v}\n  b: {if: not v}\n")
    assert main(["verify", "gated.yml", "--assert", "a never with b"]) == 0
    assert main(["verify", "gated.yml", "--assert", "a never with b", "--seconds", "1e-9", "--json"]) == 3
    shown = json.loads(capsys.readouterr().out.split("\n{", 1)[1].join(["{", ""]))
    assert "the 1e-09 s for one graph are over" in shown["reports"][0]["findings"][0]["message"]
    (tmp_path / "pyproject.toml").write_text("[tool.hocket.verify]\nseconds = 1e-9\n")
    assert main(["verify", "gated.yml", "--assert", "a never with b"]) == 3
    assert main(["verify", "gated.yml", "--assert", "a never with b", "--seconds", "60"]) == 0
    assert main(["verify", "gated.yml", "--seconds", "0"]) == 2


@pytest.mark.parametrize("seconds", [0, -1, math.nan, True, "1"])
def test_no_time_is_refused(seconds):
    with pytest.raises(SourceError, match="a graph needs some time"):
        hocket.verify({"a": []}, seconds=seconds)


def test_there_can_be_no_limit():
    assert hocket.verify({"a": []}, seconds=math.inf).verdict == "holds"
    with pytest.raises(AssertionError, match="are over"):
        hocket.check(GATED, format="hocket", seconds=1e-9).never_together("build", "test")
