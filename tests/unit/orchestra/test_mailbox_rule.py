"""The order in which a mailbox gives out what it holds (O-I1 to O-I4), and what becomes of those who find it full."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.errors import Gone, NoPriority, Stalled, Terminated
from hocket.orchestra.lane import BULK, NOTHING, PRIORITY, SIGNAL, UNBOUNDED, Fate
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.waiters import finish


def mailbox(signals=4, bulk=4, priority=4):
    return Mailbox("r", signals=signals, bulk=bulk, priority=priority)


def drained(box):
    taken = []
    while (item := box.take()) is not NOTHING:
        taken.append(item)
    return taken


def test_or_x2_x3_signals_then_unbounded_then_priority_then_bulk():
    box = mailbox()
    box.put(BULK, (0, "s"), "bulk")
    box.put(PRIORITY, (0, "s"), "priority")
    box.put(UNBOUNDED, (0, "s"), "unbounded")
    box.give("signal", "o")
    assert drained(box) == ["signal", "unbounded", "priority", "bulk"]


def test_or_x1_a_message_waits_for_the_signals_that_its_sender_had_heard_and_everything_waits_behind_it():
    box = mailbox()
    box.put(BULK, (2, "s"), "late")
    box.put(BULK, (0, "s"), "next")
    assert box.take() is NOTHING  # it is pending now
    box.put(UNBOUNDED, (0, "s"), "urgent")
    assert box.take() is NOTHING  # O-B9: what is urgent waits behind what is pending
    box.give(1, "o")
    assert drained(box) == [1]
    box.give(2, "o")
    box.give(3, "o")
    assert drained(box) == [2, "late", 3, "urgent", "next"]  # satisfied, it comes before a further signal


def test_a_message_from_outside_comes_after_every_signal_given_before_it_also_those_in_line():
    box = mailbox(signals=1)
    assert box.give(1, "o") is None
    assert box.give(2, "o") is not None
    box.put(BULK, None, "outside")
    assert drained(box) == [1, 2, "outside"]


def test_recv_signal_counts_and_leaves_messages_where_they_are():
    """O-B4: in the seed it once did not count, and the pending message waited for ever."""
    box = mailbox()
    box.put(BULK, (1, "s"), "m")
    assert box.take() is NOTHING
    box.give(1, "o")
    assert (box.take(signals_only=True), box.heard) == (1, 1)
    assert box.take(signals_only=True) is NOTHING
    assert box.take() == "m"


def test_room_is_handed_over_in_the_order_of_asking():
    async def main():
        box = mailbox(bulk=1)
        box.put(BULK, (0, "s"), 0)
        sends = [asyncio.ensure_future(box.send(BULK, (0, "s"), n)) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        taken = [box.take()]
        assert not box.put(BULK, (0, "s"), 9), "nobody passes those who wait"
        taken += drained(box)
        await asyncio.gather(*sends)
        return taken, box.read([0] * 4).bulk

    taken, meter = asyncio.run(main())
    assert taken == [0, 1, 2, 3]
    assert (meter.sent, meter.received, meter.length, meter.blocked) == (4, 4, 0, 3)


@pytest.mark.parametrize("moment", ["while it waits", "when it was let in"])
def test_a_cancelled_send_was_not_sent_and_is_not_counted(moment):
    """O-B7: in the seed a send that was given up while it waited had been counted."""

    async def main():
        box = mailbox(bulk=1)
        box.put(BULK, (0, "s"), "first")
        send = asyncio.ensure_future(box.send(BULK, (0, "s"), "cancelled"))
        behind = asyncio.ensure_future(box.send(BULK, (0, "s"), "behind"))
        await asyncio.sleep(0)
        taken = [box.take()] if moment == "when it was let in" else []
        send.cancel()
        with pytest.raises(asyncio.CancelledError):
            await send
        while not behind.done():
            taken.append(box.take())
            await asyncio.sleep(0)
        taken += drained(box)
        return taken, box.read([0] * 4).bulk

    taken, meter = asyncio.run(main())
    assert taken == ["first", "behind"]
    assert (meter.sent, meter.received, meter.blocked) == (2, 2, 2)


def test_a_send_without_room_in_time_is_stalled_and_was_not_sent():
    box = mailbox(bulk=1)
    box.put(BULK, (0, "s"), "first")
    with pytest.raises(Stalled, match="'r' took nothing for 0 s: the str was not sent"):
        finish(box.send(BULK, (0, "s"), "second", timeout=0))
    assert drained(box) == ["first"]
    assert box.read([0] * 4).bulk.sent == 1


def test_a_cancelled_receive_took_nothing():
    """O-I4."""

    async def main():
        box = mailbox()
        receive = asyncio.ensure_future(box.receive())
        await asyncio.sleep(0)
        box.give("signal", "o")  # it is woken, and cancelled before it runs
        receive.cancel()
        with pytest.raises(asyncio.CancelledError):
            await receive
        return drained(box), box.heard

    assert asyncio.run(main()) == (["signal"], 1)


def test_one_that_ends_still_gives_out_what_it_holds_and_one_that_is_lost_does_not():
    ending, lost = mailbox(), mailbox(bulk=1)
    for box in (ending, lost):
        box.put(BULK, (0, "s"), "m")
    ending.end()
    assert ending.take() == "m"
    for _ in range(2):
        with pytest.raises(Terminated, match="'r' has received everything"):
            ending.take()
    with pytest.raises(Gone, match="'r' receives no more"):
        ending.put(BULK, (0, "s"), "n")

    async def main():
        send = asyncio.ensure_future(lost.send(BULK, (0, "sender"), "n"))
        await asyncio.sleep(0)
        lost.lose()
        with pytest.raises(Gone):
            await send

    asyncio.run(main())
    assert [(row.message, row.sender) for row in lost.undelivered] == [("m", "s")]


def test_a_pending_message_of_one_that_ends_is_undelivered():
    box = mailbox()
    box.put(BULK, (3, "s"), "early")
    assert box.take() is NOTHING
    box.end()
    with pytest.raises(Terminated):
        box.take()
    box.lose()
    assert [row.message for row in box.undelivered] == ["early"]


def test_priority_for_a_receiver_without_that_queue_is_an_error():
    """The seed's issue #89."""
    box = mailbox(priority=0)
    with pytest.raises(NoPriority, match="declare it with priority=True"):
        box.put(PRIORITY, (0, "s"), "m")
    with pytest.raises(NoPriority):
        finish(box.send(PRIORITY, (0, "s"), "m"))
    assert drained(box) == []


