"""What an exploration has come to: counts, outcomes, failures, and whether a limit cut it short.

Both hosts keep one. A limit is looked at before every execution and at every
step, and once reached it stays in the verdict: a search that was cut short is
`incomplete`, whatever it has seen, unless it has seen a failure.
Refused: raising at a limit, because the counts so far are worth having.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hocket.trace.schedule import Schedule

__all__ = ["Failure", "Limits", "Tally"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where to stop: seconds of wall time, executions, and steps within one execution. None: no limit."""

    seconds: float | None = None
    executions: int | None = None
    steps: int | None = 100_000


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which the program goes wrong, and the schedule that leads there.

    `kind` is "assertion", "exception", "deadlock" or "livelock"; `waits` says for a deadlock who waits for what.
    """

    kind: str
    schedule: Schedule
    message: str
    exception: BaseException | None = None
    waits: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """The running account of an exploration; `verdict` is always that of what was seen so far."""

    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = time.monotonic
    executions: int = 0
    abandoned: int = 0  # executions that their strategy or a limit did not let run to the end
    events: int = 0
    failed: int = 0  # executions with a failure
    failures: list[Failure] = field(default_factory=list)
    outcomes: Counter[Any] = field(default_factory=Counter)
    reason: str = ""  # which limit was reached
    suspect: str = ""  # what seems to repeat in an execution that was cut at its limit of steps
    looks: int = 0  # such executions that were looked at for a livelock
    exhausted: bool = False  # the strategy says that nothing is left, and that it leaves nothing out
    before: float = 0.0  # seconds of the sessions that a checkpoint goes on from; no limit counts them
    _started: float = -1.0

    def may_go_on(self) -> bool:
        """Whether the limits allow another execution; if not, `reason` says which was reached."""
        if self._started < 0:
            self._started = self.clock()
        limits = self.limits
        if limits.executions is not None and self.executions >= limits.executions:
            self.reason = self.reason or f"the limit of {limits.executions} executions was reached"
        elif limits.seconds is not None and self.clock() - self._started >= limits.seconds:
            self.reason = self.reason or f"the limit of {limits.seconds} seconds was reached"
        else:
            return True
        return False

    def too_long(self, steps: int) -> bool:
        """Whether an execution of so many steps must be cut; the cut is remembered."""
        if self.limits.steps is None or steps < self.limits.steps:
            return False
        self.reason = self.reason or f"an execution reached the limit of {self.limits.steps} steps: perhaps a livelock"
        return True

    @property
    def seconds(self) -> float:
        return self.before + (0.0 if self._started < 0 else self.clock() - self._started)

    @property
    def verdict(self) -> str:
        """ "failed", "incomplete" or "proved": the last only of a search that left nothing out. """
        if self.failures:
            return "failed"
        return "proved" if self.exhausted and not self.reason else "incomplete"
