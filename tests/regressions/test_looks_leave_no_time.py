"""Two looks at one value are independent, so neither may carry time to the other: a class has one time."""

from __future__ import annotations

import threading
import time

import pytest

import hocket


def _body(order: int) -> float:
    """One thread sleeps and then looks; what time another one sees after its own look."""
    x, seen = hocket.Atomic(0), []

    def sleeper() -> None:
        time.sleep(5)
        x.load()

    def watcher() -> None:
        x.load()
        seen.append(time.monotonic() - start)

    works = [sleeper, watcher][::order]
    start = time.monotonic()
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen[0]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("strategy", ["optimal", "source", "dfs"])
def test_a_look_does_not_carry_time_to_another(strategy, order):
    result = hocket.explore(lambda: _body(order), data="off", strategy=strategy)
    assert result.verdict == "proved"
    assert set(result.outcomes) == {0.0}
