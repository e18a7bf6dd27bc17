"""filelock: two threads that ask for the one lock object of a path get two.

`is_singleton=True` promises one object for each path, so that taking it again is no deadlock. The metaclass looked
into its table and entered what it had made without a lock. Since 3.29.6 it holds one.
"""

import threading

from filelock import FileLock

from tests.real_bugs.bug import Bug

BUG = Bug("filelock", "3.29.5", "3.29.6", "https://github.com/tox-dev/filelock/pull/581", track=("filelock",))


def body() -> None:
    FileLock._instances.clear()
    got: list[object] = []
    users = [threading.Thread(target=lambda: got.append(FileLock("app.lock", is_singleton=True))) for _ in range(2)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert got[0] is got[1], "two objects for one path"
