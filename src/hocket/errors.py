"""Every exception that Hocket raises, on one page, by who is to blame.

An exception here is for what a *user* can do wrong or must be told; what only
we can do wrong is an `assert`. Each carries its evidence as attributes, so that
a program can read what a person reads. A call that raises has changed nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "AlreadyJoined",
    "Canceled",
    "CheckpointError",
    "CycleError",
    "DeadlockError",
    "DeclarationError",
    "DivergenceError",
    "EntityError",
    "ExpectedFork",
    "ExplorationError",
    "Full",
    "Gone",
    "GraphError",
    "HardTimeout",
    "HasParent",
    "HocketError",
    "MissingExtra",
    "NoPriority",
    "NoRunner",
    "NondeterminismError",
    "Orphans",
    "PlanEnded",
    "PlanError",
    "Refused",
    "ScheduleError",
    "SourceError",
    "SpecError",
    "Stalled",
    "Stranded",
    "SubsystemError",
    "Tampered",
    "TaskLost",
    "Terminated",
    "Undeclared",
    "Unverified",
]


class HocketError(Exception):
    """The base of every exception below: `except HocketError` catches what Hocket itself has to say."""


# -- whoever calls us -------------------------------------------------------------------------------------------------


class Refused(HocketError):
    """A call that the state of its thing does not allow; nothing was changed.

    `thing` is what was addressed, `state` where it stands, `expected` where it should have stood.
    """

    def __init__(self, thing: str, did: str, state: str, expected: str, cure: str = "") -> None:
        self.thing, self.did, self.state, self.expected, self.cure = thing, did, state, expected, cure
        super().__init__(f"{thing!r} was {did} but it is {state}; expected: {expected}" + (f". {cure}" if cure else ""))


class Stranded(RuntimeWarning):
    """The last worker was sent away, and `tasks` wait for one. Nothing is lost: another worker will run them."""

    def __init__(self, worker: str, tasks: Sequence[str]) -> None:
        self.worker, self.tasks = worker, tuple(tasks)
        named = ", ".join(map(repr, tasks[:3])) + (f" and {len(tasks) - 3} more" if len(tasks) > 3 else "")
        waits = "waits" if len(tasks) == 1 else "wait"
        super().__init__(f"{worker!r} was the last worker, and {named} {waits}: add one, or join with help=True")


class MissingExtra(HocketError, ImportError):
    """A part was asked for whose optional dependency is not installed; `extra` names what to install."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{purpose} needs {package}, which is not installed: pip install 'hocket[{extra}]'")


