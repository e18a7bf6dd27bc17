"""zict: two insertions into an LRU cache lose a weight, and the cache grows beyond its limit ever after.

`total_weight` is read, added to and written back. Since 3.0.0 a lock is held.
"""

import threading

import zict

from tests.real_bugs.bug import Bug

BUG = Bug("zict", "2.2.0", "3.0.0", "https://github.com/dask/zict/pull/92", track=("zict", "heapdict"),
          needs=("heapdict==1.0.1",))


def body() -> None:
    cache = zict.LRU(10, {})
    writers = [threading.Thread(target=cache.__setitem__, args=(key, 1)) for key in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert cache.total_weight == 2, f"two entries of weight 1 weigh {cache.total_weight}"
