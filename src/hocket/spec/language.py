"""The language of `models/`: a class of sorts, symbols and deeds, traced once into terms.

A method of a specification is run once, with variables for its parameters; what it
reads, requires and assigns becomes terms over the state *before* the step. So an
assignment is a substitution, the state after a step needs no symbols of its own,
and no frame axiom can be forgotten. An initial state is an assignment from anything.

Kinds of deed: `@action` (the system does it: it has to lower every variant),
`@environment` (users, time, faults), `@consequence` (an action that happens by
itself, at once, whenever it can: it has no label in a trace). `fair="strong"` (or
"weak", "none") says how a deed that is possible has to be treated in the runs that
`@eventually` is about; unsaid, actions are treated weakly fairly, the environment is not.

Kinds of claim: `@invariant` (proved and searched), `@always` and `@sometimes` (searched:
in every state, in some), `@eventually` (searched: in every fair run the condition holds
at some time, or `leads_to(p, q)`; with sorts, for each of their elements),
`@mistaken` (searched if asked for: what a reader may believe, and is refuted),
`@two_state`, `@variant`, `@theorem`, `@axiom` (proved).

After mypyvy (Padon et al.) and Ivy; TLA+ for reading aloud. Refused: primed
variables, because a forgotten `x' = x` is the classic hole of a first model.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from traceback import walk_tb
from typing import Any, ClassVar, NoReturn

from hocket.errors import SpecError
from hocket.spec.terms import (
    BOOL,
    INT,
    TRUE,
    Sort,
    Term,
    as_term,
    claim,
    conj,
    exists,
    parameters,
    refuse,
    substitute,
    var,
)

__all__ = [
    "Deed",
    "Definition",
    "Function",
    "Language",
    "Leads",
    "Now",
    "Relation",
    "Symbol",
    "action",
    "always",
    "axiom",
    "consequence",
    "environment",
    "eventually",
    "initial",
    "invariant",
    "leads_to",
    "mistaken",
    "sometimes",
    "theorem",
    "two_state",
    "variant",
]


_HERE = str(Path(__file__).parent)
_SLIPS = (TypeError, AttributeError, KeyError)  # what Python raises when a term is taken for a value


def _are_sorts(*sorts: Any) -> None:
    for sort in sorts:
        claim(isinstance(sort, Sort), f"{sort!r} is no sort", "Task, where Task = Sort() stands above")


class Symbol:
    """A part of the state: a function over sorts. `rigid`: it never changes; `ghost`: it exists for the proof only."""

    def __init__(self, *domain: Sort, to: Sort = BOOL, rigid: bool = False, ghost: bool = False) -> None:
        _are_sorts(*domain, to)
        self.domain, self.to, self.rigid, self.ghost = domain, to, rigid, ghost
        self.name = "?"

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name if self.name == "?" else self.name

    def __repr__(self) -> str:
        return self.name

    def __get__(self, spec: Language | None, owner: type) -> Any:
        if spec is None:
            return self
        return View(spec, self) if self.domain else spec.now.read(self, ())

    def __set__(self, spec: Language, value: Any) -> None:
        if not isinstance(value, View):  # `s.count[t] += 1` ends by handing the view back
            name = self.name
            claim(not self.domain, f"{name} has arguments", f"s.{name}[t] = …, or s.{name}.each(lambda t: …)")
            spec.now.assign(self, (), value)


def Relation(*domain: Sort, rigid: bool = False, ghost: bool = False) -> Any:
    """A symbol that holds or does not."""
    return Symbol(*domain, rigid=rigid, ghost=ghost)


def Function(*domain: Sort, to: Sort, rigid: bool = False, ghost: bool = False) -> Any:
    """A symbol with a value of the sort `to`."""
    return Symbol(*domain, to=to, rigid=rigid, ghost=ghost)


class View:
    """A symbol at a moment: `view[t]` reads, `view[t] = v` assigns, `view.each(lambda t: v)` assigns everywhere."""

    __slots__ = ("_spec", "_symbol")

    def __init__(self, spec: Language, symbol: Symbol) -> None:
        self._spec, self._symbol = spec, symbol

    def _terms(self, at: Any) -> tuple[Term, ...]:
        places = at if isinstance(at, tuple) else (at,)
        symbol = self._symbol
        claim(len(places) == len(symbol.domain), f"{symbol} takes {len(symbol.domain)} arguments, not {len(places)}")
        return tuple(as_term(place, sort) for place, sort in zip(places, symbol.domain, strict=True))

    def __getitem__(self, at: Any) -> Term:
        return self._spec.now.read(self._symbol, self._terms(at))

    def __setitem__(self, at: Any, value: Any) -> None:
        self._spec.now.assign(self._symbol, self._terms(at), value)

    def each(self, value: Callable[..., Any]) -> None:
        """Assign `value(…)` at all arguments at once; what it reads is the state before."""
        names = parameters(value) if callable(value) else []
        claim(
            len(names) == len(self._symbol.domain),
            f"{self._symbol} has {len(self._symbol.domain)} arguments",
            f"s.{self._symbol}.each(lambda t: …), with as many",
        )
        at = tuple(var(name, sort) for name, sort in zip(names, self._symbol.domain, strict=True))
        self._spec.now.define(self._symbol, Definition(at, as_term(value(*at), self._symbol.to)))

    def __repr__(self) -> str:
        return f"{self._symbol}"


_OPERATIONS = "bool eq ne lt le gt ge contains iter len"
refuse(View, _OPERATIONS, "is a whole symbol, and not its value", "its arguments, as s.up[t]")
refuse(Sort, "iter contains len", "has as many elements as you like", "forall(s.Task, …), exists(…) or s.up.each(…)")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a symbol has become: `body`, over the state before the step, at the variables `at`."""

    at: tuple[Term, ...]
    body: Term

    def read(self, args: tuple[Term, ...]) -> Term:
        return substitute(self.body, {name.payload: arg for name, arg in zip(self.at, args, strict=True)})


