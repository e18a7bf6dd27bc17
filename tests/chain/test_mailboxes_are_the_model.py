"""The mailbox that ships does what `models/channel.py` says: every state of the model, every step that it allows.

A step is done on real mailboxes, one for each end, by replaying the run that leads to its state. What the receiver may
do is determined in every state, so `take` must do just that, and nothing where the model allows nothing.
"""

from __future__ import annotations

from collections import deque
from functools import cache

import pytest

from hocket.orchestra.lane import BULK, NOTHING, PRIORITY, UNBOUNDED
from hocket.orchestra.mailbox import Mailbox
from hocket.spec import Spec
from models.channel import Channel

LANES = {"unbounded": UNBOUNDED, "priority": PRIORITY, "bulk": BULK}
RECEIVING = ("take_signal", "deliver_held", "take")


class Real:
    """Both ends, as mailboxes with the model's rooms; messages and signals are numbered as the model numbers them."""

    def __init__(self, kind: type[Mailbox] = Mailbox) -> None:
        self.sender, self.receiver = (kind(name, signals=9, bulk=2, priority=2) for name in ("sender", "receiver"))
        self.sent = 0

    def do(self, event):
        """Perform a step; what the receiver got, if it is one of its own."""
        name, *bound = event
        if name == "signal":
            end = self.sender if bound[0] == "sender" else self.receiver
            end.give("signal", "orchestra")
        elif name == "sender_takes_signal":
            assert self.sender.take() == "signal"
        elif name == "send":
            self.sent += 1
            assert self.receiver.put(LANES[bound[0]], (self.sender.heard, "sender"), self.sent), "the model has room"
        else:
            return self.receiver.take()
        return None


def expected(event, before, after):
    """What the model's receiver gets by a step: a signal, a message's number, or nothing if it holds it back."""
    if event[0] == "take_signal":
        return "signal"
    if after["delivered"] == before["delivered"]:
        return NOTHING
    return before["held"] if event[0] == "deliver_held" else before["message"][(event[1], "first")]


def compare(model: type[Spec] = Channel, kind: type[Mailbox] = Mailbox) -> tuple[int, int]:
    """Go through all states, shortest run first; the numbers of states and of steps that were compared."""
    machine = model.machine()
    decoded = cache(lambda state: machine.decode(state, b""))
    [start] = machine.initial()
    runs, waiting, steps = {start: ()}, deque([start]), 0
    while waiting:
        state = waiting.popleft()
        following = machine.successors(state)
        own = [row for row in following if row[0][0] in RECEIVING]
        assert len(own) <= 1, f"the receiver has a choice: {own}"
        if not own:
            taken = replayed(runs[state], kind).receiver.take()
            assert taken is NOTHING, f"{taken!r} after {runs[state]}, where the model allows nothing"
        for event, after in following:
            real = replayed(runs[state], kind)
            got = real.do(event)
            if event[0] in RECEIVING:
                wanted = expected(event, decoded(state), decoded(after))
                assert got is wanted or got == wanted, f"after {runs[state]}: {got!r} and not {wanted!r}"
            steps += 1
            if after not in runs:
                runs[after] = (*runs[state], event)
                waiting.append(after)
    return len(runs), steps


def replayed(run, kind):
    real = Real(kind)
    for event in run:
        real.do(event)
    return real


def test_a_mailbox_takes_what_the_model_says_in_every_state():
    assert compare() == (14968, 36672)


class BulkFirst(Mailbox):
    """A planted fault: bulk messages before urgent ones."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._messages.reverse()


class NothingHeldBack(Mailbox):
    """A planted fault: messages are delivered whatever their sender had heard."""

    def put(self, kind, label, message):
        return super().put(kind, (0, label[1]), message)


class LastIn(Mailbox):
    """A planted fault: the last message of a kind comes first."""

    def put(self, kind, label, message):
        accepted = super().put(kind, label, message)
        self._lanes[kind].queue.rotate(1)
        return accepted


class MessagesFirst(Mailbox):
    """A planted fault: signals wait for messages."""

    def _take(self, signals_only):
        signals, self._signals.queue = self._signals.queue, deque()
        try:
            taken = super()._take(signals_only)
        finally:
            self._signals.queue = signals
        return super()._take(signals_only) if taken is NOTHING else taken


class Uncounting(Mailbox):
    """A planted fault: every second signal is not counted."""

    def _take(self, signals_only):
        taken = super()._take(signals_only)
        if taken == "signal" and self.heard == 2:
            self.heard = 1
        return taken


class SmallRoom(Mailbox):
    """A planted fault: room for one where there should be room for two."""

    def __init__(self, *args, **options):
        super().__init__(*args, **(options | {"bulk": 1}))


@pytest.mark.parametrize("plant", [BulkFirst, NothingHeldBack, LastIn, MessagesFirst, SmallRoom, Uncounting])
def test_a_planted_fault_is_refused(plant):
    with pytest.raises(AssertionError):
        compare(kind=plant)
