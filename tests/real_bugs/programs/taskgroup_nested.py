"""asyncio.TaskGroup: a group within a group swallows the cancellation that the outer one asked for.

A task of each group fails in the same turn. The inner group takes the outer one's cancellation for its own, and the
body goes on for as long as it likes in a group that is being given up.
"""

import asyncio

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.11", "3.13", "https://github.com/python/cpython/issues/116720", track=(), preemptions=0,
          dear=True)


async def body() -> None:
    async def fails(error: Exception) -> None:
        await asyncio.sleep(1)
        raise error

    try:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(fails(ValueError()))
            try:
                async with asyncio.TaskGroup() as inner:
                    inner.create_task(fails(KeyError()))
            except* KeyError:
                pass
            await asyncio.sleep(3600)
    except* (ValueError, KeyError):
        pass
    assert asyncio.get_running_loop().time() < 60, "the outer group waited for an hour"
