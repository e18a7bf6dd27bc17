"""C-B1, a lost wake-up: the executor that leaves notifies without holding the park lock.

Between a worker's last look and its wait, the notification reaches nobody: the worker
then sleeps beside a queue that is not empty. Found in Choir's `join_active` and in its
worker's exit. Repaired in `models.parking`: notify under the lock.

The seeds' own model of it has 66 states, and 64 without the bug; this one 27 and 25,
because here the joined task is done when the model begins, and only its joiner's steps
are told that matter to the worker.
"""

from __future__ import annotations

from models.parking import Parking
from models.showcase import Showcase


class HastyParking(Parking):
    """The same, but nobody waits for the lock before notifying."""

    def wakes(s):
        s.require("the joiner has put the rest back", s.joiner == "pushed")
        s.joiner = "gone"


SHOWCASE = Showcase(
    rank=1,
    seed="C-B1",
    kind="deadlock",
    claim="who_can_go_no_further_has_run_everything",
    broken=HastyParking,
    repaired=Parking,
    scope={"Worker": ["w"]},
)
