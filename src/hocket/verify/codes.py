"""The table of finding codes: stable names for what can be wrong, each with its severity and its cure.

A code never changes its meaning and is never reused. Errors make a graph
*violated*; warnings are shown and change nothing. `docs/reference/findings.md` is
drawn from this table [test].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["CODES", "Code", "Severity"]


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Code:
    code: str
    title: str
    severity: Severity
    cure: str


_ROWS = (
    Code("G001", "cycle", Severity.ERROR, "take out one of these edges"),
    Code("G002", "undefined task", Severity.ERROR, "correct the name, or define the task"),
    Code("G003", "duplicate", Severity.ERROR, "rename one of the two, or remove it"),
    Code("G004", "task that can never run", Severity.ERROR, "correct the condition, or remove the task"),
    Code("G005", "task that waits for itself", Severity.ERROR, "remove the task from its own list"),
    Code("G006", "deadlock over a group", Severity.ERROR, "give one of the two groups another name"),
    Code("G007", "reads a task that it does not wait for", Severity.ERROR, "add the task to the list it waits for"),
    Code("G008", "unknown or malformed entry", Severity.ERROR, "correct or remove the entry"),
    Code("G009", "condition that is always true", Severity.WARNING, "put the whole condition into one ${{ }}, or none"),
    Code("G010", "undefined output", Severity.ERROR, "declare the output, or correct its name"),
    Code("G011", "called file is missing or calls itself", Severity.ERROR, "correct the path, or break the circle"),
    Code("G020", "assertion violated", Severity.ERROR, "add the missing edge, or correct the assertion"),
    Code("G021", "assertion about an unknown task", Severity.ERROR, "correct the name in the assertion"),
    Code("G090", "not decided", Severity.WARNING, "see the reason given"),
)

CODES: dict[str, Code] = {row.code: row for row in _ROWS}
