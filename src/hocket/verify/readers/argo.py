"""Argo Workflows: DAGs and steps as tasks, templates put in where they are called, `depends` as conditions.

Semantics that are easy to get wrong, and where they are from (docs/enhanced-depends-logic.md):
- a bare `A` in `depends` means that A succeeded, or was skipped by its own `when`; that A was *omitted*, because
  what it depends on did not come true, is not accepted;
- `dependencies: [A]` is the same, and `continueOn` of A adds its failure;
- a group of steps waits for the whole group before it;
- a mutex of a template is held until everything in the template has ended, so a template that calls another with
  the same mutex waits for ever (argo-workflows #8684).

A template that calls itself is legal (its `when` ends it): it is followed once. A
template of another file (`templateRef`) is opaque, unless that file stands here too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from hocket.errors import SourceError
from hocket.verify.findings import Note
from hocket.verify.formula import (
    TRUE,
    All,
    Equal,
    Formula,
    Is,
    Outcome,
    conjunction,
)
from hocket.verify.model import (
    NOWHERE,
    Case,
    Copies,
    Edge,
    Group,
    Hold,
    Kind,
    Span,
    Task,
    Until,
    Variable,
    named_group,
)
from hocket.verify.readers import Reading
from hocket.verify.readers.argo_depends import depends
from hocket.verify.readers.argo_when import holds_when
from hocket.verify.readers.connectives import Unclear
from hocket.verify.readers.entries import entries, flag, items, number, text, undefined
from hocket.verify.readers.manifests import Book, name_of, objects, says, within
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar, strings

__all__ = ["Argo"]

_OK, _BAD, _SKIP = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SKIPPED
_SUCCEEDED, _FAILED = frozenset({_OK}), frozenset({_BAD})
_MAY = frozenset({_OK, _BAD})
_KINDS = frozenset({"Workflow", "CronWorkflow", "WorkflowTemplate", "ClusterWorkflowTemplate"})
_MOST_TASKS = 5_000
_DEEPEST = 20
_READS = re.compile(r"\{\{=?\s*(tasks|steps)\.([\w-]+)\.(\w+)")
_PATH = re.compile(r"[\w.-]+", re.ASCII)
_STATES: dict[str, frozenset[Outcome]] = {
    "Succeeded": _SUCCEEDED, "Failed": _FAILED, "Errored": _FAILED, "Daemoned": _SUCCEEDED,
    "AnySucceeded": _SUCCEEDED, "AllFailed": _FAILED,
}  # fmt: skip


class Argo:
    """The reader of Argo's workflows and workflow templates."""

    def sniff(self, source: object) -> bool:
        return says(source, "argoproj.io/", _KINDS)

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        book = _Book()
        roots = objects(source, _KINDS, "workflow", book)
        for root in roots:
            book.shared[name_of(root)] = _templates(_spec(root))
        for root in roots:
            _workflow(root, book, name_of(root) if len(roots) > 1 else "")
        return book.closed(source, "argo")


@dataclass
class _Book(Book):
    """What grows while templates are put in; `shared` are the templates of every object of the file."""

    shared: dict[str, dict[str, Mapping]] = field(default_factory=dict)


def _spec(root: Mapping) -> Mapping:
    spec = root.get("spec")
    if isinstance(spec, Mapping) and isinstance(inner := spec.get("workflowSpec"), Mapping):
        return inner
    return spec if isinstance(spec, Mapping) else Mapping(root.span)


def _templates(spec: Mapping) -> dict[str, Mapping]:
    named = ((text(one.get("name")), one) for one in items(spec.get("templates")) if isinstance(one, Mapping))
    return {name: one for name, one in named if name}


def _workflow(root: Mapping, book: _Book, prefix: str) -> None:
    """All tasks that begin with the entry point; of a template without one, each that no other calls."""
    spec = _spec(root)
    templates = _templates(spec)
    seen: dict[str, Scalar] = {}
    for one in items(spec.get("templates")):
        named = one.get("name") if isinstance(one, Mapping) else None
        if isinstance(named, Scalar):
            if named.text in seen:
                notes = (Note(seen[named.text].span, "first here"),)
                book.find("G003", f"template {named.text!r} is defined twice", named.span, notes)
            seen.setdefault(named.text, named)
    entry = spec.get("entrypoint")
    elsewhere = "workflowTemplateRef" in spec.entries
    if isinstance(entry, Scalar) and entry.text not in templates and not elsewhere and "{{" not in entry.text:
        book.findings.append(undefined("the workflow", entry, templates, "begins with"))
    roots = [entry.text] if isinstance(entry, Scalar) and entry.text in templates else _uncalled(templates)
    for name in roots:
        place = " / ".join(part for part in (prefix, name if len(roots) > 1 else "") if part)
        _Templates(book, templates, elsewhere).put(templates[name], name, place, "", (name,))
    _on_exit(spec, templates, book, prefix)


