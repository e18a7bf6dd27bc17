"""How many executions there will have been: exact at the end, and with an honest doubt on the way."""

from __future__ import annotations

import threading

import pytest

import hocket
from hocket.explore.dpor import Optimal, Source
from hocket.explore.model import run
from hocket.explore.progress import Progress
from hocket.explore.scale.estimate import Estimate, Estimated
from hocket.explore.strategy import Strategy
from tests import explorer_programs as p
from tests.explorer_counts import FAST

MIDDLE = [row for row in FAST if 100 <= row.classes <= 1_100]


def _followed(make, strategy: Strategy) -> tuple[int, list[tuple[int, Estimated | None]], Estimate]:
    """The number of executions, what was estimated after each, and the estimate at the end."""
    estimate, told = Estimate(strategy), []

    def watch(execution):
        estimate(execution)
        told.append((estimate.executions, estimate.now()))

    return run(make(), strategy, watch=watch).executions, told, estimate


@pytest.mark.parametrize("row", MIDDLE, ids=lambda row: row.name)
def test_from_half_way_on_an_estimate_is_within_a_factor_of_4_and_at_the_end_it_is_exact(row):
    executions, told, estimate = _followed(row.make, Optimal())
    assert executions == row.classes
    for count, estimated in told[row.classes // 2:]:
        if estimated is not None:
            assert count <= estimated.total * 1.000001
            assert row.classes / 4 <= estimated.total <= row.classes * 4
    assert estimate.now(finished=True) == (row.classes, 0.0)
    last = told[-1][1]  # the search does not know yet that nothing is left, but the sums say so
    assert last is None or (last.total == pytest.approx(row.classes) and last.spread < 0.01)


def test_where_every_branch_has_the_same_size_the_estimate_is_exact_as_soon_as_all_branches_are_known():
    """720 classes: 6 writers; the first branch of the root, 120 executions, shows all others but those of the root."""
    _, told, _ = _followed(lambda: p.writers(6), Optimal())
    assert all(estimated is None for _, estimated in told[:29])
    assert told[359][1].total == pytest.approx(720)
    assert told[359][1].spread < 100


def test_the_variant_that_gives_executions_up_is_counted_with_them():
    strategy = Source()
    executions, _, estimate = _followed(lambda: p.lastzero(7), strategy)
    assert executions == 320 + strategy.given_up
    assert strategy.given_up > 0
    assert estimate.now(finished=True).total == executions


def test_a_line_of_progress_never_tells_a_number_without_its_doubt():
    head = "12,400 executions, 12,400 classes, 3,100/s, 4 s"
    assert str(Progress(12_400, 12_400, 4.0)) == head
    assert str(Progress(12_400, 12_400, 4.0, None, True)) == f"{head}, no estimate yet"
    told = Progress(12_400, 12_400, 4.0, Estimated(36_214.0, 9_040.0), True)
    assert str(told) == f"{head}, about 36,000 ± 9,000 in all, 8 s to go"
    slow = Progress(100, 100, 100.0, Estimated(10_000_000.0, 1_000_000.0), True)
    assert str(slow).endswith("about 10,000,000 ± 1,000,000 in all, 116 d to go")


def test_the_search_through_threads_tells_its_estimate(monkeypatch):
    monkeypatch.setattr("hocket.explore.threads.runner._LOOK", 0.001)

    def body():
        x = hocket.Atomic(0)
        threads = [threading.Thread(target=lambda: x.store(x.load() + 1)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    heard: list[Progress] = []
    assert hocket.explore(body, data="off", progress=heard.append).classes == 576
    assert all(told.estimating for told in heard)
    assert any(told.estimate is not None for told in heard)


def test_a_strategy_that_plans_nothing_has_no_estimate(monkeypatch):
    monkeypatch.setattr("hocket.explore.threads.runner._LOOK", 0.001)
    heard: list[Progress] = []
    hocket.explore(lambda: [hocket.choose(10) for _ in range(3)], data="off", strategy="dfs", progress=heard.append)
    assert heard
    assert not any(told.estimating for told in heard)
