"""Where reports go: to the terminal, and to files in whatever formats are asked for.

`--output FORMAT` prints, `--output FORMAT=FILE` writes; each may be given several
times. In a workflow of GitHub annotations and the step's summary come by themselves.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hocket import __version__
from hocket.cli.files import writing
from hocket.errors import SourceError
from hocket.render import findings as drawn
from hocket.render.drawing import DRAWINGS, around
from hocket.render.github import step_summary, workflow_commands
from hocket.render.gitlab import gitlab
from hocket.render.junit import junit
from hocket.render.rows import Case
from hocket.render.sarif import sarif
from hocket.verify.codes import CODES
from hocket.verify.findings import Report

__all__ = ["FORMATS", "Answers", "draw", "put", "tell"]

_STYLES = {
    "error": "bold red", "warning": "bold yellow", "note": "cyan", "good": "green", "place": "bold", "caret": "red",
    "dim": "dim",
}  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """All that came of one call: a report and its seconds for each source, and what could not be used."""

    reports: Sequence[tuple[Report, float]] = ()
    problems: Sequence[SourceError] = ()

    @property
    def cases(self) -> list[Case]:
        bad = [Case("graphs", error.path or "graph", "unusable", (), str(error)) for error in self.problems]
        return [report.case(seconds) for report, seconds in self.reports] + bad


FORMATS: dict[str, Callable[[Answers], str]] = {
    "text": lambda answers: "\n\n".join(map(str, (report for report, _ in answers.reports))),
    "json": lambda answers: drawn.json_text([report for report, _ in answers.reports], map(_problem, answers.problems)),
    "sarif": lambda answers: sarif(answers.cases, __version__, [(row.code, row.title) for row in CODES.values()]),
    "junit": lambda answers: junit(answers.cases),
    "github": lambda answers: workflow_commands(answers.cases),
    "summary": lambda answers: step_summary(answers.cases),
    "gitlab": lambda answers: gitlab(answers.cases),
}


def put(answers: Answers, wanted: Sequence[str]) -> None:
    """Print or write each output; without any, text for a person, and what GitHub shows if this runs there."""
    for name in wanted or ["text"]:
        format, _, path = name.partition("=")
        if path:
            _write(path, FORMATS[format](answers))
        elif format == "text":
            tell([report for report, _ in answers.reports])
        elif said := FORMATS[format](answers):
            print(said)
    for error in answers.problems:
        print(f"hocket verify: {error}", file=sys.stderr)
    if os.environ.get("GITHUB_ACTIONS") == "true" and not any("=" not in name for name in wanted):
        _tell_github(answers)


def _tell_github(answers: Answers) -> None:
    if said := workflow_commands(answers.cases):
        print(said)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(step_summary(answers.cases))


def draw(answers: Answers, wanted: Sequence[str]) -> None:
    """Draw the first finding (or, without any, the graph) of the first report, in each format that is asked for."""
    for name in wanted:
        format, _, path = name.partition("=")
        if not answers.reports:
            return
        report = next((report for report, _ in answers.reports if report.findings), answers.reports[0][0])
        text = DRAWINGS[format](_picture(report))
        if path:
            _write(path, text)
        else:
            print(text)


def _picture(report: Report) -> Any:
    finding = report.findings[0] if report.findings else None
    tasks = report.graph.tasks if report.graph else {}
    befores = {
        name: [edge.before for edge in (*task.edges, *task.awaits)] + ([task.parent] if task.parent else [])
        for name, task in tasks.items()
    }
    if finding is None:
        return around(f"{report.path or 'graph'}: {report.verdict}", befores, ())
    cycle = finding.witness if isinstance(finding.witness, tuple) else ()
    return around(f"{finding.code} {finding.message}", befores, finding.about, cycle)


def _write(path: str, text: str) -> None:
    with writing(path):
        Path(path).write_text(text + "\n", encoding="utf-8", errors="replace")


def _problem(error: SourceError) -> dict[str, Any]:
    fields = ("path", "line", "column", "message", "cure")
    return {name: getattr(error, name) for name in fields}


def tell(reports: Sequence[Report]) -> None:
    """Print for a person: colour only for a terminal that wants it; a pipe gets plain text, unwrapped."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if terminal else 0
    console = _console() if terminal and not os.environ.get("NO_COLOR") else None
    for report in reports:
        for line in drawn.lines(report, width):
            if console is None:
                print("".join(piece for _, piece in line))
            else:
                console(line)


def _console() -> Any:
    """A printer of styled pieces if rich is there, else None."""
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        return None
    console = Console(highlight=False, soft_wrap=True)
    return lambda line: console.print(Text.assemble(*((piece, _STYLES.get(style, "")) for style, piece in line)))
