"""The thread runtime's real code, in every interleaving, does only what running a graph means.

The code that ships runs under the explorer with plain `threading` locks, conditions and threads. Each execution's
openings, endings and closings are given to the model, event by event; then everything must have closed. The number of
interleavings is pinned (`scenarios.py`): it changes when the runtime synchronises otherwise,
and is then looked at anew.
"""

from __future__ import annotations

import os

import pytest

from hocket.kernel import Kernel, Stimulus
from tests.chain.scenarios import SCENARIOS, explored

# for `python -m tests.chain.scenarios`; here, forks are run with one worker, and by two workers where a prong fails
DEAREST = {"nested forks", "fork join", "a body builds at the end, two workers"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_interleaving_of_the_thread_runtime_is_a_run_of_the_model(name):
    if name in DEAREST and not os.environ.get("HOCKET_WHOLE"):
        pytest.skip("the dearest are for python -m tests.chain.scenarios")
    *_, interleavings, outcomes = SCENARIOS[name]
    result, occurred = explored(name)
    assert result.verdict == "proved", str(result.failure)
    assert occurred == outcomes
    assert (result.executions, result.classes) == (interleavings, interleavings)


def test_a_draw_is_seen_only_where_it_is_an_operation(monkeypatch):
    """Else no interleaving has two bodies at work: `Drawn` in scenarios.py, without which one plant would survive."""
    told: list[Stimulus] = []
    receive = Kernel.receive
    monkeypatch.setattr(Kernel, "receive", lambda self, *what: told.append(what[0]) or receive(self, *what))
    explored("three bodies shared out")
    assert told.count(Stimulus.SPLIT) == 0
