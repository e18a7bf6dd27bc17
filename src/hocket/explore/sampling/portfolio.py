"""Strategies for programs that are too large to exhaust, by name: each execution is drawn, and none is a proof.

    random      any actor that can go on (walk.py)
    pct         random priorities, lowered at few random steps: a known probability for bugs of small depth (pct.py)
    pos         a random priority for each operation, drawn again when something conflicting happens (pos.py)
    urw         every interleaving equally likely, as far as lengths are known and nobody blocks (surw.py)
    surw        the same for the operations on a few shared objects, drawn for each execution (surw.py)
    portfolio   random, pct, pos and surw in turn: each is blind to something that another sees

What a sample is worth is said by `coverage.py`. A seed reproduces everything.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hocket.explore.execution import Choice, Execution
from hocket.explore.sampling.coverage import Coverage
from hocket.explore.sampling.pct import Pct
from hocket.explore.sampling.pos import Pos
from hocket.explore.sampling.surw import Surw, Urw
from hocket.explore.sampling.walk import RandomWalk

__all__ = ["DEFAULT_EXECUTIONS", "SAMPLERS", "Coverage", "Pct", "Portfolio", "Pos", "RandomWalk", "Sampler", "Surw",
           "Urw"]

DEFAULT_EXECUTIONS = 1_000  # of a sample without any limit


class Portfolio:
    """Random walk, PCT, POS and SURW in turn, one execution each; all learn from each execution."""

    exhaustive = False
    fixed = 0
    name = "portfolio"

    def __init__(self, executions: int | None = 1000, seed: int = 0, *,
                 random: Callable[[str], Random] = Random) -> None:
        self.executions, self.seed, self.number = executions, seed, 0
        self.members: list[RandomWalk] = [
            kind(None, seed, random=random) for kind in (RandomWalk, Pct, Pos, Surw)]

    @property
    def present(self) -> RandomWalk:
        """The member whose turn it is."""
        return self.members[(self.number - 1) % len(self.members)]

    def begin(self) -> bool:
        if self.executions is not None and self.number >= self.executions:
            return False
        self.number += 1
        return self.present.begin()

    def choose(self, execution: Execution) -> Choice | None:
        return self.present.choose(execution)

    def ended(self, execution: Execution) -> None:
        for member in self.members:
            member.learn(execution, self.present.choices)

    def promise(self) -> str:
        return "; ".join(filter(None, (member.promise() for member in self.members)))


Sampler = RandomWalk | Portfolio

SAMPLERS: dict[str, Callable[[int | None, int], Sampler]] = {
    "random": RandomWalk,
    "pct": Pct,
    "pos": Pos,
    "urw": Urw,
    "surw": Surw,
    "portfolio": Portfolio,
}
