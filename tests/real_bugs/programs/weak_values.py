"""weakref: going through a WeakValueDictionary fails while another thread adds to it.

What dies meanwhile is taken out later, but what is added meanwhile is not: `RuntimeError: dictionary changed size
during iteration`. The documentation promises it only of what dies; Python 3.14 takes a copy.
"""

import threading
import weakref

from tests.real_bugs.bug import Bug

BUG = Bug("python", "", "3.14", "https://github.com/python/cpython/issues/89967", track=("weakref",), kind="exception")


class Session:
    """One of many that are known as long as somebody has them."""


def body() -> None:
    sessions: weakref.WeakValueDictionary[str, Session] = weakref.WeakValueDictionary()
    ours, theirs = Session(), Session()
    sessions["ours"] = ours
    threads = [threading.Thread(target=sessions.__setitem__, args=("theirs", theirs)),
               threading.Thread(target=lambda: list(sessions.values()))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
