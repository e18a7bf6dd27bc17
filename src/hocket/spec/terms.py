"""Terms: the one small first-order tree that all readers of a specification share.

A term is an operator, its arguments and its sort. Constructors fold constants, so
that replacing a variable by an element *is* grounding, and a quantifier over three
elements becomes what a person would have written. A term has no truth value: `if`,
`and`, `not` and chained comparisons on one raise at once, with the cure, because a
specification that silently takes one branch proves something else. Refused: a class
per operator, because five readers would then need five visitors of fourteen methods.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from itertools import count
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, NoReturn

from hocket.errors import SpecError

__all__ = [
    "BOOL",
    "FALSE",
    "INT",
    "TRUE",
    "Sort",
    "Term",
    "add",
    "antecedent",
    "as_term",
    "claim",
    "conj",
    "disj",
    "equal",
    "exists",
    "forall",
    "free",
    "ite",
    "member_name",
    "negate",
    "number",
    "quantify",
    "rank",
    "rebuild",
    "refuse",
    "same",
    "substitute",
    "var",
    "walk",
]

_HERE = str(Path(__file__).parent)
_numbers = count()
_implications: dict[int, Term] = {}  # by the number of a term that was written `p >> q`: its p
_keys: dict[tuple[Any, ...], int] = {}  # trees by number: two terms are the same tree when their numbers are


class Sort:
    """A kind of thing: finite where `members` are given, otherwise as large as you like."""

    __slots__ = ("members", "name")

    def __init__(self, name: str = "", members: Iterable[Any] | None = None) -> None:
        self.name = name
        self.members = None if members is None else tuple(members)
        if not isinstance(name, str) or len({*self.names()}) < len(self.members or ()):
            claim(False, f"Sort({name!r}, {members!r}) has no name, or one twice", "Sort('Stage', ('idle', 'busy'))")

    @classmethod
    def of(cls, enum: type[Enum]) -> Sort:
        """The finite sort of an enum's members, in their order."""
        return cls(enum.__name__, enum)

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    def __repr__(self) -> str:
        return self.name

    def __getitem__(self, value: Any) -> Term:
        """The constant of a finite sort: a member, or the name of one."""
        return as_term(value, self)

    def index(self, value: Any) -> int:
        """The place of a member, given as itself or by name; raises SpecError where there is none."""
        for place, member in enumerate(self.members or ()):
            if (member is value) if isinstance(member, Enum) else member == value:
                return place
            if isinstance(value, str) and not isinstance(value, Enum) and member_name(member) == value:
                return place
        claim(False, f"{value!r} is no {self.name}", f"one of {', '.join(map(member_name, self.members or ()))}")
        raise AssertionError

    def names(self) -> tuple[str, ...]:
        return tuple(map(member_name, self.members or ()))


def member_name(member: Any) -> str:
    return member.name if isinstance(member, Enum) else str(member)


def _between(file: str) -> bool:
    """Whether a frame only passes a call on."""
    return "importlib" in file or file.endswith("functools.py")


def claim(condition: bool, message: str, cure: str = "") -> None:
    """Raise SpecError at the line of the model that is being traced, unless the condition holds."""
    if condition:
        return
    frame = sys._getframe(1)
    while frame.f_back and (frame.f_code.co_filename.startswith(_HERE) or _between(frame.f_code.co_filename)):
        frame = frame.f_back
    raise SpecError(message, frame.f_code.co_filename, frame.f_lineno, cure)


BOOL, INT = Sort("Bool"), Sort("Int")


