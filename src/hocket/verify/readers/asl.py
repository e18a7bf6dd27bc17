"""AWS Step Functions: states as tasks, `Next`, `Choice` and `Catch` as the ways from one to the next.

A machine has one token: a state runs if one of those before it ended in the way
that leads here. So an activation says who may have sent the token, and how. Loops
are legal, and the middle model has none: a way back (found depth first) is left out,
so that every state is looked at in its first round. What a loop can do wrong is
asked here: a state from which no way leads to an end keeps the machine running for
ever (cfn-lint lets it pass).

The choices of a Choice state are conditions over its input. Numbers are compared
with numbers only, so each is one of finitely many representatives: the constants
that are compared with, and one value between each two of them. With that a Choice
whose rules leave nothing for the rest is seen.

Source: states-language.net/spec.html.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from hocket.errors import SourceError
from hocket.verify.findings import Finding, Note
from hocket.verify.formula import (
    FALSE,
    TRUE,
    Equal,
    Formula,
    Is,
    Outcome,
    Value,
    conjunction,
    disjunction,
    negation,
)
from hocket.verify.model import Edge, Graph, Kind, Span, Task, Timing, Variable
from hocket.verify.readers import Reading
from hocket.verify.readers.cloudformation import holds_machines, machines
from hocket.verify.readers.entries import (
    describe,
    did_you_mean,
    duplicates,
    entries,
    flag,
    items,
    number,
    text,
    undefined,
)
from hocket.verify.readers.outline import outline, tree
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar

__all__ = ["StepFunctions"]

_OK, _BAD = Outcome.SUCCEEDED, Outcome.FAILED
_SUCCEEDED, _FAILED = frozenset({_OK}), frozenset({_BAD})
_MAY = {"Succeed": _SUCCEEDED, "Fail": _FAILED, "Pass": _SUCCEEDED, "Wait": _SUCCEEDED}
_TYPES = frozenset({"Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel", "Map"})
_FINAL = frozenset({"Succeed", "Fail"})
_DEEPEST = 20
_SIGNS = {
    "NumericEquals": lambda a, b: a == b, "NumericLessThan": lambda a, b: a < b,
    "NumericGreaterThan": lambda a, b: a > b, "NumericLessThanEquals": lambda a, b: a <= b,
    "NumericGreaterThanEquals": lambda a, b: a >= b,
}  # fmt: skip


class StepFunctions:
    """The reader of the Amazon States Language, in JSON or YAML."""

    def sniff(self, source: object) -> bool:
        return isinstance(source, Source) and (
            outline(source).keys >= {"StartAt", "States"} or holds_machines(source)
        )

    def read(self, source: object) -> Reading:
        assert isinstance(source, Source)
        root = tree(source)
        within = list(machines(root, source))
        if within:
            return _template(source, within)
        if not isinstance(root, Mapping) or not isinstance(root.get("States"), Mapping):
            place = (source.path, root.span.line, root.span.column)
            raise SourceError(
                f"this is no state machine but {describe(root)}", *place, cure="it has StartAt and States"
            )
        book = _Book(findings=list(duplicates(root)))
        _Machine(book, root, "", "", 0).read()
        graph = Graph(source.path, "asl", book.tasks, book.variables)
        return Reading(graph, tuple(book.findings), {source.path: source})


def _template(source: Source, within: list[tuple[str, Mapping]]) -> Reading:
    """The machines of a template, each under the name of its resource if there are several."""
    book = _Book()
    for name, root in within:
        book.findings.extend(duplicates(root))
        _Machine(book, root, name if len(within) > 1 else "", "", 0).read()
    return Reading(Graph(source.path, "asl", book.tasks, book.variables), tuple(book.findings), {source.path: source})


@dataclass
class _Book:
    findings: list[Finding] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)

    def find(self, code: str, message: str, span: Span, notes: tuple[Note, ...] = (), cure: str = "") -> None:
        self.findings.append(Finding(code, message, span, notes, cure=cure))


@dataclass(frozen=True)
class _Way:
    """A way from one state to another: where it stands, and how the first has to end for it to be taken."""

    before: str
    after: str
    span: Span
    ends: frozenset[Outcome]
    guard: Formula = TRUE


class _Machine:
    """The states of one machine, or of one branch of a Parallel or Map state."""

    def __init__(
        self, book: _Book, root: Mapping, place: str, parent: str, depth: int, begins: Formula = TRUE
    ) -> None:
        self.book, self.root, self.place, self.parent, self.depth = book, root, place, parent, depth
        self.begins = begins
        states = root.get("States")
        self.states = dict(states.entries) if isinstance(states, Mapping) else {}
        self.ways: list[_Way] = []

    def _full(self, name: str) -> str:
        return f"{self.place} / {name}" if self.place else name

    def read(self) -> None:
        start = self.root.get("StartAt")
        first = text(start)
        if first not in self.states:
            where = start if isinstance(start, Scalar) else Scalar("", self.root.span, True)
            self.book.findings.append(undefined("the machine", where, self.states, "starts at"))
            return
        for name, entry in self.states.items():
            self.ways.extend(self._ways(name, entry.key, entry.value))
        reached = self._reached(first)
        for name, entry in self.states.items():
            if name not in reached:
                message = f"no way leads from {first!r} to state {name!r}"
                self.book.find("G014", message, entry.key.span, cure="let a 'Next' lead to it, or remove it")
        self._endless(reached)
        forward = self._forward(first)
        for name in (name for name in self.states if name in reached):
            self._task(name, [way for way in forward if way.after == name], name == first)

    # -- ways ----------------------------------------------------------------------------------------------------------

    def _ways(self, name: str, key: Scalar, node: Node) -> Iterator[_Way]:
        if not isinstance(node, Mapping):
            self.book.find("G008", f"state {name!r} should be a mapping but is {describe(node)}", key.span)
            return
        kind = text(node.get("Type"))
        if kind not in _TYPES and "${" not in kind:
            where = node.get("Type")
            cure = did_you_mean(kind, _TYPES, f"the types are {', '.join(sorted(_TYPES))}")
            self.book.find("G008", f"state {name!r} has no known type", where.span if where else key.span, cure=cure)
        if kind == "Choice":
            yield from self._choices(name, node)
        elif kind not in _FINAL:
            ends = flag(node.get("End"))
            after = node.get("Next")
            if isinstance(after, Scalar) and ends:
                notes = (Note(node.entries["End"].key.span, "'End' stands here"),)
                self.book.find("G034", f"state {name!r} has 'Next' and 'End'", after.span, notes)
            elif isinstance(after, Scalar):
                yield from self._way(name, after, _SUCCEEDED, negation(self._own_failure(name, node)))
            elif not ends and kind in _TYPES:
                self.book.find(
                    "G008", f"state {name!r} has neither 'Next' nor 'End'", key.span, cure="say what is next"
                )
        for one in items(node.get("Catch")):
            after = one.get("Next") if isinstance(one, Mapping) else None
            if isinstance(after, Scalar):
                within = Is(self._full(name), _FAILED)
                guard = disjunction((within, self._own_failure(name, node)))
                yield from self._way(name, after, _FAILED | _SUCCEEDED, guard)

    def _own_failure(self, name: str, node: Mapping) -> Formula:
        """A Map or Parallel state ends as what is within; that its own input or result is wrong can be caught, too."""
        if text(node.get("Type")) not in ("Map", "Parallel") or "Catch" not in node.entries:
            return FALSE
        return self._guess(f"{self._full(name)}: it fails by itself")

    def _guess(self, name: str) -> Formula:
        self.book.variables[name] = Variable(name, frozenset({Kind.BOOLEAN}), guess=True)
        return Equal(name, True)

    def _way(self, name: str, after: Scalar, ends: frozenset[Outcome], guard: Formula) -> Iterator[_Way]:
        if after.text in self.states:
            yield _Way(name, after.text, after.span, ends, guard)
        else:
            self.book.findings.append(undefined(f"state {name!r}", after, self.states, "goes to"))

    def _choices(self, name: str, node: Mapping) -> Iterator[_Way]:
        """Each rule is taken if its condition is the first that is true."""
        rules = [one for one in items(node.get("Choices")) if isinstance(one, Mapping)]
        if not rules:
            self.book.find("G008", f"state {name!r} has no 'Choices'", node.span)
        rest: Formula = TRUE
        condition = _Conditions(self.book, self._full(name), rules)
        for rule in rules:
            when = condition.of(rule, 0)
            after = rule.get("Next")
            if isinstance(after, Scalar):
                yield from self._way(name, after, _SUCCEEDED, conjunction((rest, when)))
            else:
                self.book.find("G008", "a choice without 'Next'", rule.span)
            rest = conjunction((rest, negation(when)))
        default = node.get("Default")
        if isinstance(default, Scalar):
            yield from self._way(name, default, _SUCCEEDED, rest)

    def _reached(self, first: str) -> set[str]:
        after: dict[str, list[str]] = {}
        for way in self.ways:
            after.setdefault(way.before, []).append(way.after)
        found, waiting = {first}, [first]
        while waiting:
            fresh = [name for name in after.get(waiting.pop(), ()) if name not in found]
            found.update(fresh)
            waiting.extend(fresh)
        return found

    def _endless(self, reached: set[str]) -> None:
        """States from which no way leads to an end."""
        before: dict[str, list[str]] = {}
        for way in self.ways:
            before.setdefault(way.after, []).append(way.before)
        going: set[str] = {way.before for way in self.ways}
        waiting = [name for name in self.states if self._ends(name) or name not in going]
        found = set(waiting)
        while waiting:
            fresh = [name for name in before.get(waiting.pop(), ()) if name not in found]
            found.update(fresh)
            waiting.extend(fresh)
        stuck = [name for name in self.states if name in reached and name not in found]
        if stuck:
            span = self.states[stuck[0]].key.span
            ways = tuple(Note(way.span, f"{way.before!r} goes to {way.after!r}") for way in self.ways
                         if way.before in stuck and way.after in stuck)[:10]  # fmt: skip
            self.book.find("G035", f"no way leads from {stuck[0]!r} to an end of the machine", span, ways)

    def _ends(self, name: str) -> bool:
        node = self.states[name].value
        return isinstance(node, Mapping) and (flag(node.get("End")) or text(node.get("Type")) in _FINAL)

    def _forward(self, first: str) -> list[_Way]:
        """All ways but those back to a state that is still open, depth first."""
        after: dict[str, list[_Way]] = {}
        for way in self.ways:
            after.setdefault(way.before, []).append(way)
        kept: list[_Way] = []
        open_: set[str] = {first}
        done: set[str] = set()
        walk = [(first, iter(after.get(first, ())))]
        while walk:
            name, ways = walk[-1]
            for way in ways:
                if way.after in open_:
                    continue
                kept.append(way)
                if way.after not in done:
                    open_.add(way.after)
                    walk.append((way.after, iter(after.get(way.after, ()))))
                    break
            else:
                walk.pop()
                open_.discard(name)
                done.add(name)
        return kept

    # -- tasks ---------------------------------------------------------------------------------------------------------

    def _task(self, name: str, ways: list[_Way], first: bool) -> None:
        entry, full = self.states[name], self._full(name)
        body = entry.value if isinstance(entry.value, Mapping) else Mapping(entry.key.span)
        edges: dict[str, Edge] = {}
        for way in ways:
            edges.setdefault(way.before, Edge(self._full(way.before), way.span))
        came = disjunction(conjunction((Is(self._full(way.before), way.ends), way.guard)) for way in ways)
        kind = text(body.get("Type"))
        may = _MAY.get(kind, _SUCCEEDED | _FAILED)
        if kind == "Choice" and body.get("Default") is not None:
            may = _SUCCEEDED
        self.book.tasks[full] = Task(
            full, entry.key.span, tuple(edges.values()), activation=self.begins if first else came, may=may,
            parent=self.parent, condition=ways[0].span if ways else entry.key.span, timing=_timing(body),
        )  # fmt: skip
        self._inside(body, full)

    def _inside(self, body: Mapping, full: str) -> None:
        """The branches of a Parallel state, and what a Map state does with each item."""
        inner = [one for one in items(body.get("Branches")) if isinstance(one, Mapping)]
        mapped = [node for key in ("Iterator", "ItemProcessor") if isinstance(node := body.get(key), Mapping)]
        if self.depth >= _DEEPEST:
            return
        begins = self._some_items(full) if mapped else TRUE
        for place, machine in enumerate([*inner, *mapped], 1):
            within = full if len(inner) + len(mapped) == 1 else f"{full} #{place}"
            _Machine(self.book, machine, within, full, self.depth + 1, begins).read()

    def _some_items(self, full: str) -> Formula:
        """Nothing runs within a Map state that is given an empty list: it has succeeded then."""
        return self._guess(f"{full}: there are items")


def _timing(body: Mapping) -> Timing:
    limit = number(body.get("TimeoutSeconds"))
    tries = [number(entries(one)["MaxAttempts"].value) if "MaxAttempts" in entries(one) else 3.0
             for one in items(body.get("Retry"))]  # fmt: skip
    retries = int(max((one for one in tries if one is not None), default=0))
    if limit is None and not retries:
        return Timing()
    return Timing(timeout=limit if limit is not None else float("inf"), retries=retries, span=body.span)


class _Conditions:
    """The conditions of one Choice state: its variables are its own, as the input may differ the next time."""

    def __init__(self, book: _Book, state: str, rules: list[Mapping]) -> None:
        self.book, self.state = book, state
        self.numbers: dict[str, set[float]] = {}
        self.texts: set[str] = set()
        for rule in rules:
            self._collect(rule)

    def _collect(self, rule: Mapping) -> None:
        waiting: list[Node] = [rule]
        while waiting:
            node = waiting.pop()
            if not isinstance(node, Mapping):
                continue
            variable = text(node.get("Variable"))
            for key, entry in node.entries.items():
                value = number(entry.value)
                if key in _SIGNS and value is not None:
                    self.numbers.setdefault(variable, set()).add(value)
                elif key.startswith(("String", "Boolean", "Is", "Timestamp")) or key.endswith("Path"):
                    self.texts.add(variable)
                elif key in ("And", "Or"):
                    waiting.extend(items(entry.value))
                elif key == "Not":
                    waiting.append(entry.value)

    def of(self, rule: Mapping, depth: int) -> Formula:
        if depth > _DEEPEST:
            return self._guess(rule)
        for key, join in (("And", conjunction), ("Or", disjunction)):
            if key in rule.entries:
                parts = (one for one in items(rule.get(key)) if isinstance(one, Mapping))
                return join(self.of(one, depth + 1) for one in parts)
        inner = rule.get("Not")
        if isinstance(inner, Mapping):
            return negation(self.of(inner, depth + 1))
        return self._compared(rule)

    def _compared(self, rule: Mapping) -> Formula:
        variable = text(rule.get("Variable"))
        for key, entry in rule.entries.items():
            if key in _SIGNS and variable not in self.texts:
                return self._number(variable, key, number(entry.value))
            if key == "StringEquals":
                return Equal(self._open(variable), text(entry.value))
            if key == "BooleanEquals":
                return Equal(self._open(variable), flag(entry.value))
            if key == "IsNull":
                null = Equal(self._open(variable), None)
                return null if flag(entry.value) else negation(null)
        return self._guess(rule)

    def _number(self, variable: str, key: str, value: float | None) -> Formula:
        if value is None:
            return FALSE
        full = f"{self.state}: {variable}"
        values = _representatives(self.numbers[variable])
        self.book.variables.setdefault(full, Variable(full, frozenset({Kind.NUMBER}), values))
        return disjunction(Equal(full, one) for one in values if isinstance(one, float) and _SIGNS[key](one, value))

    def _open(self, variable: str) -> str:
        full = f"{self.state}: {variable}"
        self.book.variables.setdefault(full, Variable(full, frozenset(Kind)))
        return full

    def _guess(self, rule: Mapping) -> Formula:
        full = f"{self.state}: the choice in line {rule.span.line}"
        self.book.variables.setdefault(full, Variable(full, frozenset({Kind.BOOLEAN}), guess=True))
        return Equal(full, True)


def _representatives(constants: set[float]) -> tuple[Value, ...]:
    """Each constant, and one number below, between and above them."""
    ordered = sorted(constants)
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    return tuple(sorted({ordered[0] - 1, *ordered, *between, ordered[-1] + 1}))
