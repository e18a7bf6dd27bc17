"""cachetools: a cached function, given a lock, hands out two different objects for the same key.

The lock was held while the cache was asked and while it was filled, but not in between: who comes second overwrites
what the first one has already handed out. Since 4.2.0 the first stays, by `setdefault`.
"""

import threading

from cachetools import LRUCache, cached

from tests.real_bugs.bug import Bug

BUG = Bug("cachetools", "4.1.1", "4.2.0", "https://github.com/tkem/cachetools/issues/188", track=("cachetools",))


def body() -> None:
    @cached(LRUCache(maxsize=4), lock=threading.Lock())
    def connection(host: str) -> object:
        return object()

    got: list[object] = []
    clients = [threading.Thread(target=lambda: got.append(connection("db"))) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert got[0] is got[1], "two connections to one host"
