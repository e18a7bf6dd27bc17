"""dateutil: two threads that ask for one time zone at once get two.

`tzoffset` says that equal calls give one instance as long as somebody has it. It is kept in a `WeakValueDictionary`,
whose `setdefault` looks and then writes: both threads find nothing, and each keeps what it has made.
"""

import threading

from dateutil import tz

from tests.real_bugs.bug import Bug

BUG = Bug("python-dateutil", "2.9.0", "", "https://github.com/dateutil/dateutil/blob/2.9.0/src/dateutil/tz/_factories.py",
          track=("dateutil",), needs=("six==1.17.0",))


def body() -> None:
    got = []
    asking = [threading.Thread(target=lambda: got.append(tz.tzoffset("ours", 3600))) for _ in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert got[0] is got[1]
