"""The classes that an exploration covered, written down so that a stranger can check that none is missing.

One execution of each class is recorded: the objects with their first states, the
operations in order, and what was still pending at the end. Between which accesses
others could come is said, if it was not between all. No code of the program is in it,
and no word about how the executions were found: `explore/audit.py` checks it from the
meaning of the operations alone.

Values are written as JSON. An argument that is no plain value (a function, an
object) would have to be trusted, so there is no certificate then, and `refusal`
says why.
"""

from __future__ import annotations

from typing import Any

from hocket.explore.execution import Execution
from hocket.trace.operation import Operation
from hocket.verdict import Certificate

__all__ = ["KIND", "Recorder", "read_value"]

KIND = "hocket-classes-1"
_PLAIN = (int, float, str, bool, type(None))
_OF_ACTORS = {"thread.spawn", "thread.join"}  # their argument is an actor


class Recorder:
    """Collects one record an execution; give `record` to a host as `watch`."""

    def __init__(self, model: str = "free") -> None:
        self.model = model
        self.records: list[dict[str, Any]] = []
        self.refusal = ""

    def record(self, execution: Execution) -> None:
        """Write the execution down; it must be complete."""
        if self.refusal:
            return
        try:
            self.records.append(_record(execution))
        except _NotPlain as reason:
            self.records, self.refusal = [], str(reason)

    def refuse(self, reason: str) -> None:
        """Hand out nothing, for a reason that no single execution shows."""
        self.records, self.refusal = [], reason

    def certificate(self) -> Certificate | None:
        """What to hand out; None if there is a `refusal`."""
        said = {} if self.model == "free" else {"model": self.model}
        return None if self.refusal else Certificate(KIND, {"kind": KIND, **said, "executions": self.records})


class _NotPlain(Exception):
    """A value that cannot be written down."""


def _record(execution: Execution) -> dict[str, Any]:
    actors = execution.cast.actors
    pending = [[actors[actor], *_operation(operation, execution)]
               for actor, operation in enumerate(execution.pending) if operation is not None]
    return {
        "objects": [[_birth(index, execution), write_value(state)] for index, state in execution.initial.items()],
        "threads": {actors[actor]: _birth(index, execution) for actor, index in execution.threads.items()},
        "events": [[actors[event.actor], *_operation(event.operation, execution), event.alternative]
                   for event in execution.events],
        "pending": pending,
    }


def _operation(operation: Operation, execution: Execution) -> list[Any]:
    argument = operation.argument
    if operation.kind == "condition.reacquire":
        argument = 1  # how deep a re-entrant lock was held is not recorded: its inner steps are not, either
    written = execution.cast.actors[argument] if operation.kind in _OF_ACTORS else write_value(argument)
    return [operation.kind, [_birth(index, execution) for index in operation.objects], written]


def _birth(index: int, execution: Execution) -> str:
    creator, family, number = execution.cast.births[index]
    return f"{creator}/{family}/{number}"


def write_value(value: Any) -> Any:
    """A value as JSON: plain ones as they are, tuples and frozen sets marked."""
    if type(value) in _PLAIN:
        return value
    if type(value) is tuple:
        return {"tuple": [write_value(item) for item in value]}
    if type(value) is frozenset:
        return {"set": sorted((write_value(item) for item in value), key=repr)}
    raise _NotPlain(f"a value of type {type(value).__name__} cannot be written into a certificate: {value!r:.60}")


def read_value(written: Any) -> Any:
    """What `write_value` wrote; raises ValueError for anything else."""
    match written:
        case {"tuple": [*items]}: return tuple(read_value(item) for item in items)
        case {"set": [*items]}: return frozenset(read_value(item) for item in items)
        case int() | float() | str() | bool() | None: return written
    raise ValueError(f"no value: {written!r:.60}")
