"""The middle model: what every reader produces and every question is asked about.

A reader turns one format into tasks, edges, variables and holds, each with its
place in the source; questions, solver, replay, certificates and renderings know
only this. So a format is one thin file, and a question works for all formats.

What a run is: every task whose `presence` is true is in it. A task's turn comes
when all its present predecessors have come to the `point` that its edges wait for
(mostly: have closed); it then runs if each edge accepts its predecessor's outcome
and the `activation` holds, and is skipped otherwise (or cancelled, if the run was,
or lost, if `lost` says so). A task with children opens, its children run inside it,
and it closes after them with an outcome made of theirs. While it runs it holds its
resources, also while it waits: for children, for what it `awaits`, for a channel.

Refused: success/failure as the only outcomes, conditions on edges only, and
places as line numbers in messages: each of the formats we must read needs more.
Refused as well: a second kind of edge for each format. What differs (who is waited
for until when, what is accepted, whether it may be missing) are fields of one.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from functools import cached_property
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from hocket.verify.formula import FALSE, TRUE, Atom, Equal, Formula, Matches, Outcome, Value, atoms

__all__ = [
    "NOWHERE", "RAN", "SUCCEEDED", "Access", "Bare", "Case", "Channel", "Copies", "Edge", "Graph", "Group", "Hold",
    "Idle", "Join", "Kind", "Mode", "Point", "Span", "Task", "Timing", "Transfer", "Until", "Variable", "Way",
    "named_group", "one_by_one",
]  # fmt: skip

RAN = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED})
SUCCEEDED = frozenset({Outcome.SUCCEEDED})


class Span(NamedTuple):
    """A place in a source: 1-based line and column of its first character, and of the one after its last.

    A named tuple, and no dataclass: a large graph has a million of them, and these are made four times as fast.
    """

    path: str
    line: int
    column: int
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


NOWHERE = Span("", 0, 0)


class Kind(Enum):
    """The types an external variable can have."""

    NULL = "null"
    BOOLEAN = "boolean"
    NUMBER = "number"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Variable:
    """Something outside the graph that decides: an event, a branch, an input, an output that a task computes.

    `values` lists all it can be, or is None if that is open. `owner` names the task
    that sets it: until that task has run, the variable is null. A `guess` stands for a
    condition that the reader could not express: it may be anything, so nothing is said
    to be impossible because of it, and nobody to be left out (`gaps.certainly`). A run
    that is shown may suppose a value of it, and names it among its values.
    """

    name: str
    kinds: frozenset[Kind]
    values: tuple[Value, ...] | None = None
    owner: str = ""
    guess: bool = False


class Point(Enum):
    """How far a predecessor has to have come: begun, ready for others (a service that is healthy), or closed."""

    OPENED = "opened"
    READY = "ready"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Edge:
    """This task waits for `before`; `accepts` are the outcomes of `before` after which it may still run (None: any).

    An `optional` edge does not count where `before` is absent; any other edge then keeps the task from running.
    With a `point` other than CLOSED it waits for less, and `accepts` has no say: whoever never comes to that point
    (it was passed over, or failed before it was ready) keeps the task from running.
    """

    before: str
    span: Span
    accepts: frozenset[Outcome] | None = None
    optional: bool = False
    point: Point = Point.CLOSED


class Idle(Enum):
    """Whether it is no mistake of a task that it never runs: it is switched off, or other callers may let it run."""

    NO = "no"
    OFF = "off"
    CALLED = "called"


class Join(Enum):
    """When a task's turn comes: after all its predecessors, or as soon as its activation holds (one_success).

    With ANY the activation has to be positive: an outcome that comes later never makes it false again.
    """

    ALL = "all"
    ANY = "any"


class Until(Enum):
    """For how long a resource is held: while the task's own work lasts, or until all its children have closed."""

    TASK = "task"
    SCOPE = "scope"


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a group's name comes out: under `guard` it is these parts, written one after another.

    A part is a literal string, or `("variable", name)` for what is not known before the run.
    """

    guard: Formula
    parts: tuple[str | tuple[str, str], ...]

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else f"<{part[1]}>" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Group:
    """The name of a counted resource, as far as it is known; `text` is how the source spells it."""

    text: str
    cases: tuple[Case, ...]
    capacity: int = 1


@dataclass(frozen=True, slots=True)
class Hold:
    """A resource that is taken before a task starts and given back when `until` says."""

    group: Group
    span: Span
    until: Until = Until.TASK
    amount: int = 1
    label: str = ""


class Mode(Enum):
    READ = "reads"
    WRITE = "writes"


@dataclass(frozen=True, slots=True)
class Access:
    """A task reads or writes something while it runs: a file, a table, a volume, by whatever name the source has."""

    resource: str
    mode: Mode
    span: Span = NOWHERE


@dataclass(frozen=True, slots=True)
class Timing:
    """What is known of a task's time, in seconds: how long one try takes, when it is cut off, how often it is retried.

    `deadline` counts from the beginning of the run; `delay` lies between two tries.
    """

    least: float = 0.0
    most: float = math.inf
    timeout: float = math.inf
    retries: int = 0
    delay: float = 0.0
    deadline: float = math.inf
    span: Span = NOWHERE

    @property
    def longest(self) -> float:
        """The longest that all tries and the delays between them can take."""
        return min(self.most, self.timeout) * (self.retries + 1) + self.delay * self.retries

    @property
    def shortest(self) -> float:
        return min(self.least, self.timeout)


@dataclass(frozen=True, slots=True)
class Copies:
    """How many times a task is there side by side: a template, a mapped task, a matrix. `most` None: any number."""

    least: int = 1
    most: int | None = 1
    span: Span = NOWHERE


class Way(Enum):
    SEND = "sends to"
    RECEIVE = "receives from"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Something that a task puts into a channel, or takes from it, `times` times in a row; it waits until it can."""

    channel: str
    way: Way
    span: Span = NOWHERE
    times: int = 1


