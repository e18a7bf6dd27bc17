"""The names of concurrency groups: text around expressions, as the cases in which it can come out.

Names are compared without case (GitHub's documentation says so), so all text is in
lower case here. A variable with few values counts as that many cases, which lets a
matrix value meet a group that is written out.
"""

from __future__ import annotations

from hocket.verify.expressions import Expression, Template
from hocket.verify.formula import FALSE, TRUE, Equal, Formula, conjunction
from hocket.verify.model import Case, Group, Kind
from hocket.verify.readers.github_conditions import MOST_CASES, Cases, Known, Open, Scope, cases, spell
from hocket.verify.readers.github_values import show

__all__ = ["group"]

STRING = frozenset({Kind.STRING})


def group(found: Template, text: str, scope: Scope) -> Group:
    """A concurrency group's name, as the cases in which it can come out; names are compared without case."""
    cases: list[tuple[Formula, tuple[str | Open, ...]]] = [(TRUE, ())]
    for part in found.parts:
        ways = _spelt(part, scope)
        if len(cases) * len(ways) > MOST_CASES:
            ways = [(TRUE, (scope.variable(f"{scope.place}: {_show_part(part)}", STRING),))]
        cases = [(conjunction((guard, more)), before + way) for guard, before in cases for more, way in ways]
    return Group(text, tuple(Case(guard, _merge(parts)) for guard, parts in cases if guard != FALSE))


def _show_part(part: str | Expression) -> str:
    return part if isinstance(part, str) else show(part)


def _spelt(part: str | Expression, scope: Scope) -> list[tuple[Formula, tuple[str | Open, ...]]]:
    if isinstance(part, str):
        return [(TRUE, (part.lower(),))]
    return [(guard, spell(leaf)) for guard, leaf in _split(part, scope)]


def _split(expression: Expression, scope: Scope) -> Cases:
    """The cases of an expression, where a variable with few values counts as that many cases."""
    found: Cases = []
    for guard, leaf in cases(expression, scope):
        values = scope.variables[leaf.variable].values if isinstance(leaf, Open) else None
        if isinstance(leaf, Open) and values is not None and len(values) <= MOST_CASES // 2:
            found.extend((conjunction((guard, Equal(leaf.variable, value))), Known(value)) for value in values)
        else:
            found.append((guard, leaf))
    return found


def _merge(parts: tuple[str | Open, ...]) -> tuple[str | tuple[str, str], ...]:
    merged: list[str | tuple[str, str]] = []
    for part in parts:
        if isinstance(part, Open):
            merged.append(("variable", part.variable))
        elif part and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part:
            merged.append(part)
    return tuple(merged)
