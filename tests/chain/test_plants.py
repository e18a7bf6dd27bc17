"""Each planted bug is refused, by whom and how soon: a bridge that lets one pass has a gap."""

from __future__ import annotations

import re

import pytest

from tests.chain.bridge import Tally, refine
from tests.chain.plants import KERNEL, RUNTIME, Plant
from tests.chain.scenarios import explored
from tests.chain.small import small_graphs


def plant(monkeypatch: pytest.MonkeyPatch, planted: Plant) -> None:
    for place, name, other in planted.patches:
        monkeypatch.setattr(place, name, other)


def gone_through(how: dict) -> tuple[int, str]:
    """The bridge, over all graphs of one, two and three tasks; how many until it refused one, and why."""
    tally = Tally(judged=set())
    try:
        for size in (1, 2, 3):
            for graph in small_graphs(size):
                refine(graph, tally=tally, **how)
    except AssertionError as refused:
        return tally.graphs, str(refused)
    return tally.graphs, "nobody noticed"


@pytest.mark.parametrize("planted", KERNEL, ids=str)
def test_a_bug_planted_in_the_kernel_is_refused_by_the_bridge(planted, monkeypatch):
    plant(monkeypatch, planted)
    after, why = gone_through(planted.where)
    assert re.search(planted.refused, why), why
    assert after == planted.after


@pytest.mark.parametrize("planted", RUNTIME, ids=str)
def test_a_bug_planted_in_the_scheduler_is_refused_under_the_explorer(planted, monkeypatch):
    plant(monkeypatch, planted)
    result, _ = explored(planted.where)
    assert result.verdict == "failed", "nobody noticed"
    why = f"{result.failure.kind}: {result.failure.exception!r}"
    assert re.search(planted.refused, why), why
    assert result.executions == planted.after
