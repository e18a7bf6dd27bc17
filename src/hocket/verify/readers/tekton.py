"""Tekton pipelines: tasks with `runAfter` and with the results that they read, `when`, and `finally`.

Semantics that are easy to get wrong, and where they are from (tektoncd/pipeline docs/pipelines.md):
- who reads a result waits for the task that gives it, and is skipped with it; who only runs after it is not
  skipped when its own `when` was false;
- `finally` runs when all tasks have ended, however they did;
- a failure stops the pipeline, unless the task says `onError: continue`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from hocket.verify.formula import Ancestors, Equal, Formula, Outcome, conjunction, disjunction, negation
from hocket.verify.model import NOWHERE, Copies, Edge, Kind, Task, Timing, Variable
from hocket.verify.readers import Reading
from hocket.verify.readers.entries import entries, items, number, text, undefined
from hocket.verify.readers.manifests import Book, name_of, objects, says, within
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar, strings

__all__ = ["Tekton"]

_OK, _BAD, _SKIP = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SKIPPED
_MAY = frozenset({_OK, _BAD})
_KINDS = frozenset({"Pipeline", "PipelineRun"})
_REFERENCE = re.compile(r"\$\((tasks|finally)\.([\w-]+)\.(\w+)")
_INPUT = re.compile(r"\$\((params|tasks|context|finally)\.([^()$]+)\)")
_DEEPEST = 10


class Tekton:
    """The reader of Tekton's pipelines and pipeline runs."""

    def sniff(self, source: object) -> bool:
        return says(source, "tekton.dev/", _KINDS)

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        book = Book()
        pipelines = [(name_of(root) or "pipeline", _body(root)) for root in objects(source, _KINDS, "pipeline", book)]
        pipelines = [(name, body) for name, body in pipelines if "tasks" in body.entries]
        for place, (name, body) in enumerate(pipelines):
            prefix = "" if len(pipelines) == 1 else f"{name} #{place + 1}" if name in dict(pipelines[:place]) else name
            _Pipeline(book, body, prefix, "", 0).read()
        return book.closed(source, "tekton")


def _body(root: Mapping) -> Mapping:
    """What a pipeline is specified to be; of a run, the pipeline that stands within it."""
    spec = entries(root.get("spec"))
    inner = spec["pipelineSpec"].value if "pipelineSpec" in spec and text(root.get("kind")) == "PipelineRun" else None
    body = inner or root.get("spec")
    return body if isinstance(body, Mapping) else Mapping(root.span)


