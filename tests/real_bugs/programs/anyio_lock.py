"""anyio: a lock is handed to a waiter that is already cancelled, and nobody ever has it again.

`release()` takes the next one from its queue; a task whose cancellation is on the way is still there. Whoever
acquires the lock afterwards queues behind it.
"""

import asyncio
import contextlib

import anyio

from tests.real_bugs.bug import Bug

BUG = Bug("anyio", "4.13.0", "4.14.0", "https://github.com/agronholm/anyio/pull/1145", track=("anyio",),
          kind="deadlock", needs=("idna==3.10", "typing_extensions==4.15.0"), cancel=("waiter",))


async def body() -> None:
    lock = anyio.Lock()

    async def wait() -> None:
        async with lock:
            pass

    await lock.acquire()
    waiter = asyncio.create_task(wait(), name="waiter")
    for _ in range(3):
        await asyncio.sleep(0)
    lock.release()
    await lock.acquire()
    lock.release()
    with contextlib.suppress(asyncio.CancelledError):
        await waiter
