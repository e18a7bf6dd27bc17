"""Every guard and update of the models that are proved here, left out in turn, is missed by a proof or a search.

As for the kernel's rows (`kernel_mutants_proof`): those that nobody misses are listed in `survivors.toml` under the
name of their model, each with the reason why nothing changes without them.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hocket.spec import Spec
from models.crew import Crew
from models.multi import Drawing, Halving
from models.ranks import Check, Peel, Walk
from models.slots import Layout, Running
from models.trees import Trees
from models.watermark import Watermark
from proofs.crew_wakeups_proof import Wakeups
from proofs.multi_once_proof import Drawn, Halved
from proofs.rank_certificate_proof import Accepted, NoWayBack, Peeled
from proofs.slots_proof import Counted, Serial
from proofs.tree_order_proof import NoMore, TreeOrder
from proofs.watermark_proof import Delivery

ACCOUNTED = tomllib.loads((Path(__file__).parent / "survivors.toml").read_text()).get("survivor", [])
SPECS = ()  # `hocket prove --mutants` shows those of each specification


class Watcher(NamedTuple):
    """Who looks: at proofs among `largest` elements, and at a search of a scope, if one is named."""

    spec: type[Spec]
    largest: int = 0
    scope: Mapping[str, Any] = {}  # never changed


ONE_OF_EACH = {"Task": 1, "Piece": 1, "Seat": 1, "Joiner": 1,
               "given": {"of": {"piece0": "task0"}, "size": {"task0": 0}}}
MANY_BODIES = {**ONE_OF_EACH, "Piece": 2, "Seat": 2,
               "given": {"of": {"piece0": "task0", "piece1": "task0"}, "size": {"task0": 2}}}
HELPED = {"Task": 2, "Piece": 1, "Seat": 2, "Joiner": 1,
          "given": {"of": {"piece0": "task0"}, "size": {"task0": 0, "task1": 0}, "before": {("task1", "task0")}}}
LINE = {("index0", "index1"), ("index0", "index2"), ("index1", "index2")}
DRAWN = {"Body": 2, "Index": 3, "given": {"less": LINE}}
HALVED = {"Chunk": 2, "Index": 3, "given": {"less": LINE, "least": "index0", "greatest": "index2"}}
PATH = {"Node": 2, "given": {"owned": {"node0", "node1"}}}
TREE = {"Node": 2, "Slot": 2, "given": {"above": {("node0", "node1")}, "owned": {"node0", "node1"},
                                        "slot": {"node0": "slot0", "node1": "slot1"}}}
EDGE = {"Node": 2, "given": {"edge": {("node0", "node1")}, "rank": {"node0": 0, "node1": 1}, "begin": "node0"}}
SAID = {"Node": 2, "given": {"edge": {("node0", "node1")}, "said": {"node0": 0, "node1": 1}}}
TALK = {"Node": 2, "Message": 3, "given": {
    "signals": 2, "signal_capacity": {"node0": 1, "node1": 1}, "outside": {"message2"},
    "sender": dict.fromkeys(("message0", "message1", "message2"), "node0"),
    "to": dict.fromkeys(("message0", "message1", "message2"), "node1"),
    "kind": {"message0": "bulk", "message1": "bulk", "message2": "bulk"},
    "capacity": {(node, kind): 1 for node in ("node0", "node1") for kind in ("unbounded", "priority", "bulk")}}}

WATCHERS: dict[type[Spec], tuple[Watcher, ...]] = {
    Crew: (Watcher(Wakeups, 1), Watcher(Crew, 0, ONE_OF_EACH), Watcher(Wakeups, 2), Watcher(Crew, 0, MANY_BODIES),
           Watcher(Crew, 0, HELPED), Watcher(Wakeups, 3)),
    Drawing: (Watcher(Drawn, 2), Watcher(Drawing, 0, DRAWN)),
    Halving: (Watcher(Halved, 2), Watcher(Halving, 0, HALVED)),
    Watermark: (Watcher(Delivery, 2), Watcher(Watermark, 0, TALK)),
    Layout: (Watcher(Counted, 2), Watcher(Layout, 0, PATH)),
    Running: (Watcher(Serial, 2), Watcher(Running, 0, TREE)),
    Walk: (Watcher(NoWayBack, 2), Watcher(Walk, 0, EDGE)),
    Check: (Watcher(Accepted, 2), Watcher(Check, 0, SAID)),
    Peel: (Watcher(Peeled, 2),),
    Trees: (Watcher(TreeOrder, 1), Watcher(TreeOrder, 2), Watcher(NoMore, 2)),
}
DEEDS = [(model, step.name) for model in WATCHERS for step in model.theory().steps]


def survivors(model: type[Spec], deed: str) -> set[tuple[str, str]]:
    """The lines of a deed that can be left out unnoticed; each watcher looks only at what those before let pass."""
    step = model.theory().step(deed)
    left = {*(("guard", guard.label) for guard in step.guards), *(("update", line) for line in step.updates)}
    for watcher in WATCHERS[model]:
        if left:
            only = lambda name, kind, line: name == deed and (kind, line) in left  # noqa: B023, E731
            found = watcher.spec.mutants(watcher.largest, only, **watcher.scope)
            left = {(one.kind, one.line) for one in found.survivors}
    return left


DEAREST = {("Crew", "help_inside"), ("Crew", "take_part"), ("Crew", "forget"), ("Crew", "think_better"),
           ("Crew", "offer"), ("Crew", "go_on"), ("Crew", "put_aside"), ("Crew", "share"), ("Crew", "take"),
           ("Crew", "end"), ("Crew", "draw"), ("Trees", "sequence"), ("Trees", "together")}


@pytest.mark.parametrize(("model", "deed"), DEEDS, ids=[f"{model.__name__}.{deed}" for model, deed in DEEDS])
def test_a_line_left_out_is_missed_unless_it_is_accounted_for(model: type[Spec], deed: str):
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    if (model.__name__, deed) in DEAREST and not os.environ.get("HOCKET_WHOLE"):
        pytest.skip("takes three seconds or more: `make prove` asks for it")
    accounted = [row for row in ACCOUNTED if (row.get("model"), row["deed"]) == (model.__name__, deed)]
    assert survivors(model, deed) == {(row["kind"], row["line"]) for row in accounted}


def test_every_survivor_is_of_a_model_and_deed_that_exist_and_has_a_reason():
    known = {(model.__name__, deed) for model, deed in DEEDS}
    rows = [row for row in ACCOUNTED if "model" in row]
    assert all((row["model"], row["deed"]) in known and row["why"] for row in rows)
