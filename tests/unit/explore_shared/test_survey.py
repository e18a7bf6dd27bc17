"""What is remembered of the functions that there are is all of them: held against looking at everything."""

from __future__ import annotations

import gc
import sys
import weakref

import pytest

from hocket.explore.shared.survey import Survey, functions_in

pytestmark = pytest.mark.skipif(sys.version_info >= (3, 14), reason="nothing is remembered where nothing has an age")


def any_(function):
    return True


class Asked:
    """A survey, and how often it had to look at everything."""

    def __init__(self) -> None:
        self.survey, self.looks = Survey(), 0

    def all(self):
        self.looks += 1
        return functions_in(gc.get_objects())

    def knows(self, *functions):
        return {id(each) for each in functions} <= {id(each) for each in self.survey.functions((), self.all, any_)}


@pytest.fixture
def asked():
    """With no collection but those that a test makes."""
    gc.disable()
    yield Asked()
    gc.enable()


def made():
    return lambda: None


def test_what_was_made_later_is_found_among_the_young(asked):
    first = made()
    assert asked.knows(first, made)
    later = made()
    assert asked.knows(first, later)
    gc.collect(0)  # it is older now, and not yet old
    assert asked.knows(first, later)
    assert asked.looks == 1


@pytest.mark.parametrize("age", [lambda: gc.collect(1), gc.collect, lambda: (gc.freeze(), gc.unfreeze())])
def test_after_the_young_have_become_old_everything_is_looked_at(asked, age):
    assert asked.knows(made)
    later = made()
    age()
    assert asked.knows(later)
    assert asked.looks == 2


def test_what_was_made_before_while_and_after_things_are_frozen_is_found(asked):
    assert asked.knows(made)
    before = made()
    asked.survey.freeze()
    while_frozen = made()
    gc.collect(1)  # as an exploration does when there is much to collect
    asked.survey.thaw()
    after = made()
    assert asked.knows(made, before, while_frozen, after)
    assert asked.looks == 1


def test_what_was_frozen_by_somebody_else_is_looked_for_again(asked):
    assert asked.knows(made)
    later = made()
    gc.freeze()
    asked.survey.freeze()
    asked.survey.thaw()
    assert asked.knows(later)
    assert asked.looks == 2


def test_another_question_is_another_look_and_nothing_is_kept_alive(asked):
    short = made()
    gone = weakref.ref(short)
    assert asked.knows(short)
    del short
    assert gone() is None
    asked.survey.functions((pytest,), asked.all, any_)
    assert asked.looks == 2


def test_questions_asked_in_turns_are_looked_at_once_each_and_all_are_told_of_what_is_new(asked):
    home = {}
    ours, theirs = made(), eval("lambda: None", home)

    def found():
        everything = asked.survey.functions((), asked.all, any_)
        of_theirs = asked.survey.functions((pytest,), asked.all, lambda function: function.__globals__ is home)
        return [{id(each) for each in some} for some in (everything, of_theirs)]

    first, second = found()
    assert {id(ours), id(theirs)} <= first
    assert second == {id(theirs)}
    asked.survey.freeze()
    later, their_later = made(), eval("lambda: None", home)
    asked.survey.thaw()
    first, second = found()
    assert {id(ours), id(theirs), id(later), id(their_later)} <= first
    assert second == {id(theirs), id(their_later)}
    assert asked.looks == 2
