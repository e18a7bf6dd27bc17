"""Coroutines with a mistake of the kind that is found in the wild; each is an async function of `fixed`.

`open_to` says what is open besides: who may be cancelled from outside, and whether callbacks keep their order.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import hocket

PROGRAMS: list[Callable[..., Any]] = []
OPTIONS: dict[str, dict[str, Any]] = {}


def open_to(**options: Any) -> Callable[[Any], Any]:
    def enter(program: Any) -> Any:
        PROGRAMS.append(program)
        OPTIONS[program.__name__] = options
        return program

    return enter


def explored(program: Any, fixed: bool) -> hocket.explore.Result:
    return hocket.explore(partial(program, fixed), seconds=20, **OPTIONS[program.__name__])


@open_to()
async def checked_then_awaited_then_done(fixed: bool) -> None:
    """Two coroutines miss the cache before one has filled it."""
    cache: dict[str, Any] = {}
    lock, loads = asyncio.Lock(), []

    async def load(key: str) -> Any:
        async with lock if fixed else contextlib.nullcontext():
            if key not in cache:
                loads.append(key)
                await asyncio.sleep(0)
                cache[key] = object()
            return cache[key]

    one, other = await asyncio.gather(load("a"), load("a"))
    assert one is other


@open_to()
async def read_awaited_written(fixed: bool) -> None:
    balance, lock = {"a": 10}, asyncio.Lock()

    async def withdraw(amount: int) -> None:
        async with lock if fixed else contextlib.nullcontext():
            before = balance["a"]
            await asyncio.sleep(0.01)
            balance["a"] = before - amount

    await asyncio.gather(withdraw(3), withdraw(4))
    assert balance["a"] == 3


@open_to(cancel="holder")
async def a_lock_not_released_by_who_is_cancelled(fixed: bool) -> None:
    lock = asyncio.Lock()

    async def holder() -> None:
        if fixed:
            async with lock:
                await asyncio.sleep(0.01)
            return
        await lock.acquire()
        await asyncio.sleep(0.01)
        lock.release()

    task = asyncio.create_task(holder(), name="holder")
    await asyncio.wait([task])
    async with lock:
        pass
    with contextlib.suppress(asyncio.CancelledError):
        await task


@open_to(cancel="worker")
async def a_semaphore_taken_before_the_try(fixed: bool) -> None:
    slots, free = asyncio.Semaphore(1), []

    async def worker() -> None:
        await slots.acquire()
        if not fixed:
            await asyncio.sleep(0)  # a log line, a metric
        try:
            await asyncio.sleep(0.01)
        finally:
            slots.release()

    task = asyncio.create_task(worker(), name="worker")
    await asyncio.wait([task])
    free.append(slots.locked())
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert free == [False]


@open_to(cancel="worker")
async def an_item_lost_with_who_took_it(fixed: bool) -> None:
    """Taken from the queue, then cancelled before it is done."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    queue.put_nowait(1)

    async def worker() -> None:
        await queue.get()
        try:
            await asyncio.sleep(0.01)
        finally:
            if fixed:
                queue.task_done()
        if not fixed:
            queue.task_done()

    task = asyncio.create_task(worker(), name="worker")
    await asyncio.wait([task])
    if queue.empty():
        await asyncio.wait_for(queue.join(), 1)
    with contextlib.suppress(asyncio.CancelledError):
        await task


@open_to()
async def gather_that_leaves_the_others_running(fixed: bool) -> None:
    """The first error comes out; what the others do afterwards meets what is closed."""
    state, late = {"open": True}, []

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise ValueError

    async def uses() -> None:
        await asyncio.sleep(0.02)
        if not state["open"]:
            late.append(1)

    if fixed:
        with contextlib.suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                group.create_task(uses())
    else:
        with contextlib.suppress(ValueError):
            await asyncio.gather(fails(), uses())
    state["open"] = False
    await asyncio.sleep(0.05)
    assert not late


@open_to()
async def exceptions_returned_and_not_looked_at(fixed: bool) -> None:
    async def fails() -> int:
        await asyncio.sleep(0)
        raise ValueError

    results = await asyncio.gather(fails(), return_exceptions=True)
    total = sum(result for result in results if not (fixed and isinstance(result, BaseException)))
    assert total == 0


