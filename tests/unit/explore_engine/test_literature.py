"""Programs of the literature have the classes that brute force finds, and both searches find them."""

from __future__ import annotations

import pytest

from tests.explorer_literature import PROGRAMS, Known
from tests.fuzz_explorer import brute_force, judge_program


@pytest.mark.parametrize("known", PROGRAMS, ids=lambda known: known.name)
def test_a_program_of_the_literature_is_explored_class_by_class(known: Known):
    found = brute_force(known.make(), 1_000)
    assert found is not None
    ends, interleavings = found
    assert (len(ends), interleavings) == (known.classes, known.interleavings)
    judge_program(known.make, ends)
