"""Does a trace of real code do only what a specification allows? Accepted, or refused with the guard that failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hocket.spec.ground import Given
from hocket.spec.layout import Event, State
from hocket.spec.machine import Machine
from hocket.spec.terms import claim
from hocket.spec.traced import Theory

__all__ = ["Accepted", "RefusedTrace", "Run", "accepts"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Every event was allowed; `state` is what holds at the end."""

    events: int
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RefusedTrace:
    """The event at `step` (0-based) is not allowed: `guard` is what it lacks, `allowed` what may come instead."""

    step: int
    event: Event
    guard: str
    state: dict[str, Any]
    allowed: tuple[Event, ...]

    def __str__(self) -> str:
        told = " ".join(map(str, self.event))
        return f"step {self.step}: {told!r} is refused: not {self.guard!r}"


class Run:
    """A specification on its way through one trace, for one set of given values.

    `start`: the state to begin with. States are values: keep them, compare them, go on from any of them.
    """

    __slots__ = ("_functions", "_machine", "_rigid", "_settle", "start")

    def __init__(self, machine: Machine, given: Given) -> None:
        self._machine, self._rigid = machine, machine.rigid(given)
        self._functions, self._settle = machine.functions, machine.has_silent
        initial = machine.initial(self._rigid)
        claim(len(initial) == 1, f"a run begins in one state, and here are {len(initial)}", "all of it in @initial")
        self.start: State = initial[0]

    def step(self, state: State, event: Event) -> State | None:
        """The state after the event, or None where it is not allowed (`refusal` says why)."""
        function = self._functions.get(event)
        if function is None:
            return None
        after = function(state, self._rigid)
        if isinstance(after, int):
            return None
        return self._machine.settle(after, self._rigid) if self._settle else after

    def allowed(self, state: State) -> tuple[Event, ...]:
        """Every event that may come next."""
        rigid = self._rigid
        return tuple(event for event, step in self._functions.items() if step(state, rigid).__class__ is not int)

    def refusal(self, state: State, event: Event) -> str | None:
        """The label of the first guard that refuses the event, or None if it is allowed."""
        function = self._functions.get(event)
        if function is None:
            return "the model knows this event"
        after = function(state, self._rigid)
        return self._machine.guard(event, after) if isinstance(after, int) else None

    def decode(self, state: State) -> dict[str, Any]:
        return self._machine.decode(state, self._rigid)

    def accepts(self, trace: Iterable[Event]) -> Accepted | RefusedTrace:
        """Take the events one by one, up to the first that is not allowed."""
        state, step = self.start, -1
        for step, event in enumerate(trace):
            claim(isinstance(event, tuple), f"{event!r} is no event", "('deed', element, …)")
            after = self.step(state, event)
            if after is None:
                why = self.refusal(state, event) or ""
                return RefusedTrace(step, event, why, self.decode(state), self.allowed(state))
            state = after
        return Accepted(step + 1, self.decode(state))


def accepts(theory: Theory, trace: Iterable[Event], scope: Mapping[str, Any], given: Given) -> Accepted | RefusedTrace:
    """Whether the specification, in this scope, can do exactly these events in this order."""
    return Run(Machine(theory, scope, fold=False), given).accepts(trace)
