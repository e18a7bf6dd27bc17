"""How an execution comes to its end, and which end it is where nobody can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from hocket.explore.threads.control import Control

__all__ = ["End", "natural_end"]


class End:
    """How an execution came to its end."""

    COMPLETE: Final = "complete"  # nothing is pending, or only daemons wait
    DEADLOCK: Final = "deadlock"  # somebody waits for ever
    RAISED: Final = "raised"  # an actor let an exception out
    BOUND: Final = "bound"  # too many steps
    ABANDONED: Final = "abandoned"  # the strategy wants no more of it
    STOPPED: Final = "stopped"  # interrupted from outside
    DIVERGED: Final = "diverged"  # the program is not the one that was recorded
    SWALLOWED: Final = "swallowed"  # an actor would not be unwound
    VAIN: Final = "vain"  # somebody polled in vain, and other executions show how it goes on


def natural_end(control: Control) -> str:
    """The end of an execution for which the strategy has chosen nobody."""
    execution, spins = control.execution, control.session.spins
    if execution.options():
        return End.ABANDONED
    if spins is not None and spins.is_in_vain(control):
        return End.VAIN
    stuck = [number for number in execution.blocked() if not _may_wait_for_ever(control, number)]
    return End.DEADLOCK if stuck else End.COMPLETE


def _may_wait_for_ever(control: Control, number: int) -> bool:
    """A daemon, and a worker of a pool between two jobs: whoever ends the process wakes it."""
    actor, operation = control.actors[number], control.execution.pending[number]
    waits = operation is not None and operation.kind == "queue.get"
    return actor.daemon or (waits and _is_of_a_pool(actor.thread))


def _is_of_a_pool(thread: Any) -> bool:
    target = getattr(thread, "_target", None)
    return getattr(target, "__module__", "") == "concurrent.futures.thread"
