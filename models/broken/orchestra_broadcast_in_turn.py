"""O-B1, a deadlock: a broadcast waits for each subsystem in turn.

The orchestra waits for room in s2's signal queue; s2 waits for room in s3's message
queue; s3 holds a message back until it has seen the signal that the orchestra has not
given it yet. Found in Orchestra up to 0.2.1, and still there when it shuts down.
Repaired in `models.broadcast`: try all, then await those who had no room, at once.

One message a signal from s1 and two from s2 are the least that deadlocks in three
rounds: after 22 steps, in one of 969 states, as in the seeds' own model.
"""

from __future__ import annotations

from models.broadcast import Broadcast
from models.showcase import Showcase


class InTurn(Broadcast):
    """The same, but who has no room is waited for, and nobody behind it is tried."""

    def without_room(s, x, full):
        s.require("there is room", ~full)


SHOWCASE = Showcase(
    rank=8,
    seed="O-B1",
    kind="deadlock",
    claim="who_can_go_no_further_has_handled_everything",
    broken=InTurn,
    repaired=Broadcast,
)
