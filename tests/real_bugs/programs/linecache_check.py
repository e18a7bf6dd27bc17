"""linecache: `checkcache` meets an entry that is gone.

It goes through a list of the file names, and looks each one up in a module's dictionary, which another thread may
have cleared meanwhile, as `traceback` and `warnings` do whenever they show a line.
"""

import linecache
import threading

from tests.real_bugs.bug import Bug

BUG = Bug("python", "", "", "https://github.com/python/cpython/blob/3.11/Lib/linecache.py", track=("linecache",),
          kind="exception", mended=("linecache", "cache.copy()"))


def body() -> None:
    linecache.cache.clear()
    linecache.cache["gone.py"] = (1, 1.0, ["a line"], "gone.py")
    threads = [threading.Thread(target=linecache.checkcache), threading.Thread(target=linecache.clearcache)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