class _Pipeline:
    """The tasks of one pipeline, under `parent` if it stands within a task."""

    def __init__(self, book: Book, body: Mapping, place: str, parent: str, depth: int) -> None:
        self.book, self.place, self.parent, self.depth = book, place, parent, depth
        self.tasks: dict[str, Mapping] = {}
        self.last: dict[str, Mapping] = {}
        self._collect(body.get("tasks"), self.tasks)
        self._collect(body.get("finally"), self.last)

    def _collect(self, node: Node | None, into: dict[str, Mapping]) -> None:
        for one in items(node):
            named = one.get("name") if isinstance(one, Mapping) else None
            if not isinstance(one, Mapping) or not isinstance(named, Scalar):
                self.book.find("G008", "a task without a name", one.span)
            elif named.text in self.tasks or named.text in self.last:
                self.book.find("G003", f"task {named.text!r} is defined twice", named.span)
            else:
                into[named.text] = one

    def read(self) -> None:
        for name, body in self.tasks.items():
            self._task(name, body, tuple(self._edges(name, body).values()))
        everything = [self._full(name) for name in self.tasks]
        for name, body in self.last.items():
            for one in items(body.get("runAfter")):
                self.book.find("G008", f"task {name!r} is one of 'finally', which all begin together", one.span)
            span = body.entries["name"].value.span
            self._edges(name, body)
            self._task(name, body, tuple(Edge(before, span) for before in everything))

    def _full(self, name: str) -> str:
        return f"{self.place} / {name}" if self.place else name

    def _task(self, name: str, body: Mapping, edges: tuple[Edge, ...]) -> None:
        full, span = self._full(name), body.entries["name"].value.span
        when = body.get("when")
        inner = body.get("pipelineSpec")
        retries = number(body.get("retries")) or 0.0
        matrix = body.get("matrix")
        goes_on = [self._when(full, one) for one in items(when)]
        if any(edge.accepts is not None and _SKIP in edge.accepts for edge in edges) and not self._forgiving():
            goes_on.append(negation(Ancestors(False, frozenset({_BAD}))))  # skipped by its `when`, not by a failure
        self.book.tasks[full] = Task(
            full,
            span,
            edges,
            activation=conjunction(goes_on),
            may=_MAY,
            parent=self.parent,
            condition=when.span if when is not None else NOWHERE,
            opaque="pipelineRef" in body.entries,
            timing=Timing(retries=int(retries), span=span) if retries else Timing(),
            copies=Copies(0, None, matrix.span) if matrix is not None else Copies(),
        )
        if isinstance(inner, Mapping) and self.depth < _DEEPEST and "tasks" in inner.entries:
            self.book.tasks[full] = replace(self.book.tasks[full], works=False)
            _Pipeline(self.book, inner, full, full, self.depth + 1).read()

    def _forgiving(self) -> bool:
        return any(text(body.get("onError")) == "continue" for body in self.tasks.values())

    # -- edges ---------------------------------------------------------------------------------------------------------

    def _edges(self, name: str, body: Mapping) -> dict[str, Edge]:
        """What it runs after, and what it reads; both ends with their own place."""
        found: dict[str, Edge] = {}
        for one in items(body.get("runAfter")) if name in self.tasks else ():
            if isinstance(one, Scalar) and self._known(name, one, "runs after"):
                found.setdefault(one.text, Edge(self._full(one.text), one.span, self._accepts(one.text, False)))
        for scalar in strings(_own(body)):
            for reference in _REFERENCE.finditer(scalar.text):
                where, other, what = reference.groups()
                at = Scalar(other, within(scalar, reference.start(2), len(other)), True)
                if where == "finally" or other == "status":
                    continue
                if self._known(name, at, "reads") and name in self.tasks and what in ("results", "outputs", "matrix"):
                    found[other] = Edge(self._full(other), at.span, self._accepts(other, True))
        return found

    def _known(self, name: str, other: Scalar, word: str) -> bool:
        if other.text == name:
            self.book.find("G005", f"task {name!r} waits for itself", other.span)
        elif other.text not in self.tasks:
            self.book.findings.append(undefined(f"task {name!r}", other, self.tasks, word))
        else:
            return True
        return False

    def _accepts(self, name: str, reads: bool) -> frozenset[Outcome]:
        body = self.tasks[name]
        goes_on = text(body.get("onError")) == "continue"
        skipped = "when" in body.entries and not reads
        return frozenset({_OK}) | ({_BAD} if goes_on else set()) | ({_SKIP} if skipped else set())

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _when(self, full: str, one: Node) -> Formula:
        fields = entries(one)
        found = _INPUT.fullmatch(text(fields["input"].value)) if "input" in fields else None
        values = items(fields["values"].value) if "values" in fields else []
        operator = text(fields["operator"].value).lower() if "operator" in fields else ""
        known = all(isinstance(value, Scalar) and "$(" not in value.text for value in values)
        if found is None or not known or operator not in ("in", "notin"):
            return self.book.guess(f"{full}: a condition in line {one.span.line}")
        variable = self._variable(*found.groups())
        among = disjunction(Equal(variable, text(value)) for value in values)
        return among if operator == "in" else negation(among)

    def _variable(self, kind: str, path: str) -> str:
        name, _, what = path.partition(".")
        owner = self._full(name) if kind == "tasks" and what != "status" and name in self.tasks else ""
        full = f"{self.place}: {kind}.{path}" if self.place else f"{kind}.{path}"
        self.book.variables.setdefault(full, Variable(full, frozenset({Kind.STRING}), owner=owner))
        return full


def _own(body: Mapping) -> Mapping:
    """A task without the pipeline that stands within it, whose names are its own."""
    kept = {name: entry for name, entry in body.entries.items() if name not in ("pipelineSpec", "taskSpec")}
    return Mapping(body.span, kept)
