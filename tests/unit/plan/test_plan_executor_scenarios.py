"""The scenarios of YOrch's executors (YO-01 to YO-26, YO-39 to YO-52), each in every combination in which it can run.

Ids are those of section 5.3 of the seeds' semantics. Where the original has scenarios of its own for the heap stack or
the compact layout (YO-11 to YO-15), they are the same tests with other parameters here.
"""

from __future__ import annotations

from typing import Annotated

import pytest

from hocket.errors import PlanError
from hocket.plan import (
    DirectOut,
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
    retry_fixed,
    retry_forever,
    task_tree,
    value,
    with_retry,
)
from hocket.plan.attempts import conduct
from hocket.runtime.plans import run_plan
from hocket.runtime.plans_job import perform
from tests.unit.plan.acting import COMBINATIONS, IN_TURN, Box, Counted, Ledger, Trace, Unique, raising, run

every_way = pytest.mark.parametrize(("slots", "executor"), IN_TURN)
four_ways = pytest.mark.parametrize(("slots", "executor"), COMBINATIONS)


def _how(slots, executor):
    return {"slots": slots, "executor": executor, "order": "serial"}


@every_way
def test_yo_01_a_root_alone_is_run_once(slots, executor):
    ran = []
    assert run(task_tree(bind(lambda: ran.append(9) or 9, returns=int)), **_how(slots, executor)).ok
    assert ran == [9]


