"""pyee: a handler that is to be called once is called twice, or fails, if two threads emit.

The handler takes itself off when it is called, and by then both have read the list. 8.1.0 has a lock.
"""

import threading

import pyee

from tests.real_bugs.bug import Bug

BUG = Bug("pyee", "8.0.1", "8.1.0", "https://github.com/jfhbrook/pyee/blob/main/CHANGELOG.md", track=("pyee",),
          kind="exception", preemptions=2)


def body() -> None:
    emitter, called = pyee.EventEmitter(), []
    emitter.once("ready", lambda: called.append(1))
    emitting = threading.Thread(target=emitter.emit, args=("ready",))
    emitting.start()
    emitter.emit("ready")
    emitting.join()
    assert called == [1], f"called {len(called)} times"
