"""redis.asyncio: a blocking pool whose waiter is cancelled waits for its own lock.

`get_connection` enters its Condition twice, once to wait and once more, inside, to take a connection. A task that is
cancelled between the two leaves it held, and every other one waits for ever.
"""

import asyncio

import redis.asyncio as redis

from tests.real_bugs.bug import Bug

BUG = Bug("redis", "5.0.1", "5.1.0", "https://github.com/redis/redis-py/issues/3056", track=("redis",),
          kind="deadlock", needs=("async_timeout==4.0.3",), cancel=("one",), dear=True)


class Connection(redis.Connection):
    async def connect(self) -> None:
        await asyncio.sleep(0)

    async def disconnect(self, *args: object, **named: object) -> None:
        pass

    async def can_read_destructive(self) -> bool:
        return False

    def __del__(self, *args: object) -> None:
        pass


async def body() -> None:
    pool = redis.BlockingConnectionPool(connection_class=Connection, max_connections=1, timeout=None)

    async def use() -> None:
        connection = await pool.get_connection("PING")
        try:
            await asyncio.sleep(0)
        finally:
            await pool.release(connection)

    await asyncio.wait([asyncio.create_task(use(), name=name) for name in ("one", "two")])
