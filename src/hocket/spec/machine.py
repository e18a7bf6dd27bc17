"""The interpreter: a specification over a finite scope, compiled to Python functions on states.

A step costs a microsecond or two. Consequences are applied after every step, in the
order of the text, until none applies: they are silent in a trace, and the author
says by the word that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import product
from typing import Any

from hocket.errors import SpecError
from hocket.spec.ground import Cell, Given
from hocket.spec.layout import Event, Instance, Layout, State, StepFunction, executed
from hocket.spec.terms import INT, claim, conj
from hocket.spec.traced import Theory

__all__ = ["Event", "Machine"]

_AT_ONCE = 400  # functions compiled from one text: one long text compiles faster than many, up to a point
_ROUNDS = 10_000  # of consequences after one step: more is taken for never ending


class Machine(Layout):
    """All events of a theory over a scope, in the order of the text and of the elements."""

    def __init__(self, theory: Theory, sizes: Mapping[str, Any], given: Given | None = None, fold: bool = True) -> None:
        super().__init__(theory, sizes, given, fold)
        self.has_silent = any(step.silent for step in theory.steps)

    @cached_property
    def functions(self) -> dict[Event, StepFunction]:
        """A Python function per event; compiled when it is first asked for."""
        loud = [instance for instance in self.instances() if not instance.step.silent]
        return dict(zip((instance.event for instance in loud), self._compiled(loud), strict=True))

    @cached_property
    def events(self) -> tuple[Event, ...]:
        return tuple(self.functions)

    @cached_property
    def settle(self) -> Callable[[State, State], State]:
        """The state once every consequence has happened."""
        return self._settling([instance for instance in self.instances() if instance.step.silent])

    @cached_property
    def _begin(self) -> list[tuple[Any, StepFunction]]:
        return [(step, self.function(step, {})) for step in self.theory.initial]

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

    def _compiled(self, instances: list[Instance]) -> list[StepFunction]:
        made: list[StepFunction] = []
        for start in range(0, len(instances), _AT_ONCE):
            part = instances[start : start + _AT_ONCE]
            lines = [line for n, each in enumerate(part) for line in self.source(f"f{n}", each.step, each.bound)]
            names = ", ".join(f"f{n}" for n in range(len(part)))
            made += executed([*lines, f"made = [{names}]"], "made")
        return made

    def _settling(self, silent: list[Instance]) -> Callable[[State, State], State]:
        """The state once every consequence has happened, as one function."""
        lines = ["def settle(s, r):", *([f"    for _ in range({_ROUNDS}):"] if silent else [])]
        for instance in silent:
            guards = [self.scope.ground(guard.term, instance.bound) for guard in instance.step.guards]
            changes = self.scope.changes(instance.step.after, instance.bound)
            lines.append(f"        if {self.python(conj(*guards))}:")
            lines += [f"            {line}" for line in self.assigned(changes)]
            lines += ["            after = bytes(n)", "            if after != s: s = after; continue"]
        lines.append(f"{'    ' * bool(silent)}    return s")
        made: Callable[[State, State], State] = executed(
            [*lines, *(["    endless()"] if silent else [])], "settle", endless=self.endless
        )
        return made

    def endless(self) -> None:
        """Consequences that follow upon each other for ever are a mistake of the model."""
        names = [step.name for step in self.theory.steps if step.silent]
        first = self.theory.spec.deeds[names[0]]
        raise SpecError(f"the consequences {', '.join(names)} follow upon each other for ever", *first.line)
