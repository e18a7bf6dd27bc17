"""Loops in debug mode before they run: `asyncio.run(debug=True)`, and each test of `unittest` for coroutines."""

import asyncio
import unittest

import hocket


async def two_sleepers():
    woken = []

    async def sleeper(number):
        await asyncio.sleep(1)
        woken.append(number)

    await asyncio.gather(sleeper(1), sleeper(2))
    return tuple(woken)


def test_a_loop_in_debug_mode_from_the_start_has_the_same_outcomes():
    result = hocket.explore(lambda: asyncio.run(two_sleepers(), debug=True), executions=50)
    assert (result.verdict, result.outcomes) == ("proved", hocket.explore(two_sleepers).outcomes)
    assert set(result.outcomes) == {(1, 2), (2, 1)}


def test_what_is_scheduled_in_debug_mode_before_the_loop_runs_comes_first():
    def scheduled():
        log = []
        loop = asyncio.new_event_loop()
        loop.set_debug(True)
        loop.call_soon(log.append, 1)
        loop.call_soon(log.append, 2)
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.close()
        return tuple(log)

    result = hocket.explore(scheduled, executions=50)
    assert (result.verdict, result.outcomes) == ("proved", {(1, 2): 1})


def test_tests_of_unittest_for_coroutines_are_explored():
    class Tests(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self):
            self.lock = asyncio.Lock()

        async def test_sleepers(self):
            async with self.lock:
                assert await two_sleepers() == (1, 2)

        async def test_any_order(self):
            async with self.lock:
                assert set(await two_sleepers()) == {1, 2}

    right = hocket.explore(lambda: Tests("test_any_order").debug(), executions=50)
    wrong = hocket.explore(lambda: Tests("test_sleepers").debug(), executions=50)
    assert (right.verdict, right.classes) == ("proved", hocket.explore(two_sleepers).classes)
    assert (wrong.verdict, wrong.failure.kind) == ("failed", "assertion")
