"""An interpreter of the middle model that goes through a given run, event by event, and believes nothing.

The solver's answer is a configuration; `timeline.schedule` makes a run of it and
`replay` checks that run against the model alone: every condition is evaluated on
concrete values, every wait and every held group is looked up. The two share no code
with the encoding in `smt`, and only a run that passes is ever shown to anybody.
That somebody waits for ever is believed only where nothing at all can happen any more.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from hocket.verify.model import Edge, Graph, Group, Join, Kind, Point, Task, Variable, Way

__all__ = ["Did", "Event", "Mismatch", "Run", "Story", "default_value", "group_name", "replay"]


class Did(Enum):
    STARTED = "starts"
    READY = "is ready"
    SENT = "sends to"
    RECEIVED = "receives from"
    ENDED = "ends"
    PASSED = "is passed over"
    CANCELLED = "the run is cancelled"
    STUCK = "waits for ever"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to which task; `channel` for what is sent and received, `outcome` for what closes."""

    did: Did
    task: str = ""
    outcome: Outcome | None = None
    channel: str = ""

    @property
    def deed(self) -> str:
        """What happened, without who it happened to."""
        if self.outcome is not None and self.did in (Did.ENDED, Did.PASSED):
            return f"{'ends' if self.did is Did.ENDED else 'does not run'}: {self.outcome.value}"
        return f"{self.did.value} {self.channel}".rstrip()

    def __str__(self) -> str:
        return f"{self.task} {self.deed}".lstrip()


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
    ready: set[str] = field(default_factory=set)
    cancelled: bool = False
    moved: dict[str, int] = field(default_factory=dict)  # how many of its transfers each task has done
    filled: dict[str, int] = field(default_factory=dict)  # how much is in each channel
    held: dict[str, list[str]] = field(default_factory=dict)  # group name -> who holds it, "" is the run itself
    _ancestors: dict[str, frozenset[str]] = field(default_factory=dict)
    _settled: dict[int, bool] = field(default_factory=dict)  # conditions that cannot change any more, by identity

    def __post_init__(self) -> None:
        if not self.holds(self.graph.given):
            raise Mismatch("there is no such configuration: its variables do not hang together")
        for hold in self.graph.holds:
            self.held.setdefault(group_name(hold.group, self), []).append("")

    # -- what the model says -------------------------------------------------------------------------------------------

    def its_turn(self, task: Task) -> bool:
        """Everything it waits for has come so far, and what it runs within is open (or will never be)."""
        if task.parent and task.parent not in self.opened and task.parent not in self.closed:
            return False
        if all(self.past(edge) for edge in task.edges):
            return True
        return task.join is Join.ANY and not self.is_absent(task) and self.holds(task.activation, task)

    def past(self, edge: Edge) -> bool:
        """Whether this wait is over: its predecessor has come to the point, or never will."""
        if edge.before in self.closed:
            return True
        match edge.point:
            case Point.OPENED:
                return edge.before in self.opened
            case Point.READY:
                return edge.before in self.ready
            case Point.CLOSED:
                return False

    def is_absent(self, task: Task) -> bool:
        return (bool(task.parent) and task.parent not in self.ran) or not self.holds(task.presence, task)

    def may_run(self, task: Task) -> bool:
        """Whether it runs, now that its turn has come."""
        if self.is_absent(task):
            return False
        edges = task.edges if task.join is Join.ALL else ()
        return all(self._accepts(edge) for edge in edges) and self.holds(task.activation, task)

    def _accepts(self, edge: Edge) -> bool:
        outcome = self.closed.get(edge.before)
        if outcome is Outcome.ABSENT:
            return edge.optional or (edge.accepts is not None and Outcome.ABSENT in edge.accepts)
        match edge.point:
            case Point.OPENED:
                return edge.before in self.ran
            case Point.READY:
                return edge.before in self.ready
            case Point.CLOSED:
                return edge.accepts is None or outcome in edge.accepts

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
        known = self._settled.get(id(formula))
        if known is None:
            known = evaluate(formula, lambda atom: self._truth(atom, task))
            if id(formula) in self.graph.settled:
                self._settled[id(formula)] = known
        return known

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
                ended = [self.closed.get(name) in outcomes for name in self.ancestors(task.name)]
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

    def transfer(self, task: Task) -> Event | None:
        """What an open task sends or receives next, whether or not it can now; None when it has done all of it."""
        done = self.moved.get(task.name, 0)
        for one in task.transfers:
            if done < one.times:
                did = Did.SENT if one.way is Way.SEND else Did.RECEIVED
                return Event(did, task.name, channel=one.channel)
            done -= one.times
        return None

    def can_move(self, event: Event) -> bool:
        """Whether that transfer can happen now: there is room, or something is there."""
        fill = self.filled.get(event.channel, 0)
        if event.did is Did.RECEIVED:
            return fill > 0
        channel = self.graph.channels.get(event.channel)
        if channel is None or channel.capacity is None:
            return True
        return fill < channel.capacity or (not channel.capacity and not fill and self._met(event.channel))

    def _met(self, channel: str) -> bool:
        wanted = (self.transfer(self.graph.tasks[name]) for name in self.opened)
        return any(event is not None and event.did is Did.RECEIVED and event.channel == channel for event in wanted)

    def can_end(self, task: Task) -> bool:
        """An open task can close: its children have, what it awaits has come, and it has nothing to send or receive."""
        inside = self.graph.children.get(task.name, ())
        if not all(child in self.closed for child in inside) or not all(self.past(edge) for edge in task.awaits):
            return False
        return self.transfer(task) is None

    def is_stuck(self) -> bool:
        """Nothing can happen any more, and not everything has closed."""
        if len(self.closed) == len(self.graph.tasks):
            return False
        return not any(self._can_happen(task) for task in self.graph.tasks.values() if task.name not in self.closed)

    def _can_happen(self, task: Task) -> bool:
        if task.name not in self.opened:
            return self.its_turn(task) and (not self.may_run(task) or self.blocked(task) is None)
        step = self.transfer(task)
        return self.can_move(step) if step is not None else self.can_end(task)

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
            case Did.READY:
                self._check(task.name in self.opened and task.ready, f"{task.name} cannot be ready")
                self.ready.add(task.name)
            case Did.SENT | Did.RECEIVED:
                self._move(task, event)
            case Did.ENDED:
                self._end(task, event.outcome)
            case Did.PASSED:
                self._pass(task, event.outcome)
            case Did.STUCK:
                self._check(task.name not in self.closed, f"{task.name} has closed")
                self._check(self.is_stuck(), "something can still happen")

    def _start(self, task: Task) -> None:
        self._check(task.name not in self.opened and task.name not in self.closed, f"{task.name} starts twice")
        self._check(self.its_turn(task), f"{task.name} starts before its turn")
        self._check(self.may_run(task), f"{task.name} starts against its condition")
        self._check(self.blocked(task) is None, f"{task.name} starts without its group")
        for hold in task.holds:
            self.held.setdefault(group_name(hold.group, self), []).extend([task.name] * hold.amount)
        self.opened[task.name] = None
        self.ran.add(task.name)

    def _move(self, task: Task, event: Event) -> None:
        self._check(task.name in self.opened, f"{task.name} is not open")
        self._check(self.transfer(task) == event, f"{task.name} has something else to send or receive")
        self._check(self.can_move(event), f"{task.name} has to wait for {event.channel}")
        self.moved[task.name] = self.moved.get(task.name, 0) + 1
        change = 1 if event.did is Did.SENT else -1
        self.filled[event.channel] = self.filled.get(event.channel, 0) + change

    def _end(self, task: Task, outcome: Outcome | None) -> None:
        self._check(task.name in self.opened, f"{task.name} ends without having started")
        self._check(self.can_end(task), f"{task.name} ends before its children, or before what it waits for")
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
        """How a task ends that is passed over now."""
        if self.is_absent(task):
            return (Outcome.ABSENT,)
        if self.holds(task.lost, task):
            return (Outcome.FAILED,)
        return (Outcome.SKIPPED, Outcome.CANCELLED) if self.cancelled else (Outcome.SKIPPED,)

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
