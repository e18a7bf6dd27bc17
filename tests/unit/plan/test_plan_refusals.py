"""What is refused, with which words: YOrch's 45 compile-fail cases, and the seven checks of a plan in their order.

Each row says the stable part of the message. Python has neither references nor const; where the original refuses
`T&` as a payload, here a payload that is declared as borrowed is refused, and where it refuses a mutable member on a
read-only receiver, a receiver that asks for `borrow_prev_mut`.
"""

from __future__ import annotations

from typing import Annotated

import pytest

from hocket.errors import PlanError
from hocket.plan import (
    DirectOut,
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
    compile_plan,
    consume_prev,
    copy_prev,
    from_ctx,
    retry_fixed,
    task_tree,
    value,
    with_retry,
)
from hocket.plan.checks import CHECKS
from tests.unit.plan.acting import Box, Unique

Borrowed = Annotated[Box, borrow_prev]


class Worker(Box):
    def note(self, n: int) -> None: ...

    def give(self, n: int, out: DirectOut[int]) -> None: ...

    def mutate(self: Annotated[Worker, borrow_prev_mut], n: int) -> None: ...

    def change(self, other: Worker) -> None: ...

    def change_into(self, out: DirectOut[int]) -> None: ...


def two(a: int, b: int) -> int: ...


def any_number(*numbers: int) -> int: ...


def change(box: Box) -> None: ...


def into(n: int, out: DirectOut[int]) -> None: ...


def out_first(out: DirectOut[int], n: int) -> None: ...


def change_into(box: Box, out: DirectOut[int]) -> None: ...


def five() -> int:
    return 5


def box() -> Box:
    return Box(5)


def nothing() -> None: ...


MUT, BORROW, COPY, CONSUME = borrow_prev_mut(Box), borrow_prev(Box), copy_prev(Box), consume_prev(Box)
WORKER = borrow_prev_mut(Worker)
RETRY = [with_retry(retry_fixed(1))]

