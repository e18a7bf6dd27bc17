"""Every guard and update of every row, left out in turn, is missed by some proof; the survivors are accounted for.

A line is killed if without it an obligation of Order, of Progress or of Rows has a counterexample of few tasks. Those
that nobody misses are listed in `survivors.toml`, each with the reason why nothing changes without it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from proofs.kernel_order_proof import Order
from proofs.kernel_progress_proof import Progress
from proofs.kernel_rows_proof import Rows

ALL = tomllib.loads((Path(__file__).parent / "survivors.toml").read_text()).get("survivor", [])
ACCOUNTED = [row for row in ALL if "model" not in row]  # the others are those of models_mutants_proof
DEEDS = [step.name for step in Order.theory().steps]
SPECS = ()  # `hocket prove --mutants` shows those of each specification
# who looks, and among how many tasks: a few suffice for most, three for a parent with two children
WATCHERS = ((Order, 1), (Rows, 1), (Progress, 2), (Order, 3))


def lines(deed: str) -> set[tuple[str, str]]:
    """The guards and updates of a deed, as (kind, line)."""
    step = Order.theory().step(deed)
    return {*(("guard", guard.label) for guard in step.guards), *(("update", line) for line in step.updates)}


def survivors(deed: str) -> set[tuple[str, str]]:
    """Those that can be left out unnoticed; each watcher looks only at what the ones before let pass."""
    left = lines(deed)
    for spec, largest in WATCHERS:
        found = spec.mutants(largest, lambda name, kind, line: name == deed and (kind, line) in left)  # noqa: B023
        left = left - {(one.kind, one.line) for one in found.all if one.killer}
    return left


DEAREST = ("draining: all children have closed, and some", "draining: lost", "draining: finished",
           "waiting: it cannot start any more", "waiting: nothing to run", "link hold")


@pytest.mark.parametrize("deed", DEEDS)
def test_a_line_left_out_is_missed_unless_it_is_accounted_for(deed):
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    if deed.startswith(DEAREST) and not os.environ.get("HOCKET_WHOLE"):
        pytest.skip("takes three seconds or more: `make prove` asks for it")
    assert survivors(deed) == {(row["kind"], row["line"]) for row in ACCOUNTED if row["deed"] == deed}


def test_every_survivor_is_of_a_deed_that_exists_and_has_a_reason():
    assert all(row["deed"] in DEEDS and row["why"] for row in ACCOUNTED)
