"""Metered channels and answers by themselves (OR-M1 to OR-M12)."""

from __future__ import annotations

import asyncio
import logging
from queue import Empty

import pytest

from hocket.errors import Canceled, Full, Gone, HardTimeout, NoPriority, Refused, Terminated
from hocket.orchestra.channels import channel, channel_with_priority, unbounded
from hocket.orchestra.oneshot import oneshot


def counts(readout):
    return readout.sent, readout.received


@pytest.mark.parametrize("make", [lambda: channel(5, every=2), lambda: unbounded(every=2)], ids=["OR-M1", "OR-M2"])
def test_or_m1_m2_counts_are_exact_and_every_second_flight_is_measured(make):
    sender, receiver = make()
    meter = receiver.meter()
    seen = [counts(meter.read())]
    sender.try_send("a")
    seen.append(counts(meter.read()))
    for letter in "bcd":
        sender.try_send(letter)
    seen.append(counts(meter.read()))
    assert receiver.try_next() == "a"
    read = meter.read()
    assert (counts(read), len(read.flights)) == ((4, 1), 1)
    assert [receiver.try_next(), receiver.try_next()] == ["b", "c"]
    read = meter.read()
    assert (counts(read), read.length, len(read.flights)) == ((4, 3), 1, 1)
    assert receiver.try_next() == "d"
    read = meter.read()
    assert (counts(read), len(read.flights)) == ((4, 4), 0)
    assert seen == [(0, 0), (1, 0), (4, 0)]
    with pytest.raises(Empty):
        receiver.try_next()


def test_two_readers_see_the_same_flights():
    """O-B7: in the seed reading took them away."""
    sender, receiver = channel(5, every=1)
    one, two = receiver.meter(), receiver.meter()
    sender.try_send("a")
    receiver.try_next()
    assert one.read().flights == two.read().flights != ()
    assert one.read().flights == two.read().flights == ()


def test_a_hundred_flights_are_kept():
    sender, receiver = channel(5, every=1)
    meter = receiver.meter()
    for number in range(250):
        sender.try_send(number)
        receiver.try_next()
    assert len(meter.read().flights) == 100


def test_or_m3_producer_and_consumer_with_an_answer(runtime):
    sender, receiver = channel(5)
    answer, question = oneshot("all sent")
    seen = []

    async def main():
        meter = receiver.meter()
        for number in range(4):
            await sender.send(number)
        answer.send("done")
        assert await question.receive() == "done"
        for _ in range(4):
            await receiver.recv()
            seen.append(counts(meter.read()))

    runtime.run(main())
    assert seen == [(4, 1), (4, 2), (4, 3), (4, 4)]


def test_or_m4_blocked_senders_go_on_in_order():
    from tests.unit.orchestra.conftest import jump

    sender, receiver = channel(5)

    async def main():
        async def produce():
            for number in range(15):
                await asyncio.sleep(0.020)
                await sender.send(number)
            sender.close()

        async def consume():
            got = []
            while True:
                await asyncio.sleep(0.029)
                try:
                    got.append(await receiver.recv())
                except Terminated:
                    return got

        _, got = await asyncio.gather(produce(), consume())
        return got, receiver.meter().read()

    got, read = jump(main())
    assert got == list(range(15))
    assert (read.sent, read.received, read.length) == (15, 15, 0)


def test_or_m5_a_send_that_fails_is_not_counted(runtime):
    async def main():
        for make in (lambda: channel(5), unbounded):
            sender, receiver = make()
            receiver.close()
            with pytest.raises(Gone):
                await sender.send(1)
            with pytest.raises(Gone):
                sender.try_send(1)
            assert counts(receiver.meter().read()) == (0, 0)

    runtime.run(main())


def test_or_m4_whoever_finds_it_full_goes_on_in_order_on_both(runtime):
    sender, receiver = channel(5)
    got = []

    async def produce():
        for number in range(15):
            await sender.send(number)
        sender.close()

    async def main():
        produced = runtime.beside(produce)
        await runtime.until(lambda: receiver.meter().read().blocked == 1)
        got.extend([await receiver.recv() for _ in range(15)])
        await produced()
        with pytest.raises(Terminated):
            await receiver.recv()

    runtime.run(main())
    read = receiver.meter().read()
    assert (got, read.sent, read.received) == (list(range(15)), 15, 15)


def test_or_m6_a_blocked_send_is_metered(runtime):
    sender, receiver = channel(2)

    async def main():
        with pytest.raises(NoPriority):  # in the seed it went among the others (#89)
            await sender.send("urgent", priority=True)
        await sender.send(1)
        await sender.send(2)
        third = runtime.beside(lambda: sender.send(3))
        await runtime.until(lambda: receiver.meter().read().blocked == 1)
        assert await receiver.recv() == 1
        await third()
        read = receiver.meter().read()
        assert (read.sent, read.received, read.blocked) == (3, 1, 1)
        assert [await receiver.recv(), await receiver.recv()] == [2, 3]
        read = receiver.meter().read()
        assert (read.sent, read.received, read.blocked) == (3, 3, 1)

    runtime.run(main())


