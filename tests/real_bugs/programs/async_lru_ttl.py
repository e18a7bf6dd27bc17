"""async_lru: with `ttl` and `maxsize`, an entry that is thrown out while it is being computed raises a KeyError.

The callback of the finished task looks up its entry to start the clock, and it is gone.
"""

import asyncio

from async_lru import alru_cache

from tests.real_bugs.bug import Bug

BUG = Bug("async-lru", "2.0.2", "2.0.3", "https://github.com/aio-libs/async-lru/issues/480", track=("async_lru",),
          kind="exception", preemptions=0, needs=("typing_extensions==4.15.0",))


async def body() -> None:
    @alru_cache(maxsize=1, ttl=10)
    async def double(number: int) -> int:
        await asyncio.sleep(0.01)
        return 2 * number

    assert await asyncio.gather(double(1), double(2)) == [2, 4]
