"""One task, from its arguments to what came of it: the part that all executors share.

`settled` reads what a body returned in the light of what it had declared. `conduct` is the loop of attempts around it,
as a generator that performs nothing: it yields what is to be called, and is sent what was returned (or thrown what was
raised), so that the same loop serves bodies that are called and bodies that are awaited.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from hocket.plan.adapters import AGAIN, Outcome
from hocket.plan.bind import Bound, Style
from hocket.plan.results import OK, Raised, StepResult, TaskResult
from hocket.plan.sources import DirectOut, name_of

__all__ = ["CONTROL", "OURS", "Breach", "Call", "Conduct", "breach", "conduct", "never", "settled", "theirs"]

CONTROL: frozenset[type] = frozenset({StepResult, Raised, TaskResult})
"""What is no payload."""

Call = tuple[Callable[..., Any], tuple[Any, ...]]
Conduct = Generator[Call, Any, Outcome]


class Breach(TypeError):
    """A task returned what it had declared not to return."""


def never() -> bool:
    """Nobody cancels."""
    return False


def breach(task: Bound, raw: Any) -> Breach:
    """The error of a task that did not keep to its declaration."""
    if task.payload is None or task.style is not Style.ORDINARY:
        declared = "None or a StepResult" if task.control else "None"
    else:
        declared = f"TaskResult[{name_of(task.payload)}]" if task.control else name_of(task.payload)
    return Breach(f"{task.name!r} declares that it returns {declared}, and returned {raw!r}")


def theirs(error: Exception) -> Exception:
    """The exception, with a traceback that begins in the code of the task: none where it did not get there."""
    found = error.__traceback__
    while found is not None and found.tb_frame.f_code.co_filename in OURS:
        found = found.tb_next
    return error.with_traceback(found)


OURS: set[str] = {__file__}
"""The files whose frames between a run and a task tell nobody anything; executors add theirs."""


def settled(task: Bound, raw: Any, out: DirectOut[Any] | None = None) -> Outcome:
    """What came of an attempt that returned `raw`: a StepResult, or a TaskResult if there is a payload.

    Raises Breach for what the task had not declared; Refused for a success with an empty output (Y-B1).
    """
    kind = raw.__class__
    if kind is StepResult or kind is Raised:
        if not raw.ok:
            if task.control or task.adapters:
                return raw  # type: ignore[no-any-return]  # its class was looked at
        elif task.style is Style.INTO:
            return TaskResult.success(_put(task, out))
        elif task.control and (task.payload is None or task.style is Style.FORWARD):
            return OK
    elif kind is TaskResult:
        if task.style is Style.ORDINARY and task.payload is not None and (task.control or task.adapters):
            return raw if raw.ok else raw.step  # type: ignore[no-any-return]  # likewise
    elif task.style is Style.INTO:
        if raw is None:
            return TaskResult.success(_put(task, out))
    elif task.payload is None or task.style is Style.FORWARD:
        if raw is None and (not task.control or task.style is Style.FORWARD or task.adapters):
            return OK
    elif not task.control or task.adapters:
        return TaskResult.success(raw)
    raise breach(task, raw)


def conduct(task: Bound, take: Callable[[], tuple[Any, ...]], cancelled: Callable[[], bool] = never) -> Conduct:
    """Call a task until its adapters are content: yields (body, arguments), returns what came of it.

    `take()` fetches the arguments, anew for each attempt. What the body, or fetching, raises is judged by the adapters
    like what it returns. A run that was cancelled makes no further attempt.
    """
    return _attempts(task, take, cancelled) if task.adapters else _attempt(task, take)


def _attempts(task: Bound, take: Callable[[], tuple[Any, ...]], cancelled: Callable[[], bool]) -> Conduct:
    approved = [0] * len(task.adapters)
    while True:
        outcome = yield from _attempt(task, take)
        judged = _judged(task, outcome, approved)
        if judged is not None:
            return judged
        if cancelled():
            return StepResult.abort_execution()


def _attempt(task: Bound, take: Callable[[], tuple[Any, ...]]) -> Conduct:
    out: DirectOut[Any] | None = DirectOut(task.payload) if task.style is Style.INTO else None
    try:
        raw = yield task.body, (take() if out is None else (*take(), out))
        return settled(task, raw, out)
    except Exception as error:
        return Raised(exception=theirs(error))


def _judged(task: Bound, outcome: Outcome, approved: list[int]) -> Outcome | None:
    """What the adapters, the innermost first, make of an attempt; None: it is to be made again."""
    for place, adapter in enumerate(task.adapters):
        try:
            said = adapter.judge(outcome, approved[place])
            if said is AGAIN:
                approved[place] += 1
                approved[:place] = [0] * place  # what is inside begins anew
                return None
            outcome = outcome if said is outcome else settled(task, said)
        except Exception as error:
            outcome = Raised(exception=error)
    return outcome


def _put(task: Bound, out: DirectOut[Any] | None) -> Any:
    if out is None or not out.has_value:
        raise Breach(f"{task.name!r} succeeded and put no payload into its output: emplace(...) comes before success")
    return out.value
