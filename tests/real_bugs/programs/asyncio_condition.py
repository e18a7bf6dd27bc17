"""asyncio.Condition: a notification is lost with a waiter that is cancelled before it runs.

One `notify()`, two waiters; the first is woken, and somebody cancels it in the window between. The other one waits
for ever. Gone in 3.13, where a waiter that is cancelled passes its notification on.
"""

import asyncio

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.12", "3.13", "https://github.com/python/cpython/issues/112202", track=(), cancel=("first",))


async def body() -> None:
    condition, woken = asyncio.Condition(), []

    async def wait(name: str) -> None:
        async with condition:
            await condition.wait()
        woken.append(name)

    waiters = [asyncio.create_task(wait(name), name=name) for name in ("first", "second")]
    await asyncio.sleep(0)
    async with condition:
        condition.notify(1)
    await asyncio.wait(waiters, timeout=1)
    for waiter in waiters:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert woken, "one notify(), one waiter left, nobody woken"
