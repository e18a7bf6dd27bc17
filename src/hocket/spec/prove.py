"""Proofs for any number of elements: each obligation by z3, and the same text once more by cvc5.

What has to be shown of a specification:

- an invariant holds at the beginning, and after every deed if it held before (with
  the invariants of its layer and below: an obligation sees what it needs). A deed
  that touches no symbol of an invariant cannot break it, and needs no obligation;
- what a deed ensures, and every two-state claim, holds of each deed;
- every action and consequence lowers each variant (the environment need not);
- theorems follow from the invariants.

And that none of it is empty talk: each deed can happen in some state that satisfies
all invariants, each theorem's hypotheses can be met, each invariant is false of some
state (`witnesses`). Axioms that contradict each other are refused: they prove anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hocket.errors import SourceError
from hocket.spec.language import Labelled
from hocket.spec.remarks import Remark
from hocket.spec.shrink import Example, example, witness
from hocket.spec.smt import Obligation
from hocket.spec.solve import ask_cvc5, ask_z3, has_cvc5
from hocket.spec.terms import INT, TRUE, Term, as_term, conj, disj, quantify, same, substitute, var
from hocket.spec.traced import Claim, Measure, Step, Theorem, Theory, symbols_of
from hocket.spec.vetting import empty_talk, vet
from hocket.verdict import Basis, Counterexample, Holds, Unknown, Verdict, Violated

__all__ = ["Line", "Proof", "Witness", "check", "obligations", "prove", "written"]

_LARGEST = 3  # elements per sort in which a counterexample or a witness is looked for


@dataclass(frozen=True, slots=True)
class Line:
    """One obligation, judged: "proved", "refuted" or "unknown", and by whom in how many seconds."""

    obligation: Obligation
    judgement: str
    z3: float
    cvc5: float | None
    example: Example | None = None

    def __str__(self) -> str:
        times = f"z3 {self.z3 * 1000:6.1f} ms" + ("" if self.cvc5 is None else f"  cvc5 {self.cvc5 * 1000:6.1f} ms")
        line = f"{self.judgement:8} {times}  {self.obligation.name}"
        return line if self.example is None else f"{line}\n{self.example}"


@dataclass(frozen=True, slots=True)
class Witness:
    """That a deed can happen, or a theorem apply, in a state that satisfies all invariants; None: not up to 3.

    `line`: file and line of the model where it is written.
    """

    about: str
    example: Example | None
    line: tuple[str, int] = ("", 0)

    def __str__(self) -> str:
        return f"witness  {self.about}" if self.example else f"EMPTY    {self.about}  ({_place(self.line)})"


@dataclass(frozen=True, slots=True)
class Proof:
    """All obligations of a specification, judged, and a witness for every deed and theorem."""

    name: str
    lines: tuple[Line, ...]
    witnesses: tuple[Witness, ...]
    untouched: int  # pairs of deed and invariant that need no obligation
    remarks: tuple[Remark, ...] = ()  # claims that are true whatever the model does: they are no success

    def export(self, folder: Path, every: bool = True) -> dict[str, Path]:
        """Write obligations as SMT-LIB 2 text, each by its name; without `every` those that are unknown."""
        asked = [line.obligation for line in self.lines if every or line.judgement == "unknown"]
        return written(folder, {one.name: one.text() for one in asked})

    @property
    def verdict(self) -> Verdict:
        for line in self.lines:
            if line.judgement == "refuted":
                why = Counterexample(str(line.example or "no small one"), (), line.example is not None)
                return Violated(line.obligation.name, why)
        for line in self.lines:
            if line.judgement == "unknown":
                return Unknown(line.obligation.name, "the solvers do not agree that it holds, in the time given")
        for shown in self.witnesses:
            if shown.example is None:
                never = "never so in a state of up to 3 elements per sort: is it empty talk?"
                return Unknown(shown.about, f"{never} See {_place(shown.line)}")
        for remark in self.remarks:
            return Unknown(remark.name, f"{remark.reason}. See {_place((remark.path, remark.line))}")
        if not self.lines and not self.untouched:
            return Unknown(self.name, "it claims nothing: there is no @invariant, @theorem, @two_state or @variant")
        return Holds(self.name, Basis.PROVED, (), {"obligations": len(self.lines), "untouched": self.untouched})

    def __str__(self) -> str:
        empty = (f"EMPTY    {remark}" for remark in self.remarks)
        return "\n".join([*map(str, self.lines), *map(str, self.witnesses), *empty])


def prove(theory: Theory, seconds: float = 10.0, recheck: bool | None = None) -> Proof:
    """Judge every obligation; `recheck`: whether cvc5 has to agree (None: if it is installed).

    Raises SpecError where the axioms contradict each other, or nothing can be an initial state.
    """
    vet(theory, seconds)
    asked = obligations(theory)
    both = has_cvc5() if recheck is None else recheck
    lines = tuple(check(obligation, theory, seconds, both) for obligation in asked.needed)
    return Proof(theory.spec.__name__, lines, witnesses(theory), asked.untouched, tuple(empty_talk(theory, seconds)))


def check(obligation: Obligation, theory: Theory, seconds: float = 10.0, recheck: bool = True) -> Line:
    """Judge one obligation; one that does not hold gets a counterexample of few elements, replayed."""
    text = obligation.text()
    first = ask_z3(text, seconds)
    if first.result != "unsat":
        found = example(obligation, theory, _LARGEST)
        return Line(obligation, "refuted" if found or first.result == "sat" else "unknown", first.seconds, None, found)
    if not recheck:
        return Line(obligation, "proved", first.seconds, None)
    second = ask_cvc5(text, seconds)
    return Line(obligation, "proved" if second.result == "unsat" else "unknown", first.seconds, second.seconds)


def witnesses(theory: Theory) -> tuple[Witness, ...]:
    """A state for each deed and each theorem, found among few elements and confirmed by the interpreter."""
    known = [*_labelled(theory.axioms), *_labelled(theory.invariants)]
    asked = [(f"{step.name} can happen", step.name, step.guards) for step in theory.steps]
    asked += [(f"{one.name} has something to say", one.name, one.given) for one in theory.theorems if one.given]
    return tuple(
        Witness(about, witness([*known, *more], theory, _LARGEST, near=False), theory.spec.deeds[name].line)
        for about, name, more in asked
    )


def written(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Write texts as files called like them, and no two alike; where each is. SourceError where that cannot be."""
    try:
        return _written(folder, texts)
    except OSError as error:
        raise SourceError(f"{folder} cannot be written: {error.strerror}", cure="another folder") from error


