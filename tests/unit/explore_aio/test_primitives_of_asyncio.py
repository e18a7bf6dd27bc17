"""Each primitive of asyncio, unmodified: a program with a mistake, and its twin without, with exact counts.

In the order that asyncio promises most programs have one class. The numbers are of moments: `cancel=` adds one class
for each callback that comes while the task is alive (and one for each time that the loop comes to rest), and timers
that are due at once come in any order, together or one after the other.
"""

from __future__ import annotations

import asyncio

import pytest

import hocket
from tests.stock_loop import stock_runs


def verdict_of(body, **options):
    result = hocket.explore(body, **options)
    return result.verdict, result.classes, result.outcomes


async def increments(lock=None):
    """Two tasks that read, give up the turn, and write."""
    count = 0

    async def increment():
        nonlocal count
        if lock is not None:
            await lock.acquire()
        seen = count
        await asyncio.sleep(0)
        count = seen + 1
        if lock is not None:
            lock.release()

    await asyncio.gather(increment(), increment())
    assert count == 2


async def guarded_by_a_lock():
    await increments(asyncio.Lock())


async def guarded_by_a_semaphore():
    await increments(asyncio.Semaphore(1))


async def guarded_by_too_large_a_semaphore():
    await increments(asyncio.Semaphore(2))


@pytest.mark.parametrize("body", [guarded_by_a_lock, guarded_by_a_semaphore])
def test_a_guarded_count_is_proved(body):
    assert verdict_of(body) == ("proved", 1, {None: 1})


@pytest.mark.parametrize("body", [increments, guarded_by_too_large_a_semaphore])
def test_an_unguarded_count_fails_in_the_only_order_there_is(body):
    result = hocket.explore(body)
    assert (result.verdict, result.executions, result.failure.kind) == ("failed", 1, "assertion")
    with pytest.raises(AssertionError):
        hocket.replay(body, str(result.failure.schedule))


def crossed(swapped):
    async def body():
        one, two = asyncio.Lock(), asyncio.Lock()

        async def take(first, second):
            async with first:
                await asyncio.sleep(0)
                async with second:
                    return True

        async with asyncio.TaskGroup() as group:
            group.create_task(take(one, two), name="left")
            group.create_task(take(*((two, one) if swapped else (one, two))), name="right")

    return body


def test_a_deadlock_names_the_tasks_what_they_wait_in_and_the_line():
    failure = hocket.explore(crossed(swapped=True)).failure
    assert failure.kind == "deadlock"
    left, right = failure.waits[1:]
    assert left.startswith("left waits in Lock.acquire, for <Future pending> at test_primitives_of_asyncio.py:")
    assert right.startswith("right waits in Lock.acquire, for <Future pending> at test_primitives_of_asyncio.py:")
    assert {row.actor for row in failure.rows} == {"body (Task-1)", "left", "right"}
    assert verdict_of(crossed(swapped=False)) == ("proved", 1, {None: 1})


async def waits_for_an_event(set_it=True):
    event = asyncio.Event()
    waiter = asyncio.create_task(event.wait())
    await asyncio.sleep(0)
    if set_it:
        event.set()
    return await waiter


async def waits_for_nobody():
    await waits_for_an_event(set_it=False)


def test_an_event_that_nobody_sets_is_a_deadlock():
    assert verdict_of(waits_for_an_event) == ("proved", 1, {True: 1})
    assert hocket.explore(waits_for_nobody).failure.kind == "deadlock"


def hands_over(puts):
    async def body():
        queue = asyncio.Queue(1)

        async def produce():
            for number in range(puts):
                await queue.put(number)

        producer = asyncio.create_task(produce())
        got = [await queue.get() for _ in range(2)]
        await producer
        return tuple(got)

    return body


def test_a_queue_hands_over_in_order_and_an_item_too_few_is_a_deadlock():
    assert verdict_of(hands_over(2)) == ("proved", 1, {(0, 1): 1})
    assert hocket.explore(hands_over(1)).failure.kind == "deadlock"


def meets(parties):
    async def body():
        barrier = asyncio.Barrier(parties)
        return tuple(sorted(await asyncio.gather(barrier.wait(), barrier.wait())))

    return body


def test_a_barrier_opens_for_its_parties_and_for_fewer_never():
    assert verdict_of(meets(2)) == ("proved", 1, {(0, 1): 1})
    assert hocket.explore(meets(3)).failure.kind == "deadlock"


def notified(how):
    async def body():
        condition = asyncio.Condition()

        async def wait():
            async with condition:
                await condition.wait()

        tasks = [asyncio.create_task(wait()) for _ in range(2)]
        await asyncio.sleep(0)
        async with condition:
            how(condition)
        await asyncio.gather(*tasks)

    return body


