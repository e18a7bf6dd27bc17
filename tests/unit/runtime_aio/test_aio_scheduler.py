"""The scheduler of event loops as people use it: awaiting, cancelling, context variables, threads beside the loop."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import gc
import itertools
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest

from hocket import AsyncScheduler, run, run_async
from hocket.errors import DeadlockError, TaskLost
from hocket.graph import fork, seq, task
from hocket.kernel import Outcome

GUARD = 30.0


def looped(test: Any) -> Any:
    """The coroutine function as a test, in a loop of its own; nothing of asyncio's or of threads may be left."""

    @functools.wraps(test)
    def in_a_loop(**fixtures: Any) -> None:
        async def whole() -> None:
            await test(**fixtures)
            assert asyncio.all_tasks() == {asyncio.current_task()}

        before = threading.active_count()
        asyncio.run(whole())
        assert threading.active_count() == before

    return in_a_loop


async def forty() -> int:
    await asyncio.sleep(0)
    return 40


async def never() -> None:
    await asyncio.Event().wait()


# -- awaiting ----------------------------------------------------------------------------------------------------------


@looped
async def test_a_handle_is_awaited_for_what_its_body_returned_by_any_number_of_people_and_again():
    async with AsyncScheduler() as s:
        a = s.spawn("a", forty)
        assert await asyncio.gather(a, a.join(), *[a] * 3) == [40] * 5
        assert (await a, a.result, a.outcome, a.is_done) == (40, 40, Outcome.FINISHED, True)


@looped
async def test_values_go_by_name_to_async_and_sync_bodies():
    async def add(x: int, y: int) -> int:
        return x + y

    async with AsyncScheduler() as s:
        a, b = s.spawn("a", forty), s.spawn("b", lambda: 2)
        c = s.spawn("c", add, after={"x": a, "y": b})
        d = s.spawn("d", lambda z: z + 1, after={"z": c})
    assert (c.result, d.result) == (42, 43)


@looped
async def test_a_function_that_returns_a_coroutine_is_awaited_on_the_loop():
    async with AsyncScheduler() as s:
        assert await s.spawn("lambda", lambda: forty()) == 40
        assert await s.spawn("partial", functools.partial(asyncio.sleep, 0, "slept")) == "slept"


@looped
async def test_a_body_is_a_task_of_asyncios_by_its_name_with_the_variables_of_where_it_was_spawned():
    variable = contextvars.ContextVar("variable", default="outside")

    async def body() -> tuple[str, str, asyncio.Task[Any] | None]:
        seen = variable.get()
        variable.set("changed inside")
        await asyncio.sleep(0)
        return asyncio.current_task().get_name(), seen, asyncio.current_task()

    async with AsyncScheduler(workers=1) as s:
        first = s.spawn("first", body)
        variable.set("later")
        second, threaded = s.spawn("second", body), s.spawn("threaded", variable.get)
        variable.set("latest")
    assert first.result[:2] == ("first", "outside")
    assert second.result[:2] == ("second", "later")
    assert threaded.result == "later"
    assert first.result[2] is not second.result[2]
    assert variable.get() == "latest"


@looped
async def test_indices_of_one_task_share_no_changes_of_variables():
    variable, seen = contextvars.ContextVar("variable", default=0), []

    async def body(number: int) -> None:
        seen.append(variable.get())
        variable.set(number + 1)

    async with AsyncScheduler(workers=1) as s:
        s.multi("m", 4, body)
        s.multi("threads", 3, lambda number: (seen.append(variable.get()), variable.set(9)))
    assert seen == [0] * 7


