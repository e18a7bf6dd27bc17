"""Models from which anything follows, and claims that follow from nothing: looked for before they are proved.

Axioms that contradict each other prove everything, and so does an initial state that
there cannot be; both are refused with the lines that are to blame. An invariant that is
true of every state whatever the model does is proved for no good reason, and said so.
A few elements decide nearly always; only where they do not, a solver is asked about any
number, and what it leaves open is left open here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hocket.errors import SpecError
from hocket.spec.language import Labelled
from hocket.spec.remarks import Remark
from hocket.spec.shrink import refutable
from hocket.spec.smt import Obligation
from hocket.spec.solve import ask_z3
from hocket.spec.terms import FALSE, Term
from hocket.spec.traced import Theory

__all__ = ["always_true", "vet"]

_LARGEST = 3  # elements per sort


def vet(theory: Theory, seconds: float) -> None:
    """Raise SpecError for axioms that contradict each other, and for initial states that there cannot be."""
    axioms = [Labelled(axiom.name, axiom.term) for axiom in theory.axioms]
    if axioms and _impossible(theory, axioms, seconds):
        blamed = _needed(theory, axioms, seconds)
        names = ", ".join(one.label for one in blamed)
        deed = theory.spec.deeds[blamed[0].label]
        raise SpecError(f"no structure satisfies the axioms {names} of {theory.spec.__name__}", *deed.line)
    for step in theory.initial:
        if step.guards and _impossible(theory, [*axioms, *step.guards], seconds):
            labels = ", ".join(repr(guard.label) for guard in step.guards)
            line = theory.spec.deeds[step.name].line
            raise SpecError(f"{theory.spec.__name__} has no initial state: {step.name} requires {labels}", *line)


def always_true(theory: Theory, seconds: float) -> Iterable[Remark]:
    """The invariants that no state breaks, reached or not: they follow from the axioms alone."""
    axioms = tuple(Labelled(axiom.name, axiom.term) for axiom in theory.axioms)
    for claim in theory.invariants:
        if _impossible(theory, axioms, seconds, claim.term):
            why = "it is true of every state, whatever the model does"
            yield Remark("always true", claim.name, *theory.spec.deeds[claim.name].line, why)


def _possible(theory: Theory, conditions: Sequence[Labelled], broken: Term) -> bool:
    """Whether some small structure satisfies the conditions, and not the term."""
    asked = Obligation("", "", tuple(conditions), broken)
    return any(refutable(asked, theory, size) for size in range(1, _LARGEST + 1))


def _impossible(theory: Theory, conditions: Sequence[Labelled], seconds: float, broken: Term = FALSE) -> bool:
    """Whether no structure of any size does; few elements say no at once, and only a solver says yes."""
    if _possible(theory, conditions, broken):
        return False
    return ask_z3(Obligation("", "", tuple(conditions), broken).text(), seconds).result == "unsat"


def _needed(theory: Theory, conditions: list[Labelled], seconds: float) -> list[Labelled]:
    """As few of the conditions as contradict each other."""
    kept = list(conditions)
    for one in conditions:
        fewer = [other for other in kept if other is not one]
        if fewer and _impossible(theory, fewer, seconds):
            kept = fewer
    return kept
