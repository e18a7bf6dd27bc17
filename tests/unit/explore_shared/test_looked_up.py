"""What nobody reads and C asks for: the mistake is found and its schedule replays, the same under a lock is proved."""

from __future__ import annotations

import functools
import sys
import threading
from pathlib import Path

import pytest

import hocket

sys.path.insert(0, str(Path(__file__).parent))
import looked_up

sys.path.pop(0)

PROGRAMS = {program.__name__: program for program in looked_up.PROGRAMS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_looked_up_is_found_wrong_and_under_a_lock_it_is_proved_in_two_classes(name):
    wrong, right = (functools.partial(PROGRAMS[name], fixed) for fixed in (False, True))
    found = hocket.explore(wrong)
    assert found.verdict == "failed", found
    assert found.failure.kind == "assertion", found
    assert found.failure.replayed
    proved = hocket.explore(right)
    assert (proved.verdict, proved.classes) == ("proved", 2), proved  # who comes first


def test_a_schedule_of_a_method_that_is_replaced_leads_there_again_from_its_text_alone():
    wrong = functools.partial(looked_up.a_method_that_is_replaced, False)
    schedule = str(hocket.explore(wrong).failure.schedule)
    with pytest.raises(AssertionError):
        hocket.replay(wrong, schedule)


class Key:
    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return hash(self.number)

    def __eq__(self, other):
        return self.number == other.number  # of nothing but a Key

    def __repr__(self):
        raise RuntimeError("nobody asked")


def test_keys_of_the_program_are_compared_with_nothing_of_ours_and_not_told():
    def body():
        table = {Key(1): 1}
        threads = [threading.Thread(target=table.get, args=(Key(1),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return table[Key(1)]

    result = hocket.explore(body)
    assert result.verdict != "failed", result


class Swapped:
    def __len__(self):
        return 1


@pytest.mark.parametrize("told", ["attribute '__len__' of Swapped is written", "Swapped.__subclasses__ is called"])
def test_what_operators_or_classes_are_asked_for_unseen_is_named(told):
    def replaced():
        Swapped.__len__ = lambda self: 1

    def asked():
        Swapped.__subclasses__()

    def body():
        threads = [threading.Thread(target=replaced if "__len__" in told else asked) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    before = Swapped.__len__
    result = hocket.explore(body)
    Swapped.__len__ = before
    assert result.verdict == "incomplete"
    assert any(told in finding for finding in result.untracked), result.untracked


class Eager:
    """Whoever looks at its `__dict__` computes all that it has."""

    def __init__(self):
        object.__setattr__(self, "left", ["x"])

    @property
    def __dict__(self):
        self.take()
        return {}

    def take(self):
        if self.left:
            return self.left.pop()
        return None


def test_a_property_named_dict_is_asked_by_nobody_but_the_program():
    def body():
        eager, got = Eager(), []
        threads = [threading.Thread(target=lambda: got.append(eager.take())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert "x" in got  # or both looked, and one found nothing to take

    result = hocket.explore(body)
    assert (result.verdict, result.failure.kind) == ("failed", "exception"), result
    assert "pop from empty list" in result.failure.message
