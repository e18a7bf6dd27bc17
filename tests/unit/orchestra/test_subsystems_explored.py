"""The code that ships, in every interleaving: nothing is lost, nobody sleeps for ever, counters converge.

The mailbox is explored with a thread for each subsystem and one for the orchestra, in the configurations that issue
reports are about; then whole orchestras, on threads and in a loop whose ready callbacks come in any order. Each of the
seed's holes is put back in turn, and must be found (O-B1 to O-B7, O-B11).
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import hocket
from hocket.errors import Gone, Stalled, Terminated
from hocket.orchestra import Orchestra, subsystem
from hocket.orchestra.lane import BULK, NOTHING, PRIORITY, UNBOUNDED, Lane
from hocket.orchestra.mailbox import Mailbox
from hocket.orchestra.waiters import finish, waiter_here
from tests import exhaust_subsystems
from tests.together import together


def small(name, kind=Mailbox, bulk=1, priority=0):
    return kind(name, signals=1, bulk=bulk, priority=priority)


def explored(body, **options):
    return hocket.explore(body, **({"data": "off"} | options))


def proved(body, **options):
    result = explored(body, **options)
    assert result.verdict == "proved", result.failure
    return result.classes, set(result.outcomes)


def give_to_all(boxes, signal):
    """A broadcast as `System.broadcast` makes it."""
    for ticket in [box.give(signal, "orchestra") for box in boxes]:
        if ticket is not None:
            finish(ticket.waiter.wait(None))


def give_in_turn(boxes, signal):
    """As the seed once made it, and still does when it terminates: the next one when this one has it (O-B1)."""
    for box in boxes:
        ticket = box.give(signal, "orchestra")
        if ticket is not None:
            finish(ticket.waiter.wait(None))


# -- one mailbox, several threads -------------------------------------------------------------------------------------


def receiver_of(box, number, got):
    def receive():
        got.extend(finish(box.receive()) for _ in range(number))

    return receive


def priority_and_bulk(kind=Mailbox):
    box, got = small("b", kind, priority=1), []
    together(
        lambda: finish(box.send(BULK, (0, "a"), "bulk")),
        lambda: finish(box.send(PRIORITY, (0, "c"), "urgent")),
        receiver_of(box, 2, got),
    )
    return tuple(got)


def test_a_priority_receiver_misses_nothing():
    assert proved(priority_and_bulk) == (12, {("urgent", "bulk"), ("bulk", "urgent")})


def full_queue(kind=Mailbox):
    box, got = small("b", kind), []

    def twice():
        finish(box.send(BULK, (0, "a"), 1))
        finish(box.send(BULK, (0, "a"), 2))

    together(twice, lambda: finish(box.send(BULK, (0, "c"), 3)), receiver_of(box, 3, got))
    return tuple(got)


def test_senders_that_find_a_queue_full_are_let_in_one_by_one_in_their_order():
    assert proved(full_queue) == (58, {(1, 2, 3), (1, 3, 2), (3, 1, 2)})


def test_a_mailbox_has_no_data_race():
    assert proved(priority_and_bulk, data="race-check", track=["hocket.orchestra.guard"])[0] == 12


def limits_of_time():
    """A send and a receive that wait for a second each; what was sent is received or lies there."""
    box, fates, got = small("b"), [], []
    box.put(BULK, (0, "a"), 1)

    def send():
        try:
            finish(box.send(BULK, (0, "a"), 2, timeout=1))
            fates.append("sent")
        except Stalled:
            fates.append("stalled")

    def receive():
        with suppress(TimeoutError):
            got.extend(finish(box.receive(timeout=1)) for _ in range(2))

    together(send, receive)
    meter = box.read([0] * 4).bulk
    assert meter.sent == (2 if fates == ["sent"] else 1)
    assert got + [2] * meter.length == [1, 2][: meter.sent]
    return fates[0], len(got)


def test_whoever_waits_for_some_time_has_sent_or_not_and_received_or_not():
    """Its time may be over at any moment; nobody holds a lock afterwards."""
    assert proved(limits_of_time) == (8, {("sent", 2), ("sent", 1), ("stalled", 1)})


def broadcast_while_queues_are_full(broadcast):
    """s1 and s2 send to s3, s2 after its first signal; every queue has room for one, and s3's is full at first."""
    s2, s3 = small("s2"), small("s3")
    got = []
    s3.put(BULK, (0, "s1"), "first")

    def second():
        assert finish(s2.receive()) == 1
        finish(s3.send(BULK, (s2.heard, "s2"), "from s2"))

    together(
        lambda: finish(s3.send(BULK, (0, "s1"), "from s1")),
        second,
        receiver_of(s3, 4, got),
        lambda: broadcast([s2, s3], 1),
    )
    return tuple(got), s2.heard, s3.heard