class Term:
    """An operator applied to arguments; `payload` is a variable's name, a constant's value or a symbol."""

    __slots__ = ("args", "key", "op", "payload", "sort")

    def __init__(self, op: str, args: tuple[Term, ...], sort: Sort, payload: Any = None) -> None:
        self.op, self.args, self.sort, self.payload = op, args, sort, payload
        self.key: int = _keys.setdefault((op, sort, payload, *(arg.key for arg in args)), len(_keys))

    def __bool__(self) -> NoReturn:
        claim(False, f"`{self}` has no truth value while a model is traced", _CURE)
        raise AssertionError

    __hash__ = object.__hash__

    def __eq__(self, other: Any) -> Term:  # type: ignore[override]  # an equation, not an answer
        return equal(self, as_term(other, self.sort))

    def __ne__(self, other: Any) -> Term:  # type: ignore[override]
        return negate(equal(self, as_term(other, self.sort)))

    def __and__(self, other: Any) -> Term:
        return conj(self, as_term(other, BOOL))

    def __or__(self, other: Any) -> Term:
        return disj(self, as_term(other, BOOL))

    def __rand__(self, other: Any) -> Term:
        return conj(as_term(other, BOOL), self)

    def __ror__(self, other: Any) -> Term:
        return disj(as_term(other, BOOL), self)

    def __invert__(self) -> Term:
        return negate(self)

    def __rshift__(self, other: Any) -> Term:
        """Implication: `a >> b` is read "a implies b"."""
        whole = disj(negate(self), as_term(other, BOOL))
        _implications.setdefault(whole.key, self)
        return whole

    def __add__(self, other: Any) -> Term:
        return add(self, as_term(other, INT))

    def __sub__(self, other: Any) -> Term:
        return add(self, _times_minus_one(as_term(other, INT)))

    def __neg__(self) -> Term:
        _expect(self, INT, "a number")
        return _times_minus_one(self)

    def __radd__(self, other: Any) -> Term:
        return add(as_term(other, INT), self)

    def __rsub__(self, other: Any) -> Term:
        return add(as_term(other, INT), _times_minus_one(self))

    def __le__(self, other: Any) -> Term:
        return _compare("le", self, other)

    def __lt__(self, other: Any) -> Term:
        return _compare("lt", self, other)

    def __ge__(self, other: Any) -> Term:
        return negate(_compare("lt", self, other))

    def __gt__(self, other: Any) -> Term:
        return negate(_compare("le", self, other))

    def among(self, *values: Any) -> Term:
        """Whether it is one of these."""
        return disj(*(equal(self, as_term(value, self.sort)) for value in values))

    def __getitem__(self, at: Any) -> Term:
        claim(False, f"`{self}` takes no arguments", "its name alone, or more sorts at its declaration")
        raise AssertionError

    def __repr__(self) -> str:
        return show(self)


def refuse(kind: type, operations: str, what: str, cure: str) -> None:
    """Let these operations of Python's raise where they are written: without that they answer something else."""

    def refused(self: Any, *others: Any) -> NoReturn:
        claim(False, f"`{self}` {what}", cure)
        raise AssertionError

    for operation in operations.split():
        setattr(kind, f"__{operation}__", refused)


_SUMS = "is only added, subtracted and compared: of products solvers know too little"
refuse(Term, "mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow", _SUMS, "a + a for 2 * a")
refuse(Term, "xor rxor", "has no exclusive or", "a != b")

_CURE = "& for and, | for or, ~ for not, >> for implies, ite(c, a, b) for `a if c else b`, forall(…), exists(…)"


def antecedent(term: Term) -> Term | None:
    """The `p` of a term that was written `p >> q`; None for one that was not."""
    return _implications.get(term.key) if term.op == "or" else None


# -- constructors -----------------------------------------------------------------------------------------------------


def var(name: str, sort: Sort) -> Term:
    """A variable that is no other's."""
    return Term("var", (), sort, f"{name}${next(_numbers)}")


def _lit(value: Any, sort: Sort) -> Term:
    return Term("lit", (), sort, value)


TRUE, FALSE = _lit(True, BOOL), _lit(False, BOOL)


def as_term(value: Any, sort: Sort) -> Term:
    """The value as a term of this sort; raises SpecError where it is of another."""
    if isinstance(value, Term):
        _expect(value, sort, sort.name)
        return value
    if sort is BOOL:
        claim(isinstance(value, bool), f"{value!r} is no truth value", "True, False or a condition")
        return TRUE if value else FALSE
    if sort is INT:
        claim(type(value) is int, f"{value!r} is no number")
        return _lit(value, INT)
    claim(sort.members is not None, f"{value!r} is no term of the sort {sort}, which has no constants", "a variable")
    return _lit(sort.index(value), sort)


def _expect(term: Term, sort: Sort, words: str) -> None:
    """Raise unless the term is of this sort; the message is only made when there is one: terms are large."""
    if term.sort is not sort:
        other = " of another class" * (term.sort.name == sort.name)
        claim(False, f"`{term}` is of sort {term.sort}{other}, and {words} was expected")


def same(a: Term, b: Term) -> bool:
    """Whether two terms are the same tree."""
    return a is b or a.key == b.key


def conj(*terms: Term) -> Term:
    kept = _flatten("and", terms, TRUE, FALSE)
    return FALSE if kept is None else kept[0] if len(kept) == 1 else Term("and", kept, BOOL) if kept else TRUE


