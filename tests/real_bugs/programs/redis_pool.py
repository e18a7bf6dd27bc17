"""redis: a pool of at most one connection hands out two.

`make_connection` compares how many it has made with the limit, and counts up afterwards. Later versions, 3.5.3
among them, hold a lock.
"""

import contextlib
import threading

import redis

from tests.real_bugs.bug import Bug

BUG = Bug("redis", "3.1.0", "3.5.3", "https://github.com/redis/redis-py/blob/3.1.0/redis/connection.py",
          track=("redis.connection",), until=(3, 11))


class Unconnected:
    """Stands for a connection, without a server."""

    def __init__(self, **options: object) -> None:
        self.pid = 0

    def connect(self) -> None:
        """At once."""

    def can_read(self) -> bool:
        return False


def body() -> None:
    pool = redis.ConnectionPool(connection_class=Unconnected, max_connections=1)
    granted: list[object] = []

    def client() -> None:
        with contextlib.suppress(redis.ConnectionError):  # too many connections: what was asked for
            granted.append(pool.get_connection("PING"))

    clients = [threading.Thread(target=client) for _ in range(2)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert len(granted) == 1, f"{len(granted)} connections, and one was the limit"
