"""What a reader of a model should look at: a deed that nobody ever does, a claim that says nothing.

A claim is empty where it is true of every state whatever happened, or where it has the
form `p >> q` and no state that was reached satisfies p: then it speaks of nothing.
The second is read off the text (terms remember which of them were written `p >> q`);
after Beer, Ben-David, Eisner, Rodeh: Efficient detection of vacuity (2001).

These are no verdicts. A deed may be impossible in a small scope and possible in a
larger one, so a search remarks on it, and says where it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hocket.spec.packed import Packed
from hocket.spec.terms import Term, antecedent, disj, quantify
from hocket.spec.traced import Claim

__all__ = ["Remark", "conditions_of", "remarks"]

_IF = "if of "  # what a condition is called, among the things to be reached


@dataclass(frozen=True, slots=True)
class Condition(Claim):
    """The `if` of the claim `about`."""

    about: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """`kind`: "unreachable" (a deed), "always true" or "speaks of nothing" (a claim); file and line of the model."""

    kind: str
    name: str
    path: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name}: {self.reason}"


def conditions_of(claims: Iterable[Claim]) -> list[Condition]:
    """For each claim with an `if`: that this `if` holds for some elements."""
    found = []
    for claim in claims:
        parts = [*_ifs(claim.term, ())]
        if parts:
            found.append(Condition(_IF + claim.name, disj(*parts), about=claim.name))
    return found


def _ifs(term: Term, bound: tuple[Term, ...]) -> Iterable[Term]:
    """Every `p` of a `p >> q` in a place that has to hold, quantified."""
    if term.op == "forall":
        yield from _ifs(term.args[-1], (*bound, *term.args[:-1]))
    elif term.op == "and":
        for part in term.args:
            yield from _ifs(part, bound)
    elif (condition := antecedent(term)) is not None:
        yield quantify("exists", bound, condition)


def remarks(
    packed: Packed, claims: Iterable[Claim], unmet: Iterable[Condition], fired: Mapping[str, int], complete: bool
) -> Iterable[Remark]:
    """What a search has to remark: `unmet` are the conditions that no state satisfied, `fired` how often each deed was
    done. A search that was not complete remarks only on what is true of every state."""
    theory = packed.theory
    lines = {name: deed.line for name, deed in theory.spec.deeds.items()}
    for claim in claims:
        if packed.test(packed.scope.ground(claim.term)) == "True":
            why = "it is true of every state of this size, whatever the model does"
            yield Remark("always true", claim.name, *lines[claim.name], why)
    if not complete:
        return
    for condition in unmet:
        why = f"it speaks of nothing: in no state that was reached is there {condition.term}"
        yield Remark("speaks of nothing", condition.about, *lines[condition.about], why)
    for name, times in fired.items():
        if not times:
            yield Remark("unreachable", name, *lines[name], "it is never possible in this scope")
