"""A schedule prints in one line, parses back to itself, and says what is wrong with one that does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hocket.errors import ScheduleError
from hocket.trace.schedule import Schedule, Step, child_name

_ACTORS = st.sampled_from(["main", "t1", "t2", "t10", "t1_2", "t3_1_4"])
_STEPS = st.builds(Step, _ACTORS, st.integers(0, 3))
_SCHEDULES = st.lists(_STEPS, max_size=30).map(lambda steps: Schedule(tuple(steps)))


def test_a_schedule_prints_runs_of_steps_and_alternatives():
    steps = (Step("main"), Step("t1"), Step("t1"), Step("t2", 1), Step("main"))
    assert str(Schedule(steps)) == "hocket1:main.t1x2.t2/1.main"


@given(_SCHEDULES)
def test_a_printed_schedule_parses_to_itself(schedule: Schedule):
    assert Schedule.parse(str(schedule)).steps == schedule.steps
    assert str(Schedule.parse(f"  {schedule}\n")) == str(schedule)


def test_equal_steps_with_different_alternatives_are_not_one_run():
    schedule = Schedule((Step("t1"), Step("t1", 1), Step("t1", 1)))
    assert str(schedule) == "hocket1:t1.t1x2/1"
    assert Schedule.parse(str(schedule)) == schedule


def test_children_are_named_after_who_created_them():
    assert child_name("main", 2) == "t2"
    assert child_name("t2", 1) == "t2_1"


def test_switches_are_counted_between_different_actors():
    assert Schedule.parse("hocket1:main.t1x3.t2.t1").switches == 3


@pytest.mark.parametrize(("text", "says"), [
    ("main.t1", "starts with hocket1:"),
    ("hocket9:main", "notation 9"),
    ("hocket1:main.u1", "part 2 of the schedule is 'u1'"),
    ("hocket1:main..t1", "part 2 of the schedule is ''"),
    ("hocket1:t0", "part 1"),
    ("hocket1:main.t1x0", "part 2"),
    ("hocket1:t1x99999999999", "longer than"),
    ("", "starts with"),
])
def test_a_schedule_that_cannot_be_read_says_where_and_why(text: str, says: str):
    with pytest.raises(ScheduleError, match=says) as caught:
        Schedule.parse(text)
    assert caught.value.text == text
