"""What came of explorations, in the formats that others read: cases for CI, pages and traces for people.

`hocket explore` writes them, from the neutral rows of `render`. A verdict of an exploration is one of four, a case's
one of three: what was bounded as asked for holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hocket import __version__
from hocket.cli.files import writing
from hocket.explore.result import Result
from hocket.render.github import step_summary, workflow_commands
from hocket.render.junit import junit
from hocket.render.page import Interleaving, page, picture, trace
from hocket.render.rows import Case, Place, Row, Step
from hocket.render.sarif import sarif

__all__ = ["FORMATS", "PICTURES", "case_of", "tell_github", "write", "write_picture", "write_report"]

_VERDICTS = {"proved": "holds", "bounded": "holds", "failed": "violated"}
FORMATS: dict[str, Callable[[list[Case]], str]] = {
    "junit": junit,
    "sarif": lambda cases: sarif(cases, __version__),
}
PICTURES: dict[str, Callable[[Interleaving], str]] = {"html": page, "svg": picture, "trace": trace}


def case_of(name: str, function: Callable[[], Any], result: Result) -> Case:
    """The exploration of `function`, called `name`."""
    counts = {"classes": result.classes, "executions": result.executions, "steps": result.steps}
    return Case("explorations", name, _VERDICTS.get(result.verdict, "unknown"), _rows(name, function, result),
                result.drawn(), result.seconds, counts)


def _rows(name: str, function: Callable[[], Any], result: Result) -> tuple[Row, ...]:
    if _VERDICTS.get(result.verdict) == "holds":
        return ()
    code = getattr(function, "__code__", None)
    home = Place(code.co_filename, code.co_firstlineno) if code is not None else Place()
    failure = result.failure
    if failure is None:
        return (Row("incomplete", "an exploration did not come to its end", "warning", f"{name}: {result.reason}",
                    home, about=(name,)),)
    steps = tuple(Step(row.actor, row.told, _place(row.place)) for row in failure.rows)
    last = next((step.place for step in reversed(steps) if step.place.path), home)
    said = failure.message + (f"; {failure.mattered}" if failure.mattered else "")
    return (Row(failure.kind, f"an interleaving ends in {failure.kind}", "error", f"{name}: {said}", last,
                f"replay: {failure.command()}", steps=steps, about=(name, failure.kind)),)


def _place(place: Any) -> Place:
    return Place(place[0], place[1]) if place else Place()


def write_picture(format: str, path: Path, result: Result) -> None:
    """The failing interleaving, if there is one."""
    failure = result.failure
    if failure is not None and failure.rows:
        write(path, PICTURES[format](failure.interleaving()))


def write_report(format: str, path: Path | None, cases: list[Case]) -> None:
    """All cases in one of FORMATS, where a file was asked for."""
    if path is not None:
        write(path, FORMATS[format](cases))


def write(path: Path, text: str) -> None:
    """The text into a file, in a folder that is made if need be; raises `SourceError` where that cannot be."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="replace")


def tell_github(cases: Sequence[Case]) -> None:
    """Annotations and a summary, where this runs in an Action."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return
    if said := workflow_commands(cases):
        print(said)
    if path := os.environ.get("GITHUB_STEP_SUMMARY"):
        with open(path, "a", encoding="utf-8") as file:
            file.write(step_summary(cases))
