"""What a verification found, as values: a program reads them, `render` draws them.

A finding has one place and one sentence, then the places that explain it, then a
witness: the cycle, or the run in which it happens. A run is only ever put here
after `replay` has gone through it. Refused: findings as formatted text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hocket.render.rows import Case, Place, Row, Step
from hocket.verdict import Certificate
from hocket.verify.codes import CODES, Severity
from hocket.verify.model import NOWHERE, Graph, Span
from hocket.verify.replay import Run

__all__ = ["Finding", "Note", "Report", "undecided"]


@dataclass(frozen=True, slots=True)
class Note:
    """One more place that belongs to a finding, and what is to be seen there."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (or, for G090, not known): `witness` is a cycle (task names), a `Run`, or None."""

    code: str
    message: str
    span: Span = NOWHERE
    notes: tuple[Note, ...] = ()
    witness: tuple[str, ...] | Run | None = field(default=None, hash=False)
    cure: str = ""
    about: tuple[str, ...] = ()  # the tasks that it is about: what stays when lines move

    @property
    def path(self) -> str:
        return self.span.path

    @property
    def line(self) -> int:
        return self.span.line

    @property
    def column(self) -> int:
        return self.span.column

    @property
    def severity(self) -> str:
        return CODES[self.code].severity.value

    @property
    def is_error(self) -> bool:
        return CODES[self.code].severity is Severity.ERROR

    def __str__(self) -> str:
        from hocket.render.findings import story

        return story(self)

    def row(self, graph: Graph | None = None) -> Row:
        """The finding as every report format takes it; with its graph, each step of a run has a place."""
        return Row(
            self.code,
            CODES[self.code].title,
            self.severity,
            self.message,
            _place(self.span),
            self.cure or CODES[self.code].cure,
            tuple((_place(note.span), note.text) for note in self.notes),
            _steps(self.witness, graph) if isinstance(self.witness, Run) else (),
            self.about or (self.witness if isinstance(self.witness, tuple) else ()),
        )


def undecided(what: str, reason: object, span: Span = NOWHERE) -> Finding:
    """The finding that something could not be decided, which is never success."""
    return Finding("G090", f"{what} is not decided: {reason}", span)


def _place(span: Span) -> Place:
    return Place(span.path, span.line, span.column, span.end_line, span.end_column)


def _steps(run: Run, graph: Graph | None) -> tuple[Step, ...]:
    tasks = graph.tasks if graph else {}
    return tuple(
        Step(event.task, event.deed, _place(tasks[event.task].span) if event.task in tasks else Place())
        for event in run.events
    )


@dataclass(frozen=True)
class Report:
    """The answer of `hocket.verify`: verdict, findings in source order, and a certificate where everything holds."""

    path: str
    findings: tuple[Finding, ...]
    certificate: Certificate | None = None
    graph: Graph | None = None
    lines: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)  # the sources, for quoting
    counts: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """ "violated" if anything is wrong, else "unknown" if anything is undecided, else "holds"."""
        if any(finding.is_error for finding in self.findings):
            return "violated"
        return "unknown" if any(finding.code == "G090" for finding in self.findings) else "holds"

    @property
    def exit_code(self) -> int:
        return {"holds": 0, "violated": 1, "unknown": 3}[self.verdict]

    def case(self, seconds: float = 0.0) -> Case:
        """The report as a case of `hocket.render.rows`, from which SARIF, JUnit and the other formats are written."""
        rows = tuple(finding.row(self.graph) for finding in self.findings)
        return Case("graphs", self.path or "graph", self.verdict, rows, str(self), seconds, self.counts)

    def __str__(self) -> str:
        from hocket.render.findings import text

        return text(self)