def test_or_m7_priority_is_received_first_and_has_room_of_its_own():
    sender, receiver = channel_with_priority(4, 2)
    for number in range(4):
        sender.try_send(number)
    with pytest.raises(Full):
        sender.try_send(4)
    sender.try_send("urgent", priority=True)
    assert receiver.meter().read().sent == 5
    assert [receiver.try_next() for _ in range(5)] == ["urgent", 0, 1, 2, 3]
    with pytest.raises(Empty):
        receiver.try_next()


def test_or_m8_empty_is_not_ended():
    for others in (True, False):
        sender, receiver = channel(2)
        other = sender.clone()
        sender.try_send(1)
        other.try_send(2)
        sender.close()
        if not others:
            other.close()
            other.close()  # closing again is nothing
        assert [receiver.try_next(), receiver.try_next()] == [1, 2]
        with pytest.raises(Empty if others else Terminated):
            receiver.try_next()


def test_a_channel_ends_when_both_its_queues_are_empty(runtime):
    """O-B6: in the seed the empty priority queue ended it, and the backlog was lost."""

    async def main():
        sender, receiver = channel_with_priority(4, 4)
        with sender:
            sender.try_send("bulk")
        assert await receiver.recv() == "bulk"
        with pytest.raises(Terminated):
            await receiver.recv()

    runtime.run(main())


def test_what_is_left_when_the_receiver_closes_is_given_back():
    sender, receiver = channel(4)
    sender.try_send("left")
    assert [row.message for row in receiver.close()] == ["left"]


# -- answers ----------------------------------------------------------------------------------------------------------


def answered(deed, at):
    """What comes of waiting for an answer with limits of 1 and 3 seconds, if `deed` is done `at` so many seconds."""
    from tests.unit.orchestra.conftest import jump

    async def main():
        answer, question = oneshot("height", soft=1, hard=3)

        async def later():
            await asyncio.sleep(at)
            deed(answer)

        task = asyncio.ensure_future(later())
        await asyncio.sleep(0)
        try:
            return await question.receive()
        finally:
            await task

    return jump(main())


def test_or_m9_an_answer_at_once(caplog):
    assert answered(lambda answer: answer.send(7), 0) == 7
    assert caplog.records == []


def test_or_m10_an_answer_that_nobody_can_give():
    with pytest.raises(Canceled, match="'height' will never be answered"):
        answered(lambda answer: answer.close(), 2)


def test_or_m11_the_hard_limit():
    with pytest.raises(HardTimeout, match="'height' was not answered within 3 s"):
        answered(lambda answer: answer.send(7), 4)


def test_or_m12_the_soft_limit_is_said_once_and_the_answer_is_taken(caplog):
    with caplog.at_level(logging.WARNING, "hocket.orchestra"):
        assert answered(lambda answer: answer.send(7), 2) == 7
    assert [record.getMessage() for record in caplog.records] == ["'height' has not been answered for 1 s"]


@pytest.mark.parametrize(
    ("deed", "outcome"),
    [(lambda answer: answer.send(7), 7), (lambda answer: answer.close(), Canceled)],
    ids=["OR-M9", "OR-M10"],
)
def test_or_m9_m10_an_answer_from_elsewhere_or_none(runtime, deed, outcome):
    answer, question = oneshot("height", soft=50, hard=60)

    async def elsewhere():
        deed(answer)

    async def main():
        done = runtime.beside(elsewhere)
        try:
            return await question.receive()
        except Canceled:
            return Canceled
        finally:
            await done()

    assert runtime.run(main()) == outcome


class AnswersWhenWarned(logging.Handler):
    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def emit(self, record):
        self.answer.send(record.getMessage())


def test_or_m11_m12_the_limits_on_both(runtime):
    """The answer of the second comes when the soft limit is said, however long that takes."""
    early, never = oneshot("never", soft=0.001, hard=0.002)
    answer, question = oneshot("late", soft=0.001, hard=60)
    log, handler = logging.getLogger("hocket.orchestra"), AnswersWhenWarned(answer)

    async def main():
        with pytest.raises(HardTimeout, match=r"'never' was not answered within 0\.002 s"):
            await never.receive()
        log.addHandler(handler)
        try:
            return await question.receive()
        finally:
            log.removeHandler(handler)

    assert runtime.run(main()) == "'late' has not been answered for 0.001 s"
    early.close()


def test_an_answer_that_is_there_is_taken_even_if_the_time_is_over(runtime):
    async def main():
        answer, question = oneshot("late", hard=0)
        answer.send(1)
        assert await question.receive() == 1
        assert question.flight >= 0

    runtime.run(main())


def test_one_question_has_one_answer_and_dropping_it_is_an_answer_too(runtime):
    async def main():
        answer, question = oneshot("one")
        answer.send(1)
        with pytest.raises(Refused, match="answered already"):
            answer.send(2)
        answer, question = oneshot("dropped")
        del answer
        with pytest.raises(Canceled):
            await question.receive()

    runtime.run(main())
