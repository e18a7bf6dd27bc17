"""Argo's `when`: comparisons of what is put in (`{{…}}`) with words, joined by `&&`, `||`, `!` and parentheses.

Argo puts values in first and then reads an expression in which a bare word is a text
(argo-workflows, `workflow/controller/operator.go`, `shouldExecute`). Orders of
numbers, patterns and arithmetic are not followed: who reads one makes a guess of the
whole. So is a number in an unusual spelling, which equals more texts than its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hocket.verify.formula import FALSE, TRUE, Formula, negation
from hocket.verify.readers.connectives import Connectives, Token, Unclear

__all__ = ["holds_when"]

_TOKEN = re.compile(
    r"\s*(?:(?P<given>\"\{\{[^{}]*\}\}\"|'\{\{[^{}]*\}\}'|\{\{[^{}]*\}\})(?![\w.{-])"
    r"|(?P<word>\"[^\"{}]*\"|'[^'{}]*'|[\w./-]+)(?!\{)|(?P<sign>&&|\|\||==|!=|[()!]))",
    re.ASCII,
)


def holds_when(text: str, equal: Callable[[str, str], Formula]) -> Formula:
    """The formula of a `when`; `equal` says when what is put in for a path is a word. Raises Unclear."""
    return _When(text, equal).whole()


class _When(Connectives):
    def __init__(self, text: str, equal: Callable[[str, str], Formula]) -> None:
        super().__init__(_tokens(text))
        self.equal = equal

    def _part(self) -> Formula:
        left = self._side()
        sign = self._take("==", "!=")
        if not sign:
            return self._same(left, ("word", "true"))
        same = self._same(left, self._side())
        return same if sign == "==" else negation(same)

    def _side(self) -> tuple[str, str]:
        kind, word, offset = self.tokens[self.at]
        if kind not in ("given", "word"):
            raise Unclear(f"a value is missing before {word!r}" if word else "it ends too early", offset)
        self.at += 1
        word = word[1:-1] if word[0] in "\"'" else word
        return kind, word.strip("{} ") if kind == "given" else _plain(word, offset)

    def _same(self, left: tuple[str, str], right: tuple[str, str]) -> Formula:
        if left[0] == "word":
            left, right = right, left
        if left[0] == "word":
            return TRUE if left[1] == right[1] else FALSE
        if right[0] == "given":
            raise Unclear("two values that are put in", 0)
        return self.equal(left[1], right[1])


def _plain(word: str, offset: int) -> str:
    """A word; a number only as everybody spells it."""
    try:
        usual = f"{float(word):g}"
    except ValueError:
        return word
    if usual != word:
        raise Unclear(f"{word!r} equals other texts as well", offset)
    return word


def _tokens(written: str) -> Iterator[Token]:
    position, end = 0, len(written.rstrip())
    while position < end:
        found = _TOKEN.match(written, position, end)
        if found is None:
            raise Unclear(f"{written[position : position + 10]!r} is not followed", position)
        kind = str(found.lastgroup)
        yield kind, found.group(kind), found.start(kind)
        position = found.end()
    yield "end", "", len(written)
