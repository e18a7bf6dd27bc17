"""`hocket check`: one answer for everything that the table names."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from hocket.cli import main, prove

PROGRAMS = """
import threading


def _two(add):
    threads = [threading.Thread(target=add) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def explore_adding():
    count = [0]

    def add():
        count[0] += 1

    _two(add)


def test_lost():
    count = [0]

    def add():
        count[0] += 1

    _two(add)
    assert count[0] == 2, "lost\\x07"
"""
CYCLE = """
on: push
jobs:
  build: {runs-on: x, needs: test, steps: [{run: x}]}
  test: {runs-on: x, needs: build, steps: [{run: x}]}
"""


@pytest.fixture
def checked(tmp_path, monkeypatch, capsys):
    """A function: write the table, check it, give the exit code and the answers."""
    name = f"programs_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(PROGRAMS)
    (tmp_path / "cycle.yml").write_text(CYCLE)
    (tmp_path / "fine.yml").write_text(CYCLE.replace("needs: test, ", ""))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)

    def check(table, *arguments):
        (tmp_path / "pyproject.toml").write_text("[tool.hocket]\n" + table.replace("PROGRAMS", name))
        code = main(["check", *arguments])
        said = capsys.readouterr()
        return code, said.out.replace(name, "PROGRAMS"), said.err

    return check


def rows(out):
    return [(each["kind"], each["name"], each["verdict"], each["counts"]) for each in map(json.loads, out.splitlines())]


def test_every_entry_has_one_answer_and_the_most_urgent_decides(checked):
    code, out, _ = checked("explorations = ['PROGRAMS.py', 'nowhere.py']\ngraphs = ['cycle.yml', 'fine.yml']", "--json")
    assert code == 2
    assert rows(out) == [
        ("explorations", "PROGRAMS.py::explore_adding", "holds", {"classes": 4, "executions": 4, "steps": 40}),
        ("explorations", "PROGRAMS.py::test_lost", "violated", rows(out)[1][3]),
        ("explorations", "nowhere.py", "unusable", {}),
        ("graphs", "cycle.yml", "violated", rows(out)[3][3]),
        ("graphs", "fine.yml", "holds", rows(out)[4][3]),
    ]


@pytest.mark.parametrize(("table", "code"), [
    ("explorations = ['PROGRAMS.py::explore_adding']\ngraphs = ['fine.yml']", 0),
    ("explorations = ['PROGRAMS.py::explore_adding']\nbound = 1", 0),
    ("explorations = ['PROGRAMS.py::explore_adding']\nmodel = 'gil'\nworkers = 2", 0),
    ("explorations = ['PROGRAMS.py::explore_adding']\nexecutions = 1", 3),
    ("explorations = ['PROGRAMS.py::explore_adding']\ngraphs = ['cycle.yml']\nexecutions = 1", 1),
    ("graphs = ['fine.yml', 'nowhere.yml']", 2),
    ("explorations = ['PROGRAMS.py::explore_adding']\nstrategy = 'best'", 2),
])
def test_exit_codes_are_those_of_every_command(checked, table, code):
    assert checked(table)[0] == code


def test_a_person_reads_the_verdict_first_and_quiet_leaves_out_what_holds(checked):
    table = "explorations = ['PROGRAMS.py']\ngraphs = ['fine.yml']"
    lines = checked(table)[1].splitlines()
    assert lines[0].startswith("holds     PROGRAMS.py::explore_adding: proved: 4 classes, 4 executions")
    assert lines[1].startswith("violated  PROGRAMS.py::test_lost: failed: ")
    assert lines[-1].startswith("holds     fine.yml: ")
    assert "replay: hocket replay PROGRAMS.py::test_lost 'hocket1:" in "\n".join(lines)
    assert "holds" not in checked(table, "--quiet")[1]


def test_junit_tells_failures_from_errors_and_is_xml_whatever_a_program_says(checked, tmp_path):
    checked("explorations = ['PROGRAMS.py', 'nowhere.py']", "--junit", "out.xml")
    (suite,) = ElementTree.parse(tmp_path / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    held, failed, unusable = suite
    assert {each.get("name"): each.get("value") for each in held.iter("property")} == {
        "hocket_verdict": "holds", "hocket_classes": "4", "hocket_executions": "4", "hocket_steps": "40"}
    assert "lost?" in failed.find("failure").text
    assert unusable.find("error").get("type") == "unusable"


def test_github_gets_annotations_when_it_runs(checked, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    out = checked("graphs = ['cycle.yml', 'fine.yml']")[1]
    commands = [line for line in out.splitlines() if line.startswith("::")]
    assert commands == ["::error file=cycle.yml,line=4,endLine=4,col=30,title=hocket G001::these tasks wait for each "
                        "other: build → test → build (take out one of these edges)"]
    many = checked(f"graphs = {['cycle.yml'] * 12}")[1]
    assert many.count("::error") == 10
    assert many.splitlines()[-1] == "::error::3 more findings are in the log of this step"


def test_sarif_has_explorations_graphs_and_proofs_each_at_its_line(checked, tmp_path, monkeypatch):
    monkeypatch.setattr(prove, "main", lambda options: print("an obligation\nUNKNOWN in 0.1 s") or 3)
    checked("explorations = ['PROGRAMS.py', 'nowhere.py']\ngraphs = ['cycle.yml']\nproofs = ['kernel_order']",
            "--sarif", "reports/out.sarif")
    (run,) = json.loads((tmp_path / "reports/out.sarif").read_text())["runs"]
    found = {result["ruleId"]: (result["level"], result.get("locations")) for result in run["results"]}
    assert {code: level for code, (level, _) in found.items()} == {
        "assertion": "error", "G001": "error", "proof-unknown": "warning"}
    for code, file in (("assertion", ".py"), ("G001", "cycle.yml")):
        where = found[code][1][0]["physicalLocation"]
        assert where["artifactLocation"]["uri"].endswith(file)
        assert where["region"]["startLine"] > 0
    assert [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]] != []
    assert run["invocations"][0]["exitCode"] == 2


@pytest.mark.parametrize("format", ["junit", "sarif"])
def test_a_report_that_cannot_be_written_is_said_without_a_traceback(checked, format):
    code, _, error = checked("graphs = ['fine.yml']", f"--{format}", "/dev/null/out")
    assert (code, error) == (2, "hocket check: /dev/null/out: cannot be written: File exists\n")


def test_proofs_are_those_of_hocket_prove(checked, monkeypatch):
    asked = []

    def pretend(options):
        asked.append((options.names, options.seconds))
        print("an obligation\nUNKNOWN in 0.1 s")
        return 3

    monkeypatch.setattr(prove, "main", pretend)
    code, out, _ = checked("proofs = ['kernel_order']\nseconds = 2.5")
    assert (code, asked) == (3, [(["kernel_order"], 2.5)])
    assert out.splitlines() == ["unknown   kernel_order: UNKNOWN in 0.1 s", "an obligation"]


@pytest.mark.parametrize(("table", "message"), [
    ("", "[tool.hocket] names nothing to check"),
    ("explorations = []", "[tool.hocket] names nothing to check"),
    ("exploration = ['a.py']", "[tool.hocket] has no key 'exploration' (its keys are explorations, graphs, proofs, "),
    ("graphs = 'a.yml'", "[tool.hocket] graphs is 'a.yml' (write a list of names)"),
    ("graphs = ['a.yml']\nseconds = 'ten'", "[tool.hocket] seconds is 'ten' (write int or float)"),
    ("graphs = ['a.yml']\nbound = true", "[tool.hocket] bound is True (write int)"),
    ("graphs = ['a.yml']\nworkers = 0", "[tool.hocket] workers is 0 (write a number of processes, or 'auto')"),
    ("graphs = [", "is no TOML: "),
])
def test_a_table_that_cannot_be_meant_is_refused_with_the_right_names(checked, table, message):
    code, out, err = checked(table)
    assert (code, out) == (2, "")
    assert message in err


def test_without_a_file_there_is_an_answer_too(checked, tmp_path, capsys):
    assert main(["check", "--config", "none.toml"]) == 2
    assert capsys.readouterr().err == "hocket check: none.toml: cannot be read: No such file or directory\n"