@looped
async def test_a_join_with_a_timeout_says_what_it_waits_for_and_leaves_no_waiter_ch_11():
    go_on = asyncio.Event()
    async with AsyncScheduler() as s:
        first, second = s.spawn("first", go_on.wait, run=False), None
        second = s.spawn("second", forty, after=[first.run()])
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError, match=r"after 0 s, second is waiting; it waits for first \(after\), which is"):
            await second.join(timeout=0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await second
        assert (second.waiters, s._closers) == ({}, [])
        go_on.set()
        assert await second.join(timeout=GUARD) == 40


@looped
async def test_a_body_that_joins_what_waits_for_it_is_refused_at_the_call():
    async with AsyncScheduler() as s:
        later: list[Any] = []

        async def body() -> str:
            with pytest.raises(DeadlockError, match="'a' joined 'b', which cannot close before 'a' does") as caught:
                await later[0]
            assert caught.value.cycle
            return "went on"

        a = s.spawn("a", body, run=False)
        later.append(s.spawn("b", forty, after=[a]))
        a.run()
        assert await a == "went on"


@looped
async def test_a_part_of_a_body_that_waits_on_after_the_body_has_ended_takes_nobodys_place():
    parts = []

    async def looks() -> int:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return 39 + s._in_flight  # it has the only place, whether or not the body that gave it away has ended

    async def leaves_a_part(context: Any) -> None:
        other = context.spawn("other", looks)
        parts.append(asyncio.create_task(other.join()))
        await asyncio.sleep(0)

    async with AsyncScheduler(workers=1) as s:
        await s.spawn("leaves", leaves_a_part, context=True)
        assert await parts[0] == 40
        assert await s.spawn("next", forty) == 40
        assert (s._in_flight, s._joined) == (0, {})


@looped
async def test_nested_schedulers_with_one_place_each_do_not_starve_each_other():
    async def inner(outer: AsyncScheduler) -> int:
        async with AsyncScheduler(workers=1) as s:
            return await s.spawn("deep", lambda: waits_for(outer))

    async def waits_for(outer: AsyncScheduler) -> int:
        return await outer.spawn("behind", forty)

    async with AsyncScheduler(workers=1) as s:
        assert await s.spawn("holds the place", functools.partial(inner, s)) == 40


@looped
async def test_a_chain_of_values_keeps_none_but_the_last_and_closed_tasks_are_freed():
    class Value:
        pass

    async def following(before: Value | None = None) -> Value:
        return Value()

    gc.disable()
    try:
        async with AsyncScheduler() as s:
            last = s.spawn("first", following)
            first = weakref.ref(await last)
            for _ in range(3):
                last = s.spawn("next", following, after={"before": last})
                await last
            assert first() is None
            kept = weakref.ref(last.result)
            del last
            assert kept() is None  # nor does the scheduler keep what it has closed
    finally:
        gc.enable()


# -- failures ----------------------------------------------------------------------------------------------------------


async def fails(what: str) -> None:
    raise ValueError(what)


@looped
async def test_what_a_body_raises_comes_out_of_the_await_as_itself_ch_12():
    error = ValueError("a body's own")

    async def body() -> None:
        raise error

    async with AsyncScheduler() as s:
        for failing in (s.spawn("loop", body), s.spawn("thread", lambda: (_ for _ in ()).throw(error))):
            with pytest.raises(ValueError, match="a body's own") as caught:
                await failing
            assert caught.value is error
        lost = s.spawn("lost", forty, after=[failing])
        with pytest.raises(TaskLost, match="'lost' was skipped because 'thread' was lost") as told:
            await lost
        assert told.value.__cause__ is error


@looped
async def test_failures_that_nobody_asked_for_come_at_the_end_one_as_itself_several_as_a_group():
    with pytest.raises(ValueError, match="alone"):
        async with AsyncScheduler() as s:
            s.spawn("t", functools.partial(fails, "alone"))
    with pytest.raises(ExceptionGroup, match="2 tasks failed, and nobody asked") as caught:  # noqa: PT012
        async with AsyncScheduler() as s:
            one, *_ = [s.spawn(what, functools.partial(fails, what)) for what in ("one", "two", "three")]
            with pytest.raises(ValueError, match="one"):
                await one
    assert sorted(map(str, caught.value.exceptions)) == ["three", "two"]


@looped
async def test_a_block_that_raises_ends_what_runs_and_tells_what_failed_beside_it():
    ended = []

    async def body() -> None:
        try:
            await never()
        finally:
            ended.append("body")
            raise LookupError("on the way out")

    with pytest.raises(ZeroDivisionError) as caught:  # noqa: PT012
        async with AsyncScheduler() as s:
            running, waiting = s.spawn("running", body), s.spawn("waiting", forty, run=False)
            await asyncio.sleep(0)
            raise ZeroDivisionError
    assert (ended, running.outcome, waiting.outcome) == (["body"], Outcome.FAILED, Outcome.CANCELLED)
    assert caught.value.__notes__ == ["hocket: meanwhile, running failed: LookupError('on the way out')"]


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, StopAsyncIteration, BaseException])
@pytest.mark.parametrize("where", ["loop", "thread"])
@looped
async def test_a_body_may_raise_anything_and_the_others_go_on(error, where):
    async def on_the_loop() -> None:
        raise error("from a body")

    def in_a_thread() -> None:
        raise error("from a body")

    async with AsyncScheduler(workers=1, threads=1) as s:
        failing = s.spawn("t", on_the_loop if where == "loop" else in_a_thread)
        with pytest.raises((error, RuntimeError), match=r"from a body|raised StopAsyncIteration"):
            await failing
        assert [await s.spawn("a", forty), await s.spawn("b", lambda: 2)] == [40, 2]


