"""anyio: a limiter's token is lost with a waiter that is cancelled after it was told that it may go on.

`release` wakes the next one in line and takes it off the list. If that one is cancelled before it runs, nobody tells
the one behind it that there is a free token.
"""

import asyncio
import contextlib

import anyio

from tests.real_bugs.bug import Bug

BUG = Bug("anyio", "4.9.0", "4.10.0", "https://github.com/agronholm/anyio/issues/947", track=("anyio",),
          kind="deadlock", needs=("idna==3.10", "typing_extensions==4.15.0", "sniffio==1.3.1"), cancel=("waiter",))


async def body() -> None:
    limiter = anyio.CapacityLimiter(1)

    async def use() -> None:
        async with limiter:
            pass

    async with limiter:
        waiter = asyncio.create_task(use(), name="waiter")
        behind = asyncio.create_task(use(), name="behind")
        for _ in range(3):
            await asyncio.sleep(0)
    await behind
    with contextlib.suppress(asyncio.CancelledError):
        await waiter