@open_to()
async def a_timeout_that_loses_the_result(fixed: bool) -> None:
    """The item arrives as the time runs out: cancelled, `get` had it in hand."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    asyncio.get_running_loop().call_later(1, queue.put_nowait, 1)
    got: list[int] = []

    async def take() -> None:
        item = await queue.get()
        await asyncio.sleep(0)
        got.append(item)

    task = asyncio.create_task(take())
    try:
        await asyncio.wait_for(asyncio.shield(task) if fixed else task, 1)
    except TimeoutError:
        if fixed:
            await task
    assert got == [1] or not queue.empty()


@open_to()
async def two_timers_taken_for_ordered(fixed: bool) -> None:
    """Due at one time, they come in any order."""
    order: list[str] = []

    async def step(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        order.append(name)

    await asyncio.gather(step("a", 1), step("b", 2 if fixed else 1))
    assert order == ["a", "b"]


@open_to()
async def joined_before_it_was_put(fixed: bool) -> None:
    """`join` of an empty queue returns at once; the producer has not begun."""
    queue: asyncio.Queue[int] = asyncio.Queue()
    done: list[int] = []

    async def produce() -> None:
        await queue.put(1)

    async def consume() -> None:
        item = await queue.get()
        await asyncio.sleep(0)
        done.append(item)
        queue.task_done()

    producing, consuming = asyncio.create_task(produce()), asyncio.create_task(consume())
    if fixed:
        await producing
    await queue.join()
    seen = list(done)
    await asyncio.gather(producing, consuming)
    assert seen == [1]


@open_to()
async def an_async_generator_left_in_the_middle(fixed: bool) -> None:
    closed: list[int] = []

    async def rows() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(1)

    if fixed:
        async with contextlib.aclosing(rows()) as source:  # type: ignore[type-var]
            async for _ in source:
                break
    else:
        source = rows()
        async for _ in source:
            break
    seen = list(closed)
    assert seen == [1]


@open_to()
async def an_async_generator_that_two_advance(fixed: bool) -> None:
    lock = asyncio.Lock()

    async def rows() -> AsyncIterator[int]:
        for number in range(2):
            await asyncio.sleep(0)
            yield number

    source = rows()

    async def take() -> int:
        async with lock if fixed else contextlib.nullcontext():
            return await anext(source)

    assert sorted(await asyncio.gather(take(), take())) == [0, 1]


@open_to()
async def handed_over_without_threadsafe(fixed: bool) -> None:
    """Another thread calls `call_soon`, which nobody wakes the loop for."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def work() -> None:
        if fixed:
            loop.call_soon_threadsafe(done.set)
        else:
            loop.call_soon(done.set)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        await done.wait()
    finally:
        thread.join()


@open_to()
async def an_executor_and_a_coroutine(fixed: bool) -> None:
    """The loop's thread writes while the other one reads and writes."""
    counter = {"n": 0}

    def work() -> None:
        counter["n"] += 1

    loop = asyncio.get_running_loop()
    future = loop.run_in_executor(None, work)
    if fixed:
        await future
    counter["n"] += 1
    await future
    assert counter["n"] == 2


@open_to()
async def an_event_cleared_by_who_was_woken(fixed: bool) -> None:
    """Set once for two: the first that wakes clears it, and checks nothing."""
    event, items, got = asyncio.Event(), [], []

    async def take() -> None:
        if fixed:
            while not items:
                event.clear()
                await event.wait()
        else:
            await event.wait()
            event.clear()
        got.append(items.pop())

    takers = [asyncio.create_task(take()) for _ in range(2)]
    await asyncio.sleep(0)
    for item in (1, 2):
        items.append(item)
        event.set()
        await asyncio.sleep(1)
    await asyncio.gather(*takers)
    assert got == [1, 2]


@open_to()
async def a_task_nobody_keeps(fixed: bool) -> None:
    """Its exception is never retrieved."""
    async def fails() -> None:
        raise ValueError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    if fixed:
        with contextlib.suppress(ValueError):
            await task


@open_to(order="any")
async def what_only_the_order_of_asyncio_promises(fixed: bool) -> None:
    """Right on asyncio, wrong on a loop that takes ready callbacks in another order."""
    order: list[int] = []
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    if fixed:
        loop.call_soon(lambda: (order.append(1), loop.call_soon(lambda: (order.append(2), done.set()))))
    else:
        loop.call_soon(order.append, 1)
        loop.call_soon(lambda: (order.append(2), done.set()))
    await done.wait()
    assert order == [1, 2]


@open_to(cancel="outer")
async def cancellation_swallowed_in_a_loop(fixed: bool) -> None:
    """`except BaseException: pass` around an await: who was cancelled goes on."""
    went_on: list[int] = []

    async def outer() -> None:
        try:
            await asyncio.sleep(1)
        except BaseException:
            if fixed:
                raise
        else:
            return
        went_on.append(1)

    task = asyncio.create_task(outer(), name="outer")
    await asyncio.wait([task])
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert not went_on


@open_to()
async def one_lock_taken_twice(fixed: bool) -> None:
    lock = asyncio.Lock()

    async def inner() -> None:
        if fixed:
            return
        async with lock:
            pass

    async with lock:
        await inner()


@open_to()
async def a_barrier_of_too_few(fixed: bool) -> None:
    barrier = asyncio.Barrier(2)

    async def meet() -> None:
        await barrier.wait()

    await asyncio.gather(*[meet() for _ in range(2 if fixed else 3)])


@open_to()
async def the_first_of_two_taken_for_the_only_one(fixed: bool) -> None:
    """Both are due at the same time: one turn may bring both."""
    async def answer(number: int) -> int:
        await asyncio.sleep(1)
        return number

    tasks = [asyncio.create_task(answer(number)) for number in (1, 2)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    if fixed:
        assert done
    else:
        (_only,) = done
    for task in pending:  # a set: in the same order in every execution
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@open_to()
async def handed_over_as_time_is_over(fixed: bool) -> None:
    """A place is handed to a waiter whose time-out comes before it runs: the place is lost with it."""
    waiters: list[asyncio.Future[None]] = []

    async def enter() -> None:
        waiter = asyncio.get_running_loop().create_future()
        waiters.append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if fixed and waiter.done() and not waiter.cancelled():
                leave()
            raise

    def leave() -> None:
        waiting = [waiter for waiter in waiters if not waiter.done()]
        for waiter in waiting[:1]:
            waiter.set_result(None)

    async def patient() -> None:
        await asyncio.sleep(0)
        await enter()

    async def impatient() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await enter()
                try:
                    await asyncio.sleep(0)
                finally:
                    leave()

    both = asyncio.gather(impatient(), patient())
    await asyncio.sleep(1)
    leave()
    await asyncio.wait_for(both, 9)
