"""The benchmarks of the explorer measure what they say: every program has the classes that its row claims."""

from __future__ import annotations

import pytest

from tests.benchmarks.explorer.bench_threads import PROGRAMS, hocket, hocket_off


@pytest.mark.parametrize("name", sorted(PROGRAMS))
@pytest.mark.parametrize("contender", [hocket, hocket_off])
def test_a_program_is_proved_with_one_execution_for_each_class(name, contender):
    shared, works, classes = PROGRAMS[name]
    assert contender(shared, works) == (classes, True)
