"""The thread runtime and the kernel with all their plain data tracked: no two accesses race, and no class is added.

That the same number of classes comes out when every access to data is a step of its own says it
once more: whoever touches something has been ordered by a lock already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import hocket
from hocket import Scheduler

OWN = ["hocket.runtime", "hocket.kernel"]


def chain() -> Any:
    with Scheduler(workers=1) as scheduler:
        first = scheduler.spawn("first", lambda: 1)
        second = scheduler.spawn("second", lambda: 2, after=[first])
    return first.result, second.result


def join_that_helps() -> Any:
    with Scheduler(workers=1) as scheduler:
        first = scheduler.spawn("first", lambda: 2)
        second = scheduler.spawn("second", lambda: 3, after=[first])
        second.join(help=True)
    return second.result


@pytest.mark.parametrize(("body", "classes", "outcome"), [(chain, 20, (1, 2)), (join_that_helps, 30, 3)],
                         ids=lambda value: getattr(value, "__name__", ""))
def test_no_access_of_the_runtime_to_its_data_races(body: Callable[[], Any], classes: int, outcome: Any) -> None:
    only_locks = hocket.explore(body, data="off")
    assert (only_locks.verdict, only_locks.classes, only_locks.outcomes) == ("proved", classes, {outcome: classes})
    watched = hocket.explore(body, data="race-check", track=OWN)
    assert (watched.verdict, watched.classes, watched.untracked) == ("proved", classes, ()), str(watched)


def test_a_step_for_each_access_to_the_runtimes_data_adds_no_class() -> None:
    result = hocket.explore(chain, track=OWN)
    assert (result.verdict, result.classes, result.untracked) == ("proved", 20, ()), str(result)
