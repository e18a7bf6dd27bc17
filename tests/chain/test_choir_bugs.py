"""Each of Choir's bugs is found where it was made, and our scheduler is clean where it happened, exhaustively."""

from __future__ import annotations

import pytest

from tests.chain.choir_bugs import BUGS, explored
from tests.unit.models.test_broken_models import ROWS

FILES = {row["file"] for row in ROWS}


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_our_scheduler_holds_where_choir_failed(bug):
    result = explored(bug.ours)
    assert result.verdict == "proved", str(result.failure)
    assert (result.executions, result.classes) == (bug.interleavings, bug.interleavings)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if callable(bug.found_in)], ids=str)
def test_a_program_with_the_same_mistake_is_found_broken(bug):
    found = explored(bug.found_in)
    assert (found.verdict, found.failure.kind) == ("failed", bug.kind)


def test_the_others_are_models_that_search_finds_broken_and_no_bug_is_left_out():
    assert {bug.found_in for bug in BUGS if isinstance(bug.found_in, str)} <= FILES | {"choir_circles"}
    assert {bug.id for bug in BUGS} == {f"C-B{number}" for number in range(1, 13)}
