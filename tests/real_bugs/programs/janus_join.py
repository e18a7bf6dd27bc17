"""janus: `join` of a queue that was never empty returns to a loop that stands still.

`task_done()` sets the event "finished" by way of the loop; an item that is put meanwhile clears it too early. `join`
then asks "is it unfinished?" and waits for an event that is set, again and again, and nothing else ever runs.
"""

import asyncio

import janus

from tests.real_bugs.bug import Bug

BUG = Bug("janus", "1.1.0", "1.2.0", "https://github.com/aio-libs/janus/pull/716", track=("janus",), kind="livelock",
          preemptions=0, needs=("typing_extensions==4.15.0",))


async def body() -> None:
    queue: janus.Queue[int] = janus.Queue()
    queue.sync_q.put(1)
    queue.sync_q.get()
    queue.sync_q.task_done()
    await queue.async_q.put(2)
    await asyncio.sleep(0.01)
    joining = asyncio.create_task(queue.async_q.join())
    await asyncio.wait({joining}, timeout=0.1)
    joining.cancel()
    queue.close()
    await queue.wait_closed()
