"""What the broken models have in common: a bug, its repaired twin, and how the bug shows.

Each file of `models/broken/` ends with a `Showcase`: the rank of the bug in the seeds'
catalogue (their section 8), its number there, the specification that has it and the
one that does not, the scope in which both are searched, and the claim that fails. The
lengths and counts are in `models/expected.toml`.

Four ways to be wrong: *deadlock* (nobody can move, and somebody should), *livelock*
(steps go on for ever, and the goal is out of reach), *second close*, *assertion*. A
livelock is looked for here: a run from a state out of which the goal can no longer be
reached, back to that state. That is a livelock under every fairness one may ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from hocket.spec import Spec, Term, disj
from hocket.spec.machine import Event, Machine

Kind = Literal["deadlock", "livelock", "second close", "assertion"]
State = bytes
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Showcase:
    """A bug, and what it is without. `claim` is an @always that fails, or the @sometimes that gets out of reach."""

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


# -- a goal out of reach ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lasso:
    """A run that leads to a state, and one from there back to it; `stem` is a shortest one, and so is `loop`."""

    stem: tuple[Event, ...]
    loop: tuple[Event, ...]


def livelock(
    spec: type[Spec], goal: str, scope: Mapping[str, Any], given: Mapping[str, Any] = _NOTHING
) -> Lasso | None:
    """A nearest run that goes round for ever where the goal, a @sometimes, can no longer be reached; or None."""
    machine = spec.machine(given, **scope)
    reached = machine.predicate(claim.term for claim in spec.theory().claims("sometimes") if claim.name == goal)
    graph = _graph(machine)
    hopeful = _backwards(graph, [state for state in graph if reached(state, b"")])
    for state in (state for state in graph if state not in hopeful):
        rounds = [(event, *rest) for event, after in graph[state] if (rest := _way(graph, [after], state)) is not None]
        if rounds:
            stem = _way(graph, machine.initial(), state)
            assert stem is not None, "a state of the graph was reached somehow"
            return _replayed(machine, Lasso(stem, min(rounds, key=len)), state)
    return None


Graph = Mapping[State, list[tuple[Event, State]]]


def _graph(machine: Machine) -> Graph:
    """Every reachable state with its successors, nearest first."""
    graph: dict[State, list[tuple[Event, State]]] = {}
    frontier = machine.initial()
    while frontier:
        graph |= {state: machine.successors(state) for state in frontier}
        after = (after for state in frontier for _, after in graph[state])
        frontier = [state for state in dict.fromkeys(after) if state not in graph]
    return graph


def _backwards(graph: Graph, goals: Iterable[State]) -> set[State]:
    """Every state from which one of these can be reached."""
    before: dict[State, list[State]] = {}
    for state, steps in graph.items():
        for _, after in steps:
            before.setdefault(after, []).append(state)
    found = set(goals)
    frontier = list(found)
    while frontier:
        fresh = {origin for state in frontier for origin in before.get(state, ())} - found
        found |= fresh
        frontier = list(fresh)
    return found


def _way(graph: Graph, starts: Iterable[State], end: State) -> tuple[Event, ...] | None:
    """A shortest run from one of these states to that one, if there is any."""
    came: dict[State, tuple[Event, ...]] = dict.fromkeys(starts, ())
    frontier = list(came)
    while frontier and end not in came:
        fresh = [(after, (*came[state], event)) for state in frontier for event, after in graph[state]]
        frontier = []
        for after, way in fresh:
            if after not in came:
                came[after] = way
                frontier.append(after)
    return came.get(end)


def _replayed(machine: Machine, found: Lasso, state: State) -> Lasso:
    """The lasso, once the interpreter has gone the same way."""
    ends: set[State] = set()
    for begin in machine.initial():
        at: State | int = begin
        for event in found.stem:
            at = machine.step(at, b"", event) if isinstance(at, bytes) else at
        again = at
        for event in found.loop:
            again = machine.step(again, b"", event) if isinstance(again, bytes) else again
        ends |= {state} if at == again == state else set()
    assert ends, f"the livelock could not be replayed: {found}"
    return found


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