@looped
async def test_a_stop_iteration_out_of_a_thread_is_an_exception_like_others():
    async with AsyncScheduler() as s:
        failing = s.spawn("t", lambda: next(iter(())))
        while not failing.is_done:
            await asyncio.sleep(0)
        assert isinstance(failing.exception, StopIteration)


@pytest.mark.parametrize("where", ["loop", "thread"])
def test_a_keyboard_interrupt_in_a_body_stops_the_loop_and_everything_is_closed(where, caplog):
    told: list[Any] = []

    async def on_the_loop() -> None:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    def in_a_thread() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        async with AsyncScheduler() as s:
            told.append(s.spawn("runs", never))
            told.append(s.spawn("stops", on_the_loop if where == "loop" else in_a_thread))
            told.append(s.spawn("waits", forty, after=told[:1]))

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert [handle.outcome for handle in told[:2]] == [Outcome.FAILED] * 2
    assert told[2].outcome in (Outcome.CANCELLED, Outcome.SKIPPED)  # asyncio.run ends tasks in the order of a set
    gc.collect()
    assert caplog.records == []  # asyncio does not say that nobody asked for it


# -- cancellation ------------------------------------------------------------------------------------------------------


@looped
async def test_a_cancelled_caller_interrupts_what_runs_cancels_what_waits_and_awaits_threads():
    told, running, go_on = [], threading.Event(), threading.Event()

    async def body() -> None:
        try:
            await never()
        except asyncio.CancelledError:
            told.append("interrupted")
            await asyncio.sleep(0)
            told.append("cleaned up")
            go_on.set()
            raise

    def in_a_thread() -> str:
        running.set()
        assert go_on.wait(GUARD)
        return "ended by itself"

    async def caller() -> None:
        async with AsyncScheduler() as s:
            handles.extend([s.spawn("body", body), s.spawn("thread", in_a_thread)])
            handles.append(s.spawn("after", forty, after=handles))
            handles.append(s.spawn("idle", forty, run=False, after=handles[:1]))

    handles: list[Any] = []
    task = asyncio.create_task(caller())
    while not running.is_set():
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == ["interrupted", "cleaned up"]
    assert [str(handle.outcome) for handle in handles] == ["failed", "finished", "cancelled", "cancelled"]
    with pytest.raises(TaskLost, match="'body' was interrupted") as caught:
        handles[0].result  # noqa: B018  # it raises
    assert isinstance(caught.value.__cause__, asyncio.CancelledError)


@looped
async def test_what_is_spawned_while_everything_is_cancelled_does_not_start():
    made: list[Any] = []

    async def body(context: Any) -> None:
        try:
            await never()
        finally:
            made.append(context.fork("late", forty))
            made.append(context.spawn("idle", forty, run=False))

    async def caller() -> None:
        async with AsyncScheduler() as s:
            s.spawn("body", body, context=True)
            await never()

    task = asyncio.create_task(caller())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert [handle.outcome for handle in made] == [Outcome.CANCELLED] * 2


@looped
async def test_a_second_cancellation_is_passed_on_to_a_body_that_declined_the_first():
    async def stubborn() -> str:
        try:
            await never()
        except asyncio.CancelledError:
            await never()
        return "unreachable"

    async def caller() -> None:
        async with AsyncScheduler() as s:
            s.spawn("stubborn", stubborn)

    task = asyncio.create_task(caller())
    for _ in range(2):
        for _ in range(4):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@looped
