"""Argo's `depends`: states of tasks joined by `&&`, `||`, `!` and parentheses, read into a formula.

What a name means is not known here: whoever reads the workflow says it, and keeps
the places of the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hocket.verify.formula import Formula, conjunction, disjunction, negation
from hocket.verify.model import Span
from hocket.verify.yaml_tree import Scalar

__all__ = ["STATES", "Problem", "at", "depends"]

STATES = ("Succeeded", "Failed", "Errored", "Daemoned", "AnySucceeded", "AllFailed", "Skipped", "Omitted")
_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z0-9_][\w-]*(?:\.[A-Za-z]+)?)|(?P<sign>&&|\|\||[()!]))")
_DEEPEST = 40


class Problem(Exception):
    """A condition that Argo would refuse; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        self.message, self.offset = message, offset
        super().__init__(message)


def depends(node: Scalar, state: Callable[[Scalar, str], Formula]) -> Formula:
    """The formula of a `depends`; `state` says what a name and a state (or none) mean. Raises Problem."""
    return _Depends(node, state).whole()


def at(scalar: Scalar, offset: int) -> Span:
    """The place of a character within a scalar that stands on one line."""
    span = scalar.span
    if span.line != span.end_line:
        return span
    return Span(span.path, span.line, span.column + offset + (not scalar.plain), span.line, span.end_column)


class _Depends:
    """`A && (B.Succeeded || !C.Failed)`, bounded."""

    def __init__(self, node: Scalar, state: Callable[[Scalar, str], Formula]) -> None:
        self.node, self.state = node, state
        self.tokens = list(_tokens(node.text))
        self.at = self.depth = 0

    def whole(self) -> Formula:
        found = self._or()
        kind, word, offset = self.tokens[self.at]
        if kind != "end":
            raise Problem(f"{word!r} is not expected here", offset)
        return found

    def _take(self, sign: str) -> bool:
        kind, word, _ = self.tokens[self.at]
        found = kind == "sign" and word == sign
        self.at += found
        return found

    def _or(self) -> Formula:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Problem("nested too deep", self.tokens[self.at][2])
        parts = [self._and()]
        while self._take("||"):
            parts.append(self._and())
        self.depth -= 1
        return disjunction(parts)

    def _and(self) -> Formula:
        parts = [self._not()]
        while self._take("&&"):
            parts.append(self._not())
        return conjunction(parts)

    def _not(self) -> Formula:
        turned = False
        while self._take("!"):
            turned = not turned
        found = self._one()
        return negation(found) if turned else found

    def _one(self) -> Formula:
        if self._take("("):
            found = self._or()
            if not self._take(")"):
                raise Problem("')' is missing", self.tokens[self.at][2])
            return found
        kind, word, offset = self.tokens[self.at]
        if kind != "name":
            raise Problem(f"a task is missing before {word!r}" if word else "it ends too early", offset)
        self.at += 1
        name, _, state = word.partition(".")
        if state and state not in STATES:
            raise Problem(f"{state!r} is no state of a task", offset + len(name) + 1)
        place = at(self.node, offset)
        span = Span(place.path, place.line, place.column, place.line, place.column + len(name))
        return self.state(Scalar(name, span, True), state)


def _tokens(written: str) -> Iterator[tuple[str, str, int]]:
    position, end = 0, len(written.rstrip())
    while position < end:
        found = _TOKEN.match(written, position)
        if found is None:
            offset = position + len(written[position:]) - len(written[position:].lstrip())
            raise Problem(f"{written[offset : offset + 10]!r} means nothing here", offset)
        kind = str(found.lastgroup)
        yield kind, found.group(kind), found.start(kind)
        position = found.end()
    yield "end", "", len(written)