def _uncalled(templates: dict[str, Mapping]) -> list[str]:
    called = {
        text(call.get("template"))
        for one in templates.values() for call, _ in _calls(one)
    }  # fmt: skip
    return [name for name, one in templates.items() if name not in called and one.entries.keys() & {"dag", "steps"}]


def _on_exit(spec: Mapping, templates: dict[str, Mapping], book: _Book, prefix: str) -> None:
    node = spec.get("onExit")
    if not isinstance(node, Scalar):
        return
    if node.text not in templates and "workflowTemplateRef" not in spec.entries:
        book.findings.append(undefined("the workflow", node, templates, "ends with"))
    name = f"{prefix} / onExit" if prefix else "onExit"
    if name not in book.tasks:
        inside = [task for task in book.tasks.values() if not task.parent and task.name.startswith(prefix)]
        edges = tuple(Edge(task.name, node.span) for task in inside)
        book.tasks[name] = Task(name, node.span, edges, may=_MAY, opaque=True)


def _calls(template: Mapping) -> Iterator[tuple[Mapping, int]]:
    """Each task of a DAG, or each step with the number of its group."""
    for one in items(entries(template.get("dag"))["tasks"].value if "tasks" in entries(template.get("dag")) else None):
        if isinstance(one, Mapping):
            yield one, 0
    for place, group in enumerate(items(template.get("steps"))):
        for one in items(group):
            if isinstance(one, Mapping):
                yield one, place


class _Templates:
    """Puts templates in, each call as a task with the tasks of its template as children."""

    def __init__(self, book: _Book, templates: dict[str, Mapping], elsewhere: bool) -> None:
        self.book, self.templates, self.elsewhere = book, templates, elsewhere

    def put(self, template: Mapping, name: str, place: str, parent: str, chain: tuple[str, ...]) -> bool:
        """The calls of a DAG or of steps as tasks within `parent`; False if the template does the work itself."""
        calls = list(_calls(template))
        if not calls:
            if not parent and not template.entries.keys() & {"dag", "steps"}:
                name = place or name
                self.book.tasks.setdefault(
                    name, Task(name, template.span, may=_MAY, holds=_holds(template, name, False))
                )
            return False
        _Calls(self, template, calls, place, parent, chain).read()
        return True

    def template(self, call: Mapping) -> Mapping | None:
        """The template that is called, if it can be read."""
        inline, reference = call.get("inline"), call.get("templateRef")
        if isinstance(inline, Mapping):
            return inline
        if isinstance(reference, Mapping):
            return self.book.shared.get(text(reference.get("name")), {}).get(text(reference.get("template")))
        named = call.get("template")
        if not isinstance(named, Scalar) or "{{" in named.text:
            return None
        found = self.templates.get(named.text)
        if found is None and not self.elsewhere:
            who = f"task {text(call.get('name'))!r}"
            self.book.findings.append(undefined(who, named, self.templates, "calls template"))
        return found


