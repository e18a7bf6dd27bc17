"""O-B2, a lag for ever: a broadcast that meets a closed channel stops half-way.

Subsystems before the closed one have seen one signal more than those behind it, and the
next broadcast stops there as well: a message from an earlier to a later one is never
delivered. Repaired: a broadcast reaches everybody who lives.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Spec, action, always, environment, initial, ite, sometimes
from models.showcase import Showcase, able


class Broadcast(Spec):
    """`first`, `closing` and `last` get signals in this order; first sends one message to last."""

    closed = Relation()  # the one in the middle
    rounds = Function(to=INT)
    first = Function(to=INT)  # signals that it has seen
    last = Function(to=INT)
    sent = Relation()
    stamp = Function(to=INT)  # what the message needs
    delivered = Relation()

    @initial
    def nothing_was_sent(s):
        s.closed, s.sent, s.delivered = False, False, False
        s.rounds, s.first, s.last, s.stamp = 0, 0, 0, 0

    @environment()
    def close(s):
        s.require("it is open", ~s.closed)
        s.closed = True

    @environment()
    def broadcast(s):
        s.require("two signals are enough to see it", s.rounds < 2)
        s.rounds += 1
        s.first += 1
        s.behind_the_closed_one()

    def behind_the_closed_one(s):
        s.last += 1

    @action()
    def send(s):
        s.require("there is one message", ~s.sent)
        s.require("the sender has seen a signal", s.first > 0)
        s.sent = True
        s.stamp = s.first

    @action()
    def deliver(s):
        s.require("a message is under way", s.sent & ~s.delivered)
        s.require("the receiver has seen what the sender had seen", s.last >= s.stamp)
        s.delivered = True

    @always
    def everybody_who_lives_has_seen_the_same(s):
        return s.first == s.last

    @always
    def who_can_go_no_further_has_delivered(s):
        return able(s) | s.delivered

    @sometimes
    def a_message_arrives_after_the_closing(s):
        return s.delivered & s.closed & (s.stamp == 2)


class PartialBroadcast(Broadcast):
    """The same, but the first closed channel ends the broadcast."""

    def behind_the_closed_one(s):
        s.last = ite(s.closed, s.last, s.last + 1)


SHOWCASE = Showcase(
    rank=9,
    seed="O-B2",
    kind="deadlock",
    claim="who_can_go_no_further_has_delivered",
    broken=PartialBroadcast,
    repaired=Broadcast,
)
