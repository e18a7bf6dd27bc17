"""JSON as the same tree with places that YAML gives: read by our own tokens, without recursion, with every key kept.

The json module of Python keeps no places and the last of two equal keys, and
recurses. PyYAML would read most JSON, but is an extra, and is slow on a graph of
a hundred thousand tasks. Here one regular expression cuts the text into tokens
and an explicit stack puts them together. Comments and trailing commas are refused,
as JSON does.
"""

from __future__ import annotations

import json
import re

from hocket.errors import SourceError
from hocket.verify.model import Span
from hocket.verify.source import Source
from hocket.verify.yaml_tree import DEPTH, Duplicate, Entry, Mapping, Node, Scalar, Sequence

__all__ = ["compose_json", "looks_like_json"]

_MOST = 3_000_000  # values in one file

_TOKEN = re.compile(
    r"[ \t\r]*(?:(?P<string>\"(?:[^\"\\\n]|\\.)*\")|(?P<sign>[{}\[\],:])|(?P<line>\n)"
    r"|(?P<bare>-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)|(?P<end>\Z))"
)


def looks_like_json(source: Source) -> bool:
    """Whether the text begins as a JSON object or list would, or says by its name that it is JSON."""
    return source.path.endswith(".json") or source.text.lstrip()[:1] in ("{", "[")


def compose_json(source: Source) -> Node:
    """The value of a JSON text as a tree; raises SourceError with line, column and cure."""
    return _Builder(source).whole()


class _Builder:
    """Puts tokens together; `open` holds what is not closed yet, with the key that waits for its value."""

    def __init__(self, source: Source) -> None:
        self.path, self.text = source.path, source.text
        self.open: list[Sequence | Mapping] = []
        self.keys: list[Scalar | None] = []
        self.root: Node | None = None
        self.line, self.start = 1, 0  # the current line, and where it begins
        self.wants = "value"  # value, value or end, key, key or end, colon, comma or end, nothing

    def whole(self) -> Node:
        position, count, match = 0, 0, _TOKEN.match
        while True:
            found = match(self.text, position)
            if found is None:
                raise self._refuse(position)
            kind, begin, position = found.lastgroup, found.start(found.lastgroup or 0), found.end()
            if kind == "line":
                self.line, self.start = self.line + 1, position
            elif kind == "end":
                break
            else:
                self._token(str(kind), begin, position)
                count += 1
                if count > _MOST:
                    raise SourceError(f"more than {_MOST} words in one file", self.path, self.line, cure="split it")
        if self.root is None or self.open:
            raise self._wrong("it ends too early", len(self.text), "the file seems to be cut off: complete it")
        return self.root

    def _token(self, kind: str, begin: int, end: int) -> None:
        if kind == "sign":
            self._sign(self.text[begin], begin, end)
        elif kind == "string" and self.wants.startswith("key"):
            self.keys[-1] = self._scalar(begin, end, plain=False)
            self.wants = "colon"
        elif self.wants.startswith("value"):
            self._put(self._scalar(begin, end, plain=kind == "bare"))
        else:
            raise self._wrong(f"{self.text[begin:end][:20]} stands where a {self.wants} should", begin)

    def _sign(self, sign: str, begin: int, end: int) -> None:
        if sign in "{[" and self.wants.startswith("value"):
            self._start(Mapping(self._span(begin, end)) if sign == "{" else Sequence(self._span(begin, end)))
        elif sign == ":" and self.wants == "colon":
            self.wants = "value"
        elif sign == "," and self.wants == "comma or end":
            self.wants = "key" if isinstance(self.open[-1], Mapping) else "value"
        elif sign in "}]" and self.wants.endswith("end") and isinstance(self.open[-1], Mapping) == (sign == "}"):
            self._close(begin, end)
        else:
            raise self._wrong(f"{sign!r} stands where a {self.wants} should", begin)

    def _start(self, node: Sequence | Mapping) -> None:
        if len(self.open) >= DEPTH:
            cure = "no graph needs this depth"
            raise SourceError(f"nested deeper than {DEPTH} levels", self.path, node.span.line, node.span.column, cure)
        self._put(node)
        self.open.append(node)
        self.keys.append(None)
        self.wants = "key or end" if isinstance(node, Mapping) else "value or end"

    def _close(self, begin: int, end: int) -> None:
        node, _ = self.open.pop(), self.keys.pop()
        start = node.span
        node.span = Span(self.path, start.line, start.column, self.line, end - self.start + 1)
        self.wants = "comma or end" if self.open else "nothing"

    def _put(self, node: Node) -> None:
        if not self.open:
            self.root, self.wants = node, "nothing"
            return
        holder = self.open[-1]
        self.wants = "comma or end"
        if isinstance(holder, Sequence):
            holder.items.append(node)
            return
        key = self.keys[-1]
        assert key is not None, "a value in an object follows its key"
        first = holder.entries.get(key.text)
        if first is not None:
            holder.duplicates.append(Duplicate(first.key, key))
        else:
            holder.entries[key.text] = Entry(key, node)

    def _scalar(self, begin: int, end: int, plain: bool) -> Scalar:
        written = self.text[begin:end]
        if plain:
            return Scalar(written, self._span(begin, end), True)
        if "\\" not in written:
            return Scalar(written[1:-1], self._span(begin, end), False)
        try:
            return Scalar(str(json.loads(written, strict=False)), self._span(begin, end), False)
        except ValueError as error:
            raise self._wrong(f"this string has a wrong escape: {error}", begin) from None

    def _span(self, begin: int, end: int) -> Span:
        return Span(self.path, self.line, begin - self.start + 1, self.line, end - self.start + 1)

    def _refuse(self, position: int) -> SourceError:
        rest = self.text[position : position + 80].lstrip(" \t\r")
        position += len(self.text[position : position + 80]) - len(rest) if rest else 0
        if rest.startswith('"'):
            return self._wrong("a string without its end", position)
        return self._wrong(f"{rest[:1]!r} means nothing here", position)

    def _wrong(self, message: str, position: int, cure: str = "") -> SourceError:
        cure = cure or "check quotes, commas and brackets on this line and the one before"
        return SourceError(f"this is not JSON: {message}", self.path, self.line, position - self.start + 1, cure)