class CheckpointError(HocketError):
    """A saved search that cannot be gone on with: `path` is the file, `reason` why; it was left as it is."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"the checkpoint {path} is of no use: {reason}; delete it to begin anew, or name another file")


# -- whoever wrote the graph ------------------------------------------------------------------------------------------


class GraphError(HocketError):
    """A task graph that means nothing: an unknown task, a duplicate, an edge between nothing."""


class CycleError(GraphError):
    """A graph in which some tasks wait for each other; `cycle` names them, each waiting for the next."""

    def __init__(self, cycle: Sequence[Any], message: str = "") -> None:
        self.cycle = tuple(cycle)
        path = " → ".join(str(name) for name in (*self.cycle, *self.cycle[:1]))
        super().__init__(message or f"these tasks wait for each other: {path}; take out one of these edges")


class Unverified(GraphError, AssertionError):
    """A graph that does not hold what was asked of it: `report` has the findings, each with its place and its run."""

    def __init__(self, message: str, report: Any = None) -> None:
        self.report = report
        super().__init__(message)


class EntityError(GraphError):
    """A use of entities that means nothing; `entities` are the numbers of those that it is about."""

    def __init__(self, message: str, entities: Sequence[int]) -> None:
        self.entities = tuple(entities)
        super().__init__(message)


class AlreadyJoined(EntityError):
    """An entity was to come after a second one (ST-07): `parent` comes after `already`, and was joined to `new`."""

    def __init__(self, message: str, parent: int, already: int, new: int) -> None:
        self.parent, self.already, self.new = parent, already, new
        super().__init__(message, (parent, already, new))


class ExpectedFork(EntityError):
    """A prong was given to an entity that is a task (ST-06)."""


class HasParent(EntityError):
    """An entity is finalised and waited for: the first of `entities`; the others are those that wait (S-B3)."""


class NoRunner(EntityError):
    """Tasks that would never be called, because nobody runs tasks of their types (S-B7)."""


class Orphans(EntityError):
    """Entities that were made and never finalised, nor is anything that waits for them: they never run."""


class Tampered(EntityError):
    """What only the runtime may change was changed by somebody else: progress, edges, or whether an entity exists."""


class PlanError(HocketError):
    """A task, a tree or a plan that cannot be: `code` names the rule, `node` the task, `cure` says what to write.

    The text before the cure is stable: tests and tools may look for it.
    """

    def __init__(self, code: str, node: str, message: str, cure: str = "") -> None:
        self.code, self.node, self.message, self.cure = code, node, message, cure
        super().__init__(f"{node!r} {message}" + (f": {cure}" if cure else ""))


# -- whoever wrote the file -------------------------------------------------------------------------------------------


class SourceError(HocketError):
    """An input that cannot be used: where it is wrong (1-based line and column, 0 if unknown), and how to mend it."""

    def __init__(self, message: str, path: str = "", line: int = 0, column: int = 0, cure: str = "") -> None:
        self.message, self.path, self.line, self.column, self.cure = message, path, line, column, cure
        place = ":".join(str(part) for part in (path, line, column) if part)
        super().__init__((f"{place}: " if place else "") + message + (f" ({cure})" if cure else ""))


class ScheduleError(HocketError):
    """A schedule that cannot be read: `text` is what was given."""

    def __init__(self, message: str, text: str = "") -> None:
        self.text = text
        super().__init__(message)


class DivergenceError(ScheduleError):
    """A schedule of another program: at `step` it says `expected`, and the program was about to do `got`."""

    def __init__(self, step: int, expected: str, got: str) -> None:
        self.step, self.expected, self.got = step, expected, got
        super().__init__(
            f"this schedule is of another program, or the program has changed: at step {step} it says {expected}, "
            f"but the program does {got}; explore again to get a new one"
        )


# -- whoever wrote the model ------------------------------------------------------------------------------------------


class SpecError(HocketError):
    """A specification that says nothing definite: what is wrong, the line of the model, and how to mend it."""

    def __init__(self, message: str, path: str = "", line: int = 0, cure: str = "") -> None:
        self.message, self.path, self.line, self.cure = message, path, line, cure
        place = f"{path}:{line}: " if path else ""
        super().__init__(place + message + (f" (write: {cure.removeprefix('write ')})" if cure else ""))


# -- the program that runs --------------------------------------------------------------------------------------------


class TaskLost(HocketError):
    """A task was joined that closed without having finished and without an exception of its own.

    `task` names it, `outcome` says how it closed, `cause` names the task that was lost first.
    """

    def __init__(self, task: str, outcome: str, cause: str) -> None:
        self.task, self.outcome, self.cause = task, outcome, cause
        ended = outcome if outcome == "failed" else f"was {outcome}"
        super().__init__(f"{task!r} {ended}" + (f" because {cause!r} was lost" if cause and cause != task else ""))


class PlanEnded(HocketError):
    """A plan did not succeed, and no exception is to blame: `task` ended it with `status`."""

    def __init__(self, task: str, status: str) -> None:
        self.task, self.status = task, status
        super().__init__(f"the plan ended with {status}" + (f", which {task!r} returned" if task else ""))


class DeadlockError(HocketError):
    """Nobody can go on; `waits` says who waits for what, and `cycle` is the part of it that closes (may be empty)."""

    def __init__(self, message: str, waits: Sequence[str] = (), cycle: Sequence[str] = ()) -> None:
        self.waits, self.cycle = tuple(waits), tuple(cycle)
        super().__init__(message)


class NondeterminismError(HocketError):
    """A program under exploration that does not do the same when it is run the same way again.

    At `step` (from 1), after the same choices, `actor` did `expected` in one execution and `got` in another.
    """

    def __init__(self, step: int, actor: str, expected: str, got: str) -> None:
        self.step, self.actor, self.expected, self.got = step, actor, expected, got
        super().__init__(
            f"the program is not deterministic: at step {step}, after the same schedule, {actor} was about to do "
            f"{expected} before and now {got}; usual causes: state kept between runs, random numbers, time, "
            "the order of a set"
        )


class ExplorationError(HocketError):
    """An exploration that did not end with a proof and has no exception of the program to show: a leak, a livelock,
    a test that does not repeat itself, or a search that was cut short; `result` is what it came to, if there is one."""

    def __init__(self, message: str, result: Any = None) -> None:
        self.result = result
        super().__init__(message)


# -- whoever declared or wrote a subsystem ----------------------------------------------------------------------------


class DeclarationError(HocketError):
    """An orchestra that cannot be: `subject` names the subsystem, message or attribute that is wrong."""

    def __init__(self, message: str, subject: str = "") -> None:
        self.subject = subject
        super().__init__(message)


class Undeclared(HocketError):
    """Something was sent that its sender did not declare, or not in this way; `sender` and `message` say what."""

    def __init__(self, sender: str, message: Any, reason: str) -> None:
        self.sender, self.message = sender, message
        super().__init__(f"{sender!r} sent a {type(message).__name__}: {reason}")


class Full(HocketError):
    """`try_send` found no room at `receiver`; `message` was not sent."""

    def __init__(self, receiver: str, message: Any) -> None:
        self.receiver, self.message = receiver, message
        super().__init__(f"the queue of {receiver!r} is full: the {type(message).__name__} was not sent")


class Gone(HocketError):
    """The receiver has ended, or is about to; `message` was not delivered."""

    def __init__(self, receiver: str, message: Any) -> None:
        self.receiver, self.message = receiver, message
        super().__init__(f"{receiver!r} receives no more: the {type(message).__name__} was not delivered")


class NoPriority(HocketError):
    """A priority message for a receiver that has no queue for them; `message` was not sent."""

    def __init__(self, receiver: str, message: Any) -> None:
        self.receiver, self.message = receiver, message
        super().__init__(
            f"{receiver!r} has no priority queue: declare it with priority=True, or send the "
            f"{type(message).__name__} normally"
        )


class Stalled(HocketError):
    """There was no room at `receiver` for `message` within `seconds`; it was not sent."""

    def __init__(self, receiver: str, message: Any, seconds: float) -> None:
        self.receiver, self.message, self.seconds = receiver, message, seconds
        super().__init__(f"{receiver!r} took nothing for {seconds:g} s: the {type(message).__name__} was not sent")


class Terminated(HocketError):
    """Everything was received, and nothing more will come to `receiver`."""

    def __init__(self, receiver: str) -> None:
        self.receiver = receiver
        super().__init__(f"{receiver!r} has received everything, and nothing more will come")


class SubsystemError(HocketError):
    """A subsystem, or a job of one, raised; `origin` names it, and the exception is the cause of this one."""

    def __init__(self, origin: str, source: BaseException) -> None:
        self.origin, self.source = origin, source
        super().__init__(f"{origin!r} raised {type(source).__name__}: {source}")


class Canceled(HocketError):
    """An answer was awaited that nobody can give any more: its sender is gone; `name` says which."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name!r} will never be answered: its sender was closed or dropped")


class HardTimeout(HocketError, TimeoutError):
    """An answer did not come within `seconds`; `name` says which."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name, self.seconds = name, seconds
        super().__init__(f"{name!r} was not answered within {seconds:g} s")
