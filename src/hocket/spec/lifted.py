"""A specification as Python over tables, for any number of elements: what a monitor runs.

Nothing is written out per element here. A deed is one function of its elements; `forall`
and `exists` become loops, and where a quantified element is tied to a known one by a rigid
relation (`after[t, u] >> closed[u]`) the loop goes along that relation's neighbours only.
So an event costs what its neighbourhood costs, not what the whole system does.

What changes is found the same way: an assignment at one place is one write, and a
consequence is looked at again only for elements that a change can have reached. Where a
specification says something less regular the loops go over all elements, which is slow
and as right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hocket.spec.language import Definition, Symbol
from hocket.spec.terms import BOOL, FALSE, INT, TRUE, Sort, Term, claim, conj, negate, rebuild, same, substitute, walk
from hocket.spec.traced import Step, Theory

__all__ = ["Lifted", "check_regular", "neighbourly", "word_of"]

Route = str | None  # from an element that changed to those who look at it: "" itself, a table of neighbours, None all
_PARTS = 64  # alternatives into which a condition is taken apart at most


class Lifted:
    """The text of every deed of a theory, over tables by name: see `table`, `forward` and `backward`."""

    def __init__(self, theory: Theory) -> None:
        self.theory = theory
        self.silent = [step for step in theory.steps if step.silent]
        self.routes: dict[str, dict[Symbol, set[Route]]] = {}
        self._route: dict[str, Route] = {}
        self._reads: dict[Symbol, set[Route]] = {}
        self._fresh = 0
        for step in self.silent:
            self.routes[step.name] = self._reading(step)

    # -- names --------------------------------------------------------------------------------------------------------

    @staticmethod
    def table(symbol: Symbol) -> str:
        return f"t_{symbol.name}"

    @staticmethod
    def forward(symbol: Symbol) -> str:
        """For each first argument of a rigid relation, the second ones."""
        return f"f_{symbol.name}"

    @staticmethod
    def backward(symbol: Symbol) -> str:
        return f"b_{symbol.name}"

    @staticmethod
    def elements(sort: Sort) -> str:
        if sort.members is not None:
            return f"range({len(sort.members)})"
        return "(False, True)" if sort is BOOL else f"range(len(n_{sort.name}))"

    @staticmethod
    def variable(term: Term) -> str:
        return str(term.payload).replace("$", "_")

    # -- deeds --------------------------------------------------------------------------------------------------------

    def deed(self, step: Step) -> list[str]:
        """`def d_NAME(…)`: the number of the guard that refuses, or -1 once it is done, consequences included.

        A deed is called with the elements' names, a consequence (which settling does) with their numbers.
        """
        names = [self.variable(param) for param in step.params]
        lines = [f"def d_{word_of(step.name)}({', '.join(names)}):"]
        if not step.silent:
            for name, param in zip(names, step.params, strict=True):
                lines += [f"    {name} = n_{param.sort.name}[{name}]"] if param.sort not in (BOOL, INT) else []
        for number, guard in enumerate(step.guards):
            if not same(guard.term, TRUE):
                lines += [f"    {line}" for line in self._refusing(guard.term, number)]
        lines += [f"    {line}" for line in self.updates(step.after)]
        if self.silent and not step.silent:
            lines.append(f"    if {' or '.join(f'todo_{word_of(one.name)}' for one in self.silent)}: settle()")
        return [*lines, "    return -1"]

    def _refusing(self, guard: Term, number: int) -> list[str]:
        """Statements that return the number of a guard that does not hold: a loop of its own is cheaper than `any`."""
        lines = []
        for part in _parts(_pushed(guard, False)):
            bound, body = _quantified(part)
            for one in _parts(body):
                loops, test = self._looped(bound, one)
                heads = [*(f"{loop}:" for loop in loops), f"if {test}: return {number}"]
                lines += [" " * 4 * depth + head for depth, head in enumerate(heads)]
        return lines

    def updates(self, after: Mapping[Symbol, Definition]) -> list[str]:
        """All new values, each from the state before, and then all writes."""
        computed: list[str] = []
        written: list[str] = []
        for symbol, definition in after.items():
            old = Term("apply", definition.at, symbol.to, symbol)
            points = _points(definition.at, definition.body, old)
            if points is None:
                self._everywhere(symbol, definition, old, computed, written)
                continue
            for args, value in points:
                place = [self._named(arg, computed) for arg in args]
                written += self._write(symbol, place, self._named(value, computed), value)
        return [*computed, *written]

    def _named(self, term: Term, lines: list[str]) -> str:
        """A value as it is before anything is written."""
        if term.op in ("var", "lit"):
            return self.text(term)
        self._fresh += 1
        lines.append(f"v{self._fresh} = {self.text(term)}")
        return f"v{self._fresh}"

    def _write(self, symbol: Symbol, place: list[str], new: str, value: Term | None = None) -> list[str]:
        """Write one cell, and have those looked at again who may be concerned."""
        at = (place[0] if place else "0") if len(place) <= 1 else f"({', '.join(place)})"
        cell = f"{self.table(symbol)}[{at}]"
        stirred = [*self._stirred(symbol, place[0] if len(place) == 1 else "", value)]
        if not stirred:
            return [f"{cell} = {new}"]
        before = cell if len(place) <= 1 else self._get(symbol, at)
        return [f"if {before} != {new}:", f"    {cell} = {new}", *(f"    {line}" for line in stirred)]

    def _stirred(self, symbol: Symbol, at: str, value: Term | None) -> Iterable[str]:
        for step in self.silent:
            found = self.routes.get(step.name, {}).get(symbol, set())
            todo = f"todo_{word_of(step.name)}"
            if found and (None in found or not at):
                yield f"{todo}.add(-1)"  # for everybody
                continue
            for route in sorted(route for route in found if route is not None):
                if route:
                    yield f"{todo}.update({route}[{at}])"
                elif not self._excluded(step, symbol, value):
                    yield f"{todo}.add({at})"

    @staticmethod
    def _excluded(step: Step, symbol: Symbol, value: Term | None) -> bool:
        """A consequence is impossible for an element of which the symbol has this value."""
        if value is None or value.op != "lit":
            return False
        here = Term("apply", step.params, symbol.to, symbol)
        return same(conj(*(_put(guard.term, here, value) for guard in step.guards)), FALSE)

    def _everywhere(
        self, symbol: Symbol, definition: Definition, old: Term, computed: list[str], written: list[str]
    ) -> None:
        """An assignment at all places; only if what decides it for all of them holds."""
        self._fresh += 1
        changed = f"v{self._fresh}"
        names = [self.variable(name) for name in definition.at]
        only = [self.text(term) for term in _deciding(definition, old)]
        loops = " ".join(f"for {n} in {self.elements(v.sort)}" for n, v in zip(names, definition.at, strict=True))
        places = ", ".join(names)
        found = f"[({places}, new) {loops} if (new := {self.text(definition.body)}) != {self.text(old)}]"
        if not names:
            found = f"[({self.text(definition.body)},)]"
        computed.append(f"{changed} = {found}" + (f" if {' and '.join(only)} else ()" if only else ""))
        written.append(f"for {', '.join([*names, 'new'])}{'' if names else ','} in {changed}:")
        written += [f"    {line}" for line in self._write(symbol, names, "new")]

    def _reading(self, step: Step) -> dict[Symbol, set[Route]]:
        """What a consequence looks at, and by which way it is reached from there; all of it without one parameter."""
        self._reads = {}
        self._route = {step.params[0].payload: ""} if len(step.params) == 1 else {}
        for guard in step.guards:
            self.text(guard.term)
        for symbol, definition in step.after.items():
            points = _points(definition.at, definition.body, Term("apply", definition.at, symbol.to, symbol))
            for args, value in points or ():
                self.text(value)
                self._read(symbol, args)
            if points is None:
                self.text(definition.body)
                self._reads.setdefault(symbol, set()).add(None)
        reads, self._reads, self._route = self._reads, {}, {}
        return reads

    def _read(self, symbol: Symbol, args: tuple[Term, ...]) -> None:
        if not symbol.rigid:
            route = self._route.get(args[0].payload) if len(args) == 1 and args[0].op == "var" else None
            self._reads.setdefault(symbol, set()).add(route)

    # -- terms --------------------------------------------------------------------------------------------------------

    def text(self, term: Term) -> str:
        """A term as a Python expression over the tables."""
        match term.op:
            case "var":
                return self.variable(term)
            case "lit":
                return str(term.payload)
            case "apply":
                self._read(term.payload, term.args)
                return self._looked_up(term.payload, [self.text(arg) for arg in term.args])
            case "forall":
                return f"(not {self._some(term.args[:-1], _pushed(term.args[-1], False))})"
            case "exists":
                return self._some(term.args[:-1], _pushed(term.args[-1], True))
            case "and" | "or":
                return f"({f' {term.op} '.join(self.text(arg) for arg in term.args)})"
            case "not":
                return f"(not {self.text(term.args[0])})"
            case "ite":
                test, then, other = (self.text(arg) for arg in term.args)
                return f"({then} if {test} else {other})"
            case "neg":
                return f"(-{self.text(term.args[0])})"
            case _:
                return f"({_SIGNS[term.op].join(self._side(arg) for arg in term.args)})"

    def _side(self, term: Term) -> str:
        return f"bool({self.text(term)})" if term.sort is BOOL else self.text(term)

    def _looked_up(self, symbol: Symbol, args: list[str]) -> str:
        if len(args) <= 1:
            return f"{self.table(symbol)}[{args[0] if args else 0}]"
        return self._get(symbol, f"({', '.join(args)})")

    def _get(self, symbol: Symbol, key: str) -> str:
        return f"{self.table(symbol)}.get({key}, {'False' if symbol.to is BOOL else 0})"

    def _some(self, bound: tuple[Term, ...], body: Term) -> str:
        """Whether some elements satisfy a condition, each alternative in the cheapest loops."""
        found = [self._loops(bound, part) for part in _parts(body)]
        return f"({' or '.join(found)})" if len(found) > 1 else found[0]

    def _loops(self, bound: tuple[Term, ...], part: Term) -> str:
        loops, test = self._looped(bound, part)
        return f"any({test} {' '.join(loops)})" if loops else test

    def _looped(self, bound: tuple[Term, ...], part: Term) -> tuple[list[str], str]:
        """Where each quantified element is looked for, and what is asked of them."""
        conjuncts = list(part.args if part.op == "and" else (part,))
        left = [name for name in bound if any(_has(term, name) for term in conjuncts)]
        loops = []
        outside = dict(self._route)
        while left:
            name, source, used = self._next(left, conjuncts)
            left.remove(name)
            loops.append(f"for {self.variable(name)} in {source}")
            conjuncts = [term for term in conjuncts if term is not used]
        test = self.text(conj(*conjuncts))
        self._route = outside
        return loops, test

    def _next(self, left: list[Term], conjuncts: list[Term]) -> tuple[Term, str, Term | None]:
        """A quantified element that something ties to known ones; else the first, among all."""
        for name in left:
            for term in conjuncts:
                tied = self._tie(name, term, left)
                if tied:
                    return name, tied, term
        return left[0], self.elements(left[0].sort), None

    def _tie(self, name: Term, term: Term, left: list[Term]) -> str | None:
        """Where an element is to be looked for, by one conjunct that ties it to what is known."""
        if term.op == "eq":
            for one, other in (term.args, term.args[::-1]):
                if same(one, name) and not any(_has(other, free) for free in left):
                    self._route[name.payload] = self._route.get(other.payload) if other.op == "var" else None
                    return f"({self.text(other)},)"
        if term.op != "apply" or not neighbourly(term.payload):
            return None
        for place, way, back in ((1, self.forward, self.backward), (0, self.backward, self.forward)):
            known = term.args[1 - place]
            if same(term.args[place], name) and not any(_has(known, free) for free in left):
                from_parameter = known.op == "var" and self._route.get(known.payload) == ""
                if from_parameter:
                    self._route[name.payload] = back(term.payload)
                return f"{way(term.payload)}[{self.text(known)}]"
        return None


_SIGNS = {"eq": " == ", "le": " <= ", "lt": " < ", "add": " + "}


def word_of(name: str) -> str:
    """A deed's name as part of an identifier: rows of a table may be called anything."""
    return "".join(letter if letter.isalnum() else f"_{ord(letter)}_" for letter in name)