async def test_interrupting_ends_a_running_body_and_nobody_else():
    async with AsyncScheduler() as s:
        one, other = s.spawn("one", never), s.spawn("other", forty)
        after = s.spawn("after", forty, after=[one])
        await asyncio.sleep(0)
        one.interrupt()
        with pytest.raises(TaskLost, match="'one' was interrupted"):
            await one
        with pytest.raises(TaskLost, match="'after' was skipped because 'one' was lost"):
            await after
        assert (one.outcome, await other) == (Outcome.FAILED, 40)


@looped
async def test_an_asyncio_timeout_around_the_block_ends_it():
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001), AsyncScheduler() as s:
            forever = s.spawn("forever", never)
    assert forever.outcome is Outcome.FAILED


@looped
async def test_after_a_cancelled_caller_its_task_can_be_awaited_as_usual():
    async def caller() -> str:
        try:
            async with AsyncScheduler() as s:
                s.spawn("forever", never)
        except asyncio.CancelledError:
            asyncio.current_task().uncancel()
        await asyncio.sleep(0)
        return "went on"

    task = asyncio.create_task(caller())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "went on"


# -- many bodies -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [None, 1, 2, 7])
@pytest.mark.parametrize("where", ["loop", "thread"])
@looped
async def test_multi_and_iter_call_each_once_ch_04_ch_05(workers, where):
    seen: list[int] = []

    async def on_the_loop(number: int) -> None:
        await asyncio.sleep(0)
        seen.append(number)

    body = on_the_loop if where == "loop" else seen.append
    async with AsyncScheduler(workers) as s:
        assert await s.multi("m", 100, body) is None
        assert sorted(seen) == list(range(100))
        await s.iter("i", iter(range(50)), body)
        await s.iter("lazy", (n for n in range(30)), body, lazy=True)
        await s.iter("async", counted(20), body)
        assert await s.multi("none", 0, pytest.fail) is None
    assert len(seen) == 200
    assert sorted(seen[150:180]) == list(range(30))
    assert sorted(seen[180:]) == list(range(20))


async def counted(end: int | None) -> Any:
    for number in itertools.count() if end is None else range(end):
        await asyncio.sleep(0)
        yield number


@looped
async def test_one_place_lets_other_work_between_two_indices_ch_x4():
    seen: list[str] = []

    async def say(what: object) -> None:
        seen.append(f"m{what}" if isinstance(what, int) else str(what))

    async with AsyncScheduler(workers=1) as s:
        s.spawn("has the place until both wait", forty)
        s.multi("M", 4, say)
        s.spawn("S", functools.partial(say, "S"))
    assert seen == ["m0", "S", "m1", "m2", "m3"]


@pytest.mark.parametrize("make", [lambda: counted(None), itertools.count], ids=["async", "lazy"])
@looped
async def test_an_endless_iterator_is_drawn_from_as_places_are_free_and_closed_when_a_body_fails(make):
    begun: list[int] = []

    async def body(number: int) -> None:
        begun.append(number)
        await asyncio.sleep(0)
        if number == 5:
            raise ValueError(number)

    items = make()
    async with AsyncScheduler(workers=3) as s:
        endless = s.iter("endless", items, body, lazy=True) if make is itertools.count else s.iter("e", items, body)
        with pytest.raises(ValueError, match="5"):
            await endless
    assert begun == list(range(len(begun)))
    assert len(begun) <= 5 + 3
    if make is not itertools.count:
        assert items.ag_frame is None


@pytest.mark.parametrize("number", [2, 3, 99])
@looped
async def test_an_async_generator_is_drawn_from_and_closed_in_one_task_of_asyncios(number):
    """Else what it opens around its items (a cancel scope, a context variable) would be closed by another."""
    variable, tasks = contextvars.ContextVar("variable", default=0), []

    async def items() -> Any:
        async with asyncio.timeout(GUARD):
            try:
                for item in range(6):
                    tasks.append(asyncio.current_task())
                    variable.set(variable.get() + 1)
                    yield item
            finally:
                tasks.append(asyncio.current_task())
                assert variable.get() == len(tasks) - 1

    async def body(item: int) -> None:
        await asyncio.sleep(0)
        if item == number:
            raise ValueError(item)

    async with AsyncScheduler(workers=2) as s:
        stream = s.iter("stream", items(), body)
        await asyncio.wait({asyncio.ensure_future(stream)})
        assert (stream.exception is None) == (number == 99)
    assert len(set(tasks)) == 1


