"""limits: entering a new key while old entries expire ends the expiry in a RuntimeError.

A timer walks the living dict of keys; whoever is limited for the first time enters one. Versions from 2.8 on, and
perhaps some before, walk a copy.
"""

import threading

from limits.storage import MemoryStorage

from tests.real_bugs.bug import Bug

BUG = Bug("limits", "1.3", "", "https://github.com/alisaifee/limits/blob/1.3/limits/storage.py",
          track=("limits.storage",),
          kind="exception", preemptions=2, needs=("six==1.9.0",), until=(3, 11))


def body() -> None:
    storage = MemoryStorage()
    storage.timer.join()
    storage.events["old"] = []
    expiring = threading.Thread(target=storage._MemoryStorage__expire_events)
    expiring.start()
    storage.acquire_entry("new", 1, 60)
    expiring.join()
    storage.timer.join()