def neighbourly(symbol: Symbol) -> bool:
    return symbol.rigid and symbol.to is BOOL and len(symbol.domain) == 2


def _has(term: Term, name: Term) -> bool:
    return any(part.op == "var" and part.payload == name.payload for part in walk(term))


def _pushed(term: Term, positive: bool) -> Term:
    """The term, or its negation, as alternatives of conjunctions, as far as that stays small."""
    parts = _alternatives(term, positive)
    if len(parts) > _PARTS:
        return term if positive else negate(term)
    whole = [conj(*part) for part in parts]
    kept = {one.key: one for one in whole if not same(one, FALSE)}
    return Term("or", tuple(kept.values()), BOOL) if len(kept) > 1 else next(iter(kept.values()), FALSE)


def _parts(term: Term) -> tuple[Term, ...]:
    """The alternatives of a term that was pushed."""
    return term.args if term.op == "or" else (term,)


def _quantified(term: Term) -> tuple[tuple[Term, ...], Term]:
    """A condition as: there are elements of which this holds."""
    if term.op == "exists":
        return term.args[:-1], _pushed(term.args[-1], True)
    if term.op == "not" and term.args[0].op == "forall":
        return term.args[0].args[:-1], _pushed(term.args[0].args[-1], False)
    return (), term


def _alternatives(term: Term, positive: bool) -> list[list[Term]]:
    if term.op == "not":
        return _alternatives(term.args[0], not positive)
    if term.op in ("and", "or"):
        parts = [_alternatives(arg, positive) for arg in term.args]
        if (term.op == "or") == positive:
            return [one for part in parts for one in part]
        found: list[list[Term]] = [[]]
        for part in parts:
            found = [[*one, *other] for one in found for other in part]
            if len(found) > _PARTS:
                return [[term if positive else negate(term)]]
        return found
    return [[term if positive else negate(term)]]


