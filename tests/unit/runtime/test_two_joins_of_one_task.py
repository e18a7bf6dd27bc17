"""A helper from outside and a body join the same task: the bookkeeping of who is held up survives either order."""

from __future__ import annotations

from hocket.kernel import Kernel
from hocket.runtime.joins import Joins


def test_a_join_from_outside_ends_after_one_from_inside_of_the_same_task():
    kernel, joins = Kernel(), Joins()
    joined, body = kernel.add("joined", True), kernel.add("body", True)
    with joins.waiting(joined, []):
        with joins.waiting(joined, [body]):
            assert len(joins) == 1
        assert len(joins) == 0
    assert len(joins) == 0
