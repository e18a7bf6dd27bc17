"""An interpreter of the middle model that goes through a given run, event by event, and believes nothing.

The solver's answer is a configuration; `schedule` makes a run of it and `replay`
checks that run against the model alone: every condition is evaluated on concrete
values, every wait and every held group is looked up. The two share no code with
the encoding in `smt`, and only a run that passes is ever shown to anybody.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from hocket.verify.formula import (
    Ancestors,
    Atom,
    Equal,
    Formula,
    Interrupted,
    Is,
    Matches,
    Outcome,
    Runs,
    Value,
    evaluate,
    matches,
    same_value,
)
from hocket.verify.model import Graph, Group, Kind, Task, Variable

__all__ = ["Did", "Event", "Mismatch", "Run", "Story", "default_value", "group_name", "replay", "schedule"]


class Did(Enum):
    STARTED = "starts"
    ENDED = "ends"
    PASSED = "is passed over"
    CANCELLED = "the run is cancelled"
    STUCK = "waits for ever"


@dataclass(frozen=True, slots=True)
class Event:
    did: Did
    task: str = ""
    outcome: Outcome | None = None

    def __str__(self) -> str:
        match self.did:
            case Did.CANCELLED:
                return str(self.did.value)
            case Did.ENDED | Did.PASSED if self.outcome is not None:
                return f"{self.task} {'ends' if self.did is Did.ENDED else 'does not run'}: {self.outcome.value}"
        return f"{self.task} {self.did.value}"


@dataclass(frozen=True)
class Run:
    """One configuration and one timeline: enough to go through it again."""

    values: dict[str, Value]
    events: tuple[Event, ...]

    def at(self, did: Did, task: str) -> int:
        """When that happened (the number of the event), or -1."""
        return next((place for place, event in enumerate(self.events) if event.did is did and event.task == task), -1)


class Mismatch(Exception):
    """A run that the model does not allow: encoding and interpreter disagree, and neither is believed."""


@dataclass
class Story:
    """Where a run stands: what is open, how what is closed ended, who holds which group."""

    graph: Graph
    values: Mapping[str, Value]
    opened: dict[str, None] = field(default_factory=dict)
    closed: dict[str, Outcome] = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)
    cancelled: bool = False
    held: dict[str, list[str]] = field(default_factory=dict)  # group name -> who holds it, "" is the run itself
    _ancestors: dict[str, frozenset[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.holds(self.graph.given):
            raise Mismatch("there is no such configuration: its variables do not hang together")
        for hold in self.graph.holds:
            self.held.setdefault(group_name(hold.group, self), []).append("")

    # -- what the model says -------------------------------------------------------------------------------------------

    def its_turn(self, task: Task) -> bool:
        """Everything it waits for has closed, and what it runs within is open (or will never be)."""
        if not all(edge.before in self.closed for edge in task.edges):
            return False
        return not task.parent or task.parent in self.opened or task.parent in self.closed

    def is_absent(self, task: Task) -> bool:
        return (bool(task.parent) and task.parent not in self.opened) or not self.holds(task.presence, task)

    def may_run(self, task: Task) -> bool:
        """Whether it runs, now that its turn has come."""
        if self.is_absent(task):
            return False
        return all(self._accepts(edge.before, edge.accepts, edge.optional) for edge in task.edges) and self.holds(
            task.activation, task
        )

    def _accepts(self, before: str, accepts: frozenset[Outcome] | None, optional: bool) -> bool:
        outcome = self.closed[before]
        if outcome is Outcome.ABSENT:
            return optional or (accepts is not None and Outcome.ABSENT in accepts)
        return accepts is None or outcome in accepts

    def outcomes(self, task: Task) -> frozenset[Outcome]:
        """How a task that runs may end now."""
        inside = self.graph.children.get(task.name)
        if inside is None:
            return task.may
        ended = {self.closed[child] for child in inside}
        if Outcome.FAILED in ended or Outcome.CANCELLED in ended:
            return frozenset({Outcome.FAILED if Outcome.FAILED in ended else Outcome.CANCELLED})
        any_ran = any(child in self.ran for child in inside)
        return frozenset({Outcome.SUCCEEDED}) if any_ran else frozenset({Outcome.SUCCEEDED, Outcome.SKIPPED})

    def holds(self, formula: Formula, task: Task | None = None) -> bool:
        return evaluate(formula, lambda atom: self._truth(atom, task))

    def _truth(self, atom: Atom, task: Task | None) -> bool:
        match atom:
            case Equal(variable, value):
                return same_value(self.value(variable), value)
            case Matches(variable, how, text):
                return matches(how, self.value(variable), text)
            case Is(name, outcomes):
                return self.closed.get(name) in outcomes
            case Runs(name):
                return name in self.ran
            case Interrupted(name):
                assert not name, "whose turn came when is a question for the timeline"
                return self.cancelled
            case Ancestors(every, outcomes):
                assert task is not None, "ancestors are somebody's"
                ended = [self.closed[name] in outcomes for name in self.ancestors(task.name)]
                return all(ended) if every else any(ended)
        raise AssertionError(f"{atom!r} is no atom")

    def value(self, name: str) -> Value:
        """What a variable is: nothing, as long as the task that sets it has not run."""
        variable = self.graph.variables[name]
        if variable.owner and variable.owner not in self.ran:
            return None
        return self.values[name] if name in self.values else default_value(variable)

    def ancestors(self, name: str) -> frozenset[str]:
        """Every task on a way to this one, by its edges; remembered."""
        if name not in self._ancestors:
            found: set[str] = set()
            waiting = [edge.before for edge in self.graph.tasks[name].edges]
            while waiting:
                before = waiting.pop()
                if before not in found:
                    found.add(before)
                    waiting.extend(edge.before for edge in self.graph.tasks[before].edges)
            self._ancestors[name] = frozenset(found)
        return self._ancestors[name]

    def blocked(self, task: Task) -> tuple[str, str] | None:
        """(group, holder) if a group that this task must take has no room."""
        taken: dict[str, int] = {}
        for hold in task.holds:
            name = group_name(hold.group, self)
            holders = self.held.get(name, [])
            taken[name] = taken.get(name, 0) + hold.amount
            if len(holders) + taken[name] > hold.group.capacity:
                return name, holders[0] if holders else task.name
        return None

    # -- what happens --------------------------------------------------------------------------------------------------

    def take(self, event: Event) -> None:
        """Go one event further; raises Mismatch if the model does not allow it."""
        if event.did is Did.CANCELLED:
            self.cancelled = True
            return
        task = self.graph.tasks[event.task]
        match event.did:
            case Did.STARTED:
                self._start(task)
            case Did.ENDED:
                self._end(task, event.outcome)
            case Did.PASSED:
                self._pass(task, event.outcome)
            case Did.STUCK:
                self._stuck(task)

    def _start(self, task: Task) -> None:
        self._check(task.name not in self.opened and task.name not in self.closed, f"{task.name} starts twice")
        self._check(self.its_turn(task), f"{task.name} starts before its turn")
        self._check(self.may_run(task), f"{task.name} starts against its condition")
        self._check(self.blocked(task) is None, f"{task.name} starts without its group")
        for hold in task.holds:
            self.held.setdefault(group_name(hold.group, self), []).extend([task.name] * hold.amount)
        self.opened[task.name] = None
        self.ran.add(task.name)

    def _end(self, task: Task, outcome: Outcome | None) -> None:
        self._check(task.name in self.opened, f"{task.name} ends without having started")
        inside = self.graph.children.get(task.name, ())
        self._check(all(child in self.closed for child in inside), f"{task.name} ends before its children")
        self._check(outcome in self.outcomes(task), f"{task.name} cannot end {outcome}")
        assert outcome is not None
        del self.opened[task.name]
        self.closed[task.name] = outcome
        for holders in self.held.values():
            holders[:] = [holder for holder in holders if holder != task.name]

    def _pass(self, task: Task, outcome: Outcome | None) -> None:
        self._check(task.name not in self.opened and task.name not in self.closed, f"{task.name} is decided twice")
        self._check(self.its_turn(task), f"{task.name} is decided before its turn")
        self._check(not self.may_run(task), f"{task.name} is passed over against its condition")
        self._check(outcome in self.passed_outcomes(task), f"{task.name} cannot be {outcome} without running")
        assert outcome is not None
        self.closed[task.name] = outcome

    def passed_outcomes(self, task: Task) -> tuple[Outcome, ...]:
        if self.is_absent(task):
            return (Outcome.ABSENT,)
        return (Outcome.SKIPPED, Outcome.CANCELLED) if self.cancelled else (Outcome.SKIPPED,)

    def _stuck(self, task: Task) -> None:
        """It should run, but a group it needs is held until it has closed: by what it runs within, or by the run."""
        self._check(self.its_turn(task) and self.may_run(task), f"{task.name} would not run at all")
        blocked = self.blocked(task)
        self._check(blocked is not None, f"{task.name} could take its groups")
        assert blocked is not None
        around = {"", task.name, *self._around(task)}
        self._check(blocked[1] in around, f"{blocked[1]} will give the group back")

    def _around(self, task: Task) -> Iterator[str]:
        while task.parent:
            yield task.parent
            task = self.graph.tasks[task.parent]

    def _check(self, claim: bool, otherwise: str) -> None:
        if not claim:
            raise Mismatch(otherwise)


def replay(graph: Graph, run: Run) -> Story:
    """Go through the whole run; raises Mismatch where the model does not allow it, or where it does not end."""
    story = Story(graph, run.values)
    for event in run.events:
        story.take(event)
    if not (run.events and run.events[-1].did is Did.STUCK):
        missing = [name for name in graph.tasks if name not in story.closed]
        if missing:
            raise Mismatch(f"the run ends before {missing[0]}")
    return story


def schedule(
    graph: Graph,
    values: Mapping[str, Value],
    outcomes: Mapping[str, Outcome] = {},  # read only
    interrupted: frozenset[str] = frozenset(),
    late: frozenset[tuple[Did, str]] = frozenset(),
    until_stuck: bool = False,
) -> Run:
    """A run with these values and, where it is free to choose, these outcomes; what is `late` happens last.

    The tasks in `interrupted` have their turn after the run was cancelled. Where nothing is said a task succeeds.
    Raises Mismatch if there is no such run.
    """
    return _Scheduler(graph, values, outcomes, interrupted, late).run(until_stuck)


class _Scheduler:
    """Takes, again and again, the least late thing that can happen now."""

    def __init__(
        self,
        graph: Graph,
        values: Mapping[str, Value],
        outcomes: Mapping[str, Outcome],
        interrupted: frozenset[str],
        late: frozenset[tuple[Did, str]],
    ) -> None:
        self.graph, self.outcomes, self.interrupted, self.late = graph, outcomes, interrupted, late
        self.values = {name: values.get(name, default_value(variable)) for name, variable in graph.variables.items()}
        self.story = Story(graph, self.values)
        self.number = {name: place for place, name in enumerate(graph.tasks)}
        self.waits = {
            task.name: len({edge.before for edge in task.edges}) + bool(task.parent) for task in graph.tasks.values()
        }
        self.after: dict[str, list[str]] = {}
        for task in graph.tasks.values():
            for before in {edge.before: None for edge in task.edges}:
                self.after.setdefault(before, []).append(task.name)
        self.inside = {name: len(children) for name, children in graph.children.items()}
        self.ready: list[tuple[int, int, int, str]] = []  # urgency, number, turn or end, task
        self.blocked: list[str] = []
        self.events: list[Event] = []

    def run(self, until_stuck: bool) -> Run:
        for name, count in self.waits.items():
            if not count:
                self._turn(name)
        while self.ready:
            _, _, ends, name = heapq.heappop(self.ready)
            if not ends and name in self.interrupted and not self.story.cancelled:
                self._happens(Event(Did.CANCELLED))
            self._end(name) if ends else self._decide(name)
        if self.blocked and until_stuck:
            self._happens(Event(Did.STUCK, self.blocked[0]))
        elif self.blocked:
            raise Mismatch(f"{self.blocked[0]} never gets its group")
        return Run(self.values, tuple(self.events))

    def _happens(self, event: Event) -> None:
        self.story.take(event)
        self.events.append(event)

    def _turn(self, name: str) -> None:
        urgency = 2 * (name in self.interrupted) + ((Did.STARTED, name) in self.late)
        heapq.heappush(self.ready, (urgency, self.number[name], 0, name))

    def _decide(self, name: str) -> None:
        task = self.graph.tasks[name]
        if not self.story.may_run(task):
            choices = self.story.passed_outcomes(task)
            wanted = self.outcomes.get(name)
            self._closed(Event(Did.PASSED, name, wanted if wanted in choices else choices[0]))
            return
        if self.story.blocked(task) is not None:
            self.blocked.append(name)
            return
        self._happens(Event(Did.STARTED, name))
        for child in self.graph.children.get(name, ()):
            self._one_less(child)
        if not self.inside.get(name):
            self._ends(name)

    def _ends(self, name: str) -> None:
        urgency = 4 if (Did.ENDED, name) in self.late else 0
        heapq.heappush(self.ready, (urgency, self.number[name], 1, name))

    def _end(self, name: str) -> None:
        choices = self.story.outcomes(self.graph.tasks[name])
        wanted = self.outcomes.get(name)
        usual = Outcome.SUCCEEDED if Outcome.SUCCEEDED in choices else min(choices, key=lambda outcome: outcome.value)
        self._closed(Event(Did.ENDED, name, wanted if wanted in choices else usual))
        waiting, self.blocked = self.blocked, []
        for one in waiting:
            self._turn(one)

    def _closed(self, event: Event) -> None:
        self._happens(event)
        name = event.task
        if event.did is Did.PASSED:
            for child in self.graph.children.get(name, ()):
                self._one_less(child)
        for follower in self.after.get(name, ()):
            self._one_less(follower)
        parent = self.graph.tasks[name].parent
        if parent:
            self.inside[parent] -= 1
            if not self.inside[parent] and parent in self.story.opened:
                self._ends(parent)

    def _one_less(self, name: str) -> None:
        self.waits[name] -= 1
        if not self.waits[name]:
            self._turn(name)


def group_name(group: Group, story: Story) -> str:
    """What a group is called in this run: the first case whose guard holds, with its variables filled in."""
    for case in group.cases:
        if story.holds(case.guard):
            return "".join(
                part if isinstance(part, str) else f"<{part[1]}={story.value(part[1])}>" for part in case.parts
            )
    raise Mismatch(f"the group {group.text!r} has no name in this run")


def default_value(variable: Variable) -> Value:
    """Some value that a variable can have, for a run to which it does not matter."""
    if variable.values is not None:
        return variable.values[0]
    defaults: tuple[tuple[Kind, Value], ...] = (
        (Kind.STRING, ""),
        (Kind.NULL, None),
        (Kind.BOOLEAN, False),
        (Kind.NUMBER, 0.0),
    )
    return next(value for kind, value in defaults if kind in variable.kinds)
