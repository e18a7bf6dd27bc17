"""Parking under the lock loses no wake-up; without it one is lost, and the search shows how."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from hocket.spec import Accepted, RefusedTrace
from hocket.verdict import Holds, Violated
from models.broken.choir_notify_without_lock import HastyParking
from models.parking import Parking

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())["parking"]
STUCK = "who_can_go_no_further_has_run_everything"


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: f"{row['model']}-{row['workers']}")
def test_a_search_finds_the_pinned_counts(row):
    model = {"parking": Parking, "broken": HastyParking}[row["model"]]
    found = model.search(Worker=row["workers"])
    assert found.counts() == {key: row[key] for key in ("states", "transitions", "terminal", "depth")}
    assert isinstance(found.verdicts[STUCK], Violated if row["stuck"] else Holds)


def test_the_lost_wake_up_is_a_run_of_six_steps_and_the_repaired_twin_refuses_its_fifth():
    verdict = HastyParking.search(Worker=["w"]).verdicts[STUCK]
    assert isinstance(verdict, Violated)
    run = verdict.counterexample.steps
    # it looks, locks, looks again; the joiner puts the rest back and leaves, unheard; it goes to sleep
    assert run == (
        ("find_nothing", "w"),
        ("lock", "w"),
        ("check_again", "w"),
        ("put_the_rest_back",),
        ("leave",),
        ("park", "w"),
    )
    assert isinstance(HastyParking.accepts(run, Worker=["w"]), Accepted)
    answer = Parking.accepts(run, Worker=["w"])
    assert isinstance(answer, RefusedTrace)
    assert (answer.step, answer.guard) == (4, "the lock is free")


def test_every_deed_can_be_done_by_two_workers():
    assert Parking.search(Worker=2).never() == []
