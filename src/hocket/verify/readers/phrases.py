"""The conditions of our own graph files: a handful of words, read into formulas.

    branch == 'main' and not nightly
    tag starts with 'v' or tag fits '^v[0-9]+'
    build succeeded or lint skipped        # how another task ended
    every ancestor succeeded

A name is a variable, unless a word for an outcome follows it: then it is a task.
Names with other characters than letters, digits, `_ . / -` stand between backquotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hocket.verify.formula import (
    FALSE,
    TRUE,
    Ancestors,
    Equal,
    Formula,
    How,
    Interrupted,
    Is,
    Matches,
    Outcome,
    Runs,
    Value,
    negation,
)
from hocket.verify.readers.connectives import Connectives, Unclear
from hocket.verify.regex import expressible

__all__ = ["WAYS", "Names", "phrase"]

WAYS: dict[str, frozenset[Outcome]] = {way.value: frozenset({way}) for way in Outcome} | {
    "done": frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED}),
}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>-?\d+(?:\.\d+)?(?![\w./-]))"
    r"|(?P<quoted>`[^`]+`)|(?P<word>[^\W\d][\w./-]*)|(?P<sign>==|!=|[()]))"
)
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Names:
    """What names mean: the task of that name in full ('' if there is none), and whether there is such a variable."""

    task: Callable[[str], str]
    variable: Callable[[str], bool]


def phrase(text: str, names: Names) -> Formula:
    """The formula of a condition; raises Unclear."""
    return _Parser(text, names).whole()


class _Parser(Connectives):
    """Recursive descent, bounded: `or` below `and` below `not` below claims."""

    either, both, turn = "or", "and", "not"
    connecting = ("word", "sign")

    def __init__(self, text: str, names: Names) -> None:
        super().__init__(_tokens(text))
        self.names = names

    def _next(self) -> tuple[str, str, int]:
        token = self.tokens[self.at]
        self.at += token[0] != "end"
        return token

    def _part(self) -> Formula:
        kind, text, offset = self._next()
        if kind == "word" and text in ("every", "some") and self._take("ancestor"):
            return Ancestors(text == "every", self._outcomes())
        if kind == "word" and text == "cancelled" and self.tokens[self.at][0] in ("end", "sign", "word"):
            return Interrupted()
        if kind == "word" and text in ("true", "false"):
            return TRUE if text == "true" else FALSE
        if kind not in ("word", "quoted"):
            raise Unclear(f"a name is missing before {text!r}" if text else "it ends too early", offset)
        return self._about(text.strip("`"), offset)

    def _about(self, name: str, offset: int) -> Formula:
        kind, word, _ = self.tokens[self.at]
        if kind == "word" and word in (*WAYS, "runs"):
            full = self.names.task(name)
            if not full:
                raise Unclear(f"there is no task {name!r}", offset)
            return Runs(full) if self._take("runs") else Is(full, self._outcomes())
        if not self.names.variable(name):
            raise Unclear(f"there is no variable {name!r}", offset)
        if sign := self._take("==", "!="):
            same = Equal(name, self._value())
            return same if sign == "==" else negation(same)
        for how in How:
            first, *rest = how.value.split()
            if self._take(first):
                if rest and not self._take(*rest):
                    raise Unclear(f"{rest[0]!r} is missing after {first!r}", self.tokens[self.at][2])
                return self._matches(name, how)
        return Equal(name, True)

    def _matches(self, name: str, how: How) -> Formula:
        _, _, offset = self.tokens[self.at]
        text = self._value()
        if not isinstance(text, str):
            raise Unclear("a text is missing here", offset)
        if how is How.FITS and not expressible(text):
            raise Unclear(f"the expression {text!r} is not one that can be decided", offset)
        return Matches(name, how, text)

    def _outcomes(self) -> frozenset[Outcome]:
        kind, word, offset = self._next()
        if kind != "word" or word not in WAYS:
            raise Unclear(f"an outcome is missing here; there are {', '.join(WAYS)}", offset)
        return WAYS[word]

    def _value(self) -> Value:
        kind, text, offset = self._next()
        match kind:
            case "text":
                return re.sub(r"\\(.)", r"\1", text[1:-1]) if "\\" in text and text[0] == '"' else text[1:-1]
            case "number":
                return float(text)
            case "word" if text in _CONSTANTS:
                return _CONSTANTS[text]
        raise Unclear("a value is missing here: 'text', a number, true, false or null", offset)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            offset = position + len(text[position:]) - len(text[position:].lstrip())
            raise Unclear(f"{text[offset : offset + 10]!r} means nothing here", offset)
        kind = str(found.lastgroup)
        yield kind, found.group(kind), found.start(kind)
        position = found.end()
    yield "end", "", len(text)
