"""logging: two threads stop a QueueListener, and one of them finds its thread gone.

`stop` joins the listener's thread and then forgets it. Who comes in between has forgotten nothing yet, and asks None to
be joined.
"""

import logging.handlers
import queue
import threading

from tests.real_bugs.bug import Bug

BUG = Bug("python", "", "", "https://github.com/python/cpython/blob/3.11/Lib/logging/handlers.py#L1574",
          track=("logging.handlers",), kind="exception", dear=True)


def body() -> None:
    listener = logging.handlers.QueueListener(queue.SimpleQueue())
    listener.start()
    users = [threading.Thread(target=listener.stop) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
