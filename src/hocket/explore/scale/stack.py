"""What a search still has to do, as plain values: to be written to a file, or sent to another process.

Between two executions a search by reduction is a path and, for each state on it,
what sleeps there and what is planned there. Everything else, the order, the races,
the states of objects, comes back when the path is run again. So a stack is small:
about the length of one execution plus the wakeup trees.

Numbers of actors and objects are those of one exploration, given in order of
appearance; two processes may meet newcomers in different orders. So a stack brings
its cast along, each entry told by who created it as its how-many-th, and whoever
takes it over translates. Arguments of operations are the user's and need not be
plain: they are not taken along, except as the text of plain ones, which is compared
when the path runs again; the operation itself comes from the program.

A planned sequence may be thousands of steps long, so trees are flat lists (a node,
the number of its children, then these): recursion would not survive them.
Refused: pickling the frames, which would tie files to our classes and carry the
user's objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hocket.errors import NondeterminismError
from hocket.explore.dpor import Frame, Optimal
from hocket.explore.execution import Cast, Choice, Execution
from hocket.explore.footprint import Footprint
from hocket.explore.order import Way
from hocket.explore.wakeup import Node
from hocket.trace.operation import Operation

__all__ = ["Reader", "Recalled", "Saved", "Writer", "check_path", "restore", "snapshot"]

Saved = dict[str, Any]
"""JSON: `cast`, `operations` and `prints` are tables that the `rows`, one a state on the path, refer to."""

_PLAIN = (int, str, bool, float, bytes, type(None))


class Recalled:
    """Stands for the argument of an operation that was saved: its text, if it was plain."""

    __slots__ = ("text",)

    def __init__(self, text: str | None) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text if self.text is not None else "..."


def text_of(argument: Any) -> str | None:
    """What can be compared of an argument in another process; None if nothing can."""
    if type(argument) is Recalled:
        return argument.text
    plain = type(argument) in _PLAIN or (type(argument) is tuple and all(type(part) in _PLAIN for part in argument))
    return repr(argument) if plain else None


# -- writing ----------------------------------------------------------------------------------------------------------


class Writer:
    """Turns steps, footprints and trees into numbers; `tables` is what these numbers mean."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self._operations: dict[tuple[str, tuple[int, ...], str | None], int] = {}
        self._prints: dict[tuple[tuple[int, ...], tuple[int, ...]], int] = {}

    def tables(self) -> Saved:
        """What everything written so far refers to; to be asked for last."""
        return {"cast": self._cast.table(), "operations": list(self._operations), "prints": list(self._prints)}

    def footprint(self, footprint: Footprint) -> int:
        return self._prints.setdefault((footprint.reads, footprint.writes), len(self._prints))

    def operation(self, operation: Operation) -> int:
        key = (operation.kind, operation.objects, text_of(operation.argument))
        return self._operations.setdefault(key, len(self._operations))

    def step(self, node: Way, footprint: Footprint | None = None) -> list[int]:
        """A node without its children; `footprint` if a better one is known than was planned."""
        return [node.actor, node.alternative, self.operation(node.operation),
                self.footprint(footprint if footprint is not None else node.footprint)]

    def trees(self, nodes: Sequence[Node]) -> list[int]:
        """Some trees, in order."""
        flat, left = [len(nodes)], list(reversed(nodes))
        while left:
            node = left.pop()
            for step in node.run():
                flat += [*self.step(step), 1]
            flat[-1] = len(node.branches)
            left += reversed(node.branches)
        return flat

    def sleep(self, sleep: dict[Choice, Footprint]) -> list[list[int]]:
        return [[*choice, self.footprint(footprint)] for choice, footprint in sleep.items()]


