"""Judgements: what was asked, what the answer is, and the reason that can be checked.

A verdict is one of three, and never a bool: `Holds` (with its bound and, where
there is one, a certificate), `Violated` (with a counterexample) and `Unknown`
(with what was left). Unknown is never success: `exit_code` says so for the shell.
Refused: a truth value on verdicts, because `if verdict:` would read Unknown as
something.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn

__all__ = ["Basis", "Bound", "Certificate", "Counterexample", "Holds", "Unknown", "Verdict", "Violated", "exit_code"]


class Basis(Enum):
    """What a claim rests on; `docs/explanation/soundness.md` sorts every claim of ours by it."""

    PROVED = "proved"  # for any size
    EXHAUSTED = "exhausted"  # every case up to a bound
    TESTED = "tested"  # at random


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit within which a claim was checked completely, e.g. `Bound("tasks", 4)`."""

    what: str
    limit: int

    def __str__(self) -> str:
        return f"{self.what} ≤ {self.limit}"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A reason why always, which a stranger can check: `kind` names the checker, `data` is JSON-serialisable."""

    kind: str
    data: Any


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A reason why not: `message` in one sentence, `steps` in order, `replayed` once it was seen to happen."""

    message: str
    steps: tuple[Any, ...] = ()
    replayed: bool = False


class _NoTruth:
    """A verdict has three values; a truth value would hide one of them."""

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict is holds, violated or unknown, not true or false: look at its type")


@dataclass(frozen=True, slots=True)
class Holds(_NoTruth):
    claim: str
    basis: Basis
    bounds: tuple[Bound, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    certificate: Certificate | None = None

    def __str__(self) -> str:
        within = f" for {', '.join(map(str, self.bounds))}" if self.bounds else ""
        return f"holds ({self.basis.value}{within}): {self.claim}"


@dataclass(frozen=True, slots=True)
class Violated(_NoTruth):
    claim: str
    counterexample: Counterexample

    def __str__(self) -> str:
        return f"violated: {self.claim}: {self.counterexample.message}"


@dataclass(frozen=True, slots=True)
class Unknown(_NoTruth):
    claim: str
    reason: str

    def __str__(self) -> str:
        return f"unknown: {self.claim}: {self.reason}"


Verdict = Holds | Violated | Unknown


def exit_code(verdict: Verdict) -> int:
    """The shell's view of a verdict: 0 holds completely, 1 violated, 3 unknown (2 is for unusable input)."""
    match verdict:
        case Holds():
            return 0
        case Violated():
            return 1
        case Unknown():
            return 3
