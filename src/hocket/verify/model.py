"""The middle model: what every reader produces and every question is asked about.

A reader turns one format into tasks, edges, variables and holds, each with its
place in the source; questions, solver, replay, certificates and renderings know
only this. So a format is one thin file, and a question works for all formats.

What a run is: every task whose `presence` is true is in it. A task's turn comes
when all its present predecessors have closed; it then runs if each edge accepts
its predecessor's outcome and the `activation` holds, and is skipped otherwise
(or cancelled, if the run was). A task with children opens, its children run
inside it, and it closes after them with an outcome made of theirs.

Refused: success/failure as the only outcomes, conditions on edges only, and
places as line numbers in messages: each of the formats we must read needs more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from hocket.verify.formula import TRUE, Formula, Outcome, Value

__all__ = ["NOWHERE", "RAN", "Case", "Edge", "Graph", "Group", "Hold", "Kind", "Span", "Task", "Until", "Variable"]

RAN = frozenset({Outcome.SUCCEEDED, Outcome.FAILED, Outcome.CANCELLED})


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A place in a source: 1-based line and column of its first character, and of the one after its last."""

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
    that sets it: until that task has run, the variable is null.
    """

    name: str
    kinds: frozenset[Kind]
    values: tuple[Value, ...] | None = None
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """This task waits for `before`; `accepts` are the outcomes of `before` after which it may still run (None: any).

    An `optional` edge does not count where `before` is absent; any other edge then keeps the task from running.
    """

    before: str
    span: Span
    accepts: frozenset[Outcome] | None = None
    optional: bool = False


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


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `parent` names the task within which it runs; `may` are the outcomes it can have once it runs."""

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


@dataclass(frozen=True)
class Graph:
    """Tasks by name, variables by name, and what the whole run holds while it lasts."""

    path: str
    format: str
    tasks: dict[str, Task]
    variables: dict[str, Variable] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()

    @cached_property
    def children(self) -> dict[str, tuple[str, ...]]:
        """The tasks directly within each task that has any, in their order in the source."""
        found: dict[str, list[str]] = {}
        for task in self.tasks.values():
            if task.parent:
                found.setdefault(task.parent, []).append(task.name)
        return {name: tuple(inside) for name, inside in found.items()}

    @cached_property
    def conditional(self) -> bool:
        """Whether anything but the shape of the graph decides what runs."""
        return any(task.presence != TRUE or task.activation != TRUE for task in self.tasks.values())
