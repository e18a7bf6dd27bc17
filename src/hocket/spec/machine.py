"""The interpreter: a specification over a finite scope, compiled to Python functions on states.

A state is a `bytes`, one byte per cell; what is given for a run but not compiled in
(the edges of a graph) is a second `bytes`. So one machine serves all graphs of a
size, and a step costs a microsecond. Consequences are applied after every step, in
the order of the text, until none applies: they are silent in a trace, and the author
says by the word that their order does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from hocket.spec.ground import Cell, Given, Scope
from hocket.spec.terms import BOOL, INT, Term, claim, conj
from hocket.spec.traced import Step, Theory

__all__ = ["Event", "Machine", "State", "Step1"]

State = bytes
Event = tuple[Any, ...]
Step1 = Callable[[State, State], "State | int"]
_SOURCES = 400  # events compiled at once: one long text compiles faster than many, until it does not fit the cache


@dataclass(frozen=True, slots=True)
class _Instance:
    """A step for particular elements."""

    event: Event
    step: Step
    bound: Mapping[str, Term]


class Machine:
    """All events of a theory over a scope. `fold` compiles the given values in: for searching one graph.

    `step(state, rigid, event)` is the state after, or the number of the guard that refuses.
    """

    def __init__(self, theory: Theory, sizes: Mapping[str, Any], given: Given | None = None, fold: bool = True) -> None:
        self.theory, self.scope = theory, Scope(theory.sorts, sizes, given)
        if fold:
            self.scope.fix(theory.spec.symbols)
        self.cells = self.scope.cells(s for s in theory.symbols if not s.rigid)
        self.rigid_cells = self.scope.cells(s for s in theory.symbols if s.rigid)
        self._place = {cell: n for n, cell in enumerate(self.cells)}
        self._text = {cell: f"s[{n}]" for n, cell in enumerate(self.cells)}
        self._text |= {cell: f"r[{n}]" for n, cell in enumerate(self.rigid_cells)}
        instances = [*self._instances()]
        self.instances = [instance for instance in instances if not instance.step.silent]
        self.events = tuple(instance.event for instance in self.instances)
        silent = [instance for instance in instances if instance.step.silent]
        self.has_silent = bool(silent)
        self.settle = self._settling(silent)
        self._begin = [(step, self._function(step, {})) for step in theory.initial]
        self.functions: dict[Event, Step1] = dict(zip(self.events, self._functions(self.instances), strict=True))

    def _instances(self) -> Iterable[_Instance]:
        for step in self.theory.steps:
            for at in self.scope.bindings(step.params):
                names = tuple(self.scope.name(arg.payload, arg.sort) for arg in at)
                bound = {param.payload: arg for param, arg in zip(step.params, at, strict=True)}
                yield _Instance((step.name, *names), step, bound)

    # -- states -------------------------------------------------------------------------------------------------------

    def rigid(self, given: Given) -> State:
        """The given values of the rigid symbols, as `step` wants them; what is not given is false or the first."""
        known: dict[Cell, int] = {}
        for name, value in given.items():
            claim(name in self.theory.spec.symbols, f"{name!r} was given, and is no symbol of this model")
            cells = self.scope.cells_given(self.theory.spec.symbols[name], value)
            known |= {cell: int(term.payload) for cell, term in cells.items()}
        return bytes(known.get(cell, 0) for cell in self.rigid_cells)

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

    def decode(self, state: State, rigid: State = b"") -> dict[str, Any]:
        """What holds: a set of places per relation, a mapping per function, a value where there are no arguments."""
        values = {cell: int(term.payload) for cell, term in self.scope.fixed.items()}
        values |= dict(zip(self.cells, state, strict=True))
        values |= dict(zip(self.rigid_cells, rigid, strict=False))
        return {symbol.name: self._table(symbol, values) for symbol in self.theory.symbols}

    def _table(self, symbol: Any, values: dict[Cell, int]) -> Any:
        if not symbol.domain:
            return self.scope.name(values.get((symbol, ()), 0), symbol.to)
        rows: dict[Any, Any] = {}
        for (owner, at), value in values.items():
            if owner is symbol:
                names = tuple(self.scope.name(n, sort) for n, sort in zip(at, symbol.domain, strict=True))
                rows[names if len(names) > 1 else names[0]] = self.scope.name(value, symbol.to)
        return {place for place, held in rows.items() if held} if symbol.to is BOOL else rows

    def state(self, values: Given, base: State | None = None) -> State:
        """A state from values by name; what is not given is false or the first."""
        known: dict[Cell, int] = {}
        for name, value in values.items():
            cells = self.scope.cells_given(self.theory.spec.symbols[name], value)
            known |= {cell: int(term.payload) for cell, term in cells.items()}
        return bytes(known.get(cell, 0) for cell in self.cells)

    # -- compiled -----------------------------------------------------------------------------------------------------

    def predicate(
        self, terms: Iterable[Term], bound: Mapping[str, Term] | None = None
    ) -> Callable[[State, State], bool]:
        """Whether all of these conditions hold in a state."""
        text = " and ".join(f"({self.python(self.scope.ground(term, bound))})" for term in terms) or "True"
        made: Callable[[State, State], bool] = eval(f"lambda s, r: {text}")
        return made

    def first_false(self, claims: list[tuple[str, Term]]) -> Callable[[State, State], str | None]:
        """The name of the first of these that does not hold in a state, or None."""
        lines = ["def first(s, r):"]
        for name, term in claims:
            lines.append(f"    if not ({self.python(self.scope.ground(term))}): return {name!r}")
        return _executed([*lines, "    return None"], "first")  # type: ignore[no-any-return]

    def _functions(self, instances: list[_Instance]) -> list[Step1]:
        made: list[Step1] = []
        for start in range(0, len(instances), _SOURCES):
            lines: list[str] = []
            part = instances[start : start + _SOURCES]
            for number, instance in enumerate(part):
                lines += self._source(f"f{number}", instance.step, instance.bound)
            names = ", ".join(f"f{number}" for number in range(len(part)))
            made += _executed([*lines, f"made = [{names}]"], "made")
        return made

    def _function(self, step: Step, bound: Mapping[str, Term]) -> Step1:
        return _executed(self._source("f", step, bound), "f")  # type: ignore[no-any-return]

    def _settling(self, silent: list[_Instance]) -> Callable[[State, State], State]:
        """The state once every consequence has happened, as one function."""
        lines = ["def settle(s, r):"]
        lines += ["    while True:"] if silent else []
        for instance in silent:
            guards = [self.scope.ground(guard.term, instance.bound) for guard in instance.step.guards]
            changes = self.scope.changes(instance.step.after, instance.bound)
            lines.append(f"        if {self.python(conj(*guards))}:")
            lines += [f"            {line}" for line in self._assigned(changes)]
            lines += ["            after = bytes(n)", "            if after != s: s = after; continue"]
        lines.append("        return s" if silent else "    return s")
        return _executed(lines, "settle")  # type: ignore[no-any-return]

    def _assigned(self, changes: Mapping[Cell, Term]) -> list[str]:
        return ["n = bytearray(s)", *(f"n[{self._place[cell]}] = {self.python(to)}" for cell, to in changes.items())]

    def _source(self, name: str, step: Step, bound: Mapping[str, Term]) -> list[str]:
        """A step as Python: refuse with the number of a guard, or return a changed copy."""
        lines = [f"def {name}(s, r):"]
        for number, guard in enumerate(step.guards):
            condition = self.scope.ground(guard.term, bound)
            if condition.op != "lit" or not condition.payload:
                lines.append(f"    if not ({self.python(condition)}): return {number}")
        changes = self.scope.changes(step.after, bound)
        if not changes:
            return [*lines, "    return s"]
        return [*lines, *(f"    {line}" for line in self._assigned(changes)), "    return bytes(n)"]

    def python(self, term: Term) -> str:
        """A ground term as a Python expression over `s`, the state, and `r`, what is given."""
        args = [self.python(arg) for arg in term.args]
        match term.op:
            case "lit":
                return str(term.payload)
            case "cell":
                return self._text[term.payload]
            case "and" | "or":
                return f"({f' {term.op} '.join(args)})"
            case "not":
                return f"(not {args[0]})"
            case "neg":
                return f"(-{args[0]})"
            case "eq":
                sides = [f"(not {arg})" for arg in args] if term.args[0].sort is BOOL else args
                return f"({' == '.join(sides)})"
            case "ite":
                return f"({args[1]} if {args[0]} else {args[2]})"
            case "add":
                return f"({' + '.join(args)})"
            case "le" | "lt":
                return f"({args[0]} {'<=' if term.op == 'le' else '<'} {args[1]})"
            case _:
                raise AssertionError(f"{term.op} in a ground term")


def _executed(lines: list[str], name: str) -> Any:
    names: dict[str, Any] = {}
    exec("\n".join(lines), names)
    return names[name]
