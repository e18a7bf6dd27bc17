"""What actors draw is the same in every execution and process, whoever draws first; outside nothing has changed."""

from __future__ import annotations

import os
import random
import secrets
import subprocess
import sys
import threading
import uuid
from random import randint as imported

import pytest

import hocket
from hocket import Atomic

DRAWS = {
    "random": lambda: random.random(),
    "an imported name": lambda: imported(0, 10**9),
    "shuffle": lambda: (cards := list(range(20)), random.shuffle(cards)) and tuple(cards),
    "bytes of the system": lambda: os.urandom(8),
    "secrets": lambda: secrets.token_hex(8),
    "a generator without a seed": lambda: random.Random().random(),
    "a generator of the system": lambda: random.SystemRandom().random(),
    "uuid4": lambda: uuid.uuid4(),
    "uuid1": lambda: uuid.uuid1(),
    "uuid1 of a node": lambda: uuid.uuid1(1, clock_seq=2),
    "seeded anew": lambda: (random.seed(), random.random())[1],
}


def drawing(draw):
    """Main and two threads draw twice each; the order of the threads' draws is open."""
    told = {}

    def body():
        order = Atomic(0)
        told.clear()

        def work(name):
            told[name] = draw()
            order.add(1)
            told[name] = told[name], draw()

        threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return draw(), told["a"], told["b"]

    return body


@pytest.mark.parametrize("name", DRAWS)
def test_each_actor_draws_the_same_in_every_class(name):
    result = hocket.explore(drawing(DRAWS[name]), data="off")
    assert (result.verdict, result.classes, len(result.outcomes)) == ("proved", 2, 1)  # two adds, either first
    assert hocket.explore(drawing(DRAWS[name]), data="off").outcomes == result.outcomes
    if name != "seeded anew":  # which begins its actor's own stream again
        ((mine, (a, later), b),) = result.outcomes
        assert len({mine, a, later, *b}) == 5


def test_another_process_draws_the_same():
    here = hocket.explore(drawing(DRAWS["uuid4"]), data="off").outcomes
    program = ("import sys; sys.path.insert(0, sys.argv[1]); import test_chance_is_repeatable as t, hocket; "
               "print(hocket.explore(t.drawing(t.DRAWS['uuid4']), data='off').outcomes)")
    there = subprocess.run([sys.executable, "-c", program, os.path.dirname(__file__)], capture_output=True, text=True)
    assert there.stdout.strip() == str(here), there.stderr


def test_the_callers_own_stream_is_neither_read_nor_moved():
    random.seed(7)
    expected = [random.random() for _ in range(2)]
    random.seed(7)
    first = random.random()
    hocket.explore(drawing(DRAWS["random"]), data="off")
    assert [first, random.random()] == expected
    assert random.random.__self__ is random._inst
    assert random.Random.seed.__module__ == "random"


def test_a_mistake_that_one_draw_hides_is_not_found_by_drawing_and_is_by_choosing():
    """Chance is one sequence; `choose` is every value."""

    def by_chance():
        assert random.randrange(10**9) != 3

    def by_choice():
        assert hocket.choose(5) != 3

    assert hocket.explore(by_chance).verdict == "proved"
    assert hocket.explore(by_choice).failure.kind == "assertion"


def test_a_seed_that_the_program_sets_is_kept():
    def body():
        random.seed(5)
        return random.random(), random.Random(6).random()

    expected = random.Random(5).random(), random.Random(6).random()
    assert hocket.explore(body).outcomes == {expected: 1}


def test_an_identifier_has_what_it_is_given():
    def body():
        whole, half, other = uuid.uuid1(0, 0x3FFF), uuid.uuid1(clock_seq=9), uuid.uuid1(node=5)
        assert (whole.node, whole.clock_seq, half.clock_seq, other.node) == (0, 0x3FFF, 9, 5)
        assert len({whole, half, other, uuid.uuid1(0, 0x3FFF)}) == 4
        assert {(each.version, each.variant) for each in (whole, half, other)} == {(1, uuid.RFC_4122)}

    assert hocket.explore(body).verdict == "proved"
