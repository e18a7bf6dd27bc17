"""What asyncio leaves open, and what it promises: the order of callbacks, cancellation from outside, other threads."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import itertools
import sys
import threading
from functools import partial
from operator import methodcaller

import pytest

import hocket
from hocket.errors import Refused

_VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("variable")


def in_order(tasks, turns=1):
    """A program whose assertion asyncio's documented order guarantees: tasks begin in the order of their creation."""

    async def body():
        log = []

        async def step(number):
            for _ in range(turns):
                log.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*map(step, range(tasks)))
        assert log == list(range(tasks)) * turns

    return body


@pytest.mark.parametrize("turns", [1, 2])
def test_what_fifo_guarantees_holds_by_default_and_fails_in_any_order(turns):
    body = in_order(3, turns)
    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1)
    result = hocket.explore(body, order="any")
    assert (result.verdict, result.failure.kind) == ("failed", "assertion")
    assert result.failure.drawn().endswith("--order any")
    with pytest.raises(AssertionError):
        hocket.replay(body, str(result.failure.schedule), order="any")


def callbacks(tree):
    """Callbacks that schedule callbacks, as a tree of names; the loop stops when all have run."""

    def body():
        loop, log = asyncio.new_event_loop(), []
        left = sum(1 for _ in _names(tree))

        def run(name, children):
            nonlocal left
            log.append(name)
            left -= 1
            for child in children.items():
                loop.call_soon(run, *child)
            if not left:
                loop.stop()

        for root in tree.items():
            loop.call_soon(run, *root)
        loop.run_forever()
        loop.close()
        return "".join(log)

    return body


def _names(tree):
    for name, children in tree.items():
        yield name
        yield from _names(children)


def orders_of(tree):
    """By brute force: the orders of all callbacks in which each comes after the one that schedules it."""
    parents = {}

    def walk(tree, parent=None):
        for name, children in tree.items():
            parents[name] = parent
            walk(children, name)

    walk(tree)
    return {"".join(order) for order in itertools.permutations(parents)
            if all(parent is None or order.index(parent) < order.index(name) for name, parent in parents.items())}


@pytest.mark.parametrize(("tree", "fifo"), [
    ({"a": {}, "b": {}, "c": {}}, "abc"),
    ({"a": {"x": {}}, "b": {"y": {}}}, "abxy"),
    ({"a": {"x": {"p": {}}}, "b": {"y": {}}, "c": {}}, "abcxyp"),
    ({"a": {"x": {}, "y": {}}, "b": {"z": {"q": {}}}}, "abxyzq"),
])
def test_any_order_is_every_order_in_which_nothing_comes_before_what_schedules_it(tree, fifo):
    result = hocket.explore(callbacks(tree))
    assert (result.verdict, result.outcomes) == ("proved", {fifo: 1})
    result = hocket.explore(callbacks(tree), order="any")
    orders = orders_of(tree)
    assert result.verdict == "proved"
    assert result.outcomes == dict.fromkeys(orders, 1)
    assert result.classes == result.executions == len(orders)


# -- cancellation from outside ----------------------------------------------------------------------------------------


def suspended(times):
    async def body():
        reached = []

        async def worker():
            for number in range(times):
                reached.append(number)
                await asyncio.sleep(0)

        await asyncio.wait({asyncio.create_task(worker(), name="worker")})
        return len(reached)

    return body


@pytest.mark.parametrize("times", [0, 1, 2, 5])
def test_a_task_is_cancelled_at_each_of_its_suspension_points_and_before_it_begins(times):
    """One class without, one before its first step, and one for each of its suspensions: nobody else runs between."""
    result = hocket.explore(suspended(times), cancel="worker")
    assert (result.verdict, result.classes) == ("proved", times + 2)
    assert result.outcomes == {**dict.fromkeys(range(times), 1), times: 2}


def test_each_sweeps_over_all_tasks_but_the_one_that_runs_the_body():
    async def body():
        a, b = asyncio.create_task(asyncio.sleep(0)), asyncio.create_task(asyncio.sleep(0))
        await asyncio.wait({a, b})
        return a.cancelled(), b.cancelled()

    result = hocket.explore(body, cancel="each")
    # before a's first step, b's first, a's second: 3 * 2; before b's second, when only b is left: 1; and none: 1
    assert (result.verdict, result.classes) == ("proved", 8)
    assert result.outcomes == {(False, False): 1, (True, False): 3, (False, True): 4}


