"""aiojobs: a scheduler that has been full once starts no job any more.

`spawn` enters a job among the active ones before it waits for a place among the pending; when several wait, more are
active than the limit allows, and `_done` starts none of those that are pending.
"""

import asyncio

import aiojobs

from tests.real_bugs.bug import Bug

BUG = Bug("aiojobs", "1.0.0", "1.3.0", "https://github.com/aio-libs/aiojobs/issues/98", track=("aiojobs",),
          needs=("async_timeout==4.0.3",), dear=True)


async def body() -> None:
    ended = []

    async def job(number: int) -> None:
        await asyncio.sleep(1)
        ended.append(number)

    scheduler = await aiojobs.create_scheduler(limit=1, pending_limit=1)
    spawning = [asyncio.create_task(scheduler.spawn(job(number))) for number in range(4)]
    await asyncio.sleep(60)
    seen = len(ended)
    for task in spawning:
        task.cancel()
    await asyncio.wait(spawning)
    await scheduler.close()
    assert seen == 4, f"{seen} of 4 jobs were done within a minute"
