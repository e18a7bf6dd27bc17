"""What is said of a failing schedule that was not made smaller, because time was up."""

import pytest

from hocket.explore.failing.minimise import _switches
from hocket.trace.schedule import Schedule

COUNTED = {"hocket1:mainx2.t1x3.main#000000": 1, "hocket1:mainx2.t1x3.t2x2#000000": 0,
           "hocket1:mainx2.t1x3.t2.t1.t2#000000": 2}


@pytest.mark.parametrize(("text", "count"), COUNTED.items())
def test_a_switch_counts_if_the_last_one_goes_on_later(text, count):
    assert _switches(Schedule.parse(text)) == count
