"""The published counts once more, on real threads through `hocket.explore`: executions = classes = published.

The slice that fits: every row with at most 1,100 classes. The others by `python -m tests.threaded_programs`. A second
number of a row counts the classes in which no actor is blocked: an actor whose assume fails returns, and is
counted as blocked; an actor that waits for a lock for ever is one that has not ended.
"""

from __future__ import annotations

import pytest

from tests.explorer_counts import FAST, Row
from tests.threaded_programs import explored

SLICE = [row for row in FAST if row.classes <= 1100]


@pytest.mark.parametrize("row", SLICE, ids=lambda row: row.name)
def test_threads_have_as_many_classes_as_was_published_each_run_once(row: Row):
    result, complete = explored(row)
    assert (result.verdict, result.classes, result.executions) == ("proved", row.classes, row.classes)
    assert row.complete in (-1, complete)
