"""Node-link JSON, as networkx, D3 and many others write it: nodes with ids, links with source and target.

`{"directed": true, "nodes": [{"id": …}], "links": [{"source": …, "target": …}]}`, with `links` or
`edges`, and the adjacency form of networkx. A link says that its source comes before its target. Ids may be of any
kind; an end that is no id but a number counts the nodes from 0, as D3 did before its fourth version.
"""

from __future__ import annotations

from collections.abc import Iterator

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import Outcome
from hocket.verify.json_tree import compose_json
from hocket.verify.model import Edge, Graph, Span, Task
from hocket.verify.readers import Reading
from hocket.verify.readers.entries import describe, duplicates, flag, items, root_of, undefined
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar, Sequence

__all__ = ["NodeLink"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})


class NodeLink:
    """The reader of node-link JSON."""

    def sniff(self, source: object) -> bool:
        if not isinstance(source, Source) or not outline(source).json:
            return False
        keys = outline(source).keys
        return "nodes" in keys and bool(keys & {"links", "edges", "adjacency", "directed", "multigraph"})

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        root = root_of(compose_json(source), source, "node-link graph")
        if "directed" in root.entries and not flag(root.get("directed")):
            span = root.entries["directed"].value.span
            cure = "write it with 'directed': true"
            raise SourceError("an undirected graph orders nothing", source.path, span.line, span.column, cure)
        nodes = root.get("nodes")
        if not isinstance(nodes, Sequence):
            raise SourceError("this is no node-link graph: 'nodes' should be a list", source.path, 1, 1)
        book = _Book(nodes)
        book.link(root)
        tasks = {
            name: Task(name, span, tuple(book.edges[name].values()), may=_MAY) for name, span in book.spans.items()
        }
        return Reading(
            Graph(source.path, "node-link", tasks), (*duplicates(root), *book.findings), {source.path: source}
        )


class _Book:
    """Nodes by name, with the edges that lead to each."""

    def __init__(self, nodes: Sequence) -> None:
        self.findings: list[Finding] = []
        self.spans: dict[str, Span] = {}
        self.order: list[str] = []
        for place, node in enumerate(nodes.items):
            named = _identity(node)
            name = _spelt(named) if named is not None else str(place)
            span = named.span if named is not None else node.span
            if name in self.spans:
                notes = (Note(self.spans[name], "first here"),)
                self.findings.append(Finding("G003", f"node {name!r} is defined twice", span, notes))
            self.spans.setdefault(name, span)
            self.order.append(name)
        self.edges: dict[str, dict[str, Edge]] = {name: {} for name in self.spans}

    def link(self, root: Mapping) -> None:
        for source, target, span in _links(root):
            ends = [self._end(source), self._end(target)]
            for node, name in zip((source, target), ends, strict=True):
                if name is None:
                    named = node if isinstance(node, Scalar) else Scalar(_spelt(node), node.span, False)
                    self.findings.append(undefined("this link", named, self.spans, "names"))
            before, after = ends
            if before is not None and after is not None:
                self.edges[after].setdefault(before, Edge(before, span, _SUCCEEDED))
        lists = (root.get("links"), root.get("edges"))
        for one in (one for node in lists if isinstance(node, Sequence) for one in node.items):
            if not isinstance(one, Mapping) or not one.entries.keys() >= {"source", "target"}:
                message = f"a link should have 'source' and 'target' but is {describe(one)}"
                self.findings.append(Finding("G008", message, one.span))

    def _end(self, node: Node) -> str | None:
        """The node that an end of a link means."""
        name = _spelt(node)
        if name in self.spans:
            return name
        if isinstance(node, Mapping) and (named := _identity(node)) is not None:
            return _spelt(named) if _spelt(named) in self.spans else None
        if isinstance(node, Scalar) and node.plain and name.isdigit() and int(name) < len(self.order):
            return self.order[int(name)]
        return None


def _identity(node: Node) -> Node | None:
    if not isinstance(node, Mapping):
        return node
    return next((node.entries[key].value for key in ("id", "name", "key") if key in node.entries), None)


def _links(root: Mapping) -> Iterator[tuple[Node, Node, Span]]:
    """(source, target, place) of every link; the adjacency form has a list of targets for each node in order."""
    for key in ("links", "edges"):
        for one in items(root.get(key)):
            if isinstance(one, Mapping) and one.entries.keys() >= {"source", "target"}:
                yield one.entries["source"].value, one.entries["target"].value, one.span
    adjacency, nodes = root.get("adjacency"), root.get("nodes")
    if isinstance(adjacency, Sequence) and isinstance(nodes, Sequence):
        for node, behind in zip(nodes.items, adjacency.items, strict=False):
            source = _identity(node)
            for one in items(behind):
                target = _identity(one)
                if source is not None and target is not None:
                    yield source, target, one.span


def _spelt(node: Node) -> str:
    """An id as text: a tuple that became a list is written as one."""
    pieces: list[str] = []
    waiting: list[Node | str] = [node]
    while waiting and len(pieces) < 1000:
        match waiting.pop():
            case str(piece):
                pieces.append(piece)
            case Scalar() as scalar:
                pieces.append(scalar.text)
            case Sequence(items=inside):
                waiting.append(")")
                for place, one in enumerate(reversed(inside)):
                    waiting.extend((", ", one) if place else (one,))
                waiting.append("(")
            case Mapping():
                pieces.append("{…}")
    return "".join(pieces)
