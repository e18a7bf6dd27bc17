"""Pure models: what a program may say, what is found, and what a limit does to a verdict."""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from hocket.errors import DivergenceError, NondeterminismError, Refused
from hocket.explore.classes import class_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal, Source
from hocket.explore.execution import Execution
from hocket.explore.model import Program, Spawn, choose, join, run
from hocket.explore.strategy import Keep, Replay
from hocket.explore.tally import Limits
from hocket.trace.schedule import Schedule
from tests import explorer_programs as programs
from tests.fuzz_explorer import sources
from tests.programs import build


def test_two_increments_lose_one_in_half_of_four_classes():
    tally = run(programs.counter(2), Optimal())
    assert tally.outcomes == {(("x", 2),): 2, (("x", 1),): 2}
    assert (tally.verdict, tally.executions, tally.abandoned) == ("proved", 4, 0)


@pytest.mark.parametrize("strategy", [Optimal, Source, DepthFirst])
def test_a_host_that_cannot_rewind_sees_the_same_executions(strategy: Any):
    """`fixed` = 0 makes every execution begin anew: the thread host does so."""

    for source in islice(sources(3), 40):
        seen: list[Any] = []
        again: list[Any] = []
        limits = Limits(executions=60)
        run(build(source), strategy(), limits, watch=lambda e, seen=seen: seen.append(class_of(e)))
        run(build(source), _Blind(strategy()), limits, watch=lambda e, again=again: again.append(class_of(e)))
        assert seen == again


class _Blind:
    """A strategy whose host is not told what stays the same."""

    fixed = 0

    def __init__(self, strategy: Any) -> None:
        self.inner = strategy
        self.exhaustive = strategy.exhaustive
        self.begin, self.choose, self.ended = strategy.begin, strategy.choose, strategy.ended


def test_a_spawned_actor_starts_after_its_spawn_and_a_join_waits_for_its_end():
    program = Program()
    x = program.cell(0, "x")

    def child(amount: int) -> Any:
        yield x.add(amount)
        return amount * 10

    def main() -> Any:
        first = yield Spawn(child, (1,))
        second = yield Spawn(child, (2,))
        yield join(first)
        yield join(second)
        return (yield x.load())

    program.body(main)
    program.outcome = lambda final: final.results[0]
    tally = run(program, Optimal())
    assert tally.outcomes == {3: 2}  # two orders of the two additions
    assert run(program, DepthFirst()).outcomes[3] > 2


def test_inner_steps_of_a_reentrant_lock_are_invisible():
    program = Program()
    lock = program.rlock("r")

    def body() -> Any:
        yield lock.acquire()
        assert (yield lock.acquire()) is True
        yield lock.release()
        yield lock.release()

    program.actor(body)
    program.actor(body)
    lengths = set()
    tally = run(program, Optimal(), watch=lambda execution: lengths.add(len(execution.events)))
    assert (tally.executions, lengths, tally.verdict) == (2, {4}, "proved")


def test_a_notify_that_comes_before_the_wait_is_lost():
    """Waiter first: woken. Notifier first: the waiter waits for ever. Two classes, one deadlock."""
    program = Program()
    lock = program.lock("lock")
    ready = program.condition(lock, "ready")

    def wait() -> Any:
        yield lock.acquire()
        yield from ready.wait()
        yield lock.release()

    def notify() -> Any:
        yield lock.acquire()
        yield ready.notify()
        yield lock.release()

    program.actor(wait)
    program.actor(notify)
    tally = run(program, Optimal())
    assert (tally.executions, tally.failed) == (2, 1)
    assert tally.failures[0].waits == (
        "t1 waits for ready.resume: a lost wake-up, t2 notified in step 2, when nobody waited yet; "
        "it waits since step 5",)


def test_a_timed_wait_is_notified_or_expires():
    program = Program()
    lock = program.lock("lock")
    ready = program.condition(lock, "ready")

    def wait() -> Any:
        yield lock.acquire()
        notified = yield from ready.timed_wait()
        yield lock.release()
        return notified

    def notify() -> Any:
        yield lock.acquire()
        yield ready.notify_all()
        yield lock.release()

    program.actor(wait)
    program.actor(notify)
    program.outcome = lambda final: final.results[1]
    found = run(program, Optimal())
    every = run(program, DepthFirst())
    assert set(found.outcomes) == set(every.outcomes) == {True, False}