def test_a_signal_in_line_is_lost_only_with_its_receiver():
    box = mailbox(signals=1)
    box.give(1, "o")
    ticket = box.give(2, "o")
    assert ticket.fate is Fate.WAITING
    box.lose()
    assert ticket.fate is Fate.LOST


# -- against the rule itself, written down once more, slowly ----------------------------------------------------------

DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from([UNBOUNDED, PRIORITY, BULK]), st.integers(0, 3)),
        st.just(("signal",)),
        st.just(("take",)),
        st.just(("take signal",)),
    ),
    max_size=40,
)


class Rule:
    """Section 4.2 of the seeds' semantics, with lists."""

    def __init__(self, room):
        self.room, self.heard, self.pending = room, 0, None
        self.lines = {kind: [] for kind in range(4)}

    def put(self, kind, stamp, message):
        if kind is not UNBOUNDED and len(self.lines[kind]) == self.room:
            return False
        self.lines[kind].append((stamp, message))
        return True

    def signal(self):
        self.heard += 1
        return self.lines[SIGNAL].pop(0)[1]

    def take(self, only_signals):
        if not only_signals and self.pending and self.pending[0] <= self.heard:
            (_, message), self.pending = self.pending, None
            return message
        if self.lines[SIGNAL]:
            return self.signal()
        if only_signals or self.pending:
            return NOTHING
        for kind in (UNBOUNDED, PRIORITY, BULK):
            if self.lines[kind]:
                self.pending = self.lines[kind].pop(0)
                return self.take(False) if self.pending[0] <= self.heard else NOTHING
        return NOTHING


@given(DEEDS)
def test_a_mailbox_does_what_the_rule_says(deeds):
    box, rule = mailbox(signals=99, bulk=3, priority=3), Rule(3)
    for number, deed in enumerate(deeds):
        if deed[0] == "put":
            _, kind, stamp = deed
            assert box.put(kind, (stamp, "s"), number) == rule.put(kind, stamp, number)
        elif deed[0] == "signal":
            box.give(-number, "o")
            rule.lines[SIGNAL].append((0, -number))
        else:
            only = deed[0] == "take signal"
            assert box.take(only) == rule.take(only)
        assert box.heard == rule.heard
