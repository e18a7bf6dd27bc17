"""Layouts: the compiler's are those of the models, and a sharing is accepted exactly where it is sound.

`models/plans.py` says what a run of a tree is, `proofs/slots_proof.py` proves compact layouts of `models/slots.py`
sound for trees of any size in serial order. Here the compiled layouts are held against both, on every small tree; and
the tree that refutes them in parallel order (Y-B5) is compiled, refused, and then run all the same, to see it fail.
"""

from __future__ import annotations

from itertools import chain, combinations

import pytest

import hocket
from hocket.errors import PlanError
from hocket.plan import Layout, bind, borrow_prev, compile_plan, conflict, lay_out, task_tree
from hocket.runtime.plans_job import Job, Slots
from hocket.runtime.plans_kernel import run_on_kernel
from hocket.spec.refine import Run
from hocket.verdict import Holds, Violated
from models.plans import InParallel
from models.plans import plan as model_plan
from models.slots import Layout as Counting
from proofs.slots_proof import COMPACT, TREE


def trees(nodes):
    """Every tree of so many nodes in depth-first order: each node's parent is on the way down to the one before."""
    found = [(None,)]
    for node in range(1, nodes):
        found = [(*tree, parent) for tree in found for parent in way_down(tree, node - 1)]
    return found


def way_down(tree, node):
    return () if node is None else (node, *way_down(tree, tree[node]))


def nothing() -> None: ...


def number() -> int:
    return 5


def compiled(tree, payless=()):
    built = task_tree()
    for node in range(len(tree)):
        built.node(len(way_down(tree, node)) - 1, bind(nothing if node in payless else number, name=f"t{node}"))
    return compile_plan(built)


def subsets(nodes):
    return chain.from_iterable(combinations(range(nodes), size) for size in range(nodes + 1))


SMALL = [tree for nodes in range(1, 6) for tree in trees(nodes)]


def test_there_are_23_trees_of_up_to_five_nodes():
    assert len(SMALL) == 1 + 1 + 2 + 5 + 14


@pytest.mark.parametrize("layout", ["one_to_one", "compact"])
def test_a_compiled_layout_is_that_of_the_model_for_every_small_tree_and_any_payloads(layout):
    compared = 0
    for tree in SMALL:
        for payless in subsets(len(tree)):
            plan = compiled(tree, payless)
            given, _ = model_plan(tree, layout, payless)
            paid = [node for node in range(len(tree)) if node not in payless]
            assert {node: lay_out(plan, layout).slot[node] for node in paid} == {n: given["slot"][n] for n in paid}
            assert [plan.owns(node) for node in range(len(tree))] == [node in paid for node in range(len(tree))]
            compared += 1
    assert compared == 1 * 2 + 1 * 4 + 2 * 8 + 5 * 16 + 14 * 32


def test_a_compact_slot_is_what_the_proof_counts():
    """Each tree of up to four nodes is built in the proof's model, deed by deed, and its counts are read."""
    for nodes in range(1, 5):
        names = [f"n{node}" for node in range(nodes)]
        machine = Counting.machine(fold=False, Node=names)
        for payless in subsets(nodes):
            owned = {names[node] for node in range(nodes) if node not in payless}
            counting = Run(machine, {"owned": owned})
            for tree in trees(nodes):
                built = [("root", "n0"), *(("child", f"n{tree[node]}", f"n{node}") for node in range(1, nodes))]
                count = counting.accepts(built).state["count"]
                slots = dict(zip(names, lay_out(compiled(tree, payless), "compact").slot, strict=True))
                assert {name: count[name] - 1 for name in owned} == {name: slots[name] for name in owned}


def test_every_small_compact_layout_is_sound_in_serial_order():
    for tree in SMALL:
        plan = compiled(tree)
        assert conflict(plan, lay_out(plan, "compact"), "serial") is None


@pytest.mark.parametrize("tree", [tree for nodes in range(1, 5) for tree in trees(nodes)], ids=str)
def test_in_parallel_order_a_layout_is_refused_exactly_where_the_model_finds_two_payloads_in_a_slot(tree):
    plan = compiled(tree)
    for layout in ("one_to_one", "compact"):
        given, scope = model_plan(tree, layout)
        verdict = InParallel.search(given, claims=["no_two_payloads_share_a_slot"], **scope)
        found = verdict.verdicts["no_two_payloads_share_a_slot"]
        assert isinstance(found, Holds | Violated)
        assert (conflict(plan, lay_out(plan, layout), "parallel") is not None) == isinstance(found, Violated)