COMPILE_FAILS = [
    # bind, 3
    ("bind: arity", lambda: bind(two, value(1)), "requires exactly one source per parameter"),
    ("bind: no concrete signature", lambda: bind(any_number, value(1)), "has no one concrete signature"),
    ("bind: member", lambda: bind(Worker.note, value(1), value(2)), "is a member function: use bind_member"),
    # bind_into, 7
    ("into: None", lambda: bind_into(into, value(1), returns=None), "requires a payload type that is not None"),
    ("into: borrowed", lambda: bind_into(into, value(1), returns=Borrowed), "does not allow a borrowed payload"),
    ("into: no output", lambda: bind_into(two, value(1)), r"requires DirectOut\[T\] as its last parameter"),
    ("into: output not last", lambda: bind_into(out_first, value(1)), r"requires DirectOut\[T\] as its last parameter"),
    (
        "into: another type",
        lambda: bind_into(into, value(1), returns=str),
        r"has a DirectOut\[int\] and should give str",
    ),
    ("into: arity", lambda: bind_into(into), "requires exactly one source per parameter"),
    ("into: member", lambda: bind_into(Worker.give, value(1), value(2)), "is a member function: use bind_into_member"),
    # bind_member, 3
    ("member: free function", lambda: bind_member(two, value(1), value(2)), "is no member function"),
    ("member: output", lambda: bind_member(Worker.give, value(1), value(2)), "takes a DirectOut: use bind_into"),
    ("member: arity", lambda: bind_member(Worker.note, value(1)), "requires exactly one source per parameter"),
    # bind_into_member, 6
    ("into member: free function", lambda: bind_into_member(into, value(1)), "is no member function"),
    ("into member: ordinary", lambda: bind_into_member(Worker.note, value(1)), r"requires DirectOut\[T\] as its last"),
    (
        "into member: None",
        lambda: bind_into_member(Worker.give, value(1), value(2), returns=None),
        "requires a payload type that is not None",
    ),
    (
        "into member: borrowed",
        lambda: bind_into_member(Worker.give, value(1), value(2), returns=Borrowed),
        "does not allow a borrowed payload",
    ),
    (
        "into member: another type",
        lambda: bind_into_member(Worker.give, value(1), value(2), returns=str),
        r"has a DirectOut\[int\] and should give str",
    ),
    (
        "into member: arity",
        lambda: bind_into_member(Worker.give, value(1)),
        "requires exactly one source per parameter",
    ),
    # bind_forward_prev, 9
    ("forward: None", lambda: bind_forward_prev(change, MUT, returns=None), "requires a payload type that is not None"),
    (
        "forward: borrowed",
        lambda: bind_forward_prev(change, MUT, returns=Borrowed),
        "does not allow a borrowed payload",
    ),
    ("forward: output", lambda: bind_forward_prev(change_into, MUT), "does not allow DirectOut in a forward-prev task"),
    ("forward: member", lambda: bind_forward_prev(Worker.note, WORKER, value(1)), "is a member function: use"),
    (
        "forward: no access",
        lambda: bind_forward_prev(change, value(Box(1))),
        "requires exactly one prev access, and has 0",
    ),
    ("forward: borrow", lambda: bind_forward_prev(change, BORROW), "only supports borrow_prev_mut, not borrow_prev"),
    ("forward: copy", lambda: bind_forward_prev(change, COPY), "only supports borrow_prev_mut, not copy_prev"),
    (
        "forward: consume by value",
        lambda: bind_forward_prev(lambda box: None, consume_prev(Box)),
        "only supports borrow_prev_mut, not consume_prev",
    ),
    ("forward: consume", lambda: bind_forward_prev(change, CONSUME), "only supports borrow_prev_mut, not consume_prev"),
    # bind_forward_prev_member, 11
    (
        "forward member: None",
        lambda: bind_forward_prev_member(Worker.note, WORKER, value(1), returns=None),
        "requires a payload type that is not None",
    ),
    (
        "forward member: borrowed",
        lambda: bind_forward_prev_member(Worker.note, WORKER, value(1), returns=Borrowed),
        "does not allow a borrowed payload",
    ),
    (
        "forward member: output",
        lambda: bind_forward_prev_member(Worker.change_into, WORKER),
        "does not allow DirectOut in a forward-prev task",
    ),
    ("forward member: free function", lambda: bind_forward_prev_member(change, MUT), "is no member function"),
    ("forward member: no receiver", lambda: bind_forward_prev_member(Worker.note), "requires a receiver source"),
    (
        "forward member: arity",
        lambda: bind_forward_prev_member(Worker.note, WORKER),
        "requires exactly one source per parameter",
    ),
    (
        "forward member: two accesses",
        lambda: bind_forward_prev_member(Worker.change, WORKER, WORKER),
        "requires exactly one prev access, and has 2",
    ),
    (
        "forward member: borrow",
        lambda: bind_forward_prev_member(Worker.note, borrow_prev(Worker), value(1)),
        "only supports borrow_prev_mut, not borrow_prev",
    ),
    (
        "forward member: copy",
        lambda: bind_forward_prev_member(Worker.note, copy_prev(Worker), value(1)),
        "only supports borrow_prev_mut, not copy_prev",
    ),
    (
        "forward member: consume by value",
        lambda: bind_forward_prev_member(Worker.change, value(Worker(1)), consume_prev(Worker)),
        "only supports borrow_prev_mut, not consume_prev",
    ),
    (
        "forward member: consume",
        lambda: bind_forward_prev_member(Worker.note, consume_prev(Worker), value(1)),
        "only supports borrow_prev_mut, not consume_prev",
    ),
    # results, 1
    (
        "TaskResult of nothing",
        lambda: bind(nothing, returns=TaskResult[None]),
        "declares a TaskResult without a payload type",
    ),
    # compile_plan, 5
    (
        "plan: forward at the root",
        lambda: compile_plan(task_tree(bind_forward_prev(change, MUT))),
        "does not allow forward-prev nodes at the root",
    ),
    (
        "plan: forward of nothing",
        lambda: compile_plan(task_tree(nothing, bind_forward_prev(change, MUT))),
        "requires forward-prev parents to have a payload",
    ),
    (
        "plan: forward of another type",
        lambda: compile_plan(task_tree(box, bind_forward_prev(lambda w: None, WORKER))),
        "requires forward-prev output type Worker to be that of its parent",
    ),
    (
        "plan: retry and consume",
        lambda: compile_plan(task_tree(box, bind(change, CONSUME, adapters=RETRY))),
        "invalid prev-access mode: consume_prev under retry",
    ),
    (
        "plan: fanout",
        lambda: compile_plan(task_tree(box, bind(change, MUT), fanout="shared_readonly")),
        "incompatible with child prev-access modes",
    ),
]


def test_there_are_45_of_them():
    assert len(COMPILE_FAILS) == 45


@pytest.mark.parametrize(("case", "attempt", "message"), COMPILE_FAILS, ids=[row[0] for row in COMPILE_FAILS])
def test_each_case_is_refused_in_its_stable_words(case, attempt, message):
    with pytest.raises(PlanError, match=message) as error:
        attempt()
    assert error.value.code
    assert error.value.node


# -- the seven checks -------------------------------------------------------------------------------------------------


