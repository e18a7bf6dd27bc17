"""C-B1, a lost wake-up: the executor that leaves notifies without holding the park lock.

Between a worker's last look and its wait, the notification reaches nobody: the worker
then sleeps beside a queue that is not empty. Found in Choir's `join_active` and in its
worker's exit; repaired in `models.parking` by notifying under the lock.
"""

from __future__ import annotations

from models.parking import Parking


class HastyParking(Parking):
    """The same, but nobody waits for the lock before notifying."""

    def wakes(s):
        s.require("the joiner has put the rest back", s.joiner == "pushed")
        s.joiner = "gone"
