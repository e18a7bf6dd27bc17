"""A livelock is claimed only when a state repeats under fair turns; what seems to repeat is named, and incomplete."""

from __future__ import annotations

import itertools
import threading

import pytest

import hocket
from hocket import Atomic
from hocket.errors import ExplorationError
from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, run
from hocket.explore.tally import Limits
from tests.together import together

SHORT = Limits(steps=60)


def spinning(*bodies):
    program = Program()
    x = program.cell(0, "x")
    for body in bodies:
        program.actor(body, x)
    return program


def poll(x):
    while not (yield x.load()):
        pass


def write(x):
    yield x.store(1)


# -- pure models ------------------------------------------------------------------------------------------------------


def test_a_loop_that_nobody_will_end_is_a_livelock_with_its_circle():
    tally = run(spinning(poll), Optimal(), SHORT)
    assert tally.verdict == "failed"
    failure = tally.failures[0]
    assert (failure.kind, failure.message) == ("livelock", "t1: x.load: this repeats for ever")
    # the second load may be another instruction than the first: Python puts the test of a loop before and behind it
    assert str(failure.schedule) in ("hocket1:t1", "hocket1:t1x2")


def test_a_loop_that_another_actor_would_end_is_incomplete_and_named():
    tally = run(spinning(poll, write), Optimal(), SHORT)
    assert (tally.verdict, tally.failures) == ("incomplete", [])
    assert tally.reason == ("an execution reached the limit of 60 steps: perhaps a livelock; what seems to repeat: "
                            "t1: x.load")


def test_a_loop_that_counts_its_rounds_ends_and_is_none():
    def patient(x):
        rounds = 0
        while not (yield x.load()) and rounds < 100:
            rounds += 1

    tally = run(spinning(patient), Optimal(), SHORT)
    assert (tally.verdict, tally.suspect) == ("incomplete", "t1: x.load")


@pytest.mark.parametrize("things", [range(100), [0] * 100, (0,) * 100, "a" * 100, reversed([0] * 100)])
def test_a_for_loop_is_seen_to_go_on_by_its_iterator(things):
    copied = list(things)

    def patient(x):
        for _ in copied:
            yield x.load()

    assert run(spinning(patient), Optimal(), SHORT).verdict == "incomplete"


def test_an_iterator_that_does_not_tell_where_it_is_leaves_it_open():
    def patient(x):
        for _ in map(abs, [0] * 100):
            yield x.load()

    assert run(spinning(patient), Optimal(), SHORT).verdict == "incomplete"


def test_an_operand_that_waits_on_the_stack_is_part_of_the_state():
    def adding(x):
        total = 0
        while total < 100:
            total = total + (yield x.load()) + 1

    assert run(spinning(adding), Optimal(), SHORT).verdict == "incomplete"


def polite(mine, other):
    """Raise the flag; if the other has raised hers, lower it and begin again."""
    while True:
        yield mine.store(True)
        if not (yield other.load()):
            break
        yield mine.store(False)
    yield mine.store(False)


def test_two_actors_who_let_each_other_go_first_do_so_for_ever():
    program = Program()
    a, b = program.cell(False, "a"), program.cell(False, "b")
    program.actor(polite, a, b)
    program.actor(polite, b, a)
    tally = run(program, Optimal(), Limits(steps=40, executions=100))
    assert tally.verdict == "failed"
    failure = tally.failures[0]
    assert failure.kind == "livelock"
    # in step: both raise, both look, both lower
    assert failure.message == (
        "t1: a.store(True), t2: b.store(True), t1: b.load, t2: a.load, t1: a.store(False), t2: b.store(False): "
        "this repeats for ever")
    assert str(failure.schedule) == "hocket1:t1.t2.t1.t2.t1.t2"


def test_a_circle_that_lets_somebody_starve_who_can_go_on_now_and_then_is_no_livelock():
    """t1 takes and gives the lock for ever; t2 would end it, and can go on whenever the lock is free."""
    program = Program()
    lock, over = program.lock("lock"), program.cell(False, "over")

    def holding():
        while not (yield over.load()):
            yield lock.acquire()
            yield lock.release()

    def ending():
        yield lock.acquire()
        yield over.store(True)
        yield lock.release()

    program.actor(holding)
    program.actor(ending)
    tally = run(program, Optimal(), SHORT)
    assert (tally.verdict, tally.failures) == ("incomplete", [])
    assert "lock.acquire" in tally.suspect


# -- real threads -----------------------------------------------------------------------------------------------------


class Flags:
    def __init__(self):
        self.mine, self.yours = Atomic(False), Atomic(False)
        self.rounds = 0


def poll_alone():
    x = Atomic(0)
    while x.load() == 0:
        pass


def polite_threads():
    flags = Flags()

    def go(mine, other):
        mine.store(True)
        while other.load():
            mine.store(False)
            mine.store(True)
        mine.store(False)

    together(lambda: go(flags.mine, flags.yours), lambda: go(flags.yours, flags.mine))