@dataclass(frozen=True, slots=True)
class Labelled:
    """A condition with the words by which a reader knows it."""

    label: str
    term: Term


class Now:
    """The state at one moment of a trace, as definitions over the state before the step; and what was required.

    `drop` leaves out one guard or one update, counted in the order of the text: how mutants are made.
    """

    def __init__(
        self, definitions: Mapping[Symbol, Definition] | None = None, drop: tuple[str, int] | None = None
    ) -> None:
        self.definitions: dict[Symbol, Definition] = dict(definitions or {})
        self.guards: list[Labelled] = []
        self.ensured: list[Labelled] = []
        self.updates: list[str] = []  # what was assigned, in order, for people
        self.frozen = definitions is not None
        self._drop = drop

    def read(self, symbol: Symbol, args: tuple[Term, ...]) -> Term:
        known = self.definitions.get(symbol)
        return Term("apply", args, symbol.to, symbol) if known is None else known.read(args)

    def assign(self, symbol: Symbol, args: tuple[Term, ...], value: Any) -> None:
        from hocket.spec.terms import equal, ite

        at = tuple(var(f"x{place}", sort) for place, sort in enumerate(symbol.domain))
        here = conj(*(equal(name, arg) for name, arg in zip(at, args, strict=True)))
        body = ite(here, as_term(value, symbol.to), self.read(symbol, at))
        self.define(symbol, Definition(at, body), f"{symbol}[{', '.join(map(str, args))}]" if args else str(symbol))

    def define(self, symbol: Symbol, definition: Definition, text: str = "") -> None:
        claim(not self.frozen, f"{symbol} was assigned where only a condition is expected", "an @action for it")
        claim(not symbol.rigid, f"{symbol} is rigid, and was assigned", "no rigid=True at its declaration")
        self.updates.append(text or f"{symbol}[…]")
        if self._drop != ("update", len(self.updates) - 1):
            self.definitions[symbol] = definition

    def require(self, label: str, condition: Term) -> None:
        self.guards.append(Labelled(label, condition))
        if self._drop == ("guard", len(self.guards) - 1):
            self.guards[-1] = Labelled(label, TRUE)


