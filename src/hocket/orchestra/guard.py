"""Who may touch a mailbox: the one thread that made it, or any thread under a lock.

A system whose subsystems are all coroutines of one event loop needs no lock: between
two awaits nobody else runs. Its guard then only looks whose thread it is, which costs
a tenth of a lock, and refuses any other: without that look a forgotten thread would
corrupt a queue without a word. A system with threads has a lock for each mailbox,
and one that gets its first thread later (`spawn_blocking`) is `share`d by then, from
inside its loop, where nobody is in the middle of a step.

Refused: one lock for a whole system (senders to different receivers would wait for
each other, and an exploration would have to order what is independent), and no look
at the thread at all.
"""

from __future__ import annotations

import threading
from threading import get_ident

from hocket.errors import Refused

__all__ = ["Guard"]


class Guard:
    """A lock if it is shared, else a look at the thread; `with guard:` around each step, never while anybody waits.

    `lock` and `home` are for the few places where a step costs less than a `with` of this.
    """

    __slots__ = ("home", "lock", "owner")

    def __init__(self, owner: str, shared: bool) -> None:
        self.owner = owner
        self.home = get_ident()
        self.lock = threading.Lock() if shared else None

    def share(self) -> None:
        """From now on any thread may come. Raises Refused, as every step does, in a thread that may not."""
        if self.lock is None:
            self.alone()
            self.lock = threading.Lock()

    def alone(self) -> None:
        """Nobody else can be here. Raises Refused in a thread that may not be here either."""
        if get_ident() != self.home:
            raise Refused(
                f"the mailbox of {self.owner!r}",
                "used by another thread",
                "its event loop's alone, because the orchestra was built without threads",
                "build(shared=True)",
                "A job that ctx.spawn_blocking starts may use the sender that it is given",
            )

    def __enter__(self) -> bool:
        if self.lock is None:
            self.alone()
            return True
        return self.lock.acquire()

    def __exit__(self, *error: object) -> None:
        if self.lock is not None:
            self.lock.release()
