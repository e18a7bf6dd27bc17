"""Grounding: a term over finite scopes, its quantifiers written out, its reads as numbered cells.

A cell is one symbol at one place, `phase[b]`. Whoever wants to run, search or ask a
solver about a finite structure does it on ground terms, so there is one place where
quantifiers are expanded. Cells with a known value (the edges of a given graph)
vanish: the conditions that a reader runs are those of that graph only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from hocket.spec.language import Definition, Symbol
from hocket.spec.terms import BOOL, INT, Sort, Term, as_term, claim, conj, disj, equal, ite, rebuild

__all__ = ["Cell", "Given", "Scope", "by_symbol", "elements_of"]

Cell = tuple[Symbol, tuple[int, ...]]
Given = Mapping[str, Any]
_NUMBERS = 256  # how many numbers a cell of sort Int can hold in a stored state: 0 to 255


def by_symbol(given: Given | None) -> dict[str, Any]:
    """What is given, as a mapping that can be read."""
    plain = given is None or isinstance(given, Mapping)
    claim(plain, f"{given!r} was given", "given={'symbol': {…}}; claims are named by claims=[…]")
    return dict(given or {})


def elements_of(sort: Sort, sizes: Mapping[str, Any]) -> tuple[Any, ...]:
    """The names of the elements of an unbounded sort, given how many there are or what they are called."""
    cure = f"how many there are, such as {sort.name}=2, or {sort.name}=['a', 'b']"
    claim(sort.name in sizes, f"the sort {sort} is unbounded", cure)
    size = sizes[sort.name]
    claim(type(size) is int or isinstance(size, Iterable), f"{size!r} is no number of elements of {sort}", cure)
    names = tuple(f"{sort.name.lower()}{n}" for n in range(size)) if isinstance(size, int) else tuple(size)
    claim(len({*names}) == len(names), f"two elements of {sort} have one name: {', '.join(map(str, names))}", cure)
    return names


class Scope:
    """How many elements each unbounded sort has, and what they are called; `given` fixes symbols by name.

    `sizes`: {"Task": 3} or {"Task": ["a", "b"]}. `given`: {"after": {("b", "a")}} for a relation, {"kind": {"a": "x"}}
    for a function, a plain value for a symbol without arguments; a mapping may leave places open.
    """

    def __init__(self, sorts: Iterable[Sort], sizes: Mapping[str, Any], given: Given | None = None) -> None:
        self.names: dict[Sort, tuple[Any, ...]] = {}
        sorts = [*sorts]
        for name in sizes:
            open_ones = [sort.name for sort in sorts if sort.members is None]
            claim(name in open_ones, f"{name} was given a size, and is no open sort here", ", ".join(open_ones))
        for sort in sorts:
            self.names[sort] = self._names(sort, sizes)
        self.fixed: dict[Cell, Term] = {}
        self._given = by_symbol(given)

    @staticmethod
    def _names(sort: Sort, sizes: Mapping[str, Any]) -> tuple[Any, ...]:
        if sort.members is not None:
            return sort.members
        names = elements_of(sort, sizes)
        claim(bool(names), f"the sort {sort} has no elements", "at least one: the logic has no empty sorts")
        return names

    def fix(self, symbols: Mapping[str, Symbol]) -> None:
        """Take the given values of these symbols as constants from now on."""
        for name, value in self._given.items():
            claim(name in symbols, f"{name!r} was given, and is no symbol of this model", ", ".join(symbols))
            cure = f"{name} = …(…, rigid=True), or what it is at first in @initial"
            claim(symbols[name].rigid, f"{name!r} was given, and deeds may change it", cure)
            self.fixed |= self.cells_given(symbols[name], value)

    def cells_given(self, symbol: Symbol, value: Any) -> dict[Cell, Term]:
        """The cells of a symbol that a given value determines."""
        if not symbol.domain:
            return {(symbol, ()): self.constant(value, symbol.to)}
        if isinstance(value, Mapping):
            return {(symbol, self._place(symbol, at)): self.constant(to, symbol.to) for at, to in value.items()}
        claim(symbol.to is BOOL, f"{symbol} is a function", "{element: value, …}")
        held = {self._place(symbol, at) for at in value}
        return {(symbol, place): as_term(place in held, BOOL) for place in self.places(symbol)}

    def constant(self, value: Any, sort: Sort) -> Term:
        return as_term(value, sort) if sort in (BOOL, INT) else Term("lit", (), sort, self.index(value, sort))

    def index(self, name: Any, sort: Sort) -> int:
        """The number of an element, by its name."""
        if sort.members is not None:
            return sort.index(name)
        names = self.names[sort]
        claim(name in names, f"{name!r} is no {sort}", f"one of {', '.join(map(str, names))}")
        return names.index(name)

    def _place(self, symbol: Symbol, at: Any) -> tuple[int, ...]:
        parts = at if isinstance(at, tuple) and len(symbol.domain) > 1 else (at,)
        claim(len(parts) == len(symbol.domain), f"{symbol} takes {len(symbol.domain)} arguments: {at!r}")
        return tuple(self.index(part, sort) for part, sort in zip(parts, symbol.domain, strict=True))

    # -- elements -----------------------------------------------------------------------------------------------------

    def elements(self, sort: Sort) -> list[Term]:
        claim(sort is not INT, "a quantifier or parameter over all numbers cannot be searched", "a finite sort")
        return [as_term(bool(n), BOOL) if sort is BOOL else Term("lit", (), sort, n) for n in range(self.values(sort))]

    def places(self, symbol: Symbol) -> Iterable[tuple[int, ...]]:
        claim(INT not in symbol.domain, f"{symbol} is about all numbers, and cannot be searched", "a finite sort")
        return product(*(range(self.values(sort)) for sort in symbol.domain))

    def bindings(self, params: tuple[Term, ...]) -> Iterable[tuple[Term, ...]]:
        """Every choice of elements for some variables."""
        return product(*(self.elements(param.sort) for param in params))

    def cells(self, symbols: Iterable[Symbol]) -> list[Cell]:
        """The cells whose value is not fixed, in order."""
        return [(s, at) for s in symbols for at in self.places(s) if (s, at) not in self.fixed]

    def values(self, sort: Sort) -> int:
        """How many values a cell of this sort can have."""
        return 2 if sort is BOOL else _NUMBERS if sort is INT else len(self.names[sort])

    def name(self, value: int, sort: Sort) -> Any:
        return bool(value) if sort is BOOL else value if sort is INT else self.names[sort][value]

    # -- terms --------------------------------------------------------------------------------------------------------

    def ground(self, term: Term, bound: Mapping[str, Term] | None = None) -> Term:
        """The term with its variables replaced by elements, quantifiers expanded, reads turned into cells."""
        return self._ground(term, dict(bound or {}))

    def _ground(self, term: Term, env: dict[str, Term]) -> Term:
        match term.op:
            case "var":
                return env[term.payload]
            case "lit" | "cell":
                return term
            case "forall" | "exists":
                return self._expand(term, env)
            case "apply":
                return self._read(term.payload, tuple(self._ground(arg, env) for arg in term.args))
            case _:
                return rebuild(term, tuple(self._ground(arg, env) for arg in term.args))

    def _expand(self, term: Term, env: dict[str, Term]) -> Term:
        bound, body = term.args[:-1], term.args[-1]
        names = [name.payload for name in bound]
        parts = (self._ground(body, {**env, **dict(zip(names, at, strict=True))}) for at in self.bindings(bound))
        return conj(*parts) if term.op == "forall" else disj(*parts)

    def _read(self, symbol: Symbol, args: tuple[Term, ...]) -> Term:
        """A cell, or a choice of cells where an argument is itself read from the state."""
        for place, arg in enumerate(args):
            if arg.op != "lit":
                choices = self.elements(arg.sort)
                reads = [self._read(symbol, (*args[:place], choice, *args[place + 1 :])) for choice in choices]
                chain = reads[-1]
                for choice, read in zip(choices[-2::-1], reads[-2::-1], strict=True):
                    chain = ite(equal(arg, choice), read, chain)
                return chain
        cell = (symbol, tuple(arg.payload for arg in args))
        known = self.fixed.get(cell)
        return Term("cell", (), symbol.to, cell) if known is None else known

    def changes(self, after: Mapping[Symbol, Definition], bound: Mapping[str, Term]) -> dict[Cell, Term]:
        """The cells that a step changes, with their new values over the state before it."""
        changed: dict[Cell, Term] = {}
        for symbol, definition in after.items():
            for at in self.places(symbol):
                args = tuple(Term("lit", (), sort, n) for sort, n in zip(symbol.domain, at, strict=True))
                here = {name.payload: arg for name, arg in zip(definition.at, args, strict=True)}
                value = self.ground(definition.body, {**bound, **here})
                if not (value.op == "cell" and value.payload == (symbol, at)):
                    changed[symbol, at] = value
        return changed
