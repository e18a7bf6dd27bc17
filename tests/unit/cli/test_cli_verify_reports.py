"""`hocket verify` in CI: formats, levels, baselines, settings, certificates, pictures, watching."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

from hocket.cli import main
from hocket.cli.verify import watch

SCHEMA = Path(__file__).parents[3] / "docs" / "reference" / "report.schema.json"
RACE = "hocket: 1\ntasks:\n  a: {writes: x}\n  b: {writes: x}\n"
GOOD = "hocket: 1\ntasks:\n  a: {writes: x}\n  b: {after: a, writes: x}\n"
ROUND = "hocket: 1\ntasks:\n  a: {after: b}\n  b: {after: a}\n"
LATE = "hocket: 1\ntasks:\n  a: {}\n  b: {after: a}\n  c: {after: [a, b]}\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for name, text in {"race": RACE, "good": GOOD, "round": ROUND, "late": LATE}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    return tmp_path


def said(capsys):
    return capsys.readouterr().out


def test_json_is_what_its_schema_says(capsys):
    jsonschema = pytest.importorskip("jsonschema")
    assert main(["verify", "race.yml", "round.yml", "good.yml", "none.yml", "--json"]) == 2
    document = json.loads(said(capsys))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    assert [report["verdict"] for report in document["reports"]] == ["violated", "violated", "holds"]
    assert [report["findings"][0]["witness"]["kind"] for report in document["reports"][:2]] == ["run", "cycle"]
    assert [problem["path"] for problem in document["unusable"]] == ["none.yml"]


def test_each_format_is_printed_or_written(here, capsys):
    formats = ("json", "sarif", "junit", "gitlab", "github", "summary", "text")
    words = [f"--output={name}=out.{name}" for name in formats]
    assert main(["verify", "race.yml", *words, "--output", "text"]) == 1
    assert "G017" in said(capsys)
    assert json.loads((here / "out.sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "G017"
    assert len(json.loads((here / "out.gitlab").read_text())) == 1
    assert ElementTree.fromstring((here / "out.junit").read_text()).find(".//failure") is not None
    assert (here / "out.github").read_text().startswith("::error file=race.yml,line=4,")
    assert "violated" in (here / "out.summary").read_text()
    assert (here / "out.text").read_text().startswith("race.yml:4:")


def test_a_format_that_there_is_not_is_refused_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit) as end:
        main(["verify", "good.yml", "--output", "pdf"])
    assert end.value.code == 2
    assert "the formats are text, json, sarif, junit, github, summary, gitlab" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["late.yml"], 0),
        (["late.yml", "--notes"], 0),
        (["late.yml", "--notes", "--fail-on", "note"], 1),
        (["race.yml", "--fail-on", "never"], 0),
        (["race.yml", "--fail-on", "warning"], 1),
        (["none.yml", "--fail-on", "never"], 2),
        (["good.yml", "--workers", "2"], 0),
    ],
)
def test_what_fails_is_said_by_a_level(words, code, capsys):
    assert main(["verify", *words]) == code


def test_what_is_not_decided_fails_unless_it_is_allowed(here, capsys):
    text = "hocket: 1\nresources: {x: 1}\ndeadline: 9\ntasks:\n  a: {takes: 1, holds: x}\n  b: {takes: 1, holds: x}\n"
    (here / "open.yml").write_text(text)
    assert main(["verify", "open.yml"]) == 3
    assert main(["verify", "open.yml", "--allow-unknown"]) == 0


def test_a_baseline_lets_through_what_was_there_and_nothing_new(here, capsys):
    assert main(["verify", "race.yml", "--write-baseline", "base.json"]) == 1
    (here / "race.yml").write_text("# moved\n\n" + RACE)
    assert main(["verify", "race.yml", "--baseline", "base.json"]) == 0
    assert "1 finding of the baseline" in said(capsys)
    (here / "race.yml").write_text(RACE + "  c: {after: [a, b], writes: y}\n  d: {writes: y}\n")
    assert main(["verify", "race.yml", "--baseline", "base.json"]) == 1
    assert main(["verify", "good.yml", "--baseline", "none.json"]) == 2
    (here / "bad.json").write_text('{"schema": "other"}')
    assert main(["verify", "good.yml", "--baseline", "bad.json"]) == 2


def test_pyproject_names_claims_workers_and_levels(here, capsys):
    settings = '[tool.hocket.verify]\nassertions = {{ "good.yml" = ["{}"] }}\nnotes = true\nfail-on = "{}"\n'
    (here / "pyproject.toml").write_text(settings.format("b before a", "error"))
    assert main(["verify", "good.yml"]) == 1
    assert "'b before a' does not hold" in said(capsys)
    assert main(["verify", "late.yml"]) == 0
    (here / "pyproject.toml").write_text(settings.format("a before b", "note"))
    assert main(["verify", "good.yml"]) == 0
    assert main(["verify", "late.yml"]) == 1
    assert main(["verify", "late.yml", "--fail-on", "error"]) == 0


@pytest.mark.parametrize(
    "line", ["workes = 2", "workers = 0", "workers = true", 'fail-on = "all"', 'assertions = ["a"]', "baseline = 1"]
)
def test_a_setting_that_means_nothing_is_refused(line, here, capsys):
    (here / "pyproject.toml").write_text(f"[tool.hocket.verify]\n{line}\n")
    assert main(["verify", "good.yml"]) == 2
    assert "pyproject.toml" in capsys.readouterr().err


def test_hocket_check_asks_the_same_claims(here, capsys):
    (here / "pyproject.toml").write_text(
        '[tool.hocket]\ngraphs = ["good.yml"]\nverify = { assertions = { "good.yml" = ["b before a"] } }\n'
    )
    assert main(["check"]) == 1
    assert "'b before a' does not hold" in said(capsys)


def test_a_certificate_is_written_and_audited_and_a_changed_one_is_refused(here, capsys):
    assert main(["verify", "good.yml", "--certificate", "good.cert"]) == 0
    assert main(["audit", "good.cert", "good.yml"]) == 0
    assert "good.cert: holds (proved)" in said(capsys)
    assert main(["audit", "good.cert", "late.yml"]) == 1
    assert main(["audit", "good.cert"]) == 2
    certificate = json.loads((here / "good.cert").read_text())
    certificate["data"]["rank"][0] ^= 1
    (here / "good.cert").write_text(json.dumps(certificate))
    assert main(["audit", "good.cert", "good.yml"]) == 1
    assert main(["verify", "race.yml", "--certificate", "race.cert"]) == 2


def test_a_finding_is_drawn_in_each_format(here, capsys):
    words = ["--draw", "svg=x.svg", "--draw", "dot=x.dot", "--draw", "mermaid"]
    assert main(["verify", "round.yml", *words]) == 1
    assert "linkStyle 0,1 stroke:#c00" in said(capsys)
    svg = ElementTree.fromstring((here / "x.svg").read_text())
    names = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert names[1:] == ["a", "b"]
    assert (here / "x.dot").read_text().count("penwidth=3") == 2


def test_watching_verifies_again_when_a_file_changes_and_ends_with_the_last_code(here):
    (here / "w").write_text("1")
    calls, waits = [], []

    def once():
        calls.append((here / "w").read_text())
        return len(calls), {str(here / "w")}

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            (here / "w").write_text("22")
            os.utime(here / "w", ns=(1, 1))
        if len(waits) == 4:
            raise KeyboardInterrupt

    assert watch(once, wait) == 2
    assert calls == ["1", "22"]


def test_in_a_workflow_of_github_annotations_and_the_summary_come_by_themselves(here, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(here / "summary.md"))
    assert main(["verify", "race.yml", "--output", "sarif=x.sarif", "--output", "text=x.txt"]) == 1
    assert "::error file=race.yml,line=4," in said(capsys)
    assert "| race.yml | violated | 1 |" in (here / "summary.md").read_text()
