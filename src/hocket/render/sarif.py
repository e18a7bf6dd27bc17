"""Cases as SARIF 2.1.0 (OASIS), which GitHub code scanning and most editors read.

A finding with a run becomes a *code flow*: one thread flow per actor, and the order
of the steps over all of them in `executionOrder`, which is what the format means by
it. Fingerprints are of names, not of lines, so a finding stays the same one when the
file moves. Inputs that could not be used are notifications of the tool, not results.

GitHub reads 25,000 results a run and 10,000 locations of a flow; what is over is cut
from the beginning of a flow, because what leads to the point is what was last.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from hocket.render.rows import EXITS, Case, Place, Row, Step, rows_of, uri

__all__ = ["LINK", "sarif"]

LINK = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_MOST_RESULTS = 25_000
_MOST_STEPS = 10_000


def sarif(cases: Iterable[Case], version: str, titles: Iterable[tuple[str, str]] = ()) -> str:
    """One SARIF log with one run. `version` is the tool's; `titles` are (code, title) of rules without a finding."""
    listed = list(cases)
    rows = rows_of(listed)[:_MOST_RESULTS]
    rules: dict[str, str] = dict(titles)
    for row in rows:
        rules.setdefault(row.code, row.title)
    places = {code: number for number, code in enumerate(rules)}
    run = {
        "tool": {"driver": {"name": "hocket", "version": version, "rules": [_rule(*item) for item in rules.items()]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(listed)],
        "results": [_result(row, places[row.code]) for row in rows],
    }
    log = {"$schema": LINK, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=True)


def _rule(code: str, title: str) -> dict[str, Any]:
    return {"id": code, "name": _pascal(title), "shortDescription": {"text": title}}


def _pascal(title: str) -> str:
    return "".join(word.capitalize() for word in title.split() if word.isalnum()) or "Finding"


def _invocation(cases: Sequence[Case]) -> dict[str, Any]:
    unusable = [case for case in cases if case.verdict == "unusable"]
    codes = {EXITS[case.verdict] for case in cases}
    notes = [
        {"level": "error", "message": {"text": case.text or "the input cannot be used"}, **_at(Place(case.name))}
        for case in unusable
    ]
    return {
        "executionSuccessful": not unusable,
        "exitCode": next((code for code in (2, 1, 3) if code in codes), 0),
        "toolExecutionNotifications": notes,
    }


def _result(row: Row, place: int) -> dict[str, Any]:
    message = row.message + (f" ({row.cure})" if row.cure else "")
    result: dict[str, Any] = {
        "ruleId": row.code,
        "ruleIndex": place,
        "level": row.severity,
        "message": {"text": message},
        **_at(row.place),
        "partialFingerprints": {"hocketFinding/v1": row.fingerprint},
    }
    related = [(where, text) for where, text in row.related if where.path]
    if related:
        result["relatedLocations"] = [
            {"id": number, **_location(where), "message": {"text": text}}
            for number, (where, text) in enumerate(related)
        ]
    if row.steps:
        result["codeFlows"] = [_flow(row)]
    return result


def _flow(row: Row) -> dict[str, Any]:
    """One thread flow per actor; steps count over all of them."""
    lanes: dict[str, list[dict[str, Any]]] = {}
    first = max(0, len(row.steps) - _MOST_STEPS)
    for number, step in enumerate(row.steps[first:], first + 1):
        lanes.setdefault(step.actor, []).append(_step(step, number, row.place))
    flows = [{"id": actor or "the run", "locations": steps} for actor, steps in lanes.items()]
    cut = f" (without its first {first} steps)" if first else ""
    return {"message": {"text": f"a run in which it happens{cut}"}, "threadFlows": flows}


def _step(step: Step, number: int, other: Place) -> dict[str, Any]:
    where = step.place if step.place.path else other
    location = {**(_location(where) if where.path else {}), "message": {"text": f"{step.actor} {step.text}".strip()}}
    return {"executionOrder": number, "location": location}


def _at(place: Place) -> dict[str, Any]:
    return {"locations": [_location(place)]} if place.path else {}


def _location(place: Place) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri(place.path)}}
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }
    if place.line:
        physical["region"] = {name: value for name, value in region.items() if value}
    return {"physicalLocation": physical}
