"""Adapters, one scenario after the other (YO-A1 to YO-A13), each in the four combinations."""

from __future__ import annotations

import pytest

from hocket.plan import (
    Status,
    StepResult,
    TaskResult,
    bind,
    bind_into,
    borrow_prev,
    catch_as_failure,
    retry_fixed,
    retry_fixed_passthrough,
    retry_forever,
    task_tree,
    with_retry,
)
from tests.unit.plan.acting import COMBINATIONS, run

RETRY, GOOD = StepResult.retry(), StepResult.success()


def _by_type(error):
    return TaskResult.failure() if isinstance(error, KeyError) else TaskResult.abort_branch()


class Asks:
    """A policy of one's own: as often as the first letter is upper case."""

    def __init__(self, word):
        self.word = word

    def should_retry(self, approved):
        return self.word[approved].isupper()


class Gives(Asks):
    def on_exhausted(self):
        return TaskResult.success(-1)


# what the attempts do, the adapters, how it ends, what the child sees, how many attempts
SCENARIOS = [
    ("A1 a returned retry is kept", [RETRY], [catch_as_failure()], StepResult, Status.RETRY, None, 1),
    ("A2 failure by type", [KeyError()], [catch_as_failure(_by_type)], TaskResult[int], Status.FAILURE, None, 1),
    ("A3 abort by type", [ValueError()], [catch_as_failure(_by_type)], TaskResult[int], Status.ABORT_BRANCH, None, 1),
    ("A5", [RETRY, RETRY, GOOD], [with_retry(retry_fixed(4))], StepResult, Status.SUCCESS, None, 3),
    ("A6", [RETRY] * 9, [with_retry(retry_fixed(2))], StepResult, Status.FAILURE, None, 3),
    ("A7 payload kept", [RETRY, 17], [with_retry(retry_fixed(2))], TaskResult[int], Status.SUCCESS, 17, 2),
    ("A8 exhausted", [RETRY] * 9, [with_retry(retry_fixed(2))], TaskResult[int], Status.FAILURE, None, 3),
    ("A9", [RETRY] * 9, [with_retry(retry_fixed_passthrough(2))], StepResult, Status.RETRY, None, 3),
    ("A10", [RETRY] * 3 + [GOOD], [with_retry(retry_forever())], StepResult, Status.SUCCESS, None, 4),
    ("A11 output", [KeyError()], [catch_as_failure()], "into", Status.FAILURE, None, 1),
    ("A12 output", [RETRY, RETRY, 17], [with_retry(retry_fixed(2))], "into", Status.SUCCESS, 17, 3),
    ("A13", [KeyError(), GOOD], [catch_as_failure(), with_retry(retry_fixed(2))], StepResult, Status.FAILURE, None, 1),
    (
        "caught, then retried",
        [KeyError(), KeyError(), GOOD],
        [catch_as_failure(lambda error: RETRY), with_retry(retry_fixed(5))],
        StepResult,
        Status.SUCCESS,
        None,
        3,
    ),
    (
        "retried, then caught",
        [KeyError(), GOOD],
        [with_retry(retry_fixed(5)), catch_as_failure(lambda error: RETRY)],
        StepResult,
        Status.RETRY,
        None,
        1,
    ),
    (
        "what is inside begins anew when what is outside grants an attempt",
        [RETRY] * 5 + [GOOD],
        [with_retry(retry_fixed_passthrough(1)), with_retry(retry_fixed(2))],
        StepResult,
        Status.SUCCESS,
        None,
        6,
    ),
    (
        "and is then used up again",
        [RETRY] * 9,
        [with_retry(retry_fixed_passthrough(1)), with_retry(retry_fixed(2))],
        StepResult,
        Status.FAILURE,
        None,
        6,
    ),
    ("a policy of one's own", [RETRY] * 9, [with_retry(Asks("AAb"))], StepResult, Status.RETRY, None, 3),
    ("with an end of its own", [RETRY] * 9, [with_retry(Gives("Ab"))], TaskResult[int], Status.SUCCESS, -1, 2),
    ("a catch that raises", [KeyError()], [catch_as_failure(lambda e: 1 / 0)], StepResult, Status.FAILURE, None, 1),
    (
        "what a catch raises is caught further out",
        [KeyError()],
        [catch_as_failure(lambda e: 1 / 0), catch_as_failure(lambda e: TaskResult.success(3))],
        TaskResult[int],
        Status.SUCCESS,
        3,
        1,
    ),
    (
        "a catch that gives what was not declared",
        [KeyError()],
        [catch_as_failure(lambda e: 3)],
        StepResult,
        Status.FAILURE,
        None,
        1,
    ),
]


def _task(does, adapters, returns, attempts):
    def act():
        attempts.append(1)
        said = does[len(attempts) - 1]
        if isinstance(said, Exception):
            raise said
        if returns is StepResult or returns == "into":
            return said
        return TaskResult.from_step(said) if isinstance(said, StepResult) else TaskResult.success(said)

    def put(out):
        said = act()
        if isinstance(said, StepResult):
            return said
        out.put(said)
        return GOOD

    if returns == "into":
        return bind_into(put, returns=int, adapters=adapters)
    return bind(act, returns=returns, adapters=adapters)


@pytest.mark.parametrize(
    ("scenario", "does", "adapters", "returns", "status", "payload", "expected"),
    SCENARIOS,
    ids=[row[0] for row in SCENARIOS],
)
def test_adapters(scenario, does, adapters, returns, status, payload, expected):
    for slots, executor in COMBINATIONS:
        attempts, seen = [], []
        task = _task(does, adapters, returns, attempts)
        below = [bind(seen.append, borrow_prev(int), returns=None)] if task.payload is int else []
        result = run(task_tree(task, *below), slots=slots, executor=executor)
        assert (result.status, len(attempts)) == (status, expected)
        assert seen == ([] if payload is None else [payload])


def test_a_number_of_attempts_is_no_less_than_none():
    with pytest.raises(ValueError, match="retry_fixed was given -1"):
        retry_fixed(-1)