def snapshot(strategy: Optimal, cast: Cast, root: int = 0) -> Saved | None:
    """What is left after the execution that has just ended, from state `root` of its path on; None if nothing is.

    To be called between two executions. The rows are those of the path of the next execution as far as it is known.
    """
    frames, prints = strategy.frames, strategy.order.prints
    last = next((depth for depth in range(len(frames) - 1, root - 1, -1) if frames[depth].planned), None)
    if last is None:
        return None
    writer = Writer(cast)
    rows: list[list[Any]] = []
    for depth, frame in enumerate(frames[:last]):
        step = writer.step(Node(*frame.choice, frame.operation, prints[depth]))
        rows.append([writer.sleep(frame.sleep), step, writer.trees(frame.planned or ())])
    frame = frames[last]
    asleep = {**frame.sleep, frame.choice: prints[last]}
    rows.append([writer.sleep(asleep), None, writer.trees(frame.planned or ())])
    return {"rows": rows, **writer.tables()}


# -- reading ----------------------------------------------------------------------------------------------------------


class Reader:
    """Turns numbers back into steps, footprints and trees, as the cast of this process has it."""

    def __init__(self, saved: Saved, cast: Cast) -> None:
        self._actors, self._objects = cast.adopt(saved["cast"])
        self._operations = [self._operation(*row) for row in saved["operations"]]
        self._prints = [self._footprint(*row) for row in saved["prints"]]

    def step(self, actor: int, alternative: int, operation: int, footprint: int) -> Node:
        return Node(self._actors[actor], alternative, self._operations[operation], self._prints[footprint])

    def trees(self, flat: list[int]) -> list[Node]:
        roots: list[Node] = []
        open_lists = [(roots, flat[0])]
        at = 1
        while open_lists:
            siblings, missing = open_lists.pop()
            if not missing:
                continue
            node = self.step(*flat[at:at + 4])
            siblings.append(node)
            open_lists += [(siblings, missing - 1), (node.branches, flat[at + 4])]
            at += 5
        return roots

    def sleep(self, rows: list[list[int]]) -> dict[Choice, Footprint]:
        return {(self._actors[actor], alternative): self._prints[footprint] for actor, alternative, footprint in rows}

    def frames(self, rows: Iterable[Sequence[Any]]) -> list[Frame]:
        """The states of a path; each lists the children of the step before, as the search has it."""
        frames: list[Frame] = []
        tree: list[Node] = []
        for sleep, step, siblings in rows:
            frames.append(Frame(tree, self.sleep(sleep)))
            current = [self.step(*step)] if step is not None else []
            tree += current + self.trees(siblings)
            tree = current[0].children if current else []
        return frames

    def _operation(self, kind: str, objects: Iterable[int], text: str | None) -> Operation:
        return Operation(kind, tuple(self._objects[index] for index in objects), Recalled(text))

    def _footprint(self, reads: Iterable[int], writes: Iterable[int]) -> Footprint:
        reads = tuple(self._objects[index] for index in reads)
        writes = tuple(self._objects[index] for index in writes)
        write = sum(1 << index for index in writes)
        return Footprint(write | sum(1 << index for index in reads), write, reads, writes)


def restore(strategy: Optimal, cast: Cast, saved: Saved) -> None:
    """Let a strategy that has not begun, and its cast, go on from a stack."""
    assert not strategy.frames, "only a strategy that has not begun can take over a stack"
    strategy.given = Reader(saved, cast).frames(saved["rows"])[::-1]


def check_path(execution: Execution, steps: Sequence[Operation]) -> None:
    """Raise `NondeterminismError` where an execution along a saved path has other plain arguments than were saved."""
    for number, (event, operation) in enumerate(zip(execution.events, steps, strict=False), 1):
        then, now = text_of(operation.argument), text_of(event.operation.argument)
        if then is not None and then != now and not event.operation.kind.startswith("thread."):
            names, objects = execution.cast.actors, execution.cast.objects
            raise NondeterminismError(number, names[event.actor], f"{event.operation.kind}({then})",
                                      event.operation.told(objects))