class _Calls:
    """The calls of one template."""

    def __init__(
        self, home: _Templates, template: Mapping, calls: list[tuple[Mapping, int]], place: str, parent: str,
        chain: tuple[str, ...],
    ) -> None:  # fmt: skip
        self.home, self.book, self.template = home, home.book, template
        self.place, self.parent, self.chain = place, parent, chain
        self.steps = "steps" in template.entries
        self.calls: dict[str, Mapping] = {}
        self.groups: dict[str, int] = {}
        for call, group in calls:
            self._take(call, group)

    def _take(self, call: Mapping, group: int) -> None:
        named = call.get("name")
        if not isinstance(named, Scalar) or not named.text:
            self.book.find("G008", "a task without a name", call.span)
        elif named.text in self.calls:
            first = self.calls[named.text].get("name")
            notes = (Note(first.span, "first here"),) if first is not None else ()
            self.book.find("G003", f"task {named.text!r} is defined twice", named.span, notes)
        else:
            self.calls[named.text], self.groups[named.text] = call, group

    def read(self) -> None:
        for name in self.calls:
            self._task(name)
        for name, call in self.calls.items():
            self._reads(name, call)

    def _full(self, name: str) -> str:
        return f"{self.place} / {name}" if self.place else name

    def _task(self, name: str) -> None:
        call, full = self.calls[name], self._full(name)
        if len(self.book.tasks) >= _MOST_TASKS:
            raise SourceError(f"more than {_MOST_TASKS} tasks", call.span.path, call.span.line,
                              cure="templates call templates too often")  # fmt: skip
        edges, depends = self._waits(name, call)
        when = call.get("when")
        activation = conjunction((depends, self._when(full, when)))
        template = self.home.template(call)
        span = call.entries["name"].key.span if "name" not in call.entries else call.entries["name"].value.span
        self.book.tasks[full] = Task(
            full,
            span,
            edges,
            activation=activation,
            may=_MAY,
            parent=self.parent,
            holds=(*self._parallel(full, span), *(_holds(template, full, True) if template is not None else ())),
            condition=when.span if when is not None else NOWHERE,
            opaque=template is None,
            copies=Copies(0, None, span) if _loops(call) else Copies(),
        )
        if template is not None:
            self._inside(call, template, full)

    def _inside(self, call: Mapping, template: Mapping, full: str) -> None:
        called = text(call.get("template")) or full
        if called in self.chain or len(self.chain) >= _DEEPEST:
            return  # a loop that its condition ends: it has been followed once
        if self.home.put(template, called, full, full, (*self.chain, called)):
            task = self.book.tasks[full]
            self.book.tasks[full] = replace(task, works=False)

    def _parallel(self, full: str, span: Span) -> tuple[Hold, ...]:
        most = number(self.template.get("parallelism"))
        if not most or most < 1:
            return ()
        group = named_group(f"parallelism of {self.place or 'the workflow'}", int(most))
        return (Hold(group, span, Until.SCOPE, label=f"task {full!r}"),)

    # -- waiting -------------------------------------------------------------------------------------------------------

    def _waits(self, name: str, call: Mapping) -> tuple[tuple[Edge, ...], Formula]:
        if self.steps:
            return self._stepped(name), TRUE
        node = call.get("depends")
        if isinstance(node, Scalar) and node.text.strip():
            return self._depends(name, node)
        edges: dict[str, Edge] = {}
        for one in items(call.get("dependencies")):
            if isinstance(one, Scalar) and self._known(name, one, one.span):
                edges.setdefault(one.text, Edge(self._full(one.text), one.span, self._accepts(one.text)))
        return tuple(edges.values()), TRUE

    def _stepped(self, name: str) -> tuple[Edge, ...]:
        """Every step of the group before; its place is that of the step itself."""
        here = self.groups[name]
        before = [other for other, group in self.groups.items() if group == here - 1]
        span = self.calls[name].span
        return tuple(Edge(self._full(other), span, self._accepts(other)) for other in before)

    def _known(self, name: str, one: Scalar, span: Span) -> bool:
        if one.text == name:
            self.book.find("G005", f"task {name!r} waits for itself", span)
        elif one.text not in self.calls:
            self.book.findings.append(undefined(f"task {name!r}", one, self.calls))
        else:
            return True
        return False

    def _skippable(self, name: str) -> bool:
        call = self.calls[name]
        return "when" in call.entries or _loops(call)

    def _accepts(self, name: str) -> frozenset[Outcome]:
        """What a wait for this task alone accepts."""
        more = entries(self.calls[name].get("continueOn"))
        failed = any(key in more and flag(more[key].value) for key in ("failed", "error"))
        return _SUCCEEDED | ({_SKIP} if self._skippable(name) else set()) | (_FAILED if failed else set())

    def _depends(self, name: str, node: Scalar) -> tuple[tuple[Edge, ...], Formula]:
        named: dict[str, Span] = {}

        def state(one: Scalar, word: str) -> Formula:
            if not self._known(name, one, one.span):
                return TRUE  # said already: what is undefined keeps nobody else from being judged
            named.setdefault(one.text, one.span)
            return self.state(one.text, word)

        try:
            formula = depends(node, state)
        except Unclear as problem:
            place = within(node, problem.offset)
            self.book.find("G008", f"'depends' of {name!r} cannot be parsed: {problem.message}", place)
            formula = TRUE
        simple = _one_each(formula)
        if simple is not None and len(simple) == len(named):
            return tuple(Edge(self._full(one), span, simple[self._full(one)]) for one, span in named.items()), TRUE
        return tuple(Edge(self._full(one), span) for one, span in named.items()), formula

    def state(self, name: str, word: str) -> Formula:
        """What `name` or `name.Word` asks for."""
        full = self._full(name)
        if not word:
            return Is(full, self._accepts(name))
        if word in _STATES:
            return Is(full, _STATES[word])
        return Is(full, frozenset({_SKIP}))

    # -- conditions ----------------------------------------------------------------------------------------------------

    def _when(self, full: str, node: Node | None) -> Formula:
        if not isinstance(node, Scalar) or not node.text.strip():
            return TRUE
        try:
            return holds_when(node.text, lambda path, word: self._is(full, path, word))
        except Unclear:
            return self.book.guess(f"{full}: {node.text.strip()}")

    def _is(self, full: str, path: str, word: str) -> Formula:
        """That what is put in for a path is this word."""
        kind, _, rest = path.partition(".")
        name, _, what = rest.partition(".")
        if not _PATH.fullmatch(path):
            return self.book.guess(f"{full}: {path} is {word}")
        if kind in ("tasks", "steps") and name in self.calls:
            if what == "status" and word in _STATES:
                return Is(self._full(name), _STATES[word])
            owner = self._full(name)
            self.book.variables.setdefault(f"{owner}.{what}", Variable(f"{owner}.{what}", _TEXT, owner=owner))
            return Equal(f"{owner}.{what}", word)
        local = path if path.startswith("workflow.") else f"{self.place}: {path}"
        self.book.variables.setdefault(local, Variable(local, _TEXT))
        return Equal(local, word)

    def _reads(self, name: str, call: Mapping) -> None:
        """`{{tasks.x.outputs…}}` where x is not waited for: Argo refuses the workflow."""
        full = self._full(name)
        for scalar in strings(call):
            for found in _READS.finditer(scalar.text):
                other = found.group(2)
                if self.steps != (found.group(1) == "steps") or (self.steps and other == "name"):
                    continue
                span = within(scalar, found.start(2))
                if other not in self.calls:
                    self._reads_nothing(name, Scalar(other, span, True))
                elif other != name and self._full(other) not in self._ancestors(full):
                    self.book.find("G007", f"task {name!r} reads {other!r}, for which it does not wait", span)

    def _reads_nothing(self, name: str, other: Scalar) -> None:
        self.book.findings.append(undefined(f"task {name!r}", other, self.calls, "reads"))

    def _ancestors(self, full: str) -> set[str]:
        found: set[str] = set()
        waiting = [full]
        while waiting:
            for edge in self.book.tasks[waiting.pop()].edges:
                if edge.before not in found:
                    found.add(edge.before)
                    waiting.append(edge.before)
        return found


