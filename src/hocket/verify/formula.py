"""Conditions of the middle model: what has to be true of a configuration, and of the predecessors, for a task to run.

A formula is a tree of `All`, `Some` and `Not` over a few kinds of atom, and every
atom is *strict*: whatever a format means by `==` (GitHub compares without case
and converts types) its reader spells out in strict atoms. So the solver, the
replay and the brute-force tests need to know one semantics, not one per format.

What a reader cannot express becomes a boolean variable of its own. A variable may
take any value, so more runs are considered than exist: a claim "never" stays true,
which is the direction in which this must err. Refused: a third truth value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = [
    "FALSE",
    "TRUE",
    "All",
    "Ancestors",
    "Atom",
    "Equal",
    "Formula",
    "How",
    "Interrupted",
    "Is",
    "Matches",
    "Not",
    "Outcome",
    "Runs",
    "Some",
    "Value",
    "atoms",
    "conjunction",
    "disjunction",
    "evaluate",
    "matches",
    "negation",
    "same_value",
]

Value = None | bool | float | str  # what an external variable may be; numbers are floats, as in JSON


class Outcome(Enum):
    """How a task ended; `absent` is a task that this configuration does not contain at all."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    ABSENT = "absent"


class How(Enum):
    STARTS = "starts with"
    ENDS = "ends with"
    CONTAINS = "contains"
    FITS = "fits"  # a regular expression that `hocket.verify.regex.expressible` accepts


@dataclass(frozen=True, slots=True)
class Equal:
    """The variable has exactly this value, of this type."""

    variable: str
    value: Value

    def __str__(self) -> str:
        return f"{self.variable} = {_show(self.value)}"


@dataclass(frozen=True, slots=True)
class Matches:
    """The variable is a string that starts with, ends with or contains `text`, or in which the expression is found."""

    variable: str
    how: How
    text: str

    def __str__(self) -> str:
        return f"{self.variable} {self.how.value} {_show(self.text)}"


@dataclass(frozen=True, slots=True)
class Is:
    """The named task ended in one of these ways."""

    task: str
    outcomes: frozenset[Outcome]

    def __str__(self) -> str:
        return f"{self.task} is {_ways(self.outcomes)}"


@dataclass(frozen=True, slots=True)
class Runs:
    """The named task starts: it is neither absent nor passed over."""

    task: str

    def __str__(self) -> str:
        return f"{self.task} runs"


@dataclass(frozen=True, slots=True)
class Ancestors:
    """Every (or at least one) task on a way to this one, however long, ended in one of these ways."""

    every: bool
    outcomes: frozenset[Outcome]

    def __str__(self) -> str:
        return f"{'every' if self.every else 'some'} ancestor is {_ways(self.outcomes)}"


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Somebody had cancelled the whole run when this task's turn came; a question names the task that it means."""

    task: str = ""

    def __str__(self) -> str:
        return "the run was cancelled" + (f" before {self.task}" if self.task else "")


@dataclass(frozen=True, slots=True)
class Not:
    part: Formula

    def __str__(self) -> str:
        return f"not ({self.part})"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Formula, ...]

    def __str__(self) -> str:
        return " and ".join(_wrap(part) for part in self.parts) or "true"


@dataclass(frozen=True, slots=True)
class Some:
    parts: tuple[Formula, ...]

    def __str__(self) -> str:
        return " or ".join(_wrap(part) for part in self.parts) or "false"


Atom = Equal | Matches | Is | Runs | Ancestors | Interrupted
Formula = Atom | Not | All | Some

TRUE = All(())
FALSE = Some(())


def conjunction(parts: Iterable[Formula]) -> Formula:
    """All of them, flattened, without repetition; FALSE as soon as one is."""
    found: dict[Formula, None] = {}
    for part in parts:
        if part == FALSE:
            return FALSE
        found.update(dict.fromkeys(part.parts if isinstance(part, All) else (part,)))
    return next(iter(found)) if len(found) == 1 else All(tuple(found))


def disjunction(parts: Iterable[Formula]) -> Formula:
    """At least one of them, flattened, without repetition; TRUE as soon as one is."""
    found: dict[Formula, None] = {}
    for part in parts:
        if part == TRUE:
            return TRUE
        found.update(dict.fromkeys(part.parts if isinstance(part, Some) else (part,)))
    return next(iter(found)) if len(found) == 1 else Some(tuple(found))


def negation(part: Formula) -> Formula:
    if part == TRUE:
        return FALSE
    if part == FALSE:
        return TRUE
    return part.part if isinstance(part, Not) else Not(part)


def atoms(formula: Formula) -> Iterator[Atom]:
    """Every atom of a formula, left to right, with repetitions."""
    waiting: list[Formula] = [formula]
    while waiting:
        match waiting.pop():
            case Not(part):
                waiting.append(part)
            case All(parts) | Some(parts):
                waiting.extend(reversed(parts))
            case atom:
                yield atom


def evaluate(formula: Formula, truth: Callable[[Atom], bool]) -> bool:
    """The formula's truth where `truth` says that of each atom. Readers bound the depth (`expressions.DEPTH`)."""
    match formula:
        case Not(part):
            return not evaluate(part, truth)
        case All(parts):
            return all(evaluate(part, truth) for part in parts)
        case Some(parts):
            return any(evaluate(part, truth) for part in parts)
        case atom:
            return truth(atom)


def same_value(left: Value, right: Value) -> bool:
    """Strict equality: True is not 1, and null is not the empty string."""
    return type(left) is type(right) and left == right


def matches(how: How, whole: Value, text: str) -> bool:
    """Whether a value is a string that starts with, ends with or contains `text`, or fits it."""
    if not isinstance(whole, str):
        return False
    match how:
        case How.STARTS:
            return whole.startswith(text)
        case How.ENDS:
            return whole.endswith(text)
        case How.CONTAINS:
            return text in whole
        case How.FITS:
            return re.search(text, whole, re.ASCII) is not None  # as RE2 has it, and as automata are made


def _wrap(part: Formula) -> str:
    return f"({part})" if isinstance(part, All | Some) else str(part)


def _show(value: Value) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return repr(value)


def _ways(outcomes: frozenset[Outcome]) -> str:
    return " or ".join(way.value for way in Outcome if way in outcomes)
