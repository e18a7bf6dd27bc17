"""What people are told about a task: in every phase, with what it waits for and what it was lost to."""

from __future__ import annotations

import pytest

from hocket.kernel import Edge, Policy, Stimulus
from tests.unit.kernel.test_kernel import AFTER, HOLD, INSIDE, Play


def _story(play: Play, name: str) -> str:
    return play.kernel.story(play.node[name])


def test_each_phase_has_its_words():
    play = Play("abc").link(AFTER, "a", "b").link(HOLD, "c", "a")
    told = [_story(play, "a")]
    for step in (
        lambda: play.arm("a"),
        lambda: play.tell(Stimulus.STARTED, "a"),
        lambda: play.tell(Stimulus.RETURNED, "a"),
    ):
        step()
        told.append(_story(play, "a"))
    play.arm("bc")
    told.append(_story(play, "b"))
    play.do("c")
    told.append(_story(play, "a"))
    waits = "it waits for c (hold), which"
    assert told == [
        f"a is being built: nobody has armed it; {waits} is being built: nobody has armed it",
        f"a is ready: no executor has taken it; {waits} is being built: nobody has armed it",
        f"a is running; {waits} is being built: nobody has armed it",
        f"a has run, and is held open by its children; {waits} is being built: nobody has armed it",
        "b is waiting; it waits for a (after), which has run, and is held open by its children",
        "a finished",
    ]


def test_a_task_inside_another_waits_for_it_to_open():
    play = Play("pc").link(INSIDE, "p", "c")
    play.arm("c")
    assert _story(play, "c") == "c is waiting; it waits for p (inside), which is being built: nobody has armed it"


def test_a_loss_names_its_cause():
    play = Play("ab").link(AFTER, "a", "b")
    play.arm("ab")
    play.fail("a")
    assert [_story(play, name) for name in "ab"] == ["a failed", "b was skipped; because a was lost (failed)"]


def test_a_chain_of_losses_names_up_to_three_and_else_the_nearest_and_the_first():
    play = Play("abcdef")
    for one, other in zip("abcde", "bcdef", strict=True):
        play.link(AFTER, one, other)
    play.arm("abcdef")
    play.fail("a")
    assert _story(play, "d").split("; ")[1:] == [
        "because c was lost (skipped)",
        "because b was lost (skipped)",
        "because a was lost (failed)",
    ]
    assert _story(play, "f").split("; ")[1:] == ["because e was lost (skipped)", "because a was lost (failed)"]


def test_a_parent_names_the_child_that_it_lost():
    play = Play("pc").link(HOLD, "c", "p")
    play.arm("pc")
    play.do("p")
    play.fail("c")
    assert _story(play, "p") == "p failed; because c was lost (failed)"


def test_what_a_stop_cancelled_names_who_stopped_it():
    play = Play("ab", Policy.FAIL_FAST)
    play.arm("ab")
    play.fail("a")
    assert _story(play, "b") == "b was cancelled; because a was lost (failed)"


def test_a_cancelled_task_was_cancelled_by_nobody_in_particular():
    play = Play("a")
    play.tell(Stimulus.CANCELLED, "a")
    assert _story(play, "a") == "a was cancelled"


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("start", 5, "counts 5 waits; there are 1"),
        ("children", 2, "counts 2 children; there are 0"),
        ("bodies", 1, "has 1 bodies at work"),
        ("opened", True, "still keeps"),
    ],
)
def test_check_sees_each_counter_that_is_wrong(field, value, says):
    play = Play("ab").link(Edge.INSIDE, "a", "b")
    setattr(play.node["a"], field, value)
    with pytest.raises(AssertionError, match=says):
        play.kernel.check()


def test_check_sees_a_row_that_was_not_applied():
    play = Play("ab").link(AFTER, "a", "b")
    play.arm("b")
    play.node["a"].after = None
    play.node["b"].start = 0
    with pytest.raises(AssertionError, match="has a row that applies"):
        play.kernel.check()
