"""How long one graph may be looked at: beyond that what is left is unknown, and said to be.

One question to a solver has a limit of its own (`smt.TIMEOUT`); a graph can have ten
thousand questions. Whoever begins something long asks its budget first, and a solver
gets no more time than is left. What then is not answered is a finding (G090), never
silence: the questions that cost one pass are asked all the same.

Refused: a limit in steps, which would be the same everywhere and mean nothing to a
person who waits; so a slower machine may leave more unknown, and says so.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hocket.errors import MissingExtra, SourceError

__all__ = ["SECONDS", "UNLIMITED", "Budget", "NoSolver", "Spent", "budget_of"]

SECONDS = 30.0  # for one graph, if nobody says anything else


class Spent(Exception):
    """The time for this graph is over."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the {seconds:g} s for one graph are over (--seconds gives more)")


NoSolver = (MissingExtra, Spent)  # why there may be none


@dataclass(frozen=True)
class Budget:
    """`seconds` from the moment it was made, by `clock`."""

    seconds: float = math.inf
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", self.clock() + self.seconds)

    @property
    def left(self) -> float:
        """Seconds; 0 when it is spent."""
        return max(0.0, self.ends - self.clock()) if self.seconds < math.inf else math.inf

    @property
    def is_over(self) -> str:
        """That nothing is left, in words; '' while something is."""
        return "" if self.left else str(Spent(self.seconds))

    def check(self) -> None:
        """Raises `Spent` if nothing is left."""
        if not self.left:
            raise Spent(self.seconds)


UNLIMITED = Budget()


def budget_of(seconds: float) -> Budget:
    """So many seconds from now on; raises SourceError where that is no time."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        raise SourceError(f"seconds={seconds!r}: a graph needs some time", cure=f"leave it out for {SECONDS:g} s")
    return Budget(seconds)
