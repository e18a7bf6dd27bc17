"""Argo's `depends`: states of tasks joined by `&&`, `||`, `!` and parentheses, read into a formula.

What a name means is not known here: whoever reads the workflow says it, and keeps
the places of the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from hocket.verify.formula import Formula
from hocket.verify.readers.connectives import Connectives, Token, Unclear
from hocket.verify.readers.manifests import within
from hocket.verify.yaml_tree import Scalar

__all__ = ["STATES", "depends"]

STATES = ("Succeeded", "Failed", "Errored", "Daemoned", "AnySucceeded", "AllFailed", "Skipped", "Omitted")
_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z0-9_][\w-]*(?:\.[A-Za-z]+)?)|(?P<sign>&&|\|\||[()!]))")


def depends(node: Scalar, state: Callable[[Scalar, str], Formula]) -> Formula:
    """The formula of a `depends`; `state` says what a name and a state (or none) mean. Raises Unclear."""
    return _Depends(node, state).whole()


class _Depends(Connectives):
    """`A && (B.Succeeded || !C.Failed)`, bounded."""

    def __init__(self, node: Scalar, state: Callable[[Scalar, str], Formula]) -> None:
        super().__init__(_tokens(node.text))
        self.node, self.state = node, state

    def _part(self) -> Formula:
        kind, word, offset = self.tokens[self.at]
        if kind != "name":
            raise Unclear(f"a task is missing before {word!r}" if word else "it ends too early", offset)
        self.at += 1
        name, _, state = word.partition(".")
        if state and state not in STATES:
            raise Unclear(f"{state!r} is no state of a task", offset + len(name) + 1)
        return self.state(Scalar(name, within(self.node, offset, len(name)), True), state)


def _tokens(written: str) -> Iterator[Token]:
    position, end = 0, len(written.rstrip())
    while position < end:
        found = _TOKEN.match(written, position)
        if found is None:
            offset = position + len(written[position:]) - len(written[position:].lstrip())
            raise Unclear(f"{written[offset : offset + 10]!r} means nothing here", offset)
        kind = str(found.lastgroup)
        yield kind, found.group(kind), found.start(kind)
        position = found.end()
    yield "end", "", len(written)
