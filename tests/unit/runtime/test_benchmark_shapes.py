"""What the benchmarks measure is what they say: every contender runs every body once, after what it waits for."""

from __future__ import annotations

import gc
import threading

import pytest

from tests.benchmarks.runtime.shapes import CONTENDERS, SHAPES, spawn_tree, table, table_of_others


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("contender", CONTENDERS)
def test_a_contender_runs_every_body_once(shape, contender):
    lock, calls = threading.Lock(), [0]

    def body():
        with lock:
            calls[0] += 1

    size, edges = SHAPES[shape](300)
    CONTENDERS[contender](size, edges, body)
    assert calls == [size]
    assert all(earlier < later < size for later, earlier in edges)


def test_shapes_have_the_sizes_that_are_published():
    sizes = {name: (size, len(edges)) for name, (size, edges) in ((n, shape(100_000)) for n, shape in SHAPES.items())}
    assert sizes == {
        "empty": (100_000, 0),
        "chain": (100_000, 99_999),
        "fork_join": (100_100, 199_000),
        "random_dag": (20_000, sizes["random_dag"][1]),
    }
    assert 59_900 < sizes["random_dag"][1] <= 60_000


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_tree_of_spawns_has_all_its_nodes(workers, monkeypatch):
    calls: list[int] = []
    monkeypatch.setattr("tests.benchmarks.runtime.shapes.nothing", lambda: calls.append(1))
    spawn_tree(workers, 6)
    assert len(calls) == 2**7 - 1


def test_a_table_is_printed_for_every_shape(monkeypatch):
    monkeypatch.setattr(gc, "collect", lambda: 0)  # what figures need, and here costs as much as the suite is large
    lines = list(table(200, 1))
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == list(SHAPES)
    assert len(lines) == len(SHAPES) * (1 + len(CONTENDERS))
    others = list(table_of_others(200, 1))
    assert [line.split(":")[0] for line in others if not line.startswith(" ")] == [
        "multi",
        "spawn tree of depth 6",
        *["memory"] * 2,
    ]
