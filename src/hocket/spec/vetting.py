"""Models from which anything follows, and claims that follow from nothing: looked for before they are proved.

Axioms that contradict each other prove everything, and so does an initial state that
there cannot be; both are refused with the lines that are to blame. A claim that is true
whatever the model does is proved for no good reason, and said so: it mentions nothing
that a deed can change, or no state breaks it, or it is an `if` that is never so.
A few elements decide nearly always; only where they do not, a solver is asked about any
number, and what it leaves open is left open here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hocket.errors import SpecError
from hocket.spec.language import Labelled, Symbol
from hocket.spec.remarks import Remark, conditions_of
from hocket.spec.shrink import refutable
from hocket.spec.smt import Obligation
from hocket.spec.solve import ask_z3
from hocket.spec.terms import FALSE, Term
from hocket.spec.traced import Claim, Theory, symbols_of

__all__ = ["empty_talk", "vet"]

_LARGEST = 3  # elements per sort


def vet(theory: Theory, seconds: float) -> None:
    """Raise SpecError for axioms that contradict each other, and for initial states that there cannot be."""
    axioms = _labelled(theory.axioms)
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


def empty_talk(theory: Theory, seconds: float) -> Iterable[Remark]:
    """The claims that are no success when they are proved, each with its line."""
    said: set[str] = set()
    for kind, name, why in (*_of_nothing(theory), *_unbroken(theory, seconds), *_never_so(theory, seconds)):
        if name not in said:
            said.add(name)
            yield Remark(kind, name, *theory.spec.deeds[name].line, why)


Found = tuple[str, str, str]  # the kind of a remark, the name of a claim, and the reason


def _of_nothing(theory: Theory) -> Iterable[Found]:
    """Claims that mention no part of the state; a theorem may be about what never changes."""
    found = {name: _changing(theory.mentioned(name)) for name in theory.named("invariant", "two_state")}
    found |= {theorem.name: set().union(*map(symbols_of, theorem.terms())) for theorem in theory.theorems}
    for name, symbols in found.items():
        if not symbols:
            yield "speaks of nothing", name, "it speaks of nothing: it mentions no part of the state"


def _changing(symbols: set[Symbol]) -> set[Symbol]:
    return {symbol for symbol in symbols if not symbol.rigid}


def _unbroken(theory: Theory, seconds: float) -> Iterable[Found]:
    """The invariants that no state breaks, reached or not: they follow from the axioms alone."""
    axioms = _labelled(theory.axioms)
    for claim in theory.invariants:
        if _impossible(theory, axioms, seconds, claim.term):
            yield "always true", claim.name, "it is true of every state, whatever the model does"


def _never_so(theory: Theory, seconds: float) -> Iterable[Found]:
    """The invariants `p >> q` without a state that satisfies all invariants, and p."""
    known = [*_labelled(theory.axioms), *_labelled(theory.invariants)]
    for condition in conditions_of(theory.invariants):
        if _impossible(theory, [*known, Labelled(condition.name, condition.term)], seconds):
            why = f"it speaks of nothing: in no state that satisfies the invariants is there {condition.term}"
            yield "speaks of nothing", condition.about, why


def _labelled(claims: Iterable[Claim]) -> list[Labelled]:
    return [Labelled(claim.name, claim.term) for claim in claims]


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
