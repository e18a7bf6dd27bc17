"""aiorwlock: two writers are inside at once.

A writer that is woken up has not entered yet; another one comes by, sees nobody inside, and takes the fast path.
"""

import asyncio

import aiorwlock

from tests.real_bugs.bug import Bug

BUG = Bug("aiorwlock", "1.1.0", "1.2.0", "https://github.com/aio-libs/aiorwlock/issues/235", track=("aiorwlock",),
          preemptions=0)


async def body() -> None:
    lock, inside = aiorwlock.RWLock(fast=True), 0

    async def write() -> None:
        nonlocal inside
        async with lock.writer:
            inside += 1
            assert inside == 1, "two writers"
            await asyncio.sleep(0.01)
            inside -= 1

    async def read_and_write() -> None:
        async with lock.reader:
            await asyncio.sleep(0.01)
        await write()

    await asyncio.gather(read_and_write(), write())
