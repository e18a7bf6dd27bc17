"""Each guard and each update of each model left out in turn: a search notices, or the line is listed with the reason.

Noticed is: a claim is violated, the counts differ (also of how often each deed was done), a deed does nothing, or from
some state no end can be reached any more. What nobody notices stands in `models/survivors.toml`; most of it leaves the
very same graph of states behind, which is looked at as well.
"""

from __future__ import annotations

import importlib
import os
import re
import tomllib
from functools import cached_property, partial
from pathlib import Path

import pytest

import models.broadcast
import models.channel
from hocket.errors import SpecError
from hocket.spec import Spec
from hocket.spec.machine import Machine
from hocket.spec.search import search
from hocket.spec.traced import theory
from hocket.verdict import Violated
from models.broadcast import Broadcast
from models.channel import Channel
from models.parking import Parking
from models.plans import Plan, plan
from models.run import Running
from models.run import graph as run_graph
from models.showcase import Cases
from models.ticks import Building, Ticks, graph, hollow_fork

MODELS = Path(__file__).parents[3] / "models"
SURVIVORS = tomllib.loads((MODELS / "survivors.toml").read_text())["survivor"]
ELSEWHERE = {  # their twins are models with rows of their own
    "choir_notify_without_lock",
    "orchestra_broadcast_in_turn",
    "plan_slots_shared_in_parallel",
    "ticks_barrier_bypassed",
}
_FORK = graph("1F24", [("F", "1"), ("4", "F")], [("F", "2")], root="4", patience={"1": 1, "2": 1})
_WITHIN = graph("tFab", single=[("F", "t"), ("b", "a")], prong=[("F", "b")], root="Fa")
_PLAN, _SCOPE = plan((None, 0, 1, 0), may_end=[1, 2, 3])
_OWN_DEEDS = ("make_task", "make_fork", "add_prong", "join")
_HOLLOW = hollow_fork()


def _blank(nodes):
    return {"Node": nodes}, {"patience": dict.fromkeys(nodes, 0), "ending": dict.fromkeys(nodes, "delete")}


def _twins():
    for path in sorted((MODELS / "broken").glob("*.py")):
        showcase = importlib.import_module(f"models.broken.{path.stem}").SHOWCASE
        if not isinstance(showcase, Cases) and path.stem not in ELSEWHERE:
            yield path.stem, showcase.repaired, [(dict(showcase.scope), showcase.given)], None


def _run(tasks, **choices):
    given = run_graph(tasks, **choices)
    return {"Task": list(tasks), "Scope": list(given["policy"])}, given


_CHILD = {"inside": [("c", "p")], "hold": [("p", "c")]}
_RUNS = [
    _run("ab", after=[("b", "a")], policy="fail_fast", late="b", may_be_cancelled="ab"),
    _run("pc", **_CHILD, policy="isolate", late="c", may_be_cancelled="pc"),
    _run("pc", **_CHILD, policy="branch", bodiless="p"),
    _run("abc", after=[("c", "a"), ("c", "b")], may_fail="a"),
    _run("ab", scope={"a": "x", "b": "y"}, policies={"x": "fail_fast", "y": "isolate"}),
]

SUBJECTS = [
    *_twins(),
    ("parking", Parking, [({"Worker": 2}, {})], None),
    ("run", Running, _RUNS, None),
    ("broadcast", Broadcast, [({}, {})], None),
    ("channel", Channel, [({}, {})], None),
    ("plans", Plan, [(_SCOPE, _PLAN)], None),
    (
        "ticks",
        Ticks,
        [({"Node": "tFab"}, _WITHIN), ({"Node": "1F24"}, _FORK), ({"Node": list(_HOLLOW["patience"])}, _HOLLOW)],
        None,
    ),
    ("building", Building, [_blank("ab"), _blank("abc")], _OWN_DEEDS),
]


DEAREST = ("building", "ticks")
FEWER = {  # and how many lines are then not noticed yet
    "channel": (models.channel, {"SIGNALS": 1, "MESSAGES": 2}, 3),
    "broadcast": (models.broadcast, {"ROUNDS": 2}, 0),
}


class _Seen:
    """What a search of one scope saw, and the graph of its states."""

    def __init__(self, spec, scope, given, drop=None, limit=2_000_000):
        made = theory(spec, drop)
        found = search(made, scope, given, limit=limit)
        self.counts = found.counts(), found.fired
        self.violated = any(isinstance(verdict, Violated) for verdict in found.verdicts.values())
        self._machine = partial(Machine, made, scope, given)

    @cached_property
    def graph(self):
        """Each state with its successors: asked for only where the counts are those of the whole."""
        return _graph(self._machine())

    def idle(self):
        return any(state == after for state, steps in self.graph.items() for _, after in steps)

    def ends(self):
        """How many states have a way to an end."""
        before = {}
        for state, steps in self.graph.items():
            for _, after in steps:
                before.setdefault(after, []).append(state)
        found = {state for state, steps in self.graph.items() if not steps}
        frontier = list(found)
        while frontier:
            frontier = list({origin for state in frontier for origin in before.get(state, ())} - found)
            found.update(frontier)
        return len(found)


