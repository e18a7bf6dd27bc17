"""Adapters: what is done when a task raises, or asks to be called again.

A task has a row of adapters, the first closest to it: `adapters=(catch_as_failure(), with_retry(retry_fixed(2)))`
catches each attempt and retries what comes out of that. Every adapter is one question, `judge`: what came of the
attempt goes in, and what came of it now comes out, or AGAIN. So the loop around a task is written once, for plain and
for coroutine bodies (`attempts.py`).

From YOrch (YO-A1 to YO-A13; the order is inside out, Y-B9). `retry_forever` can be cancelled here (Y-B8), and a retry
over a payload that the attempts change is refused when the plan is compiled (Y-B4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from hocket.plan.results import Raised, Status, StepResult, TaskResult

__all__ = [
    "AGAIN",
    "Adapter",
    "Again",
    "Catch",
    "Outcome",
    "Retry",
    "RetryPolicy",
    "catch_as_failure",
    "retry_fixed",
    "retry_fixed_passthrough",
    "retry_forever",
    "with_retry",
]

Outcome = StepResult | TaskResult[Any]


class Again:
    """Call the task once more."""

    def __repr__(self) -> str:
        return "AGAIN"


AGAIN = Again()


class Adapter(Protocol):
    """`judge(outcome, approved)`: `approved` is how often this adapter has asked for another attempt in this call.

    What it returns may be anything that the task itself could return.
    """

    def judge(self, outcome: Outcome, approved: int) -> Any: ...


class RetryPolicy(Protocol):
    """Whether to call again a task that asked for it, given how often that was approved before."""

    def should_retry(self, approved: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Catch:
    """What was raised becomes what `policy` makes of it."""

    policy: Callable[[Exception], Any] | None = None

    def judge(self, outcome: Outcome, approved: int) -> Any:
        if not isinstance(outcome, Raised):
            return outcome
        error = outcome.exception
        assert isinstance(error, Exception), f"only exceptions are caught, not {error!r}"
        return StepResult.failure(error) if self.policy is None else self.policy(error)


@dataclass(frozen=True, slots=True)
class Retry:
    """A task that returned retry is called again as long as `policy` approves."""

    policy: RetryPolicy

    def judge(self, outcome: Outcome, approved: int) -> Any:
        if outcome.status is not Status.RETRY:
            return outcome
        if self.policy.should_retry(approved):
            return AGAIN
        exhausted = getattr(self.policy, "on_exhausted", None)
        return outcome if exhausted is None else exhausted()


def catch_as_failure(policy: Callable[[Exception], Any] | None = None) -> Catch:
    """Exceptions of the task, and of fetching its arguments, become a failure, or what `policy(exception)` returns.

    >>> catch_as_failure(lambda error: StepResult.abort_branch())
    Catch(policy=<function ...>)

    The policy returns what the task could return; if it raises itself, that is a failure with that exception.
    """
    return Catch(policy)


def with_retry(policy: RetryPolicy) -> Retry:
    """A task that returns retry is called again, with arguments fetched anew, while the policy approves.

    What the task did to the context is not undone between attempts.

    >>> with_retry(retry_fixed(2))
    Retry(policy=retry_fixed(2))
    """
    return Retry(policy)


@dataclass(frozen=True, slots=True, repr=False)
class _Fixed:
    """`times` more attempts, then `after`: failure, or the retry itself; `times` None: without end."""

    word: str
    times: int | None
    after: Status

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 0:
            raise ValueError(f"{self.word} was given {self.times}; a number of attempts more is 0 or more")

    def should_retry(self, approved: int) -> bool:
        return self.times is None or approved < self.times

    def on_exhausted(self) -> StepResult:
        return StepResult(self.after)

    def __repr__(self) -> str:
        return f"{self.word}({'' if self.times is None else self.times})"


def retry_fixed(times: int) -> RetryPolicy:
    """At most so many attempts more; a task that still asks for another then fails (YO-A6).

    >>> retry_fixed(2).should_retry(1), retry_fixed(2).should_retry(2)
    (True, False)
    """
    return _Fixed("retry_fixed", times, Status.FAILURE)


def retry_fixed_passthrough(times: int) -> RetryPolicy:
    """At most so many attempts more; then the retry is what came of it (YO-A9).

    >>> retry_fixed_passthrough(2).should_retry(2)
    False
    """
    return _Fixed("retry_fixed_passthrough", times, Status.RETRY)


def retry_forever() -> RetryPolicy:
    """Again and again, until it succeeds or the run is cancelled: `run_plan(…, cancelled=event.is_set)`.

    >>> retry_forever().should_retry(1_000_000)
    True
    """
    return _Fixed("retry_forever", None, Status.RETRY)
