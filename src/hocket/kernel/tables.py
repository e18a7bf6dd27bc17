"""The rows of `lifecycle`, in the form in which a machine executes them a million times a second.

Each table is written out as Python: a row becomes an `if` and the deeds that it
says, and nothing is said here that the rows do not say. A test takes both forms
apart and compares them, row by row and standing by standing. Refused: a loop over
conditions and fields that reads the rows as it goes, which costs four times as
much; and rules written by hand, which `proofs/` could not read.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator
from typing import Any, Protocol
from zlib import crc32

from hocket.kernel.lifecycle import EVENTS, STATES, Command, Condition, EventRow, Outcome, Phase, StateRow, Stimulus
from hocket.kernel.node import Node

__all__ = ["event_row", "settle", "state_row", "take"]


class Machine(Protocol):
    """What a deed may ask of the kernel: to take down a command, and what follows from a moment."""

    commands: list[tuple[Command, Node]]
    watch: Any

    def opened(self, node: Node) -> None: ...
    def ended(self, node: Node) -> None: ...
    def closed(self, node: Node) -> None: ...
    def armed(self, node: Node) -> None: ...


_OBSERVED = "kernel.watch is not None or node.inside is not None"  # who opens or ends unobserved costs no call


def _deeds(row: EventRow | StateRow) -> Iterator[str]:
    """What a row says is to be done, as statements."""
    if isinstance(row, EventRow):
        yield from [f"node.bodies += {row.bodies}"] if row.bodies else []
        yield from ["node.start -= 1"] if row.token else []
    yield from [f"node.phase = {row.to.name}"] if row.to is not None else []
    yield from [f"node.fate = {row.fate.name}"] if row.fate is not None else []
    yield from [f"kernel.commands.append(({row.command.name}, node))"] if row.command is not None else []
    if row.opens:
        yield from ["node.opened = True", f"if {_OBSERVED}: kernel.opened(node)"]
    if row.to is Phase.DRAINING:
        yield f"if {_OBSERVED}: kernel.ended(node)"
    if row.to is Phase.CLOSED:
        yield "kernel.closed(node)"
    if isinstance(row, EventRow) and row.token:
        yield "if node.scope.stopped is not None: kernel.armed(node)"


def _indented(depth: int, lines: Iterator[str] | list[str]) -> list[str]:
    return [" " * 4 * depth + line for line in lines]


def _compiled(name: str, lines: list[str]) -> Any:
    """The function of that name that these lines define; phases, outcomes and commands are known by their names."""
    names: dict[str, Any] = {"__name__": __name__, "rows": STATES}
    for words in (Phase, Outcome, Command):
        names.update((word.name, word) for word in words)
    text = "\n".join(lines)
    file = f"<{__name__} {name} {crc32(text.encode()):08x}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)  # so that tracebacks show it
    exec(compile(text, file, "exec"), names)
    return names[name]


# -- what happened -----------------------------------------------------------------------------------------------------


def _event_table() -> list[list[EventRow | None]]:
    """EVENTS by stimulus and phase."""
    table: list[list[EventRow | None]] = [[None] * len(Phase) for _ in Stimulus]
    for row in EVENTS:
        for phase in row.phases:
            assert table[row.stimulus][phase] is None, f"two rows for {row.stimulus.name} in {phase.name}"
            table[row.stimulus][phase] = row
    return table


def _taker(stimulus: Stimulus) -> Callable[[Machine, Node], bool]:
    lines = ["def take(kernel, node):", "    phase = node.phase"]
    for row in (row for row in EVENTS if row.stimulus is stimulus):
        lines += _indented(1, [f"if {' or '.join(f'phase is {phase.name}' for phase in row.phases)}:"])
        lines += _indented(2, [*_deeds(row), "return True"])
    return _compiled("take", [*lines, "    return False"])  # type: ignore[no-any-return]  # exec made it


# -- where the neighbours stand ----------------------------------------------------------------------------------------


def _standing(row: StateRow) -> str:
    def test(condition: Condition) -> str:
        return f"node.{condition.field}" if condition.holds_when else f"not node.{condition.field}"

    return " and ".join(map(test, row.when)) or "True"


def _by_phase() -> Iterator[tuple[Phase, list[StateRow]]]:
    for phase in Phase:
        rows = [row for row in STATES if row.phase is phase]
        if rows:
            yield phase, rows


def _state_reader() -> Callable[[Node], StateRow | None]:
    lines = ["def state_row(node):"]
    for phase, rows in _by_phase():
        lines += _indented(1, [f"if node.phase is {phase.name}:"])
        lines += _indented(2, [f"if {_standing(row)}: return rows[{STATES.index(row)}]" for row in rows])
    return _compiled("state_row", lines)  # type: ignore[no-any-return]  # exec made it


def _settler() -> Callable[[Machine, Node], None]:
    """As rows only lead on, one way down the phases applies them until none applies."""
    lines, leaving = ["def settle(kernel, node):"], [phase for phase, _ in _by_phase()]
    for phase, rows in _by_phase():
        lines += _indented(1, [f"if node.phase is {phase.name}:"])
        for row in rows:
            assert row.to > row.phase, f"{row.why!r} leads back, from {row.phase} to {row.to}"
            lines += _indented(2, [f"{'if' if row is rows[0] else 'elif'} {_standing(row)}:"])
            lines += _indented(3, [*_deeds(row), *([] if row.to in leaving else ["return"])])
        lines += _indented(2, ["else: return"])
    return _compiled("settle", lines)  # type: ignore[no-any-return]  # exec made it


event_row = _event_table()
"""event_row[stimulus][phase]: the row, or None where the stimulus is refused."""

take = [_taker(stimulus) for stimulus in Stimulus]
"""take[stimulus](kernel, node): apply the row of this stimulus; False, and nothing changed, where there is none."""

state_row = _state_reader()
"""The one state-triggered row that applies to a node, or None; `proofs/` shows that there is never a second."""

settle = _settler()
"""settle(kernel, node): apply state-triggered rows until none applies."""
