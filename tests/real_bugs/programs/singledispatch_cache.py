"""functools.singledispatch: an implementation that is registered while somebody dispatches is never used.

`dispatch` looks for the best implementation and then enters it into its cache; `register` enters a better one and
empties the cache. In between, the old one is entered into the empty cache, where it stays.
"""

import functools
import threading

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.11", "", "https://github.com/python/cpython/blob/3.11/Lib/functools.py#L817",
          track=("functools", "weakref"), preemptions=2)


def body() -> None:
    @functools.singledispatch
    def shown(value: object) -> str:
        return "an object"

    showing = threading.Thread(target=shown, args=(1,))
    showing.start()
    shown.register(int, lambda value: "a number")
    showing.join()
    assert shown(1) == "a number", "what was registered is ignored for ever"