def test_a_cancellation_that_reaches_the_body_is_an_outcome_and_no_failure():
    async def body():
        await asyncio.create_task(asyncio.sleep(0), name="only")

    assert hocket.explore(body, cancel="only").outcomes == {None: 1, "cancelled": 2}


def handing_over(careful):
    """A semaphore of one's own: a waiter that is cancelled after it was woken has to pass the permit on."""

    async def body():
        waiting = []

        async def acquire():
            permit = asyncio.get_running_loop().create_future()
            waiting.append(permit)
            try:
                await permit
            except asyncio.CancelledError:
                if permit.done() and not permit.cancelled() and careful:
                    release()
                raise

        def release():
            while waiting:
                permit = waiting.pop(0)
                if not permit.done():
                    permit.set_result(None)
                    return
            free.append(True)

        free = []
        tasks = [asyncio.create_task(acquire(), name=name) for name in ("first", "second")]
        await asyncio.sleep(0)
        release()
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].cancelled():
            await tasks[1]
        else:
            tasks[1].cancel()

    return body


def test_the_sweep_finds_a_permit_that_a_cancelled_waiter_keeps():
    result = hocket.explore(handing_over(careful=False), cancel="first")
    assert (result.verdict, result.failure.kind) == ("failed", "deadlock")
    assert any(row.text == "is cancelled from outside" for row in result.failure.rows)
    assert result.failure.drawn().endswith("--cancel first")
    assert hocket.explore(handing_over(careful=False)).verdict == "proved"  # nobody cancels: nothing to see
    assert hocket.explore(handing_over(careful=True), cancel="first").verdict == "proved"


def test_what_is_no_order_and_no_name_is_refused():
    for options in ({"order": "lifo"}, {"cancel": ("",)}, {"cancel": (3,)}):
        with pytest.raises(Refused, match=next(iter(options))):
            hocket.explore(in_order(1), **options)


# -- other threads ----------------------------------------------------------------------------------------------------


def test_what_another_thread_hands_in_comes_before_or_after_what_the_loop_itself_schedules():
    async def body():
        loop, log = asyncio.get_running_loop(), []
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(log.append, "theirs"))
        thread.start()
        loop.call_soon(log.append, "ours")
        thread.join()
        await asyncio.sleep(0)
        return tuple(log)

    result = hocket.explore(body, data="off")
    assert (result.verdict, result.classes) == ("proved", 2)
    assert result.outcomes == {("theirs", "ours"): 1, ("ours", "theirs"): 1}


def test_a_timer_and_what_another_thread_hands_in_come_in_either_order():
    async def body():
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        thread = threading.Thread(
            target=loop.call_soon_threadsafe, args=(lambda: answer.done() or answer.set_result("came"),))
        thread.start()
        try:
            said = await asyncio.wait_for(answer, 1)
        except TimeoutError:
            said = "late"
        thread.join()
        return said

    result = hocket.explore(body, data="off")
    assert (result.verdict, set(result.outcomes)) == ("proved", {"came", "late"})


DONE_AT_ONCE = {False} if sys.version_info >= (3, 14) else set()
"""What else may be: from 3.14 on a thread that is done before its future is asked for leaves nothing to cancel."""


def test_a_thread_that_is_awaited_by_a_cancelled_task_may_be_done_or_not():
    """Whether a future is cancelled is asked by asyncio in the thread, too: its steps must not hang on the answer."""
    async def body():
        task = asyncio.create_task(asyncio.to_thread(str, 1))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    result = hocket.explore(body, data="off")
    assert (result.verdict, set(result.outcomes)) == ("proved", {True, *DONE_AT_ONCE})


def test_a_task_is_cancelled_while_the_loop_rests_and_a_thread_is_at_work():
    async def body():
        loop, answer, is_over = asyncio.get_running_loop(), asyncio.get_running_loop().create_future(), hocket.Atomic(0)
        seen = []

        async def worker():
            try:
                await answer
            finally:
                is_over.store(1)

        def work():
            seen.append(is_over.load())
            loop.call_soon_threadsafe(lambda: answer.done() or answer.set_result(None))

        task = asyncio.create_task(worker(), name="worker")
        await asyncio.sleep(0)
        thread = threading.Thread(target=work)
        thread.start()
        await asyncio.wait([task])
        thread.join()
        return (*seen, task.cancelled())

    result = hocket.explore(body, data="off", cancel="worker")
    assert (result.verdict, set(result.outcomes)) == ("proved", {(0, False), (0, True), (1, True)})


