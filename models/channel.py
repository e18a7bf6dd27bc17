"""One receiver's queues: signals, and three kinds of message, each stamped with what its sender had seen.

The receiver takes a signal before any message, an unbounded message before a priority
one, and that before a bulk one. A message whose sender had seen more signals than the
receiver has is held until it has seen as many, and while it holds one it takes signals
only.

From Orchestra (the seeds' section 4.2, O-I1 to O-I6). One sender, queues of room two:
order is kept per sender and kind, so one of each is where it can break. A broadcast
gives each end its signal in a step of its own; if it were one step (`AtOnce`), nothing
would ever be held: signals come first.
"""

from __future__ import annotations

from hocket.spec import (
    INT,
    TRUE,
    Function,
    Sort,
    Spec,
    Term,
    action,
    always,
    conj,
    environment,
    exists,
    forall,
    initial,
    ite,
    mistaken,
    sometimes,
)
from models.showcase import able

SIGNALS, MESSAGES = 2, 3


class Channel(Spec):
    """Messages are numbers, in the order in which they were sent; 0 is none."""

    Kind = Sort("Kind", ("unbounded", "priority", "bulk"))  # the first of them first
    Place = Sort("Place", ("first", "second"))
    End = Sort("End", ("sender", "receiver"))
    given = Function(End, to=INT)  # signals that the orchestra has put into its queue
    waiting = Function(End, to=INT)
    seen = Function(End, to=INT)
    sent = Function(to=INT)
    message = Function(Kind, Place, to=INT)
    stamp = Function(Kind, Place, to=INT)
    held = Function(to=INT)
    held_kind = Function(to=Kind)
    held_stamp = Function(to=INT)
    delivered = Function(to=INT)
    last = Function(Kind, to=INT)  # the last message that was delivered of each kind
    last_stamp = Function(to=INT)

    @initial
    def nothing_was_sent(s):
        for signals in (s.given, s.waiting, s.seen):
            signals.each(lambda e: 0)
        s.sent, s.held, s.held_kind, s.held_stamp, s.delivered, s.last_stamp = 0, 0, "unbounded", 0, 0, 0
        s.message.each(lambda k, p: 0)
        s.stamp.each(lambda k, p: 0)
        s.last.each(lambda k: 0)

    # -- the orchestra and the sender

    @environment(End)
    def signal(s, e):
        s.require("there is another signal", s.given[e] < SIGNALS)
        s.require("everybody has the one before it", forall(s.End, lambda f: s.given[e] <= s.given[f]))
        s.give(e)

    def give(s, e) -> None:
        s.given[e] += 1
        s.waiting[e] += 1

    @action()
    def sender_takes_signal(s):
        s.require("a signal waits for the sender", s.waiting["sender"] > 0)
        s.waiting["sender"] -= 1
        s.seen["sender"] += 1

    @environment(Kind)
    def send(s, k):
        s.require("there is another message", s.sent < MESSAGES)
        s.require("there is room", s.message[k, "second"] == 0)
        behind = s.message[k, "first"] > 0
        s.sent += 1
        for place, here in (("first", ~behind), ("second", behind)):
            s.message[k, place] = ite(here, s.sent, s.message[k, place])
            s.stamp[k, place] = ite(here, s.seen["sender"], s.stamp[k, place])

    # -- the receiver

    @action()
    def take_signal(s):
        s.require("a signal waits", s.waiting["receiver"] > 0)
        s.require("what is held may not be delivered yet", (s.held == 0) | (s.held_stamp > s.seen["receiver"]))
        s.waiting["receiver"] -= 1
        s.seen["receiver"] += 1

    @action()
    def deliver_held(s):
        s.require("a message is held", s.held > 0)
        s.require("what its sender had seen has been seen", s.held_stamp <= s.seen["receiver"])
        s.deliver(s.held_kind, s.held, s.held_stamp, TRUE)
        s.held, s.held_kind, s.held_stamp = 0, "unbounded", 0

    @action(Kind)
    def take(s, k):
        s.require("a message waits", s.message[k, "first"] > 0)
        s.require("none is held", s.held == 0)
        s.require("signals come first", s.waiting["receiver"] == 0)
        s.require("no other kind comes first", forall(s.Kind, lambda j: (j < k) >> (s.message[j, "first"] == 0)))
        number, stamp = s.message[k, "first"], s.stamp[k, "first"]
        early = stamp > s.seen["receiver"]
        s.message[k, "first"], s.stamp[k, "first"] = s.message[k, "second"], s.stamp[k, "second"]
        s.message[k, "second"], s.stamp[k, "second"] = 0, 0
        s.held = ite(early, number, 0)
        s.held_kind = ite(early, k, s.Kind["unbounded"])
        s.held_stamp = ite(early, stamp, 0)
        s.deliver(k, number, stamp, ~early)

    def deliver(s, k, number, stamp, really) -> None:
        s.delivered = ite(really, s.delivered + 1, s.delivered)
        s.last[k] = ite(really, number, s.last[k])
        s.last_stamp = ite(really, stamp, s.last_stamp)

    # -- what holds

    @always
    def what_is_delivered_was_due(s):
        return s.last_stamp <= s.seen["receiver"]

    @always
    def order_is_kept_per_kind(s):
        """Delivered before held before first before second."""
        first, second = lambda k: s.message[k, "first"], lambda k: s.message[k, "second"]
        mine = lambda k: (s.held > 0) & (s.held_kind == k)  # noqa: E731  # a word of this sentence only
        return forall(
            s.Kind,
            lambda k: conj(
                (first(k) > 0) >> (first(k) > s.last[k]),
                (second(k) > 0) >> ((first(k) > 0) & (second(k) > first(k))),
                mine(k) >> ((s.held > s.last[k]) & ((first(k) == 0) | (first(k) > s.held))),
            ),
        )

    @always
    def no_message_is_lost(s):
        waiting = lambda k: ite(s.message[k, "first"] > 0, 1, 0) + ite(s.message[k, "second"] > 0, 1, 0)  # noqa: E731
        queued = waiting("unbounded") + waiting("priority") + waiting("bulk")
        return s.sent == s.delivered + ite(s.held > 0, 1, 0) + queued

    @always
    def no_signal_is_lost(s):
        return forall(s.End, lambda e: s.seen[e] + s.waiting[e] == s.given[e])

    @always
    def what_is_held_waits_for_a_signal_that_comes(s):
        return (s.held > 0) >> (s.held_stamp <= s.given["sender"])

    @always
    def who_can_go_no_further_has_delivered_everything(s):
        return able(s) | s.everything_delivered()

    def everything_delivered(s) -> Term:
        return (s.delivered == MESSAGES) & (s.seen["receiver"] == SIGNALS)

    @sometimes
    def everything_was_delivered(s):
        return s.everything_delivered()

    # -- what somebody may think, and a search refutes

    @mistaken
    def messages_arrive_in_the_order_in_which_they_were_sent(s):
        """Not over two kinds."""
        queued = lambda k, p: s.message[k, p]  # noqa: E731  # a word of this sentence only
        in_order = lambda k, p, j: (queued(k, p) > 0) >> (queued(k, p) > s.last[j])  # noqa: E731
        return forall(s.Kind, s.Place, s.Kind, in_order)

    @mistaken
    def what_is_urgent_never_waits_for_what_is_held(s):
        """It does: who holds a message looks at signals only (O-B9)."""
        return (s.held > 0) >> ~exists(s.Kind, lambda k: (k < s.held_kind) & (s.message[k, "first"] > 0))

    @mistaken
    def the_receiver_is_never_behind_the_sender(s):
        return s.seen["sender"] <= s.seen["receiver"]


class AtOnce(Channel):
    """The same, but both ends are given their signal in one step: then no message is ever early."""

    def give(s, e):
        s.require("once for both", e == "sender")
        s.given.each(lambda f: s.given[f] + 1)
        s.waiting.each(lambda f: s.waiting[f] + 1)

    @always
    def no_message_is_early(s):
        return s.held == 0
