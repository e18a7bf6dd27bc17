"""States as numbers: every cell a few bits of one int, terms and steps as Python on those bits.

Search asks millions of small questions of a state. As a number a state takes some
forty bytes, is hashed and compared at once, and a conjunction of a dozen conditions
is one mask and one comparison. What is rigid and not given is part of the number, so
one search serves every structure.

The bytes of `layout.py` stay the interpreter's: whatever is found on numbers is
replayed on bytes, which are compiled by other code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

from hocket.errors import SpecError
from hocket.spec.ground import Cell, Given
from hocket.spec.layout import Instance, Layout, State, executed
from hocket.spec.terms import BOOL, INT, Sort, Term, as_term, conj, disj, negate, rebuild, walk
from hocket.spec.traced import Theory

__all__ = ["OutOfRange", "Packed", "Rule", "cells_of"]

Mask = tuple[int, int]  # which bits, and what they have to be


class OutOfRange(SpecError):
    """A deed assigns a number that a stored state cannot hold."""


class Rule:
    """An event that some state may allow: its condition as conjuncts, and the cells that it changes."""

    __slots__ = ("changes", "conjuncts", "instance", "number")

    def __init__(self, instance: Instance, number: int, condition: Term, changes: dict[Cell, Term]) -> None:
        self.instance, self.number, self.changes = instance, number, changes
        self.conjuncts = condition.args if condition.op == "and" else () if condition.op == "lit" else (condition,)


class Packed(Layout):
    """A layout whose states are numbers. `grouped`: sorts whose elements' cells are to lie side by side."""

    def __init__(
        self, theory: Theory, sizes: Mapping[str, Any], given: Given | None = None, grouped: Iterable[Sort] = ()
    ) -> None:
        super().__init__(theory, sizes, given)
        self.grouped = tuple(grouped)
        self.offset: dict[Cell, int] = {}
        self.bits = 0
        for cell in sorted((*self.cells, *self.rigid_cells), key=self._group):
            self.offset[cell] = self.bits
            self.bits += self.width(cell)
        self.whole = (1 << self.bits) - 1

    def _group(self, cell: Cell) -> tuple[int, int]:
        """Cells of one element of a grouped sort come together, the others before them."""
        for number, sort in enumerate(self.grouped):
            if sort in cell[0].domain:
                return number + 1, cell[1][cell[0].domain.index(sort)]
        return 0, 0

    def width(self, cell: Cell) -> int:
        """How many bits a cell takes: none where there is but one value."""
        return (self.scope.values(cell[0].to) - 1).bit_length()

    def mask(self, cell: Cell) -> int:
        return ((1 << self.width(cell)) - 1) << self.offset[cell]

    # -- bytes to numbers and back ------------------------------------------------------------------------------------

    def pack(self, state: State, rigid: State = b"") -> int:
        values = zip((*self.cells, *self.rigid_cells), (*state, *rigid), strict=True)
        return sum(value << self.offset[cell] for cell, value in values)

    def unpack(self, number: int) -> tuple[State, State]:
        value = {cell: (number & self.mask(cell)) >> at for cell, at in self.offset.items()}
        return bytes(value[cell] for cell in self.cells), bytes(value[cell] for cell in self.rigid_cells)

    # -- rules --------------------------------------------------------------------------------------------------------

    @cached_property
    def loud(self) -> list[Rule]:
        """Every event that is not impossible, by its number."""
        return [rule for rule in self._rules if not rule.instance.step.silent]

    @cached_property
    def silent(self) -> list[Rule]:
        return [rule for rule in self._rules if rule.instance.step.silent]

    @cached_property
    def _rules(self) -> list[Rule]:
        made = (self._rule(instance, number) for number, instance in enumerate(self.instances()))
        return [rule for rule in made if rule is not None]

    def _rule(self, instance: Instance, number: int) -> Rule | None:
        condition = conj(*(self.scope.ground(guard.term, instance.bound) for guard in instance.step.guards))
        if condition.op == "lit" and not condition.payload:
            return None
        return Rule(instance, number, condition, self.scope.changes(instance.step.after, instance.bound))

    # -- conditions ---------------------------------------------------------------------------------------------------

    def asks(self, term: Term) -> Mask | None:
        """A condition on one cell as a mask: set, clear, or equal to a constant."""
        if term.op == "not" and term.args[0].op == "cell":
            return self.mask(term.args[0].payload), 0
        if term.op == "cell" and term.sort is BOOL:
            return (self.mask(term.payload),) * 2
        if term.op == "eq":
            for cell, constant in (term.args, term.args[::-1]):
                if cell.op == "cell" and constant.op == "lit" and cell.sort is not BOOL:
                    return self._exactly(cell.payload, constant.payload)
        return None

    def _exactly(self, cell: Cell, value: int) -> Mask | None:
        return None if not 0 <= value < self.scope.values(cell[0].to) else (self.mask(cell), value << self.offset[cell])

    def test(self, term: Term, s: str = "s") -> str:
        """A ground condition as a Python expression over the number called `s`, in brackets where it needs them."""
        match term.op:
            case "lit":
                return str(bool(term.payload))
            case "and":
                return self._all(term.args, s)
            case "or":
                return self._any(term.args, s)
            case "not":
                asked = self.asks(term)
                return self._masked(asked, s) if asked else f"(not {self.test(term.args[0], s)})"
            case "le" | "lt":
                sign = "<=" if term.op == "le" else "<"
                return f"({self.value(term.args[0], s)} {sign} {self.value(term.args[1], s)})"
            case "eq" if term.args[0].sort is BOOL:
                return f"((not {self.test(term.args[0], s)}) == (not {self.test(term.args[1], s)}))"
            case "eq":
                asked = self.asks(term)
                if asked:
                    return self._masked(asked, s)
                return f"({self.value(term.args[0], s)} == {self.value(term.args[1], s)})"
            case "cell":
                return f"({s} & {self.mask(term.payload)})"
            case _:
                raise AssertionError(f"{term.op} in a ground condition")

    @staticmethod
    def _masked(asked: Mask, s: str) -> str:
        bits, value = asked
        if not value:
            return f"(not {s} & {bits})"
        return f"({s} & {bits})" if bits == value and not bits & (bits - 1) else f"({s} & {bits} == {value})"

    def _all(self, terms: Iterable[Term], s: str) -> str:
        merged, rest = self._merged(terms)
        if merged is None:
            return "False"
        texts = ([self._masked(merged, s)] if merged[0] else []) + [self.test(term, s) for term in rest]
        return _joined(texts, " and ", "True", "False")

    def _any(self, terms: tuple[Term, ...], s: str) -> str:
        """Either some cell is not as the mask says, or one of the others holds."""
        rest, choices = self._choices(terms)
        merged, unmerged = self._merged(map(negate, rest))
        if merged is None:
            return "True"
        bits, value = merged
        texts = [] if not bits else [f"({s} & {bits})" if not value else f"({s} & {bits} != {value})"]
        for cell, allowed in choices.items():
            texts.append(f"({allowed} >> {self._field(cell, s)} & 1)")
        texts += [self.test(negate(term), s) for term in unmerged]
        return _joined(texts, " or ", "False", "True")

    def _choices(self, terms: tuple[Term, ...]) -> tuple[list[Term], dict[Cell, int]]:
        """Several equations of one cell among the terms, as the set of its values; and the other terms."""
        values: dict[Cell, list[Term]] = {}
        for term in terms:
            if term.op == "eq" and (asked := self.asks(term)):
                cell = next(arg.payload for arg in term.args if arg.op == "cell")
                assert asked[0] == self.mask(cell)
                values.setdefault(cell, []).append(term)
        several = {cell: found for cell, found in values.items() if len(found) > 1}
        taken = {term.key for found in several.values() for term in found}
        allowed = {cell: sum(1 << _constant_of(term) for term in found) for cell, found in several.items()}
        return [term for term in terms if term.key not in taken], allowed

    def _merged(self, terms: Iterable[Term]) -> tuple[Mask | None, list[Term]]:
        """As many terms as possible in one mask (None: they contradict each other), and those that are left."""
        bits = value = 0
        rest = []
        for term in terms:
            asked = self.asks(term)
            if asked is None:
                rest.append(term)
            elif (value ^ asked[1]) & bits & asked[0]:
                return None, []
            else:
                bits, value = bits | asked[0], value | asked[1]
        return (bits, value), rest

    # -- values -------------------------------------------------------------------------------------------------------

    def _field(self, cell: Cell, s: str) -> str:
        at, mask = self.offset[cell], self.mask(cell) >> self.offset[cell]
        return f"({s} >> {at} & {mask})" if at else f"({s} & {mask})"

    def value(self, term: Term, s: str = "s") -> str:
        """A ground value as a Python expression for its number."""
        if term.sort is BOOL and term.op != "lit":
            return f"(1 if {self.test(term, s)} else 0)"
        match term.op:
            case "lit":
                return f"({int(term.payload)})" if term.payload < 0 else str(int(term.payload))
            case "cell":
                return self._field(term.payload, s)
            case "ite":
                test, then, other = term.args
                return f"({self.value(then, s)} if {self.test(test, s)} else {self.value(other, s)})"
            case "add":
                return f"({' + '.join(self.value(arg, s) for arg in term.args)})"
            case "neg":
                return f"(-{self.value(term.args[0], s)})"
            case _:
                raise AssertionError(f"{term.op} in a ground value")

    def after(self, rule: Rule, s: str = "s") -> str:
        """The state after a rule, as a Python expression."""
        changes, known = rule.changes, self.known(rule)
        if not changes:
            return s
        cleared = constant = flipped = 0
        parts = []
        for cell, to in changes.items():
            if to.op == "lit":
                put = self._constant(cell, to, rule)
                constant |= put
                before = known.get(cell)
                flipped = flipped if before is None else flipped | put ^ self._constant(cell, before, rule)
            else:
                parts.append(self._moved(cell, to, rule, s))
            cleared |= self.mask(cell)
        if not parts and all(cell in known for cell in changes):
            return f"{s} ^ {flipped}"
        kept = s if constant == cleared and not parts else f"{s} & {self.whole ^ cleared}"
        return " | ".join([kept, *([str(constant)] if constant else []), *parts])

    def _constant(self, cell: Cell, to: Term, rule: Rule) -> int:
        number = int(to.payload)
        if not 0 <= number < self.scope.values(cell[0].to):
            self.unfit(number, cell[0].name, rule.instance.step.name)
        return number << self.offset[cell]

    def _moved(self, cell: Cell, to: Term, rule: Rule, s: str) -> str:
        if to.sort is BOOL:
            return f"({self.mask(cell)} if {self.test(to, s)} else 0)"
        text = self.value(to, s)
        if to.sort is INT:
            text = f"fit({text}, {cell[0].name!r}, {rule.instance.step.name!r})"
        return f"{text} << {self.offset[cell]}"

    def unfit(self, number: int, name: str, deed: str) -> int:
        """A number that a stored state cannot hold."""
        why = f"{name} became {number} by {deed}: a number left the range 0 to 255 of stored states"
        raise OutOfRange(why, *self.theory.spec.deeds[deed].line, f"a guard, in {deed}")

    def fit(self, number: int, name: str, deed: str) -> int:
        return number if 0 <= number < 256 else self.unfit(number, name, deed)

    # -- consequences -------------------------------------------------------------------------------------------------

    def known(self, rule: Rule) -> dict[Cell, Term]:
        """The cells that the rule's own condition determines."""
        found: dict[Cell, Term] = {}
        for term in rule.conjuncts:
            if term.op == "not" and term.args[0].op == "cell":
                found[term.args[0].payload] = as_term(False, BOOL)
            elif term.op == "cell":
                found[term.payload] = as_term(True, BOOL)
            elif term.op == "eq" and self.asks(term):
                cell, constant = term.args if term.args[0].op == "cell" else term.args[::-1]
                found[cell.payload] = constant
        return found

    def stirs(self, rule: Rule) -> str:
        """Whether the state after the rule, called `a`, has a consequence; empty where it never has.

        The state before had none, so only those that look at what has changed are asked, and of them only what the
        rule does not decide.
        """
        known = self.known(rule)
        for cell, to in rule.changes.items():
            known.pop(cell, None)
            if to.op == "lit":
                known[cell] = to
        asked = []
        for one, touched in self._touched:
            if not touched.isdisjoint(rule.changes):
                condition = assumed(conj(*one.conjuncts), known, {})
                if condition.op != "lit" or condition.payload:
                    asked.append(condition)
        return self.test(disj(*asked), "a") if asked else ""

    @cached_property
    def _touched(self) -> list[tuple[Rule, set[Cell]]]:
        """Each consequence with the cells that it looks at or writes."""
        return [
            (one, {*one.changes, *cells_of(*one.conjuncts), *cells_of(*one.changes.values())}) for one in self.silent
        ]

    @cached_property
    def settle(self) -> Callable[[int], int]:
        """The state once every consequence has happened, in the order of the text until none applies."""
        lines = ["def settle(s):", "    for _ in range(10000):"]
        for rule in self.silent:
            lines.append(f"        if {self.test(conj(*rule.conjuncts))}:")
            lines.append(f"            a = {self.after(rule)}")
            lines.append("            if a != s: s = a; continue")
        made: Callable[[int], int] = executed(
            [*lines, "        return s", "    endless()"], "settle", fit=self.fit, endless=self._endless
        )
        return made

    def _endless(self) -> None:
        names = [step.name for step in self.theory.steps if step.silent]
        line = self.theory.spec.deeds[names[0]].line
        raise SpecError(f"the consequences {', '.join(names)} follow upon each other for ever", *line)


def cells_of(*terms: Term) -> set[Cell]:
    return {part.payload for term in terms for part in walk(term) if part.op == "cell"}


def _joined(texts: list[str], word: str, unit: str, zero: str) -> str:
    kept = [text for text in texts if text != unit]
    if zero in kept:
        return zero
    return f"({word.join(kept)})" if len(kept) > 1 else kept[0] if kept else unit


def _constant_of(equation: Term) -> int:
    return next(int(arg.payload) for arg in equation.args if arg.op == "lit")


def assumed(term: Term, known: Mapping[Cell, Term], done: dict[int, Term]) -> Term:
    """A ground term with some cells' values put in; `done` keeps what was met before."""
    if term.op == "cell":
        return known.get(term.payload, term)
    if not term.args:
        return term
    made = done.get(term.key)
    if made is None:
        made = done[term.key] = rebuild(term, tuple(assumed(arg, known, done) for arg in term.args))
    return made