def _graph(machine):
    graph, frontier = {}, machine.initial()
    while frontier:
        graph |= {state: machine.successors(state) for state in frontier}
        after = (after for state in frontier for _, after in graph[state])
        frontier = [state for state in dict.fromkeys(after) if state not in graph]
    return graph


def _lines(spec, only):
    for step in theory(spec).steps:
        if only is None or step.name in only:
            for kind, lines in (("guard", [guard.label for guard in step.guards]), ("update", step.updates)):
                yield from ((step.name, kind, place, line) for place, line in enumerate(lines))


def _noticed(whole, see):
    """None if nobody notices; then also whether the graph is the same."""
    try:
        mutant = see(limit=20 * whole.counts[0]["states"])
    except SpecError:
        return True, False
    if mutant.violated or mutant.counts != whole.counts:
        return True, False
    stuck = mutant.ends() < len(mutant.graph) if whole.ends() == len(whole.graph) else False
    return stuck or mutant.idle() > whole.idle(), mutant.graph == whole.graph


def _survivors(spec, scopes, lines):
    """The lines that nobody misses in any of these scopes, and whether the graphs of states are the same."""
    wholes = [_Seen(spec, *scope) for scope in scopes]
    assert not any(whole.violated for whole in wholes)
    for deed, kind, place, line in lines:
        same = True
        for whole, scope in zip(wholes, scopes, strict=True):
            noticed, equal = _noticed(whole, partial(_Seen, spec, *scope, (deed, kind, place)))
            same = same and equal
            if noticed:
                break
        else:
            yield (deed, kind, place, line), same


@pytest.mark.parametrize(("name", "spec", "scopes", "only"), SUBJECTS, ids=[subject[0] for subject in SUBJECTS])
def test_no_line_can_be_left_out_unnoticed(name, spec, scopes, only, monkeypatch):
    if name in DEAREST and not os.environ.get("HOCKET_WHOLE"):
        pytest.skip("takes six seconds or more: `make prove` asks for it")
    lines = list(_lines(spec, only))
    if name in FEWER:  # most are noticed with fewer signals and messages already
        module, numbers, left = FEWER[name]
        with monkeypatch.context() as fewer:
            for number, value in numbers.items():
                fewer.setattr(module, number, value)
            lines = [line for line, _ in _survivors(spec, scopes, lines)]
        assert len(lines) == left
    found = {(deed, kind, line, same) for (deed, kind, _, line), same in _survivors(spec, scopes, lines)}
    assert found == {(row["deed"], row["kind"], row["line"], row["same"]) for row in SURVIVORS if row["model"] == name}


# models whose lines are left out in `proofs/models_mutants_proof.py`, and those that are one of ours but for a line
IN_PROOFS = {"Crew", "Drawing", "Halving", "Layout", "Peel", "Check", "Trees", "Walk", "Watermark", "slots.Running"}
BUT_FOR_A_LINE = {
    "AtOnce": "Channel, both given their signal in one step",
    "InParallel": "Plan, whoever may be entered",
    "Indexed": "what Drawing and Halving have in common: no deed of its own",
    "Parallel": "slots.Running, whoever may be entered",
}


def test_the_lines_of_every_model_are_left_out_somewhere():
    named = {}
    for path in sorted(MODELS.glob("*.py")):
        module = importlib.import_module(f"models.{path.stem}")
        named |= {spec: path.stem for spec in vars(module).values() if _is_of(spec, module)}
    ours = {spec for _, spec, _, _ in SUBJECTS}
    rest = {spec.__name__ if spec.__name__ != "Running" else f"{named[spec]}.Running" for spec in named.keys() - ours}
    assert rest == IN_PROOFS | BUT_FOR_A_LINE.keys()
    text = (MODELS.parent / "proofs" / "models_mutants_proof.py").read_text()
    assert all(re.search(rf"^    {name.split('.')[-1]}: \(Watcher", text, re.MULTILINE) for name in IN_PROOFS)


def _is_of(value, module):
    return isinstance(value, type) and issubclass(value, Spec) and value.__module__ == module.__name__


def test_every_survivor_is_of_a_model_and_has_a_reason():
    assert {row["model"] for row in SURVIVORS} <= {subject[0] for subject in SUBJECTS}
    assert all(row["why"] for row in SURVIVORS)