@dataclass(frozen=True, slots=True)
class Channel:
    """Where tasks put things for each other: `capacity` of them (0: sender and receiver meet), or any number (None)."""

    name: str
    capacity: int | None = None
    span: Span = NOWHERE


_ONCE = Copies()
_UNTIMED = Timing()


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `parent` names the task within which it runs; `may` are the outcomes it can have once it runs.

    A task with `may` holding SKIPPED can find, once it runs, that it has nothing to do. `awaits` are waits in the
    middle of its own work, while it keeps what it holds; whatever they `accept`, it only waits. `lost` says when a
    task that is passed over counts as failed rather than skipped (Airflow's upstream_failed).
    """

    name: str
    span: Span
    edges: tuple[Edge, ...] = ()
    presence: Formula = TRUE
    activation: Formula = TRUE
    may: frozenset[Outcome] = RAN
    parent: str = ""
    holds: tuple[Hold, ...] = ()
    condition: Span = NOWHERE  # where its condition stands, if it has one
    opaque: bool = False  # its children are somewhere that we cannot read
    idle: Idle = Idle.NO
    join: Join = Join.ALL
    lost: Formula = FALSE
    ready: bool = True  # whether it can become ready: False only where the source says that it never will
    awaits: tuple[Edge, ...] = ()
    works: bool | None = None  # whether it keeps a worker while it is open; None: if it has no children, or awaits
    accesses: tuple[Access, ...] = ()
    transfers: tuple[Transfer, ...] = ()  # in the order in which it does them
    timing: Timing = _UNTIMED
    copies: Copies = _ONCE


_USUAL = {row.name: row.default for row in fields(Task)}


class Bare(Mapping[str, Task]):
    """Tasks of which a name and what they come after is all that is said, and whom success lets on: numbers, as long
    as nobody asks for one of them.

    `places` are those of the names; `befores` is what the first comes after, then what the second comes after, and so
    on, `counts` how many that is for each. A task is made when it is asked for, with the spans that `spans` gives for
    its place: its own, then those of its edges.
    """

    def __init__(
        self, places: dict[str, int], befores: array[int], counts: array[int], spans: Callable[[int], Sequence[Span]]
    ) -> None:
        self.places, self.befores, self.counts = places, befores, counts
        self._spans = spans
        self._made: dict[str, Task] = {}

    @cached_property
    def names(self) -> list[str]:
        return list(self.places)

    @cached_property
    def _offsets(self) -> array[int]:
        return array("q", accumulate(self.counts, initial=0))

    def __getitem__(self, name: str) -> Task:
        task = self._made.get(name)
        if task is None:
            place = self.places[name]
            span, *spans = self._spans(place)
            befores = self.befores[self._offsets[place] : self._offsets[place + 1]]
            edges = (Edge(self.names[one], where, SUCCEEDED) for one, where in zip(befores, spans, strict=True))
            task = self._made[name] = Task(name, span, tuple(edges))
        return task

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: object) -> bool:
        return name in self.places


@dataclass(frozen=True)
class Graph:
    """Tasks by name, variables by name, and what the whole run holds while it lasts.

    `entries` are the tasks with which runs begin, where the source names them: whatever none of them leads to is an
    orphan. `finals` are those for which the graph is run, as graphs of entities finalise them: whatever none of them
    waits for is an orphan too. `claims` are assertions that stand in the source itself, each with its place. `deadline`
    is that of the whole run, in seconds. `given` is what every configuration fulfils, over variables alone: how they
    hang together (a pipeline for a tag has no branch), so that no configuration is shown that cannot be.
    """

    path: str
    format: str
    tasks: Mapping[str, Task]
    variables: dict[str, Variable] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    channels: dict[str, Channel] = field(default_factory=dict)
    entries: tuple[str, ...] = ()
    claims: tuple[tuple[str, Span], ...] = ()
    deadline: float = math.inf
    given: Formula = TRUE
    finals: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of edges."""
        if isinstance(self.tasks, Bare):
            return len(self.tasks.befores)
        return sum(len(task.edges) for task in self.tasks.values())

    def uses(self, *said: str) -> bool:
        """Whether any task says something in one of these fields: what nobody has, nobody needs to ask about."""
        if isinstance(self.tasks, Bare):
            return "edges" in said and len(self.tasks.befores) > 0
        return any(map(self._says, said))

    def _says(self, name: str) -> bool:
        usual = _USUAL[name]
        kinds = {id(one): one for one in map(attrgetter(name), self.tasks.values())}  # most tasks share what is usual
        return any(one != usual for one in kinds.values())

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The tasks directly within each task that has any, in their order in the source."""
        found: dict[str, list[str]] = {}
        if isinstance(self.tasks, Bare):
            return {}
        for task in self.tasks.values():
            if task.parent:
                found.setdefault(task.parent, []).append(task.name)
        return {name: tuple(inside) for name, inside in found.items()}

    @cached_property
    def settled(self) -> frozenset[int]:
        """The conditions, by identity, that the configuration alone decides, and not what tasks do."""
        conditions = (formula for task in self.tasks.values() for formula in (task.presence, task.activation))
        return frozenset(id(formula) for formula in conditions if all(map(self._is_given, atoms(formula))))

    @cached_property
    def weight(self) -> int:
        """What it costs to go through one run: the tasks, and all that their conditions say."""
        return sum(1 + sum(1 for part in (task.presence, task.activation) for _ in atoms(part))
                   for task in self.tasks.values())  # fmt: skip

    def _is_given(self, atom: Atom) -> bool:
        return isinstance(atom, Equal | Matches) and not self.variables[atom.variable].owner

    @cached_property
    def conditional(self) -> bool:
        """Whether anything but the shape of the graph decides what runs."""
        return self.uses("presence", "activation")

    @cached_property
    def plain(self) -> bool:
        """Nothing but the edges decides, and each accepts success: where all succeed, all run."""
        if isinstance(self.tasks, Bare):
            return True
        if self.conditional or any(Outcome.SUCCEEDED not in task.may for task in self._kinds_of_task):
            return False
        unready = {name for name, task in self.tasks.items() if not task.ready}
        fine: dict[int, bool] = {}  # by identity: most edges of a graph share what they accept
        for task in self.tasks.values():
            for edge in task.edges:
                accepts = edge.accepts
                known = fine.get(id(accepts))
                if known is None:
                    known = fine[id(accepts)] = accepts is None or Outcome.SUCCEEDED in accepts
                if not known or (unready and edge.point is Point.READY and edge.before in unready):
                    return False
        return True

    @property
    def _kinds_of_task(self) -> list[Task]:
        """One task for each way in which tasks can end, as told apart by identity."""
        return list({id(task.may): task for task in self.tasks.values()}.values())


def named_group(name: str, capacity: int = 1) -> Group:
    """A resource whose name is known before the run: a pool, a lock, a semaphore."""
    return Group(name, (Case(TRUE, (name,)),), capacity)


def one_by_one(task: Task) -> tuple[Task, ...]:
    """A task that takes its resources one after another, as tasks within each other: each holds one and waits for next.

    The outermost keeps the task's name, edges and conditions, so that whoever waits for the task waits for all of it;
    the innermost does the work. A task with one resource or none is itself.
    """
    if len(task.holds) < 2:
        return (task,)
    first, *others = (replace(hold, until=Until.SCOPE) for hold in task.holds)
    works = task.works is not False
    rows = [replace(task, holds=(first,), awaits=(), accesses=(), transfers=(), timing=_UNTIMED, works=works)]
    for place, hold in enumerate(others):
        held = ", ".join(one.group.text for one in task.holds[: place + 1])
        name = f"{task.name}, holding {held}"
        rows.append(Task(name, hold.span, may=task.may, parent=rows[-1].name, holds=(hold,), works=False))
    inner = replace(rows[-1], awaits=task.awaits, accesses=task.accesses, transfers=task.transfers, timing=task.timing)
    return (*rows[:-1], inner)
