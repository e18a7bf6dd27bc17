"""The whole of a verification: read the graph, ask every question (inquiry.py), report, and write the certificate."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hocket.errors import SourceError
from hocket.verify.assertions import Assertion, parse_assertion
from hocket.verify.budget import SECONDS, UNLIMITED, Budget, budget_of
from hocket.verify.certificate import write
from hocket.verify.codes import CODES, Severity
from hocket.verify.findings import Finding, Report
from hocket.verify.inquiry import Inquiry
from hocket.verify.model import Graph
from hocket.verify.readers import Reading, reader_for
from hocket.verify.readers.discover import is_text, opened
from hocket.verify.readers.quick import quick_graph
from hocket.verify.source import Source

__all__ = ["judge", "judge_graph", "read_graph", "read_quickly"]


def judge(
    source: Any,
    format: str | None = None,
    assertions: Iterable[str | Assertion] = (),
    workers: int | None = None,
    notes: bool = False,
    seconds: float = SECONDS,
) -> Report:
    """See `hocket.verify.verify`, which is this function's public face."""
    budget = budget_of(seconds)
    text = _text(source, format)
    claims = list(assertions)
    if (graph := _quickly(text, format)) is not None:
        report = judge_graph(Reading(graph), claims, workers, notes, budget)
        if not report.findings:
            return report
        if all(span.line for one in report.findings for span in (one.span, *(note.span for note in one.notes))):
            return replace(report, lines={text.path: text.lines})
    return judge_graph(read_graph(text, format), claims, workers, notes, budget)


def read_quickly(source: Any, format: str | None = None) -> Reading:
    """As `read_graph`, for somebody who asks for no places: those of a large graph may be left out."""
    text = _text(source, format)
    graph = _quickly(text, format)
    return read_graph(text, format) if graph is None else Reading(graph)


def _quickly(source: Any, format: str | None) -> Graph | None:
    """The graph with places that are looked up when they are asked for, if it is one that can be read so."""
    if not isinstance(source, Source) or format not in (None, "hocket"):
        return None
    with _no_collection():
        return quick_graph(source)


def judge_graph(
    reading: Reading,
    assertions: Iterable[str | Assertion] = (),
    workers: int | None = None,
    notes: bool = False,
    budget: Budget = UNLIMITED,
) -> Report:
    """Every question of a graph that was read; what there is no time for is unknown."""
    claims = [parse_assertion(claim) if isinstance(claim, str) else claim for claim in assertions]
    if workers is not None and workers < 1:
        raise SourceError(f"workers={workers!r}: a graph needs at least one worker", cure="leave it out for any number")
    inquiry = Inquiry(reading.graph, list(reading.findings), workers, notes, budget)
    inquiry.claims = [*_own_claims(inquiry), *claims]
    certified = inquiry.run()
    cured = (replace(finding, cure=finding.cure or CODES[finding.code].cure) for finding in inquiry.findings)
    shown = (one for one in cured if notes or CODES[one.code].severity is not Severity.NOTE)
    ordered = tuple(sorted(dict.fromkeys(shown), key=lambda finding: (finding.span, finding.code)))
    lines = {path: text.lines for path, text in reading.sources.items()}
    report = Report(reading.graph.path, ordered, None, reading.graph, lines, inquiry.counts)
    return replace(report, certificate=write(inquiry)) if certified and report.verdict == "holds" else report


def read_graph(source: Any, format: str | None = None) -> Reading:
    """The graph behind a path, a text, a `Source` or a Python object; raises SourceError."""
    source = _text(source, format)
    with _no_collection():
        return reader_for(source, format).read(source)


def _text(source: Any, format: str | None) -> Any:
    """The text of a path or string; a Python object as it is."""
    if isinstance(source, str) and is_text(source, format):
        return Source("<text>", source)
    return opened(source) if isinstance(source, str | os.PathLike) else source


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the cyclic garbage collector, which would look through all tasks again and again while they are made."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _own_claims(inquiry: Inquiry) -> list[Assertion]:
    """The claims that stand in the graph file itself; one that cannot be read is a finding."""
    found = []
    for text, span in inquiry.graph.claims:
        try:
            found.append(replace(parse_assertion(text), place=span))
        except SourceError as error:
            inquiry.findings.append(Finding("G021", error.message, span, cure=error.cure))
    return found