_TEXT = frozenset({Kind.STRING})


def _loops(call: Mapping) -> bool:
    return bool(call.entries.keys() & {"withItems", "withParam", "withSequence"})


def _one_each(formula: Formula) -> dict[str, frozenset[Outcome]] | None:
    """A conjunction that says one thing of each task, as edges can; else None."""
    parts = formula.parts if isinstance(formula, All) else (formula,)
    found: dict[str, frozenset[Outcome]] = {}
    for part in parts:
        if not isinstance(part, Is) or part.task in found:
            return None
        found[part.task] = part.outcomes
    return found


def _holds(template: Mapping, label: str, scope: bool) -> tuple[Hold, ...]:
    """The mutexes of a template; how large a semaphore is stands in the cluster, and nobody knows it here."""
    said = entries(template.get("synchronization"))
    nodes = [said["mutex"].value] if "mutex" in said else []
    nodes += items(said["mutexes"].value) if "mutexes" in said else []
    found = []
    for node in nodes:
        name = node.get("name") if isinstance(node, Mapping) else None
        if isinstance(name, Scalar) and "{{" not in name.text:
            group = Group(f"mutex {name.text}", (Case(TRUE, (f"mutex {name.text}",)),))
            found.append(Hold(group, name.span, Until.SCOPE if scope else Until.TASK, label=f"task {label!r}"))
    return tuple(found)
