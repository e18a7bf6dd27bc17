"""Refutations: a list of clauses, each of which follows from those before by nothing but unit propagation, to the end.

`refutes` is all that has to be believed of a certificate's "never": it takes each
clause of the list, supposes that all of it is false, and follows what then has to be
so until something would have to be both (reverse unit propagation; Goldberg and
Novikov, DATE 2003). The last clause is the empty one. `refutation` looks for such a
list: conflict-driven search that learns the first unique implication point (Marques-
Silva and Sakallah 1996; watched literals as in Chaff, 2001), within a number of
conflicts. What it learns is the list; that it found one proves nothing, `refutes` does.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Sequence

from hocket.verify.budget import UNLIMITED, Budget
from hocket.verify.propositions import Clause

__all__ = ["refutation", "refutes"]

_MOST_CONFLICTS = 3_000
_FADES = 1.05  # how much more a later conflict counts than the one before it


def refutes(clauses: Iterable[Clause], lemmas: Sequence[Sequence[int]]) -> bool:
    """Whether these lemmas, one after another, show that the clauses cannot all be true."""
    known = _Propagation(clauses)
    for lemma in lemmas:
        if any(type(number) is not int or not number for number in lemma):
            return False
        start = len(known.trail)
        holds = known.contradicted or any(known.value(number) > 0 for number in lemma)
        if not holds:
            for number in lemma:
                known.suppose(-number)
            holds = known.follow() is not None
        known.back_to(start)
        if not holds:
            return False
        known.add(tuple(lemma))
    return known.contradicted


class _Propagation:
    """What follows from clauses, by looking at two numbers of each; everything can be taken back."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self.values: dict[int, int] = {}  # of a number and of its negative
        self.reason: dict[int, Sequence[int]] = {}  # the clause by which something follows; () if it was supposed
        self.trail: list[int] = []
        self.at: dict[int, int] = {}  # where on the trail
        self.watched: dict[int, list[list[int]]] = {}
        self.next = 0  # what of the trail was not followed yet
        self.contradicted = False
        for clause in clauses:
            self.add(clause)

    def value(self, number: int) -> int:
        """1 if it is so, -1 if it is not, 0 if that is open."""
        return self.values.get(number, 0)

    def suppose(self, number: int, reason: Sequence[int] = ()) -> None:
        if not self.values.get(number):
            self.values[number], self.values[-number] = 1, -1
            self.reason[abs(number)] = reason
            self.at[abs(number)] = len(self.trail)
            self.trail.append(number)

    def add(self, clause: Clause) -> None:
        """One more clause, for good: nothing may be supposed while it is added."""
        left = [number for number in dict.fromkeys(clause) if self.value(number) >= 0]
        if any(self.value(number) > 0 for number in left) or any(-number in left for number in left):
            return
        if len(left) > 1:
            self.watch(left)
            return
        for number in left:
            self.suppose(number, clause)
        self.contradicted = self.contradicted or not left or self.follow() is not None

    def watch(self, clause: list[int]) -> None:
        for number in clause[:2]:
            self.watched.setdefault(-number, []).append(clause)

    def follow(self) -> list[int] | None:
        """Everything that has to be so; a clause of which nothing can be true any more, if there is one."""
        values = self.values
        while self.next < len(self.trail):
            number = self.trail[self.next]
            self.next += 1
            watching = self.watched.get(number, [])
            kept: list[list[int]] = []
            for place, clause in enumerate(watching):
                if clause[0] == -number:
                    clause[0], clause[1] = clause[1], clause[0]
                other = clause[0]
                if values.get(other, 0) > 0 or not self._moved(clause):
                    kept.append(clause)
                    if values.get(other, 0) < 0:
                        self.watched[number] = kept + watching[place + 1 :]
                        return clause
                    self.suppose(other, clause)
            self.watched[number] = kept
        return None

    def _moved(self, clause: list[int]) -> bool:
        """Whether something else of the clause can be watched instead of its second."""
        for place in range(2, len(clause)):
            if self.values.get(clause[place], 0) >= 0:
                clause[1], clause[place] = clause[place], clause[1]
                self.watched.setdefault(-clause[1], []).append(clause)
                return True
        return False

    def back_to(self, length: int) -> None:
        for number in self.trail[length:]:
            del self.values[number], self.values[-number], self.reason[abs(number)], self.at[abs(number)]
        del self.trail[length:]
        self.next = min(self.next, length)


def refutation(
    clauses: Iterable[Clause], most: int = _MOST_CONFLICTS, budget: Budget = UNLIMITED
) -> list[list[int]] | None:
    """A list that `refutes` accepts; None if the clauses can be true, or after so many conflicts, or so much time."""
    return _Search(clauses).run(most, budget)


class _Search:
    """Supposes, follows, and learns from each contradiction a clause that keeps it from coming again."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self.known = _Propagation(clauses)
        self.levels: list[int] = []  # how long the trail was before each supposition
        self.lemmas: list[list[int]] = []
        self.weight: dict[int, float] = {}
        self.bump = 1.0
        numbers = {abs(number) for clauses in self.known.watched.values() for clause in clauses for number in clause}
        self.open = [(0.0, number) for number in sorted(numbers)]  # a heap: the weightiest first

    def run(self, most: int, budget: Budget) -> list[list[int]] | None:
        while not self.known.contradicted:
            conflict = self.known.follow()
            if conflict is None:
                if not self._suppose():
                    return None
            elif not self.levels:
                break
            elif len(self.lemmas) >= most or not budget.left:
                return None
            else:
                self._learn(conflict)
        return [*self.lemmas, []]

    def _suppose(self) -> bool:
        while self.open:
            _, number = heapq.heappop(self.open)
            if not self.known.value(number):
                self.levels.append(len(self.known.trail))
                self.known.suppose(-number)
                return True
        return False

    def _learn(self, conflict: Sequence[int]) -> None:
        lemma = self._analysed(conflict)
        self.lemmas.append(lemma)
        back = self._level(lemma[1]) if len(lemma) > 1 else 0
        length = self.levels[back]
        for number in self.known.trail[length:]:
            heapq.heappush(self.open, (-self.weight.get(abs(number), 0.0), abs(number)))
        self.known.back_to(length)
        del self.levels[back:]
        if len(lemma) == 1:
            self.known.add(tuple(lemma))
            return
        watched = list(lemma)
        self.known.watch(watched)
        self.known.suppose(lemma[0], watched)

    def _analysed(self, conflict: Sequence[int]) -> list[int]:
        """What may not all be false again: first the one that follows, then the one that was supposed latest."""
        trail, reason = self.known.trail, self.known.reason
        seen: set[int] = set()
        earlier: list[int] = []
        here, place, clause = 0, len(trail), conflict
        while True:
            for number in clause:
                if abs(number) not in seen and (level := self._level(number)):
                    seen.add(abs(number))
                    self._weigh(abs(number))
                    if level == len(self.levels):
                        here += 1
                    else:
                        earlier.append(number)
            place -= 1
            while abs(trail[place]) not in seen:
                place -= 1
            here -= 1
            if not here:
                earlier.sort(key=self._level, reverse=True)
                return [-trail[place], *earlier]
            clause = reason[abs(trail[place])]

    def _level(self, number: int) -> int:
        return bisect_right(self.levels, self.known.at[abs(number)])

    def _weigh(self, number: int) -> None:
        self.weight[number] = self.weight.get(number, 0.0) + self.bump
        self.bump *= _FADES
        if self.bump > 1e100:
            self.weight = {one: weight * 1e-100 for one, weight in self.weight.items()}
            self.bump *= 1e-100
