"""What was checked and what is wrong with it, as plain values that every report format is written from.

The verifier, the explorer and the proofs each have findings of their own; here is
what all of them come down to for somebody who only reports: a *case* is one thing
that was checked, with its verdict, and a *row* is one thing wrong with it: a code,
a sentence, a place, what else belongs to it, and the steps that lead there. Nothing
here knows a graph or a schedule. Refused: a writer per format and per kind of
finding, which would be their product.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

__all__ = ["EXITS", "Case", "Place", "Row", "Step", "escaped", "printable", "rows_of", "uri"]

# the exit code of each verdict, on the command line and in every report
EXITS: dict[str, int] = {"holds": 0, "violated": 1, "unusable": 2, "unknown": 3}


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: 1-based line and column of its first character, and of the one after its last; or 0."""

    path: str = ""
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run: who did what, and where that stands."""

    actor: str
    text: str
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Row:
    """One finding: `severity` is "error", "warning" or "note"; `about` names what it is about, whatever line it is on.

    `steps` are a run that shows it, in their order; `related` are places that explain it, each with what is there.
    """

    code: str
    title: str
    severity: str
    message: str
    place: Place = Place()
    cure: str = ""
    related: tuple[tuple[Place, str], ...] = ()
    steps: tuple[Step, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same finding after lines have moved: of code, path and names, never of a line (SHA-256)."""
        parts = (self.code, self.place.path, *(sorted(self.about) or [self.message]))
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that was checked: `kind` groups it (graphs, explorations, proofs), `verdict` is a key of EXITS."""

    kind: str
    name: str
    verdict: str
    rows: tuple[Row, ...] = ()
    text: str = ""  # what a person reads
    seconds: float = 0.0
    counts: Mapping[str, object] = field(default_factory=dict)


def uri(path: str) -> str:
    """A path as reports want it: with slashes, relative to where we are if it lies below, odd characters encoded."""
    if os.path.isabs(path):
        below = os.path.relpath(path)
        path = path if below.startswith("..") else below
    return quote(path.replace("\\", "/").removeprefix("./"), errors="replace")


def escaped(text: str, signs: str) -> str:
    """The text with each of these signs as `%` and its hexadecimal code."""
    for sign in signs:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def printable(text: str) -> str:
    """The text without what XML 1.0 cannot hold: control characters and lone surrogates become `?`."""
    return "".join(sign if _fits_xml(ord(sign)) else "?" for sign in text)


def _fits_xml(code: int) -> bool:
    return code in (9, 10, 13) or 32 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000


def rows_of(cases: Iterable[Case]) -> Sequence[Row]:
    """All rows of all cases, errors first, else in their order."""
    found = [row for case in cases for row in case.rows]
    order = ("error", "warning", "note")
    return sorted(found, key=lambda row: order.index(row.severity))
