"""What a sample has seen: distinct classes, and an estimate of what it has not.

A class is recognised by the hash of its canonical form, the same that the
exhaustive search counts, so the number of distinct classes is a lower bound of the number that there are.
The probability of what was not seen is estimated by how often something was seen
only once (Good and Turing). Its meaning, in words: if one more execution were drawn
in the same way, so likely would it be of a class that is not among those seen. It
says nothing of how many such classes there are, and a rare bug may hide in very little
probability; `missing` is a careful guess at their number (Chao).

Refused: a percentage "of all classes covered", which nobody can know from a sample.

Source: Good, "The Population Frequencies of Species" (Biometrika 1953); Chao (Scandinavian Journal of Statistics 1984).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable

from hocket.explore.classes import class_of
from hocket.explore.execution import Execution

__all__ = ["MEANING", "Coverage"]

MEANING = ("the probability unseen is that of one more execution, drawn in the same way, being of a class that is not "
           "among these (Good-Turing); it is no share of the classes")


class Coverage:
    """Counts executions by class. `key` tells classes apart; the default is the canonical form of the trace."""

    def __init__(self, key: Callable[[Execution], Hashable] = class_of) -> None:
        self.key, self.seen = key, Counter[int]()

    def see(self, execution: Execution) -> None:
        """Count an execution that has ended; give it to a host as `watch`."""
        self.add(self.key(execution))

    def add(self, key: Hashable) -> None:
        """Count an execution of this class."""
        self.seen[hash(key)] += 1

    @property
    def executions(self) -> int:
        return self.seen.total()

    @property
    def distinct(self) -> int:
        """Classes seen: a lower bound of how many there are."""
        return len(self.seen)

    @property
    def once(self) -> int:
        """Classes seen only once."""
        return sum(count == 1 for count in self.seen.values())

    @property
    def unseen(self) -> float:
        """The probability of all classes that were not seen, by Good and Turing: the share of executions whose class
        was seen only once; 1.0 of an empty sample."""
        return self.once / self.executions if self.seen else 1.0

    @property
    def missing(self) -> float:
        """At least about so many classes were not seen, by Chao's estimate in its form without bias."""
        twice = sum(count == 2 for count in self.seen.values())
        return self.once * (self.once - 1) / (2 * (twice + 1))

    def __str__(self) -> str:
        runs = self.executions
        unseen = f"about {self.unseen:.1%}" if self.once else f"less than about {1 / max(1, runs):.1%}"
        return f"sampled: {_counted(runs, 'execution')}, {self._classes()}, {unseen} of the probability unseen"

    def _classes(self) -> str:
        return f"{self.distinct:,} distinct class{'' if self.distinct == 1 else 'es'}"


def _counted(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"
