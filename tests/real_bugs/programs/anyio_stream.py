"""anyio: an item is given to a receiver that has been cancelled, and nobody gets it.

`send_nowait` hands over to the first who waits, and one whose cancel scope is cancelled stays in line until it runs.
"""

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream

from tests.real_bugs.bug import Bug

BUG = Bug("anyio", "4.3.0", "4.4.0", "https://github.com/agronholm/anyio/issues/728", track=("anyio",),
          kind="exception", preemptions=0, needs=("idna==3.10", "typing_extensions==4.15.0", "sniffio==1.3.1"),
          dear=True)


async def receiver(stream: MemoryObjectReceiveStream[str], *, task_status: TaskStatus[anyio.CancelScope]) -> None:
    with anyio.CancelScope() as scope:
        task_status.started(scope)
        await stream.receive()


async def body() -> None:
    send, receive = anyio.create_memory_object_stream(1)
    with send, receive:
        async with anyio.create_task_group() as group:
            scope = await group.start(receiver, receive)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            send.send_nowait("item")
        assert receive.receive_nowait() == "item"