def test_in_parallel_order_only_chains_can_be_compact():
    sound = [tree for tree in SMALL if conflict(compiled(tree), lay_out(compiled(tree), "compact"), "parallel") is None]
    assert sound == [(None, *range(n - 1)) for n in range(1, 6)]


def test_no_layout_by_intervals_is_ever_in_conflict_and_in_serial_order_none_is_smaller():
    for tree in SMALL:
        for payless in subsets(len(tree)):
            plan = compiled(tree, payless)
            for order in ("serial", "parallel"):
                assert conflict(plan, lay_out(plan, "intervals", order), order) is None
            assert lay_out(plan, "intervals", "serial").count == lay_out(plan, "compact").count
            assert lay_out(plan, "intervals", "parallel").count == lay_out(plan, "one_to_one").count


def test_a_conflict_is_found_wherever_two_payloads_meet():
    """All layouts of two slots for four nodes, against all pairs, asked one by one."""
    for tree in trees(4):
        plan = compiled(tree)
        for order in ("serial", "parallel"):
            for word in range(16):
                slots = tuple(word >> node & 1 for node in range(4))
                pairs = [(a, b) for a, b in combinations(range(4), 2) if slots[a] == slots[b]]
                meeting = [pair for pair in pairs if not plan.is_over_before(*pair, order)]
                found = conflict(plan, Layout("made up", slots, 2), order)
                assert (found is not None) == bool(meeting)
                assert found is None or (found.one, found.other) in meeting


# -- Y-B5 -------------------------------------------------------------------------------------------------------------

REFUTING = (None, 0, 0)  # a root and two children, and a reader below each, so that somebody notices


def _noticing(seen):
    def give(name):
        return bind(lambda: name, returns=str, name=name)

    def notice(name):
        return bind(lambda payload: seen.append((name, payload)), borrow_prev(str), returns=None, name=f"reads {name}")

    return compile_plan(
        task_tree(give("root"), task_tree(give("left"), notice("left")), task_tree(give("right"), notice("right")))
    )


def test_the_refuting_tree_of_the_proof_is_that_tree_and_its_slots_are_the_compilers():
    assert sorted(TREE) == [("root", "left"), ("root", "right")]
    slots = lay_out(compiled(REFUTING), "compact").slot
    assert [COMPACT[name] for name in ("root", "left", "right")] == [f"slot {slot}" for slot in slots]
    plan = _noticing([])
    assert [slot for slot in lay_out(plan, "compact").slot if slot >= 0] == [0, 1, 1]


def test_a_compact_layout_in_parallel_order_is_refused_with_the_two_tasks():
    with pytest.raises(PlanError, match="'right' would share slot 1 with 'left', and in parallel order") as error:
        hocket.run_plan(_noticing([]), slots="compact", order="parallel")
    assert (error.value.code, error.value.node) == ("slots-overlap", "right")


def _at_once(layout):
    """The refuting tree on two worker threads, whatever the layout."""
    seen: list = []
    plan = _noticing(seen)
    job = Job(Slots(plan, lay_out(plan, layout), hocket.plan.Context({}), lambda: False), None, lambda: False)
    assert run_on_kernel(job, "parallel", "threads", 2).ok
    assert all(name == payload for name, payload in seen), seen
    assert len(seen) == 2


def test_the_refuting_tree_fails_when_it_is_run_with_a_compact_layout_all_the_same():
    result = hocket.explore(lambda: _at_once("compact"), data="off")
    assert result.verdict == "failed"
    assert result.failure.kind == "assertion"
    with pytest.raises(AssertionError):
        hocket.replay(lambda: _at_once("compact"), result.failure.schedule, data="off")


SEEN = [("one_to_one", ["left", "right"]), ("intervals", ["left", "right"]), ("compact", ["right", None])]


@pytest.mark.parametrize(("layout", "expected"), SEEN)
def test_first_in_first_out_is_an_order_that_shows_it(layout, expected):
    """The inline runtime runs left, right, and then their readers; compact, the second finds the slot emptied."""
    seen: list = []
    plan = _noticing(seen)
    slots = Slots(plan, lay_out(plan, layout, "parallel"), hocket.plan.Context({}), lambda: False)
    assert run_on_kernel(Job(slots, None, lambda: False), "parallel", "inline", 1).ok
    assert [payload for _, payload in seen] == expected