def test_a_data_choice_tries_every_number():
    program = Program()

    def body() -> Any:
        return (yield choose(3)), (yield choose(2))

    program.actor(body)
    program.outcome = lambda final: final.results[1]
    assert run(program, Optimal()).outcomes == {(a, b): 1 for a in range(3) for b in range(2)}


def test_misuse_of_a_lock_is_raised_in_the_actor_in_the_words_of_the_library():
    program = Program()
    lock = program.lock("lock")

    def body() -> Any:
        yield lock.release()

    program.actor(body)
    failure = run(program, Optimal()).failures[0]
    assert failure.kind == "exception"
    assert "release unlocked lock" in failure.message


def test_every_deadlock_replays_from_its_printed_schedule():
    tally = run(programs.philosophers(3), Optimal())
    assert (tally.verdict, tally.executions, tally.failed) == ("failed", 7, 1)
    schedule = Schedule.parse(str(tally.failures[0].schedule))
    again = run(programs.philosophers(3), Replay(schedule))
    assert [failure.message for failure in again.failures] == [tally.failures[0].message]


def test_a_schedule_of_another_program_is_refused_at_the_step_where_they_part():
    with pytest.raises(DivergenceError) as caught:
        run(programs.locked(2), Replay(Schedule.parse("hocket1:t1.t2.t1")))
    assert caught.value.step == 2  # t2 cannot take the lock


def test_a_broken_check_is_an_assertion_with_its_schedule():
    program = programs.counter(2)
    x = program.handles[0]

    def both(final: Any) -> None:
        if final[x] != 2:
            raise AssertionError(f"x is {final[x]}")

    program.check(both)
    tally = run(program, Optimal())
    assert (tally.failed, tally.failures[0].kind, tally.failures[0].message) == (2, "assertion", "x is 1")
    assert run(program, Replay(tally.failures[0].schedule)).failures[0].message == "x is 1"


@pytest.mark.parametrize(("limits", "says"), [
    (Limits(executions=3), "limit of 3 executions"),
    (Limits(seconds=0.0), "limit of 0.0 seconds"),
    (Limits(steps=2), "limit of 2 steps"),
])
def test_a_limit_that_was_reached_makes_the_verdict_incomplete_and_says_so(limits: Limits, says: str):
    tally = run(programs.counter(2), Optimal(), limits)
    assert tally.verdict == "incomplete"
    assert says in tally.reason


def test_a_search_that_is_not_exhaustive_proves_nothing():
    tally = run(programs.counter(2), Keep())
    assert (tally.executions, tally.verdict) == (1, "incomplete")


def test_a_program_that_keeps_state_between_executions_is_called_nondeterministic():
    program = Program()
    x, y = program.cell(0, "x"), program.cell(0, "y")
    runs = []

    def body() -> Any:
        runs.append(1)
        yield (x if len(runs) < 4 else y).load()
        yield x.store(1)

    program.actor(body)
    program.actor(body)
    with pytest.raises(NondeterminismError, match="not deterministic"):
        run(program, Optimal())


def test_an_actor_that_yields_something_else_is_told_what_it_may_yield():
    program = Program()

    def body() -> Any:
        yield "not an operation"

    program.actor(body)
    with pytest.raises(TypeError, match="expected an operation"):
        run(program, Optimal())


def test_memory_does_not_grow_with_the_number_of_executions():
    """Frames and events are those of one path; plans are taken out as they are explored."""
    strategy = Optimal()
    depths = set()

    def see(execution: Execution) -> None:
        depths.add(len(strategy.frames))
        assert len(execution.events) == len(strategy.order.events) == len(strategy.frames) == 10

    run(programs.counter(5), strategy, Limits(executions=2000), watch=see)
    assert depths == {10}


@pytest.mark.parametrize("make", [
    lambda program: program.semaphore(1, "door"), lambda program: program.semaphore(-1),
    lambda program: program.semaphore(2, 1), lambda program: program.queue("jobs"),
    lambda program: program.barrier(0), lambda program: program.barrier(True)])
def test_a_number_that_is_none_is_refused_where_it_is_given(make):
    with pytest.raises(Refused, match=r"but it is a count; expected: a whole number of at least \d\. A name goes by"):
        make(Program())