def _below(parent, *sources, **options):
    names = ["a", "b", "c"][: len(sources)]
    body = eval(f"lambda {', '.join(names)}: None")
    return compile_plan(task_tree(parent, bind(body, *sources, returns=None, name="child", **options)))


ALL_FOUR = [borrow_prev, borrow_prev_mut, copy_prev, consume_prev]

CHECKED = [
    *[("prev-at-root", f"YO-35 {s.__name__}", lambda s=s: compile_plan(task_tree(bind(change, s)))) for s in ALL_FOUR],
    *[("prev-of-nothing", f"YO-36 {s.__name__}", lambda s=s: _below(nothing, s(Box))) for s in ALL_FOUR],
    ("prev-of-nothing", "another type", lambda: _below(five, borrow_prev(str))),
    ("forward-at-root", "YO-27", lambda: compile_plan(task_tree(bind_forward_prev(change, MUT)))),
    (
        "forward-at-root",
        "YO-27 member",
        lambda: compile_plan(task_tree(bind_forward_prev_member(Worker.note, WORKER, value(1)))),
    ),
    ("forward-of-nothing", "YO-28", lambda: compile_plan(task_tree(nothing, bind_forward_prev(change, MUT)))),
    ("forward-type", "YO-29", lambda: compile_plan(task_tree(five, bind_forward_prev(change, MUT)))),
    (
        "forward-type",
        "YO-29 member",
        lambda: compile_plan(task_tree(box, bind_forward_prev_member(Worker.note, WORKER, value(1)))),
    ),
    ("prev-mode", "YO-34 borrow and mut", lambda: _below(box, BORROW, MUT)),
    ("prev-mode", "YO-34 mut and mut", lambda: _below(box, MUT, MUT)),
    ("prev-mode", "YO-34 consume and borrow", lambda: _below(box, CONSUME, BORROW)),
    ("prev-mode", "YO-34 copy and mut", lambda: _below(box, COPY, MUT)),
    ("prev-mode", "YO-34 copy and consume", lambda: _below(box, COPY, CONSUME)),
    ("prev-mode", "YO-37 consume under retry", lambda: _below(box, CONSUME, adapters=RETRY)),
    ("prev-mode", "Y-B4 mut under retry", lambda: _below(box, MUT, adapters=RETRY)),
    (
        "prev-mode",
        "Y-B4 forward under retry",
        lambda: compile_plan(task_tree(box, bind_forward_prev(change, MUT, adapters=RETRY))),
    ),
    (
        "prev-mode",
        "YO-38 consumed receiver under retry",
        lambda: compile_plan(
            task_tree(lambda_worker(), bind_member(Worker.note, consume_prev(Worker), value(1), adapters=RETRY))
        ),
    ),
    (
        "prev-mode",
        "YO-44 read-only receiver of a member that changes it",
        lambda: compile_plan(task_tree(lambda_worker(), bind_member(Worker.mutate, borrow_prev(Worker), value(1)))),
    ),
    (
        "prev-mode",
        "YO-47 consumed receiver and copy",
        lambda: compile_plan(
            task_tree(lambda_worker(), bind_member(Worker.change, consume_prev(Worker), copy_prev(Worker)))
        ),
    ),
    (
        "prev-mode",
        "YO-48 changed receiver and borrow",
        lambda: compile_plan(
            task_tree(lambda_worker(), bind_member(Worker.change, borrow_prev_mut(Worker), borrow_prev(Worker)))
        ),
    ),
    (
        "fanout",
        "YO-23",
        lambda: compile_plan(
            task_tree(box, bind(change, CONSUME), bind(change, CONSUME, name="other"), fanout="consume_with_copies")
        ),
    ),
]


def lambda_worker():
    return bind(lambda: Worker(1), returns=Worker, name="worker")


@pytest.mark.parametrize(("code", "case", "attempt"), CHECKED, ids=[f"{row[0]}: {row[1]}" for row in CHECKED])
def test_a_plan_that_cannot_be_is_refused_by_the_check_that_it_fails(code, case, attempt):
    with pytest.raises(PlanError) as error:
        attempt()
    assert error.value.code == code
    assert error.value.cure


FAULTS = {
    "prev-at-root": lambda: bind(change, BORROW, name="root"),
    "forward-at-root": lambda: bind_forward_prev(change, MUT, name="root"),
}


def test_the_checks_are_the_seven_in_their_order():
    assert [check.code for check in CHECKS] == [
        "prev-at-root",
        "prev-of-nothing",
        "forward-at-root",
        "forward-of-nothing",
        "forward-type",
        "prev-mode",
        "fanout",
    ]


