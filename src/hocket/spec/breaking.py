"""Mutants: each guard and each update of a specification left out in turn, to see who notices.

A line that can be left out while everything is still proved either says nothing new,
and a reader should know why it stands there, or is not looked at by any claim, which
is how a proof of nothing looks from inside. Whoever kills a mutant is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hocket.errors import SpecError
from hocket.spec.prove import obligations
from hocket.spec.search import Found, search
from hocket.spec.shrink import refutable
from hocket.spec.smt import Obligation
from hocket.spec.solve import ask_z3
from hocket.spec.traced import Step, Theory, without
from hocket.verdict import Violated

__all__ = ["Mutant", "Mutants", "mutants"]

_QUICK = 0.3  # seconds
Only = Callable[[str, str, str], bool]  # deed, "guard" or "update", line


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


def mutants(
    whole: Theory, largest: int = 2, scope: Mapping[str, Any] | None = None, only: Only | None = None
) -> Mutants:
    """Leave out every guard and update, or those that `only` accepts, one at a time.

    A proof that now has a small counterexample kills, or a search of `scope` that finds something violated, or that
    counts other states.
    """
    breaker = _Breaker(whole, dict(scope or {}), largest, only or (lambda deed, kind, line: True))
    return Mutants(tuple(mutant for step in whole.steps for mutant in breaker.of(step)))


class _Whole:
    """What is searched to compare mutants with, as the key of a cache: all deeds are compared with the same."""

    def __init__(self, theory: Theory, scope: dict[str, Any], given: Any) -> None:
        self.theory, self.scope, self.given = theory, scope, given

    def __hash__(self) -> int:
        return id(self.theory)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Whole) or self.theory is not other.theory:
            return False
        return bool((self.scope, self.given) == (other.scope, other.given))


@lru_cache(maxsize=16)
def _searched(whole: _Whole) -> tuple[dict[str, int], list[str]]:
    """Its counts, and what does not hold of it in the first place: no mutant is noticed by that."""
    found = search(whole.theory, whole.scope, whole.given)
    return found.counts(), _violated(found)


def _violated(found: Found) -> list[str]:
    return [name for name, verdict in found.verdicts.items() if isinstance(verdict, Violated)]


class _Breaker:
    """The whole specification, to compare its mutants with."""

    def __init__(self, whole: Theory, scope: dict[str, Any], largest: int, only: Only) -> None:
        self.whole, self.scope, self.largest, self.only = whole, scope, largest, only
        self.given = scope.pop("given", None)

    def of(self, step: Step) -> Iterable[Mutant]:
        about = {step.name} | {theorem.name for theorem in self.whole.theorems}
        lines = [("guard", place, guard.label) for place, guard in enumerate(step.guards)]
        lines += [("update", place, line) for place, line in enumerate(step.updates)]
        chosen = [one for one in lines if self.only(step.name, one[0], one[2])]
        if not chosen:
            return
        proved = {_plain(obligation) for obligation in obligations(self.whole, about.__contains__).needed}
        for kind, place, line in chosen:
            mutant = without(self.whole, (step.name, kind, place))
            asked = obligations(mutant, about.__contains__).needed
            yield Mutant(step.name, kind, line, self._killer(mutant, [o for o in asked if _plain(o) not in proved]))

    def _killer(self, mutant: Theory, changed: list[Obligation]) -> str | None:
        """Few elements first, for all obligations; those that z3 still proves need not be looked at again."""
        for size in range(1, self.largest + 1):
            for obligation in changed:
                if refutable(obligation, mutant, size):
                    return f"proof of {obligation.name}"
            if size == 1:
                changed = [o for o in changed if ask_z3(o.text(), _QUICK, thorough=False).result != "unsat"]
        return self._found(mutant) if self.scope else None

    def _found(self, mutant: Theory) -> str | None:
        counts, known = _searched(_Whole(self.whole, self.scope, self.given))
        try:
            found = search(mutant, self.scope, self.given, limit=20 * counts["states"])
        except SpecError as error:
            return f"search: {error}"
        for name in _violated(found):
            if name not in known:
                return f"search of {name}"
        return "search: other counts" if found.counts() != counts else None


def _plain(obligation: Obligation) -> str:
    """The text with its variables numbered from the start, so that equal obligations are equal texts."""
    numbers: dict[str, str] = {}
    return re.sub(r"\$\d+", lambda found: numbers.setdefault(found[0], f"${len(numbers)}"), obligation.text())
