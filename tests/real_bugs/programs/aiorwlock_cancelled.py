"""aiorwlock: a writer that is cancelled while it waits takes back a claim that it never had.

`acquire_write` counts itself out in `except CancelledError`, but it is counted in only by whoever wakes it. With one
writer fewer than none nobody gets the lock any more. Not fixed in 1.3.0.
"""

import asyncio

import aiorwlock

from tests.real_bugs.bug import Bug

BUG = Bug("aiorwlock", "1.3.0", "", "https://github.com/aio-libs/aiorwlock/blob/v1.3.0/aiorwlock/__init__.py",
          track=("aiorwlock",), kind="deadlock", cancel=("writer",), dear=True)


async def body() -> None:
    lock = aiorwlock.RWLock()

    async def write() -> None:
        async with lock.writer_lock:
            pass

    async with lock.reader_lock:
        writer = asyncio.create_task(write(), name="writer")
        await asyncio.sleep(0)
    await asyncio.wait([writer])
    async with lock.writer_lock:
        pass
