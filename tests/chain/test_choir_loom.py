"""CH-L1 to CH-L6, what Choir's authors gave to loom, as explorations of the code that ships.

Their counted pointer `Linearc`, of which the last holder does what there is to do once, is the gate of a task here:
its holders are its handle and those it waits for, and whoever lets go last starts it. The counts say how many
interleavings there are; each terminates.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import hocket
from hocket.errors import Refused
from hocket.runtime import Handle, Scheduler
from tests.chain.scenarios import Drawn


def at_once(*calls: Callable[[], object]) -> None:
    """Each in a thread of its own, the last in this one."""
    threads = [threading.Thread(target=call) for call in calls[:-1]]
    for thread in threads:
        thread.start()
    calls[-1]()
    for thread in threads:
        thread.join()


def dropped_by(holders: int) -> int:
    """So many threads each let go of one that a task waits for; how often the task ran."""
    ran: list[int] = []
    s = Scheduler(0)
    earlier = [s.spawn(f"holder {n}", None, run=False) for n in range(holders)]
    last = s.spawn("last", lambda: ran.append(1), after=earlier)
    at_once(*[task.run for task in earlier])
    last.join(help=True)
    s.close()
    return len(ran)


def taken_by_one() -> tuple[str, ...]:
    """Two want the task for themselves, one to run it and one to cancel it: exactly one gets it."""
    s = Scheduler(0)
    task = s.spawn("t", int, run=False)
    got: list[str] = []

    def want(name: str, call: Callable[[], object]) -> None:
        try:
            call()
            got.append(name)
        except Refused:
            pass

    at_once(lambda: want("armed", task.run), lambda: want("armed too", task.run))
    s.close()
    assert task.result == 0
    return tuple(got)


def last_of_two() -> int:
    """Two bodies of one task end on two threads; how often it closed."""
    closed: list[str] = []
    s = Scheduler(1, watch=lambda moment, node: closed.append(node.name) if moment.name == "CLOSE" else None)
    many = s.multi("m", 2, lambda n: None, run=False)
    many.work = Drawn(2)
    many.run_attached()
    s.close()
    return closed.count("m")


def single_task() -> bool:
    flag: list[bool] = []
    with Scheduler(1) as s:
        s.spawn("t", lambda: flag.append(True), run=False).run().join()
        return flag == [True]


def dependency() -> bool:
    with Scheduler(1) as s:
        a: Handle = s.spawn("a", None)
        b = s.spawn("b", None, after=[a], run=False)
        b.run().join()
        return a.is_done and b.is_done


@pytest.mark.parametrize(
    ("body", "outcomes", "interleavings"),
    [
        (lambda: dropped_by(2), {1}, 2),
        (taken_by_one, {("armed",), ("armed too",)}, 2),
        (lambda: dropped_by(3), {1}, 6),
        (last_of_two, {1}, 309),
        (single_task, {True}, 9),
        (dependency, {True}, 6),
    ],
    ids=["CH-L1", "CH-L2", "CH-L3", "CH-L4", "CH-L5", "CH-L6"],
)
def test_every_interleaving_ends_well(body, outcomes, interleavings):
    result = hocket.explore(body, data="off")
    assert result.verdict == "proved", str(result.failure)
    assert (set(result.outcomes), result.executions) == (outcomes, interleavings)
