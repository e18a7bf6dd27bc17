"""Breadth-first search of everything a specification can do in a finite scope.

Breadth first, so the first state that breaks a claim is a nearest one, and its path
a shortest counterexample. It is replayed, step by step, through the interpreter
before it is returned. A search that met its limit says unknown: nothing was found
wrong, in as far as it looked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from hocket.errors import SpecError
from hocket.spec.ground import Given
from hocket.spec.layout import State
from hocket.spec.machine import Event, Machine
from hocket.spec.traced import Theory
from hocket.verdict import Basis, Bound, Counterexample, Holds, Unknown, Verdict, Violated

__all__ = ["Found", "search"]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search saw. `terminal`: states in which nothing is possible; `verdict` is about the claims, by name."""

    states: int
    transitions: int
    terminal: int
    depth: int
    fired: dict[str, int]  # how often each deed was done: zero means that a model says something it cannot do
    verdicts: dict[str, Verdict]
    ends: tuple[dict[str, Any], ...] = ()  # the first terminal states, decoded

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


@dataclass(slots=True)
class _Search:
    """One search under way."""

    machine: Machine
    limit: int
    came: dict[State, tuple[State, Event] | None] = field(default_factory=dict)
    rigid: State = b""
    states: int = 0
    transitions: int = 0
    depth: int = 0
    complete: bool = True
    fired: dict[str, int] = field(default_factory=dict)
    terminal: list[tuple[State, State]] = field(default_factory=list)
    broken: dict[str, tuple[State, ...]] = field(default_factory=dict)
    paths: dict[str, tuple[Event, ...]] = field(default_factory=dict)
    reached: set[str] = field(default_factory=set)

    def run(self, claims: list[tuple[str, Any]], wishes: list[tuple[str, Any]]) -> None:
        machine = self.machine
        self.fired = {step.name: 0 for step in machine.theory.steps if not step.silent}
        checks = [(name, machine.predicate([term])) for name, term in claims]
        hopes = [(name, machine.predicate([term])) for name, term in wishes]
        for rigid in machine.rigids():
            self.rigid, self.came = rigid, {}
            self._from(machine.initial(rigid), checks, hopes)
            self.states += len(self.came)

    def _from(self, initial: list[State], checks: list[tuple[str, Any]], hopes: list[tuple[str, Any]]) -> None:
        frontier = initial
        self.came = dict.fromkeys(initial)
        depth = 0
        while frontier:
            for state in frontier:
                self._look(state, checks, hopes)
            frontier = self._expand(frontier)
            depth += bool(frontier)
            self.depth = max(self.depth, depth)
            if self.states + len(self.came) > self.limit:
                self.complete = False
                return

    def _look(self, state: State, checks: list[tuple[str, Any]], hopes: list[tuple[str, Any]]) -> None:
        for name, holds in checks:
            if name not in self.broken and not holds(state, self.rigid):
                self.broken[name] = (state, self.rigid)
                self.paths[name] = self.path(state)
        for name, holds in hopes:
            if name not in self.reached and holds(state, self.rigid):
                self.reached.add(name)

    def _expand(self, frontier: list[State]) -> list[State]:
        machine, came, rigid, fired = self.machine, self.came, self.rigid, self.fired
        functions, silent = list(machine.functions.items()), machine.has_silent
        fresh: list[State] = []
        for state in frontier:
            done = 0
            for event, function in functions:
                after = function(state, rigid)
                if after.__class__ is int:
                    continue
                if silent:
                    after = machine.settle(after, rigid)  # type: ignore[arg-type]  # an int was left out above
                done += 1
                fired[event[0]] += 1
                if after not in came:
                    came[after] = (state, event)  # type: ignore[index]  # as above
                    fresh.append(after)  # type: ignore[arg-type]  # as above
            self.transitions += done
            if not done:
                self.terminal.append((state, rigid))
        return fresh

    def path(self, state: State) -> tuple[Event, ...]:
        """The events that led here, first one first."""
        events = []
        while (step := self.came[state]) is not None:
            state, event = step
            events.append(event)
        return tuple(reversed(events))


def search(
    theory: Theory,
    scope: Mapping[str, Any],
    given: Given | None = None,
    claims: Collection[str] | None = None,
    limit: int = 2_000_000,
) -> Found:
    """Look at every reachable state within `scope` (elements per sort), for the `given` values of rigid symbols.

    `claims` names what to check; by default every @invariant, @always and @sometimes. `limit` is in states.
    """
    machine = Machine(theory, scope, given)
    kinds = ("invariant", "always") if claims is None else ("invariant", "always", "mistaken")
    asked = [claim for kind in kinds for claim in theory.claims(kind) if claims is None or claim.name in claims]
    hoped = [claim for claim in theory.claims("sometimes") if claims is None or claim.name in claims]
    run = _Search(machine, limit)
    try:
        run.run([(claim.name, claim.term) for claim in asked], [(claim.name, claim.term) for claim in hoped])
    except ValueError as error:
        raise SpecError("a number left the range 0 to 255 in which states are stored", cure="a guard") from error
    verdicts = {claim.name: _verdict(run, claim.name) for claim in asked}
    verdicts |= {claim.name: _wish(run, claim.name) for claim in hoped}
    ends = tuple(machine.decode(state, rigid) for state, rigid in run.terminal[:8])
    return Found(run.states, run.transitions, len(run.terminal), run.depth, run.fired, verdicts, ends)


def _verdict(run: _Search, name: str) -> Verdict:
    if name in run.broken:
        state, rigid = run.broken[name]
        return Violated(name, _replayed(run.machine, name, run.paths[name], state, rigid))
    if not run.complete:
        return Unknown(name, f"the limit of {run.limit} states was reached")
    return Holds(name, Basis.EXHAUSTED, (Bound("states", run.states),))


def _wish(run: _Search, name: str) -> Verdict:
    if name in run.reached:
        return Holds(f"sometimes {name}", Basis.EXHAUSTED)
    if not run.complete:
        return Unknown(name, f"not reached within {run.limit} states")
    return Violated(f"sometimes {name}", Counterexample(f"none of the {run.states} states is one of these"))


def _replayed(machine: Machine, name: str, path: tuple[Event, ...], state: State, rigid: State) -> Counterexample:
    """The counterexample, once the interpreter has gone the same way and come to the same state."""
    for begin in machine.initial(rigid):
        at: State | int = begin
        for event in path:
            at = machine.step(at, rigid, event) if not isinstance(at, int) else at
        if at == state:
            told = " · ".join("".join((event[0], *(f" {part}" for part in event[1:]))) for event in path)
            return Counterexample(f"{name} does not hold after: {told or 'nothing'}", path, replayed=True)
    raise AssertionError(f"the counterexample to {name} could not be replayed: {path}")
