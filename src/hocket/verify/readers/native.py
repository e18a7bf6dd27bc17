"""Our own graph files, JSON or YAML: everything that the middle model can say, under names that a person would use.

    hocket: 1
    tasks:
      build:  {takes: [60, 300], writes: [dist]}
      test:   {after: build, if: "not quick"}
      deploy: {after: [{task: test, accepts: [succeeded, skipped]}], holds: [production]}
    variables: {quick: boolean}
    resources: {production: 1}
    assert: ["build before deploy"]

The keys are tables below, and `graph.schema.json` beside this file says the same for
editors [test]. A misspelt key is a finding, with the key that was probably meant.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from importlib.resources import files

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import FALSE, TRUE, Formula, Outcome, Value, conjunction
from hocket.verify.model import (
    NOWHERE,
    RAN,
    Access,
    Channel,
    Copies,
    Edge,
    Graph,
    Hold,
    Join,
    Kind,
    Mode,
    Point,
    Span,
    Task,
    Timing,
    Transfer,
    Until,
    Variable,
    Way,
    named_group,
)
from hocket.verify.readers import Reading
from hocket.verify.readers.connectives import Unclear
from hocket.verify.readers.entries import (
    describe,
    duplicates,
    entries,
    flag,
    items,
    number,
    root_of,
    text,
    undefined,
    unknown_keys,
)
from hocket.verify.readers.outline import outline, tree
from hocket.verify.readers.phrases import WAYS, Names, phrase
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Entry, Mapping, Node, Scalar, Sequence

__all__ = ["GRAPH_KEYS", "TASK_KEYS", "Native", "schema"]

GRAPH_KEYS = frozenset(
    {"hocket", "name", "tasks", "templates", "variables", "given", "resources", "channels", "entries", "finals",
     "assert", "deadline", "holds", "$schema"}
)  # fmt: skip
TASK_KEYS = frozenset(
    {"after", "if", "present", "lost", "join", "may", "tasks", "template", "holds", "awaits", "reads", "writes",
     "sends", "receives", "takes", "timeout", "retries", "delay", "deadline", "copies", "works", "ready", "description"}
)  # fmt: skip
_EDGE_KEYS = frozenset({"task", "accepts", "optional", "until"})
_SUCCEEDED = frozenset({Outcome.SUCCEEDED})
_POINTS = {point.value: point for point in Point}
_KINDS = {kind.value: kind for kind in Kind}
_DEEPEST = 20
_MOST_TASKS = 300_000
_MOST_INSIDE = 20_000  # once tasks stand within others: templates within templates multiply


def schema() -> str:
    """The JSON Schema of a graph file, for editors and other tools."""
    return files("hocket.verify.readers").joinpath("graph.schema.json").read_text("utf-8")


class Native:
    """The reader of our own graph files."""

    def sniff(self, source: object) -> bool:
        return isinstance(source, Source) and "hocket" in outline(source).keys and "tasks" in outline(source).keys

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        root = root_of(tree(source), source, "graph file")
        if not isinstance(root.get("tasks"), Mapping):
            node = root.get("tasks")
            span = node.span if node is not None else root.span
            raise SourceError("this graph file has no 'tasks'", source.path, span.line, span.column,
                              "give a mapping of tasks")  # fmt: skip
        book = _Book(root)
        book.read()
        graph = Graph(
            source.path,
            "hocket",
            book.tasks,
            book.variables,
            book.holds(root, "the whole run", Until.SCOPE),
            book.channels,
            book.named("entries"),
            tuple((one.text, one.span) for one in _scalars(root.get("assert"))),
            book.seconds(root.get("deadline"), math.inf),
            book.given(root),
            book.finals(),
        )
        return Reading(graph, tuple(book.findings), {source.path: source})


def _scalars(node: Node | None) -> list[Scalar]:
    return [one for one in items(node) if isinstance(one, Scalar)]


@dataclass
class _Row:
    """A task before its edges are known: its full name, its entry, its parent, and the names beside it."""

    name: str
    key: Scalar
    body: Mapping
    parent: str
    beside: dict[str, str]  # short name -> full name, of its siblings


@dataclass
class _Book:
    """Reads a graph file into the middle model."""

    root: Mapping
    tasks: dict[str, Task] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    capacities: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)

    def read(self) -> None:
        self.findings.extend(duplicates(self.root))
        self.findings.extend(unknown_keys(self.root, GRAPH_KEYS, "a graph file"))
        self._variables()
        for name, entry in entries(self.root.get("resources")).items():
            self.capacities[name] = self._whole(entry.value, 1)
        for name, entry in entries(self.root.get("channels")).items():
            capacity = None if text(entry.value) in ("", "null", "~") else self._whole(entry.value, 0)
            self.channels[name] = Channel(name, capacity, entry.key.span)
        self._rows(self.root.get("tasks"), "", 0)
        names = {row.name for row in self.rows}
        for row in self.rows:
            self.tasks[row.name] = self._task(row, names)

    def find(self, code: str, message: str, span: Span, notes: tuple[Note, ...] = (), cure: str = "") -> None:
        self.findings.append(Finding(code, message, span, notes, cure=cure))

    def named(self, key: str) -> tuple[str, ...]:
        """The tasks that a list of the graph names."""
        said = _scalars(self.root.get(key))
        self.findings += [undefined(f"{key!r}", one, self.tasks, "names") for one in said if one.text not in self.tasks]
        return tuple(one.text for one in said if one.text in self.tasks)

    def finals(self) -> tuple[str, ...]:
        """The tasks for which the graph is run; nobody may wait for them, and they run within nothing."""
        found = self.named("finals")
        said = {one.text: one.span for one in _scalars(self.root.get("finals"))}
        above: dict[str, tuple[str, Span]] = {
            edge.before: (f"{task.name!r} waits for it", edge.span)
            for task in self.tasks.values() for edge in (*task.edges, *task.awaits)
        }  # fmt: skip
        for name in found:
            task = self.tasks[name]
            parent = (f"it runs within {task.parent!r}", task.span) if task.parent else above.get(name)
            if parent is not None:
                self.find("G038", f"{name!r} is finalised, and {parent[0]}", said[name], (Note(parent[1], parent[0]),))
        return found

    # -- tables --------------------------------------------------------------------------------------------------------

    def _variables(self) -> None:
        """`name: boolean`, `name: [main, dev]`, or `name: {type: …, values: […], owner: task}`."""
        for name, entry in entries(self.root.get("variables")).items():
            node, owner = entry.value, ""
            if isinstance(node, Mapping):
                owner = text(node.get("owner"))
                node = node.get("values") or node.get("type") or Scalar("string", entry.key.span, True)
            if isinstance(node, Sequence):
                values: tuple[Value, ...] | None = tuple(one.value for one in _scalars(node))
                kinds = frozenset(map(_kind, values or ()))
            else:
                values, kinds = None, frozenset(_KINDS[one.text] for one in _scalars(node) if one.text in _KINDS)
            if not kinds:
                cure = f"give a list of values, or one of {', '.join(_KINDS)}"
                self.find("G008", f"the variable {name!r} can have no value", entry.key.span, cure=cure)
                kinds = frozenset(Kind)
            self.variables[name] = Variable(name, kinds, values, owner)

    def _rows(self, node: Node | None, parent: str, depth: int) -> None:
        """All tasks, those within others as `parent / name`; a template is put in where it is named."""
        inside = entries(node)
        beside = {name: f"{parent} / {name}" if parent else name for name in inside}
        for name, entry in inside.items():
            body = self._body(name, entry)
            self.rows.append(_Row(beside[name], entry.key, body, parent, beside))
            if body.get("tasks") is None:
                continue
            most = _MOST_INSIDE if depth else _MOST_TASKS
            if len(self.rows) > most:
                raise SourceError(f"more than {most} tasks", entry.key.span.path, entry.key.span.line)
            if depth >= _DEEPEST:
                self.find(
                    "G011", f"the tasks within {name!r} go too deep, or a template is within itself", entry.key.span
                )
                continue
            self._rows(body.get("tasks"), beside[name], depth + 1)

    def _body(self, name: str, entry: Entry) -> Mapping:
        if not isinstance(entry.value, Mapping):
            if not isinstance(entry.value, Scalar) or entry.value.value is not None:
                self.find("G008", f"task {name!r} should be a mapping but is {describe(entry.value)}", entry.key.span)
            return Mapping(entry.key.span)
        body = entry.value
        self.findings.extend(unknown_keys(body, TASK_KEYS, "a task"))
        named = body.get("template")
        if not isinstance(named, Scalar):
            return body
        templates = entries(self.root.get("templates"))
        if named.text not in templates:
            self.findings.append(undefined(f"task {name!r}", named, templates, "is made from"))
            return body
        return Mapping(body.span, {**entries(templates[named.text].value), **body.entries})

    def _task(self, row: _Row, names: set[str]) -> Task:
        body, find = row.body, self._way
        return Task(
            row.name,
            row.key.span,
            tuple(self._edges(row, body.get("after"), names)),
            self._formula(row, body.get("present"), names, TRUE),
            self._formula(row, body.get("if"), names, TRUE),
            self._may(body),
            row.parent,
            self.holds(body, f"task {row.name!r}", Until.SCOPE if body.get("tasks") is not None else Until.TASK),
            body.entries["if"].value.span if "if" in body.entries else NOWHERE,
            join=Join.ANY if text(body.get("join")) == "any" else Join.ALL,
            lost=self._formula(row, body.get("lost"), names, FALSE),
            ready=flag(body.get("ready"), True),
            awaits=tuple(self._edges(row, body.get("awaits"), names)),
            works=flag(body.get("works"), True) if "works" in body.entries else None,
            accesses=(*self._accesses(body, "reads", Mode.READ), *self._accesses(body, "writes", Mode.WRITE)),
            transfers=(*find(body, "sends", Way.SEND), *find(body, "receives", Way.RECEIVE)),
            timing=self._timing(body),
            copies=self._copies(body),
        )

    # -- edges and conditions ------------------------------------------------------------------------------------------

    def _full(self, row: _Row, name: str, names: set[str]) -> str:
        """A name means a task beside this one, else one by its full name."""
        return row.beside.get(name) or (name if name in names else "")

    def _edges(self, row: _Row, node: Node | None, names: set[str]) -> Iterator[Edge]:
        seen: dict[str, Span] = {}
        for one in items(node):
            fields = entries(one)
            named = one if isinstance(one, Scalar) else fields["task"].value if "task" in fields else None
            if isinstance(one, Mapping):
                self.findings.extend(unknown_keys(one, _EDGE_KEYS, "a wait"))
            if not isinstance(named, Scalar) or not named.text:
                self.find("G008", f"{row.name!r} should wait for a task but this is {describe(one)}", one.span)
                continue
            full = self._full(row, named.text, names)
            if not full:
                self.findings.append(undefined(repr(row.name), named, {**row.beside, **dict.fromkeys(names)}))
            elif full == row.name:
                self.find("G005", f"{row.name!r} waits for itself", named.span)
            elif full in seen:
                self.find(
                    "G003", f"{row.name!r} waits for {full!r} twice", named.span, (Note(seen[full], "first here"),)
                )
            else:
                seen[full] = named.span
                edge = self._edge(full, named.span, fields)
                if edge.point is Point.CLOSED and row.name.startswith(f"{full} / "):
                    message = f"{row.name!r} runs within {full!r}, and waits until that has ended: both wait for ever"
                    self.find("G036", message, named.span)
                else:
                    yield edge

    def _edge(self, full: str, span: Span, fields: AnyMapping[str, Entry]) -> Edge:
        optional = "optional" in fields and flag(fields["optional"].value)
        point = Point.CLOSED
        if "until" in fields:
            point = _POINTS.get(text(fields["until"].value), Point.CLOSED)
            if text(fields["until"].value) not in _POINTS:
                cure = f"there are {', '.join(_POINTS)}"
                self.find(
                    "G008", "a wait is until a point in the life of a task", fields["until"].value.span, cure=cure
                )
        accepts = self._ways(fields["accepts"].value) if "accepts" in fields else _SUCCEEDED
        return Edge(full, span, accepts, optional, point)

    def _ways(self, node: Node) -> frozenset[Outcome] | None:
        """Outcomes by name; `any` is all of them."""
        found: frozenset[Outcome] = frozenset()
        for one in _scalars(node):
            if one.text == "any":
                return None
            if one.text not in WAYS:
                self.find("G008", f"{one.text!r} is no outcome", one.span, cure=f"there are any, {', '.join(WAYS)}")
            found |= WAYS.get(one.text, frozenset())
        return found

    def _may(self, body: Mapping) -> frozenset[Outcome]:
        node = body.get("may")
        return RAN if node is None else self._ways(node) or RAN

    def _formula(self, row: _Row | None, node: Node | None, names: set[str], otherwise: Formula) -> Formula:
        if not isinstance(node, Scalar) or not node.text:
            if node is not None and not isinstance(node, Scalar):
                self.find("G008", f"a condition should be a text but is {describe(node)}", node.span)
            return otherwise
        known = Names(lambda name: self._full(row, name, names) if row else "", self.variables.__contains__)
        try:
            return phrase(node.text, known)
        except Unclear as problem:
            span = node.span
            at = Span(span.path, span.line, span.column + problem.offset + (not node.plain), span.line, span.end_column)
            where = at if span.line == span.end_line else span
            self.find("G008", f"this condition cannot be read: {problem.message}", where)
            return otherwise

    def given(self, root: Mapping) -> Formula:
        return conjunction(self._formula(None, one, set(), TRUE) for one in items(root.get("given")))

    # -- everything else -----------------------------------------------------------------------------------------------

    def holds(self, body: Mapping, label: str, until: Until) -> tuple[Hold, ...]:
        """`holds: [gpu, {resource: gpu, amount: 2, until: task}]`."""
        found = []
        for one in items(body.get("holds")):
            fields = entries(one)
            named = one if isinstance(one, Scalar) else fields["resource"].value if "resource" in fields else None
            if not isinstance(named, Scalar):
                self.find("G008", f"'holds' should name resources but this is {describe(one)}", one.span)
                continue
            if named.text not in self.capacities:
                self.findings.append(undefined(label, named, self.capacities, "holds"))
            group = named_group(named.text, self.capacities.get(named.text, 1))
            amount = self._whole(fields["amount"].value, 1) if "amount" in fields else 1
            if "until" in fields:
                until = Until.SCOPE if text(fields["until"].value) == "scope" else Until.TASK
            found.append(Hold(group, named.span, until, amount, label))
        return tuple(found)

    def _accesses(self, body: Mapping, key: str, mode: Mode) -> Iterator[Access]:
        return (Access(one.text, mode, one.span) for one in _scalars(body.get(key)))

    def _way(self, body: Mapping, key: str, way: Way) -> Iterator[Transfer]:
        for one in items(body.get(key)):
            fields = entries(one)
            named = one if isinstance(one, Scalar) else fields["channel"].value if "channel" in fields else None
            if not isinstance(named, Scalar) or named.text not in self.channels:
                where = named if isinstance(named, Scalar) else Scalar("", one.span, True)
                self.findings.append(undefined("this task", where, self.channels, key.replace("ves", "ves from")))
                continue
            times = self._whole(fields["times"].value, 1) if "times" in fields else 1
            yield Transfer(named.text, way, named.span, times)

    def _timing(self, body: Mapping) -> Timing:
        keys = [key for key in ("takes", "timeout", "retries", "delay", "deadline") if key in body.entries]
        if not keys:
            return Timing()
        bounds = items(body.get("takes"))
        least = self.seconds(bounds[0], 0.0) if bounds else 0.0
        return Timing(
            least,
            self.seconds(bounds[-1], math.inf) if bounds else math.inf,
            self.seconds(body.get("timeout"), math.inf),
            self._whole(body.get("retries"), 0),
            self.seconds(body.get("delay"), 0.0),
            self.seconds(body.get("deadline"), math.inf),
            body.entries[keys[0]].value.span,
        )

    def _copies(self, body: Mapping) -> Copies:
        """`copies: 3`, `copies: [0, 8]`, or `copies: [1, null]` for any number."""
        node = body.get("copies")
        bounds = items(node)
        if node is None or not bounds:
            return Copies()
        most = None if text(bounds[-1]) in ("", "null", "~") else self._whole(bounds[-1], 1)
        return Copies(self._whole(bounds[0], 0), most, node.span)

    def seconds(self, node: Node | None, otherwise: float) -> float:
        if node is None or text(node) in ("", "null", "~"):
            return otherwise
        value = number(node)
        if value is None or value < 0 or not math.isfinite(value):
            self.find("G008", f"a number of seconds was expected but this is {describe(node)}", node.span)
            return otherwise
        return value

    def _whole(self, node: Node | None, otherwise: int) -> int:
        if node is None:
            return otherwise
        value = number(node)
        if value is None or value < 0 or not math.isfinite(value) or value != int(value):
            self.find("G008", f"a whole number was expected but this is {describe(node)}", node.span)
            return otherwise
        return int(value)


def _kind(value: Value) -> Kind:
    return {type(None): Kind.NULL, bool: Kind.BOOLEAN, float: Kind.NUMBER}.get(type(value), Kind.STRING)
