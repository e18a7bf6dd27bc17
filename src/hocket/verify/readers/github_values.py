"""GitHub's values: how they are compared, converted, taken for true, and how an expression is written.

The rules are those of actions/languageservices `expressions/src`: strings compare
without case; values of different types are compared as numbers, where null is 0, a
boolean 0 or 1, the empty string 0, and any other string its number or nothing.
"""

from __future__ import annotations

import math

from hocket.verify.expressions import Access, And, Call, Compare, Context, Expression, Invert, Literal, Or, Star
from hocket.verify.formula import Value
from hocket.verify.model import Kind

__all__ = [
    "ANY_KIND",
    "has_kind",
    "is_among",
    "is_truthy",
    "kind_of",
    "kinds_of",
    "loosely_equal",
    "number",
    "show",
    "text_of",
]

ANY_KIND = frozenset(Kind)


def show(expression: Expression) -> str:
    """The expression as text, in one spelling."""
    match expression:
        case Literal(str(text)):
            return "'" + text.replace("'", "''") + "'"
        case Literal(value):
            return text_of(value) if value is not None else "null"
        case Context(name):
            return name
        case Access(base, Star()):
            return f"{show(base)}.*"
        case Access(base, Literal(str(name))):
            return f"{show(base)}.{name}"
        case Access(base, key) if not isinstance(key, Star):
            return f"{show(base)}[{show(key)}]"
        case Call(name, arguments):
            return f"{name}({', '.join(map(show, arguments))})"
        case Invert(part):
            return f"!{show(part)}"
        case Compare(sign, left, right):
            return f"({show(left)} {sign} {show(right)})"
        case And(parts):
            return f"({' && '.join(map(show, parts))})"
        case Or(parts):
            return f"({' || '.join(map(show, parts))})"
    raise AssertionError(f"{expression!r} is no expression")


# -- GitHub's coercions -----------------------------------------------------------------------------------------------


def number(value: Value) -> float:
    match value:
        case None:
            return 0.0
        case bool():
            return float(value)
        case float():
            return value
        case _:
            try:
                return float(value) if value.strip() else 0.0
            except ValueError:
                return math.nan


def loosely_equal(left: Value, right: Value) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    return left is right or number(left) == number(right)


def is_truthy(value: Value) -> bool:
    return value not in (None, False, 0.0, "") and value == value  # NaN is false


def text_of(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return value


def has_kind(value: Value, kinds: frozenset[Kind]) -> bool:
    return kind_of(value) in kinds


def is_among(value: Value, values: tuple[Value, ...] | None) -> bool:
    return values is None or any(type(value) is type(one) and value == one for one in values)


def kind_of(value: Value) -> Kind:
    """The kind of a known value."""
    match value:
        case None:
            return Kind.NULL
        case bool():
            return Kind.BOOLEAN
        case float():
            return Kind.NUMBER
        case _:
            return Kind.STRING


def kinds_of(values: tuple[Value, ...] | None) -> frozenset[Kind]:
    return ANY_KIND if values is None else frozenset(map(kind_of, values))
