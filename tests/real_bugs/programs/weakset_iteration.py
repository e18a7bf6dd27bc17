"""weakref.WeakSet: somebody adds while somebody iterates, and the iteration ends in a RuntimeError.

The guard of the set keeps dying members from changing it meanwhile, but nobody who adds one. `asyncio.all_tasks` and
the abstract base classes fell over it.
"""

import threading
import weakref

from tests.real_bugs.bug import Bug

BUG = Bug("python", "3.11", "3.14", "https://github.com/python/cpython/issues/123089", track=("_weakrefset",),
          kind="exception")


class Member:
    """Something that can be referred to weakly."""


def body() -> None:
    kept = [Member() for _ in range(2)]
    late = Member()
    members = weakref.WeakSet(kept)
    adding = threading.Thread(target=members.add, args=(late,))
    adding.start()
    assert len(list(members)) in (2, 3)
    adding.join()
