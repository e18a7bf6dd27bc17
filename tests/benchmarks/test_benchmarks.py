"""`make bench`: prints what costs how much. The figures are for reading, so a run that nobody reads is skipped.

What is asserted is no time: an exploration makes exactly one execution a class, and a peer makes no fewer than it says.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.explorer import bench_models, bench_threads
from tests.benchmarks.orchestra import bench_messages
from tests.benchmarks.plan import nodes
from tests.benchmarks.runtime import shapes
from tests.benchmarks.verify import bench_graphs


@pytest.fixture(autouse=True)
def _somebody_reads(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("capture") != "no":
        pytest.skip("figures are for reading: make bench")


def test_models() -> None:
    print()
    bench_models.main()


def test_threads_and_peers() -> None:
    bench_threads.main()


def test_runtime() -> None:
    print()
    for line in (*shapes.table(20_000, 3), *shapes.table_of_others(20_000, 3)):
        print(line, flush=True)


def test_messages() -> None:
    for row in bench_messages.rows(20_000, 3):
        print(bench_messages.told(row), flush=True)


def test_plans() -> None:
    print()
    nodes.main()


def test_verify_and_peers() -> None:
    bench_graphs.main()
