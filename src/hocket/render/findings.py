"""Findings as text and JSON: values in, strings out. (All other formats are written from `rows`.)

A finding is one line that an editor can jump to, `path:line:column: CODE sentence`,
then its story: the source lines with carets, the run in which it happens, the cure.
The text is made of styled pieces (`lines`); plain text drops the styles, and the
command line hands them to rich where there is a terminal that wants colour.
What is drawn here is described by protocols, because this room lies below `verify`.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

__all__ = ["SCHEMA", "json_text", "lines", "story", "summary", "text"]

Piece = tuple[str, str]  # (style, text); styles: "", "error", "warning", "place", "code", "caret", "dim", "good"

SCHEMA = "hocket.verify.report/1"  # described in docs/reference/verify.md


class SpanLike(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...
    @property
    def end_line(self) -> int: ...
    @property
    def end_column(self) -> int: ...


class NoteLike(Protocol):
    @property
    def span(self) -> SpanLike: ...
    @property
    def text(self) -> str: ...


class FindingLike(Protocol):
    @property
    def code(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def span(self) -> SpanLike: ...
    @property
    def notes(self) -> Sequence[NoteLike]: ...
    @property
    def witness(self) -> Any: ...
    @property
    def cure(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def about(self) -> Sequence[str]: ...


class ReportLike(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def findings(self) -> Sequence[FindingLike]: ...
    @property
    def lines(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def counts(self) -> Mapping[str, Any]: ...


def text(report: ReportLike, width: int = 0) -> str:
    """The whole report as plain text; `width` in columns, 0 for no wrapping."""
    return _plain(lines(report, width))


def story(finding: FindingLike) -> str:
    """One finding by itself, as its report tells it but for the lines of the source."""
    return _plain(_told_of(finding, {}, 0))


def _plain(styled: Iterable[list[Piece]]) -> str:
    return "\n".join("".join(piece for _, piece in line) for line in styled)


def _told_of(finding: FindingLike, sources: Mapping[str, Sequence[str]], width: int) -> Iterator[list[Piece]]:
    yield from _wrapped(_headline(finding), width)
    yield from _story(finding, sources, width)


def lines(report: ReportLike, width: int = 0) -> Iterator[list[Piece]]:
    """The report line by line, each line as styled pieces."""
    for finding in report.findings:
        yield from _told_of(finding, report.lines, width)
        yield []
    yield from _wrapped(summary(report), width)


def summary(report: ReportLike) -> list[Piece]:
    """One line: the verdict, and what it is about."""
    style = {"holds": "good", "violated": "error", "unknown": "warning"}[report.verdict]
    errors = sum(finding.severity == "error" for finding in report.findings)
    tally = _plural(errors, "errors") if errors else ""
    counts = ", ".join(f"{_plural(number, what)}" for what, number in report.counts.items() if number)
    about = "; ".join(part for part in (tally, counts) if part)
    return [("place", f"{report.path or 'graph'}: "), (style, report.verdict), ("dim", f" ({about})" if about else "")]


def _plural(number: float, what: str) -> str:
    head, _, tail = what.partition(" ")
    shown = f"{number:g}" if isinstance(number, float) else number
    return f"{shown} {head.removesuffix('s') if number == 1 else head}" + (f" {tail}" if tail else "")


def _headline(finding: FindingLike) -> list[Piece]:
    place = ":".join(str(part) for part in (finding.span.path, finding.span.line, finding.span.column) if part)
    return [("place", f"{place}: " if place else ""), (finding.severity, finding.code), ("", f" {finding.message}")]


def _story(finding: FindingLike, sources: Mapping[str, Sequence[str]], width: int) -> Iterator[list[Piece]]:
    shown = [(note.span, note.text) for note in finding.notes] or [(finding.span, "")]
    if all(span != finding.span for span, _ in shown):
        shown.insert(0, (finding.span, ""))
    for span, said in shown:
        yield from _quoted(span, said, sources.get(span.path, ()), finding.span.path, width)
    yield from _run(finding.witness, width)
    if finding.cure:
        yield from _wrapped([("good", "    cure: "), ("", finding.cure)], width)


def _quoted(span: SpanLike, said: str, source: Sequence[str], main: str, width: int) -> Iterator[list[Piece]]:
    """The line of a place, with a caret below it; a place in another file says so."""
    if not 0 < span.line <= len(source):
        return
    if span.path != main:
        yield [("dim", f"    in {span.path}:")]
    line = source[span.line - 1].expandtabs(1)
    length = span.end_column - span.column if span.end_line == span.line else len(line) - span.column + 1
    start = span.column - 1
    room = max(width - 10, 30) if width else 200
    cut = max(0, start - room // 2) if len(line) > room else 0
    shown = line[cut : cut + room].rstrip()
    carets = "^" * max(1, min(length, len(shown) - (start - cut)))
    yield [("dim", f"{span.line:>6} | "), ("", shown)]
    yield [
        ("dim", "       | "),
        ("caret", " " * (start - cut) + carets),
        ("", f" {said}" if said and not _too_wide(start - cut, carets, said, width) else ""),
    ]
    if said and _too_wide(start - cut, carets, said, width):
        yield from _wrapped([("dim", "       | "), ("", said)], width)


def _too_wide(start: int, carets: str, said: str, width: int) -> bool:
    return bool(width) and 10 + start + len(carets) + len(said) > width


def _run(witness: Any, width: int) -> Iterator[list[Piece]]:
    """A run as its configuration and its timeline; a cycle is already in the sentence and in the lines."""
    if witness is None or isinstance(witness, tuple):
        return
    values = [
        f"{name} = {json.dumps(value)}" for name, value in witness.values.items() if value not in (None, "", False, 0.0)
    ]
    if values:
        yield from _wrapped([("dim", "    with "), ("", ", ".join(values))], width)
    yield [("dim", "    this run:")]
    for number, event in enumerate(_told(witness.events), 1):
        yield from _wrapped([("dim", f"{number:>6}. "), ("", str(event))], width)


def _told(events: Sequence[Any]) -> Sequence[Any]:
    """A long run from its end: what leads to the point is what was last."""
    return events if len(events) <= 30 else ["…", *events[-29:]]


def _wrapped(line: list[Piece], width: int) -> Iterator[list[Piece]]:
    """The line as it is if it fits; else broken at words, with what follows indented and without style."""
    whole = "".join(piece for _, piece in line)
    if not width or len(whole) <= width:
        yield line
        return
    for part in textwrap.wrap(whole, max(width, 20), subsequent_indent="        ", break_on_hyphens=False):
        yield [("", part)]


# -- JSON -------------------------------------------------------------------------------------------------------------


def json_text(reports: Iterable[ReportLike], problems: Iterable[Mapping[str, Any]] = ()) -> str:
    """All reports as one JSON document, in the schema of docs/reference/verify.md."""
    document = {"schema": SCHEMA, "reports": [_report(report) for report in reports], "unusable": list(problems)}
    return json.dumps(document, indent=2, ensure_ascii=False)


def _report(report: ReportLike) -> dict[str, Any]:
    return {
        "path": report.path,
        "verdict": report.verdict,
        "counts": dict(report.counts),
        "findings": [_finding(finding) for finding in report.findings],
    }


def _finding(finding: FindingLike) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        **_span(finding.span),
        "cure": finding.cure,
        "about": list(finding.about),
        "notes": [{**_span(note.span), "text": note.text} for note in finding.notes],
        "witness": _witness(finding.witness),
    }


def _span(span: SpanLike) -> dict[str, Any]:
    return {
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _witness(witness: Any) -> dict[str, Any] | None:
    if witness is None:
        return None
    if isinstance(witness, tuple):
        return {"kind": "cycle", "tasks": list(witness)}
    events = [
        {
            "event": event.did.value,
            "task": event.task,
            "outcome": event.outcome.value if event.outcome else None,
        }
        | ({"channel": event.channel} if event.channel else {})
        for event in witness.events
    ]
    return {"kind": "run", "values": dict(witness.values), "events": events}
