"""Cases in every report format: each is read back by a parser of that format, and odd text harms none of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hocket
from hocket.render.github import step_summary, workflow_commands
from hocket.render.gitlab import gitlab
from hocket.render.junit import junit
from hocket.render.rows import Case, Place, Row, Step, uri
from hocket.render.sarif import sarif

SCHEMA = Path(__file__).with_name("sarif-schema-2.1.0.json")
HERE = Place("a/w.yml", 3, 5, 3, 9)
CYCLE = Row(
    "G001", "cycle", "error", "these tasks wait for each other: a → b → a", HERE, "take one out",
    ((Place("a/w.yml", 7, 1), "'b' waits for 'a'"),), about=("a", "b"),
)  # fmt: skip
RACE = Row(
    "X001", "data race", "error", "two threads write x", HERE,
    steps=(Step("t1", "writes x", HERE), Step("t2", "reads x"), Step("t1", "ends")),
)  # fmt: skip
CASES = (
    Case("graphs", "a/w.yml", "violated", (CYCLE, RACE), "the whole story", 0.25, {"tasks": 2}),
    Case("graphs", "good.yml", "holds", (), "holds", 0.1),
    Case("proofs", "kernel", "unknown", (), "gave up", 0.1),
    Case("graphs", "none.yml", "unusable", (), "there is no such file", 0.0),
)


@cache
def _validator():
    jsonschema = pytest.importorskip("jsonschema")
    return jsonschema.Draft4Validator(json.loads(SCHEMA.read_text()))


def _checked(document):
    _validator().validate(document)
    return document


def test_sarif_is_what_its_official_schema_says():
    run = _checked(json.loads(sarif(CASES, "0.1", [("G002", "undefined task")])))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["G002", "G001", "X001"]
    assert [(result["ruleId"], result["ruleIndex"], result["level"]) for result in run["results"]] == [
        ("G001", 1, "error"),
        ("X001", 2, "error"),
    ]
    assert run["invocations"][0]["exitCode"] == 2
    assert [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]] == [
        "there is no such file"
    ]


def test_a_run_is_one_thread_flow_an_actor_and_one_order_over_all():
    run = _checked(json.loads(sarif(CASES[:1], "0.1")))["runs"][0]
    (flow,) = run["results"][1]["codeFlows"]
    assert [
        (lane["id"], [step["executionOrder"] for step in lane["locations"]]) for lane in flow["threadFlows"]
    ] == [("t1", [1, 3]), ("t2", [2])]


def test_what_sarif_readers_cut_is_cut_from_the_beginning():
    long = Row("X", "x", "error", "long", HERE, steps=tuple(Step("t", str(n)) for n in range(10_050)))
    run = json.loads(sarif([Case("k", "n", "violated", (long,))], "0"))["runs"][0]
    (lane,) = run["results"][0]["codeFlows"][0]["threadFlows"]
    assert len(lane["locations"]) == 10_000
    assert lane["locations"][-1]["executionOrder"] == 10_050


def test_junit_has_a_suite_for_each_kind_and_tells_errors_from_failures():
    root = ElementTree.fromstring(junit(CASES))
    assert [
        (suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in root
    ] == [("hocket.graphs", "3", "1", "1"), ("hocket.proofs", "1", "1", "0")]
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == CYCLE.message
    assert failure.text == "the whole story"


def test_gitlab_gets_a_fingerprint_for_each_finding_and_a_line_for_all():
    entries = json.loads(gitlab([Case("g", "w.yml", "violated", (CYCLE, CYCLE, Row("G9", "t", "note", "m")))]))
    assert len({entry["fingerprint"] for entry in entries}) == 3
    assert [(entry["severity"], entry["location"]) for entry in entries] == [
        ("major", {"path": "a/w.yml", "lines": {"begin": 3}}),
        ("major", {"path": "a/w.yml", "lines": {"begin": 3}}),
        ("info", {"path": "w.yml", "lines": {"begin": 1}}),
    ]


def test_a_fingerprint_is_of_names_and_not_of_lines():
    moved = Row("G001", "cycle", "error", "other words", Place("a/w.yml", 99, 1), about=("b", "a"))
    assert moved.fingerprint == CYCLE.fingerprint
    other = Row("G001", "cycle", "error", "other words", Place("a/w.yml", 99, 1), about=("b", "c"))
    assert other.fingerprint != CYCLE.fingerprint


def test_github_shows_ten_of_a_kind_and_says_how_many_more_there_are():
    case = Case("g", "w", "violated", tuple([CYCLE] * 12 + [Row("G9", "t", "warning", "m", HERE)] * 10))
    said = workflow_commands([case]).split("\n")
    assert len(said) == 20
    assert said[9] == "::error::3 more findings are in the log of this step"
    assert said[0].startswith("::error file=a/w.yml,line=3,endLine=3,col=5,title=hocket G001::these tasks")
    assert said[10] == "::warning file=a/w.yml,line=3,endLine=3,col=5,title=hocket G9::m"


def test_a_summary_lists_what_was_checked_and_tells_what_is_wrong():
    said = step_summary(CASES)
    assert "| a/w.yml | violated | 2 |  |" in said
    assert "| good.yml | holds |  |  |" in said
    assert "the whole story" in said


def test_paths_are_told_as_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert uri(str(tmp_path / "a b.yml")) == "a%20b.yml"
    assert uri("./x\\y.yml") == "x/y.yml"
    assert uri("/elsewhere/w.yml") == "/elsewhere/w.yml"


texts = st.text(max_size=8)
places = st.builds(Place, texts, *[st.integers(0, 3)] * 4)
rows = st.builds(
    Row, texts, texts, st.sampled_from(["error", "warning", "note"]), texts, places, texts,
    st.tuples(st.tuples(places, texts)), st.lists(st.builds(Step, texts, texts, places), max_size=3).map(tuple),
)  # fmt: skip
cases = st.builds(
    Case, texts, texts, st.sampled_from(["holds", "violated", "unknown", "unusable"]),
    st.lists(rows, max_size=3).map(tuple), texts,
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(st.lists(cases, max_size=3))
def test_any_text_in_any_place_leaves_every_report_readable(given_cases):
    _checked(json.loads(sarif(given_cases, "0")))
    assert isinstance(json.loads(gitlab(given_cases)), list)
    ElementTree.fromstring(junit(given_cases))
    commands = workflow_commands(given_cases)
    assert all(line.startswith(("::error", "::warning", "::notice")) for line in commands.split("\n") if commands)
    assert step_summary(given_cases)


def test_a_finding_by_itself_is_told_as_in_its_report_but_for_the_lines_of_the_source():
    report = hocket.verify("hocket: 1\ntasks:\n  a: {writes: f}\n  b: {writes: f}\n", format="hocket")
    (finding,) = report.findings
    lines = iter(str(report).splitlines())
    assert all(line in lines for line in str(finding).splitlines())  # all of them, in that order
    assert str(finding).splitlines()[1:3] == ["    this run:", "     1. a starts"]
    assert str(finding).endswith("cure: " + finding.cure)
