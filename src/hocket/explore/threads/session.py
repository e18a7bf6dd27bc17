"""What all executions of one exploration have in common, and who else takes part in them.

A `Control` is one execution and knows its `Session`; a session knows nothing of how actors are
switched. Who watches the program's code and who tracks its data live in a room above this
one, so only what is asked of them stands here. Refused: handing each of these values to
`Control` by itself, because an exploration that begins again would have to take them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from hocket.explore.execution import Cast
from hocket.explore.threads.seat import Seat
from hocket.trace.event import Event
from hocket.trace.operation import Operation

if TYPE_CHECKING:
    from hocket.explore.threads.actor import Actor
    from hocket.explore.threads.control import Control

__all__ = ["RESTART", "DataTracker", "Observer", "Session"]

RESTART = "restart"
"""A reason to stop: begin again, with more visible."""


class Observer(Protocol):
    """Who watches what code the actors run (see untracked.py)."""

    def enter(self, actor: Actor) -> None: ...
    def leave(self, actor: Actor) -> None: ...
    def spawned(self, actor: Actor) -> None: ...
    def finished(self, control: Control) -> None: ...
    def paused(self) -> AbstractContextManager[None]: ...
    def pause(self) -> object: ...
    def resume(self) -> object: ...
    def watching(self) -> AbstractContextManager[None]: ...
    def met_real_lock(self) -> None: ...


class DataTracker(Protocol):
    """Who makes operations of what code does to shared data (see shared/tracker.py)."""

    race: Any
    modules: tuple[ModuleType, ...]
    leads: bool

    def saw_too_little(self) -> bool: ...
    def again(self) -> Any: ...
    def reaching_further(self) -> Any: ...
    def findings(self) -> list[str]: ...
    def get(self, o: Any, name: str) -> Any: ...
    def saved(self) -> str: ...
    def recall(self, text: str) -> None: ...
    def active(self) -> AbstractContextManager[None]: ...
    def begin(self, control: Control) -> None: ...
    def end(self, control: Control) -> None: ...


class Spins(Protocol):
    """Who looks out for loops that poll (see shared/spinning.py)."""

    left: dict[int, Any]

    def begin(self, control: Control) -> None: ...
    def announced(self, actor: Actor, operation: Operation) -> Operation: ...
    def is_in_vain(self, control: Control) -> bool: ...


@dataclass(slots=True)
class Session:
    """What all executions of one exploration have in common."""

    cast: Cast
    steps: int  # bound on the steps of one execution
    seat: Seat = field(default_factory=Seat)
    observer: Observer | None = None
    stop: str = ""  # why the exploration is to end now; set from any thread
    spurious: int = 0  # how often each actor may wake up from a Condition for no reason, in one execution
    audit: bool = True  # whether repeated steps are compared; some strategies do it themselves
    tracker: DataTracker | None = None
    spins: Spins | None = None  # none where not all that an actor looks at is an operation
    ends_visible: bool = False  # whether the end of an actor is a step, because somebody looks at it
    outside: dict[int, tuple[Any, int]] = field(default_factory=dict)  # objects made before: id -> object, number
    order: str = "fifo"  # of the ready callbacks of an event loop
    cancel: tuple[str, ...] = ()  # the tasks that somebody outside may cancel, once in an execution
    sometimes: dict[str, bool] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    control: Control | None = None  # the execution that is going on
    previous: list[Event] = field(default_factory=list)  # the events of the execution before, for the audit
    # those that are the same each time, by kind, and by object or objects
    operations: dict[tuple[str, int | tuple[int, ...]], Operation] = field(default_factory=dict)
    executed: int = 0  # executions that have begun
    named: int = 0  # how many objects of the cast have been given a name
    give_up: Callable[[], None] = lambda: None  # called when not even main can be unwound
    hook: Any = None  # `threading.excepthook` when the exploration began
    on_begin: Callable[[Control], None] = lambda control: None
    on_end: Callable[[Control], None] = lambda control: None
