"""A livelock is claimed only when a state repeats under fair turns; what only seems to repeat is named, and incomplete."""

from __future__ import annotations

import random
import threading

import pytest

import hocket
from hocket import Atomic
from hocket.errors import ExplorationError
from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, run
from hocket.explore.tally import Limits

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
