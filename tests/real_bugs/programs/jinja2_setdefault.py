"""jinja2: `setdefault` of its thread-safe cache answers two callers with two values.

Each method of `LRUCache` has the lock, `setdefault` is made of two of them: it asks, and sets what it was given if
there is nothing. Who asks in between gets a value of his own, which the other one then replaces. Not fixed in 3.1.6.
"""

import threading

from jinja2.utils import LRUCache

from tests.real_bugs.bug import Bug

BUG = Bug("jinja2", "3.1.6", "", "https://github.com/pallets/jinja/blob/3.1.6/src/jinja2/utils.py#L500",
          track=("jinja2.utils",), needs=("MarkupSafe==2.1.1",))


def body() -> None:
    cache = LRUCache(2)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(cache.setdefault("page", object()))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[0] is got[1], "two values for one key"