def test_a_condition_that_wakes_one_of_two_leaves_the_other_waiting():
    assert verdict_of(notified(asyncio.Condition.notify_all)) == ("proved", 1, {None: 1})
    assert hocket.explore(notified(asyncio.Condition.notify)).failure.kind == "deadlock"


def test_time_is_virtual_and_a_timeout_takes_none():
    async def body():
        try:
            async with asyncio.timeout(3600):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return asyncio.get_running_loop().time()

    assert verdict_of(body) == ("proved", 1, {3600.0: 1})


def test_timers_come_in_the_order_of_their_times():
    async def body():
        came = []

        async def sleep(seconds):
            await asyncio.sleep(seconds)
            came.append(seconds)

        await asyncio.gather(sleep(0.2), sleep(0.1), sleep(0.3))
        return tuple(came)

    assert verdict_of(body) == ("proved", 1, {(0.1, 0.2, 0.3): 1})


@pytest.mark.parametrize(("sleepers", "classes"), [(1, 1), (2, 6), (3, 54)])  # n! orders; each next one in 3 places
def test_timers_that_are_due_at_once_come_in_any_order_and_in_any_turn_of_what_others_set_off(sleepers, classes):
    async def body():
        came = []

        async def sleep(number):
            await asyncio.sleep(1)
            came.append(number)
            await asyncio.sleep(0)
            came.append(number)

        await asyncio.gather(*map(sleep, range(sleepers)))
        return tuple(came)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", classes)
    assert set(result.outcomes) == set(stock_runs(body))


def test_a_timer_of_the_same_time_comes_in_the_middle_of_what_another_has_set_off():
    """Two turns pass between a task's waking and its end; before, between and after is where the other comes."""
    async def body():
        log = []
        asyncio.get_running_loop().call_later(1, log.append, "timer")
        await asyncio.sleep(1)
        log.append("awake")
        await asyncio.sleep(0)
        log.append("on")
        await asyncio.sleep(0)
        log.append("end")
        await asyncio.sleep(1)
        return log.index("timer")

    assert verdict_of(body)[::2] == ("proved", {0: 2, 1: 1, 2: 1, 3: 1})  # 0: first, or second in the same turn


def test_a_timer_that_was_due_when_it_was_made_comes_in_the_next_turn():
    async def body():
        log, loop = [], asyncio.get_running_loop()
        for number in range(2):
            loop.call_later(0, log.append, number)
        loop.call_soon(loop.call_soon, log.append, "two turns later")
        await asyncio.sleep(1)
        return tuple(log)

    assert verdict_of(body) == ("proved", 2, {(0, 1, "two turns later"): 1, (1, 0, "two turns later"): 1})


def test_what_sleeps_alike_in_a_group_costs_no_places_between_notes_that_only_count():
    async def grouped():
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(asyncio.sleep(1))

    async def gathered():
        await asyncio.gather(*(asyncio.sleep(1) for _ in range(3)))

    async def awaited():
        await asyncio.wait([asyncio.ensure_future(asyncio.sleep(1)) for _ in range(3)])

    assert [verdict_of(body)[:2] for body in (grouped, gathered, awaited)] == [("proved", 24)] * 3


def test_shield_and_wait_and_wait_for_run_as_the_standard_library_wrote_them():
    async def body():
        inner = asyncio.create_task(asyncio.sleep(2, "inner"))
        try:
            await asyncio.wait_for(asyncio.shield(inner), 1)
        except TimeoutError:
            done, pending = await asyncio.wait({inner}, timeout=0.5)
            assert not done
            assert pending
        return await inner

    assert verdict_of(body) == ("proved", 1, {"inner": 1})


def test_a_task_group_cancels_the_rest_when_one_of_them_fails():
    async def body():
        ends = []

        async def rest():
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                ends.append("cancelled")
                raise

        async def fail():
            raise KeyError("why")

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(rest())
                group.create_task(fail())
        except* KeyError:
            ends.append("failed")
        return tuple(ends)

    assert verdict_of(body) == ("proved", 1, {("cancelled", "failed"): 1})


def test_plain_functions_that_run_a_loop_get_the_explored_one_and_afterwards_the_real_one():
    def body():
        async def main():
            await asyncio.sleep(5)
            return asyncio.current_task().get_name(), type(asyncio.get_running_loop()).__module__

        return asyncio.run(main())

    assert verdict_of(body) == ("proved", 1, {("Task-1", "hocket.explore.aio.loop"): 1})
    loop = asyncio.new_event_loop()
    assert type(loop).__module__ == "asyncio.unix_events"
    loop.close()


@hocket.explore.test(cancel="sleeper")
@pytest.mark.parametrize("seconds", [0, 1])
async def test_an_async_test_explores_itself(seconds):
    async def sleeper():
        await asyncio.sleep(seconds)

    await asyncio.wait({asyncio.create_task(sleeper())})
