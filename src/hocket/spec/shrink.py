"""Small examples of what should not be: a state in which a claim holds and, one step later, does not.

Models are asked for with one element per sort, then two, then three; the first found
is pushed towards the initial state cell by cell, so that what is left differs from it
only where it has to. It is *replayed*: the interpreter, which shares no code with the
solvers, has to confirm every hypothesis in that state and the failure after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hocket.spec.ground import Cell, Scope
from hocket.spec.language import Labelled
from hocket.spec.layout import Layout, State
from hocket.spec.smt import Obligation
from hocket.spec.solve import find
from hocket.spec.terms import BOOL, INT, Term, as_term, conj, equal, free, member_name, negate
from hocket.spec.traced import Step, Theory

__all__ = ["Example", "example", "refutable", "witness"]


@dataclass(frozen=True, slots=True)
class Example:
    """A state of few elements and who the parameters are; `shown` is what differs from an untouched state."""

    elements: dict[str, int]
    params: dict[str, Any]
    shown: dict[str, Any]

    def __str__(self) -> str:
        who = ", ".join(f"{name} = {value}" for name, value in self.params.items())
        many = ", ".join(f"{count} {sort}" for sort, count in self.elements.items())
        head = "; ".join(part for part in (many and f"with {many}", who) if part)
        lines = [f"  {name}: {value}" for name, value in self.shown.items()] or ["  in an untouched state"]
        return "\n".join(f"    {line}" for line in (head, *lines) if line)


def example(obligation: Obligation, theory: Theory, largest: int) -> Example | None:
    """A smallest state in which the hypotheses hold and the goal does not; None if there is none so small."""
    conditions = [*obligation.hypotheses, Labelled("not the goal", negate(obligation.goal))]
    return witness(conditions, theory, largest, obligation.replay)


def witness(
    conditions: Sequence[Labelled],
    theory: Theory,
    largest: int,
    replay: tuple[Step, Term] | None = None,
    near: bool = True,
) -> Example | None:
    """A smallest state in which all conditions hold, confirmed by the interpreter.

    `near`: as near to the initial state as can be, for those who are to read it.
    """
    everything = conj(*(condition.term for condition in conditions))
    params = tuple(free(everything).values())
    for sizes in (_sizes(theory, size) for size in range(1, largest + 1)):
        scope = Scope(theory.sorts, sizes)
        for at in _patterns(params, scope):
            bound = {param.payload: arg for param, arg in zip(params, at, strict=True)}
            ground = scope.ground(everything, bound)
            values = find(ground, scope)
            if values is not None:
                found = _nearest(ground, scope, theory, values) if near else values
                return _Shown(theory, sizes, bound, found).confirmed(conditions, replay)
    return None


def refutable(obligation: Obligation, theory: Theory, size: int) -> bool:
    """Whether there is a counterexample of this size, for those who need not see it."""
    everything = conj(*(one.term for one in obligation.hypotheses), negate(obligation.goal))
    params = tuple(free(everything).values())
    scope = Scope(theory.sorts, _sizes(theory, size))
    bounds = ({param.payload: arg for param, arg in zip(params, at, strict=True)} for at in _patterns(params, scope))
    return any(find(scope.ground(everything, bound), scope) is not None for bound in bounds)


def _sizes(theory: Theory, size: int) -> dict[str, int]:
    """So many elements of each unbounded sort; `scales` of the specification says of what there are more."""
    sorts = [sort.name for sort in theory.sorts if sort.members is None]
    return {name: size * theory.spec.scales.get(name, 1) for name in sorts}


def _patterns(params: tuple[Term, ...], scope: Scope) -> Iterable[tuple[Term, ...]]:
    """Who the parameters are, up to renaming: of an unbounded sort, the first is element 0, the next 0 or 1, …"""
    for at in scope.bindings(params):
        seen: dict[Any, int] = {}
        for arg in at:
            if arg.sort.members is None and arg.sort not in (BOOL, INT):
                if arg.payload > seen.get(arg.sort, 0):
                    break
                seen[arg.sort] = max(seen.get(arg.sort, 0), arg.payload + 1)
        else:
            yield at


def _nearest(ground: Term, scope: Scope, theory: Theory, values: dict[Cell, int]) -> dict[Cell, int]:
    """The same question with as many cells as possible as they are initially."""
    known = ground
    for cell, value in _initially(theory, scope).items():
        if cell not in values:
            continue
        wish = conj(known, equal(Term("cell", (), cell[0].to, cell), value))
        if values[cell] == int(value.payload):
            known = wish
        elif (better := find(wish, scope)) is not None:
            known, values = wish, {**values, **better}
    return values


def _initially(theory: Theory, scope: Scope) -> dict[Cell, Term]:
    """Each cell's initial value where that is a constant, false or the first element elsewhere."""
    after = {cell: value for step in theory.initial for cell, value in scope.changes(step.after, {}).items()}
    found: dict[Cell, Term] = {}
    for cell in scope.cells(theory.symbols):
        sort, value = cell[0].to, after.get(cell)
        plain = as_term(False, BOOL) if sort is BOOL else Term("lit", (), sort, 0)
        found[cell] = value if value is not None and value.op == "lit" else plain
    return found


class _Shown:
    """An example on its way to a reader: it has to pass the interpreter."""

    def __init__(
        self, theory: Theory, sizes: dict[str, int], bound: Mapping[str, Term], values: Mapping[Cell, int]
    ) -> None:
        self.layout, self.sizes, self.bound = Layout(theory, sizes, fold=False), sizes, bound
        plain = {cell: int(value.payload) for cell, value in _initially(theory, self.layout.scope).items()}
        self.before = self._packed(plain)
        self.now = self._packed({**plain, **values})

    def _packed(self, values: Mapping[Cell, int]) -> tuple[State, State]:
        layout = self.layout
        return bytes(values[cell] for cell in layout.cells), bytes(values[cell] for cell in layout.rigid_cells)

    def confirmed(self, conditions: Sequence[Labelled], replay: tuple[Step, Term] | None) -> Example:
        """The example, once the interpreter finds each condition true in it, and the claim false after the step."""
        for condition in conditions:
            held = self.layout.predicate([condition.term], self.bound)(*self.now)
            assert held, f"the solver says that {condition.label!r} holds here, and the interpreter does not"
        if replay is not None:
            after = self.layout.function(replay[0], self.bound)(*self.now)
            assert not isinstance(after, int), "the solver takes a step that the interpreter refuses"
            assert not self.layout.predicate([replay[1]])(after, self.now[1]), "after the step the claim still holds"
        plain, now = self.layout.decode(*self.before), self.layout.decode(*self.now)
        names = {name.split("$")[0]: self._name(arg) for name, arg in self.bound.items()}
        shown = {name: _new(to, plain[name]) for name, to in now.items() if to != plain[name]}
        return Example(self.sizes, names, shown)

    def _name(self, arg: Term) -> object:
        return _word(self.layout.scope.name(arg.payload, arg.sort))


def _new(value: Any, before: Any) -> Any:
    """Of a function, only the places that differ; members of enums by their names."""
    if isinstance(value, dict):
        return {_word(at): _word(to) for at, to in value.items() if to != before[at]}
    return _word(value)


def _word(value: Any) -> Any:
    return member_name(value) if isinstance(value, Enum) else value
