"""asyncio.wait_for: somebody cancels, the awaited thing is done in the same turn, and the cancellation is gone.

The task that was cancelled goes on as if nothing had happened; whoever cancelled it waits for a loop that never ends.
Rewritten in 3.12.
"""

import asyncio

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.11", "3.12", "https://github.com/python/cpython/issues/86296", track=(), cancel=("worker",),
          preemptions=0)


async def body() -> None:
    done, told = asyncio.get_running_loop().create_future(), []

    async def work() -> None:
        try:
            await asyncio.wait_for(done, 10)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        await asyncio.sleep(1)
        told.append("went on")

    worker = asyncio.create_task(work(), name="worker")
    for _ in range(2):
        await asyncio.sleep(0)
    if not done.done():
        done.set_result(None)
    await asyncio.wait([worker])
    assert worker.cancelled() or not worker.cancelling(), "cancelled, and it went on"
