"""O-B4, a lag for ever: a signal that is received by `recv_signal` is not counted.

The receiver's watermark stays behind by one, so a message from a sender that has
counted every signal is held for ever. Repaired: every way to receive a signal counts it.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Spec, action, always, initial, sometimes
from models.showcase import Showcase, able

SIGNALS = 2


class Counting(Spec):
    """Two signals were broadcast to a sender and a receiver; the sender sends one message."""

    sender = Function(to=INT)  # signals that it has counted
    receiver = Function(to=INT)
    queued = Function(to=INT)  # signals that wait for the receiver
    stamp = Function(to=INT)
    sent = Relation()
    delivered = Relation()

    @initial
    def two_signals_are_under_way(s):
        s.sender, s.receiver, s.queued, s.stamp = 0, 0, SIGNALS, 0
        s.sent, s.delivered = False, False

    @action()
    def sender_counts(s):
        s.require("a signal waits for the sender", s.sender < SIGNALS)
        s.sender += 1

    @action()
    def send(s):
        s.require("there is one message", ~s.sent)
        s.sent = True
        s.stamp = s.sender

    @action()
    def recv(s):
        s.require("a signal waits", s.queued > 0)
        s.queued -= 1
        s.receiver += 1

    @action()
    def recv_signal(s):
        s.require("a signal waits", s.queued > 0)
        s.queued -= 1
        s.counts()

    def counts(s):
        s.receiver += 1

    @action()
    def deliver(s):
        s.require("a message is under way", s.sent & ~s.delivered)
        s.require("signals come first", s.queued == 0)
        s.require("the receiver has seen what the sender had seen", s.receiver >= s.stamp)
        s.delivered = True

    @always
    def every_signal_is_counted_or_waits(s):
        return s.receiver + s.queued == SIGNALS

    @always
    def who_can_go_no_further_has_delivered(s):
        return able(s) | s.delivered

    @sometimes
    def a_message_of_the_last_epoch_arrives(s):
        return s.delivered & (s.stamp == SIGNALS)


class CountingHalf(Counting):
    """The same, but `recv_signal` hands the signal out and counts nothing."""

    def counts(s):
        pass


SHOWCASE = Showcase(
    rank=9,
    seed="O-B4",
    kind="deadlock",
    claim="who_can_go_no_further_has_delivered",
    broken=CountingHalf,
    repaired=Counting,
)
