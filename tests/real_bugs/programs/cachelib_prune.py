"""cachelib: `SimpleCache` throws out what has expired while another thread stores something, and fails.

It goes through its dict to find what is old; nothing keeps others out of it. Its documentation says that it "is not
100% thread safe"; Flask-Caching uses it by default.
"""

import threading

from cachelib import SimpleCache

from tests.real_bugs.bug import Bug

BUG = Bug("cachelib", "0.13.0", "", "https://github.com/pallets-eco/cachelib/blob/0.13.0/src/cachelib/simple.py",
          track=("cachelib",), kind="exception")


def body() -> None:
    cache = SimpleCache(threshold=1)
    cache.set("a", 1)
    cache.set("b", 2)
    storing = [threading.Thread(target=cache.set, args=(key, 3)) for key in ("c", "d")]
    for each in storing:
        each.start()
    for each in storing:
        each.join()
