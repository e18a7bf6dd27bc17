"""States as bytes: which byte is which cell, terms and steps as Python on them, and both back as words.

A state is a `bytes`, one byte per cell; what is given for a run but not compiled in
(the edges of a graph) is a second `bytes`, so that one machine serves all graphs of
a size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hocket.spec.ground import Cell, Given, Scope, by_symbol
from hocket.spec.language import Symbol
from hocket.spec.terms import BOOL, Term, claim
from hocket.spec.traced import Step, Theory

__all__ = ["Event", "Instance", "Layout", "State", "StepFunction", "executed"]

State = bytes
StepFunction = Callable[[State, State], "State | int"]
Event = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    """A step for particular elements; `event` names it, with the elements by name."""

    event: Event
    step: Step
    bound: Mapping[str, Term]


class Layout:
    """The cells of a theory in a scope. `fold` takes the given values as constants."""

    def __init__(self, theory: Theory, sizes: Mapping[str, Any], given: Given | None = None, fold: bool = True) -> None:
        self.theory, self.scope = theory, Scope(theory.sorts, sizes, given)
        if fold:
            self.scope.fix(theory.spec.symbols)
        self.cells = self.scope.cells(s for s in theory.symbols if not s.rigid)
        self.rigid_cells = self.scope.cells(s for s in theory.symbols if s.rigid)
        self.place = {cell: n for n, cell in enumerate(self.cells)}
        self._text = {cell: f"s[{n}]" for n, cell in enumerate(self.cells)}
        self._text |= {cell: f"r[{n}]" for n, cell in enumerate(self.rigid_cells)}

    def instances(self) -> Iterable[Instance]:
        """Every deed for every choice of elements, in the order of the text and of the elements."""
        for step in self.theory.steps:
            for at in self.scope.bindings(step.params):
                names = tuple(self.scope.name(arg.payload, arg.sort) for arg in at)
                bound = {param.payload: arg for param, arg in zip(step.params, at, strict=True)}
                yield Instance((step.name, *names), step, bound)

    # -- values to bytes and back -------------------------------------------------------------------------------------

    def rigid(self, given: Given) -> State:
        """The given values of the rigid symbols; what is not given is false or the first."""
        known = self._known(given)
        return bytes(known.get(cell, 0) for cell in self.rigid_cells)

    def state(self, values: Given) -> State:
        """A state from values by name; what is not given is false or the first."""
        known = self._known(values)
        return bytes(known.get(cell, 0) for cell in self.cells)

    def _known(self, given: Given) -> dict[Cell, int]:
        known: dict[Cell, int] = {}
        for name, value in by_symbol(given).items():
            claim(name in self.theory.spec.symbols, f"{name!r} was given, and is no symbol of this model")
            cells = self.scope.cells_given(self.theory.spec.symbols[name], value)
            known |= {cell: int(term.payload) for cell, term in cells.items()}
        return known

    def decode(self, state: State, rigid: State = b"") -> dict[str, Any]:
        """What holds: a set of places per relation, a mapping per function, a value where there are no arguments."""
        values = {cell: int(term.payload) for cell, term in self.scope.fixed.items()}
        values |= dict(zip(self.cells, state, strict=True))
        values |= dict(zip(self.rigid_cells, rigid, strict=False))
        return {symbol.name: self._table(symbol, values) for symbol in self.theory.symbols}

    def _table(self, symbol: Symbol, values: dict[Cell, int]) -> Any:
        if not symbol.domain:
            return self.scope.name(values.get((symbol, ()), 0), symbol.to)
        rows: dict[Any, Any] = {}
        for (owner, at), value in values.items():
            if owner is symbol:
                names = tuple(self.scope.name(n, sort) for n, sort in zip(at, symbol.domain, strict=True))
                rows[names if len(names) > 1 else names[0]] = self.scope.name(value, symbol.to)
        return {place for place, held in rows.items() if held} if symbol.to is BOOL else rows

    # -- terms to Python ----------------------------------------------------------------------------------------------

    def predicate(
        self, terms: Iterable[Term], bound: Mapping[str, Term] | None = None
    ) -> Callable[[State, State], bool]:
        """Whether all of these conditions hold in a state."""
        text = " and ".join(f"({self.python(self.scope.ground(term, bound))})" for term in terms) or "True"
        made: Callable[[State, State], bool] = eval(f"lambda s, r: {text}")
        return made

    def function(self, step: Step, bound: Mapping[str, Term]) -> StepFunction:
        """A step for particular elements: the state after, or the number of the guard that refuses."""
        made: StepFunction = executed(self.source("f", step, bound), "f")
        return made

    def source(self, name: str, step: Step, bound: Mapping[str, Term]) -> list[str]:
        lines = [f"def {name}(s, r):"]
        for number, guard in enumerate(step.guards):
            condition = self.scope.ground(guard.term, bound)
            if condition.op != "lit" or not condition.payload:
                lines.append(f"    if not ({self.python(condition)}): return {number}")
        changes = self.scope.changes(step.after, bound)
        if not changes:
            return [*lines, "    return s"]
        return [*lines, *(f"    {line}" for line in self.assigned(changes)), "    return bytes(n)"]

    def assigned(self, changes: Mapping[Cell, Term]) -> list[str]:
        """Lines that make `n` a changed copy of the state `s`."""
        return ["n = bytearray(s)", *(f"n[{self.place[cell]}] = {self.python(to)}" for cell, to in changes.items())]

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


def executed(lines: list[str], name: str, **known: Any) -> Any:
    """What these lines bind the name to; they may use what is `known`."""
    names: dict[str, Any] = dict(known)
    exec("\n".join(lines), names)
    return names[name]
