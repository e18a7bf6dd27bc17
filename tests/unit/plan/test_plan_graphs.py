"""Plans made of `seq` and `fork`: joins that take payloads by name, one discipline of access, and shared slots."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hocket
from hocket.errors import CycleError, PlanError
from hocket.graph import Graph, Task, from_edges
from hocket.plan import (
    Status,
    StepResult,
    TaskResult,
    bind,
    bind_forward_prev,
    borrow_prev,
    borrow_prev_mut,
    compile_plan,
    conflict,
    consume_prev,
    context,
    copy_prev,
    from_ctx,
    lay_out,
    value,
)
from hocket.runtime.plans import run_plan
from tests.unit.plan.acting import Box, Ledger

WAYS = [
    ("one_to_one", "recursive", "serial"),
    ("intervals", "recursive", "serial"),
    ("intervals", "stack", "serial"),
    ("one_to_one", "inline", "serial"),
    ("intervals", "inline", "parallel"),
    ("intervals", "threads", "parallel"),
    ("intervals", "asyncio", "parallel"),
]
every_way = pytest.mark.parametrize(("slots", "executor", "order"), WAYS)


def task(body, *sources, name="", **options):
    return hocket.task(bind(body, *sources, name=name, **options) if sources or options else body, name)


def fetch() -> list:
    return [3, 1, 2]


def smallest(items: Annotated[list, borrow_prev]) -> int:
    return min(items)


def largest(items: Annotated[list, borrow_prev]) -> int:
    return max(items)


def _diamond(seen):
    def join(low: Annotated[int, borrow_prev(of="smallest")], high: Annotated[int, borrow_prev(of="largest")]) -> None:
        seen.append((low, high))

    return hocket.seq(hocket.task(fetch), hocket.fork(hocket.task(smallest), hocket.task(largest)), hocket.task(join))


@every_way
def test_a_join_takes_the_payloads_of_its_predecessors_by_name(slots, executor, order):
    seen: list = []
    assert run_plan(compile_plan(_diamond(seen)), slots=slots, executor=executor, order=order).ok
    assert seen == [(1, 3)]


def test_a_tree_and_the_graph_that_says_the_same_are_one_type_and_run_alike():
    seen: list = []
    tree = compile_plan(hocket.task_tree(fetch, smallest, largest))
    graph = compile_plan(hocket.seq(hocket.task(fetch), hocket.fork(hocket.task(smallest), hocket.task(largest))))
    assert type(tree) is type(graph)
    for plan in (tree, graph):
        events: list = []
        assert run_plan(plan, watch=events.append).ok
        seen.append([event for event in events if event[0] != "leave"])
    assert seen[0] == seen[1]


def test_a_plan_of_a_graph_knows_who_comes_before_whom():
    plan = compile_plan(_diamond([]))
    assert plan.names == ("fetch", "smallest", "largest", "join")
    assert [plan.befores(node) for node in range(4)] == [(), (0,), (0,), (1, 2)]
    assert [plan.children(node) for node in range(4)] == [(1, 2), (3,), (3,), ()]
    assert [plan.feeds(node) for node in range(4)] == [(), (0,), (0,), (1, 2)]
    assert list(plan.levels) == [0, 1, 1, 2]


@every_way
def test_a_payload_lives_until_the_last_that_takes_it_is_over(slots, executor, order):
    ledger = Ledger()

    def read(box):
        ledger.look()

    def after() -> None:
        ledger.look()

    graph = hocket.seq(
        task(ledger.box, name="make", returns=Box),
        task(read, borrow_prev(Box), returns=None, name="one"),
        task(read, borrow_prev(Box, of="make"), returns=None, name="two"),
        hocket.task(after),
    )
    assert run_plan(compile_plan(graph), slots=slots, executor=executor, order=order).ok
    assert (ledger.seen, ledger.alive) == ([1, 1, 0], 0)


def test_in_a_pipeline_two_slots_are_enough_in_any_order():
    def more(n: Annotated[int, borrow_prev]) -> int:
        return n + 1

    plan = compile_plan(hocket.seq(task(lambda: 1, returns=int, name="first"), *[task(more) for _ in range(5)]))
    for order in ("serial", "parallel"):
        layout = lay_out(plan, "intervals", order)
        assert (layout.slot, layout.count) == ((0, 1, 0, 1, 0, 1), 2)
        assert conflict(plan, layout, order) is None


def test_branches_of_a_fork_share_slots_in_serial_order_only():
    branches = (hocket.seq(gives(f"a{n}"), takes(f"b{n}", borrow_prev(int))) for n in range(3))
    plan = compile_plan(hocket.fork(*branches))
    assert lay_out(plan, "intervals", "serial").count == 1
    assert lay_out(plan, "intervals", "parallel").count == 3
    with pytest.raises(PlanError, match="would share slot 0 with 'a0'"):
        run_plan(plan, slots=lay_out(plan, "intervals", "serial"), order="parallel")


def test_compact_is_a_layout_of_trees():
    with pytest.raises(PlanError, match="is a layout of trees"):
        run_plan(compile_plan(_diamond([])), slots="compact")


# -- statuses ---------------------------------------------------------------------------------------------------------


@every_way
def test_an_aborted_branch_leaves_out_what_comes_after_it_and_no_more(slots, executor, order):
    ran: list = []

    def note(name):
        return task(lambda: ran.append(name), returns=None, name=name)

    graph = hocket.seq(
        note("a"),
        hocket.fork(hocket.seq(task(StepResult.abort_branch, returns=StepResult, name="b"), note("c")), note("d")),
        note("e"),
    )
    assert run_plan(compile_plan(hocket.fork(graph, note("f"))), slots=slots, executor=executor, order=order).ok
    assert sorted(ran) == ["a", "d", "f"]


def test_the_first_task_of_a_graph_is_no_root():
    graph = hocket.fork(
        task(StepResult.abort_branch, returns=StepResult, name="a"), task(lambda: None, returns=None, name="b")
    )
    for executor in ("recursive", "stack", "inline"):
        assert run_plan(compile_plan(graph), executor=executor).ok


@every_way
def test_a_failure_ends_the_run_and_leaves_nothing_alive(slots, executor, order):
    ledger = Ledger()
    graph = hocket.seq(
        task(ledger.box, name="make", returns=Box),
        task(lambda box: StepResult.failure(), borrow_prev(Box), returns=StepResult, name="fail"),
        task(lambda: ledger.look(), returns=None, name="never"),
    )
    result = run_plan(compile_plan(graph), slots=slots, executor=executor, order=order)
    assert (result.status, result.task) == (Status.FAILURE, "fail")
    assert (ledger.seen, ledger.alive) == ([], 0)


# -- access -----------------------------------------------------------------------------------------------------------


def _two(one, other, ordered):
    """A payload that two tasks take, in order or not."""
    first = task(lambda box: None, one(Box, of="make"), returns=None, name="one")
    second = task(lambda box: None, other(Box, of="make"), returns=None, name="two")
    both = (hocket.seq if ordered else hocket.fork)(first, second)
    return hocket.seq(task(lambda: Box(1), returns=Box, name="make"), both)


WORDS = [borrow_prev, borrow_prev_mut, copy_prev, consume_prev]
EXCLUSIVE = {borrow_prev_mut, consume_prev}


@pytest.mark.parametrize("one", WORDS)
@pytest.mark.parametrize("other", WORDS)
@pytest.mark.parametrize("ordered", [False, True])
def test_exclusive_access_is_ordered_against_every_other_and_nothing_comes_after_a_consume(one, other, ordered):
    allowed = one is not consume_prev if ordered else not {one, other} & EXCLUSIVE
    if allowed:
        assert run_plan(compile_plan(_two(one, other, ordered))).ok
        return
    with pytest.raises(PlanError, match="has a payload with incompatible prev-access modes") as error:
        compile_plan(_two(one, other, ordered))
    assert (error.value.code, error.value.node) == ("fanout", "make")


@every_way
def test_a_forward_hands_its_predecessors_payload_on(slots, executor, order):
    seen: list = []

    def add(box: Box) -> None:
        box.n += 1

    graph = hocket.seq(
        task(lambda: Box(1), returns=Box, name="make"),
        hocket.task(bind_forward_prev(add, borrow_prev_mut(Box))),
        task(seen.append, borrow_prev(Box), returns=None, name="see"),
    )
    plan = compile_plan(graph)
    assert run_plan(plan, slots=slots, executor=executor, order=order).ok
    assert (seen, list(plan.owner)) == ([Box(2)], [0, 0, -1])


def gives(name):
    return task(lambda: 1, returns=int, name=name)


def takes(name, source):
    return task(lambda n: None, source, returns=None, name=name)


def idle(name):
    return task(lambda: None, returns=None, name=name)


UNCLEAR = [
    (
        "which-prev",
        lambda: hocket.seq(hocket.fork(gives("a"), gives("b")), takes("c", borrow_prev(int))),
        "has several payloads before it",
    ),
    ("of", lambda: hocket.fork(gives("a"), takes("b", borrow_prev(int, of="a"))), "need not be over when it begins"),
    ("of", lambda: hocket.seq(gives("a"), takes("b", borrow_prev(of="aa"))), "no tasks are called so"),
    ("prev-at-root", lambda: takes("a", borrow_prev(int)), "at the root"),
    ("prev-of-nothing", lambda: hocket.seq(idle("a"), takes("b", borrow_prev(int))), "which has none"),
    ("undeclared", lambda: hocket.task(lambda: 5, "x"), "does not declare its result"),
    ("empty", hocket.empty, "has no task"),
]


@pytest.mark.parametrize(("code", "graph", "message"), UNCLEAR)
def test_what_is_unclear_in_a_graph_is_refused(code, graph, message):
    with pytest.raises(PlanError, match=message) as error:
        compile_plan(graph())
    assert error.value.code == code


def test_tasks_that_wait_for_each_other_are_a_cycle():
    graph = from_edges(["a", "b"], [("a", "b"), ("b", "a")])
    with pytest.raises(CycleError):
        compile_plan(graph)


@every_way
def test_a_plan_without_payloads_may_have_a_context(slots, executor, order):
    shared = context(Box(0))

    def add(box: Box, n: int) -> None:
        box.n += n

    graph = hocket.seq(*(task(add, from_ctx(Box), value(n), name=f"t{n}") for n in range(4)))
    assert run_plan(compile_plan(graph), shared, slots=slots, executor=executor, order=order).ok
    assert shared.get(Box).n == 6


# -- random graphs ----------------------------------------------------------------------------------------------------


@st.composite
def expressions(draw, depth=3):
    """A random expression of tasks t0, t1, …; each gives its number."""
    counter = iter(range(100))

    def part(depth):
        kind = draw(st.sampled_from(["task", "task", "seq", "fork"])) if depth else "task"
        if kind == "task":
            number = next(counter)
            return task(lambda number=number: number, returns=int, name=f"t{number}")
        return {"seq": hocket.seq, "fork": hocket.fork}[kind](
            *(part(depth - 1) for _ in range(draw(st.integers(1, 3))))
        )

    return part(depth)


@settings(max_examples=25, deadline=None)
@given(expressions())
def test_layouts_of_random_graphs_are_sound_and_every_executor_ends_alike(expression):
    plan = compile_plan(expression)
    for order in ("serial", "parallel"):
        assert conflict(plan, lay_out(plan, "intervals", order), order) is None
    serial: list = []
    assert run_plan(plan, watch=serial.append).ok
    stacked: list = []
    assert run_plan(plan, watch=stacked.append, executor="stack", slots="intervals").ok
    assert serial == stacked
    inline: list = []
    assert run_plan(plan, watch=inline.append, executor="inline", order="parallel", slots="intervals").ok
    assert sorted(inline) == sorted(serial)
    entered = {event[1]: place for place, event in enumerate(inline) if event[0] == "enter"}
    over = {event[1]: place for place, event in enumerate(inline) if event[0] == "succeed"}
    for node, name in enumerate(plan.names):
        assert all(over[plan.names[before]] < entered[name] for before in plan.befores(node))


def meetings(plan):
    """The pairs of nodes of which one can be at work, or its payload alive, while the other is: by trying every run."""
    nodes = range(len(plan))
    users = [{node, *plan.holders[node]} for node in nodes]
    met, seen, agenda = set(), set(), [(frozenset(), frozenset())]
    while agenda:
        state = entered, done = agenda.pop()
        if state in seen:
            continue
        seen.add(state)
        there = [node for node in nodes if node in entered and not users[node] <= done]
        met |= {(a, b) for a in there for b in there if a < b}
        agenda += [(entered | {n}, done) for n in nodes if n not in entered and set(plan.befores(n)) <= done]
        agenda += [(entered, done | {n}) for n in entered - done]
    return met


@st.composite
def reading(draw):
    """Tasks of a random order, each of which gives a number and takes those of some that come before it."""
    size = draw(st.integers(2, 6))
    before = [{other for other in range(node) if draw(st.integers(0, 2)) == 0} for node in range(size)]
    tasks = []
    for node in range(size):
        taken = [other for other in sorted(before[node]) if draw(st.booleans())]
        body = eval(f"lambda {', '.join(f'p{other}' for other in taken)}: {node}")
        tasks.append(
            Task(f"t{node}", bind(body, *(borrow_prev(int, of=f"t{o}") for o in taken), returns=int, name=f"t{node}"))
        )
    return Graph(tuple(tasks), tuple((node, other) for node in range(size) for other in sorted(before[node])))


@settings(max_examples=30, deadline=None)
@given(reading())
def test_payloads_of_a_graph_may_share_a_slot_exactly_if_they_never_meet(graph):
    plan = compile_plan(graph)
    apart = {
        (a, b)
        for a in range(len(plan))
        for b in range(a + 1, len(plan))
        if plan.is_over_before(a, b, "parallel") or plan.is_over_before(b, a, "parallel")
    }
    assert apart == {(a, b) for a in range(len(plan)) for b in range(a + 1, len(plan))} - meetings(plan)
    layout = lay_out(plan, "intervals", "parallel")
    assert not {(a, b) for a, b in meetings(plan) if layout.slot[a] == layout.slot[b]}
    for executor in ("inline", "threads"):
        assert run_plan(plan, slots="intervals", order="parallel", executor=executor).ok


ENDS = ["success"] * 4 + ["abort_branch", "failure", "retry", "raise"]


@st.composite
def ending(draw):
    """A random order of tasks that read what comes before them and end in any way."""
    size = draw(st.integers(2, 7))
    before = [{other for other in range(node) if draw(st.integers(0, 2)) == 0} for node in range(size)]
    ends = [draw(st.sampled_from(ENDS)) for _ in range(size)]
    takes = [[other for other in sorted(before[node]) if draw(st.booleans())] for node in range(size)]
    return before, ends, takes


def _ending_plan(before, ends, takes, ledger):
    def body(node):
        def act(*given):
            assert all(box.n in takes[node] for box in given)
            if ends[node] == "raise":
                raise KeyError(node)
            return (
                TaskResult.success(ledger.box(node)) if ends[node] == "success" else getattr(TaskResult, ends[node])()
            )

        return eval(
            f"lambda {', '.join(f'p{o}' for o in takes[node])}: act({', '.join(f'p{o}' for o in takes[node])})",
            {"act": act},
        )

    tasks = []
    for node in range(len(before)):
        sources = [borrow_prev(Box, of=f"t{other}") for other in takes[node]]
        tasks.append(Task(f"t{node}", bind(body(node), *sources, returns=TaskResult[Box], name=f"t{node}")))
    return compile_plan(Graph(tuple(tasks), tuple((n, o) for n in range(len(before)) for o in sorted(before[n]))))


TWO_LIVE = [set(), {0}, {0}, set(), {1, 2}, {2}], [*["success"] * 4, "failure", "success"], [[], [], [], [], [1], [2]]


@settings(max_examples=30, deadline=None)
@given(ending())
@example(TWO_LIVE)  # two payloads live when the run ends: the kernel closed the outer one first
def test_graphs_that_end_in_any_way_end_alike_one_task_at_a_time_and_leave_nothing(drawn):
    ledger = Ledger()
    plan = _ending_plan(*drawn, ledger)
    told = []
    for executor, slots in (
        ("recursive", "one_to_one"),
        ("recursive", "intervals"),
        ("stack", "intervals"),
        ("inline", "one_to_one"),
    ):
        events: list = []
        result = run_plan(plan, executor=executor, slots=slots, order="serial", watch=events.append)
        told.append((result.status, result.task, repr(result.exception), events))
        del result
        assert ledger.alive == 0
    assert all(one == told[0] for one in told)
    assert run_plan(plan, executor="threads", slots="intervals").ok == (told[0][0] is Status.SUCCESS)
    assert ledger.alive == 0
