"""O-B5, a hang: a receiver looks at its priority queue once, then waits for the other.

A priority message that comes while the receiver waits does not wake it. Repaired: it
waits for whichever comes first, and takes a priority message before a bulk one.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Sort, Spec, action, always, initial, sometimes
from models.showcase import Showcase, able


class Receiving(Spec):
    """One receiver, two queues, one message for each of them."""

    Place = Sort("Place", ("looking", "waiting"))
    Queue = Sort("Queue", ("bulk", "priority"))
    at = Function(to=Place)
    to_send = Relation(Queue)
    queued = Relation(Queue)
    received = Function(to=INT)

    @initial
    def nothing_was_sent(s):
        s.at, s.received = "looking", 0
        s.to_send.each(lambda q: True)
        s.queued.each(lambda q: False)

    @action(Queue)
    def send(s, q):
        s.require("it has not been sent", s.to_send[q])
        s.to_send[q], s.queued[q] = False, True

    @action()
    def take_priority(s):
        s.require("the receiver looks at its priority queue", (s.at == "looking") | s.heard("priority"))
        s.require("there is a priority message", s.queued["priority"])
        s.queued["priority"], s.at = False, "looking"
        s.received += 1

    def heard(s, queue):
        """Whether a message there ends the waiting."""
        return (s.at == "waiting") & s.queued[queue]

    @action()
    def wait(s):
        s.require("the receiver looks at its priority queue", s.at == "looking")
        s.require("there is no priority message", ~s.queued["priority"])
        s.at = "waiting"

    @action()
    def take_bulk(s):
        s.require("the receiver waits", s.at == "waiting")
        s.require("there is a bulk message", s.queued["bulk"])
        s.require("nothing of priority is heard", ~s.heard("priority"))
        s.queued["bulk"], s.at = False, "looking"
        s.received += 1

    @always
    def who_can_go_no_further_has_received_everything(s):
        return able(s) | (s.received == 2)

    @sometimes
    def both_were_received(s):
        return s.received == 2


class HalfAnEar(Receiving):
    """The same, but who waits hears the bulk queue only."""

    def heard(s, queue):
        return (s.at == "waiting") & s.queued[queue] & (queue == "bulk")


SHOWCASE = Showcase(
    rank=11,
    seed="O-B5",
    kind="deadlock",
    claim="who_can_go_no_further_has_received_everything",
    broken=HalfAnEar,
    repaired=Receiving,
)
