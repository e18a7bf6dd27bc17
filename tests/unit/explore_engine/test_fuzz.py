"""Random programs against brute force, and wrong searches that the same programs must refuse.

CI runs a slice of small programs; `python -m tests.fuzz_explorer 10000` is the long run.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import pytest

from hocket.explore.classes import class_of, trace_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal
from hocket.explore.model import run
from hocket.explore.tally import Limits
from tests.explorer_mutants import OPTIMAL_MUTANTS, SOURCE_MUTANTS
from tests.fuzz_explorer import brute_force, fuzz, judge, orders, program_of, search, sources
from tests.programs import build

SMALL = 80  # interleavings
SLICES, PER_SLICE = 10, 50


@pytest.mark.parametrize("part", range(SLICES))
def test_a_search_misses_repeats_and_gives_up_nothing(part: int):
    account = fuzz(PER_SLICE, part * PER_SLICE, SMALL)
    assert account.programs == PER_SLICE


def test_the_interleavings_of_a_program_are_the_orders_of_its_classes():
    """So a program is known to be too large by the classes met first; and no interleaving was left out."""
    for seed in range(60):
        source, _, interleavings = program_of(seed, SMALL)
        of_class: dict[Any, int] = {}
        run(build(source), DepthFirst(), watch=lambda execution, of_class=of_class: of_class.setdefault(
            class_of(execution), orders(trace_of(execution))))
        assert sum(of_class.values()) == interleavings, source


@pytest.mark.parametrize("mutant", [*OPTIMAL_MUTANTS, *SOURCE_MUTANTS], ids=lambda mutant: mutant.__name__)
def test_the_fuzz_kills_a_search_with_a_shortcut(mutant: Any):
    """Each is killed by a class that it misses, not only by one that it repeats; brute force has the last word."""
    source, ends = _killer(mutant)
    judge(source, ends)  # the searches themselves stand
    assert set(ends) - set(search(build(source), mutant())), f"survived: {mutant.__doc__}"


def _killer(mutant: Any) -> tuple[list[Any], dict[Any, Any]]:
    """The first random program on which the shortcut finds less than brute force."""
    for source in islice(sources(1), 1500):
        if run(build(source), Optimal(), limits := Limits(executions=100)).reason:
            continue
        if _count(Optimal, source, limits) <= _count(mutant, source, limits):
            continue
        found = brute_force(build(source), 2_000)
        if found is not None:
            return source, found[0]
    raise AssertionError(f"survived: {mutant.__doc__}")


def _count(strategy: Any, source: list[Any], limits: Limits) -> int:
    try:
        return len(set(search(build(source), strategy(), limits)))
    except AssertionError:  # our own check stopped it: killed as well, but not what we look for
        return limits.executions or 0
