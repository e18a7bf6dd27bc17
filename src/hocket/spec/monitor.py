"""A running system held against its model, event by event, while it runs.

A monitor keeps the state of the model in tables that it changes in place, so that an
event costs a few microseconds however large the system is (`lifted.py`). It never
raises into what it watches: the first event that the model does not allow is kept in
`refused`, with the guard that it lacks, told to whoever asked, and then it looks no
further, because after that the model and the system are in different states.

The system's own words have to be translated into events by whoever connects the two
(`through`); calls have to come one at a time and in the order in which things happened,
as they do where a scheduler reports them under its lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hocket.spec.ground import Given, by_symbol, elements_of
from hocket.spec.language import Definition, Symbol
from hocket.spec.layout import Event, executed
from hocket.spec.lifted import Lifted, check_regular, neighbourly, word_of
from hocket.spec.terms import BOOL, INT, Sort, claim, member_name
from hocket.spec.traced import Theory

__all__ = ["Illegal", "Monitor"]


@dataclass(frozen=True, slots=True)
class Illegal:
    """The event number `step` (from 0) is not allowed: `guard` is what it lacks, `where` what holds of its elements."""

    step: int
    event: Event
    guard: str
    where: dict[str, Any]

    def __str__(self) -> str:
        return f"step {self.step}: {' '.join(map(str, self.event))!r} is refused: not {self.guard!r}"


class Monitor:
    """The state of a model, and what has happened so far: `events` were allowed, `refused` was not (None: all were).

    `told` is called with the `Illegal` event, once; what it raises, if it does, comes out of `take`.
    Raises SpecError where what is given does not fit the model.
    """

    def __init__(
        self,
        theory: Theory,
        sizes: Mapping[str, Any],
        given: Given | None = None,
        told: Callable[[Illegal], object] | None = None,
    ) -> None:
        check_regular(theory)
        given = by_symbol(given)
        self.theory, self.told = theory, told
        self.events = 0
        self.refused: Illegal | None = None
        self._lifted = Lifted(theory)
        self._number: dict[Sort, dict[Any, int]] = {}
        self._names: dict[str, Any] = {}
        for sort in theory.sorts:
            self._number[sort] = self._numbered(sort, sizes)
            self._names[f"n_{sort.name}"] = self._number[sort]
        for symbol in theory.symbols:
            self._empty(symbol)
        for step in self._lifted.silent:
            self._names[f"todo_{word_of(step.name)}"] = set()  # of elements to be looked at again; -1: everybody
        self._compile()
        for name, value in given.items():
            self._give(name, value)
        self._begin(given)

    # -- what a user does ---------------------------------------------------------------------------------------------

    def take(self, name: str, *elements: Any) -> None:
        """One event has happened: a deed, and its elements by name."""
        if self.refused is None:
            try:
                lacking = self._deeds[name](*elements)
            except (KeyError, TypeError):  # no such deed or element, or not so many
                lacking = -2
            if lacking == -1:
                self.events += 1
            else:
                self._refuse((name, *elements), lacking)

    def through(self, translate: Callable[..., Event | None]) -> Callable[..., None]:
        """A watcher: what it is called with becomes an event, or None where the model has no word for it."""
        take = self.take

        def watch(*seen: Any) -> None:
            event = translate(*seen)
            if event is not None:
                take(*event)

        return watch

    def add(self, sort: str, name: Any, **given: Any) -> None:
        """There is one more element; `given` says of it what is given of the others, in the same form."""
        (kind,) = (one for one in self._number if one.name == sort)
        claim(kind.members is None, f"{sort} is finite: {name!r} cannot be added")
        claim(name not in self._number[kind], f"there is a {sort} {name!r} already")
        number = self._number[kind][name] = len(self._number[kind])
        for symbol in self.theory.symbols:
            self._longer(symbol, kind)
        for symbol_name, value in given.items():
            self._give(symbol_name, value)
        self._started({symbol: (number,) for symbol in self.theory.symbols if symbol.domain == (kind,)}, given)

    def state(self) -> dict[str, Any]:
        """What holds: a set of places per relation, a mapping per function, a value where there are no arguments."""
        return {symbol.name: self._decoded(symbol) for symbol in self.theory.symbols}

    # -- tables -------------------------------------------------------------------------------------------------------

    def _numbered(self, sort: Sort, sizes: Mapping[str, Any]) -> dict[Any, int]:
        if sort.members is not None:
            both = [(key, n) for n, one in enumerate(sort.members) for key in (one, member_name(one))]
            return dict(both)
        return {name: n for n, name in enumerate(elements_of(sort, sizes))}

    def _size(self, sort: Sort) -> int:
        return 2 if sort is BOOL else len(sort.members or self._number[sort])

    def _empty(self, symbol: Symbol) -> None:
        """A list for symbols with at most one argument, a mapping for more, neighbours for rigid relations of two."""
        plain: Any = False if symbol.to is BOOL else 0
        table = [plain] * (self._size(symbol.domain[0]) if symbol.domain else 1) if len(symbol.domain) <= 1 else {}
        self._names[self._lifted.table(symbol)] = table
        if neighbourly(symbol):
            self._names[self._lifted.forward(symbol)] = [[] for _ in range(self._size(symbol.domain[0]))]
            self._names[self._lifted.backward(symbol)] = [[] for _ in range(self._size(symbol.domain[1]))]

    def _longer(self, symbol: Symbol, kind: Sort) -> None:
        if symbol.domain == (kind,):
            self._names[self._lifted.table(symbol)].append(False if symbol.to is BOOL else 0)
        if neighbourly(symbol):
            for place, name in enumerate((self._lifted.forward(symbol), self._lifted.backward(symbol))):
                if symbol.domain[place] is kind:
                    self._names[name].append([])

    def _give(self, name: str, value: Any) -> None:
        symbols = self.theory.spec.symbols
        claim(name in symbols, f"{name!r} was given, and is no symbol of this model", ", ".join(symbols))
        symbol = symbols[name]
        if not symbol.domain:
            self._put(symbol, (), self._value(value, symbol.to))
        elif isinstance(value, Mapping):
            for at, to in value.items():
                self._put(symbol, self._place(symbol, at), self._value(to, symbol.to))
        else:
            claim(symbol.to is BOOL, f"{symbol} is a function", "{element: value, …}")
            for at in value:
                self._put(symbol, self._place(symbol, at), True)

    def _value(self, value: Any, sort: Sort) -> Any:
        if sort in (BOOL, INT):
            return value
        claim(value in self._number[sort], f"{value!r} is no {sort}")
        return self._number[sort][value]

    def _place(self, symbol: Symbol, at: Any) -> tuple[int, ...]:
        parts = at if isinstance(at, tuple) and len(symbol.domain) > 1 else (at,)
        claim(len(parts) == len(symbol.domain), f"{symbol} takes {len(symbol.domain)} arguments: {at!r}")
        return tuple(self._value(part, sort) for part, sort in zip(parts, symbol.domain, strict=True))

    def _put(self, symbol: Symbol, place: tuple[int, ...], value: Any) -> None:
        table = self._names[self._lifted.table(symbol)]
        if len(place) <= 1:
            table[place[0] if place else 0] = value
            return
        if neighbourly(symbol) and value and not table.get(place):
            self._names[self._lifted.forward(symbol)][place[0]].append(place[1])
            self._names[self._lifted.backward(symbol)][place[1]].append(place[0])
        table[place] = value

    # -- the beginning ------------------------------------------------------------------------------------------------

    def _begin(self, given: Given) -> None:
        (begin,) = self.theory.initial
        for symbol in self.theory.symbols:
            known = symbol.rigid or symbol in begin.after or symbol.name in given
            claim(known, f"{symbol} may begin as anything: a monitor has to know", f"an @initial that assigns {symbol}")
        self._started(dict.fromkeys(self.theory.symbols), given)

    def _started(self, where: Mapping[Symbol, tuple[int, ...] | None], given: Given) -> None:
        """Give symbols their initial values, at one element or at all, and let consequences happen."""
        (begin,) = self.theory.initial
        for symbol, at in where.items():
            definition = begin.after.get(symbol)
            if definition is not None and symbol.name not in given:
                self._initially(symbol, definition, at)
        for step in self._lifted.silent:
            self._names[f"todo_{word_of(step.name)}"].add(-1)
        self._settle()

    def _initially(self, symbol: Symbol, definition: Definition, at: tuple[int, ...] | None) -> None:
        names = [self._lifted.variable(name) for name in definition.at]
        value = executed(
            [f"value = lambda {', '.join(names)}: {self._lifted.text(definition.body)}"], "value", **self._names
        )
        if at is None and len(names) > 1 and definition.body.op == "lit" and not definition.body.payload:
            return  # that is how mappings begin
        for place in [at] if at is not None else self._places(symbol):
            self._put(symbol, place, value(*place))

    def _places(self, symbol: Symbol) -> Iterable[tuple[int, ...]]:
        places: list[tuple[int, ...]] = [()]
        for sort in symbol.domain:
            places = [(*place, n) for place in places for n in range(self._size(sort))]
        return places

    # -- deeds --------------------------------------------------------------------------------------------------------

    def _compile(self) -> None:
        lines = [line for step in self.theory.steps for line in self._lifted.deed(step)]
        exec("\n".join([*lines, *self._settling()]), self._names)
        self._settle: Callable[[], None] = self._names["settle"]
        loud = [step.name for step in self.theory.steps if not step.silent]
        self._deeds: dict[str, Callable[..., int]] = {name: self._names[f"d_{word_of(name)}"] for name in loud}

    def _settling(self) -> list[str]:
        """Look at each consequence for those whom a change has reached, until nobody is left."""
        todos = [f"todo_{word_of(step.name)}" for step in self._lifted.silent]
        lines = ["def settle():", f"    while {' or '.join(todos) or 'False'}:"]
        for step, todo in zip(self._lifted.silent, todos, strict=True):
            names = [self._lifted.variable(param) for param in step.params]
            loops = [f"for {n} in {self._lifted.elements(p.sort)}" for n, p in zip(names, step.params, strict=True)]
            call = f"d_{word_of(step.name)}({', '.join(names)})"
            lines += [f"        if -1 in {todo}:", f"            {todo}.clear()"]
            lines.append(f"            [{call} {' '.join(loops)}]" if loops else f"            {call}")
            if len(names) == 1:
                lines += [f"        while {todo} and -1 not in {todo}:", f"            {names[0]} = {todo}.pop()"]
                lines.append(f"            {call}")
        return lines if todos else ["def settle(): pass"]

    # -- what is said -------------------------------------------------------------------------------------------------

    def _refuse(self, event: Event, lacking: int) -> None:
        known = lacking >= 0
        guard = self.theory.step(event[0]).guards[lacking].label if known else "the model knows this event"
        self.refused = Illegal(self.events, event, guard, self._where(event) if known else {})
        if self.told is not None:
            self.told(self.refused)

    def _where(self, event: Event) -> dict[str, Any]:
        """What holds of each element of an event: `{"open a": True}` reads open[a]."""
        found = {}
        for param, name in zip(self.theory.step(event[0]).params, event[1:], strict=True):
            for symbol in self.theory.symbols:
                if symbol.domain == (param.sort,) and param.sort.members is None:
                    value = self._names[self._lifted.table(symbol)][self._number[param.sort][name]]
                    found[f"{symbol.name} {name}"] = self._word(value, symbol.to)
        return found

    def _word(self, value: Any, sort: Sort) -> Any:
        return value if sort in (BOOL, INT) else self._listed(sort)[value]

    def _listed(self, sort: Sort) -> list[Any]:
        return list(sort.members) if sort.members is not None else list(self._number[sort])

    def _decoded(self, symbol: Symbol) -> Any:
        table = self._names[self._lifted.table(symbol)]
        if not symbol.domain:
            return self._word(table[0], symbol.to)
        names = [self._listed(sort) for sort in symbol.domain]
        pairs = enumerate(table) if len(symbol.domain) == 1 else table.items()
        rows = {self._at(place, names): self._word(value, symbol.to) for place, value in pairs}
        return {at for at, held in rows.items() if held} if symbol.to is BOOL else rows

    @staticmethod
    def _at(place: Any, names: list[list[Any]]) -> Any:
        return names[0][place] if isinstance(place, int) else tuple(n[p] for n, p in zip(names, place, strict=True))
