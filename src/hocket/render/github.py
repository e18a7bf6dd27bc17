"""Cases as GitHub's workflow commands and as the Markdown of a step's summary.

GitHub shows ten errors, ten warnings and ten notices of a step, so the tenth says
how many more there are; the summary has all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from hocket.render.rows import Case, Row, escaped, rows_of, uri

__all__ = ["step_summary", "workflow_commands"]

_SHOWN = 10
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def workflow_commands(cases: Iterable[Case]) -> str:
    """One command a line, errors first; the empty string where nothing is wrong."""
    listed = list(cases)
    rows = rows_of(listed)
    commands = [_problem(case) for case in listed if case.verdict == "unusable"]
    for severity, command in _COMMANDS.items():
        commands += _limited(command, [row for row in rows if row.severity == severity])
    return "\n".join(commands)


def _limited(command: str, rows: list[Row]) -> list[str]:
    shown = rows if len(rows) <= _SHOWN else rows[: _SHOWN - 1]
    more = len(rows) - len(shown)
    return [_annotation(command, row) for row in shown] + (
        [f"::{command}::{more} more findings are in the log of this step"] if more else []
    )


def _annotation(command: str, row: Row) -> str:
    place = row.place
    fields = {
        "file": uri(place.path) if place.path else "",
        "line": place.line,
        "endLine": place.end_line,
        "col": place.column,
        "title": f"hocket {row.code}",
    }
    listed = ",".join(f"{name}={escaped(str(value), _FIELD)}" for name, value in fields.items() if value)
    return f"::{command} {listed}::{escaped(row.message + (f' ({row.cure})' if row.cure else ''), _BODY)}"


def _problem(case: Case) -> str:
    return f"::error file={escaped(uri(case.name), _FIELD)},title=hocket::{escaped(case.text, _BODY)}"


_BODY = "%\r\n"
_FIELD = _BODY + ":,"


def step_summary(cases: Iterable[Case]) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY`: a table of what was checked, then every finding."""
    listed = list(cases)
    lines = ["### hocket", "", "| checked | verdict | errors | warnings |", "|---|---|---|---|"]
    for case in listed:
        cells = (_cell(case.name), case.verdict, _tally(case, "error"), _tally(case, "warning"))
        lines.append(f"| {' | '.join(cells)} |")
    for case in listed:
        if case.verdict != "holds" and (case.rows or case.text):
            lines += ["", f"<details><summary>{_html(case.name)}: {case.verdict}</summary>", "", "```text"]
            text = case.text or "\n".join(row.message for row in case.rows)
            lines += [text.replace("```", "'''"), "```", "", "</details>"]
    return "\n".join(lines) + "\n"


def _tally(case: Case, severity: str) -> str:
    return str(sum(row.severity == severity for row in case.rows) or "")


def _cell(text: str) -> str:
    return _html(text).replace("|", "\\|").replace("\n", " ")


def _html(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
