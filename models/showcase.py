"""What the broken models have in common: a bug, its repaired twin, and how the bug shows.

Each file of `models/broken/` ends with a `Showcase`: the rank of the bug in the seeds'
catalogue (their section 8), its number there, the specification that has it and the
one that does not, the scope in which both are searched, and the claim that fails. The
lengths and counts are in `models/expected.toml`.

Four ways to be wrong: *deadlock* (nobody can move, and somebody should), *livelock*
(steps go on for ever, and what was promised never comes), *second close*, *assertion*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hocket.spec import Spec, Term, disj

Kind = Literal["deadlock", "livelock", "second close", "assertion"]


@dataclass(frozen=True, slots=True)
class Showcase:
    """A bug, and what it is without. `claim` is an @always that fails, or, of a livelock, an @eventually."""

    rank: int
    seed: str
    kind: Kind
    claim: str
    broken: type[Spec]
    repaired: type[Spec]
    scope: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    given_repaired: Mapping[str, Any] | None = None  # where what is repaired is what was given


def able(s: Spec) -> Term:
    """Whether anything can happen at all."""
    deeds = type(s).deeds.items()
    return disj(*(s.enabled(name) for name, deed in deeds if deed.kind in ("action", "environment")))


# -- checks that are no runs ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cases:
    """A claim about every value of some kind up to a size, smallest first, and who keeps it."""

    rank: int
    seed: str
    claim: str
    cases: Callable[[], Iterable[Any]]
    broken: Callable[[Any], bool]
    repaired: Callable[[Any], bool]

    def failing(self, holds: Callable[[Any], bool]) -> list[Any]:
        return [case for case in self.cases() if not holds(case)]
