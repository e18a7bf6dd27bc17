"""What conditions of several formats have in common: parts joined by or, and, not and parentheses, to a bounded depth.

A format says how its connectives are written, which kinds of tokens they are, and what a part is. A tokenizer gives
(kind, text, offset) and ends with the kind "end". GitHub's expressions are no formulas and have a parser of their own.
"""

from __future__ import annotations

from collections.abc import Iterable

from hocket.verify.formula import Formula, conjunction, disjunction, negation

__all__ = ["Connectives", "Token", "Unclear"]

DEEPEST = 40

Token = tuple[str, str, int]


class Unclear(Exception):
    """A condition that cannot be read; `offset` is where."""

    def __init__(self, message: str, offset: int) -> None:
        self.message, self.offset = message, offset
        super().__init__(message)


class Connectives:
    """Recursive descent: `either` below `both` below `turn` below parts. A format says what a part is."""

    either, both, turn = "||", "&&", "!"
    connecting: tuple[str, ...] = ("sign",)

    def __init__(self, tokens: Iterable[Token]) -> None:
        self.tokens = list(tokens)
        self.at = self.depth = 0

    def whole(self) -> Formula:
        """The formula of all tokens; raises Unclear."""
        found = self._or()
        kind, text, offset = self.tokens[self.at]
        if kind != "end":
            raise Unclear(f"{text!r} is not expected here", offset)
        return found

    def _part(self) -> Formula:
        raise NotImplementedError

    def _take(self, *texts: str) -> str:
        """The current token if it connects and is one of these, and go on; else ''."""
        kind, text, _ = self.tokens[self.at]
        if kind not in self.connecting or text not in texts:
            return ""
        self.at += 1
        return text

    def _or(self) -> Formula:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unclear(f"nested deeper than {DEEPEST} levels", self.tokens[self.at][2])
        parts = [self._and()]
        while self._take(self.either):
            parts.append(self._and())
        self.depth -= 1
        return disjunction(parts)

    def _and(self) -> Formula:
        parts = [self._not()]
        while self._take(self.both):
            parts.append(self._not())
        return conjunction(parts)

    def _not(self) -> Formula:
        turned = False
        while self._take(self.turn):
            turned = not turned
        found = self._nested()
        if found is None:
            found = self._part()
        return negation(found) if turned else found

    def _nested(self) -> Formula | None:
        """What stands in parentheses here; None if there are none."""
        if not self._take("("):
            return None
        found = self._or()
        if not self._take(")"):
            raise Unclear("')' is missing", self.tokens[self.at][2])
        return found
