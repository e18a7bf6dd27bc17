"""What asyncio would only log is a failure; what no explored loop can do is refused by name; nothing stays patched."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import warnings

import pytest

import hocket
from hocket.errors import Refused


def failure_of(body, **options):
    result = hocket.explore(body, **options)
    assert result.verdict == "failed"
    return result.failure.kind, result.failure.message


def test_an_exception_that_nobody_retrieves_is_a_leak():
    async def body(look=False):
        async def fail():
            raise KeyError("lost")

        task = asyncio.create_task(fail(), name="background")
        await asyncio.wait({task})
        if look:
            task.exception()

    assert failure_of(body) == ("leak", "the exception of task background was never retrieved: KeyError('lost')")

    async def careful():
        await body(look=True)

    assert hocket.explore(careful).verdict == "proved"


def test_a_coroutine_that_nobody_awaits_is_a_leak():
    async def body():
        asyncio.sleep(1)

    assert failure_of(body) == ("leak", "coroutine sleep was never awaited")


def test_a_task_that_is_destroyed_while_it_is_pending_is_a_leak():
    def body(cancel=False):
        loop = asyncio.new_event_loop()

        async def main():
            task = asyncio.create_task(asyncio.sleep(1), name="forgotten")
            await asyncio.sleep(0)
            if cancel:
                task.cancel()
                await asyncio.wait({task})

        loop.run_until_complete(main())
        loop.close()

    kind, message = failure_of(body)
    assert (kind, message.split(":")[0]) == ("leak", "task forgotten is destroyed while it is pending")
    assert hocket.explore(lambda: body(cancel=True)).verdict == "proved"


def test_an_exception_in_a_callback_is_a_failure_unless_the_program_handles_it():
    async def body():
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        await asyncio.sleep(0)

    assert failure_of(body) == ("exception", "ZeroDivisionError: division by zero in main")

    async def handled():
        seen = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context["exception"]))
        await body()
        return len(seen)

    assert hocket.explore(handled).outcomes == {1: 1}


def test_a_loop_that_never_comes_to_rest_is_no_success_and_says_what_it_repeats():
    async def body():
        async def spin():
            while True:
                await asyncio.sleep(0)

        await asyncio.create_task(spin(), name="spinner")

    result = hocket.explore(body, steps=200)
    assert result.verdict == "incomplete"
    assert "spinner at test_left_behind.py:" in result.notes[0]


@pytest.mark.parametrize(("ask", "name"), [
    (lambda: asyncio.open_connection("localhost", 1), "create_connection"),
    (lambda: asyncio.create_subprocess_exec("true"), "subprocess_exec"),
    (lambda: asyncio.get_running_loop().getaddrinfo("localhost", 1), "getaddrinfo"),
    (lambda: asyncio.get_running_loop().add_signal_handler(2, print), "add_signal_handler"),
])
def test_the_world_outside_is_refused_by_name_with_the_stack(ask, name):
    async def body():
        await ask()

    with pytest.raises(Refused, match=f"loop.{name}") as caught:
        hocket.explore(body)
    assert "test_left_behind.py" in caught.value.__notes__[0]


def test_context_variables_debug_mode_and_async_generators_work():
    var = contextvars.ContextVar("var", default=0)

    async def body():
        closed = []

        async def numbers():
            try:
                yield 1
                yield 2
            finally:
                closed.append(await asyncio.sleep(0, "closed"))

        async def child():
            var.set(1)
            return var.get()

        asyncio.get_running_loop().set_debug(True)
        generator = numbers()
        async for _ in generator:
            break
        await generator.aclose()
        return await asyncio.create_task(child()), var.get(), *closed

    assert hocket.explore(body).outcomes == {(1, 0, "closed"): 1}


def test_nothing_stays_patched():
    hook = warnings._warn_unawaited_coroutine

    async def body():
        await asyncio.sleep(1)

    made = asyncio.SelectorEventLoop.__init__
    hocket.explore(body)
    assert (warnings._warn_unawaited_coroutine, asyncio.SelectorEventLoop.__init__) == (hook, made)
    assert asyncio.run(asyncio.sleep(0, "real")) == "real"


def test_a_body_in_which_a_task_is_unwound_in_the_middle_leaves_no_noise(capsys):
    async def body():
        async def worker():
            try:
                await asyncio.sleep(1)
            finally:
                await asyncio.sleep(0)  # which a closed coroutine may not

        asyncio.create_task(worker())  # noqa: RUF006
        await asyncio.sleep(0)
        raise KeyError("on purpose")

    assert failure_of(body)[0] == "exception"
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("rounds", [None, 10])
def test_a_coroutine_that_goes_round_without_giving_up_its_turn_is_a_livelock(rounds):
    """As janus.AsyncQueue.join before 1.2.0: the event is set, so waiting for it lets nobody else run."""

    async def body():
        finished, mutex, unfinished = asyncio.Event(), threading.Lock(), True
        finished.set()
        mutex.acquire()
        left = rounds
        while unfinished:
            mutex.release()
            await finished.wait()
            mutex.acquire()
            if left is not None:  # it ends one day
                left -= 1
                unfinished = left > 0
        mutex.release()

    result = hocket.explore(body, steps=200)
    if rounds is None:
        assert (result.verdict, result.failure.kind) == ("failed", "livelock")
        assert "mutex.acquire" in result.failure.message
    else:
        assert (result.verdict, result.classes) == ("proved", 1)
