"""apipkg: two threads that ask for one lazily imported attribute, and one of them is told that there is none.

The first takes the name off the list of what is still to be imported before, or while, the second looks there.
"""

import threading

import apipkg

from tests.real_bugs.bug import Bug

BUG = Bug("apipkg", "2.0.0", "2.1.0", "https://github.com/pytest-dev/apipkg/pull/25", track=("apipkg",),
          kind="exception")


def body() -> None:
    module = apipkg.ApiModule("ours", {"here": "os:getcwd"})
    asking = [threading.Thread(target=lambda: module.here) for _ in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
