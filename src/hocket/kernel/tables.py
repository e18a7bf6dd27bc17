"""The rows of `lifecycle`, in the form in which a machine executes them a million times a second.

Each table is written out as Python: a row becomes an `if` and the deeds that it
says, and nothing is said here that the rows do not say. A test takes both forms
apart and compares them, row by row and standing by standing. Refused: a loop over
conditions and fields that reads the rows as it goes, which costs four times as
much; and rules written by hand, which `proofs/` could not read.

`receive` is all of them in one function: the row of a stimulus and, without another
call, the state-triggered rows that it may lead to. A call costs as much as a row.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol
from zlib import crc32

from hocket.kernel.lifecycle import EVENTS, STATES, Command, Condition, EventRow, Outcome, Phase, StateRow, Stimulus
from hocket.kernel.node import Node

__all__ = ["Commands", "event_row", "receive", "settle", "state_row", "take"]


Commands = Sequence[tuple[Command, Node]]
"""What a driver is to do, in order."""

Receive = Callable[[Any, Stimulus, Node], Commands]


class Machine(Protocol):
    """What a deed may ask of the kernel: to take down a command, and what follows from a moment."""

    commands: list[tuple[Command, Node]]
    watch: Any

    def opened(self, node: Node) -> None: ...
    def ended(self, node: Node) -> None: ...
    def closed(self, node: Node) -> None: ...
    def armed(self, node: Node) -> None: ...
    def follow(self) -> None: ...
    def refusal(self, stimulus: Stimulus, node: Node) -> Exception: ...


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
    names: dict[str, Any] = {"__name__": __name__, "rows": STATES, "NOTHING": ()}
    for words in (Phase, Outcome, Command):
        names.update((word.name, word) for word in words)
    names.update((f"TOLD_{word.name}", word) for word in Stimulus)  # CANCELLED is an outcome as well
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


def _in_its_phases(row: EventRow) -> str:
    return " or ".join(f"phase is {phase.name}" for phase in row.phases)


def _taker(stimulus: Stimulus) -> Callable[[Machine, Node], bool]:
    lines = ["def take(kernel, node):", "    phase = node.phase"]
    for row in (row for row in EVENTS if row.stimulus is stimulus):
        lines += _indented(1, [f"if {_in_its_phases(row)}:"])
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


def _settling(least: Phase, over: str) -> Iterator[str]:
    """As rows only lead on, one way down the phases, from the least that it may be, applies them until none applies.

    `over` is the statement that says that it is.
    """
    phases = [(phase, rows) for phase, rows in _by_phase() if phase >= least]
    leaving = [phase for phase, _ in phases]
    for phase, rows in phases:
        yield f"if node.phase is {phase.name}:"
        for row in rows:
            assert row.to > row.phase, f"{row.why!r} leads back, from {row.phase} to {row.to}"
            yield from _indented(1, [f"{'if' if row is rows[0] else 'elif'} {_standing(row)}:"])
            yield from _indented(2, [*_deeds(row), *([] if row.to in leaving else [over])])
        yield f"    else: {over}"


def _settler() -> Callable[[Machine, Node], None]:
    lines = ["def settle(kernel, node):", *_indented(1, _settling(min(Phase), "return"))]
    return _compiled("settle", lines)  # type: ignore[no-any-return]  # exec made it


# -- both at once ------------------------------------------------------------------------------------------------------


def _follows(row: EventRow) -> list[str]:
    """What the state-triggered rows may do after this one: nothing, where they ask for bodies over and one began."""
    leaving_it = [later for later in STATES if later.phase is Phase.RUNNING]
    if row.to is Phase.RUNNING and row.bodies > 0 and all(Condition.BODIES_OVER in later.when for later in leaving_it):
        return []
    least = row.to if row.to is not None else min(row.phases)
    return ["while True:", *_indented(1, [*_settling(least, "break"), "break"])]


_FREQUENT = (Stimulus.RETURNED, Stimulus.STARTED, Stimulus.ARMED)  # asked first, because every task is told these
_ANSWER = [
    "if kernel._agenda: kernel.follow()",
    "commands = kernel.commands",
    "if not commands: return NOTHING",
    "kernel.commands = []",
    "return commands",
]


def _receiver() -> Receive:
    """The row of a stimulus, then its own state-triggered rows, then those of all whom that concerns: the answer."""
    lines = ["def receive(kernel, stimulus, node):", "    phase = node.phase"]
    for stimulus in (*_FREQUENT, *(each for each in Stimulus if each not in _FREQUENT)):
        lines += [f"    {'if' if stimulus is _FREQUENT[0] else 'elif'} stimulus is TOLD_{stimulus.name}:"]
        rows = [row for row in EVENTS if row.stimulus is stimulus]
        for row in rows:
            lines += _indented(2, [f"{'if' if row is rows[0] else 'elif'} {_in_its_phases(row)}:"])
            lines += _indented(3, [*_deeds(row), *_follows(row)])
        lines += _indented(2, ["else: raise kernel.refusal(stimulus, node)"])
    return _compiled("receive", [*lines, *_indented(1, _ANSWER)])  # type: ignore[no-any-return]  # exec made it


event_row = _event_table()
"""event_row[stimulus][phase]: the row, or None where the stimulus is refused."""

take = [_taker(stimulus) for stimulus in Stimulus]
"""take[stimulus](kernel, node): apply the row of this stimulus; False, and nothing changed, where there is none."""

state_row = _state_reader()
"""The one state-triggered row that applies to a node, or None; `proofs/` shows that there is never a second."""

settle = _settler()
"""settle(kernel, node): apply state-triggered rows until none applies."""

receive = _receiver()
"""receive(kernel, stimulus, node): take the stimulus, settle all that it concerns, and return the commands."""
