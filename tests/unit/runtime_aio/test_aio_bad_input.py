"""What can be done wrong with an event loop: a clear error at the call, nothing changed, nothing lost."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import pytest

import hocket
from hocket import AsyncScheduler, Scheduler, run
from hocket.errors import CycleError, Refused
from hocket.graph import Graph, Task, task
from tests.unit.runtime_aio.test_aio_scheduler import forty, looped, never


class Called:
    async def __call__(self) -> int:
        return 40

    async def method(self) -> int:
        return 40


def generates() -> Any:
    yield 1


async def generates_too() -> Any:
    yield 1


ASYNC = [forty, functools.partial(asyncio.sleep, 0), Called(), Called().method]
GENERATORS = [generates, generates_too, functools.partial(generates)]


def _name(body: Any) -> str:
    return getattr(body, "__name__", type(body).__name__)


# -- on runtimes that await nothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", ASYNC, ids=_name)
def test_an_async_body_where_nobody_awaits_is_refused_with_the_mend(body):
    mend = "'t' is async, and nobody awaits it on this runtime: say async with hocket.AsyncScheduler"
    with Scheduler(workers=0) as s:
        for call in (
            lambda: s.spawn("t", body),
            lambda: s.multi("t", 3, body),
            lambda: s.iter("t", [1], body),
            lambda: s.add_graph(Graph((Task("t", body),))),
        ):
            with pytest.raises(TypeError, match=mend):
                call()
        assert not s._kernel.nodes
    for runtime in ("inline", "threads", "ticks"):
        with pytest.raises(TypeError, match=mend):
            run(task(body, "t"), runtime)


@pytest.mark.parametrize("body", GENERATORS, ids=_name)
@pytest.mark.parametrize("runtime", ["inline", "threads", "ticks", "asyncio"])
def test_a_generator_function_runs_nothing_and_is_refused_everywhere(runtime, body):
    with pytest.raises(TypeError, match="'t' is a generator function: to call it runs nothing"):
        run(Graph((Task("t", body),)), runtime)


@pytest.mark.parametrize("runtime", ["inline", "threads", "ticks", "asyncio"])
def test_a_coroutine_object_is_refused_everywhere_and_closed(runtime):
    made = forty()
    with pytest.raises(TypeError, match=r"'t' is a coroutine object, which forty\(\) has made already: give the func"):
        run(Graph((Task("t", made),)), runtime)
    assert made.cr_frame is None  # it does not warn that nobody awaited it


def test_an_async_iterator_for_threads_is_refused():
    with Scheduler(workers=0) as s, pytest.raises(TypeError, match=r"'i' .*async.*AsyncScheduler"):
        s.iter("i", generates_too(), print)


# -- on the loop -------------------------------------------------------------------------------------------------------


@looped
async def test_a_body_that_runs_nothing_is_refused_on_the_loop_and_nothing_is_changed():
    async with AsyncScheduler() as s:
        for body in (*GENERATORS, forty(), 1, "f"):
            with pytest.raises(TypeError, match="'t'"):
                s.spawn("t", body)
        with pytest.raises(TypeError, match="'t' needs a body"):
            s.multi("t", 3, None)
        with pytest.raises(ValueError, match="'t' was given a count of -1"):
            s.multi("t", -1, forty)
        assert not s._kernel.nodes


@pytest.mark.parametrize(
    ("what", "number", "error"),
    [
        ("workers", -1, ValueError),
        ("workers", "io", TypeError),
        ("workers", ["io", "io"], ValueError),
        ("threads", 0, ValueError),
        ("threads", -1, ValueError),
        ("threads", "io", TypeError),
        ("threads", ["io"], TypeError),
    ],
)
def test_impossible_numbers_are_refused(what, number, error):
    with pytest.raises(error, match=what):
        AsyncScheduler(**{what: number})


def test_before_it_is_entered_nothing_can_be_added():
    s = AsyncScheduler()
    with pytest.raises(Refused, match=r"too early: nobody has entered the scheduler.*async with"):
        s.spawn("t", forty)


@looped
async def test_a_scheduler_is_entered_once_and_takes_nothing_when_it_has_closed():
    s = AsyncScheduler()
    async with s:
        done = s.spawn("done", forty)
        with pytest.raises(Refused, match="entered already"):
            async with s:
                pass
    await s.close()
    assert (await done, done.result) == (40, 40)
    for call in (lambda: s.spawn("t", forty), lambda: s.add_graph(Graph(()))):
        with pytest.raises(Refused, match="too late: the scheduler has closed"):
            call()
    with pytest.raises(Refused, match="entered already"):
        async with s:
            pass


@looped
async def test_a_handle_of_another_loop_is_refused_at_the_await():
    async with AsyncScheduler() as s:
        handle = s.spawn("elsewhere", forty)

        async def other() -> None:
            with pytest.raises(Refused, match=r"'elsewhere' was awaited but it is of another event loop.*threadsafe"):
                await handle

        await asyncio.to_thread(asyncio.run, other())
        assert await handle == 40


@looped
async def test_a_thread_that_is_no_body_is_refused_and_told_how():
    async with AsyncScheduler() as s:
        idle = s.spawn("idle", forty, run=False)

        def stranger() -> None:
            for call in (lambda: s.spawn("t", forty), idle.run, idle.cancel, lambda: idle.depend_on(idle)):
                with pytest.raises(Refused, match="call_soon_threadsafe"):
                    call()

        await asyncio.to_thread(stranger)
        assert list(s._kernel.nodes) == [idle.node]


@looped
async def test_a_result_is_there_when_the_task_has_closed_and_not_before():
    async with AsyncScheduler() as s:
        handle = s.spawn("t", forty)
        with pytest.raises(Refused, match=r"'t' was asked for its result but it is ready; expected: closed. Await it"):
            handle.result  # noqa: B018  # it raises


@looped
async def test_what_does_not_run_on_the_loop_cannot_be_interrupted_and_what_runs_not_be_cancelled():
    go_on = threading.Event()
    async with AsyncScheduler() as s:
        running, threaded = s.spawn("running", never), s.spawn("threaded", go_on.wait)
        idle = s.spawn("idle", forty, run=False)
        await asyncio.sleep(0)
        with pytest.raises(Refused, match=r"'idle' was interrupted but it is idle; .* cancel\(\) keeps a task from"):
            idle.interrupt()
        with pytest.raises(Refused, match="'threaded' was interrupted but it is running in a thread"):
            threaded.interrupt()
        with pytest.raises(Refused, match="'running' was cancelled but it is running"):
            running.cancel()
        go_on.set()
        running.interrupt()


@looped
async def test_a_body_cannot_close_the_scheduler_that_runs_it():
    async with AsyncScheduler() as s:
        with pytest.raises(Refused, match="'the scheduler' was closed but it is running the body that closes it"):
            await s.spawn("closes", s.close)


@looped
async def test_tasks_of_another_scheduler_are_strangers():
    async with AsyncScheduler() as s, AsyncScheduler() as other:
        stranger = other.spawn("stranger", forty, run=False)
        with pytest.raises(Refused, match="not a task of this scheduler"):
            s.spawn("t", forty, after=[stranger])
        with pytest.raises(Refused, match="not a task of this scheduler"):
            s.interrupt(stranger)
        assert not s._kernel.nodes


@looped
async def test_circles_are_refused_as_on_threads():
    async with AsyncScheduler() as s:
        one = s.spawn("one", forty, run=False)
        with pytest.raises(CycleError, match="one → one"):
            one.depend_on(one)

        async def parent(context: Any) -> Any:
            with pytest.raises(CycleError) as caught:
                context.fork("child", forty, after=[context.task])
            return caught.value.cycle

        assert await s.spawn("parent", parent, context=True) == ("child", "parent")


@looped
async def test_a_graph_cannot_be_run_to_its_end_inside_a_running_loop():
    with pytest.raises(Refused, match=r"in a running event loop; .* Say await hocket.run_async\(\)"):
        run(task(forty), "asyncio")


@looped
async def test_a_graph_that_waits_for_itself_runs_nothing():
    graph = Graph((Task("a", forty), Task("b", forty)), after=((0, 1), (1, 0)))
    with pytest.raises(CycleError):
        await hocket.run_async(graph)


@looped
async def test_a_sync_body_that_joins_is_told_that_it_cannot_wait():
    """It would hold its thread; whoever calls a coroutine function from a thread gets a coroutine."""

    def body(context: Any) -> Any:
        handle = context.fork("child", forty)
        with pytest.raises(Refused, match="asked for its result but it is"):
            handle.result  # noqa: B018  # it raises
        return handle.join()  # a coroutine: the loop awaits it for the body

    async with AsyncScheduler() as s:
        assert await s.spawn("parent", body, context=True) == 40


@looped
async def test_bodies_of_one_task_that_fail_come_out_as_a_group_and_one_that_is_interrupted_beside_them_does_not():
    meeting = asyncio.Barrier(3)

    async def body(n: int) -> None:
        await meeting.wait()
        if n == 2:
            await asyncio.Event().wait()
        raise ValueError(n)

    async with AsyncScheduler() as s:
        many = s.multi("m", 3, body)
        while meeting.n_waiting or many.exception is None or len(s._lives) > 1:
            await asyncio.sleep(0)
        many.interrupt()
        with pytest.raises(ExceptionGroup, match="several bodies of the task 'm' failed") as caught:
            await many
    assert sorted(error.args for error in caught.value.exceptions) == [(0,), (1,)]
