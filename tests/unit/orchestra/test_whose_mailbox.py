"""A mailbox belongs to its loop's thread, or to all threads under a lock, and nobody comes in otherwise."""

from __future__ import annotations

import asyncio
import threading

import pytest

import hocket
from hocket.errors import Refused
from hocket.orchestra import Orchestra, subsystem
from hocket.orchestra.jobs import LoopSpawner
from hocket.orchestra.lane import BULK
from hocket.orchestra.mailbox import Mailbox


class Stop: ...


class Message(int): ...


class Pair(Orchestra, signal=Stop, event=str, error=Exception):
    a = subsystem(sends=Message)
    b = subsystem(consumes=Message)


class Blocking(Orchestra, signal=Stop, event=str, error=Exception):
    a = subsystem(sends=Message)
    b = subsystem(consumes=Message, blocking=True)


def elsewhere(body):
    """What a body says or raises in a thread of its own."""
    said = []

    def run():
        try:
            said.append(body())
        except Refused as error:
            said.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return said[0]


USES = {
    "put": lambda box: box.put(BULK, (0, "a"), 1),
    "enter": lambda box: box.enter(BULK, (0, "a"), 1),
    "give": lambda box: box.give("signal", "o"),
    "take": lambda box: box.take(),
    "receive": lambda box: box.receive().send(None),
    "read": lambda box: box.read([0] * 4),
    "end": lambda box: box.end(),
    "lose": lambda box: box.lose(),
    "share": lambda box: box.share(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_mailbox_without_a_lock_is_refused_to_every_other_thread_and_stays_as_it_is(use):
    box = Mailbox("b", signals=1, bulk=1, shared=False)
    error = elsewhere(lambda: use(box))
    assert str(error).startswith("\"the mailbox of 'b'\" was used by another thread but it is its event loop's alone")
    assert "expected: build(shared=True)" in str(error)
    assert (box.take(), box.ending, box.heard) == (box.take(), False, 0)


def test_a_mailbox_that_is_shared_later_lets_every_thread_in():
    box = Mailbox("b", signals=1, bulk=1, shared=False)
    box.share()
    assert elsewhere(lambda: box.put(BULK, (0, "a"), 1))
    box.share()  # once more changes nothing
    assert box.take() == 1


async def nothing(ctx):
    await ctx.recv()


def compute(ctx):
    ctx.recv()


BUILT = {
    "in a loop": (lambda: Pair.builder(a=nothing, b=nothing), {}, False),
    "shared": (lambda: Pair.builder(a=nothing, b=nothing), {"shared": True}, True),
    "with a blocking subsystem": (lambda: Blocking.builder(a=nothing, b=compute), {}, True),
    "with a spawner of the user's": (lambda: Pair.builder(a=nothing, b=nothing).spawner(LoopSpawner()), {}, True),
}


@pytest.mark.parametrize(("make", "options", "threads"), BUILT.values(), ids=BUILT)
def test_a_system_has_locks_where_threads_are_in_the_game(make, options, threads):
    async def main():
        system, _ = make().build(**options)
        async with system:
            meters = await asyncio.to_thread(lambda: elsewhere(system.meters))
            await system.terminate(Stop())
        return meters

    assert isinstance(asyncio.run(main()), dict if threads else Refused)


async def a_job_comes_later():
    """b waits already when a starts a thread, which sends to it while a goes on sending as well."""
    got = []

    async def a(ctx):
        await asyncio.sleep(0)
        job = ctx.spawn_blocking("job", lambda sender: sender.send(Message(1)))
        await ctx.send(Message(2))
        await job.result()

    async def b(ctx):
        for _ in range(2):
            got.append(int(await ctx.recv()))

    system, _ = Pair.builder(a=a, b=b).build()
    await system.run(watch=None)
    return tuple(got)


def test_a_job_on_a_thread_may_come_while_others_wait_without_a_lock():
    """In every interleaving of the loop with the thread: both arrive, in either order, and nobody sleeps for ever."""
    result = hocket.explore(a_job_comes_later, data="off")
    assert (result.verdict, result.classes, set(result.outcomes)) == ("proved", 25, {(1, 2), (2, 1)})