@dataclass(frozen=True)
class Deed:
    """A method of a specification that is not called but traced."""

    kind: str
    method: Callable[..., Any]
    sorts: tuple[Sort, ...] = ()
    layer: int = 0
    needs: tuple[str, ...] | None = None
    name: str = "?"
    row: Any = None
    fair: str | None = None  # "weak", "strong" or "none"; None: weak for actions, none for the environment

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __call__(self, *_: Any) -> NoReturn:
        claim(False, f"{self.name} is a deed, and no deed does another", "a method that is none, for both to call")
        raise AssertionError

    @property
    def line(self) -> tuple[str, int]:
        """Where it is written: file and line."""
        code = self.method.__code__
        return code.co_filename, code.co_firstlineno

    def call(self, spec: Language, *args: Any) -> Any:
        """Trace the method; what Python says of a term that was taken for a value is said with the model's line."""
        try:
            return self.method(spec, *args) if self.row is None else self.method(spec, *args, self.row)
        except _SLIPS as slip:
            written = [(frame.f_code.co_filename, line) for frame, line in walk_tb(slip.__traceback__)]
            places = [place for place in written if not place[0].startswith(_HERE)] or [self.line]
            raise SpecError(f"{type(slip).__name__} in {self.name}: {slip}", *places[-1]) from slip

    def says(self, spec: Language, *args: Any) -> Term:
        """The condition that it returns."""
        return self.condition(self.call(spec, *args))

    def condition(self, found: Any) -> Term:
        """What it returned, if that is a condition."""
        if isinstance(found, bool) or (isinstance(found, Term) and found.sort is BOOL):
            return as_term(found, BOOL)
        returned = f"`{found}`, of sort {found.sort}" if isinstance(found, Term) else repr(found)
        raise SpecError(f"{self.name} returns {returned}, and is to return a condition", *self.line)


@dataclass(frozen=True, slots=True)
class Leads:
    """Whenever `first` holds, `then` holds then or later."""

    first: Term
    then: Term


def leads_to(first: Any, then: Any) -> Leads:
    """What an @eventually may return: whenever `first` holds, `then` holds then or later (p ↝ q)."""
    return Leads(as_term(first, BOOL), as_term(then, BOOL))


@dataclass(frozen=True)
class Family:
    """One deed per row of a table, named by the table's keys."""

    method: Callable[..., Any]
    deeds: tuple[Deed, ...]


def _once(method: Callable[..., Any]) -> Callable[..., Any]:
    """A second one of a name would take the place of the first, and its claim would be gone in silence."""
    body = sys._getframe(2).f_locals
    earlier = body.get(method.__name__) if "__qualname__" in body else None
    claim(not isinstance(earlier, Deed | Family), f"there is a {method.__name__} already", "another name")
    return method


def _deed(kind: str) -> Callable[..., Any]:
    def decorate(*sorts: Any, rows: Mapping[str, Any] | None = None, fair: str | None = None) -> Any:
        if len(sorts) == 1 and inspect.isfunction(sorts[0]):
            return Deed(kind, _once(sorts[0]))
        _are_sorts(*sorts)
        if rows is None:
            return lambda method: Deed(kind, _once(method), sorts, fair=fair)
        claim(bool(rows), "the table has no rows, so this would be no deed at all", "at least one row")
        table = rows
        return lambda method: Family(
            _once(method),
            tuple(Deed(kind, method, sorts, name=name, row=row, fair=fair) for name, row in table.items()),
        )

    return decorate


def _claim(kind: str) -> Callable[..., Any]:
    def decorate(
        method: Any = None,
        *,
        layer: int = 0,
        needs: tuple[str, ...] | None = None,
        rows: Mapping[str, Any] | None = None,
    ) -> Any:
        if method is not None:
            return Deed(kind, _once(method), layer=layer, needs=needs)
        if rows is None:
            return lambda inner: Deed(kind, _once(inner), layer=layer, needs=needs)
        claim(bool(rows), "the table has no rows, so this would be no claim at all", "at least one row")
        table = rows.items()
        return lambda inner: Family(
            _once(inner), tuple(Deed(kind, inner, layer=layer, needs=needs, name=name, row=row) for name, row in table)
        )

    return decorate


action, environment, consequence = _deed("action"), _deed("environment"), _deed("consequence")
initial, axiom = _claim("initial"), _claim("axiom")
invariant, two_state, variant = _claim("invariant"), _claim("two_state"), _claim("variant")
theorem = _deed("theorem")
always, sometimes, mistaken = _claim("always"), _claim("sometimes"), _claim("mistaken")
eventually = _deed("eventually")

STEPS = ("action", "environment", "consequence")
_KINDS = {Deed: "deed", Family: "deed", Symbol: "part of the state", Sort: "sort"}


def _kind(value: Any) -> str:
    """What is declared by a value; nothing by any other."""
    return _KINDS.get(type(value), "")


