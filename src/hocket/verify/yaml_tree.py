"""YAML as a tree with places: composed from the parser's events, without recursion and without surprises.

`yaml.safe_load` forgets lines, turns the key `on` into True and drops duplicate
keys; `yaml.compose` keeps places, but recurses in C and drops duplicates as well.
So the tree is built here from `yaml.parse` with libyaml: a key is the text that
stands there, a duplicate key is kept as a finding's worth of evidence, an alias
*is* its anchor's node (a bomb of aliases stays as small as its text, provided
that walkers visit a node once, as `strings` does), and depth is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hocket.errors import MissingExtra, SourceError
from hocket.verify.formula import Value
from hocket.verify.model import Span
from hocket.verify.source import Source

__all__ = ["DEPTH", "Duplicate", "Entry", "Mapping", "Node", "Scalar", "Sequence", "compose", "documents", "strings"]

DEPTH = 100  # no graph format nests as deep as this; GitHub refuses far less
NODES = 400_000

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$|0x[0-9a-fA-F]+$|0o[0-7]+$")
_WORDS: dict[str, Value] = dict.fromkeys(("", "~", "null", "Null", "NULL"), None) | {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(slots=True, eq=False)
class Scalar:
    text: str
    span: Span
    plain: bool  # unquoted: may be a number, a boolean or null
    tag: str = ""  # as written: "!reference"

    @property
    def value(self) -> Value:
        """What YAML 1.2 (core schema) says it is: `on`, `yes` and `no` are strings."""
        if not self.plain:
            return self.text
        if self.text in _WORDS:
            return _WORDS[self.text]
        if _NUMBER.match(self.text):
            return float(int(self.text, 0)) if self.text[:2] in ("0x", "0o") else float(self.text)
        return self.text


@dataclass(slots=True, eq=False)
class Sequence:
    span: Span
    items: list[Node] = field(default_factory=list)
    tag: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A key that stands twice in one mapping; GitHub compares keys without case."""

    first: Scalar
    second: Scalar


@dataclass(slots=True, eq=False)
class Mapping:
    span: Span
    entries: dict[str, Entry] = field(default_factory=dict)  # by the key as written; the first of two duplicates
    duplicates: list[Duplicate] = field(default_factory=list)
    tag: str = ""

    def get(self, key: str) -> Node | None:
        entry = self.entries.get(key)
        return entry.value if entry else None


Node = Scalar | Sequence | Mapping


def compose(source: Source) -> Node:
    """The one document of `source` as a tree; raises SourceError with line, column and cure, or MissingExtra."""
    return _built(_Builder(source.path), source).finished()


def documents(source: Source) -> list[Node]:
    """All documents of `source`, in order, without those that hold nothing; raises as `compose` does."""
    builder = _built(_Builder(source.path, several=True), source)
    builder.finished()
    return [root for root in builder.roots if not isinstance(root, Scalar) or root.text]


