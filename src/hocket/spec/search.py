"""Breadth-first search of everything a specification can do in a finite scope.

Breadth first, so the first state that breaks a claim is a nearest one, and its path
a shortest counterexample. States are numbers (`packed.py`), taken further a frontier
at a time (`expand.py`); of each only the one that it came from is kept, and which event
it was is found again when a path is asked for. What is found is replayed, step by step,
through the interpreter, which stores and compiles states otherwise, before it is
returned. A search that met its limit says unknown: nothing was found wrong, in as far
as it looked.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from hocket.errors import SpecError
from hocket.spec.expand import Expand, expander, looker
from hocket.spec.ground import Given
from hocket.spec.live import Fairness, Promise, fairness_of, keeps, promises
from hocket.spec.packed import OutOfRange
from hocket.spec.remarks import Remark, conditions_of, remarks
from hocket.spec.space import Space, told, way
from hocket.spec.terms import Term, claim
from hocket.spec.traced import Claim, Theory
from hocket.verdict import Basis, Bound, Counterexample, Holds, Unknown, Verdict, Violated

__all__ = ["Found", "search"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search saw. `terminal`: states in which nothing is possible; `verdict` is about the claims, by name.

    With `symmetric` sorts, states, transitions and terminal states are counted up to who is who.
    """

    states: int
    transitions: int
    terminal: int
    depth: int
    fired: dict[str, int]  # how often each deed was done: zero means that a model says something it cannot do
    verdicts: dict[str, Verdict]
    ends: tuple[dict[str, Any], ...] = ()  # the first terminal states, decoded
    bytes_per_state: float = 0.0  # of the table of states, who came from whom included
    merged: int = 1  # how many ways to exchange elements were taken for one: see `symmetric`
    remarks: tuple[Remark, ...] = ()  # what a reader of the model should look at; they are no verdict

    @property
    def verdict(self) -> Verdict:
        """The first claim that is violated, else the first that is unknown, else one that holds."""
        for kind in (Violated, Unknown):
            for verdict in self.verdicts.values():
                if isinstance(verdict, kind):
                    return verdict
        claims = ", ".join(self.verdicts) or "no claim was made"
        return Holds(claims, Basis.EXHAUSTED, (Bound("states", self.states),), self.counts())

    def counts(self) -> dict[str, int]:
        return {
            "states": self.states,
            "transitions": self.transitions,
            "terminal": self.terminal,
            "depth": self.depth,
        }

    def never(self) -> list[str]:
        """The deeds that were never possible."""
        return [name for name, times in self.fired.items() if not times]

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {what}" for what, count in self.counts().items())
        return "\n".join([counts, *map(str, self.verdicts.values()), *map(str, self.remarks)])


_CLAIMS = ("invariant", "always", "mistaken")  # the last one only where it is asked for
_PORTION = 4096  # states between two looks at the limit


