"""Claims about one graph, decided one by one or many at once.

What edges enforce is answered for all claims in one pass over the graph, by names and
numbers: of ten thousand claims those that hold cost no look at a task. The others are
decided one after the other (`answers`), and in a large graph only some with a run.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property

from hocket.verify.answers import ANSWERS, LARGE, Asked, Decided, denial_of
from hocket.verify.assertions import CURE, Assertion
from hocket.verify.budget import UNLIMITED, Budget
from hocket.verify.denials import Denial
from hocket.verify.findings import Finding, Note
from hocket.verify.model import Graph, Task
from hocket.verify.order import enforced, task_pairs
from hocket.verify.structure import Shape

__all__ = ["Docket"]

_MOST_PATHS = 200  # claims of one request for which a path is written down; of more, the one pass is the reason
_MOST_RUNS = 5  # claims of so many that are refuted with a run each
_MOST_NAMES = 2_000  # names among which a misspelt one is looked for

_Pair = tuple[str, str]  # the tasks that a claim speaks of; twice the same one where it speaks of one


@dataclass
class Docket:
    """Claims about one acyclic graph."""

    graph: Graph
    shape: Shape
    rank: array[int]
    budget: Budget = UNLIMITED

    def decide(self, claim: Assertion) -> Decided:
        """Prove or refute one claim."""
        return self.decide_all([claim])[0]

    def decide_all(self, claims: Sequence[Assertion]) -> list[Decided]:
        """Prove or refute each claim; what edges enforce is answered for all of them in one pass."""
        pairs = [self._pair(claim) for claim in claims]
        if len(claims) <= _MOST_PATHS:
            return [self._one(claim, pair) for claim, pair in zip(claims, pairs, strict=True)]
        fine = self._enforced(claims, pairs)
        found: list[Decided] = []
        runs = _MOST_RUNS if len(self.graph.tasks) < LARGE else 0  # of many claims so many are refuted with a run
        for place, (claim, pair) in enumerate(zip(claims, pairs, strict=True)):
            if isinstance(pair, Finding):
                found.append(_located(Decided(claim, pair)))
            elif place in fine:
                found.append(Decided(replace(claim, first=pair[0], second=pair[1]), ordered=True))
            elif runs <= 0 and self.graph.plain and claim.form == "before":
                found.append(_located(self._without_run(claim, pair)))
            else:
                found.append(self._one(claim, pair))
                runs -= found[-1].finding is not None
        return found

    def denial(self, claim: Assertion) -> Denial | None:
        """What has to be denied for this claim to hold, if it is one that says "never" or "always"."""
        pair = self._pair(claim)
        return None if isinstance(pair, Finding) else denial_of(self._asked(claim, pair))

    def _enforced(self, claims: Sequence[Assertion], pairs: Sequence[_Pair | Finding]) -> set[int]:
        """The places of the claims about an order that the edges alone make true."""
        asked: list[tuple[int, _Pair]] = []
        for place, (claim, pair) in enumerate(zip(claims, pairs, strict=True)):
            if not isinstance(pair, Finding) and claim.form in ("before", "never with"):
                asked.append((place, pair))
                if claim.form == "never with":
                    asked.append((place, (pair[1], pair[0])))
        found = enforced(self.shape, self.rank, task_pairs(self.shape, [pair for _, pair in asked]))
        return {place for (place, _), ordered in zip(asked, found, strict=True) if ordered}

    def _one(self, claim: Assertion, pair: _Pair | Finding) -> Decided:
        if isinstance(pair, Finding):
            return _located(Decided(claim, pair))
        return _located(ANSWERS[claim.form](self._asked(claim, pair)))

    def _asked(self, claim: Assertion, pair: _Pair) -> Asked:
        return Asked(claim, self.graph, self.shape, *self._tasks(pair), self.budget)

    def _without_run(self, claim: Assertion, pair: _Pair) -> Decided:
        """In a plain graph what no way of edges enforces can be otherwise: a run for each would say it again."""
        first, second = self._tasks(pair)
        told = f"'{claim}' does not hold: no way of waits leads from {first.name!r} to {second.name!r}"
        notes = tuple(Note(task.span, f"{task.name!r} is here") for task in (first, second))
        return Decided(claim, Finding("G020", told, second.span, notes, about=(str(claim),)))

    # -- names ---------------------------------------------------------------------------------------------------------

    def _tasks(self, pair: _Pair) -> tuple[Task, Task]:
        return self.graph.tasks[pair[0]], self.graph.tasks[pair[1]]

    def _pair(self, claim: Assertion) -> _Pair | Finding:
        """The tasks that a claim speaks of, or what is wrong with it."""
        first = self._named(claim.first)
        second = self._named(claim.second) if claim.second else first
        if not (first and second):
            return self._unknown(claim, claim.second if first else claim.first)
        if first == second and claim.second:
            return Finding("G021", f"'{claim}' compares a task with itself", self.graph.tasks[first].span, cure=CURE)
        return first, second

    def _named(self, word: str) -> str:
        """The task that is meant, in whatever case it is written; '' if there is none."""
        return word if word in self.graph.tasks else self._lower.get(word.lower(), "")

    @cached_property
    def _lower(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in self.graph.tasks:
            found.setdefault(name.lower(), name)
        return found

    def _unknown(self, claim: Assertion, word: str) -> Finding:
        near = get_close_matches(word, list(self.graph.tasks)[:_MOST_NAMES], n=1)
        listed = ", ".join(list(self.graph.tasks)[:20])
        cure = f"did you mean {near[0]!r}?" if near else f"the tasks are {listed}"
        return Finding("G021", f"'{claim}' speaks of {word!r}, which is not defined", claim.place, cure=cure)


def _located(answer: Decided) -> Decided:
    """A claim that stands in a file is shown beside what refutes it."""
    place, finding = answer.assertion.place, answer.finding
    if finding is None or not place.line or finding.span == place:
        return answer
    return replace(answer, finding=replace(finding, notes=(*finding.notes, Note(place, "claimed here"))))
