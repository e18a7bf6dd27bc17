"""functools.cached_property: two objects whose properties need each other's are locked against each other.

Until 3.12 there was one lock for each property of a class, and not one for each object: a property that computes
another object's holds its own lock meanwhile. Documented as a mistake, and removed. The locks are made by an
import, when the class is defined, and they are RLocks of C.
"""

import functools
import threading

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.11", "3.12", "https://github.com/python/cpython/issues/87634", track=("functools",),
          kind="deadlock")


class Leaf:
    def __init__(self, whole: "Leaf | None" = None) -> None:
        self.whole = whole

    @functools.cached_property
    def width(self) -> int:
        return 1 if self.whole is None else self.whole.height

    @functools.cached_property
    def height(self) -> int:
        return 1 if self.whole is None else self.whole.width


def body() -> None:
    one, other = Leaf(Leaf()), Leaf(Leaf())  # four objects, and nothing that two threads share
    drawing = threading.Thread(target=lambda: one.width)
    drawing.start()
    assert other.height == 1
    drawing.join()