def test_a_loop_in_a_thread_takes_coroutines_from_another():
    def body():
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        found = asyncio.run_coroutine_threadsafe(asyncio.sleep(1, "slept"), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        return found

    result = hocket.explore(body, data="off")
    assert (result.verdict, set(result.outcomes)) == ("proved", {"slept"})


def test_work_of_an_executor_is_done_by_a_thread_that_is_explored():
    async def body():
        return await asyncio.to_thread(threading.get_ident) != threading.get_ident()

    result = hocket.explore(body)
    assert (result.verdict, set(result.outcomes), result.untracked) == ("proved", {True}, ())


def test_to_schedule_from_another_thread_without_threadsafe_is_a_failure():
    async def body():
        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        thread = threading.Thread(target=lambda: loop.call_soon(came.set))
        thread.start()
        await came.wait()
        thread.join()

    failure = hocket.explore(body, data="off").failure
    assert failure.kind == "exception"
    assert "Non-thread-safe operation" in failure.message


def test_to_stop_a_loop_from_another_thread_is_a_failure_if_it_runs():
    """It sleeps, and nobody wakes it; `call_soon_threadsafe(loop.stop)` does."""
    def body(safely):
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        if safely:
            loop.call_soon_threadsafe(loop.stop)
        else:
            loop.stop()
        thread.join()
        loop.close()

    failure = hocket.explore(partial(body, False)).failure
    assert (failure.kind, failure.preemptions) == ("exception", 1)
    assert "Non-thread-safe operation" in failure.message
    assert hocket.explore(partial(body, True)).verdict == "proved"


def used_in_a_thread(make, use, look):
    async def body():
        shared = make()
        thread = threading.Thread(target=lambda: use(shared))
        thread.start()
        seen = look(shared)
        thread.join()
        return seen

    return body


@pytest.mark.parametrize(("make", "use", "look"), [
    (asyncio.Queue, methodcaller("put_nowait", 1), methodcaller("empty")),
    (asyncio.PriorityQueue, methodcaller("put_nowait", 1), methodcaller("empty")),
    (asyncio.Event, methodcaller("set"), methodcaller("is_set")),
    (partial(asyncio.Semaphore, 0), methodcaller("release"), methodcaller("locked")),
])
def test_what_asyncio_keeps_to_one_thread_is_reported_where_another_uses_it_and_both_orders_are_tried(make, use, look):
    result = hocket.explore(used_in_a_thread(make, use, look))
    assert (result.verdict, set(result.outcomes)) == ("incomplete", {False, True})
    assert f"asyncio.{type(make()).__name__}, which is for one thread, is used by several" in result.reason


def test_coroutine_methods_of_asyncio_are_still_coroutine_functions_and_one_thread_may_use_what_it_likes():
    async def body():
        queue = asyncio.Queue()
        await asyncio.to_thread(str)
        queue.put_nowait(1)
        return inspect.iscoroutinefunction(queue.get), await queue.get()

    result = hocket.explore(body)
    assert (result.verdict, set(result.outcomes), result.untracked) == ("proved", {(True, 1)}, ())


def test_a_context_variable_that_a_thread_is_asked_for_is_its_own():
    """From 3.12 on the pool's thread looks whether there is more to do before it waits: that parts each class."""
    async def body():
        _VARIABLE.set(3)
        return await asyncio.to_thread(_VARIABLE.get)

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {3: 3 if sys.version_info < (3, 12) else 6})


def looked_into(in_the_thread, made=None):
    async def body():
        loop = asyncio.get_running_loop()
        answer = asyncio.Future() if made is None else made(loop)

        def reply():
            if not answer.done():
                answer.set_result(1)

        def work():
            if not in_the_thread or not answer.done():
                loop.call_soon_threadsafe(reply)

        thread = threading.Thread(target=work)
        thread.start()
        await answer
        thread.join()

    return body


def test_a_future_that_another_thread_looks_into_is_untracked_and_nothing_is_proved():
    result = hocket.explore(looked_into(True))
    assert result.verdict == "incomplete"
    assert any("Future." in told for told in result.untracked)


def test_a_future_that_only_its_loop_looks_into_beside_other_threads_is_as_good_as_tracked():
    for made in (None, lambda loop: loop.create_future()):
        result = hocket.explore(looked_into(False, made))
        assert (result.verdict, result.untracked) == ("proved", ())
