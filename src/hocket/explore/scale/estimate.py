"""How many executions a search will have made when it is through, while it is still under way, and how sure that is.

A search by reduction does not know its tree: what a state still has to try is
found out below it. So every execution is taken as a sample in Knuth's sense. The
chance of a random walk to end in it, with the branches known so far, is one over
the product of the numbers of branches on its path; the chances of the executions
that are behind us add up to the part of the tree that is done, and what was
counted divided by that part is the estimate (the weighted backtrack estimator).
The part is computed from the path alone, so branches found late change the weight
of everything below them too. At the end the part is 1 and the estimate is exact.

The spread joins the standard error of the weighted samples with how far the
estimate has moved while the executions grew fourfold: a search goes through
its tree from one side, and branches not yet found are no sampling error. And it is
never below a quarter of what is still to come, which may look unlike what was
seen. It is a doubt, not a confidence interval. Measured on the programs of the
published counts: from half of the executions on, the estimate is within a
factor of 4 for all of them, and within 2 for most; before, it is usually too low.
Refused: random descents (each would be an execution that explores nothing new), and
a percentage, which would hide both the doubt and the bias.

Source: Knuth, "Estimating the efficiency of backtrack programs" (1975); Kilby, Slaney,
Thiébaux, Walsh, "Estimating search tree size" (AAAI 2006); the spread is ours.
"""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import Any, NamedTuple, Protocol

__all__ = ["Estimate", "Estimated", "Planning"]

_ENOUGH = 30  # samples before anything is said
_WIDEST = 1.0  # a spread above this part of the estimate is no estimate
_UNSEEN = 0.25  # what is still to come may differ by this part at least
_STEP = 1.2  # how far the executions grow between two looks at the estimate


class _State(Protocol):
    @property
    def tree(self) -> list[Any]: ...


class Planning(Protocol):
    """What is looked at: a strategy that keeps, for each state on its path, the list of branches not yet done."""

    @property
    def fixed(self) -> int: ...

    @property
    def frames(self) -> Any: ...


class Estimated(NamedTuple):
    """A number of executions in all, and how far off that may be; finished, the spread is 0 and the number exact."""

    total: float
    spread: float

    def __str__(self) -> str:
        return f"about {_rounded(self.total):,} ± {_rounded(self.spread):,}" if self.spread else f"{self.total:,.0f}"


class _Branches:
    """What is done at one state of the path: finished branches, and what their executions add up to."""

    __slots__ = ("done", "executions", "inverse", "squares")

    def __init__(self) -> None:
        self.done = 0
        self.executions = 0
        self.inverse = 0.0  # the sum over them of one over their chance, from here
        self.squares = 0.0  # the sum over them of their chance squared, times the square of the number of branches

    def closed(self, branches: int) -> tuple[int, float, float]:
        """All is done here, out of so many branches: the sums as the state above has to see them."""
        return self.executions, self.inverse * branches, self.squares / (branches * branches)

    def add(self, sums: tuple[int, float, float]) -> None:
        self.done += 1
        self.executions += sums[0]
        self.inverse += sums[1]
        self.squares += sums[2]


class Estimate:
    """Follows a strategy; call it once after each execution, when the strategy has `ended` it."""

    def __init__(self, strategy: Planning) -> None:
        self._strategy = strategy
        self._path: list[_Branches] = []
        self.executions = 0
        self._history: list[tuple[int, float]] = []  # the estimate as it was after so many executions
        self._next_look = 1.0
        self._parted: int | None = None  # where the next execution parts from the last, if a checkpoint says so
        self._lately: tuple[int, Estimated | None] = (0, None)

    def __call__(self, _: object = None) -> None:
        """Take the execution that has just ended as a sample."""
        path, fixed = self._path, self._strategy.fixed
        if self._parted is not None:
            fixed, self._parted = self._parted, None
        if self.executions:
            self._close(fixed)
        path += [_Branches() for _ in range(len(self._strategy.frames) - len(path))]
        self.executions += 1
        if self.executions >= self._next_look:
            self._history.append((self.executions, self._total()))
            self._next_look = self.executions * _STEP

    def now(self, finished: bool = False) -> Estimated | None:
        """The estimate; None as long as there is none worth the name. `finished`: nothing is left to do."""
        if finished:
            return Estimated(self.executions, 0.0)
        if self.executions < _ENOUGH:
            return None
        total, error, left = self._sums()
        drift = max((abs(total - then) for count, then in self._history if 4 * count >= self.executions), default=inf)
        spread = max(sqrt((error * error + drift * drift) * left), _UNSEEN * (total - self.executions))
        return Estimated(total, spread) if isfinite(total + spread) and spread <= _WIDEST * total else None

    def lately(self) -> Estimated | None:
        """As `now`, but not computed anew each time."""
        if self.executions >= self._lately[0]:
            self._lately = self.executions + self.executions // 64 + 1, self.now()
        return self._lately[1]

    def saved(self, parts: int) -> dict[str, Any]:
        """What a checkpoint keeps of it, as JSON; the next execution parts from the last at state `parts`."""
        path = [[branches.done, branches.executions, branches.inverse, branches.squares] for branches in self._path]
        return {"executions": self.executions, "path": path, "history": self._history, "parts": parts}

    def restore(self, saved: dict[str, Any]) -> None:
        """Go on from what `saved` said."""
        self.executions = saved["executions"]
        self._history = [(count, total) for count, total in saved["history"]]
        self._next_look, self._parted = self.executions * _STEP, saved["parts"]
        self._path = []
        for row in saved["path"]:
            branches = _Branches()
            branches.done, branches.executions, branches.inverse, branches.squares = row
            self._path.append(branches)

    # -- within

    def _close(self, fixed: int) -> None:
        """The next execution parted from the last at state `fixed`: whatever the last had below it is done."""
        path = self._path
        sums = (1, 1.0, 1.0)
        while len(path) > fixed + 1:
            branches = path.pop()
            branches.add(sums)
            sums = branches.closed(branches.done)
        path[fixed].add(sums)

    def _total(self) -> float:
        return self._sums()[0]

    def _sums(self) -> tuple[float, float, float]:
        """The estimate, the standard error of its samples, and the part of the tree that is left."""
        chance, part, inverse, squares = 1.0, 0.0, 0.0, 0.0
        for branches, state in zip(self._path, self._strategy.frames, strict=False):
            share = chance / (branches.done + 1 + len(state.planned or ()))
            part += share * branches.done
            inverse += branches.inverse / share if share else inf
            squares += branches.squares * share * share
            chance = share
        part, squares = part + chance, squares + chance * chance
        inverse += 1 / chance if chance else inf
        if not part or not isfinite(inverse):
            return inf, inf, 1.0
        total = self.executions / part
        variance = max(0.0, inverse / part - total * total) * squares / (part * part)
        return total, sqrt(variance), max(0.0, 1 - part)


def _rounded(number: float) -> int:
    """Two digits that mean something; the rest would be a lie."""
    whole = round(number)
    return round(whole, 2 - len(str(whole))) if whole >= 100 else whole