def test_three_subsystems_with_a_broadcast_while_queues_are_full():
    """No message of s2 is delivered before the signal that s2 had heard, and both counters are 1 in the end."""
    classes, outcomes = proved(lambda: broadcast_while_queues_are_full(give_to_all))
    assert classes == 348
    for got, *heard in outcomes:
        assert heard == [1, 1]
        assert sorted(map(str, got)) == ["1", "first", "from s1", "from s2"]
        assert got.index(1) < got.index("from s2")
        assert got.index("first") < got.index("from s1")


# -- whole orchestras -------------------------------------------------------------------------------------------------


class Signal:
    pass


class ToA(int):
    pass


class ToB(int):
    pass


WORDS = {"signal": Signal, "event": str, "error": Exception, "signal_capacity": 1}


class Pair(Orchestra, **WORDS, message_capacity=1):
    a = subsystem(consumes=ToA, sends=ToB)
    b = subsystem(consumes=ToB, sends=ToA)


def word(item):
    return "s" if isinstance(item, Signal) else int(item)


async def built(builder, runtime):
    """The running system; in a loop its subsystems have a turn before the caller goes on."""
    system, _ = builder.build(runtime=runtime)
    if runtime == "threads":
        return system._system
    await asyncio.sleep(0)
    return system


async def messages_both_ways(runtime):
    """Each sends the other a message and receives two things, while a signal is broadcast."""
    heard = {}

    def body(name, message):
        async def start(ctx):
            await ctx.send(message(1))
            heard[name] = (word(await ctx.recv()), word(await ctx.recv()), ctx.signals_heard)

        return start

    system = await built(Pair.builder(a=body("a", ToB), b=body("b", ToA)), runtime)
    ended = await system.terminate(Signal())
    return (*heard["a"], *heard["b"], ended.broadcast.missed)


BOTH = {(*a, 1, *b, 1, ()) for a in (("s", 1), (1, "s")) for b in (("s", 1), (1, "s"))}


def test_two_subsystems_with_a_signal_and_messages_both_ways_on_threads():
    """Whatever comes first at either: each gets both, and both counters are 1."""
    assert proved(lambda: finish(messages_both_ways("threads"))) == (496, BOTH)


def test_two_subsystems_with_a_signal_and_messages_both_ways_in_a_loop():
    """In asyncio's own order there is one way; if callbacks came in any order, there would be the others."""
    async def body():
        return await messages_both_ways("asyncio")

    assert proved(body) == (1, {("s", 1, 1, 1, "s", 1, ())})
    assert proved(body, order="any") == (1351, BOTH)


def test_three_whole_subsystems_on_threads_with_one_preemption():
    """Whole they are 12,672 classes, all proved, by `python -m tests.exhaust_subsystems`; these show each outcome."""
    result = explored(exhaust_subsystems.program(), bound=1)
    assert (result.verdict, result.classes) == ("bounded", 376)
    assert set(result.outcomes) == {
        ("signal", 1, 9),
        ("signal", 9, 1),
        (1, "signal", 9),
        ("signal", 1, 9, "a"),
        (1, "signal", 9, "a"),
    }


class Back(Orchestra, **WORDS, message_capacity=2):
    a = subsystem(sends=ToB)
    b = subsystem(consumes=ToB)


async def shutdown_with_a_backlog(runtime):
    """b ends at the first signal; what a sent was received, is reported with b's end, or was refused to a."""
    received, refused = [], []

    async def a(ctx):
        for number in (1, 2):
            try:
                await ctx.send(ToB(number))
            except Gone as error:
                refused.append(int(error.message))

    async def b(ctx):
        while not isinstance(item := await ctx.recv(), Signal):
            received.append(int(item))

    system = await built(Back.builder(a=a, b=b), runtime)
    await system.broadcast(Signal())
    ends = await system.run(watch=None)
    left = [int(row.message) for end in ends for row in end.undelivered]
    return tuple(received), tuple(left), tuple(refused)


EACH = {((), (1, 2), ()), ((), (1,), (2,)), ((), (), (1, 2)), ((1,), (2,), ()), ((1,), (), (2,)), ((1, 2), (), ())}


def test_a_shutdown_with_a_backlog_loses_nothing_on_threads():
    assert proved(lambda: finish(shutdown_with_a_backlog("threads"))) == (840, EACH)


def test_a_shutdown_with_a_backlog_loses_nothing_in_a_loop():
    async def body():
        return await shutdown_with_a_backlog("asyncio")

    assert proved(body, order="any") == (814, {((1, 2), (), ()), ((), (), (1, 2)), ((), (1, 2), ())})