@looped
async def test_a_stream_that_is_interrupted_while_it_waits_for_a_place_ends():
    async with AsyncScheduler(workers=1) as s:
        stream = s.iter("stream", counted(None), lambda n: asyncio.sleep(0))
        for _ in range(9):
            await asyncio.sleep(0)
        stream.interrupt()
        with pytest.raises(TaskLost, match="'stream' was interrupted"):
            await stream
        assert await s.spawn("next", forty) == 40
        assert (s._turns, len(s._ready)) == ({}, 0)


@pytest.mark.parametrize("where", ["async", "lazy"])
@looped
async def test_an_iterator_that_raises_midway_fails_its_task_after_the_bodies_that_run(where):
    seen: list[int] = []

    async def slowly(number: int) -> None:
        await asyncio.sleep(0.001)
        seen.append(number)

    async def broken_async() -> Any:
        yield 1
        raise LookupError("midway")

    def broken() -> Any:
        yield 1
        raise LookupError("midway")

    async with AsyncScheduler() as s:
        many = s.iter("i", broken_async(), slowly) if where == "async" else s.iter("i", broken(), slowly, lazy=True)
        with pytest.raises(LookupError, match="midway"):
            await many
        assert seen == [1]
        with pytest.raises(LookupError, match="midway"):
            s.iter("now", broken(), slowly)


@looped
async def test_the_join_of_a_multi_parent_waits_for_the_forks_of_all_indices_ch_06():
    bits = [0]

    async def flip(bit: int) -> None:
        bits[0] ^= 1 << bit

    async def body(context: Any, number: int) -> None:
        await flip(number)
        context.fork(f"clear-{number}", functools.partial(flip, number))

    async with AsyncScheduler() as s:
        await s.multi("set", 50, body, context=True)
        assert bits == [0]


# -- threads beside the loop -------------------------------------------------------------------------------------------


@looped
async def test_sync_bodies_run_in_as_many_threads_as_allowed_and_the_loop_goes_on():
    meeting, turns = threading.Barrier(3), 0

    def body() -> str:
        meeting.wait(GUARD)
        return threading.current_thread().name

    async with AsyncScheduler(threads=3) as s:
        assert [await s.spawn("one after another", lambda: 1) for _ in range(3)] == [1] * 3
        assert len(s._threads._threads) == 1
        bodies = [s.spawn(f"t{n}", body) for n in range(6)]
        while not all(one.is_done for one in bodies):
            await asyncio.sleep(0)
            turns += 1
    assert {one.result for one in bodies} == {"hocket_0", "hocket_1", "hocket_2"}
    assert turns > 0


@looped
async def test_async_bodies_go_on_while_sync_ones_wait_for_a_thread():
    go_on, seen = threading.Event(), []

    async def lets_go() -> None:
        seen.append("async")
        go_on.set()

    async with AsyncScheduler(threads=1) as s:
        s.spawn("blocks", lambda: (go_on.wait(GUARD), seen.append("first")))
        s.spawn("waits", lambda: seen.append("second"))
        s.spawn("async", lets_go)
    assert seen == ["async", "first", "second"]


@looped
async def test_a_body_in_a_thread_builds_and_its_children_are_awaited():
    def parent(context: Any) -> str:
        child = context.fork("child", forty)
        context.spawn("after", lambda x: told.append(x), after={"x": child})
        context.add_fork(other)
        return "made"

    told: list[int] = []
    async with AsyncScheduler() as s:
        other = s.spawn("other", forty)
        assert await s.spawn("parent", parent, context=True) == "made"
        assert other.is_done
    assert told == [40]


# -- whole graphs ------------------------------------------------------------------------------------------------------


