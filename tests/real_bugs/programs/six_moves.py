"""six: two threads that need a moved module for the first time, and one of them gets an AttributeError.

`six.moves` imports lazily: the descriptor that imports takes itself off the class afterwards. Who comes second takes
off what is gone. Since 1.9.0 that is no error.
"""

import threading

import six

from tests.real_bugs.bug import Bug

BUG = Bug("six", "1.8.0", "1.9.0", "https://github.com/benjaminp/six/blob/1.9.0/CHANGES", track=("six",),
          kind="exception")


def body() -> None:
    class Moves(six._LazyModule):  # type: ignore[misc]  # as six makes its own, and new in each execution
        queue = six.MovedModule("queue", "Queue", "queue")

    moves = Moves("moves")
    users = [threading.Thread(target=lambda: moves.queue) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
