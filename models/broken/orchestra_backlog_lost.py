"""O-B6, messages lost: the end of the priority queue is taken for the end of both.

When all senders are gone, the priority queue is empty and closed, and the receiver
says "end" before it has looked at the bulk queue. Repaired: the end comes when both
have ended.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Spec, action, always, initial, sometimes
from models.showcase import Showcase, able


class Draining(Spec):
    """One sender of two bulk messages and a priority one; it goes when it has sent them."""

    bulk = Function(to=INT)
    priority = Function(to=INT)
    sent = Function(to=INT)
    received = Function(to=INT)
    closed = Relation()
    ended = Relation()

    @initial
    def nothing_was_sent(s):
        s.bulk, s.priority, s.sent, s.received = 0, 0, 0, 0
        s.closed, s.ended = False, False

    @action()
    def send(s):
        s.require("two bulk messages come first", s.sent < 2)
        s.sent += 1
        s.bulk += 1

    @action()
    def send_priority(s):
        s.require("a priority message comes last", s.sent == 2)
        s.sent += 1
        s.priority += 1

    @action()
    def hang_up(s):
        s.require("everything has been sent", (s.sent == 3) & ~s.closed)
        s.closed = True

    @action()
    def take(s):
        s.require("the receiver has not seen the end", ~s.ended)
        s.require("there is a message", (s.bulk > 0) & (s.priority == 0))
        s.require("it has not ended", ~s.at_the_end())
        s.bulk -= 1
        s.received += 1

    @action()
    def take_priority(s):
        s.require("the receiver has not seen the end", ~s.ended)
        s.require("there is a priority message", s.priority > 0)
        s.priority -= 1
        s.received += 1

    @action()
    def end(s):
        s.require("the receiver has not seen the end", ~s.ended)
        s.require("it has ended", s.at_the_end())
        s.ended = True

    def at_the_end(s):
        return s.closed & (s.priority == 0) & (s.bulk == 0)

    @always
    def what_was_sent_was_received_before_the_end(s):
        return s.ended >> (s.received == s.sent)

    @always
    def who_can_go_no_further_has_seen_the_end(s):
        return able(s) | s.ended

    @sometimes
    def everything_waits_when_the_sender_goes(s):
        return s.closed & (s.received == 0)


class HastyEnd(Draining):
    """The same, but an end of the priority queue is the end."""

    def at_the_end(s):
        return s.closed & (s.priority == 0)


SHOWCASE = Showcase(
    rank=11,
    seed="O-B6",
    kind="assertion",
    claim="what_was_sent_was_received_before_the_end",
    broken=HastyEnd,
    repaired=Draining,
)
