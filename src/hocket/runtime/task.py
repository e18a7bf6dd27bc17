"""A task as its owner holds it: what it runs, how it ended, and what it gave or raised.

A task of many bodies (`multi`, `iter`) is one node of the kernel whose work is a
range of indices; whoever runs it may hand half of its range to somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hocket.errors import TaskLost
from hocket.kernel import Node, Outcome

__all__ = ["Task", "error_of"]


class Task:
    """A handle on one task of a scheduler.

    `name`; `outcome`: None while it is open, then a `hocket.kernel.Outcome`; `is_done`; `exception`: what its body
    raised, or None.
    """

    __slots__ = ("_error", "_seen", "_value", "body", "count", "items", "node", "wants_context")

    def __init__(
        self,
        node: Node,
        body: Callable[..., Any] | None,
        count: int | None = None,
        items: Sequence[Any] | None = None,
        wants_context: bool = False,
    ) -> None:
        self.node, self.body, self.count, self.items, self.wants_context = node, body, count, items, wants_context
        self._value: Any = None
        self._error: BaseException | None = None
        self._seen = False  # somebody was told how it ended
        node.load = self

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def outcome(self) -> Outcome | None:
        return self.node.outcome

    @property
    def is_done(self) -> bool:
        return self.node.outcome is not None

    @property
    def exception(self) -> BaseException | None:
        self._seen = True
        return self._error

    def call(self, index: int, context: Any) -> None:
        """Run the body that has this index (0 for a task of one body), keeping what it returns."""
        assert self.body is not None, f"{self.name} has no body, and was given to an executor"
        arguments = () if self.count is None else (index if self.items is None else self.items[index],)
        if self.wants_context:
            arguments = (context, *arguments)
        value = self.body(*arguments)
        if self.count is None:
            self._value = value

    def failed_with(self, error: BaseException) -> None:
        """Keep the first exception of its bodies."""
        self._error = self._error or error

    def taken_note_of(self) -> bool:
        """Whether somebody was told that it failed; a failure that nobody asked for is raised at the end."""
        return self._seen or self._error is None

    def value(self) -> Any:
        """What a closed task gave; raises what it raised, or TaskLost where it was lost without a body of its own."""
        self._seen = True
        if self.outcome is not Outcome.FINISHED:
            raise error_of(self.node)
        return self._value

    def __repr__(self) -> str:
        return f"<task {self.name} {self.node.phase if self.outcome is None else self.outcome}>"


def error_of(node: Node) -> BaseException:
    """What a lost node should raise: its own exception, or TaskLost from that of the task that was lost first."""
    own = _own_error(node)
    if own is not None:
        return own
    cause, seen = node, {node}
    while (nearer := cause.hurt or cause.bereft) is not None and nearer not in seen:
        seen.add(nearer)
        cause = nearer
    lost = TaskLost(node.name, node.fate.name.lower(), cause.name if cause is not node else "")
    lost.__cause__ = _own_error(cause)
    return lost


def _own_error(node: Node) -> BaseException | None:
    """What its body raised, of which whoever asks is hereby told."""
    return node.load.exception if isinstance(node.load, Task) else None
