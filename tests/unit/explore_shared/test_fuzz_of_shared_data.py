"""A slice of the fuzz on shared data: `python -m tests.fuzz_shared 10000` is the rest."""

from __future__ import annotations

import pytest

from tests.fuzz_shared import check, programs


@pytest.mark.parametrize("seed", range(2))
def test_random_programs_come_to_what_an_interpreter_of_their_steps_says(seed: int) -> None:
    for program in programs(12, 1_000 + seed):
        check(program)
