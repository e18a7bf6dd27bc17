"""DOT, the language of Graphviz: nodes as tasks, arrows as edges. Many tools write it, so one reader serves many.

`a -> b` says that `a` comes before `b`, as Graphviz draws it. Tools differ: for
terraform and bazel an arrow goes to what is *needed*. A graph attribute
`arrows=needs` turns all arrows round, and so does what terraform and bazel write of
themselves. Edges that are only there for the layout (`style=invis`) are no edges.

The whole common grammar is read: quoted, numeric and HTML ids, ports, subgraphs and
clusters, chains of edges, edges to and from whole subgraphs, defaults, comments.
One regular expression cuts tokens, and one more takes the most frequent statement
in one go; there is no recursion. An undirected graph orders nothing and is refused.
Source: graphviz.org/doc/info/lang.html.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from hocket.errors import SourceError
from hocket.verify.formula import Outcome
from hocket.verify.model import Edge, Graph, Span, Task
from hocket.verify.readers import Reading
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source

__all__ = ["Dot"]

_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_MAY = frozenset({Outcome.SUCCEEDED, Outcome.FAILED})
_DEEPEST = 100
_MOST_EDGES = 2_000_000

# possessive: a run of blanks is taken in one way only, or a text that is no graph would be looked at for ever
_SPACE = r"(?:[ \t\r\n\f\v\ufeff]++|//[^\n]*+|/\*.*?\*/|^\#[^\n]*+)*+"
_ID = r"[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*|-?(?:\.\d+|\d+(?:\.\d*)?)"
_QUOTED = r"\"(?:[^\"\\]|\\.)*\""
_TOKEN = re.compile(
    rf"{_SPACE}(?:(?P<arrow>->|--)|(?P<sign>[{{}}\[\];,=:+])|(?P<id>{_ID})|(?P<string>{_QUOTED})|(?P<html><)|(?P<end>\Z))",
    re.DOTALL | re.MULTILINE,
)
_EDGE = re.compile(rf"[ \t]*({_ID}|{_QUOTED})[ \t]*->[ \t]*({_ID}|{_QUOTED})[ \t]*(?:;[ \t]*)?\n", re.DOTALL)
_GRAPH = re.compile(rf"{_SPACE}(?:strict\b{_SPACE})?(?:di)?graph\b", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_KEYWORDS = frozenset({"strict", "graph", "digraph", "node", "edge", "subgraph"})


class Dot:
    """The reader of DOT."""

    def sniff(self, source: object) -> bool:
        if not isinstance(source, Source):
            return False
        return outline(source).is_one_of(".dot", ".gv") or _GRAPH.match(source.text) is not None

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        found = _Parser(source).whole()
        return Reading(_graph(found, source), (), {source.path: source})


@dataclass
class _Found:
    """Nodes and arrows in the order of the text, each with the place where it stands first."""

    nodes: dict[str, tuple[int, int]] = field(default_factory=dict)
    arrows: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    clusters: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    tool: bool = False  # whether the text is one whose arrows go to what is needed


def _graph(found: _Found, source: Source) -> Graph:
    span = _Places(source).span
    said = found.attributes.get("arrows", "needs" if found.tool else "before").lower()
    back = said in ("needs", "depends", "back")
    before: dict[str, list[Edge]] = {name: [] for name in found.nodes}
    for (tail, head), (begin, end) in found.arrows.items():
        first, then = (head, tail) if back else (tail, head)
        before[then].append(Edge(first, span(begin, end), _SUCCEEDED))
    tasks = {name: Task(name, span(*place), tuple(before[name]), may=_MAY) for name, place in found.nodes.items()}
    return Graph(source.path, "dot", tasks)


class _Places:
    """Lines and columns of offsets."""

    def __init__(self, source: Source) -> None:
        self.path = source.path
        lengths = (len(line) for line in source.text.splitlines(keepends=True))
        self.starts = list(accumulate(lengths, initial=0))[:-1] or [0]

    def span(self, begin: int, end: int) -> Span:
        line = bisect_right(self.starts, begin)
        column = begin - self.starts[line - 1] + 1
        return Span(self.path, line, column, line, column + end - begin)


@dataclass
class _Scope:
    """One graph or subgraph that is open: its nodes, its defaults for edges, and the chain that it is a link of."""

    nodes: dict[str, None] = field(default_factory=dict)
    edges: dict[str, str] = field(default_factory=dict)
    chain: list[tuple[list[str], tuple[int, int]]] = field(default_factory=list)


def _unquoted(word: str) -> str:
    if word[0] != '"':
        return word
    return word[1:-1].replace('\\"', '"').replace("\\\n", "") if "\\" in word else word[1:-1]


class _Parser:
    """Takes statement after statement; subgraphs that are open stand on a stack."""

    def __init__(self, source: Source) -> None:
        self.source, self.text, self.path = source, source.text, source.path
        self.found = _Found()
        self.at = 0
        self.kind = self.word = ""
        self.begin = self.end = 0
        self.scopes: list[_Scope] = []

    # -- tokens --------------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            begin = len(self.text) - len(self.text[self.at :].lstrip())
            raise self._wrong(f"{self.text[begin : begin + 1]!r} means nothing here", begin)
        self.kind = str(found.lastgroup)
        self.begin, self.end = found.span(self.kind)
        self.word = found.group(self.kind)
        self.at = self.end
        if self.kind == "html":
            self._html()
        elif self.kind == "string":
            self.word, self.kind = _unquoted(self.word), "name"
        elif self.kind == "id":
            self.kind = "name" if self.word.lower() not in _KEYWORDS else "keyword"

    def _html(self) -> None:
        depth = 1
        for piece in re.compile(r"[<>]").finditer(self.text, self.at):
            depth += 1 if piece.group() == "<" else -1
            if not depth:
                self.word, self.end, self.kind = self.text[self.begin : piece.end()], piece.end(), "name"
                self.at = self.end
                return
        raise self._wrong("'<' without its '>'", self.begin)

    def _wrong(self, message: str, at: int) -> SourceError:
        place = _Places(self.source).span(min(at, len(self.text)), at)
        cure = "check quotes, brackets and arrows on this line and the one before"
        return SourceError(f"this is not DOT: {message}", self.path, place.line, place.column, cure)

    def _expect(self, word: str) -> None:
        if self.word != word or self.kind != "sign":
            raise self._wrong(f"{word!r} is missing before {self.word[:20]!r}" if self.word else "it ends too early",
                              self.begin)  # fmt: skip

    def _name(self) -> str:
        """The id at hand, with what is added to it by `+`."""
        name = self.word
        self._next()
        while self.kind == "sign" and self.word == "+":
            self._next()
            if self.kind != "name":
                raise self._wrong("a string is missing after '+'", self.begin)
            name += self.word
            self._next()
        return name

    # -- statements ----------------------------------------------------------------------------------------------------

    def whole(self) -> _Found:
        self._next()
        if self.word.lower() == "strict":
            self._next()
        kind = self.word.lower() if self.kind == "keyword" else ""
        if kind == "graph":
            raise self._undirected()
        if kind != "digraph":
            raise self._wrong("it should begin with 'digraph'", self.begin)
        self._next()
        title = self._name() if self.kind == "name" else ""
        self._expect("{")
        self._open()
        while self.scopes:
            self._statement()
        self.found.tool = title == "mygraph" or any(name.startswith("[root] ") for name in self.found.nodes)
        return self.found

    def _undirected(self) -> SourceError:
        line = _Places(self.source).span(self.begin, self.end).line
        return SourceError("an undirected graph orders nothing", self.path, line, cure="write 'digraph' and '->'")

    def _open(self) -> None:
        if len(self.scopes) >= _DEEPEST:
            raise self._wrong(f"nested deeper than {_DEEPEST} levels", self.begin)
        self.scopes.append(_Scope(edges=dict(self.scopes[-1].edges) if self.scopes else {}))
        self._next()

    def _statement(self) -> None:
        scope = self.scopes[-1]
        if self.kind == "sign" and self.word in ";,":
            self._next()
        elif self.kind == "sign" and self.word == "}":
            self._close()
        elif self.kind == "keyword" and self.word.lower() in ("graph", "node", "edge"):
            which = self.word.lower()
            self._next()
            said = self._attributes()
            if which == "graph" and len(self.scopes) == 1:
                self.found.attributes.update(said)
            elif which == "edge":
                scope.edges.update(said)
        elif self._begins_subgraph():
            return
        elif self.kind == "name" and not self._plain_edges(scope):
            self._node_or_edge(scope)
        elif self.kind == "name":
            self._next()
        else:
            raise self._wrong(
                f"{self.word[:20]!r} is not expected here" if self.word else "it ends too early", self.begin
            )

    def _begins_subgraph(self) -> bool:
        named = self.kind == "keyword" and self.word.lower() == "subgraph"
        if named:
            self._next()
            if self.kind == "name":
                self._name()
        if not (self.kind == "sign" and self.word == "{"):
            if named:
                raise self._wrong("'{' is missing after 'subgraph'", self.begin)
            return False
        self._open()
        return True

    def _plain_edges(self, scope: _Scope) -> bool:
        """Plain edges, one a line, taken without cutting tokens, as most of a large graph is; or False."""
        if scope.edges or scope.chain:
            return False
        nodes, arrows, match = self.found.nodes, self.found.arrows, _EDGE.match
        position = self.begin
        while (found := match(self.text, position)) is not None:
            tail, head = found.groups()
            if tail.lower() in _KEYWORDS or head.lower() in _KEYWORDS:
                break
            tail, head = _unquoted(tail), _unquoted(head)
            begin, end = found.start(1), found.end(2)
            if tail not in nodes:
                nodes[tail] = (begin, found.end(1))
            if head not in nodes:
                nodes[head] = (found.start(2), end)
            scope.nodes[tail] = scope.nodes[head] = None
            if (tail, head) not in arrows:
                arrows[tail, head] = (begin, end)
            position = found.end()
        self.at = max(self.end, position)
        return position > self.begin

    def _close(self) -> None:
        """A subgraph is a link of a chain, if an arrow stands before or after it."""
        closed = self.scopes.pop()
        where = (self.begin, self.end)
        if not self.scopes:
            self._next()
            if self.kind != "end":
                raise self._wrong(f"{self.word[:20]!r} stands after the graph", self.begin)
            return
        scope = self.scopes[-1]
        scope.nodes.update(closed.nodes)
        self._next()
        self._link(scope, list(closed.nodes), where)

    def _node_or_edge(self, scope: _Scope) -> None:
        where = (self.begin, self.end)
        name = self._name()
        if self.kind == "sign" and self.word == "=" and not scope.chain:
            self._next()
            if self.kind not in ("name", "keyword"):
                raise self._wrong("a value is missing after '='", self.begin)
            value = self._name()
            if len(self.scopes) == 1:
                self.found.attributes[name] = value
            return
        while self.kind == "sign" and self.word == ":":  # a port, and a point of the compass
            self._next()
            if self.kind not in ("name", "keyword"):
                raise self._wrong("a port is missing after ':'", self.begin)
            self._name()
        self.found.nodes.setdefault(name, where)
        scope.nodes[name] = None
        self._link(scope, [name], where)

    def _link(self, scope: _Scope, nodes: list[str], where: tuple[int, int]) -> None:
        """One end of an edge, or a node by itself; the chain goes on while arrows follow."""
        if self.kind == "arrow":
            if self.word == "--":
                raise self._undirected()
            scope.chain.append((nodes, where))
            self._next()
            if not (self.kind == "name" or self._begins_subgraph()):
                raise self._wrong("the arrow leads to nothing", self.begin)
            return
        chain, scope.chain = [*scope.chain, (nodes, where)], []
        said = self._attributes() if self.kind == "sign" and self.word == "[" else {}
        if len(chain) > 1:
            self._arrows(chain, {**scope.edges, **said})

    def _arrows(self, chain: list[tuple[list[str], tuple[int, int]]], said: dict[str, str]) -> None:
        if said.get("style") == "invis" or said.get("dir") == "none":
            return
        for (tails, begin), (heads, end) in pairwise(chain):
            if len(self.found.arrows) + len(tails) * len(heads) > _MOST_EDGES:
                raise SourceError(f"more than {_MOST_EDGES} edges", self.path)
            for tail in tails:
                for head in heads:
                    pair = (head, tail) if said.get("dir") == "back" else (tail, head)
                    self.found.arrows.setdefault(pair, (begin[0], end[1]))

    def _attributes(self) -> dict[str, str]:
        """`[a=b, c="d"] [e]`, any number of lists."""
        said: dict[str, str] = {}
        while self.kind == "sign" and self.word == "[":
            self._next()
            while not (self.kind == "sign" and self.word == "]"):
                if self.kind == "sign" and self.word in ",;":
                    self._next()
                    continue
                if self.kind not in ("name", "keyword"):
                    raise self._wrong("an attribute is missing" if self.word else "it ends too early", self.begin)
                name, value = self._name(), "true"
                if self.kind == "sign" and self.word == "=":
                    self._next()
                    if self.kind not in ("name", "keyword"):
                        raise self._wrong("a value is missing after '='", self.begin)
                    value = self._name()
                said[name] = value
            self._next()
        return said