def disj(*terms: Term) -> Term:
    kept = _flatten("or", terms, FALSE, TRUE)
    return TRUE if kept is None else kept[0] if len(kept) == 1 else Term("or", kept, BOOL) if kept else FALSE


def _flatten(op: str, terms: tuple[Term, ...], unit: Term, zero: Term) -> tuple[Term, ...] | None:
    """The arguments without units and repetitions; None where one of them decides."""
    kept: dict[int, Term] = {}
    for term in terms:
        _expect(term, BOOL, "a condition")
        for part in term.args if term.op == op else (term,):
            if part.key == zero.key or negate(part).key in kept:
                return None
            if part.key != unit.key:
                kept.setdefault(part.key, part)
    return tuple(kept.values())


def negate(term: Term) -> Term:
    _expect(term, BOOL, "a condition")
    if term.op == "lit":
        return FALSE if term.payload else TRUE
    return term.args[0] if term.op == "not" else Term("not", (term,), BOOL)


def equal(a: Term, b: Term) -> Term:
    if a.sort is not b.sort:
        claim(False, f"`{a}` is of sort {a.sort} and `{b}` of sort {b.sort}: they cannot be equal")
    if same(a, b):
        return TRUE
    if a.op == b.op == "lit":
        return FALSE
    if a.sort is BOOL and "lit" in (a.op, b.op):
        constant, other = (a, b) if a.op == "lit" else (b, a)
        return other if constant.payload else negate(other)
    for choice, constant in ((a, b), (b, a)):
        if choice.op == "ite" and constant.op == "lit":
            test, then, other = choice.args
            return ite(test, equal(then, constant), equal(other, constant))
    return Term("eq", (a, b), BOOL)


def ite(test: Any, then: Any, other: Any) -> Term:
    """`then` if the test holds, `other` otherwise."""
    test = as_term(test, BOOL)
    if not isinstance(then, (Term, int)) and not isinstance(other, Term):
        claim(False, f"{then!r} may be of any sort", f"of which it is, as s.Stage[{then!r}]")
    plain = BOOL if isinstance(then, bool) else INT
    sort = then.sort if isinstance(then, Term) else other.sort if isinstance(other, Term) else plain
    yes, no = as_term(then, sort), as_term(other, sort)
    if test.op == "lit":
        return yes if test.payload else no
    if same(yes, no):
        return yes
    if sort is BOOL:
        return conj(disj(negate(test), yes), disj(test, no))
    return Term("ite", (test, yes, no), sort)


def add(*terms: Term) -> Term:
    constant, rest = 0, []
    for term in terms:
        _expect(term, INT, "a number")
        for part in term.args if term.op == "add" else (term,):
            if part.op == "lit":
                constant += part.payload
            else:
                rest.append(part)
    parts = [*rest, _lit(constant, INT)] if constant or not rest else rest
    return parts[0] if len(parts) == 1 else Term("add", tuple(parts), INT)


def _times_minus_one(term: Term) -> Term:
    if term.op == "lit":
        return _lit(-term.payload, INT)
    return term.args[0] if term.op == "neg" else Term("neg", (term,), INT)


def number(value: int) -> Term:
    """A number as a term, to begin a sum with."""
    return _lit(value, INT)


def rank(term: Term) -> Term:
    """The place of a value in its finite sort, as a number."""
    members = term.sort.members
    if members is None:
        claim(False, f"`{term}` is of sort {term.sort}, whose elements have no order")
        raise AssertionError
    if term.op == "lit":
        return _lit(term.payload, INT)
    chain = _lit(len(members) - 1, INT)
    for place in reversed(range(len(members) - 1)):
        chain = ite(equal(term, _lit(place, term.sort)), _lit(place, INT), chain)
    return chain


def _compare(op: str, a: Term, other: Any) -> Term:
    b = as_term(other, a.sort)
    if a.sort is not INT:
        a, b = rank(a), rank(b)
    if a.op == b.op == "lit":
        return as_term(a.payload <= b.payload if op == "le" else a.payload < b.payload, BOOL)
    for choice, constant, swap in ((a, b, False), (b, a, True)):
        if choice.op == "ite" and constant.op == "lit":
            test, then, rest = choice.args
            pair = [(constant, part) if swap else (part, constant) for part in (then, rest)]
            return ite(test, _compare(op, *pair[0]), _compare(op, *pair[1]))
    return Term(op, (a, b), BOOL)


