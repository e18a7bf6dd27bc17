"""Claims that are no protocol: hypotheses with names, and what follows from them, as text for both solvers.

A `Chain` of lemmas has a vocabulary and is proved like a specification: `hocket prove` prints one line for each
lemma, z3 first and cvc5 on the same text. Behind each name of a hypothesis stands where it is established. None is
there for show: left out, the lemma must have a counterexample among a few elements (`needless`), and all of them
together a model in which the lemma has something to say (`witness`).

Refused: quantifying over executions as values. A lemma speaks of one or two, as sets of events; induction, and
that a finite set has a largest member, are said in words beside it (docs/explanation/certificate.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hocket.spec.prove import Line, Proof, Witness
from hocket.spec.solve import ask_cvc5, ask_z3, has_cvc5

__all__ = ["Chain", "Lemma"]

_SECONDS = 10.0
_FEW_SECONDS = 2.0  # a counterexample among a few elements is found at once, or the lemma should be smaller


@dataclass(frozen=True)
class Lemma:
    """`goal` follows from the hypotheses named in `given`; `when`: the case it is about, which must be possible."""

    name: str
    given: tuple[str, ...]
    goal: str
    when: str = "true"


@dataclass(frozen=True)
class _Obligation:
    """What a line of the proof is about; `text` is what both solvers read."""

    name: str
    asked: str

    def text(self) -> str:
        return self.asked


@dataclass(frozen=True)
class Chain:
    """Lemmas over one vocabulary. `few`: for each declared sort, how many elements a counterexample may have."""

    name: str
    vocabulary: str
    hypotheses: Mapping[str, str]
    lemmas: tuple[Lemma, ...]
    few: Mapping[str, int]

    @property
    def __name__(self) -> str:  # as a specification is called, which is a class
        return self.name

    def prove(self, seconds: float = _SECONDS) -> Proof:
        """Every lemma by both solvers, and that none of them is empty."""
        lines = tuple(self._line(lemma, seconds) for lemma in self.lemmas)
        shown = tuple(Witness(f"{lemma.name} has something to say", self._model(lemma)) for lemma in self.lemmas)
        return Proof(self.name, lines, shown, 0)

    def mutants(self) -> str:
        """Each lemma without each of its hypotheses, a line each."""
        return "\n".join(
            f"{'SURVIVES' if given in self.needless(lemma) else 'killed':8} {lemma.name}, without: {given}"
            for lemma in self.lemmas for given in lemma.given)

    def needless(self, lemma: Lemma) -> list[str]:
        """The hypotheses without which no small counterexample is found."""
        return [left for left in lemma.given if self._small(lemma, lemma.goal, left) != "sat"]

    def _line(self, lemma: Lemma, seconds: float) -> Line:
        text = self._text(lemma, self._sorts(False), lemma.goal, "")
        first = ask_z3(text, seconds)
        again = ask_cvc5(text, seconds) if has_cvc5() and first.result == "unsat" else None
        agreed = first.result == "unsat" and (again is None or again.result == "unsat")
        judgement = "proved" if agreed else "refuted" if self._small(lemma, lemma.goal, "") == "sat" else "unknown"
        asked = _Obligation(lemma.name, text)
        return Line(asked, judgement, first.seconds, again and again.seconds)  # type: ignore[arg-type]  # it has a name and a text

    def _model(self, lemma: Lemma) -> object:
        return "found" if self._small(lemma, "false", "") == "sat" else None

    def _small(self, lemma: Lemma, goal: str, left_out: str) -> str:
        return ask_z3(self._text(lemma, self._sorts(True), goal, left_out), _FEW_SECONDS).result

    def _sorts(self, small: bool) -> str:
        if not small:
            return "".join(f"(declare-sort {sort} 0)\n" for sort in self.few)
        return "".join(
            f"(declare-datatypes (({sort} 0)) (({' '.join(f'({sort}{n})' for n in range(count))})))\n"
            for sort, count in self.few.items())

    def _text(self, lemma: Lemma, sorts: str, goal: str, left_out: str) -> str:
        asserted = [f"; {name}\n(assert {self.hypotheses[name]})" for name in lemma.given if name != left_out]
        return "\n".join(["(set-logic ALL)", sorts + self.vocabulary, *asserted, f"(assert {lemma.when})",
                          f"; {lemma.name}", f"(assert (not {goal}))", "(check-sat)", ""])
