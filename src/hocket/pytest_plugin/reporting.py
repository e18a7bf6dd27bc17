"""What a run of pytest says about explorations: below a failure, in JUnit properties, in a section at the end.

The facts of a test ride on its report, because that is the one thing that
pytest-xdist carries from a worker to the process that prints. Nothing is drawn
while tests run, except on a terminal that a person looks at.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hocket.explore.progress import Progress

__all__ = ["Line", "github_commands", "progress_line", "properties", "show_below", "summary", "width_of"]

_MOST_ANNOTATIONS = 10  # of one step; GitHub shows no more
_ROOM = 30  # columns that a progress line needs at least
_NARROW, _WIDE = 60, 160  # columns of an interleaving
_TERMINAL = "/dev/tty"
_PROPERTIES = ("verdict", "classes", "executions", "seconds", "bound", "model", "examples", "reason", "schedule")
Facts = Mapping[str, Any]
Told = Sequence[tuple[str, Facts]]


def show_below(report: pytest.TestReport, call: pytest.CallInfo[Any], interleaving: str, bare: bool) -> None:
    """Add the interleaving to what a failure shows; a `bare` one has no frame of the program in its traceback."""
    if not report.failed or call.excinfo is None:
        return
    if bare:
        report.longrepr = call.excinfo.getrepr(style="value")
    add_section = getattr(report.longrepr, "addsection", None)  # a text, which other plugins may leave, has none
    if add_section is None:
        return
    notes = getattr(call.excinfo.value, "__notes__", ()) if bare else ()  # which pytest shows with a traceback only
    for title, told in (("notes", "\n".join(notes)), ("interleaving", interleaving)):
        if told:
            add_section(title, told, "-")


def width_of(config: pytest.Config) -> int:
    """Columns for an interleaving: those of the terminal, within reason; 80 where there is none."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    return max(_NARROW, min(_WIDE, reporter._tw.fullwidth)) if reporter is not None else 80


def properties(facts: Facts) -> list[tuple[str, object]]:
    """For JUnit, as `record_property` would write them; what does not apply is left out."""
    shown = [(name, facts[name]) for name in _PROPERTIES if facts.get(name) not in (None, "")]
    return [(f"hocket_{name}", value) for name, value in shown if name != "examples" or value != 1]


def summary(told: Told) -> list[str]:
    """One line a test: verdict, name, counts, rate."""
    widest = max((len(nodeid) for nodeid, _ in told), default=0)
    return [f"{facts['verdict']:<11} {nodeid:<{min(widest, 60)}}  {_counts(facts)}" for nodeid, facts in told]


def _counts(facts: Facts) -> str:
    seconds, executions = facts["seconds"], facts["executions"]
    parts = [_counted(facts["classes"], "class", "classes"), _counted(executions, "execution", "executions")]
    if facts["examples"] > 1:
        parts.insert(0, _counted(facts["examples"], "example", "examples"))
    if facts["verdict"] == "bounded":
        parts.insert(0, _counted(facts["bound"], "preemption", "preemptions") + " at most")
    if facts["model"]:
        parts.append(f"model {facts['model']}")
    if executions >= 10 and seconds > 0:  # of fewer it would tell about starting, and not about running
        parts.append(f"{executions / seconds:,.0f}/s")
    if facts.get("passed_over"):
        parts.append("breakpoint() passed over: it stops in a failing interleaving, and with --explore-replay")
    if facts["stored"]:
        parts = ["the schedule that failed last time"]
    if facts["verdict"] == "replayed":
        parts = [facts["reason"]]
    return ", ".join(parts)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


# -- GitHub -----------------------------------------------------------------------------------------------------------


def github_commands(told: Told) -> list[str]:
    """Workflow commands that GitHub shows beside the lines of a change; never more than ten."""
    bad = [(nodeid, facts) for nodeid, facts in told if facts["verdict"] in ("failed", "incomplete")]
    shown = bad if len(bad) <= _MOST_ANNOTATIONS else bad[: _MOST_ANNOTATIONS - 1]
    commands = [_annotation(nodeid, facts) for nodeid, facts in shown]
    if len(shown) < len(bad):
        commands.append(f"::error::{len(bad) - len(shown)} more explored tests failed: see the log of this step")
    return commands


def _annotation(nodeid: str, facts: Facts) -> str:
    path, line = facts["place"]
    title = f"hocket: {facts['verdict']}: {nodeid}"
    fields = ",".join(f"{name}={_escaped(str(value), ':,')}"
                      for name, value in (("file", path), ("line", line), ("title", title)))
    return f"::error {fields}::{_escaped(facts['reason'])}"


def _escaped(text: str, more: str = "") -> str:
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


# -- a line while a search runs ---------------------------------------------------------------------------------------


def progress_line(config: pytest.Config) -> Line | None:
    """What to call now and then while a search runs; None where nobody looks: a pipe, `-q`, CI, a worker."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    watched = reporter is not None and reporter.isatty and config.get_verbosity() >= 0
    if not watched or os.environ.get("CI") or hasattr(config, "workerinput"):
        return None
    return Line(reporter._tw, _TERMINAL)


class Line:
    """A line to the right of what pytest has written, written over again; it leaves no trace.

    It goes to the terminal itself: while a test runs, what pytest has of standard output is captured.
    """

    def __init__(self, writer: Any, terminal: str) -> None:
        self._writer, self._path = writer, terminal
        self._drawn = False

    def __call__(self, progress: Progress) -> None:
        room = self._writer.fullwidth - self._writer.width_of_current_line - 3
        if progress.seconds >= 1 and room >= _ROOM:
            self._put(f"  {progress}"[:room])

    def clear(self) -> None:
        """Leave the terminal as it was found."""
        if self._drawn:
            self._put("")
            self._drawn = False

    def _put(self, text: str) -> None:
        """The cursor is where it was afterwards."""
        try:
            with open(self._path, "w", encoding="utf-8", errors="replace") as terminal:
                terminal.write(f"\x1b7\x1b[K{text}\x1b8")
        except OSError:
            return  # there is none, or not for us
        self._drawn = True