def forall(*sorts_and_body: Any) -> Term:
    """`forall(Task, lambda t: …)`, `forall(Task, Task, lambda t, u: …)`."""
    return _quantified("forall", sorts_and_body)


def exists(*sorts_and_body: Any) -> Term:
    """`exists(Task, lambda t: …)`, `exists(Task, Task, lambda t, u: …)`."""
    return _quantified("exists", sorts_and_body)


def _quantified(op: str, parts: tuple[Any, ...]) -> Term:
    *sorts, body = parts
    names = parameters(body) if callable(body) and all(isinstance(sort, Sort) for sort in sorts) else None
    claim(
        names is not None and len(names) == len(sorts),
        f"{op} takes one sort per variable, then a function of them",
        f"{op}(s.Task, lambda t: …)",
    )
    assert names is not None
    bound = tuple(var(name, sort) for name, sort in zip(names, sorts, strict=True))
    return quantify(op, bound, as_term(body(*bound), BOOL))


def _is_starred(code: CodeType) -> bool:
    return bool(code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS) or code.co_kwonlyargcount)


def parameters(function: Callable[..., Any]) -> list[str]:
    """The names of those without a default: a default binds what a loop would change.

    Of a plain function they are read off, which takes a twentieth of what a signature does.
    """
    if isinstance(function, FunctionType) and not _is_starred(code := function.__code__):
        return list(code.co_varnames[: code.co_argcount - len(function.__defaults__ or ())])
    found = inspect.signature(function).parameters.values()
    return [parameter.name for parameter in found if parameter.default is inspect.Parameter.empty]


def quantify(op: str, bound: tuple[Term, ...], body: Term) -> Term:
    """Bind variables in a body; those that do not occur are dropped (no sort is empty)."""
    if body.op == "lit":
        return body
    used = {name.payload for name in walk(body) if name.op == "var"}
    kept = tuple(name for name in bound if name.payload in used)
    return Term(op, (*kept, body), BOOL) if kept else body


# -- functions on terms -----------------------------------------------------------------------------------------------


def walk(term: Term) -> Iterable[Term]:
    """Every subterm, the term itself first; of those that are alike the first only."""
    seen: set[int] = set()
    agenda = [term]
    while agenda:
        part = agenda.pop()
        if part.key not in seen:
            seen.add(part.key)
            yield part
            agenda += part.args[::-1]


def free(term: Term) -> dict[str, Term]:
    """The variables that no quantifier of the term binds, by name: a variable is bound once, or nowhere."""
    names = {part.payload: part for part in walk(term) if part.op == "var"}
    for part in walk(term) if names else ():
        if part.op in ("forall", "exists"):
            for name in part.args[:-1]:
                names.pop(name.payload, None)
    return names


def rebuild(term: Term, args: tuple[Term, ...]) -> Term:
    """The same operator on other arguments, constants folded."""
    match term.op:
        case "and":
            return conj(*args)
        case "or":
            return disj(*args)
        case "not":
            return negate(args[0])
        case "eq":
            return equal(*args)
        case "ite":
            return ite(*args)
        case "add":
            return add(*args)
        case "neg":
            return _times_minus_one(args[0])
        case "le" | "lt":
            return _compare(term.op, *args)
        case "forall" | "exists":
            return quantify(term.op, args[:-1], args[-1])
        case _:
            return Term(term.op, args, term.sort, term.payload)


def substitute(term: Term, values: Mapping[str, Term]) -> Term:
    """The term with its free variables replaced; bound names are unique, so nothing is ever captured."""
    if term.op == "var":
        return values.get(term.payload, term)
    if not term.args:
        return term
    return rebuild(term, tuple(substitute(arg, values) for arg in term.args))


_SIGNS = {"and": " & ", "or": " | ", "eq": " == ", "le": " <= ", "lt": " < ", "add": " + "}


def show(term: Term) -> str:
    """A term as a person would write it."""
    args = [show(arg) for arg in term.args]
    match term.op:
        case "var":
            return str(term.payload).split("$")[0]
        case "lit":
            return term.sort.names()[term.payload] if term.sort.members is not None else str(term.payload)
        case "apply" | "cell":
            return f"{term.payload}[{', '.join(args)}]" if args else str(term.payload)
        case "not" | "neg":
            return ("~" if term.op == "not" else "-") + args[0]
        case "ite":
            return f"ite({', '.join(args)})"
        case "forall" | "exists":
            return f"{term.op}({', '.join(args[:-1])}: {args[-1]})"
        case _:
            return f"({_SIGNS[term.op].join(args)})"
