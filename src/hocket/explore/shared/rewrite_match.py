"""`match`: what a pattern looks at, and when.

CPython asks a sequence for its length and then takes its items, and a mapping for its length and then for its keys;
others may come in between, where the lock of the interpreter does not keep them out. So a subject of which a pattern
looks within is *observed*: what stands in its place announces each look when Python makes it (observed.py), and what a
pattern captures is the subject's own again (`captured(v)`, also within what `*rest` and `**rest` gather). Under
`model="gil"` all of it is one step, and the subject stays itself.

Refused: patterns turned into conditions. Python's own matching knows best what it asks for, and in which order.
"""

from __future__ import annotations

import ast
from typing import Any

from hocket.explore.shared.rewrite_expressions import CELL, Expressions
from hocket.explore.shared.rewrite_nodes import lambda_of, made
from hocket.explore.shared.scopes import Binding

__all__ = ["Matches"]

_LOAD = ast.Load()
_LOOK_WITHIN = (ast.MatchSequence, ast.MatchMapping)


class Matches(Expressions):
    """Rewrites `match`."""

    _observed = False  # whether the subject of the statement at hand is

    def _match(self, node: ast.Match, out: list[Any]) -> None:
        outer = self._observed
        self._observed = not self.blocks and any(
            isinstance(each, _LOOK_WITHIN) for case in node.cases for each in ast.walk(case.pattern))
        name = "observed" if self._observed else "subject"
        node.subject = self.probe(name, [self.expr(node.subject)], node.subject)
        values: list[str] = []
        for case in node.cases:
            self._case(case, values, out)
        out.append(node)
        self._forget(values, node, out)
        self._observed = outer

    def _case(self, case: ast.match_case, values: list[str], out: list[Any]) -> None:
        names: dict[str, str] = {}
        self._pattern(case.pattern, names, values, out)
        guard = case.guard and self.test(case.guard)
        body = self.block(case.body)
        if guard is not None and names:  # it sees what the pattern has bound
            told = [made(ast.NamedExpr, guard, target=self._named_target(name, guard),
                         value=self.stored(name, self._taken(temporary, guard), guard))
                    for name, temporary in names.items()]
            both = made(ast.Tuple, guard, elts=[*told, guard], ctx=_LOAD)
            guard = made(ast.Subscript, guard, value=both, slice=self.constant(-1, guard), ctx=_LOAD)
        elif names:
            told_first: list[Any] = []
            for name, temporary in names.items():
                self.store(self._named_target(name, case.pattern), self._taken(temporary, case.pattern), told_first)
            body = told_first + body
        forget: list[Any] = []
        self._forget(list(names.values()), case.pattern, forget)
        case.guard = guard
        case.body = forget + body if case.guard is not None else _after_stores(body, len(names), forget)

    def _pattern(self, pattern: Any, names: dict[str, str], values: list[str], out: list[Any]) -> None:
        if isinstance(pattern, ast.MatchValue):
            pattern.value = self._dotted(pattern.value, values, out)
        elif isinstance(pattern, ast.MatchClass):
            pattern.cls = self._dotted(pattern.cls, values, out)
        elif isinstance(pattern, ast.MatchMapping):
            pattern.keys = [self._dotted(key, values, out) for key in pattern.keys]
            pattern.rest = self._captured(pattern.rest, names)
        elif isinstance(pattern, (ast.MatchAs, ast.MatchStar)):
            pattern.name = self._captured(pattern.name, names)
        for inner in (*getattr(pattern, "patterns", ()), *getattr(pattern, "kwd_patterns", ())):
            self._pattern(inner, names, values, out)
        if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
            self._pattern(pattern.pattern, names, values, out)

    def _captured(self, name: str | None, names: dict[str, str]) -> str | None:
        if name is None or (self.binding(name) is Binding.PLAIN and not self._observed):
            return name
        return names.setdefault(name, names.get(name) or self.temporary())

    def _taken(self, temporary: str, at: Any) -> Any:
        """What a pattern has bound to a temporary name."""
        value = self.load(temporary, at)
        return self.probe("captured", [value], at) if self._observed else value

    def _dotted(self, node: Any, values: list[str], out: list[Any]) -> Any:
        """A pattern can hold no call: it asks an object for its `value`, which then makes the access."""
        if not isinstance(node, (ast.Name, ast.Attribute)) or self._is_private(node):
            return node
        lambda_ = lambda_of(CELL, self.expr(node), node, vararg=True)
        name = self._keep(self.probe("lazily", [lambda_], node), node, out)
        values.append(name)
        return made(ast.Attribute, node, value=self.load(name, node), attr="value", ctx=_LOAD)

    def block(self, body: list[Any]) -> list[Any]:
        raise NotImplementedError

    def store(self, target: Any, value: Any, out: list[Any]) -> None:
        raise NotImplementedError

    def _keep(self, value: Any, at: Any, out: list[Any]) -> str:
        raise NotImplementedError

    def _forget(self, names: list[str], at: Any, out: list[Any]) -> None:
        raise NotImplementedError

    def _named_target(self, name: str, at: Any) -> Any:
        raise NotImplementedError


def _after_stores(body: list[Any], stores: int, forget: list[Any]) -> list[Any]:
    return [*body[:stores], *forget, *body[stores:]]
