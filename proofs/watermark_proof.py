"""Watermark and order of mailboxes: no message overtakes a signal that its sender had heard, nor one of its own kind.

Orchestra's O-I1 to O-I7 as far as they are safety (`models/watermark.py`), for any number of subsystems, messages and
signals, and any capacities. O-I1 is what every delivery ensures. O-I4, that a call of `recv` may be dropped, needs no
deed: nothing is taken out of a queue but by a deed that puts it down again somewhere. And none of it is kept by
standing still: what is first in line can always be delivered, after signals that can always be heard.
"""

from __future__ import annotations

from hocket.spec import disj, exists, forall, invariant, rank, theorem, two_state, variant
from models.watermark import Watermark
from proofs.judge import proved


class Delivery(Watermark):
    """What is always so."""

    Node, Message, Kind = Watermark.Node, Watermark.Message, Watermark.Kind

    @invariant
    def nobody_hears_what_was_not_sent(s):
        counted = lambda i: (s.heard[i] <= s.sent[i]) & (s.sent[i] <= s.epoch)  # noqa: E731
        return forall(s.Node, lambda i: counted(i) & (s.heard[i] >= 0)) & (s.epoch >= 0)

    @invariant
    def signals_reach_everybody_alive_before_the_next(s):
        """O-I5: two counters differ by what is in the queues, and by one signal that is being broadcast."""
        return forall(s.Node, lambda i: s.alive[i] >> (s.epoch - 1 <= s.sent[i]))

    @invariant
    def a_stamp_is_what_the_sender_had_heard(s):
        sent = lambda m: s.where[m] != "unsent"  # noqa: E731
        within = lambda m: (s.stamp[m] >= 0) & (s.stamp[m] <= s.epoch)  # noqa: E731
        return forall(s.Message, lambda m: sent(m) >> ((s.stamp[m] == s.known[m]) & within(m)))

    @invariant
    def what_was_delivered_kept_the_watermark(s):
        """O-I1, of all that was ever delivered."""
        return forall(s.Message, lambda m: (s.where[m] == "delivered") >> (s.known[m] <= s.heard[s.to[m]]))

    @invariant
    def tickets_are_given_once(s):
        sent = lambda m: s.where[m] != "unsent"  # noqa: E731
        one = lambda m, n: (sent(m) & sent(n) & (s.ticket[m] == s.ticket[n])) >> (m == n)  # noqa: E731
        given = lambda m: sent(m) >> ((s.ticket[m] >= 0) & (s.ticket[m] < s.tickets))  # noqa: E731
        return forall(s.Message, s.Message, one) & forall(s.Message, given) & (s.tickets >= 0)

    @invariant
    def one_message_is_pending_at_a_time(s):
        pending = lambda m, n: (s.where[m] == "pending") & (s.where[n] == "pending")  # noqa: E731
        return forall(s.Message, s.Message, lambda m, n: (pending(m, n) & (s.to[m] == s.to[n])) >> (m == n))

    @invariant
    def what_waits_has_a_receiver_and_what_is_lost_has_none(s):
        waits = lambda m: s.where[m].among("queued", "pending")  # noqa: E731
        lost = lambda m: (s.where[m] == "lost") >> ~s.alive[s.to[m]]  # noqa: E731
        return forall(s.Message, lambda m: (waits(m) >> s.alive[s.to[m]]) & lost(m))

    @invariant
    def a_queue_is_never_overfull(s):
        bounded = lambda i, k: (s.room[i, k] >= 0) | (k == "unbounded")  # noqa: E731
        signals = lambda i: s.sent[i] - s.heard[i] <= s.signal_capacity[i]  # noqa: E731
        return forall(s.Node, s.Kind, bounded) & forall(s.Node, signals)

    @invariant(layer=1)
    def messages_of_one_kind_come_in_the_order_of_sending(s):
        """O-I3, and more: of all senders together."""
        alike = lambda m, n: (s.to[m] == s.to[n]) & (s.kind[m] == s.kind[n]) & (s.ticket[m] < s.ticket[n])  # noqa: E731
        sent = lambda m: s.where[m] != "unsent"  # noqa: E731
        came = lambda n: s.where[n].among("pending", "delivered")  # noqa: E731
        late = lambda m, n: sent(m) & alike(m, n) & came(n)  # noqa: E731
        return forall(s.Message, s.Message, lambda m, n: late(m, n) >> (s.where[m] == "delivered"))

    # -- every step ---------------------------------------------------------------------------------------------------

    @two_state
    def a_message_is_lost_only_with_its_receiver(s, later):
        """O-I6."""
        kept = lambda m: (later.where[m] != "unsent") & ((later.where[m] != "lost") | ~later.alive[s.to[m]])  # noqa: E731
        sent = lambda m: s.where[m].among("queued", "pending")  # noqa: E731
        return forall(s.Message, lambda m: sent(m) >> kept(m))

    @two_state
    def a_delivery_is_final(s, later):
        final = lambda m: s.where[m].among("delivered", "lost")  # noqa: E731
        return forall(s.Message, lambda m: final(m) >> (later.where[m] == s.where[m]))

    @two_state
    def counters_only_grow(s, later):
        grow = lambda i: (s.heard[i] <= later.heard[i]) & (s.sent[i] <= later.sent[i])  # noqa: E731
        return forall(s.Node, grow) & (s.epoch <= later.epoch)

    @two_state(layer=1)
    def a_delivery_overtakes_no_signal_unless_it_was_pending(s, later):
        """O-I2."""
        now = lambda m: (s.where[m] != "delivered") & (later.where[m] == "delivered")  # noqa: E731
        due = lambda m: (s.where[m] == "pending") | (s.heard[s.to[m]] == s.sent[s.to[m]])  # noqa: E731
        return forall(s.Message, lambda m: now(m) >> due(m))

    @two_state(layer=1)
    def while_a_message_is_pending_only_signals_come(s, later):
        pending = lambda m, n: (s.where[m] == "pending") & (s.to[m] == s.to[n]) & (m != n)  # noqa: E731
        stays = lambda n: (s.where[n] == "queued") >> later.where[n].among("queued", "lost")  # noqa: E731
        return forall(s.Message, s.Message, lambda m, n: pending(m, n) >> stays(n))

    # -- progress -----------------------------------------------------------------------------------------------------

    @theorem(Watermark.Message)
    def the_first_in_line_can_go_on(s, m):
        s.require("it is the first in line", s.is_first(m))
        s.require("nothing is pending there", ~s.holds_one(s.to[m]))
        return disj(s.enabled("hear", s.to[m]), s.enabled("take", m), s.enabled("set_aside", m))

    def holds_one(s, i):
        return exists(s.Message, lambda n: (s.to[n] == i) & (s.where[n] == "pending"))

    @theorem(Watermark.Message)
    def what_is_pending_can_go_on(s, m):
        """The signal that it waits for is in the queue, or being broadcast."""
        s.require("it is pending", s.where[m] == "pending")
        i = s.to[m]
        return disj(s.enabled("resume", m), s.enabled("hear", i), s.enabled("reach", i))

    @theorem(Watermark.Message)
    def nobody_who_lives_is_cut_off_from_itself(s, m):
        """O-I7: its own mailboxes do not close before it does."""
        s.require("it is to its own sender", (s.to[m] == s.sender[m]) & ~s.outside[m])
        s.require("that is alive", s.alive[s.sender[m]])
        s.require("the message is new", s.where[m] == "unsent")
        s.require("there is room", (s.kind[m] == "unbounded") | (s.room[s.to[m], s.kind[m]] > 0))
        return s.enabled("send", m)

    @variant
    def what_is_on_its_way(s):
        return [
            (s.Node, lambda i: s.epoch - s.sent[i]),
            (s.Node, lambda i: s.epoch - s.heard[i]),
            (s.Message, lambda m: rank(s.where[m])),
        ]


SPECS = (Delivery,)


def test_the_watermark_and_the_order_are_kept_for_any_number_of_subsystems():
    proved(Delivery)
