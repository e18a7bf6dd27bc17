"""The rows of `lifecycle`, in the form in which a machine reads them a million times a second.

Nothing is said here that the rows do not say: a test takes both forms apart and
compares them, row by row and state by state.
"""

from __future__ import annotations

from collections.abc import Callable

from hocket.kernel.lifecycle import EVENTS, STATES, Condition, EventRow, Phase, StateRow, Stimulus
from hocket.kernel.node import Node

__all__ = ["event_row", "state_row"]


def _event_table() -> list[list[EventRow | None]]:
    """EVENTS by stimulus and phase."""
    table: list[list[EventRow | None]] = [[None] * len(Phase) for _ in Stimulus]
    for row in EVENTS:
        for phase in row.phases:
            assert table[row.stimulus][phase] is None, f"two rows for {row.stimulus.name} in {phase.name}"
            table[row.stimulus][phase] = row
    return table


def _test(condition: Condition) -> str:
    return f"node.{condition.field}" if condition.holds_when else f"not node.{condition.field}"


def _state_reader() -> Callable[[Node], StateRow | None]:
    """STATES as one function of nested ifs: three times as fast as reading the conditions one by one."""
    lines = ["def state_row(node):", "    phase = node.phase"]
    for phase in Phase:
        rows = [(number, row) for number, row in enumerate(STATES) if row.phase is phase]
        lines += [f"    if phase is {phase.name}:"] if rows else []
        for number, row in rows:
            lines.append(f"        if {' and '.join(map(_test, row.when))}: return rows[{number}]")
        lines += ["        return None"] if rows else []
    names = {"rows": STATES, **{phase.name: phase for phase in Phase}}
    exec("\n".join(lines), names)
    return names["state_row"]  # type: ignore[return-value]  # exec made it


event_row = _event_table()
"""event_row[stimulus][phase]: the row, or None where the stimulus is refused."""

state_row = _state_reader()
"""The one state-triggered row that applies to a node, or None; `proofs/` shows that there is never a second."""