# -- the seed's holes, put back one by one ----------------------------------------------------------------------------


def failure_of(body, **options):
    result = explored(body, **options)
    assert result.verdict == "failed", result.verdict
    return result.failure.kind


def circular_wait(broadcast):
    """s1 has heard the second signal already, and its message lies at s3; s2 sends before it hears its first."""
    s2, s3 = boxes = [small(name) for name in ("s2", "s3")]
    got = []
    give_to_all(boxes, 1)
    s3.take()
    s3.put(BULK, (2, "s1"), "from s1")

    def second():
        finish(s3.send(BULK, (s2.heard, "s2"), "early"))
        finish(s3.send(BULK, (s2.heard, "s2"), "later"))
        assert [finish(s2.receive()), finish(s2.receive())] == [1, 2]

    together(second, receiver_of(s3, 4, got), lambda: broadcast(boxes, 2))
    return tuple(got)


def test_o_b1_a_broadcast_in_turn_can_wait_in_a_circle_and_one_to_all_cannot():
    """The orchestra waits for s2, s2 for room at s3, and s3 for the signal that it was not given yet."""
    assert failure_of(lambda: circular_wait(give_in_turn)) == "deadlock"
    assert proved(lambda: circular_wait(give_to_all)) == (49, {(2, "from s1", "early", "later")})


def told_until_the_first_is_gone(boxes, signal):
    """As the seed does it: whoever has ended ends the broadcast (O-B2)."""
    for box in boxes:
        try:
            box.give(signal, "orchestra")
        except Gone:
            return


def told_all_the_same(boxes, signal):
    for box in boxes:
        try:
            box.give(signal, "orchestra")
        except Gone:
            continue


def one_has_ended(broadcast):
    s1, s2, s3 = small("s1"), small("s2"), small("s3")
    s2.lose()
    broadcast([s1, s2, s3], 1)
    got = []

    def first():
        finish(s1.receive())
        finish(s3.send(BULK, (s1.heard, "s1"), "m"))

    together(first, lambda: got.append(finish(s3.receive())) or got.append(finish(s3.receive())))
    return tuple(got)


def test_o_b2_a_broadcast_that_stops_at_one_who_has_ended_leaves_the_others_behind_for_ever():
    assert failure_of(lambda: one_has_ended(told_until_the_first_is_gone)) == "deadlock"
    assert proved(lambda: one_has_ended(told_all_the_same)) == (3, {(1, "m")})


def spawn_request(through_the_loop):
    """S wants a job done before it receives again; the main loop is sending it more than its queue holds."""
    box, inbox = small("S"), small("main loop", bulk=9)
    done = threading.Event()

    def main_loop():
        for number in (1, 2):
            finish(box.send(BULK, (0, "main loop"), number))
        if through_the_loop:
            finish(inbox.receive())()

    def subsystem_s():
        if through_the_loop:
            finish(inbox.send(BULK, (0, "S"), done.set))
        else:
            threading.Thread(target=done.set).start()
        done.wait()
        finish(box.receive())
        finish(box.receive())

    together(main_loop, subsystem_s)


def test_o_b3_a_job_that_the_main_loop_must_start_can_wait_for_ever():
    assert failure_of(lambda: spawn_request(True)) == "deadlock"
    assert proved(lambda: spawn_request(False)) == (12, {None})


class Uncounted(Mailbox):
    """O-B4, historic: signals taken by themselves were not counted."""

    def _take(self, signals_only):
        if signals_only and self._signals.queue:
            return self._signals.pop()
        return super()._take(signals_only)


def signal_by_itself(kind):
    box, got = small("r", kind), []

    def receive():
        got.append(finish(box.receive(signals_only=True)))
        got.append(finish(box.receive()))

    together(receive, lambda: box.give("s", "o"), lambda: finish(box.send(BULK, (1, "a"), "m")))
    return tuple(got)


def test_o_b4_a_signal_that_is_not_counted_leaves_its_messages_pending():
    assert failure_of(lambda: signal_by_itself(Uncounted)) == "deadlock"
    assert proved(lambda: signal_by_itself(Mailbox)) == (10, {("s", "m")})


class WokenByBulkOnly(Mailbox):
    """O-B5: it looks at the priority queue once, and then waits for the bulk queue."""

    def _put(self, kind, label, message):
        if kind is not PRIORITY:
            return super()._put(kind, label, message)
        waiting, self._awaiting = self._awaiting, []
        try:
            return super()._put(kind, label, message)
        finally:
            self._awaiting = waiting