@dataclass(slots=True)
class _Search:
    """One search under way."""

    space: Space
    limit: int
    came: dict[int, int | None] = field(default_factory=dict)
    depth: int = 0
    ended: str = ""  # why before its end
    fired: dict[str, int] = field(default_factory=dict)
    terminal: list[int] = field(default_factory=list)
    broken: dict[str, int] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def run(self, claims: list[Claim], wishes: list[Claim]) -> None:
        packed, ground = self.space.packed, self.space.packed.scope.ground
        expand, deeds = expander(packed, self.space.canon)
        self.fired = dict.fromkeys(deeds, 0)
        checks = {claim.name: ground(claim.term) for claim in claims}
        hopes = {wish.name: looker(packed, [ground(~wish.term)]) for wish in wishes}
        frontier = self.space.initial
        self.came = dict.fromkeys(frontier)
        look = looker(packed, checks.values())
        while frontier:
            while (found := look(frontier)) is not None:
                self._broke(found, checks)
                look = looker(packed, checks.values())
            for name in [name for name, missed in hopes.items() if missed(frontier) is not None]:
                self.reached.add(name)
                del hopes[name]
            try:
                frontier = self._deeper(frontier, expand, deeds)
            except OutOfRange as left:
                if not self.broken:
                    raise
                self.ended = str(left)  # what was found before is worth more than that a number grows
                return
            self.depth += bool(frontier)
            if len(self.came) > self.limit:
                self.ended = f"the limit of {self.limit} states was reached"
                return

    @property
    def complete(self) -> bool:
        return not self.ended

    def _broke(self, state: int, checks: dict[str, Term]) -> None:
        """Note which claims do not hold here, and look for them no more."""
        for name, term in list(checks.items()):
            if looker(self.space.packed, [term])([state]) is not None:
                self.broken[name] = state
                del checks[name]

    def _deeper(self, frontier: list[int], expand: Expand, deeds: list[str]) -> list[int]:
        fresh: list[int] = []
        for start in range(0, len(frontier), _PORTION):
            found, counts = expand(frontier[start : start + _PORTION], self.came, self.terminal)
            fresh += found
            for name, count in zip(deeds, counts, strict=True):
                self.fired[name] += count
            if len(self.came) > self.limit:
                break
        return fresh

    def bytes_per_state(self) -> float:
        some = list(self.came)[:: max(1, len(self.came) // 1000)]
        return sys.getsizeof(self.came) / len(self.came) + sum(map(sys.getsizeof, some)) / len(some)


def search(
    theory: Theory,
    scope: Mapping[str, Any],
    given: Given | None = None,
    claims: Collection[str] | None = None,
    limit: int = 2_000_000,
    symmetric: Collection[str] = (),
    fairness: Fairness = None,
) -> Found:
    """Look at every reachable state within `scope` (elements per sort), for the `given` values of rigid symbols.

    `claims` names what to check; by default every @invariant, @always, @sometimes and @eventually. `limit` is in
    states. `symmetric` names sorts whose elements are taken for interchangeable; `fairness` is as in `live.py`.
    """
    _known(theory, claims or ())
    kinds = _CLAIMS[:2] if claims is None else _CLAIMS
    asked = [claim for kind in kinds for claim in theory.claims(kind) if claims is None or claim.name in claims]
    hoped = [claim for claim in theory.claims("sometimes") if claims is None or claim.name in claims]
    promised = [promise for promise in promises(theory) if claims is None or promise.name in claims]
    _alike(promised, symmetric)
    fairness_of(theory, fairness)  # what makes no sense is refused, whether or not anything is promised
    space = Space(theory, scope, given, symmetric, [claim.term for claim in (*asked, *hoped)])
    run = _Search(space, limit)
    conditions = conditions_of(asked)
    run.run(asked, [*hoped, *conditions])
    verdicts = {claim.name: _verdict(run, claim.name) for claim in asked}
    verdicts |= {claim.name: _wish(run, claim.name) for claim in hoped}
    verdicts |= {promise.name: _kept(run, promise, fairness) for promise in promised}
    fired = run.fired
    return Found(
        len(run.came),
        sum(fired.values()),
        len(run.terminal),
        run.depth,
        fired,
        verdicts,
        tuple(space.decode(state) for state in run.terminal[:8]),
        run.bytes_per_state(),
        space.group.size if space.group else 1,
        tuple(remarks(space.packed, asked, [c for c in conditions if c.name not in run.reached], fired, run.complete)),
    )


def _known(theory: Theory, names: Collection[str]) -> None:
    """A name that selects nothing would be a search that finds nothing wrong."""
    searched = [name for name, deed in theory.spec.deeds.items() if deed.kind in (*_CLAIMS, "sometimes", "eventually")]
    for name in names:
        near = ", ".join(get_close_matches(name, searched) or searched) or "an @always"
        claim(name in searched, f"{name!r} is nothing that a search of {theory.spec.__name__} can check", near)


def _alike(promised: list[Promise], symmetric: Collection[str]) -> None:
    """Who is treated fairly is asked of each by name."""
    if promised and symmetric:
        raise SpecError(
            f"{promised[0].name} is about fair turns of each element, and {', '.join(symmetric)} are merged",
            promised[0].line[0],
            promised[0].line[1],
            "claims=[…] without it, or no symmetric=",
        )


def _verdict(run: _Search, name: str) -> Verdict:
    if name in run.broken:
        return Violated(name, _replayed(run, name))
    if not run.complete:
        return Unknown(name, run.ended)
    return Holds(name, Basis.EXHAUSTED, (Bound("states", len(run.came)),))


def _wish(run: _Search, name: str) -> Verdict:
    if name in run.reached:
        return Holds(f"sometimes {name}", Basis.EXHAUSTED)
    if not run.complete:
        return Unknown(name, f"no such state was reached: {run.ended}")
    return Violated(f"sometimes {name}", Counterexample(f"none of the {len(run.came)} states is one of these"))


def _kept(run: _Search, promise: Promise, fairness: Fairness) -> Verdict:
    try:
        return keeps(run.space, promise, fairness, run.came, run.complete)
    except OutOfRange as left:
        return Unknown(f"eventually {promise.name}", str(left))


def _replayed(run: _Search, name: str) -> Counterexample:
    """The counterexample, once the interpreter has gone the same way and found the claim broken there."""
    space = run.space
    start, events, _ = space.path(way(run.came, run.broken[name]))
    term = next(claim.term for kind in _CLAIMS for claim in space.theory.claims(kind) if claim.name == name)
    state, rigid = space.replayed(start, events)[-1]
    assert not space.machine.predicate([term])(state, rigid), f"{name} holds where the search says it does not"
    return Counterexample(f"{name} does not hold after: {told(events)}", events, replayed=True)
