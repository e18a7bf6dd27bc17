"""Subsystems that hold the loop or flood each other are named on the log, while they do it."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from hocket.orchestra import Orchestra, subsystem, unbounded
from hocket.orchestra.lane import UNBOUNDED
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.system import FLOOD
from hocket.orchestra.watchdog import watching


class Stop: ...


class Message(int): ...


class Pair(Orchestra, signal=Stop, event=str, error=Exception):
    a = subsystem(sends=unbounded(Message))
    b = subsystem(consumes=Message)


class Heard(logging.Handler):
    """Lets whoever waits for it know of the first message on the log."""

    def __init__(self):
        super().__init__()
        self.came, self.texts = threading.Event(), []

    def emit(self, record):
        self.texts.append(record.getMessage())
        self.came.set()


@pytest.fixture
def heard():
    log, handler = logging.getLogger("hocket.orchestra"), Heard()
    log.addHandler(handler)
    log.propagate = False
    yield handler
    log.removeHandler(handler)
    log.propagate = True


async def wait_for_a_stop(ctx):
    while not isinstance(await ctx.recv(), Stop):
        pass


def test_whoever_holds_the_loop_is_named_with_the_line_at_which_he_stands(heard):
    async def a(ctx):
        assert heard.came.wait(60)  # no other subsystem can run meanwhile

    async def main():
        system, _ = Pair.builder(a=a, b=wait_for_a_stop).build()
        await system.run(stop=Stop(), watch=0.01)

    asyncio.run(main())
    assert heard.texts[0].startswith("'a' has held the event loop for more than 0.01 s")
    assert "assert heard.came.wait(60)" in heard.texts[0]


def test_whoever_floods_an_unbounded_queue_is_named(heard):
    async def a(ctx):
        for number in range(FLOOD + 1):
            ctx.send_unbounded(Message(number))

    async def b(ctx):
        while not any("unbounded messages lie" in text for text in heard.texts):
            await asyncio.sleep(0.001)

    async def main():
        system, _ = Pair.builder(a=a, b=b).build()
        await system.run(watch=0.01)

    asyncio.run(main())
    assert [text for text in heard.texts if "unbounded messages lie" in text] == [
        f"{FLOOD + 1} unbounded messages lie in the mailbox of 'b', most of them from 'a': it receives more slowly "
        "than they are sent; send them bounded, or fewer"
    ]


def test_a_flood_has_a_limit_below_which_nothing_is_said():
    box = Mailbox("b", signals=1, bulk=1)
    for number in range(3):
        box.put(UNBOUNDED, (0, "ab"[number % 2]), number)
    assert (box.flood(3), box.flood(2)) == (None, (3, "a"))


def test_nothing_is_watched_where_nobody_asks():
    before = threading.enumerate()
    with watching(None, lambda: None), watching(1.0, lambda: None):  # no loop runs here
        assert [thread for thread in threading.enumerate() if thread not in before] == []


def test_a_watch_that_is_over_waits_for_no_sign_of_life():
    """Its loop has ended, and would never give one."""

    async def main():
        before = threading.enumerate()
        with watching(60.0, lambda: None):
            return [thread for thread in threading.enumerate() if thread not in before]

    [watcher] = asyncio.run(main())
    watcher.join(50)
    assert not watcher.is_alive()
