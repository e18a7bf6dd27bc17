"""`hocket verify` as a person, a program and a CI job meet it: text, JSON, annotations, exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import hocket
from hocket.cli import main
from hocket.render import findings as drawn
from hocket.render.github import workflow_commands

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples" / "workflows"

CYCLE = """\
on: push
jobs:
  a:
    needs: [b]
    runs-on: x
    steps: [{run: x}]
  b:
    needs: a
    runs-on: x
    steps: [{run: x}]
"""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)


@pytest.fixture
def cyclic(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.yml").write_text(CYCLE)
    return "w.yml"


def test_a_finding_is_told_with_its_lines_and_its_cure(cyclic, capsys):
    assert main(["verify", cyclic]) == 1
    assert capsys.readouterr().out == (
        "w.yml:4:13: G001 these tasks wait for each other: a → b → a\n"
        "     4 |     needs: [b]\n"
        "       |             ^ 'a' waits for 'b'\n"
        "     8 |     needs: a\n"
        "       |            ^ 'b' waits for 'a'\n"
        "    cure: take out one of these edges\n"
        "\n"
        "w.yml: violated (1 error; 2 tasks, 2 edges)\n"
    )


def test_what_holds_takes_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("w.yml").write_text(CYCLE.replace("needs: a", "name: y"))
    assert main(["verify", "w.yml"]) == 0
    assert capsys.readouterr().out == "w.yml: holds (2 tasks, 1 edge, 1 run replayed)\n"


def test_standard_input_is_read_for_a_dash(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CYCLE.encode())))
    assert main(["verify", "-"]) == 1
    assert capsys.readouterr().out.startswith("<stdin>:4:13: G001 ")


def test_a_repository_is_its_workflows(tmp_path, monkeypatch, capsys):
    home = tmp_path / ".github" / "workflows"
    home.mkdir(parents=True)
    for name in ("a.yml", "b.yaml", "c.txt"):
        (home / name).write_text(CYCLE)
    monkeypatch.chdir(tmp_path)
    assert main(["verify"]) == 1
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines() if "G001" in line] == [
        ".github/workflows/a.yml",
        ".github/workflows/b.yaml",
    ]


def test_assertions_are_given_on_the_command_line(capsys):
    path = str(EXAMPLES / "release.yml")
    assert main(["verify", path, "--assert", "test before publish", "--assert", "report can run"]) == 0
    assert main(["verify", path, "--assert", "report requires publish"]) == 1
    assert "publish does not run: skipped" in capsys.readouterr().out
    assert main(["verify", path, "--assert", "report after publish"]) == 2
    assert "write 'A before B'" in capsys.readouterr().err


def test_an_unknown_format_is_refused(cyclic, capsys):
    assert main(["verify", cyclic, "--format", "gitlub"]) == 2
    assert "unknown format 'gitlub'" in capsys.readouterr().err


def test_json_has_the_documented_shape(cyclic, capsys):
    assert main(["verify", "--json", cyclic, "none.yml"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "hocket.verify.report/1"
    assert document["unusable"] == [
        {"path": "none.yml", "line": 0, "column": 0, "message": "there is no such file", "cure": "check the path"}
    ]
    (report,) = document["reports"]
    assert (report["path"], report["verdict"], report["counts"]) == ("w.yml", "violated", {"tasks": 2, "edges": 2})
    (finding,) = report["findings"]
    assert finding["witness"] == {"kind": "cycle", "tasks": ["a", "b"]}
    assert (finding["line"], finding["column"], finding["end_line"], finding["end_column"]) == (4, 13, 4, 14)
    assert [note["line"] for note in finding["notes"]] == [4, 8]


def test_json_holds_the_run_of_a_counterexample(capsys):
    assert main(["verify", "--json", str(EXAMPLES / "release.yml"), "--assert", "report requires publish"]) == 1
    (finding,) = json.loads(capsys.readouterr().out)["reports"][0]["findings"]
    assert finding["witness"]["kind"] == "run"
    assert finding["witness"]["events"][0] == {"event": "starts", "task": "build", "outcome": None}


def test_annotations_appear_by_themselves_in_a_workflow_of_github(cyclic, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert main(["verify", cyclic]) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("::")]
    assert said == [
        "::error file=w.yml,line=4,endLine=4,col=13,title=hocket G001::"
        "these tasks wait for each other: a → b → a (take out one of these edges)"
    ]


def test_annotations_are_escaped_and_at_most_ten():
    text = "on: push\njobs:\n" + "".join(f"  j{n}: {{needs: [x%{n}], runs-on: x, steps: []}}\n" for n in range(12))
    report = hocket.verify(text)
    said = workflow_commands([report.case()]).splitlines()
    assert len(said) == 10
    assert "x%250" in said[0]
    assert said[-1] == "::error::3 more findings are in the log of this step"


def test_a_narrow_terminal_gets_lines_that_fit():
    report = hocket.verify(EXAMPLES / "never.yml")
    lines = drawn.text(report, 60).splitlines()
    assert max(len(line) for line in lines if " | " not in line and "/" not in line) <= 60
    assert max(map(len, lines)) <= 100


def test_a_pipe_gets_no_colour_and_a_terminal_does_unless_it_declines(cyclic, monkeypatch, capsys):
    pytest.importorskip("rich")

    def output(colour: bool) -> str:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("FORCE_COLOR", "1") if colour else monkeypatch.setenv("NO_COLOR", "1")
        main(["verify", cyclic])
        return capsys.readouterr().out

    main(["verify", cyclic])
    assert "\x1b" not in capsys.readouterr().out
    assert "\x1b" in output(True)
    assert "\x1b" not in output(False)


WITHOUT = "import sys; sys.modules[{!r}] = None; from hocket.cli import main; sys.exit(main(['verify', *sys.argv[1:]]))"


def without(package: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package), *arguments], capture_output=True, text=True, check=False
    )


def test_without_z3_what_needs_it_is_unknown_and_never_0():
    done = without("z3", str(EXAMPLES / "never.yml"))
    assert (done.returncode, done.stderr) == (3, "")
    assert "G090 whether 'notify', 'archive' can run is not decided" in done.stdout
    assert "pip install 'hocket[verify]'" in done.stdout


def test_without_z3_what_needs_none_is_decided():
    assert without("z3", str(EXAMPLES / "cycle.yml")).returncode == 1
    assert without("z3", str(EXAMPLES / "release.yml"), "--assert", "test before publish").returncode == 0


def test_without_yaml_the_missing_extra_is_named():
    done = without("yaml", str(EXAMPLES / "cycle.yml"))
    assert done.returncode == 2
    assert "pip install 'hocket[graphs]'" in done.stderr


def test_importing_the_door_imports_nothing_heavy():
    code = "import sys, hocket; hocket.verify; print(sorted({'z3', 'yaml', 'hocket.verify.judge'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
