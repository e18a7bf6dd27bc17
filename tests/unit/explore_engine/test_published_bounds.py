"""How many classes need at most 0, 1, 2 … preemptions: numbers that another model checker publishes with its tests.

Source: the suite of GenMC, `expected.cb.in` (Marmanis, Kokologiannakis, Vafeiadis, TACAS 2023), for sequential
consistency. A number says in how many classes there is an interleaving with so few preemptions; the last is all of
them.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import NamedTuple

import pytest

from hocket.explore.bounded import Bounded
from hocket.explore.classes import class_of
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Execution
from hocket.explore.model import Program, run
from hocket.explore.preemptions import least_preemptions
from tests import explorer_programs as p
from tests.pseudo_code import program_of


class Row(NamedTuple):
    name: str
    program: Program
    within: tuple[int, ...]  # 0, 1, 2 … preemptions


def _each(count: int, thread: str, *others: str) -> Program:
    """The other threads, and so many of this one, which may tell its number."""
    return program_of(" || ".join([*others, *(thread.format(i) for i in range(1, count + 1))]))


ROWS = [
    Row("inc 2", _each(2, "faa x; faa y"), (2, 4)),
    Row("inc 3", _each(3, "faa x; faa y"), (6, 24, 36)),
    Row("cinc 2", _each(2, "faa x; faa y; faa z"), (2, 6, 8)),
    Row("cinc 3", _each(3, "faa x; faa y; faa z"), (6, 42, 120, 192, 216)),
    Row("casw 2", _each(2, "cas x 0 1; x=3{}"), (2, 4, 6)),
    Row("casw 3", _each(3, "cas x 0 1; x=3{}"), (6, 24, 54, 66)),
    Row("CoA 1", program_of("x=1; r y; r x || x=2; r z; r x"), (2, 4)),
    Row("CoA 2", _each(1, "y={0}; z={0}", "x=1; r y; r x", "x=2; r z; r x"), (6, 15)),
    Row("CoA 3", _each(2, "y={0}; z={0}", "x=1; r y; r x", "x=2; r z; r x"), (24, 90, 130)),
    Row("wcas 3", _each(3, "cas x 2 3", "x=2"), (13,)),
    Row("wcas 5", _each(5, "cas x 2 3", "x=2"), (81,)),
    Row("casrot 4", p.casrot(4), (14,)),
    Row("casrot 6", p.casrot(6), (144,)),
    Row("lockinc 4", p.lockinc(4), (24,)),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_classes_need_as_few_preemptions_as_published(row: Row):
    needed: Counter[int] = Counter()

    def see(execution: Execution) -> None:
        least = least_preemptions(execution)
        assert least is not None
        needed[least.preemptions] += 1

    assert run(row.program, Optimal(), watch=see).exhausted
    assert tuple(accumulate(needed[bound] for bound in range(len(row.within)))) == row.within
    assert needed.total() == row.within[-1]


@pytest.mark.parametrize("row", [row for row in ROWS if row.within[-1] < 100], ids=lambda row: row.name)
def test_a_bounded_search_finds_as_many_classes_as_published(row: Row):
    for bound, expected in enumerate(row.within):
        found = set()

        def see(execution: Execution, found: set[object] = found) -> None:
            if not execution.options():
                found.add(class_of(execution))

        assert run(row.program, Bounded(bound), watch=see).exhausted
        assert len(found) == expected
