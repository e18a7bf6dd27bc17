"""Trees in both spellings, what a compiled plan says of itself, and the trees of YOrch's unit tests (T, P, S)."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.errors import PlanError, Refused
from hocket.plan import (
    DirectOut,
    Fanout,
    Status,
    StepResult,
    TaskResult,
    bind,
    bind_forward_prev,
    bind_forward_prev_member,
    bind_into,
    bind_into_member,
    bind_member,
    borrow_prev,
    borrow_prev_mut,
    catch_as_failure,
    compile_plan,
    consume_prev,
    context,
    copy_prev,
    from_ctx,
    lay_out,
    ref,
    retry_fixed,
    task_tree,
    value,
    with_retry,
)
from hocket.plan.bind import Slot
from hocket.runtime.plans import run_plan
from tests.unit.plan.acting import COMBINATIONS, Box, Ledger, Trace, Unique, raising, run


def nothing() -> None: ...


def number() -> int:
    return 7


# -- two spellings ----------------------------------------------------------------------------------------------------


def _by_levels(levels):
    tree = task_tree()
    for place, level in enumerate(levels):
        tree.node(level, bind(nothing, name=f"t{place}"))
    return tree


def _by_nesting(levels, place=0):
    """The subtree at `place`, and where the next begins."""
    below, next_place = [], place + 1
    while next_place < len(levels) and levels[next_place] > levels[place]:
        part, next_place = _by_nesting(levels, next_place)
        below.append(part)
    return task_tree(bind(nothing, name=f"t{place}"), *below), next_place


@st.composite
def tree_levels(draw, most=8):
    """The levels of a tree, as a depth-first walk meets them."""
    levels = [0]
    for _ in range(draw(st.integers(0, most - 1))):
        levels.append(draw(st.integers(1, levels[-1] + 1)))
    return levels


@settings(max_examples=40, deadline=None)
@given(tree_levels())
def test_both_spellings_build_the_same_tree(levels):
    one, other = _by_levels(levels), _by_nesting(levels)[0]
    assert one == other
    assert list(compile_plan(one).parents) == list(compile_plan(other).parents)
    assert [level for level, _, _ in other.rows()] == levels


def test_trees_that_differ_in_a_task_a_level_or_a_policy_are_not_equal():
    assert task_tree(nothing, number) != task_tree(nothing, nothing)
    assert task_tree(nothing, number, number) != task_tree(nothing, task_tree(number, number))
    assert task_tree(number, nothing, fanout="shared_readonly") != task_tree(number, nothing)


def test_a_tree_that_is_a_part_of_another_is_not_built_on():
    part = task_tree(nothing)
    whole = task_tree(nothing, part, part)
    with pytest.raises(Refused, match="part of another tree"):
        part.node(1, nothing)
    assert len(compile_plan(whole)) == 3


def test_a_tree_is_printed_as_it_stands():
    assert str(task_tree(nothing, task_tree(number, nothing), number)) == "nothing\n  number\n    nothing\n  number"


# -- T1 to T5 ---------------------------------------------------------------------------------------------------------


def test_t1_and_t2_levels_and_policies_are_kept():
    tree = task_tree().root(number, fanout="shared_readonly").node(1, number).node(2, nothing)
    tree.node(1, number, fanout="consume_with_copies").node(2, nothing)
    rows = list(tree.rows())
    assert [level for level, _, _ in rows] == [0, 1, 2, 1, 2]
    assert [rows[place][2] for place in (0, 1, 3)] == [Fanout.SHARED_READONLY, Fanout.AUTO, Fanout.CONSUME_WITH_COPIES]


def test_t3_and_t4_a_task_may_hold_what_cannot_be_copied():
    unique, seen = Unique(7), []
    tree = task_tree(
        bind(lambda box: box, value(ref(unique)), returns=Unique), bind(seen.append, borrow_prev(Unique), returns=None)
    )
    assert run(tree).ok
    assert seen[0] is unique


ACCEPTED = [([], 0), ([0], 1), ([0, 1], 1), ([0, 1], 2), ([0, 1, 2], 1)]
REFUSED = [([], 1), ([], 2), ([0], 0), ([0], 2), ([0, 1], 3), ([0, 1], -1)]
FLAVOURS = {
    "ordinary": nothing,
    "into": bind_into(lambda out: out.emplace(1) and None, returns=int),
    "forward": bind_forward_prev(lambda box: None, borrow_prev_mut(Box)),
    "member": bind_member(str.upper, value("a"), returns=str),
}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_t5_a_level_is_one_deeper_at_most(flavour):
    for levels, level in ACCEPTED:
        assert len(list(_by_levels(levels).node(level, FLAVOURS[flavour]).rows())) == len(levels) + 1
    for levels, level in REFUSED:
        with pytest.raises(PlanError) as error:
            _by_levels(levels).node(level, FLAVOURS[flavour])
        assert error.value.code == "level"


# -- T6 to T25 --------------------------------------------------------------------------------------------------------


class Worker(Box):
    """A number that can be seeded, changed and read."""

    def seed(self, n: int) -> int:
        self.n = 2 * n
        return self.n

    def put(self, more: int, out: DirectOut[int]) -> StepResult:
        self.n += more
        out.emplace(self.n)
        return StepResult.success()

    def text(self, out: DirectOut[str]) -> None:
        out.emplace(self.n)

    def add(self, more: int) -> int:
        self.n += more
        return self.n

    def grow(self, more: int) -> None:
        self.n += more

    def serve(self, payload: Box, more: int) -> None:
        self.n = payload.n
        payload.n += more


def _box(n, kind=Box):
    return bind(lambda: kind(n), returns=kind, name="root")


def _see(seen, kind, word=borrow_prev):
    return bind(lambda payload: seen.append(getattr(payload, "n", payload)), word(kind), returns=None, name="see")


def _seen(*chain, given=(), kind, **options):
    """What the last of a chain of tasks has for a payload, in all four combinations."""
    found = []
    for slots, executor in COMBINATIONS:
        seen: list = []
        tree = task_tree()
        for level, task in enumerate([*chain, _see(seen, kind)]):
            tree.node(level, task)
        assert run(tree, *given, slots=slots, executor=executor).ok
        found += seen
    assert len(set(map(str, found))) == 1, found
    return found[0]


def test_t6_and_t7_a_callable_with_sources_is_a_task():
    def text(n: int) -> str:
        return str(2 * n)

    def back(text: str, out: DirectOut[int]) -> None:
        out.emplace(text)

    assert _seen(number, bind(text, borrow_prev(int)), kind=str) == "14"
    assert _seen(number, bind(text, borrow_prev(int)), bind_into(back, borrow_prev(str)), kind=int) == 14


def test_t8_a_forward_has_no_slot_of_its_own():
    grow = bind_forward_prev(Worker(0).serve, borrow_prev_mut(Box), value(4))
    assert _seen(_box(5), grow, kind=Box) == 9
    plan = compile_plan(task_tree(_box(5), grow))
    assert [lay_out(plan, layout).count for layout in ("one_to_one", "compact")] == [1, 1]


def _into_raising(out: DirectOut[int]) -> None:
    raise KeyError


@pytest.mark.parametrize(
    ("scenario", "task"), [("T9", bind(raising(KeyError()))), ("T10", bind_into(_into_raising))], ids=["T9", "T10"]
)
@pytest.mark.parametrize("adapters", [(), (catch_as_failure(),)], ids=["bare", "caught"])
def test_t9_and_t10_what_a_root_raises_is_a_failure(scenario, task, adapters):
    from dataclasses import replace

    assert run(task_tree(replace(task, adapters=adapters))).status is Status.FAILURE


def test_t11_a_caught_exception_may_become_a_payload():
    def bad() -> int:
        raise KeyError

    assert _seen(bind(bad, adapters=[catch_as_failure(lambda error: -9)]), kind=int) == -9
    caught = catch_as_failure(lambda error: TaskResult.success(-9))
    assert _seen(bind(bad, adapters=[caught]), kind=int) == -9


def test_t12_a_caught_exception_may_end_its_branch_and_the_slot_stays_empty():
    ran = []
    bad = bind_into(_into_raising, adapters=[catch_as_failure(lambda error: StepResult.abort_branch())])
    for slots, executor in COMBINATIONS:
        tree = task_tree(nothing, task_tree(bad, _see(ran, int)), bind(lambda: ran.append("after"), returns=None))
        assert run(tree, slots=slots, executor=executor).ok
    assert ran == ["after"] * 4


RETRIED = [("T13", None), ("T14", 21), ("T15", 3), ("T16", "6")]


@pytest.mark.parametrize(("scenario", "payload"), RETRIED)
def test_t13_to_t16_a_task_is_tried_until_it_succeeds(scenario, payload):
    for slots, executor in COMBINATIONS:
        attempts = []

        def act(attempts=attempts):
            attempts.append(1)
            if len(attempts) < 3:
                return StepResult.retry() if payload is None or scenario in ("T14", "T16") else TaskResult.retry()
            return StepResult.success() if payload is None else TaskResult.success(payload)

        def put(out):
            if act().ok:
                out.put(payload)
                return StepResult.success()
            return StepResult.retry()

        adapters = [with_retry(retry_fixed(3))]
        if payload is None:
            task = bind(act, returns=StepResult, adapters=adapters)
        elif scenario in ("T14", "T16"):
            task = bind_into(put, returns=type(payload), adapters=adapters)
        else:
            task = bind(act, returns=TaskResult[int], adapters=adapters)
        seen: list = []
        tree = task_tree(task) if payload is None else task_tree(task, _see(seen, type(payload)))
        assert run(tree, slots=slots, executor=executor).ok
        assert (len(attempts), seen) == (3, [] if payload is None else [payload])


def test_t17_and_t23_members_of_a_referenced_worker():
    worker = Worker(None)
    seed = bind_member(Worker.seed, value(ref(worker)), value(3))
    assert _seen(seed, bind_into_member(Worker.text, value(ref(worker))), kind=str) == "6"
    assert worker.n == 6


def test_t18_a_member_of_the_context_puts_a_payload():
    for slots, executor in COMBINATIONS:
        seen, worker = [], Worker(5)
        tree = task_tree(bind_into_member(Worker.put, from_ctx(Worker), value(2)), _see(seen, int))
        assert run(tree, context(worker), slots=slots, executor=executor).ok
        assert (seen, worker.n) == ([7], 7)


MEMBERS = [
    ("T19 mut receiver", bind_member(Worker.add, borrow_prev_mut(Worker), value(4)), 8, int, 12),
    ("T20 borrow receiver", bind_into_member(Worker.text, borrow_prev(Worker)), 15, str, "15"),
    ("T21 forward member", bind_forward_prev_member(Worker.grow, borrow_prev_mut(Worker), value(4)), 8, Worker, 12),
    ("T24 copy receiver", bind_member(Worker.add, copy_prev(Worker), value(4)), 8, int, 12),
    ("T25 consume receiver", bind_into_member(Worker.text, consume_prev(Worker)), 15, str, "15"),
]


@pytest.mark.parametrize(("scenario", "task", "state", "kind", "expected"), MEMBERS, ids=[row[0] for row in MEMBERS])
def test_t19_to_t25_a_member_whose_receiver_is_the_payload(scenario, task, state, kind, expected):
    assert _seen(_box(state, Worker), task, kind=kind) == expected


def test_t22_a_service_of_the_context_changes_what_is_forwarded():
    for slots, executor in COMBINATIONS:
        seen, service = [], Worker(0)
        task = bind_forward_prev_member(Worker.serve, from_ctx(Worker), borrow_prev_mut(Box), value(5))
        tree = task_tree(_box(6), task_tree(task, _see(seen, Box)))
        assert run(tree, context(service), slots=slots, executor=executor).ok
        assert (seen, service.n) == ([11], 6)


# -- P and S ----------------------------------------------------------------------------------------------------------


def _five_nodes():
    """YO-P1: levels 0 1 2 1 2."""
    tree = task_tree().root(bind(number), fanout="shared_readonly")
    tree.node(1, bind(lambda n: TaskResult.success(str(n)), borrow_prev(int), returns=TaskResult[str], name="maybe"))
    tree.node(2, bind(StepResult.success, returns=StepResult, name="step"))
    tree.node(1, bind(nothing)).node(2, bind(lambda: False, returns=bool, name="flag"))
    return tree


def test_p1_a_plan_knows_parents_children_outputs_slots_and_policies():
    plan = compile_plan(_five_nodes())
    nodes = [plan.node(place) for place in range(5)]
    assert list(plan.parents) == [-1, 0, 1, 0, 3]
    assert [node.befores for node in nodes] == [(), (0,), (1,), (0,), (3,)]
    assert [node.children for node in nodes] == [(1, 3), (2,), (), (4,), ()]
    assert [node.payload for node in nodes] == [int, str, None, None, bool]
    assert [node.slot for node in nodes] == [Slot.MUST, Slot.MAYBE, Slot.NONE, Slot.NONE, Slot.MUST]
    assert [node.fanout for node in nodes] == [Fanout.SHARED_READONLY, *[Fanout.AUTO] * 4]
    assert [node.level for node in nodes] == [0, 1, 2, 1, 2]
    assert plan.names == ("number", "maybe", "step", "nothing", "flag")


class Uncopied:
    """A callable that refuses to be copied."""

    def __init__(self, called):
        self.called = called

    def __call__(self) -> None:
        self.called.append(self)

    def __copy__(self):
        raise AssertionError("it was copied")

    def __deepcopy__(self, memo):
        raise AssertionError("it was copied")


def test_p2_a_task_that_cannot_be_copied_is_kept_as_it_is():
    called = []
    plan = compile_plan(task_tree(bind(Uncopied(called), returns=None)))
    assert run_plan(plan).ok
    assert run_plan(plan).ok
    assert called[0] is called[1]


def test_p3_two_plans_of_one_tree_are_of_one_type_and_say_the_same():
    one, other = compile_plan(_five_nodes()), compile_plan(_five_nodes())
    assert type(one) is type(other)
    assert (one.names, list(one.parents), list(one.levels)) == (other.names, list(other.parents), list(other.levels))


def test_p6_what_a_task_puts_out_directly_is_its_declared_output():
    taker = bind(lambda n: None, borrow_prev(int), returns=None)
    plan = compile_plan(task_tree(bind_into(lambda out: out.put(7), returns=int), taker))
    assert (plan.node(0).payload, plan.node(0).slot) == (int, Slot.MAYBE)


RETRYING, CATCHING = [with_retry(retry_fixed(1))], [catch_as_failure(lambda error: 0)]
KINDS = [
    (bind(number), Slot.MUST),
    (bind(lambda: None, returns=TaskResult[int]), Slot.MAYBE),
    (bind(lambda: None, returns=StepResult), Slot.NONE),
    (bind(nothing), Slot.NONE),
    (bind_into(lambda out: None, returns=int), Slot.MAYBE),
    (bind(lambda: True, returns=bool, adapters=RETRYING), Slot.MUST),
    (bind(number, adapters=CATCHING), Slot.MUST),
]


@pytest.mark.parametrize(("task", "slot"), KINDS)
def test_p7_whether_a_slot_must_be_filled_is_read_from_the_task(task, slot):
    assert task.slot is slot


def test_s3_compact_slots_are_shared_by_siblings():
    plan = compile_plan(_five_nodes())
    assert lay_out(plan, "compact").slot == (0, 1, -1, -1, 1)
    assert lay_out(plan, "compact").count == 2
    assert lay_out(plan, "one_to_one").slot == (0, 1, -1, -1, 2)


def test_s1_and_s6_a_slot_is_used_again_and_is_empty_at_the_end():
    ledger = Ledger()

    def make() -> Box:
        ledger.look()
        return ledger.box()

    plan = compile_plan(task_tree(make, make, make))
    for slots, executor in COMBINATIONS:
        ledger.seen.clear()
        assert run_plan(plan, slots=slots, executor=executor).ok
        assert (ledger.seen, ledger.alive) == ([0, 1, 1], 0)


def test_every_node_has_a_name_of_its_own_whatever_tasks_are_called():
    called = ["a", "a#2", "a", "a", "life of a", "a#3"]
    tree = task_tree().root(nothing)
    for name in called:
        tree.node(1, bind(lambda: 1, returns=int, name=name)).node(2, nothing)
    plan = compile_plan(tree)
    assert plan.names[1::2] == ("a", "a#2", "a#4", "a#5", "life of a", "a#3")
    assert len(set(plan.names)) == len(plan)
    for order in ("serial", "parallel"):
        assert run_plan(plan, executor="inline", order=order).ok


def test_a_plan_runs_many_times_and_its_tasks_keep_their_state():
    trace = Trace()
    plan = compile_plan(task_tree(trace.void("A"), trace.void("B")))
    for _ in range(3):
        assert run_plan(plan).ok
    assert trace == ["A", "B"] * 3


# -- size -------------------------------------------------------------------------------------------------------------

MILLION = 1_000_000


@pytest.mark.parametrize("depth", [100_000, MILLION], ids=["a tenth", "whole"])
def test_a_tree_a_million_deep_is_compiled_and_run(depth):
    if depth == MILLION and not os.environ.get("HOCKET_WHOLE"):
        pytest.skip("takes eight seconds: `make prove` asks for it")
    count = [0]

    def act() -> None:
        count[0] += 1

    task, tree = bind(act), task_tree()
    for level in range(depth):
        tree.node(level, task)
    plan = compile_plan(tree)
    assert plan.levels[-1] == depth - 1
    assert run_plan(plan).ok
    assert count[0] == depth
    with pytest.raises(Refused, match=f"of {depth} tasks"):
        run_plan(plan, executor="recursive")


@pytest.mark.parametrize("executor", ["recursive", "stack"])
def test_a_deep_chain_of_payloads_needs_no_deep_stack(executor):
    depth = 3 * sys.getrecursionlimit()
    more = bind(lambda n: n + 1, borrow_prev(int), returns=int)
    seen: list = []
    tree = task_tree(bind(lambda: 1, returns=int))
    for level in range(1, depth):
        tree.node(level, more)
    tree.node(depth, _see(seen, int))
    assert run(tree, executor=executor, slots="compact").ok
    assert seen == [depth]


def test_a_nested_tree_may_be_as_deep():
    task = bind(nothing)
    tree = task_tree(task)
    for _ in range(6 * sys.getrecursionlimit()):
        tree = task_tree(task, tree)
    assert run(tree).ok
