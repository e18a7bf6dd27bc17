"""A sample as the front door sees it: which sampler, by which seed, how many executions, and what may be said of it.

A sample needs a limit; without one it takes `DEFAULT_EXECUTIONS` and says so. Without a seed one is drawn, and told
with the result: the same seed repeats the same executions, one by one. Its verdict
is never "proved", not even if it happened to see everything. Refused: options that have no meaning for it (a bound,
a checkpoint), and a seed for a search that draws nothing.
"""

from __future__ import annotations

from random import SystemRandom
from typing import Any

from hocket.errors import Refused
from hocket.explore.sampling.coverage import MEANING, Coverage
from hocket.explore.sampling.portfolio import DEFAULT_EXECUTIONS, SAMPLERS, Sampler

__all__ = ["Sample", "sample_of"]


def sample_of(strategy: str, seed: Any, executions: int | None, seconds: float | None, **without: Any) -> Sample | None:
    """The sample that these options of `explore` ask for; None if `strategy` is none that draws.

    Raises `Refused` if one of `without` is given, a seed that is no number, or a seed where nothing is drawn.
    """
    if strategy not in SAMPLERS:
        if seed is not None:
            raise Refused("seed", f"set to {seed!r}", f"without meaning for strategy={strategy!r}, which draws nothing",
                          f"strategy= one of {', '.join(SAMPLERS)}")
        return None
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise Refused("seed", f"set to {seed!r}", "no seed", "a whole number")
    for name, value in without.items():
        if value is not None:
            raise Refused(name, f"set to {value!r}", f"not possible with strategy={strategy!r}, which draws",
                          "strategy='optimal'")
    return Sample(strategy, SystemRandom().randrange(1 << 32) if seed is None else seed, executions, seconds)


class Sample:
    """The sampler of one call of `explore`, and what its executions have shown."""

    def __init__(self, strategy: str, seed: int, executions: int | None, seconds: float | None) -> None:
        self.strategy, self.seed = strategy, seed
        self.by_default = executions is None and seconds is None
        self.limit = DEFAULT_EXECUTIONS if self.by_default else executions
        self.sampler: Sampler
        self.coverage: Coverage
        self.begin()

    def begin(self) -> Sampler:
        """Start from the seed, having seen nothing."""
        self.sampler, self.coverage = SAMPLERS[self.strategy](None, self.seed), Coverage()
        return self.sampler

    def reason(self, cut: str) -> str:
        """Why this is no proof; `cut` is why it ended, if it was not for its limit."""
        told = f"{self.coverage}; strategy {self.strategy!r}, seed {self.seed}"
        if self.by_default:
            told += f"; {DEFAULT_EXECUTIONS:,} executions are the default: set executions= or seconds="
        return f"{told}; {cut}" if cut and not cut.startswith("the limit of") else told

    def notes(self) -> tuple[str, ...]:
        """What the numbers mean, what is guaranteed, and how many classes may be missing."""
        coverage = self.coverage
        missing = f"at least about {coverage.missing:,.0f} classes not seen (Chao)" if coverage.missing >= 1 else ""
        return tuple(filter(None, (MEANING, missing, self.sampler.promise())))