class Language:
    """What a specification's methods can say; `hocket.spec.Spec` adds the readers."""

    deeds: ClassVar[dict[str, Deed]]
    symbols: ClassVar[dict[str, Symbol]]
    sorts: ClassVar[dict[str, Sort]]
    scales: ClassVar[Mapping[str, int]] = {}  # how many elements of a sort belong to one of another, in small examples

    def __init__(self, now: Now | None = None) -> None:
        self.now = now or Now({})

    def __init_subclass__(cls) -> None:
        """Collect what is declared, base classes first, in the order of the text."""
        super().__init_subclass__()
        cls.deeds, cls.symbols, cls.sorts = {}, {}, {}
        for name, value in vars(cls).items():
            cls._replaces_its_like(name, value)
        for base in reversed(cls.__mro__):
            for name, value in vars(base).items():
                cls._declare(name, value)
        cls._sorts_have_their_own_names()
        for symbol in cls.symbols.values():
            for sort in (*symbol.domain, symbol.to):
                if sort not in (BOOL, INT):
                    cls.sorts.setdefault(sort.name, sort)

    @classmethod
    def _replaces_its_like(cls, name: str, value: Any) -> None:
        """A deed may stand for a deed of a base class; what stands for a word of the language would silence it."""
        kind = _kind(value)
        others = [_kind(vars(base)[name]) for base in cls.__mro__[1:] if name in vars(base)]
        fine = not kind or all(other == kind for other in others)
        claim(fine, f"{name} cannot be a {kind}: it is something else already", "another name")

    @classmethod
    def _sorts_have_their_own_names(cls) -> None:
        """Scopes are given by the names of sorts."""
        declared = [value for name in dir(cls) if isinstance(value := getattr(cls, name), Sort)]
        for sort in declared:
            claim(all(o is sort or o.name != sort.name for o in declared), f"two sorts are called {sort}", "two names")

    @classmethod
    def _declare(cls, name: str, value: Any) -> None:
        match value:
            case Deed():
                cls.deeds[name] = value
            case Family():
                cls.deeds |= {deed.name: deed for deed in value.deeds}
            case Symbol():
                claim(value.name == name, f"{value.name} and {name} are one and the same", "a declaration for each")
                cls.symbols[name] = value
            case Sort():
                cls.sorts[value.name] = value

    def __setattr__(self, name: str, value: Any) -> None:
        """A name that was not declared is a slip: assigned in silence, it would be no part of the state."""
        known = name == "now" or name.startswith("_") or name in type(self).symbols
        if not known:  # to look for what is near takes longer than all the rest
            claim(False, f"s.{name} was assigned, and is no symbol of {type(self).__name__}", type(self)._near(name))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Only asked for what there is not."""
        if name.startswith("_"):
            raise AttributeError(name)
        claim(False, f"there is no s.{name} in {type(self).__name__}", type(self)._near(name))

    @classmethod
    def _near(cls, name: str) -> str:
        return ", ".join(get_close_matches(name, [*cls.symbols, *cls.sorts])) or f"{name} = Relation(…)"

    def require(self, label: str, condition: Any) -> None:
        """This deed is possible only if the condition holds; `label` is what a refused trace is told."""
        self.now.require(label, as_term(condition, BOOL))

    def ensure(self, label: str, condition: Any) -> None:
        """After this deed the condition holds: a claim to be proved, written where it is plain."""
        self.now.ensured.append(Labelled(label, as_term(condition, BOOL)))

    def enabled(self, name: str, *args: Any) -> Term:
        """Whether the deed called `name` is possible, for these arguments, or for some if none are given."""
        deed = type(self).deeds.get(name)
        if deed is None or deed.kind not in STEPS:
            near = ", ".join(get_close_matches(name, type(self).deeds)) or "the name of an @action"
            claim(False, f"{name!r} is no deed of {type(self).__name__}", near)
            raise AssertionError
        if not args and deed.sorts:
            return exists(*deed.sorts, _of(deed.sorts, lambda *bound: self.enabled(name, *bound)))
        inner = type(self)(Now())
        inner.now.definitions = dict(self.now.definitions)
        deed.call(inner, *args)
        return conj(*(guard.term for guard in inner.now.guards))


def _of(sorts: tuple[Sort, ...], body: Callable[..., Term]) -> Callable[..., Term]:
    """`body` as a function of exactly as many parameters as there are sorts."""
    names = ", ".join(f"{sort.name.lower()}{place}" for place, sort in enumerate(sorts))
    made: Callable[..., Term] = eval(f"lambda {names}: body({names})", {"body": body})
    return made
