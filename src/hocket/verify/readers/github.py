"""GitHub Actions workflows: jobs as tasks, `needs` as edges, `if` as activation, concurrency groups as holds.

Semantics that are easy to get wrong, and where they are from:
- `needs` orders and nothing more: what may run after a failure or a skip is said by
  `if`, whose default `success()` looks at *all* ancestors (actions/runner #491, #2205);
- inside a called workflow `github.workflow` is the *caller's* name (github/gh-aw #42846),
  its groups are taken while the caller's are still held, and `needs` does not reach out;
- job ids and group names are compared without case.

A local `uses: ./.github/workflows/x.yml` is opened and its jobs become children of
the calling job; a workflow of another repository is an opaque task.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hocket.errors import SourceError
from hocket.verify.expressions import (
    Access,
    Context,
    Expression,
    Literal,
    SyntaxProblem,
    Template,
    parse,
    template,
    walk,
)
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import TRUE, Value
from hocket.verify.model import NOWHERE, Edge, Graph, Hold, Idle, Kind, Span, Task, Until, Variable
from hocket.verify.readers import Reading
from hocket.verify.readers.entries import describe, did_you_mean, words
from hocket.verify.readers.github_conditions import (
    Cases,
    Known,
    Scope,
    cases,
    condition,
    is_off,
    rests_on_caller,
)
from hocket.verify.readers.github_groups import group
from hocket.verify.readers.github_shape import events_of, job_problems, workflow_problems
from hocket.verify.readers.outline import outline
from hocket.verify.source import Source, read
from hocket.verify.yaml_tree import Mapping, Node, Scalar, Sequence, compose, strings

__all__ = ["GitHub"]

_KINDS = {"boolean": Kind.BOOLEAN, "number": Kind.NUMBER}
_DEEPEST_CALL = 10  # GitHub: ten levels of workflows
_MOST_CALLS = 200
_OF_OTHERS = frozenset({"workflows", "orbs", "executors", "stages", "pool"})  # CircleCI, Azure
_IN_ITS_FOLDER = re.compile(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml\Z")
_LISTED = re.compile(r"^jobs:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*+[ \t]*-\s", re.MULTILINE)
_COUNTED = re.compile(r"^jobs:[ \t]*\w", re.MULTILINE)  # so many at once: settings of build tools


class GitHub:
    """The reader of `.github/workflows/*.yml`."""

    def sniff(self, source: object) -> bool:
        """Other tools have a key `jobs:` as well, and a list below it."""
        if not isinstance(source, Source):
            return False
        keys = outline(source).keys
        others = keys & _OF_OTHERS or _LISTED.search(source.text) or ("on" not in keys and _COUNTED.search(source.text))
        return _is_workflow(source.path) or ("jobs" in keys and not others)

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        book = _Book(sources={source.path: source})
        root = _workflow(source)
        name = _text(root.get("name")) or source.path
        book.findings.extend(workflow_problems(root))
        events = tuple(event.lower() for event, _ in events_of(root.get("on")))
        scope = Scope(
            book.variables,
            name,
            events=None if "workflow_call" in events or not events else events,
            input_kinds=_input_kinds(root),
        )
        holds = _Jobs(book, source, root, scope, "", (source.path,)).read()
        graph = Graph(source.path, "github", book.tasks, book.variables, holds)
        return Reading(graph, tuple(book.findings), book.sources)


def _is_workflow(path: str) -> bool:
    """Directly in the folder: what lies below it GitHub does not read, and often it is an action."""
    return _IN_ITS_FOLDER.search(path.replace("\\", "/")) is not None


@dataclass
class _Book:
    """What grows while the files are read."""

    sources: dict[str, Source]
    tasks: dict[str, Task] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    calls: int = 0


def _workflow(source: Source) -> Mapping:
    """The tree of a workflow; raises SourceError if it is YAML, but no workflow."""
    root = compose(source)
    if not isinstance(root, Mapping):
        raise SourceError(
            f"this is no workflow but {describe(root)}", source.path, root.span.line, root.span.column, _CURE
        )
    jobs = root.entries.get("jobs")
    if jobs is None:
        near = did_you_mean("jobs", root.entries) if not {"on", "name"} >= root.entries.keys() else ""
        raise SourceError(
            "this is no workflow: it has no 'jobs:'", source.path, root.span.line, root.span.column, near or _CURE
        )
    if not isinstance(jobs.value, Mapping) or not jobs.value.entries:
        span = jobs.key.span
        raise SourceError(
            f"'jobs:' should hold jobs but is {describe(jobs.value)}", source.path, span.line, span.column, _CURE
        )
    return root


_CURE = "a GitHub workflow is a mapping with 'on:' and 'jobs:'"


def _input_kinds(root: Mapping) -> dict[str, frozenset[Kind]]:
    """The types of the inputs by name; an input that a run may lack can be null as well."""
    kinds: dict[str, frozenset[Kind]] = {}
    for event in ("workflow_call", "workflow_dispatch"):
        for name, definition in _inputs(root, event).items():
            kind = _KINDS.get(_text(definition.get("type")) if isinstance(definition, Mapping) else "", Kind.STRING)
            kinds[name] = kinds.get(name, frozenset({Kind.NULL})) | {kind}
    return kinds


def _inputs(root: Mapping, event: str) -> dict[str, Node]:
    node: Node | None = root.get("on")
    for key in (event, "inputs"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return {name.lower(): entry.value for name, entry in node.entries.items()} if isinstance(node, Mapping) else {}


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


class _Jobs:
    """Reads the jobs of one workflow file into the book, under `parent` if the file was called."""

    def __init__(
        self, book: _Book, source: Source, root: Mapping, scope: Scope, parent: str, chain: tuple[str, ...]
    ) -> None:
        self.book, self.source, self.root, self.scope, self.parent, self.chain = (
            book,
            source,
            root,
            scope,
            parent,
            chain,
        )
        jobs = root.get("jobs")
        assert isinstance(jobs, Mapping)
        self.jobs = jobs
        self.ids: dict[str, str] = {}  # job id in lower case -> as defined
        for name, entry in jobs.entries.items():
            if name.lower() in self.ids:
                first = jobs.entries[self.ids[name.lower()]].key
                self._find("G003", f"job {name!r} is already defined in line {first.span.line}", entry.key.span,
                           (Note(first.span, "first here"),))  # fmt: skip
            self.ids.setdefault(name.lower(), name)

    def read(self) -> tuple[Hold, ...]:
        """All jobs, into the book; returns what the workflow as a whole holds."""
        for name, entry in self.jobs.entries.items():
            if self.ids[name.lower()] == name:
                self.book.findings.extend(job_problems(entry.key, entry.value))
                # what is no mapping was reported just now; others may need it all the same
                body = entry.value if isinstance(entry.value, Mapping) else Mapping(entry.key.span)
                self._job(name, entry.key.span, body)
        label = f"the workflow called by {self.parent!r}" if self.parent else "the whole workflow"
        return self._holds(self.root, replace(self.scope, place=self.parent), Until.SCOPE, label)

    def _job(self, name: str, span: Span, job: Mapping) -> None:
        full = self._full(name)
        edges = tuple(self._edges(name, job))
        further = self._further(name)
        scope = replace(
            self.scope,
            place=full,
            needs={edge.before.rpartition(" / ")[2].lower(): edge.before for edge in edges},
            further=further,
            outputs={need: self._outputs_of(need) for need in self.ids},
            matrix=_matrix(job),
        )
        where = job.get("if")
        asked, text = self._condition(where) if isinstance(where, Scalar) else (None, "")
        until = Until.SCOPE if "uses" in job.entries else Until.TASK
        holds = self._holds(job, scope, until, f"job {full!r}")
        self._reads(name, full, job, scope)
        self.book.tasks[full] = Task(
            full,
            span,
            edges,
            TRUE,
            condition(asked, text, scope),
            parent=self.parent,
            holds=holds,
            condition=where.span if where else NOWHERE,
            idle=Idle.NO if where is None else self._idle(name, asked, where.span),
        )
        if isinstance(called := job.get("uses"), Scalar):
            self._call(full, called, job, scope)

    def _full(self, name: str) -> str:
        return f"{self.parent} / {name}" if self.parent else name

    def _find(self, code: str, message: str, span: Span, notes: tuple[Note, ...] = (), cure: str = "") -> None:
        self.book.findings.append(Finding(code, message, span, notes, cure=cure))

    # -- needs ---------------------------------------------------------------------------------------------------------

    def _edges(self, name: str, job: Mapping) -> Iterator[Edge]:
        node = job.get("needs")
        items = node.items if isinstance(node, Sequence) else [node] if node is not None else []
        seen: dict[str, Scalar] = {}
        for item in items:
            if not isinstance(item, Scalar) or not item.text:
                self._find(
                    "G008",
                    f"'needs' of {name!r} should name jobs but holds {describe(item)}",
                    item.span,
                    cure="write job ids",
                )
                continue
            lower = item.text.lower()
            if lower in seen:
                self._find(
                    "G003", f"{name!r} needs {item.text!r} twice", item.span, (Note(seen[lower].span, "first here"),)
                )
                continue
            seen[lower] = item
            if lower == name.lower():
                self._find("G005", f"job {name!r} needs itself", item.span)
            elif lower not in self.ids:
                cure = did_you_mean(item.text, self.ids.values(), f"the jobs are {', '.join(self.ids.values())}")
                self._find("G002", f"job {name!r} needs {item.text!r}, which is not defined", item.span, cure=cure)
            else:
                yield Edge(self._full(self.ids[lower]), item.span)

    def _outputs_of(self, lower: str) -> frozenset[str] | None:
        """The outputs that a job of this file declares, or None where they are declared elsewhere."""
        job = self.jobs.get(self.ids[lower])
        if not isinstance(job, Mapping) or "uses" in job.entries:
            return None
        outputs = job.get("outputs")
        return frozenset(key.lower() for key in outputs.entries) if isinstance(outputs, Mapping) else frozenset()

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _condition(self, where: Scalar) -> tuple[Template | None, str]:
        """An `if:` taken apart; what cannot be parsed is reported, and taken for a condition that may be anything."""
        text = where.text.strip()
        try:
            found = template(text) if "${{" in text else Template((parse(text),) if text else (), (0,))
        except SyntaxProblem as problem:
            self._find("G008", f"this condition cannot be parsed: {problem.message}", self._at(where, problem.offset))
            return Template((Access(Context("unparsed"), Literal(text)),), (0,)), text
        if text and found.single is None:
            self._find("G009", "this condition is always true: text around ${{ }} makes it a string", where.span)
        return found, text

    def _idle(self, name: str, asked: Template | None, span: Span) -> Idle:
        single = asked.single if asked is not None else None
        if single is not None and is_off(single):
            self._find("G037", f"job {name!r} is switched off: its condition is false, whatever happens", span)
            return Idle.OFF
        return Idle.CALLED if self.parent and single is not None and rests_on_caller(single) else Idle.NO

    def _further(self, name: str) -> frozenset[str]:
        """The ids of all jobs behind those that this job needs, in lower case."""
        found: set[str] = set()
        waiting = list(self._named(name))
        direct = set(waiting)
        while waiting:
            fresh = [one for one in self._named(waiting.pop()) if one not in found]
            found.update(fresh)
            waiting.extend(fresh)
        return frozenset(found - direct)

    def _named(self, lower: str) -> Iterator[str]:
        """The ids that a job needs, as far as they are known."""
        job = self.jobs.get(self.ids.get(lower.lower(), ""))
        needs = job.get("needs") if isinstance(job, Mapping) else None
        return (one.text.lower() for one in words(needs) if one.text.lower() in self.ids)

    def _at(self, scalar: Scalar, offset: int) -> Span:
        """The place of a character within a scalar: exact where the scalar stands on one line."""
        span = scalar.span
        if span.end_line == span.line:
            return Span(span.path, span.line, span.column + offset + (not scalar.plain), span.line, span.end_column)
        line = span.line + scalar.text.count("\n", 0, offset) + 1
        wanted = scalar.text[offset:].split("\n", 1)[0]
        for number in range(line, min(span.end_line, len(self.source.lines)) + 1):
            column = self.source.lines[number - 1].find(wanted)
            if column >= 0 and wanted:
                return Span(span.path, number, column + 1, number, column + 1 + len(wanted))
        return span

    def _reads(self, name: str, full: str, job: Mapping, scope: Scope) -> None:
        """`needs.x` in any string of the job, where x is not among its needs: GitHub silently gives an empty string."""
        bare = job.get("if")
        for scalar in strings(job):
            found = _expressions(scalar, scalar is bare)
            for expression, offset in found:
                for need, output in _needs_in(expression):
                    if scalar is bare and need in scope.further:
                        continue
                    self._one_read(name, scope, need, output, self._at(scalar, offset))

    def _one_read(self, name: str, scope: Scope, need: str, output: str, span: Span) -> None:
        if need not in scope.needs:
            known = need in self.ids
            cure = f"add {self.ids[need]!r} to the 'needs' of {name!r}" if known else did_you_mean(need, scope.needs)
            why = "does not need" if known else "cannot need, as there is no such job"
            self._find("G007", f"job {name!r} reads needs.{need}, which it {why}", span, cure=cure)
        elif output and (declared := scope.outputs.get(need)) is not None and output not in declared:
            cure = did_you_mean(output, declared, f"declare it in the 'outputs' of {self.ids[need]!r}")
            self._find(
                "G010", f"job {self.ids[need]!r} has no output {output!r}: this is always empty", span, cure=cure
            )

    # -- groups --------------------------------------------------------------------------------------------------------

    def _holds(self, holder: Mapping, scope: Scope, until: Until, label: str) -> tuple[Hold, ...]:
        node = holder.get("concurrency")
        name = node.get("group") if isinstance(node, Mapping) else node
        if not isinstance(name, Scalar) or not name.text:
            return ()
        try:
            found = group(template(name.text), name.text, scope)
        except SyntaxProblem as problem:
            self._find("G008", f"this group cannot be parsed: {problem.message}", self._at(name, problem.offset))
            return ()
        return (Hold(found, name.span, until, label=label),)

    # -- called workflows ----------------------------------------------------------------------------------------------

    def _call(self, full: str, called: Scalar, job: Mapping, scope: Scope) -> None:
        """Open a local workflow and read its jobs as children; whatever cannot be opened stays opaque."""
        task = self.book.tasks[full]
        self.book.tasks[full] = replace(task, opaque=True)
        inner = self._open(called)
        if inner is None:
            return
        source, root = inner
        if "workflow_call" not in (event for event, _ in events_of(root.get("on"))):
            self._find(
                "G011",
                f"{called.text!r} cannot be called: its 'on:' has no workflow_call",
                called.span,
                cure="add workflow_call",
            )
            return
        self.book.findings.extend(workflow_problems(root))
        within = Scope(self.book.variables, scope.workflow, scope.events, inputs=_passed(root, job, scope))
        self.book.tasks[full] = replace(task, opaque=False)
        more = _Jobs(self.book, source, root, within, full, (*self.chain, source.path)).read()
        self.book.tasks[full] = replace(self.book.tasks[full], holds=task.holds + more)

    def _open(self, called: Scalar) -> tuple[Source, Mapping] | None:
        path = self._path(called)
        self.book.calls += 1
        if path is None or self.book.calls > _MOST_CALLS:
            return None
        if str(path) in self.chain or len(self.chain) >= _DEEPEST_CALL:
            self._find(
                "G011",
                f"{called.text!r} is called within itself, or too deep",
                called.span,
                cure="break the circle of calls",
            )
            return None
        try:
            source = read(path)
            root = _workflow(source)
        except SourceError as error:
            self._find("G011", f"the called workflow cannot be used: {error}", called.span)
            return None
        self.book.sources[source.path] = source
        return source, root

    def _path(self, called: Scalar) -> Path | None:
        """The called file: from the root of the repository, or beside the caller where files were copied out of one."""
        if not called.text.startswith("./") or not self.source.is_file:
            return None
        here = Path(self.source.path)
        if here.parent.name == "workflows" and here.parent.parent.name == ".github":
            return here.parent.parent.parent / called.text[2:]
        beside = here.parent / Path(called.text).name
        return beside if beside.is_file() else None


def _passed(root: Mapping, job: Mapping, scope: Scope) -> dict[str, Cases]:
    """What each input of a called workflow is: what the caller wrote, else the default, else null."""
    given = job.get("with")
    passed: dict[str, Cases] = {}
    for name, definition in _inputs(root, "workflow_call").items():
        default = definition.get("default") if isinstance(definition, Mapping) else None
        written = (
            next((e.value for key, e in given.entries.items() if key.lower() == name), None)
            if isinstance(given, Mapping)
            else None
        )
        passed[name] = _value_of(written if written is not None else default, name, scope)
    return passed


def _value_of(node: Node | None, name: str, scope: Scope) -> Cases:
    if not isinstance(node, Scalar):
        return [(TRUE, Known(None))]
    try:
        found = template(node.text)
    except SyntaxProblem:
        return [(TRUE, scope.variable(f"{scope.place}: with.{name}", frozenset(Kind)))]
    if not any(True for _ in found.expressions):
        return [(TRUE, Known(node.value))]
    if found.single is not None:
        return cases(found.single, scope)
    return [(TRUE, scope.variable(f"{scope.place}: with.{name}", frozenset({Kind.STRING})))]


def _matrix(job: Mapping) -> dict[str, tuple[Value, ...] | None]:
    """The values of each matrix dimension, where they are written out; None where they are computed."""
    strategy = job.get("strategy")
    matrix = strategy.get("matrix") if isinstance(strategy, Mapping) else None
    if not isinstance(matrix, Mapping):
        return {}
    found: dict[str, tuple[Value, ...] | None] = {}
    for name, entry in matrix.entries.items():
        if name not in ("include", "exclude"):
            found[name.lower()] = _listed(entry.value)
    return found if "include" not in matrix.entries else dict.fromkeys(found)


def _listed(node: Node) -> tuple[Value, ...] | None:
    if not isinstance(node, Sequence) or not all(
        isinstance(item, Scalar) and "${{" not in item.text for item in node.items
    ):
        return None
    values = (item.value for item in node.items if isinstance(item, Scalar))
    return tuple(dict.fromkeys(value.lower() if isinstance(value, str) else value for value in values)) or None


def _expressions(scalar: Scalar, bare: bool) -> list[tuple[Expression, int]]:
    """The expressions in a string with their offsets; none where it cannot be parsed."""
    try:
        if bare and "${{" not in scalar.text:
            return [(parse(scalar.text), 0)] if scalar.text.strip() else []
        if "${{" not in scalar.text:
            return []
        found = template(scalar.text)
    except SyntaxProblem:
        return []
    return list(zip(found.expressions, found.offsets, strict=True))


def _needs_in(expression: Expression) -> Iterator[tuple[str, str]]:
    """Each `needs.x` in an expression as (x, ""), and each `needs.x.outputs.y` as (x, y)."""
    for part in walk(expression):
        match part:
            case Access(Access(Access(Context("needs"), Literal(str(job))), Literal("outputs")), Literal(str(output))):
                yield job.lower(), output.lower()
            case Access(Context("needs"), Literal(str(job))):
                yield job.lower(), ""
