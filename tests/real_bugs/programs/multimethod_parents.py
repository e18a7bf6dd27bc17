"""multimethod: the first call with new types fails, because another one has just remembered its own.

A multimethod is a dict of what it has found for which types. Looking for the parents of a signature goes through that
dict, while another thread's first call enters something.
"""

import threading

from multimethod import multimethod

from tests.real_bugs.bug import Bug

BUG = Bug("multimethod", "1.9", "1.9.1", "https://github.com/coady/multimethod/issues/77", track=("multimethod",),
          kind="exception")


def body() -> None:
    def told(thing: object) -> str:
        return "an object"

    tell = multimethod(told)
    numbers, texts = (threading.Thread(target=tell, args=(thing,)) for thing in (1, "one"))
    numbers.start()
    texts.start()
    numbers.join()
    texts.join()
