"""anyio: a limiter of one token lends it twice.

`CapacityLimiter.release` takes the next waiter out of the queue and wakes it, and the waiter enters itself among the
borrowers only when it runs. In between the queue is empty and a token seems free, so a task that does not wait gets it.
Fixed in 4.14.2: the token is booked for whom it wakes.
"""

import asyncio

import anyio

from tests.real_bugs.bug import Bug

BUG = Bug("anyio", "4.14.1", "4.14.2", "https://github.com/agronholm/anyio/issues/1170", track=("anyio",),
          preemptions=0, dear=True, needs=("idna==3.10", "sniffio==1.3.1", "typing_extensions==4.15.0"))


async def body() -> None:
    limiter = anyio.CapacityLimiter(1)

    async def patient() -> None:
        async with limiter:
            await asyncio.sleep(1)

    async def impatient() -> None:
        await asyncio.sleep(1)
        try:
            limiter.acquire_nowait()
        except anyio.WouldBlock:
            return
        await asyncio.sleep(0)
        assert limiter.borrowed_tokens <= limiter.total_tokens
        limiter.release()

    await asyncio.gather(patient(), patient(), impatient())
