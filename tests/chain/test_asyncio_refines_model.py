"""The asyncio runtime's real code, in every order of its callbacks, does only what running a graph means.

Each execution's openings, endings and closings are given to the model, event by event; then everything must have
closed, and nothing of asyncio's may be left. The number of interleavings is pinned (`aio_scenarios.py`): it changes
when the runtime schedules its callbacks otherwise, and is then looked at anew.
"""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.chain.aio_plants import AIO
from tests.chain.aio_scenarios import SCENARIOS, explored
from tests.chain.plants import Plant

KEEPS_WHO_AWAITS = hasattr(asyncio, "future_add_to_awaited_by")  # 3.14: its `gather` adds a callback
MANY_MORE = {"a body gathers two tasks, one place", "an async iterator, two places, a body fails"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_interleaving_of_the_asyncio_runtime_is_a_run_of_the_model(name):
    if KEEPS_WHO_AWAITS and name in MANY_MORE:
        pytest.skip("more than a thousand interleavings beyond those of 3.11 to 3.13")
    result, occurred = explored(name)
    assert result.verdict == "proved", str(result.failure)
    assert occurred == SCENARIOS[name].outcomes
    assert (result.executions, result.classes) == (SCENARIOS[name].classes,) * 2


@pytest.mark.parametrize("planted", AIO, ids=str)
def test_a_bug_planted_in_the_asyncio_runtime_is_refused_under_the_explorer(planted: Plant, monkeypatch):
    for place, name, other in planted.patches:
        monkeypatch.setattr(place, name, other)
    assert isinstance(planted.where, str)
    result, _ = explored(planted.where)
    assert result.verdict == "failed", "nobody noticed"
    why = f"{result.failure.kind}: {result.failure.exception!r}"
    assert re.search(planted.refused, why), why
    assert result.executions == planted.after
