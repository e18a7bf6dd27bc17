"""Airflow's trigger rules and branches in the middle model: one row a rule, for serialized and live DAGs alike.

A rule says three things: which outcomes each predecessor may have (`accepts`), what
has to be true of all of them together (`asks`), and whether it waits for all or
only for the first. A task that is passed over although a predecessor failed counts
as failed itself (`upstream_failed`), which is what the model calls lost.

A branch skips those of its direct followers that it does not choose, whatever their
trigger rule; a follower that also lies behind a chosen one is not skipped.
Sources: airflow `ti_deps/deps/trigger_rule_dep.py`, `models/skipmixin.py` (3.x).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from hocket.errors import SourceError
from hocket.verify.findings import Finding
from hocket.verify.formula import FALSE, TRUE, Equal, Formula, Is, Outcome, conjunction, disjunction
from hocket.verify.model import (
    NOWHERE,
    Copies,
    Edge,
    Graph,
    Hold,
    Join,
    Kind,
    Span,
    Task,
    Timing,
    Variable,
    named_group,
)
from hocket.verify.readers.entries import did_you_mean

__all__ = ["RULES", "Dag", "Step", "graph_of"]

_OK, _BAD, _SKIP = Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SKIPPED
_DONE = frozenset({_OK, _BAD, _SKIP})
_MOST_EDGES = 400_000


@dataclass(frozen=True)
class Rule:
    """`accepts` None: any outcome; `asks` are outcomes of which some, or all, predecessors must have one."""

    accepts: frozenset[Outcome] | None = None
    some: frozenset[Outcome] | None = None
    join: Join = Join.ALL
    waits: bool = True


RULES: dict[str, Rule] = {
    "all_success": Rule(frozenset({_OK})),
    "all_failed": Rule(frozenset({_BAD})),
    "all_done": Rule(),
    "all_done_min_one_success": Rule(some=frozenset({_OK})),
    "all_skipped": Rule(frozenset({_SKIP})),
    "one_success": Rule(some=frozenset({_OK}), join=Join.ANY),
    "one_failed": Rule(some=frozenset({_BAD}), join=Join.ANY),
    "one_done": Rule(some=frozenset({_OK, _BAD}), join=Join.ANY),
    "none_failed": Rule(frozenset({_OK, _SKIP})),
    "none_failed_min_one_success": Rule(frozenset({_OK, _SKIP}), some=frozenset({_OK})),
    "none_failed_or_skipped": Rule(frozenset({_OK, _SKIP}), some=frozenset({_OK})),  # its name until 2.2
    "none_skipped": Rule(frozenset({_OK, _BAD})),
    "all_done_setup_success": Rule(),  # of a teardown: its setups must have succeeded
    "always": Rule(waits=False),
    "dummy": Rule(waits=False),  # its name in Airflow 1
}


@dataclass
class Step:
    """One task as Airflow has it; `behind` are its direct followers, each with the place where that is said."""

    name: str
    span: Span
    behind: dict[str, Span] = field(default_factory=dict)
    rule: str = "all_success"
    rule_span: Span = NOWHERE
    kind: str = ""  # the class of its operator
    skips: bool = False  # whether it can skip what follows
    setup: bool = False
    teardown: bool = False
    empty: bool = False
    mapped: bool = False
    deep: bool | None = None  # whether a short circuit skips all behind it, whatever their rules; None: not said
    slots: int = 1
    pool: str = ""
    timing: Timing = field(default_factory=Timing)


@dataclass
class Dag:
    """All steps of a DAG, and its bounds."""

    name: str
    steps: dict[str, Step] = field(default_factory=dict)
    parallel: int | None = None  # max_active_tasks


def graph_of(dag: Dag, path: str) -> tuple[Graph, list[Finding]]:
    """The graph of a DAG, and what is wrong with its names and rules."""
    return _Builder(dag, path).built()


class _Builder:
    def __init__(self, dag: Dag, path: str) -> None:
        self.dag, self.path, self.steps = dag, path, dag.steps
        self.findings: list[Finding] = []
        self.variables: dict[str, Variable] = {}
        self.before: dict[str, dict[str, Span]] = {name: {} for name in dag.steps}

    def built(self) -> tuple[Graph, list[Finding]]:
        count = 0
        for step in self.steps.values():
            for name, span in step.behind.items():
                count += 1
                if name in self.before:
                    self.before[name][step.name] = span
                else:
                    cure = did_you_mean(name, self.steps)
                    message = f"{step.name!r} is followed by {name!r}, which is not defined"
                    self.findings.append(Finding("G002", message, span, cure=cure))
        if count > _MOST_EDGES:
            raise SourceError(f"more than {_MOST_EDGES} waits between tasks", self.path)
        chosen = self._choices()
        tasks = {name: self._task(step, chosen.get(name, TRUE)) for name, step in self.steps.items()}
        return Graph(self.path, "airflow", tasks, self.variables), self.findings

    def _task(self, step: Step, chosen: Formula) -> Task:
        rule = RULES.get(step.rule)
        if rule is None:
            cure = did_you_mean(step.rule, RULES, f"the rules are {', '.join(RULES)}")
            self.findings.append(Finding("G008", f"unknown trigger rule {step.rule!r}", step.rule_span, cure=cure))
            rule = RULES["all_success"]
        before = self.before[step.name] if rule.waits else {}
        edges = tuple(Edge(name, span, self._accepts(step, rule, name)) for name, span in before.items())
        some: Formula = TRUE
        if rule.some is not None and edges:
            some = disjunction(Is(edge.before, rule.some) for edge in edges)
        failed = frozenset({_BAD})
        spreads = any(edge.accepts is not None and _BAD not in edge.accepts for edge in edges)
        lost = disjunction(Is(edge.before, failed) for edge in edges) if spreads else FALSE
        return Task(
            step.name,
            step.span,
            edges,
            activation=conjunction((some, chosen)),
            may=frozenset({_OK}) if step.empty else frozenset({_OK, _BAD}),
            holds=self._holds(step),
            condition=step.rule_span,
            join=rule.join if edges else Join.ALL,
            lost=lost if step.rule != "all_failed" else FALSE,
            timing=step.timing,
            copies=Copies(0, None, step.span) if step.mapped else Copies(),
        )

    def _accepts(self, step: Step, rule: Rule, before: str) -> frozenset[Outcome] | None:
        if step.rule == "all_done_setup_success" and self.steps[before].setup:
            return frozenset({_OK})
        return rule.accepts

    def _holds(self, step: Step) -> tuple[Hold, ...]:
        if self.dag.parallel is None or self.dag.parallel < 1:
            return ()
        group = named_group(f"max_active_tasks of {self.dag.name}", self.dag.parallel)
        return (Hold(group, step.span, label=f"task {step.name!r}"),)

    # -- branches ------------------------------------------------------------------------------------------------------

    def _choices(self) -> dict[str, Formula]:
        """For each task behind a branch: when it is not skipped by it."""
        found: dict[str, list[Formula]] = {}
        for step in self.steps.values():
            if step.skips:
                for name, when in self._skipping(step).items():
                    found.setdefault(name, []).append(when)
        return {name: conjunction(parts) for name, parts in found.items()}

    def _skipping(self, step: Step) -> dict[str, Formula]:
        behind = [name for name in step.behind if name in self.steps]
        if "ShortCircuit" in step.kind or "LatestOnly" in step.kind:
            passes = self._decides(step, f"{step.name} lets the rest run")
            found = {name: passes for name in behind if not self.steps[name].teardown}
            if "ShortCircuit" in step.kind and step.deep is not False:
                further = passes if step.deep else disjunction((passes, self._guess(step)))
                for name in self._reached(behind):
                    if not self.steps[name].teardown:
                        found.setdefault(name, further)
            return found
        chosen = {name: self._decides(step, f"{step.name} chooses {name}") for name in behind}
        reach = {name: self._reached(self.steps[name].behind) for name in behind}
        return {
            name: disjunction(chosen[other] for other in behind if other == name or name in reach[other])
            for name in behind if not self.steps[name].teardown
        }  # fmt: skip

    def _guess(self, step: Step) -> Formula:
        """A serialized DAG does not say whether a short circuit respects trigger rules."""
        what = f"{step.name} respects trigger rules"
        self.variables.setdefault(what, Variable(what, frozenset({Kind.BOOLEAN}), guess=True))
        return Equal(what, True)

    def _decides(self, step: Step, what: str) -> Formula:
        self.variables.setdefault(what, Variable(what, frozenset({Kind.BOOLEAN}), owner=step.name))
        return Equal(what, True)

    def _reached(self, start: Iterable[str]) -> Mapping[str, None]:
        found: dict[str, None] = {}
        waiting = list(start)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self.steps:
                found[name] = None
                waiting.extend(self.steps[name].behind)
        return found
