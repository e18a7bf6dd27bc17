"""A model asked `timed_join` of a thread whose end is no step: what it answers changed where nothing happened.

Found by the fuzz, as soon as it spawned such threads: the search saw 2 of 4 classes, and said nothing. The handle
refuses now, as its documentation always asked.
"""

from __future__ import annotations

from typing import Any

import pytest

from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, Spawn, run


def _program(ask: str, watched: bool) -> Program:
    program = Program()
    x = program.cell(0, "x")

    def child() -> Any:
        yield x.store(1)

    def main() -> Any:
        thread = yield Spawn(child, watched=watched)
        return (yield getattr(thread, ask)())

    program.body(main)
    program.outcome = lambda final: final.results[0]
    return program


@pytest.mark.parametrize("ask", ["timed_join", "is_alive"])
def test_of_a_watched_thread_both_answers_are_found(ask: str):
    assert dict(run(_program(ask, True), Optimal()).outcomes) == {True: 1, False: 1}


@pytest.mark.parametrize("ask", ["timed_join", "is_alive"])
def test_of_any_other_the_question_is_refused_with_the_cure(ask: str):
    tally = run(_program(ask, False), Optimal())
    assert tally.failed == 1
    assert "watched=True" in tally.failures[0].message