@every_way
def test_yo_02_each_task_sees_the_payload_of_its_parent_only(slots, executor):
    seen = []

    def child(n):
        seen.append(n)
        return TaskResult.success(str(n * 3))

    tree = task_tree(
        bind(lambda: 5, returns=int),
        task_tree(
            bind(child, borrow_prev(int), returns=TaskResult[str]), bind(seen.append, borrow_prev(str), returns=None)
        ),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [5, "15"]


@every_way
def test_yo_03_depth_first_and_the_parents_payload_lives_in_its_whole_subtree(slots, executor):
    trace, ledger = Trace(), Ledger()

    def noted(name):
        def act() -> None:
            trace.append(name)
            ledger.look()

        return bind(act, name=name)

    tree = task_tree(
        bind(lambda: trace.append("A") or ledger.box(), returns=Box),
        task_tree(noted("B"), noted("C")),
        task_tree(noted("D"), noted("E")),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert trace == ["A", "B", "C", "D", "E"]
    assert (ledger.seen, ledger.made, ledger.alive) == ([1, 1, 1, 1], 1, 0)


@every_way
def test_yo_04_and_12_an_aborted_branch_ends_with_its_node(slots, executor):
    trace = Trace()
    tree = task_tree(
        trace.void("A"),
        task_tree(trace.step("B", StepResult.abort_branch()), trace.void("C")),
        task_tree(trace.void("D"), trace.void("E")),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert trace == ["A", "B", "D", "E"]


STOPS = [
    ("YO-05", StepResult.abort_execution(), Status.ABORT_EXECUTION),
    ("YO-06, YO-13", StepResult.failure(), Status.FAILURE),
    ("YO-07, YO-14", StepResult.retry(), Status.RETRY),
]


@every_way
@pytest.mark.parametrize(("scenario", "said", "status"), STOPS)
def test_yo_05_to_07_what_stops_a_run_stops_siblings_and_uncles_and_leaves_nothing_alive(
    scenario, said, status, slots, executor
):
    trace, ledger = Trace(), Ledger()
    tree = task_tree(
        bind(lambda: trace.append("A") or ledger.box(), returns=Box),
        task_tree(trace.void("B"), trace.step("C", said), trace.void("D")),
        trace.void("E"),
    )
    result = run(tree, **_how(slots, executor))
    assert (result.status, result.ok, bool(result), result.task) == (status, False, False, "C")
    assert trace == ["A", "B", "C"]
    assert (ledger.made, ledger.alive) == (1, 0)


@every_way
def test_yo_08_and_15_context_and_adapters_together(slots, executor):
    class Number:
        n = 4

    def add(number):
        number.n += 2

    shared = context(number := Number())
    tree = task_tree(
        bind(add, from_ctx(Number), returns=None),
        bind(raising(KeyError("no")), adapters=[catch_as_failure()], name="child"),
    )
    result = run(tree, shared, **_how(slots, executor))
    assert (result.status, number.n) == (Status.FAILURE, 6)
    assert isinstance(result.exception, KeyError)


@every_way
def test_yo_09_each_node_has_its_own_retries(slots, executor):
    trace = Trace()
    tree = task_tree(
        trace.void("A"),
        task_tree(trace.asking("B", 2, adapters=[with_retry(retry_fixed(4))]), trace.void("C")),
        trace.asking("D", 1, adapters=[with_retry(retry_forever())]),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert trace == ["A", "B", "B", "B", "C", "D", "D"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"slots": "one_to_one"},
        {"slots": "compact"},
        {"executor": "recursive"},
        {"slots": "compact", "executor": "stack"},
    ],
)
def test_yo_10_policies_are_said_or_left_unsaid(options):
    assert run(task_tree(bind(lambda: 9, returns=int)), **options).ok


@every_way
def test_yo_11_every_combination_gives_the_same_trace_and_result(slots, executor):
    trace = Trace()
    leaves = []
    tree = task_tree(
        bind(lambda: trace.append("A") or 5, returns=int),
        task_tree(
            bind(lambda n: trace.append("B") or str(2 * n), borrow_prev(int), returns=str),
            bind(lambda text: trace.append("C") or leaves.append(len(text) + 5), borrow_prev(str), returns=None),
        ),
        bind(lambda n: trace.append("D") or leaves.append(n + 5), borrow_prev(int), returns=None),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert (trace, leaves) == (["A", "B", "C", "D"], [7, 10])


@every_way
def test_yo_16_a_chain_passes_a_value_down(slots, executor):
    seen = []

    def more(n):
        seen.append(n + 1)
        return n + 1

    tree = task_tree().root(bind(lambda: seen.append(0) or 0, returns=int))
    for level in range(1, 8):
        tree.node(level, bind(more, borrow_prev(int), returns=int))
    assert run(tree, **_how(slots, executor)).ok
    assert seen == list(range(8))


@every_way
@pytest.mark.parametrize("number", [11, 19, 23])
def test_yo_17_a_direct_output_makes_what_cannot_be_copied_in_its_slot(number, slots, executor):
    seen = []

    def make(out: DirectOut[Unique]) -> StepResult:
        out.emplace(number)
        return StepResult.success()

    tree = task_tree(bind_into(make), bind(lambda box: seen.append(box.n), borrow_prev(Unique), returns=None))
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [number]


@every_way
def test_yo_18_a_failure_after_emplacing_destroys_the_payload(slots, executor):
    ledger, ran = Ledger(), []

    def make(out):
        out.put(ledger.box())
        return StepResult.failure()

    tree = task_tree(bind_into(make, returns=Box), bind(ran.append, borrow_prev(Box), returns=None))
    assert run(tree, **_how(slots, executor)).status is Status.FAILURE
    assert (ledger.made, ledger.alive, ran) == (1, 0, [])


@every_way
def test_yo_19_an_output_is_made_anew_at_each_attempt(slots, executor):
    ledger, attempts, seen = Ledger(), [], []

    def make(out):
        ledger.look()
        attempts.append(1)
        out.put(ledger.box(21))
        return StepResult.retry() if len(attempts) < 3 else StepResult.success()

    tree = task_tree(
        bind_into(make, returns=Box, adapters=[with_retry(retry_fixed(2))]),
        bind(lambda box: seen.append(box.n), borrow_prev(Box), returns=None),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert (len(attempts), ledger.seen, seen, ledger.alive) == (3, [0, 0, 0], [21], 0)


@every_way
def test_yo_20_what_a_direct_output_task_raises_is_caught(slots, executor):
    def make(out: DirectOut[int]) -> StepResult:
        raise ValueError("no")

    ran = []
    tree = task_tree(bind_into(make, adapters=[catch_as_failure()]), bind(ran.append, borrow_prev(int), returns=None))
    assert run(tree, **_how(slots, executor)).status is Status.FAILURE
    assert ran == []


# -- fan-out ----------------------------------------------------------------------------------------------------------


def _five() -> Box:
    return Box(5)


def _child(source, adapters=()):
    return bind(lambda box: None, source, returns=None, name=source.mode.value, adapters=adapters)


MUT, BORROW, COPY, CONSUME = borrow_prev_mut(Box), borrow_prev(Box), copy_prev(Box), consume_prev(Box)

REFUSED_FANOUTS = [
    ("YO-21", "shared_readonly", [MUT]),
    ("YO-23", "consume_with_copies", [CONSUME, CONSUME]),
    ("YO-23", "consume_with_copies", [CONSUME, BORROW]),
    ("YO-23", "consume_with_copies", [CONSUME, MUT]),
    ("YO-43", "auto", [MUT, BORROW]),
    ("YO-43", "auto", [CONSUME, BORROW]),
]


@pytest.mark.parametrize(("scenario", "policy", "children"), REFUSED_FANOUTS)
def test_yo_21_23_43_children_that_a_policy_does_not_allow_are_refused(scenario, policy, children):
    with pytest.raises(PlanError, match="incompatible with child prev-access modes") as error:
        compile_plan(task_tree(_five, *map(_child, children), fanout=policy))
    assert (error.value.code, error.value.node) == ("fanout", "_five")


def _seeing(seen, source):
    return bind(lambda box: seen.append(box.n), source, returns=None)


@every_way
def test_yo_22_one_consumes_and_the_others_have_copies(slots, executor):
    seen = []
    tree = task_tree(
        lambda_returning(Box(11)),
        *(_seeing(seen, source) for source in (CONSUME, COPY, COPY)),
        fanout="consume_with_copies",
    )
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [11, 11, 11]


def lambda_returning(box):
    return bind(lambda: box, returns=type(box), name="root")


@four_ways
def test_yo_24_the_copy_is_staged_before_the_consuming_child_runs(slots, executor):
    events = []

    class Told(Box):
        def __deepcopy__(self, memo):
            events.append("copy")
            return Told(self.n)

    tree = task_tree(
        bind(lambda: Told(9), returns=Told),
        bind(lambda told: events.append(("consume", told.n)), consume_prev(Told), returns=None),
        bind(lambda told: events.append(("copied", told.n)), copy_prev(Told), returns=None),
        fanout="consume_with_copies",
    )
    assert run(tree, **_how(slots, executor)).ok
    assert events == ["copy", ("consume", 9), "copy", ("copied", 9)]


@four_ways
def test_yo_25_all_copies_are_made_of_one_stage(slots, executor):
    Counted.copies = 0
    sources = (consume_prev(Counted), copy_prev(Counted), copy_prev(Counted))
    tree = task_tree(
        bind(lambda: Counted(1), returns=Counted),
        *(_seeing([], source) for source in sources),
        fanout="consume_with_copies",
    )
    assert run(tree, **_how(slots, executor)).ok
    assert Counted.copies == 3  # one stage, and one of it for each of two children


@four_ways
@pytest.mark.parametrize(("words", "copies"), [((consume_prev,), 0), ((copy_prev, copy_prev), 2)])
def test_nothing_is_staged_where_nobody_takes_or_nobody_copies(words, copies, slots, executor):
    Counted.copies = 0
    below = [_seeing([], word(Counted)) for word in words]
    root = bind(lambda: Counted(1), returns=Counted)
    assert run(task_tree(root, *below, fanout="consume_with_copies"), **_how(slots, executor)).ok
    assert Counted.copies == copies


@four_ways
def test_yo_26_the_stage_is_gone_when_the_consuming_child_ends_the_run(slots, executor):
    Ledgered.ledger = ledger = Ledger()
    ran = []
    tree = task_tree(
        bind(lambda: Ledgered(3), returns=Ledgered),
        bind(lambda box: StepResult.abort_execution(), consume_prev(Ledgered), returns=StepResult),
        bind(ran.append, copy_prev(Ledgered), returns=None),
        fanout="consume_with_copies",
    )
    assert run(tree, **_how(slots, executor)).status is Status.ABORT_EXECUTION
    assert (ran, ledger.alive) == ([], 0)


class Ledgered(Box):
    """Counted while it lives, and so are its copies."""

    ledger: Ledger

    def __init__(self, n):
        super().__init__(n)
        self.counted = Ledgered.ledger.box(n)

    def __deepcopy__(self, memo):
        return Ledgered(self.n)


# -- forward-prev -----------------------------------------------------------------------------------------------------


def _add(amount):
    def act(box: Box) -> None:
        box.n += amount

    return bind_forward_prev(act, borrow_prev_mut(Box), name=f"add{amount}")


@every_way
def test_yo_30_a_chain_of_forwards_is_one_object_in_one_slot(slots, executor):
    seen = []
    root = Box(10)
    tree = task_tree(
        lambda_returning(root), task_tree(_add(2), task_tree(_add(3), bind(seen.append, BORROW, returns=None)))
    )
    plan = compile_plan(tree)
    assert run_plan(plan, **_how(slots, executor)).ok
    assert seen == [root]
    assert seen[0] is root
    assert root.n == 15
    assert list(plan.owner) == [0, 0, 0, -1]


class Worker(Box):
    def add(self, amount):
        self.n += amount

    def plus(self, amount: int) -> int:
        return self.n + amount

    def give(self, out: DirectOut[int]) -> None:
        out.emplace(self.n)

    def mutate(self: Annotated[Worker, borrow_prev_mut], amount: int) -> None:
        self.n += amount


FORWARDS = [
    ("YO-31", bind_forward_prev(lambda box: box.add(2), borrow_prev_mut(Worker))),
    ("YO-32", bind_forward_prev(lambda box, more: box.add(more), borrow_prev_mut(Worker), value(2))),
]


@every_way
@pytest.mark.parametrize("forward", FORWARDS, ids=lambda row: row[0])
def test_yo_31_to_33_a_forward_hands_its_parents_payload_on(forward, slots, executor):
    seen = []
    for task in (forward[1], bind_forward_prev_member(Worker.add, borrow_prev_mut(Worker), value(2))):
        tree = task_tree(
            bind(lambda: Worker(10), returns=Worker),
            task_tree(task, bind(lambda worker: seen.append(worker.n), borrow_prev(Worker), returns=None)),
        )
        plan = compile_plan(tree)
        assert run_plan(plan, **_how(slots, executor)).ok
        assert sum(plan.owns(node) for node in range(3)) == 1
    assert seen == [12, 12]


# -- prev access ------------------------------------------------------------------------------------------------------


@every_way
def test_yo_39_a_copy_under_retry(slots, executor):
    attempts = []

    def act(box):
        box.n += 1
        attempts.append(box.n)
        return StepResult.retry() if len(attempts) < 2 else StepResult.success()

    tree = task_tree(
        lambda_returning(Box(3)), bind(act, COPY, returns=StepResult, adapters=[with_retry(retry_fixed(1))])
    )
    assert run(tree, **_how(slots, executor)).ok
    assert attempts == [4, 4]


@every_way
def test_yo_40_a_single_child_may_change_the_payload(slots, executor):
    seen = []

    def act(box):
        box.n += 4
        return box.n

    tree = task_tree(
        lambda_returning(Box(5)),
        task_tree(bind(act, MUT, returns=int), bind(seen.append, borrow_prev(int), returns=None)),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [9]


@every_way
def test_yo_41_a_receiver_may_be_the_parents_payload_and_change_it(slots, executor):
    seen = []
    tree = task_tree(
        bind(lambda: Worker(5), returns=Worker),
        task_tree(
            bind_forward_prev_member(Worker.mutate, borrow_prev_mut(Worker), value(4)),
            bind(lambda worker: seen.append(worker.n), borrow_prev(Worker), returns=None),
        ),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [9]


@four_ways
def test_yo_42_a_payload_that_cannot_be_copied_is_consumed(slots, executor):
    seen = []
    tree = task_tree(
        bind(lambda: Unique(17), returns=Unique),
        bind(lambda box: seen.append(box.n), consume_prev(Unique), returns=None),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [17]


@every_way
def test_yo_43_any_number_may_read(slots, executor):
    seen = []
    assert run(
        task_tree(lambda_returning(Box(1)), _seeing(seen, BORROW), _seeing(seen, BORROW)), **_how(slots, executor)
    ).ok
    assert seen == [1, 1]


@every_way
def test_yo_45_a_receiver_may_be_consumed(slots, executor):
    seen = []
    tree = task_tree(
        bind(lambda: Worker(1), returns=Worker),
        task_tree(
            bind_member(Worker.plus, consume_prev(Worker), value(3)), bind(seen.append, borrow_prev(int), returns=None)
        ),
    )
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [4]


TWICE = [
    ("YO-46, YO-52 copy and copy", copy_prev, copy_prev, [Worker(2), Worker(2)], 4),
    ("YO-50 borrow and borrow", borrow_prev, borrow_prev, [Worker(4), Worker(4)], 8),
    ("YO-51 borrow and copy", borrow_prev, copy_prev, [Worker(7), Worker(7)], 14),
    ("YO-52 copy and copy", copy_prev, copy_prev, [Worker(5), Worker(5)], 10),
]


@every_way
@pytest.mark.parametrize(("scenario", "one", "other", "both", "total"), TWICE, ids=[row[0] for row in TWICE])
def test_yo_46_50_to_52_one_task_may_share_a_payload_with_itself(scenario, one, other, both, total, slots, executor):
    seen = []

    def act(receiver, argument):
        seen.append(([receiver, argument], receiver.n + argument.n))

    tree = task_tree(lambda_returning(both[0]), bind(act, one(Worker), other(Worker), returns=None))
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [(both, total)]


@every_way
def test_yo_49_two_children_with_a_copy_each(slots, executor):
    seen = []

    def act(box):
        seen.append(box.n)
        box.n += 1  # nobody else's

    tree = task_tree(lambda_returning(Box(9)), bind(act, COPY, returns=None), bind(act, COPY, returns=None))
    assert run(tree, **_how(slots, executor)).ok
    assert seen == [9, 9]


# -- one task alone (YO-53 to YO-62) ----------------------------------------------------------------------------------


def _alone(task, *given):
    """What came of a single task, without a tree: its status, and its payload if it has one."""
    outcome = perform(conduct(task, lambda: given))
    return outcome.status, getattr(outcome, "value", None)


ALONE = [
    ("YO-54 a bool is a payload", bind(lambda: False, returns=bool), (), (Status.SUCCESS, False)),
    ("YO-55 a retry propagates", bind(StepResult.retry, returns=StepResult), (), (Status.RETRY, None)),
    ("YO-56 a plain value", bind(lambda n: n + 1, value(0), returns=int), (4,), (Status.SUCCESS, 5)),
    ("YO-57 a task result", bind(TaskResult.success, value(0), returns=TaskResult[int]), (14,), (Status.SUCCESS, 14)),
    (
        "YO-58 an aborted branch",
        bind(TaskResult.abort_branch, returns=TaskResult[int]),
        (),
        (Status.ABORT_BRANCH, None),
    ),
    (
        "YO-59 an output",
        bind_into(lambda n, out: out.emplace(2 * n) and None, value(0), returns=int),
        (7,),
        (Status.SUCCESS, 14),
    ),
    ("YO-60 a member", bind_member(Worker.plus, value(0), value(0)), (Worker(4), 3), (Status.SUCCESS, 7)),
    ("YO-62 caught", bind(raising(KeyError()), adapters=[catch_as_failure()]), (), (Status.FAILURE, None)),
]


@pytest.mark.parametrize(("scenario", "task", "given", "expected"), ALONE, ids=[row[0] for row in ALONE])
def test_yo_53_to_62_a_task_alone(scenario, task, given, expected):
    assert _alone(task, *given) == expected


@every_way
def test_yo_53_and_61_a_bound_task_with_a_context_keeps_what_it_did_there(slots, executor):
    shared = context(worker := Worker(5))

    def act(worker):
        worker.n *= 2
        return StepResult.retry()

    result = run(task_tree(bind(act, from_ctx(Worker), returns=StepResult)), shared, **_how(slots, executor))
    assert (result.status, worker.n) == (Status.RETRY, 10)
    into = bind_into_member(Worker.give, from_ctx(Worker))
    seen = []
    tree = task_tree(into, bind(seen.append, borrow_prev(int), returns=None))
    assert run(tree, shared, **_how(slots, executor)).ok
    assert seen == [10]