def _tree_with(*codes):
    """A tree in which exactly these checks would find a fault, each in a branch of its own but those at the root."""
    root = FAULTS[codes[0]]() if codes[0] in FAULTS else bind(nothing, name="root")
    tree = task_tree().root(root)
    branches = {
        "prev-of-nothing": [(1, nothing), (2, bind(change, BORROW))],
        "forward-of-nothing": [(1, nothing), (2, bind_forward_prev(change, MUT))],
        "forward-type": [(1, five), (2, bind_forward_prev(change, MUT))],
        "prev-mode": [(1, box), (2, bind(change, MUT, adapters=RETRY))],
        "fanout": [(1, box), (2, bind(change, MUT)), (2, bind(change, BORROW))],
    }
    for code in reversed(codes):  # the fault that is to be found first comes last in the tree
        for level, task in branches.get(code, ()):
            tree.node(level, task)
    return tree


LATER = ["prev-of-nothing", "forward-of-nothing", "forward-type", "prev-mode", "fanout"]
PAIRS = [
    (one, other)
    for place, one in enumerate(["prev-at-root", *LATER])
    for other in ["prev-at-root", *LATER][place + 1 :]
]


@pytest.mark.parametrize(("first", "second"), [*PAIRS, *(("forward-at-root", other) for other in LATER[1:])])
def test_of_two_faults_the_earlier_check_reports_wherever_they_stand(first, second):
    with pytest.raises(PlanError) as error:
        compile_plan(_tree_with(first, second))
    assert error.value.code == first


def test_a_prev_access_to_nothing_comes_before_a_forward_at_the_root():
    with pytest.raises(PlanError) as error:
        compile_plan(_tree_with("forward-at-root", "prev-of-nothing"))
    assert error.value.code == "prev-of-nothing"


# -- what else a person can get wrong ----------------------------------------------------------------------------------


def lacking(n): ...


WRONG = [
    ("empty", lambda: compile_plan(task_tree()), "has no task"),  # YO-P4
    ("undeclared", lambda: compile_plan(task_tree(lambda: 5)), "does not declare its result"),  # YO-P5
    ("undeclared", lambda: compile_plan(task_tree(bind(lacking, value(1)))), "does not declare its result"),
    ("not-callable", lambda: bind(5), "is no task: it cannot be called"),
    ("source", lambda: bind(two, 1, 2), "was given 1, which is no source"),
    ("argument-type", lambda: bind(two, value("a"), value(2)), "has a parameter 'a' that is int and is given value"),
    ("context-type", lambda: bind(lacking, from_ctx), "takes from the context, and nothing says what"),
    ("copy", lambda: bind(change, copy_prev(Unique), returns=None), "copies Unique, which cannot be copied"),  # R14
    ("of", lambda: _below(box, borrow_prev(Box, of="box")), "takes from 'box', and in a tree from its parent only"),
    ("bound-twice", lambda: task_tree().root(bind(five), value(1)), "is bound already"),
    ("step-only", lambda: bind_forward_prev(lambda_int, MUT), "returns int, and may return None or a StepResult only"),
    ("direct-out-type", lambda: bind_into(into, value(1), returns=str), "make them the same"),
    ("shape", lambda: bind(by_name_only, returns=None), "can only be given by name"),
    ("arity", lambda: bind(half_said, returns=None), "stands before one that has one"),
    ("level", lambda: task_tree().node(1, five), "cannot be at level 1 of an empty tree"),
    ("level", lambda: task_tree(five).root(five), "cannot be a second root"),
    ("level", lambda: task_tree(five).node(2, five), "after what is there, 1 to 1 are possible"),
    ("empty", lambda: task_tree(five, task_tree()), "has a part without a task"),
    ("empty", lambda: task_tree(None, five), "has tasks below, and none above them"),
]


def lambda_int(box: Box) -> int: ...


def by_name_only(*, n: int) -> None: ...


def half_said(n: int = 3, box: Borrowed = None) -> None: ...


@pytest.mark.parametrize(("code", "attempt", "message"), WRONG)
def test_other_mistakes_are_told_with_a_code_and_a_cure(code, attempt, message):
    with pytest.raises(PlanError, match=message) as error:
        attempt()
    assert error.value.code == code


def test_a_plan_is_made_of_trees_and_graphs_only():
    with pytest.raises(TypeError, match="compiled from a task_tree or from seq and fork"):
        compile_plan(five)


def test_a_status_is_no_payload_and_stands_where_a_payload_is_declared_as_a_breach():
    from hocket.runtime.plans import run_plan

    def wrong() -> int:
        return StepResult.failure()

    result = run_plan(compile_plan(task_tree(wrong)))
    assert isinstance(result.exception, TypeError)
    assert "declares that it returns int" in str(result.exception)