def _written(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    if texts:
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        words = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
        again = sum(path.stem.casefold().split("~")[0] == words.casefold() for path in found.values())
        found[name] = folder / (f"{words}~{again}.smt2" if again else f"{words}.smt2")
        found[name].write_text(text)
    return found


def _place(line: tuple[str, int]) -> str:
    return f"{line[0]}:{line[1]}"


# -- what has to be shown ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Asked:
    """The obligations of a theory, and how many pairs of deed and invariant need none."""

    needed: list[Obligation] = field(default_factory=list)
    untouched: int = 0


def obligations(theory: Theory, only: Callable[[str], bool] = lambda about: True) -> Asked:
    """Everything that has to be shown, of the deeds and theorems whose names `only` accepts."""
    asked = Asked()
    for step in theory.initial:
        if only(step.name):
            _begins(theory, step, asked)
    for step in theory.steps:
        if only(step.name):
            _keeps(theory, step, asked)
            _ensures(theory, step, asked)
            _lowers(theory, step, asked)
    for theorem in theory.theorems:
        if only(theorem.name):
            asked.needed.append(_follows(theory, theorem))
    asked.needed += [one for one in _grounded(theory) if only(one.about)]
    return asked


def _begins(theory: Theory, step: Step, asked: Asked) -> None:
    for claim in theory.invariants:
        goal = theory.after(step, claim.name)
        if not same(goal, TRUE):
            hypotheses = (*_labelled(theory.axioms), *step.guards)
            asked.needed.append(Obligation(step.name, claim.name, hypotheses, goal))


def _keeps(theory: Theory, step: Step, asked: Asked) -> None:
    touched = set(step.after)
    for claim in theory.invariants:
        if symbols_of(claim.term) & touched:
            hypotheses = (*_known(theory, claim), *step.guards)
            asked.needed.append(_kept(theory, step, claim, hypotheses))
        else:
            asked.untouched += 1


def _kept(theory: Theory, step: Step, claim: Claim, hypotheses: tuple[Labelled, ...]) -> Obligation:
    return Obligation(step.name, claim.name, hypotheses, theory.after(step, claim.name), (step, claim.term))


def _ensures(theory: Theory, step: Step, asked: Asked) -> None:
    all_known = (*_labelled(theory.axioms), *_labelled(theory.invariants))
    for ensured in step.ensured:
        asked.needed.append(Obligation(step.name, ensured.label, (*all_known, *step.guards), ensured.term))
    for claim in theory.two_state(step):
        if not same(claim.term, TRUE):
            asked.needed.append(Obligation(step.name, claim.name, (*_known(theory, claim), *step.guards), claim.term))


def _lowers(theory: Theory, step: Step, asked: Asked) -> None:
    """Every action lowers every variant: some component falls somewhere and rises nowhere, nor do those before it."""
    if step.kind == "environment":
        return
    pairs = zip(theory.variants(), theory.variants(step), strict=True)
    for (claim, before), (_, after) in pairs:
        falls: list[Term] = []
        steady: list[Term] = []
        for old, new in zip(before, after, strict=True):
            falls.append(conj(*steady, _nowhere_higher(old, new), _somewhere_lower(old, new)))
            steady.append(_nowhere_higher(old, new))
        goal = disj(*falls)
        hypotheses = (*_known(theory, claim), *step.guards)
        asked.needed.append(Obligation(step.name, f"lowers {claim.name}", hypotheses, goal))


def _pointwise(op: str, old: Measure, new: Measure, relation: Callable[[Term, Term], Term]) -> Term:
    moved = substitute(new.term, {a.payload: b for a, b in zip(new.at, old.at, strict=True)})
    fresh = tuple(var(name.payload.split("$")[0], name.sort) for name in old.at)
    renamed = {a.payload: b for a, b in zip(old.at, fresh, strict=True)}
    return quantify(op, fresh, substitute(relation(old.term, moved), renamed))


def _nowhere_higher(old: Measure, new: Measure) -> Term:
    return _pointwise("forall", old, new, lambda before, after: after <= before)


def _somewhere_lower(old: Measure, new: Measure) -> Term:
    return _pointwise("exists", old, new, lambda before, after: after < before)


def _grounded(theory: Theory) -> Iterable[Obligation]:
    """No component of a variant is ever below zero."""
    for claim, parts in theory.variants():
        for place, part in enumerate(parts):
            goal = quantify("forall", part.at, as_term(0, INT) <= part.term)
            if not same(goal, TRUE):
                yield Obligation(claim.name, f"part {place + 1} is not negative", _known(theory, claim), goal)


def _follows(theory: Theory, theorem: Theorem) -> Obligation:
    known = (*_labelled(theory.axioms), *_labelled(theory.invariants), *theorem.given)
    return Obligation(theorem.name, "follows", known, theorem.goal)


def _known(theory: Theory, claim: Claim) -> tuple[Labelled, ...]:
    """What the proof of a claim may use: the axioms, and the invariants that it needs, or those up to its layer.

    One that says what it needs stands aside: its proof uses those only, and nobody else's uses it unasked.
    """
    allowed = [
        one
        for one in theory.invariants
        if one.name == claim.name
        or (one.name in claim.needs if claim.needs is not None else one.layer <= claim.layer and one.needs is None)
    ]
    return (*_labelled(theory.axioms), *_labelled(allowed))


def _labelled(claims: Iterable[Claim]) -> tuple[Labelled, ...]:
    return tuple(Labelled(claim.name, claim.term) for claim in claims)