def _built(builder: _Builder, source: Source) -> _Builder:
    try:
        import yaml
    except ImportError:
        raise MissingExtra("PyYAML", "graphs", "reading YAML") from None
    try:
        for event in yaml.parse(source.text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            builder.take(type(event).__name__, event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        reason = error.problem or "it cannot be parsed"
        raise SourceError(f"this is not YAML: {reason}", source.path, line, column, _cure(reason)) from None
    except yaml.reader.ReaderError as error:
        line = source.text.count("\n", 0, error.position) + 1
        raise SourceError(f"this is not YAML: {error.reason}", source.path, line, cure="remove the character") from None
    return builder


def strings(node: Node) -> Iterator[Scalar]:
    """Every scalar value below `node`, each node once however often it is aliased, in the order of the source."""
    seen: set[int] = set()
    waiting: list[Node] = [node]
    while waiting:
        here = waiting.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        match here:
            case Scalar():
                yield here
            case Sequence():
                waiting.extend(reversed(here.items))
            case Mapping():
                waiting.extend(entry.value for entry in reversed(here.entries.values()))


def _cure(reason: str) -> str:
    if "\\t" in reason or "tab" in reason:
        return "indent with spaces"
    if "end of" in reason or "stream end" in reason:
        return "the file seems to be cut off: complete it"
    return "check indentation, quotes and brackets on this line and the one before"


def _tag(event: Any) -> str:
    """A tag of the format's own (`!reference`); those of YAML itself say nothing that is of use here."""
    return event.tag if event.tag and event.tag.startswith("!") and event.tag != "!" else ""


class _Builder:
    """Takes the parser's events one by one; `open` holds the collections that are not closed yet."""

    def __init__(self, path: str, several: bool = False) -> None:
        self.path, self.several = path, several
        self.roots: list[Node] = []
        self.open: list[tuple[Sequence | Mapping, str | None]] = []
        self.keys: list[Scalar | None] = []  # one per open collection: the key that waits for its value
        self.anchors: dict[str, Node] = {}
        self.unfinished: dict[str, Span] = {}
        self.count = 0

    def take(self, kind: str, event: Any) -> None:
        match kind:
            case "ScalarEvent":
                plain = event.implicit[0] and event.style in (None, "")
                self._node(Scalar(event.value, self._span(event), plain, _tag(event)), event.anchor)
            case "AliasEvent":
                self._alias(event)
            case "SequenceStartEvent":
                self._start(Sequence(self._span(event), tag=_tag(event)), event)
            case "MappingStartEvent":
                self._start(Mapping(self._span(event), tag=_tag(event)), event)
            case "SequenceEndEvent" | "MappingEndEvent":
                node, anchor = self.open.pop()
                self.keys.pop()
                mark = event.end_mark
                node.span = Span(self.path, node.span.line, node.span.column, mark.line + 1, mark.column + 1)
                if anchor:
                    del self.unfinished[anchor]
                    self.anchors[anchor] = node
            case "DocumentStartEvent" if self.several:
                self.anchors.clear()
            case "DocumentStartEvent" if self.roots:
                raise self._error(
                    "a second document in one file", event, "keep one document; remove the line with '---'"
                )

    def finished(self) -> Node:
        if not self.roots:
            raise SourceError("the file holds no YAML value", self.path, cure="it may be all comments")
        return self.roots[0]

    def _start(self, node: Sequence | Mapping, event: Any) -> None:
        self._node(node, None)
        if len(self.open) >= DEPTH:
            raise self._error(f"nested deeper than {DEPTH} levels", event, "no workflow needs this depth")
        if event.anchor:
            self.unfinished[event.anchor] = node.span
        self.open.append((node, event.anchor))
        self.keys.append(None)

    def _alias(self, event: Any) -> None:
        if event.anchor in self.unfinished:
            raise self._error(f"*{event.anchor} stands within its own anchor", event, "write the value out")
        if event.anchor not in self.anchors:
            raise self._error(
                f"*{event.anchor} has no anchor &{event.anchor} before it", event, "define the anchor first"
            )
        self._node(self.anchors[event.anchor], None)

    def _node(self, node: Node, anchor: str | None) -> None:
        self.count += 1
        if self.count > NODES:
            raise SourceError(f"more than {NODES} values in one file", self.path, node.span.line, cure="split the file")
        if anchor:
            self.anchors[anchor] = node
        if not self.open:
            self.roots.append(node)
            return
        holder = self.open[-1][0]
        if isinstance(holder, Sequence):
            holder.items.append(node)
        else:
            self._pair(holder, node)

    def _pair(self, holder: Mapping, node: Node) -> None:
        key = self.keys[-1]
        if key is None:
            if not isinstance(node, Scalar):
                at = node.span
                raise SourceError("a key that is not a word", self.path, at.line, at.column, "write a word before ':'")
            self.keys[-1] = node
            return
        self.keys[-1] = None
        first = holder.entries.get(key.text)
        if first is not None:
            holder.duplicates.append(Duplicate(first.key, key))
            if key.text == "<<":  # who allows it merges both, and the later one wins
                holder.entries["<<"] = Entry(first.key, Sequence(first.key.span, [node, first.value]))
            return
        holder.entries[key.text] = Entry(key, node)

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return Span(self.path, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def _error(self, message: str, event: Any, cure: str) -> SourceError:
        span = self._span(event)
        return SourceError(message, self.path, span.line, span.column, cure)
