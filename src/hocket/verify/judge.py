"""The whole of a verification: read, ask every question, decide the assertions, and write the certificate."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hocket.errors import SourceError
from hocket.verdict import Certificate
from hocket.verify import certificate as certificates
from hocket.verify.assertions import Assertion, Decided, decide, parse_assertion
from hocket.verify.codes import CODES
from hocket.verify.findings import Finding, Report
from hocket.verify.model import Graph
from hocket.verify.questions import Alive, Grouped, cycle_findings, deadlocks, liveness
from hocket.verify.readers import Reading, reader_for
from hocket.verify.source import Source, read
from hocket.verify.structure import shape

__all__ = ["judge", "read_graph"]


def judge(
    source: Any, format: str | None = None, assertions: Iterable[str | Assertion] = (), workers: int | None = None
) -> Report:
    """See `hocket.verify.verify`, which is this function's public face."""
    claims = [parse_assertion(claim) if isinstance(claim, str) else claim for claim in assertions]
    if workers is not None and workers < 1:
        raise SourceError(f"workers={workers!r}: a graph needs at least one worker", cure="leave it out for any number")
    reading = read_graph(source, format)
    found, certificate, counts = _questions(reading.graph, list(reading.findings), claims)
    cured = (replace(finding, cure=finding.cure or CODES[finding.code].cure) for finding in found)
    ordered = tuple(sorted(dict.fromkeys(cured), key=lambda finding: (finding.span, finding.code)))
    lines = {path: text.lines for path, text in reading.sources.items()}
    holds = not any(finding.is_error or finding.code == "G090" for finding in ordered)
    return Report(reading.graph.path, ordered, certificate if holds else None, reading.graph, lines, counts)


def read_graph(source: Any, format: str | None = None) -> Reading:
    """The graph behind a path, a text, a `Source` or a Python object; raises SourceError."""
    if isinstance(source, str) and (
        "\n" in source or (format is not None and not os.path.exists(source) and ":" in source)
    ):
        source = Source("<text>", source)
    elif isinstance(source, str | os.PathLike):
        source = read(source)
    return reader_for(source, format).read(source)


def _questions(
    graph: Graph, found: list[Finding], claims: list[Assertion]
) -> tuple[list[Finding], Certificate | None, dict[str, Any]]:
    """All questions in order; a cycle ends them, because then nothing has an order."""
    form = shape(graph)
    circles, rank = cycle_findings(graph, form)
    counts: dict[str, Any] = {"tasks": len(graph.tasks), "edges": sum(len(task.edges) for task in graph.tasks.values())}
    if circles:
        return found + circles, None, counts
    alive: Alive = liveness(graph)
    grouped: Grouped = deadlocks(graph)
    decided: list[Decided] = [decide(graph, form, claim) for claim in claims]
    found += alive.findings + grouped.findings + [one.finding for one in decided if one.finding is not None]
    counts |= {"runs replayed": len(alive.runs), "groups compared": grouped.compared, "assertions": len(claims)}
    return found, certificates.write(graph, form, rank, alive, grouped, decided), counts
