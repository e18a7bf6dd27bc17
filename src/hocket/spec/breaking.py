"""Mutants: each guard and each update of a specification left out in turn, to see who notices.

A line that can be left out while everything is still proved either says nothing new,
and a reader should know why it stands there, or is not looked at by any claim, which
is how a proof of nothing looks from inside. Whoever kills a mutant is named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hocket.errors import SpecError
from hocket.spec.prove import obligations
from hocket.spec.search import search
from hocket.spec.shrink import refutable
from hocket.spec.traced import Step, Theory, theory
from hocket.verdict import Violated

__all__ = ["Mutant", "Mutants", "mutants"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line left out: `kind` is "guard" or "update"; `killer` names the first claim that fails without it."""

    deed: str
    kind: str
    line: str
    killer: str | None

    def __str__(self) -> str:
        return f"{'killed' if self.killer else 'SURVIVES':8} {self.deed} without {self.kind} {self.line!r}" + (
            f": {self.killer}" if self.killer else ""
        )


@dataclass(frozen=True, slots=True)
class Mutants:
    """All mutants of a specification."""

    all: tuple[Mutant, ...]

    @property
    def survivors(self) -> tuple[Mutant, ...]:
        return tuple(mutant for mutant in self.all if mutant.killer is None)

    def __str__(self) -> str:
        return "\n".join(map(str, self.all))


def mutants(whole: Theory, largest: int = 2, scope: Mapping[str, Any] | None = None) -> Mutants:
    """Leave out every guard and update; a proof with a counterexample of few elements kills, or a search of `scope`."""
    known = _Known(whole, dict(scope or {}))
    made = []
    for step in whole.steps:
        for kind, lines in (("guard", [guard.label for guard in step.guards]), ("update", step.updates)):
            for place, line in enumerate(lines):
                made.append(Mutant(step.name, kind, line, _killer(known, step, (step.name, kind, place), largest)))
    return Mutants(tuple(made))


class _Known:
    """What the whole specification does in the scope, to compare with: counts kill too."""

    def __init__(self, whole: Theory, scope: dict[str, Any]) -> None:
        self.whole, self.scope = whole, scope
        self.given = scope.pop("given", None)
        self.counts = search(whole, scope, self.given).counts() if scope else {}


def _killer(known: _Known, step: Step, drop: tuple[str, str, int], largest: int) -> str | None:
    mutant = theory(known.whole.spec, drop)
    about: Collection[str] = {step.name} | {theorem.name for theorem in mutant.theorems}
    for obligation in obligations(mutant, lambda name: name in about).needed:
        if refutable(obligation, mutant, largest):
            return f"proof of {obligation.name}"
    return _found_by_search(known, mutant) if known.scope else None


def _found_by_search(known: _Known, mutant: Theory) -> str | None:
    try:
        found = search(mutant, known.scope, known.given, limit=20 * known.counts["states"])
    except SpecError as error:
        return f"search: {error}"
    for name, verdict in found.verdicts.items():
        if isinstance(verdict, Violated):
            return f"search of {name}"
    return "search: other counts" if found.counts() != known.counts else None
