"""Terms and obligations as SMT-LIB 2 text, which any solver reads and anybody can keep.

The text is the obligation: what z3 answers and what cvc5 checks again is the same
string. A term over cells (`ground.py`) prints as one constant per cell, so that a
finite question has no quantifier and always gets an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from hocket.spec.ground import Cell
from hocket.spec.language import Labelled, Symbol
from hocket.spec.terms import BOOL, INT, Sort, Term, free, member_name, same, walk
from hocket.spec.traced import Step

__all__ = ["Obligation", "cell_name", "declarations", "formula", "ground_text"]

_OPERATORS = {"eq": "=", "le": "<=", "lt": "<", "add": "+", "neg": "-"}  # the others are called what they are


@dataclass(frozen=True, slots=True)
class Obligation:
    """What has to be so: the goal follows from the hypotheses.

    `about` names the deed or theorem, `claim` what is shown of it; `replay`: the step, and what has to hold after it.
    """

    about: str
    claim: str
    hypotheses: tuple[Labelled, ...]
    goal: Term
    replay: tuple[Step, Term] | None = None

    @property
    def name(self) -> str:
        return f"{self.about} · {self.claim}"

    def text(self) -> str:
        """SMT-LIB 2: unsatisfiable if and only if the obligation holds."""
        terms = [*(hypothesis.term for hypothesis in self.hypotheses), self.goal]
        lines = [_remark(self.name), "(set-logic ALL)", *declarations(terms)]
        for hypothesis in self.hypotheses:
            lines += [_remark(hypothesis.label), f"(assert {_printed(_Alike(hypothesis.term))})"]
        return "\n".join([*lines, "; and yet not the goal", f"(assert (not {formula(self.goal)}))", "(check-sat)", ""])


class _Alike:
    """A term as the key of a cache: terms that are alike say and print the same."""

    __slots__ = ("term",)

    def __init__(self, term: Term) -> None:
        self.term = term

    def __hash__(self) -> int:
        return self.term.key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Alike) and same(self.term, other.term)


class _Spoken(NamedTuple):
    """What a term speaks of, in order."""

    sorts: dict[Sort, None]
    symbols: dict[Symbol, None]
    constants: dict[str, Term]


@lru_cache(maxsize=4096)
def _spoken(alike: _Alike) -> _Spoken:
    parts = [*walk(alike.term)]
    symbols = {part.payload: None for part in parts if part.op == "apply"}
    return _Spoken({part.sort: None for part in parts}, symbols, free(alike.term))


@lru_cache(maxsize=4096)
def _printed(alike: _Alike) -> str:
    """An axiom or an invariant is a hypothesis of many obligations."""
    return formula(alike.term)


def _remark(words: str) -> str:
    return f"; {' '.join(words.split())}"


def declarations(terms: Iterable[Term]) -> list[str]:
    """The sorts, functions and constants that some terms speak of."""
    sorts: dict[Sort, None] = {}
    symbols: dict[Symbol, None] = {}
    constants: dict[str, Term] = {}
    for term in terms:
        spoken = _spoken(_Alike(term))
        sorts |= spoken.sorts
        symbols |= spoken.symbols
        constants |= spoken.constants
    for symbol in symbols:
        sorts |= dict.fromkeys((*symbol.domain, symbol.to))
    lines = [_declared(sort) for sort in sorts if sort not in (BOOL, INT)]
    for symbol in symbols:
        domain = " ".join(map(_sort, symbol.domain))
        lines.append(f"(declare-fun {_name(symbol)} ({domain}) {_sort(symbol.to)})")
    return [*lines, *(f"(declare-const {_plain(name)} {_sort(term.sort)})" for name, term in constants.items())]


def _declared(sort: Sort) -> str:
    if sort.members is None:
        return f"(declare-sort {_sort(sort)} 0)"
    members = " ".join(f"({_member(sort, place)})" for place in range(len(sort.members)))
    return f"(declare-datatypes (({_sort(sort)} 0)) (({members})))"


def _sort(sort: Sort) -> str:
    return {BOOL: "Bool", INT: "Int"}.get(sort, f"Sort.{_plain(sort.name)}")


def _member(sort: Sort, place: int) -> str:
    """The name of an element: elements of an unbounded sort have names in a finite scope only."""
    name = f"{sort.name}.{place if sort.members is None else member_name(sort.members[place])}"
    plain = _plain(name)
    return name if plain == name else f"{plain}~{place}"


_NO_LETTER = re.compile(r"[^A-Za-z0-9_~!@$%^&*+=<>.?/-]")  # in a symbol of SMT-LIB 2
# what a solver means something else by, of the names that a Python identifier can have; bv… as well
_TAKEN_WORDS = """
    BINARY DECIMAL HEXADECIMAL NUMERAL STRING abs and arccos arccot arccsc arcsec arcsin arctan as assert bag
    concat cos cot csc declare default distinct div div_total exists exit exp extract false forall fp get iand implies
    int2bv is_int ite lambda let map match mod mod_total nat2bv not or par pi pop pow2 push rel repeat root_obj
    rotate_left rotate_right sec select sep seq set sign_extend sin sqrt store tan to_fp to_fp_unsigned to_int
    to_real true tuple witness xor zero_extend"""
_TAKEN = frozenset(_TAKEN_WORDS.split())


def _plain(name: str) -> str:
    """A name in letters that a solver reads: others by their numbers."""
    return _NO_LETTER.sub(lambda letter: "_" if letter[0] == " " else f"~{ord(letter[0])}~", name)


def _name(symbol: Symbol) -> str:
    """The name of a symbol; with a point after it where a solver has a meaning of its own for it."""
    return f"{symbol.name}." if symbol.name in _TAKEN or symbol.name.startswith("bv") else _plain(symbol.name)


def cell_name(cell: Cell) -> str:
    symbol, at = cell
    return "!".join([_name(symbol), *map(str, at)])


def formula(term: Term) -> str:
    args = [formula(arg) for arg in term.args]
    match term.op:
        case "var":
            return _plain(term.payload)
        case "lit":
            return _literal(term)
        case "cell":
            return cell_name(term.payload)
        case "apply":
            return f"({_name(term.payload)} {' '.join(args)})" if args else _name(term.payload)
        case "forall" | "exists":
            bound = " ".join(f"({_plain(name.payload)} {_sort(name.sort)})" for name in term.args[:-1])
            return f"({term.op} ({bound}) {args[-1]})"
        case _:
            return f"({_OPERATORS.get(term.op, term.op)} {' '.join(args)})"


def _literal(term: Term) -> str:
    if term.sort is BOOL:
        return "true" if term.payload else "false"
    if term.sort is INT:
        return str(term.payload) if term.payload >= 0 else f"(- {-term.payload})"
    return _member(term.sort, term.payload)


def ground_text(term: Term, scope: Any, extra: Iterable[str] = ()) -> tuple[str, list[Cell]]:
    """A ground condition as text, with the cells it speaks of; numbers stay within 0 to 255."""
    cells: dict[Cell, None] = {part.payload: None for part in walk(term) if part.op == "cell"}
    sorts = dict.fromkeys(symbol.to for symbol, _ in cells if symbol.to not in (BOOL, INT))
    lines = []
    for sort in sorts:
        members = " ".join(f"({_member(sort, place)})" for place in range(scope.values(sort)))
        lines.append(f"(declare-datatypes (({_sort(sort)} 0)) (({members})))")
    for cell in cells:
        name = cell_name(cell)
        lines.append(f"(declare-const {name} {_sort(cell[0].to)})")
        if cell[0].to is INT:
            lines.append(f"(assert (and (<= 0 {name}) (<= {name} 255)))")
    return "\n".join([*lines, f"(assert {formula(term)})", *extra]), list(cells)
