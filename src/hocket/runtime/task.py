"""A task as its owner holds it: what it runs, how it ended, and what it gave or raised.

A task of many bodies (`multi`, `iter`) is one node of the kernel with one iterator of
arguments, from which everybody who works at it draws: one `next` of an iterator
that is built into the interpreter is atomic under the GIL, so each argument is
taken once, and none waits behind a body that blocks. Refused: halving ranges, as
Choir does, where the rest of a half is stuck behind a slow index.

Values go from task to task by name: `after={"x": a}` calls the body with `x=` what
`a` returned. Refused: passing them by position, where a task that is added to a list
changes what every later one is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import signature
from operator import length_hint
from sys import maxsize
from types import MappingProxyType
from typing import Any, NamedTuple

from hocket.errors import TaskLost
from hocket.kernel import Node, Outcome, Phase

__all__ = [
    "NOBODY",
    "NOTHING_GIVEN",
    "PLAIN",
    "After",
    "More",
    "Task",
    "error_of",
    "given_by",
    "refuse_what_cannot_be_called",
    "tasks_of",
]

_CLOSED, _FINISHED = Phase.CLOSED, Outcome.FINISHED  # an enum's member costs a look-up in its class each time


class More(NamedTuple):
    """What few tasks have beside a body: all that have none of it share one, so that a task is small."""

    work: Iterator[Any] | None = None  # the arguments of a task of many bodies
    wants_context: bool = False
    priority: float = 0  # read by the picker of that name
    given: Mapping[str, Task] = MappingProxyType({})  # by parameter: the tasks whose values its body is called with


PLAIN = More()
NOTHING_GIVEN: Mapping[str, Task] = PLAIN.given


class Task:
    """A handle on one task of a scheduler.

    `name`; `outcome`: None while it is open, then a `hocket.kernel.Outcome`; `is_done`; `exception`: what its body
    raised, or None.
    """

    __slots__ = ("_error", "_more", "_node", "_seen", "_value", "body", "name")

    def __init__(self, node: Node, body: Callable[..., Any] | None, more: More = PLAIN) -> None:
        self.name, self._node, self.body, self._more = node.name, node, body, more
        self._value: Any = None
        self._error: BaseException | None = None
        self._seen = False  # somebody was told how it ended
        node.load = self

    @property
    def node(self) -> Node:
        return self._node

    @property
    def outcome(self) -> Outcome | None:
        node = self._node
        return node.fate if node.phase is _CLOSED else None

    @property
    def is_done(self) -> bool:
        return self.outcome is not None

    @property
    def work(self) -> Iterator[Any] | None:
        return self._more.work

    @work.setter
    def work(self, arguments: Iterator[Any]) -> None:
        self._more = self._more._replace(work=arguments)

    @property
    def wants_context(self) -> bool:
        return self._more.wants_context

    @property
    def priority(self) -> float:
        return self._more.priority

    @property
    def given(self) -> Mapping[str, Task]:
        return self._more.given

    def forget_what_was_given(self) -> None:
        """It has closed: else the last task of a chain would keep what all before it gave."""
        self._more = self._more._replace(given=NOTHING_GIVEN)

    @property
    def exception(self) -> BaseException | None:
        self._seen = True
        return self._error

    def call(self, context: Any) -> None:
        """Run the only body of a task that has one, keeping what it returns."""
        assert self.body is not None, f"{self.name} has no body, and was given to an executor"
        if self._more is PLAIN:
            self._value = self.body()
        else:
            self._value = self.body(*[context] * self.wants_context, **self.values())

    def gave(self, value: Any) -> None:
        """Keep what its body returned, which was called by somebody else."""
        self._value = value

    def values(self) -> dict[str, Any]:
        """What its body is called with by name: each has finished, for else this task would not have started."""
        return {name: task._value for name, task in self.given.items()}

    def left(self) -> int:
        """How many arguments of a task of many bodies have not been drawn."""
        work = self._more.work
        return 0 if work is None else length_hint(work)

    def draw_no_more(self) -> None:
        """Whoever draws from now on finds nothing; iterators of the interpreter are set to their ends."""
        work: Any = self._more.work
        work.stop() if hasattr(work, "stop") else work.__setstate__(maxsize)

    def failed_with(self, error: BaseException) -> bool:
        """Keep what its bodies raised, one as itself, several as a group; whether this was the first."""
        error.add_note(f"raised by the body of the task {self.name!r}")
        first, several = self._error, f"several bodies of the task {self.name!r} failed"
        if first is None:
            self._error = error
        elif isinstance(first, BaseExceptionGroup) and first.message == several:
            self._error = BaseExceptionGroup(several, [*first.exceptions, error])
        else:
            self._error = BaseExceptionGroup(several, [first, error])
        return first is None

    def taken_note_of(self) -> bool:
        """Whether somebody was told that it failed; a failure that nobody asked for is raised at the end."""
        return self._seen or self._error is None

    def value(self) -> Any:
        """What a closed task gave; raises what it raised, or TaskLost where it was lost without a body of its own."""
        self._seen = True
        if self.outcome is not _FINISHED:
            raise error_of(self.node)
        return self._value

    def __repr__(self) -> str:
        return f"<task {self.name} {self.node.phase if self.outcome is None else self.outcome}>"


_LISTS = (list, tuple)  # asked first: whether a list is a Mapping takes 300 ns to find out

NOBODY: tuple[Any, ...] = ()
"""Whom a task comes after that comes after none."""

After = Iterable[Task] | Mapping[str, Task]
"""What a task comes after; as a mapping, its body is also given what those tasks returned, by these names."""


def given_by(after: After) -> Mapping[str, Task]:
    """What of `after` has a name, as a copy that nobody else changes. Raises TypeError for what is no list of tasks."""
    if isinstance(after, _LISTS):
        return NOTHING_GIVEN
    if isinstance(after, Mapping):
        return dict(after)
    stated: object = after
    if isinstance(stated, str) or not isinstance(stated, Iterable):
        raise TypeError(f"`after` is a list of tasks, or a mapping of names to tasks, not {after!r}: say after=[a]")
    return NOTHING_GIVEN


def tasks_of(after: After) -> Iterable[Task]:
    """Whom to come after, with names or without."""
    if isinstance(after, _LISTS):
        return after
    return after.values() if isinstance(after, Mapping) else after


def refuse_what_cannot_be_called(
    name: str, body: Callable[..., Any] | None, given: Mapping[str, Any], arguments: int = 0
) -> None:
    """Raise TypeError unless `body` can be called with that many arguments and what is given by name; None can.

    Where nothing is given by name, that it can be called at all is asked, and no more: signatures cost 10 µs.
    """
    if not given and (body is None or callable(body)):
        return
    if not callable(body):
        told = "it has nothing to give values to" if body is None else f"it is {body!r}; say spawn(name, f), not f()"
        raise TypeError(f"the body of {name!r} cannot be called: {told}")
    try:
        signature(body).bind(*[None] * arguments, **given)
    except TypeError as error:
        raise TypeError(f"the body of {name!r} cannot be called with {', '.join(given)}: {error}") from None
    except ValueError:  # a callable of C that does not tell its signature
        return


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
