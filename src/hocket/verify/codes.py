"""The table of finding codes: stable names for what can be wrong, each with its severity and its cure.

A code never changes its meaning and is never reused. Errors make a graph
*violated*; warnings are shown and change nothing; notes are for who asks for them. `docs/reference/findings.md` is
drawn from this table [test].
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["CODES", "Code", "Severity"]


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


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
    Code("G012", "waits for what never comes", Severity.ERROR,
         "wait for something that the task can do, or let it do what is waited for"),
    Code("G013", "needs a task that can be left out", Severity.ERROR,
         "give both the same condition, or mark the wait optional"),
    Code("G014", "orphan", Severity.WARNING, "let something lead to it, or remove it"),
    Code("G015", "branches that can never join", Severity.ERROR,
         "let it join when any of them has run, or when none has failed"),
    Code("G016", "skipped without a failure", Severity.NOTE,
         "give it a condition of its own if it should run all the same"),
    Code("G017", "unordered tasks use one resource", Severity.ERROR,
         "let one wait for the other, or give them a lock in common"),
    Code("G018", "tasks that wait can occupy the whole pool", Severity.ERROR,
         "give the pool more places, or wait without holding one"),
    Code("G019", "deadlock over several resources", Severity.ERROR, "take the resources in one order everywhere"),
    Code("G020", "assertion violated", Severity.ERROR, "add the missing edge, or correct the assertion"),
    Code("G021", "assertion about an unknown task", Severity.ERROR, "correct the name in the assertion"),
    Code("G022", "deadline that can be missed", Severity.ERROR, "shorten what lies before it, or move the deadline"),
    Code("G023", "time limit below the shortest time", Severity.ERROR, "raise the limit, or correct the time"),
    Code("G024", "tasks can wait for each other over full channels", Severity.ERROR,
         "raise a capacity, or receive before sending"),
    Code("G025", "takes more than there is", Severity.ERROR, "ask for less, or raise the capacity"),
    Code("G026", "wait that others imply", Severity.NOTE, "take it out, unless it grants something besides the order"),
    Code("G030", "waits for a task of a later stage", Severity.ERROR, "move one of the two to another stage"),
    Code("G031", "waits for health that is never checked", Severity.ERROR, "give the service a healthcheck"),
    Code("G032", "waits for the end of something that is always started again", Severity.ERROR,
         "wait for it to start or to be healthy, or let it end"),
    Code("G033", "waits for a task that no run contains", Severity.ERROR,
         "mark the wait as optional, or let the task run"),
    Code("G034", "contradictory entries", Severity.ERROR, "keep one of the two"),
    Code("G035", "no way to an end", Severity.ERROR, "let one of these lead to an end"),
    Code("G036", "malformed fork", Severity.ERROR, "take the wait out: it starts when that has opened"),
    Code("G037", "switched off", Severity.WARNING, "remove it, or the condition that switches it off"),
    Code("G038", "finalised with a parent", Severity.ERROR, "finalise what nothing waits for, and only that"),
    Code("G090", "not decided", Severity.WARNING, "see the reason given"),
    Code("G091", "not read", Severity.WARNING, "what stands there is not judged; verify it by itself"),
)

CODES: dict[str, Code] = {row.code: row for row in _ROWS}
