"""The interpreter: a specification over a finite scope, compiled to Python functions on states.

A step costs a microsecond or two. Consequences are applied after every step, in the
order of the text, until none applies: they are silent in a trace, and the author
says by the word that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from hocket.spec.ground import Cell, Given
from hocket.spec.layout import Layout, State, StepFunction, executed
from hocket.spec.terms import INT, Term, claim, conj
from hocket.spec.traced import Step, Theory

__all__ = ["Event", "Machine"]

Event = tuple[Any, ...]
_AT_ONCE = 400  # functions compiled from one text: one long text compiles faster than many, up to a point


@dataclass(frozen=True, slots=True)
class _Instance:
    """A step for particular elements."""

    event: Event
    step: Step
    bound: Mapping[str, Term]


class Machine(Layout):
    """All events of a theory over a scope, in the order of the text and of the elements."""

    def __init__(self, theory: Theory, sizes: Mapping[str, Any], given: Given | None = None, fold: bool = True) -> None:
        super().__init__(theory, sizes, given, fold)
        instances = [*self._instances()]
        loud = [instance for instance in instances if not instance.step.silent]
        silent = [instance for instance in instances if instance.step.silent]
        self.events = tuple(instance.event for instance in loud)
        self.functions: dict[Event, StepFunction] = dict(zip(self.events, self._compiled(loud), strict=True))
        self.has_silent = bool(silent)
        self.settle = self._settling(silent)
        self._begin = [(step, self.function(step, {})) for step in theory.initial]

    def _instances(self) -> Iterable[_Instance]:
        for step in self.theory.steps:
            for at in self.scope.bindings(step.params):
                names = tuple(self.scope.name(arg.payload, arg.sort) for arg in at)
                bound = {param.payload: arg for param, arg in zip(step.params, at, strict=True)}
                yield _Instance((step.name, *names), step, bound)

    def rigids(self) -> Iterable[State]:
        """Every assignment to the rigid cells that are not given, in which the axioms hold."""
        axioms = self.predicate([axiom.term for axiom in self.theory.axioms])
        sizes = [range(self._finite(cell)) for cell in self.rigid_cells]
        empty = bytes(len(self.cells))
        return (rigid for rigid in map(bytes, product(*sizes)) if axioms(empty, rigid))

    def initial(self, rigid: State = b"") -> list[State]:
        """Every initial state: what @initial does not assign may be anything."""
        found: dict[State, None] = {}
        for step, begin in self._begin:
            loose = [n for n, (symbol, _) in enumerate(self.cells) if symbol not in step.after]
            for values in product(*(range(self._finite(self.cells[n])) for n in loose)):
                blank = bytearray(len(self.cells))
                for n, value in zip(loose, values, strict=True):
                    blank[n] = value
                state = begin(bytes(blank), rigid)
                if not isinstance(state, int):
                    found[self.settle(state, rigid)] = None
        return list(found)

    def _finite(self, cell: Cell) -> int:
        claim(cell[0].to is not INT, f"{cell[0]} can start with any number", "an @initial that assigns it, or give it")
        return self.scope.values(cell[0].to)

    def step(self, state: State, rigid: State, event: Event) -> State | int:
        """The state after an event, consequences included, or the number of the guard that refuses it."""
        after = self.functions[event](state, rigid)
        return after if isinstance(after, int) else self.settle(after, rigid)

    def successors(self, state: State, rigid: State = b"") -> list[tuple[Event, State]]:
        """Every event that is possible here, with the state after it."""
        found = []
        for event, function in self.functions.items():
            after = function(state, rigid)
            if not isinstance(after, int):
                found.append((event, self.settle(after, rigid)))
        return found

    def guard(self, event: Event, number: int) -> str:
        """The label of a guard, by the number that `step` returned."""
        return self.theory.step(event[0]).guards[number].label

    # -- compiled -----------------------------------------------------------------------------------------------------

    def _compiled(self, instances: list[_Instance]) -> list[StepFunction]:
        made: list[StepFunction] = []
        for start in range(0, len(instances), _AT_ONCE):
            part = instances[start : start + _AT_ONCE]
            lines = [line for n, each in enumerate(part) for line in self.source(f"f{n}", each.step, each.bound)]
            names = ", ".join(f"f{n}" for n in range(len(part)))
            made += executed([*lines, f"made = [{names}]"], "made")
        return made

    def _settling(self, silent: list[_Instance]) -> Callable[[State, State], State]:
        """The state once every consequence has happened, as one function."""
        lines = ["def settle(s, r):", *(["    while True:"] if silent else [])]
        for instance in silent:
            guards = [self.scope.ground(guard.term, instance.bound) for guard in instance.step.guards]
            changes = self.scope.changes(instance.step.after, instance.bound)
            lines.append(f"        if {self.python(conj(*guards))}:")
            lines += [f"            {line}" for line in self.assigned(changes)]
            lines += ["            after = bytes(n)", "            if after != s: s = after; continue"]
        made: Callable[[State, State], State] = executed([*lines, f"{'    ' * bool(silent)}    return s"], "settle")
        return made