class EndsWithPriority(Mailbox):
    """O-B6: the empty and ended priority queue is taken for the end of both."""

    def _take(self, signals_only):
        if self.ending and not self._messages[1].queue:
            raise Terminated(self.receiver)
        return super()._take(signals_only)


def one_urgent_message(kind):
    box, got = kind("b", signals=1, bulk=1, priority=7), []
    together(lambda: finish(box.send(PRIORITY, (0, "a"), "urgent")), receiver_of(box, 1, got))
    return tuple(got)


def ended_with_a_backlog(kind):
    box, got = small("b", kind, priority=1), []

    def send():
        finish(box.send(BULK, (0, "a"), "m"))
        box.end()

    def receive():
        try:
            while True:
                got.append(finish(box.receive()))
        except Terminated:
            pass

    together(send, receive)
    assert got == ["m"], "the backlog was lost"


def test_o_b5_a_receiver_that_is_woken_by_one_of_its_queues_sleeps_for_ever():
    assert failure_of(lambda: one_urgent_message(WokenByBulkOnly)) == "deadlock"
    assert proved(lambda: one_urgent_message(Mailbox)) == (2, {("urgent",)})


def test_o_b6_an_end_that_looks_at_one_queue_loses_the_backlog_of_the_other():
    assert failure_of(lambda: ended_with_a_backlog(EndsWithPriority)) == "assertion"
    assert proved(lambda: ended_with_a_backlog(Mailbox)) == (6, {None})


def cancelled_while_it_waits():
    """A send that waits for room is cancelled at any of its suspensions: what is counted is what is received."""

    async def body():
        box = small("b")
        await box.send(BULK, (0, "a"), 1)

        async def second():
            await box.send(BULK, (0, "a"), 2)

        send = asyncio.ensure_future(second())
        await asyncio.sleep(0)
        got = [box.take()]
        await asyncio.sleep(0)
        outcome = "cancelled" if (await asyncio.gather(send, return_exceptions=True)) != [None] else "sent"
        while (item := box.take()) is not NOTHING:
            got.append(item)
        meter = box.read([0] * 4).bulk
        assert (meter.sent, meter.received, meter.length) == (len(got), len(got), 0)
        assert (outcome == "sent") == (got == [1, 2])
        return outcome

    return explored(body, cancel="second")


def test_o_b7_a_cancelled_send_is_counted_as_it_ended(monkeypatch):
    result = cancelled_while_it_waits()
    assert (result.verdict, dict(result.outcomes)) == ("proved", {"sent": 1, "cancelled": 3})
    honest = Lane.retract

    def leaking(lane, ticket):
        taken_back = honest(lane, ticket)
        lane.sent += 1  # as in the seed: counted before it waited, and never taken back
        return taken_back

    monkeypatch.setattr(Lane, "retract", leaking)
    assert cancelled_while_it_waits().failure.kind == "assertion"


def test_o_b11_each_kind_can_starve_the_next_by_design():
    """Allowed, and said: whoever sends signals without end keeps every message from being received."""
    box = small("b", priority=9)
    box.put(BULK, (0, "a"), "bulk")
    for kind in (PRIORITY, UNBOUNDED):
        for number in range(3):
            box.put(kind, (0, "a"), number)
            assert box.take() == number
    for number in range(3):
        box.give(number, "o")
        assert box.take() == number
    assert box.take() == "bulk"


def test_whoever_waits_makes_a_waiter_of_where_he_runs():
    async def in_a_loop():
        return type(waiter_here()).__name__

    assert (type(waiter_here()).__name__, asyncio.run(in_a_loop())) == ("ThreadWaiter", "LoopWaiter")


def test_a_broadcast_that_is_cancelled_reaches_everybody_all_the_same():
    """Cancelled at any of its suspensions, it leaves nobody behind: what had no room stays in line."""

    async def body():
        system, _ = Pair.builder(a=slow, b=slow).build()

        begun = []

        async def tell():
            begun.append(True)
            await system.broadcast(Signal())

        await system.broadcast(Signal())
        telling = asyncio.ensure_future(tell())
        await asyncio.gather(telling, return_exceptions=True)
        if not begun:  # it was cancelled before its first step
            await system.broadcast(Signal())
        ends = await system.run(watch=None)
        assert [end.error for end in ends] == [None, None]
        return "cancelled" if telling.cancelled() else "done"

    async def slow(ctx):
        await ctx.recv()
        await ctx.recv()
        assert ctx.signals_heard == 2

    result = explored(body, cancel="tell")
    assert (result.verdict, set(result.outcomes)) == ("proved", {"cancelled", "done"})