def _put(term: Term, what: Term, value: Term) -> Term:
    """The term with one of its subterms replaced, folded."""
    if same(term, what):
        return value
    return rebuild(term, tuple(_put(arg, what, value) for arg in term.args)) if term.args else term


def _points(at: tuple[Term, ...], body: Term, old: Term) -> list[tuple[tuple[Term, ...], Term]] | None:
    """The places at which a definition changes anything, with what is there afterwards; None: it may be everywhere."""
    if same(body, old):
        return []
    if not at:
        return [((), body)]
    here = [_equation(body, name, at) for name in at]
    args = tuple(arg for found in here if found for arg in found[1:])
    if len(args) < len(at):
        return None
    elsewhere = [_put(body, found[0], FALSE) for found in here if found]
    rest = _points(at, elsewhere[0], old) if all(same(one, elsewhere[0]) for one in elsewhere) else None
    if rest is None:
        return None
    value = substitute(body, {name.payload: arg for name, arg in zip(at, args, strict=True)})
    return [(args, value), *rest]


def _equation(body: Term, name: Term, at: tuple[Term, ...]) -> tuple[Term, Term] | None:
    """An equation of a place with something that does not depend on places."""
    for part in walk(body):
        if part.op == "eq":
            for one, other in (part.args, part.args[::-1]):
                if same(one, name) and not any(_has(other, free) for free in at):
                    return part, other
    return None


def _deciding(definition: Definition, old: Term) -> list[Term]:
    """Conditions without which an assignment at all places changes nothing."""
    found: dict[int, Term] = {}
    for part in walk(definition.body):
        plain = part.sort is BOOL and part.op in ("eq", "apply", "var", "not", "le", "lt")
        apart = plain and part.key not in found and not any(_has(part, name) for name in definition.at)
        if apart and same(_put(definition.body, part, FALSE), old):
            found[part.key] = part
    return list(found.values())


def check_regular(theory: Theory) -> None:
    """A monitor knows one beginning, and numbers no more than it is told of."""
    claim(len(theory.initial) == 1, f"{theory.spec.__name__} has several @initial: a monitor begins in one state")
    for symbol in theory.symbols:
        claim(INT not in symbol.domain, f"{symbol} has numbers as arguments: a monitor needs elements")