@looped
async def test_a_graph_is_run_in_the_running_loop():
    result = await run_async(seq(task(forty, "a"), fork(task(int, "b"), task(forty, "c"))), workers=2)
    assert result.results == {"a": 40, "b": 0, "c": 40}
    with pytest.raises(ValueError, match="x"):
        await run_async(task(functools.partial(fails, "x"), "f"))
    lost = await run_async(seq(task(functools.partial(fails, "x"), "f"), task(forty, "g")), check=False)
    assert (str(lost.outcomes["f"]), str(lost.outcomes["g"])) == ("failed", "skipped")


def test_hocket_run_makes_a_loop_and_ends_it():
    assert run(seq(task(forty, "a"), task(forty, "b")), "asyncio").results == {"a": 40, "b": 40}


@looped
async def test_a_hundred_thousand_turns_of_the_loop_are_not_taken_at_once():
    """Others on the loop have their turn between many ready tasks."""
    turns = 0

    async def tick() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async def nothing() -> None:
        pass

    ticking = asyncio.create_task(tick())
    async with AsyncScheduler() as s:
        for number in range(2_000):
            s.spawn(str(number), nothing)
    ticking.cancel()
    await asyncio.wait({ticking})
    assert turns >= 2_000 / 100


@looped
async def test_priorities_choose_what_begins_next():
    seen: list[int] = []

    async def say(number: int) -> None:
        seen.append(number)

    async with AsyncScheduler(workers=1, picker="priority") as s:
        for number in (1, 3, 2, 5, 4):
            s.spawn(str(number), functools.partial(say, number), priority=number, run=False)
    assert seen[1:] == sorted(seen[1:], reverse=True)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="loops that run tasks as they are made came with Python 3.12")
@looped
async def test_on_a_loop_that_runs_tasks_as_they_are_made_everything_ends_too():
    async def tree(context: Any, depth: int) -> int:
        if not depth:
            return 1
        parts = [context.fork("part", lambda c: tree(c, depth - 1), context=True) for _ in range(2)]
        return 1 + sum([await part for part in parts])

    async def body(number: int) -> None:
        seen.append(number)

    seen: list[int] = []
    asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009  # since 3.12
    async with AsyncScheduler(workers=2) as s:
        grown = s.spawn("tree", functools.partial(tree, depth=4), context=True)
        last = s.spawn("first", forty)
        for _ in range(1_500):
            last = s.spawn("next", forty, after=[last])
        s.iter("stream", counted(5), body)
        s.multi("many", 300, body)
        assert (await grown, await last) == (31, 40)
    assert len(seen) == 305
    assert (s._in_flight, s._unborn, s._lives) == (0, 0, {})


def test_ctrl_c_ends_everything_in_order_and_is_raised():
    """In a process of its own, because a signal goes to the main thread of whoever runs the tests."""
    program = """
import asyncio, signal, hocket

async def listens():
    try:
        await asyncio.Event().wait()
    finally:
        print("closed")

async def main():
    async with hocket.AsyncScheduler() as s:
        s.spawn("listens", listens)
        s.spawn("presses", lambda: signal.raise_signal(signal.SIGINT))
        s.spawn("later", listens, after=[s.spawn("forever", listens)])

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    told = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=GUARD)
    assert (told.stdout.split(), told.stderr) == (["closed", "closed", "interrupted"], "")


def test_a_loop_that_is_closed_around_a_scheduler_takes_it_down_without_a_word_from_it(caplog):
    """Whoever forgets to leave the block hears of pending tasks from asyncio, and nothing from threads."""
    loop, go_on, told = asyncio.new_event_loop(), threading.Event(), []

    async def enter() -> AsyncScheduler:
        s = await AsyncScheduler().__aenter__()
        s.spawn("runs", never)
        s.spawn("thread", functools.partial(go_on.wait, GUARD))
        await asyncio.sleep(0)
        s.spawn("unborn", forty)
        return s

    threading.excepthook, before = told.append, threading.excepthook
    try:
        scheduler = loop.run_until_complete(enter())
        loop.close()
        go_on.set()
        scheduler._threads.end()
        del scheduler
        gc.collect()
    finally:
        threading.excepthook = before
    assert told == []
    assert all("Task was destroyed but it is pending" in record.getMessage() for record in caplog.records)
