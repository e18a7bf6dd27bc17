"""What a task of a plan returns: a status, and with success perhaps a payload.

`StepResult` is control only; `TaskResult[T]` carries a payload of type T with success and never without. A plain
return is a success: None for a task without payload, anything else is the payload (False too). Refused: one type for
both, because then a reader could not see from a signature whether a slot is needed.

From YOrch (the seeds' section 5.1, YO-Q1 to YO-Q4). There a success without a payload was only asserted (Y-B1); here
it cannot be made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar, cast

from hocket.errors import PlanEnded, Refused

__all__ = ["OK", "Raised", "Status", "StepResult", "TaskResult", "named"]

T = TypeVar("T")


class Status(Enum):
    """How a task ended. Everything but SUCCESS keeps its children from running."""

    SUCCESS = "success"
    FAILURE = "failure"  # ends the run
    RETRY = "retry"  # a retry adapter calls it again; where there is none, it ends the run
    ABORT_BRANCH = "abort_branch"  # what follows this task is left out, and the rest goes on
    ABORT_EXECUTION = "abort_execution"  # ends the run, and nothing is wrong

    __hash__ = object.__hash__  # a member is one object; Enum's own hash is a call

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a task, or a whole run, ended; true in a condition if it is a success.

    `exception`: what was raised, if that ended it; `task`: who ended the run, by name ("" where nobody did).

    >>> StepResult.success().ok, StepResult.retry().ok
    (True, False)
    >>> StepResult.abort_branch().status
    <Status.ABORT_BRANCH: 'abort_branch'>
    """

    status: Status = Status.SUCCESS
    exception: BaseException | None = field(default=None, compare=False)
    task: str = field(default="", compare=False)

    @property
    def ok(self) -> bool:
        return self.status is Status.SUCCESS

    def __bool__(self) -> bool:
        return self.status is Status.SUCCESS

    def raise_if_failed(self) -> None:
        """Raise what was raised; `PlanEnded` where a status alone ended it; nothing after a success."""
        if self.exception is not None:
            raise self.exception
        if self.status is not Status.SUCCESS:
            raise PlanEnded(self.task, self.status.value)

    @staticmethod
    def success() -> StepResult:
        return OK

    @staticmethod
    def failure(exception: BaseException | None = None) -> StepResult:
        return StepResult(Status.FAILURE, exception)

    @staticmethod
    def retry() -> StepResult:
        return StepResult(Status.RETRY)

    @staticmethod
    def abort_branch() -> StepResult:
        return StepResult(Status.ABORT_BRANCH)

    @staticmethod
    def abort_execution() -> StepResult:
        return StepResult(Status.ABORT_EXECUTION)


OK = StepResult()
"""The one success without payload: compiled plans compare with `is`."""


class TaskResult(Generic[T]):
    """How a task ended that has a payload of type T where it succeeds.

    >>> TaskResult.success(42).value
    42
    >>> TaskResult.failure().has_value
    False

    Made by its static methods only; `value` raises Refused where there is none.
    """

    __slots__ = ("_payload", "_step")
    _step: StepResult
    _payload: Any
    _NOTHING: ClassVar[Any] = object()

    def __init__(self, *wrong: Any) -> None:
        raise TypeError("a TaskResult is made by TaskResult.success(value), .failure(), .retry() or .abort_...()")

    @staticmethod
    def success(value: T) -> TaskResult[T]:
        return _made(OK, value)

    @staticmethod
    def failure(exception: BaseException | None = None) -> TaskResult[Any]:
        return _made(StepResult.failure(exception))

    @staticmethod
    def retry() -> TaskResult[Any]:
        return _made(StepResult.retry())

    @staticmethod
    def abort_branch() -> TaskResult[Any]:
        return _made(StepResult.abort_branch())

    @staticmethod
    def abort_execution() -> TaskResult[Any]:
        return _made(StepResult.abort_execution())

    @staticmethod
    def from_step(step: StepResult) -> TaskResult[Any]:
        """The same status without a payload. Raises ValueError for a success, which needs one (Y-B1)."""
        if step.ok:
            raise ValueError("a success needs a payload: say TaskResult.success(value)")
        return _made(step)

    @property
    def step(self) -> StepResult:
        """The same without the payload."""
        return self._step

    @property
    def status(self) -> Status:
        return self._step.status

    @property
    def ok(self) -> bool:
        return self._step.status is Status.SUCCESS

    def __bool__(self) -> bool:
        return self._step.status is Status.SUCCESS

    @property
    def has_value(self) -> bool:
        return self._payload is not TaskResult._NOTHING

    @property
    def value(self) -> T:
        if self._payload is TaskResult._NOTHING:
            raise Refused("a task result", "asked for its value", str(self.status), "success")
        return cast(T, self._payload)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, TaskResult):
            return NotImplemented
        return (self._step, self._payload) == (other._step, other._payload)

    def __hash__(self) -> int:
        return hash((self._step, self._payload))

    def __repr__(self) -> str:
        return f"TaskResult.success({self._payload!r})" if self.has_value else f"TaskResult.{self.status}()"


def _made(step: StepResult, payload: Any = TaskResult._NOTHING) -> TaskResult[Any]:
    result: TaskResult[Any] = object.__new__(TaskResult)
    result._step, result._payload = step, payload
    return result


@dataclass(frozen=True, slots=True)
class Raised(StepResult):
    """The task did not return: `exception` says why. What no adapter catches is a failure of the run."""

    status: Status = Status.FAILURE


def named(step: StepResult, task: str) -> StepResult:
    """The result of a run that `task` ended."""
    return StepResult(step.status, step.exception, task)
