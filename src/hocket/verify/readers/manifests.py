"""What the readers of Kubernetes objects have in common: which objects of a file are theirs, and what grows meanwhile.

Argo and Tekton are both objects with `apiVersion`, `kind`, `metadata` and `spec`,
several to a file; what a task of theirs means is their own affair, and stands in
their readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import Equal, Formula
from hocket.verify.model import Graph, Kind, Span, Task, Variable
from hocket.verify.readers import Reading
from hocket.verify.readers.entries import duplicates, entries, text
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar, Sequence, documents

__all__ = ["Book", "name_of", "objects", "says", "within"]


@dataclass
class Book:
    """What grows while an object is read."""

    tasks: dict[str, Task] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, code: str, message: str, span: Span, notes: tuple[Note, ...] = (), cure: str = "") -> None:
        self.findings.append(Finding(code, message, span, notes, cure=cure))

    def guess(self, what: str) -> Formula:
        """A condition that cannot be expressed, under a name that says which."""
        self.variables.setdefault(what, Variable(what, frozenset({Kind.BOOLEAN}), guess=True))
        return Equal(what, True)

    def closed(self, source: Source, format: str) -> Reading:
        """What was read; what several tasks found in the same place is found once."""
        graph = Graph(source.path, format, self.tasks, self.variables)
        return Reading(graph, tuple(dict.fromkeys(self.findings)), {source.path: source})


def says(source: object, api: str, kinds: frozenset[str]) -> bool:
    """Whether a text says that it holds such objects: asked of every file, so nothing is parsed."""
    if not isinstance(source, Source):
        return False
    seen = outline(source)
    return any(one.startswith(api) for one in seen.apis) and bool(seen.kinds & kinds)


def objects(source: Source, kinds: frozenset[str], what: str, book: Book) -> list[Mapping]:
    """The objects of these kinds; keys that stand twice, in any object of the file, are findings."""
    found: list[Mapping] = []
    for root in documents(source):
        book.findings.extend(duplicates(root))
        found.extend(_within(root, kinds))
    if not found:
        raise SourceError(f"there is no {what} in this file", source.path, cure=f"a kind is {', '.join(sorted(kinds))}")
    return found


def _within(root: Node, kinds: frozenset[str]) -> Iterator[Mapping]:
    """An object of these kinds, or those that another one holds to make them (a sensor, a template of a trigger)."""
    seen: set[int] = set()
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Mapping):
            if text(node.get("kind")) in kinds and isinstance(node.get("spec"), Mapping):
                yield node
            else:
                waiting.extend(entry.value for entry in reversed(node.entries.values()))
        elif isinstance(node, Sequence):
            waiting.extend(reversed(node.items))


def name_of(root: Mapping) -> str:
    """What an object is called, or how its name begins; '' if it does not say."""
    about = entries(root.get("metadata"))
    return next((text(about[key].value) for key in ("name", "generateName") if key in about), "")


def within(scalar: Scalar, offset: int, length: int | None = None) -> Span:
    """The place of so many characters within a scalar (or of all up to its end), if it stands on one line."""
    span = scalar.span
    if span.line != span.end_line:
        return span
    column = span.column + offset + (not scalar.plain)
    return Span(span.path, span.line, column, span.line, span.end_column if length is None else column + length)
