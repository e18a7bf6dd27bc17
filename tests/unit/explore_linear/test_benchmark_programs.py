"""The benchmarks of the explorer measure what they say: every program has the classes that its row claims."""

from __future__ import annotations

import pytest

from tests.benchmarks.explorer.bench_threads import PROGRAMS, hocket, hocket_off

SEEN_BY = {hocket: sorted(PROGRAMS), hocket_off: sorted(name for name in PROGRAMS if PROGRAMS[name][0] != "plain")}


@pytest.mark.parametrize(("contender", "name"), [(each, name) for each, names in SEEN_BY.items() for name in names])
def test_a_program_is_proved_with_one_execution_for_each_class(name, contender):
    shared, works, classes = PROGRAMS[name]
    assert contender(shared, works) == (classes, True)


def test_without_a_look_at_data_a_plain_attribute_is_nobodys_business():
    shared, works, _ = PROGRAMS["plain 2"]
    assert hocket_off(shared, works) == (1, True)