def test_a_thread_that_polls_for_what_nobody_will_store_is_a_livelock_that_replays():
    failure = hocket.explore(poll_alone, steps=100).failure
    assert (failure.kind, failure.replayed, failure.cycle) == ("livelock", True, ("main: x.load",))
    # the first test of the loop, three rounds of its repetition, and one more in which the state closes
    assert len(failure.schedule) <= 5
    with pytest.raises(ExplorationError, match=r"livelock: main: x\.load: this repeats for ever"):
        hocket.replay(poll_alone, str(failure.schedule))


def test_threads_that_let_each_other_go_first_do_so_for_ever():
    failure = hocket.explore(polite_threads, data="off", steps=100).failure
    assert failure.kind == "livelock"
    assert {step.partition(":")[0] for step in failure.cycle} == {"t1", "t2"}
    assert len(failure.cycle) == 6
    with pytest.raises(ExplorationError, match="this repeats for ever"):
        hocket.replay(polite_threads, failure.schedule)


def test_a_thread_that_waits_for_a_lock_does_not_hide_the_one_that_polls():
    def body():
        lock, x = threading.Lock(), Atomic(0)

        def polling():
            with lock:
                while not x.load():
                    pass

        def storing():
            with lock:
                x.store(1)

        together(polling, storing)

    failure = hocket.explore(body, steps=100).failure
    assert (failure.kind, failure.cycle) == ("livelock", ("t1: x.load",))


def test_a_choice_that_is_always_made_in_the_same_way_is_no_livelock():
    def body():
        while hocket.choose(2) == 0:
            pass

    result = hocket.explore(body, steps=50)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 3, {None: 2})


counted = [0]


def counts_in_a_global():
    x = Atomic(0)
    counted[0] = 0
    while not x.load() and counted[0] < 1_000:
        counted[0] += 1


def counts_in_a_local():
    x, rounds = Atomic(0), 0
    while not x.load() and rounds < 1_000:
        rounds += 1


def counts_in_an_attribute():
    flags = Flags()
    while not flags.mine.load() and flags.rounds < 1_000:
        flags.rounds += 1


def counts_in_a_closure():
    x, rounds = Atomic(0), [0]

    def more():
        rounds[0] += 1
        return rounds[0] < 1_000

    while not x.load() and more():
        pass


def counts_by_an_iterator():
    x, numbers = Atomic(0), itertools.count()
    while not x.load() and next(numbers) < 1_000:
        pass


def counts_by_a_loop():
    x = Atomic(0)
    for _ in [0] * 1_000:
        x.load()


def start_again():
    counted[0] = 0


def once_more():
    counted[0] += 1
    return counted[0] < 1_000


def counts_in_a_function_that_it_calls():
    x = Atomic(0)
    start_again()
    while not x.load() and once_more():
        pass


@pytest.mark.parametrize("body", [counts_in_a_global, counts_in_a_local, counts_in_an_attribute, counts_in_a_closure,
                                  counts_by_an_iterator, counts_by_a_loop,
                                  counts_in_a_function_that_it_calls])
def test_a_loop_that_ends_one_day_is_incomplete_with_what_seems_to_repeat_named(body):
    result = hocket.explore(body, data="off", steps=100)
    assert (result.verdict, result.failure) == ("incomplete", None)
    assert result.reason.startswith("an execution reached the limit of 100 steps; what seems to repeat: main: ")
    assert "load; perhaps a loop that polls" in result.reason
    # and with steps enough it comes to its end
    assert hocket.explore(body, data="off", steps=3_000).verdict == "proved"


def test_a_loop_that_waits_by_the_clock_ends_one_day():
    import time

    def body():
        x, end = Atomic(0), time.monotonic() + 100
        while not x.load() and time.monotonic() < end:
            time.sleep(1)

    assert hocket.explore(body, data="off", steps=50).verdict == "incomplete"
    assert hocket.explore(body, data="off").verdict == "proved"


def test_a_replay_that_does_not_end_says_so():
    with pytest.raises(ExplorationError, match="no end after 20,000 steps"):
        hocket.replay(counts_for_long, "hocket1:main")


def counts_for_long():
    x = Atomic(0)
    for _ in range(30_000):
        x.load()


# -- samples ----------------------------------------------------------------------------------------------------------


def test_what_cuts_a_sample_short_is_told_besides():
    def body():
        x = Atomic(0)
        poller = threading.Thread(target=lambda: [x.load() for _ in range(300)])
        poller.start()
        x.store(1)

    result = hocket.explore(body, data="off", strategy="random", seed=1, steps=100)
    assert result.verdict == "incomplete"
    assert "sampled: 0 executions" in result.reason
    assert "the limit of 100 steps" in result.reason
