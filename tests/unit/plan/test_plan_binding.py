"""YOrch's unit scenarios of binding, one by one (Appendix A of the seeds): B, M, U, TR, V, C, R and Q.

A bound task is tried alone: its arguments are fetched from a context and a parent's payload by the executor's own code
(`Slots`), and its outcome is looked at. Where the original writes through an `int&`, a Box stands for the int, because
an int of Python does not change.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from hocket.errors import PlanError, Refused
from hocket.plan import (
    Context,
    DirectOut,
    Source,
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
from hocket.plan.attempts import never
from hocket.plan.bind import Slot, Style
from hocket.plan.sources import Mode
from hocket.runtime.plans_job import Slots, perform
from tests.unit.plan.acting import Box, Unique, raising


@dataclass
class Alone:
    """What came of one task: its outcome, what is left in its parent's slot, and what it put into its own."""

    outcome: Any
    prev: Any
    slot: Any


def alone(task, *ctx, prev=None):
    """Run a task by itself, below a root whose payload is `prev`, with a context of `ctx`."""
    kinds = type(prev) if prev is not None else None
    root = bind(lambda: prev, returns=kinds, name="root")
    plan = compile_plan(task_tree(root, task))
    slots = Slots(plan, lay_out(plan, "one_to_one"), context(*ctx), never)
    assert slots.keep(0, perform(slots.steps(0))).ok
    outcome = slots.keep(1, perform(slots.steps(1)))
    held = list(slots._slots)
    own = held[-1] if plan.owns(1) else None
    return Alone(outcome, held[0] if prev is not None else None, own)


class Number(Box): ...


class Text(Box): ...


class Worker(Box):
    seen: Any = None
    said: Any = None

    def accumulate(self, number: Number, text: Text, more: int) -> StepResult:
        self.seen, self.said = number.n, text
        number.n += more
        self.n += more
        return StepResult.success()

    def note(self, n: int) -> bool:
        self.seen = self.n = n
        return True

    def read_state(self, more: int) -> int:
        return self.n + more

    def mutate(self, more: int) -> StepResult:
        self.n += more
        return StepResult.success()

    def bump(self, more: int) -> int:
        self.n += more
        return self.n

    def emit(self, number: Number, out: DirectOut[str]) -> StepResult:
        self.seen = number.n
        number.n += self.n
        out.emplace(number.n)
        return StepResult.success()

    def write(self, more: int, out: DirectOut[int]) -> None:
        out.emplace(self.n + more)

    def forward(self, more: int) -> None:
        self.n += more

    def serve(self, payload: Number, more: int) -> None:
        self.seen = payload
        payload.n += more


class Made:
    def __init__(self, n: int, text: str) -> None: ...


class MoveOnlyWorker(Worker):
    __deepcopy__ = None


# -- free functions (test_bind_free) ----------------------------------------------------------------------------------


def test_b1_sources_are_resolved_in_order_and_the_context_is_the_same_object():
    number, text, seen = Number(3), Text("job"), []

    def act(number: Number, text: Text, more: int) -> StepResult:
        seen.append((number.n, text))
        number.n += more
        return StepResult.retry() if text.n == "job" else StepResult.success()

    task = bind(act, from_ctx(Number), from_ctx(Text), value(4))
    found = alone(task, number, text)
    assert (found.outcome.status, number.n) == (Status.RETRY, 7)
    assert seen == [(3, text)]
    assert seen[0][1] is text
    assert [source.mode for source in task.sources] == [Mode.CONTEXT, Mode.CONTEXT, Mode.VALUE]


def test_b2_the_context_is_borrowed_by_reference():
    number = Number(3)

    def act(one: Annotated[Number, from_ctx], text: Annotated[Text, from_ctx]) -> StepResult:
        assert one is number
        one.n += 2
        return StepResult.success()

    assert alone(bind(act), number, Text("job")).outcome.ok
    assert number.n == 5


def test_b3_a_value_is_taken_when_it_is_given_and_a_false_is_a_payload():
    source = ["payload"]
    task = bind(lambda one, other: (one, other), value(source), value(ref(source)), returns=tuple)
    source[0] = "updated"
    assert alone(task).outcome.value == (["payload"], ["updated"])
    assert alone(bind(lambda n: n > 0, value(-1), returns=bool)).slot is False


def test_b4_a_task_without_result_changes_the_context():
    number = Number(3)

    def act(number: Number) -> None:
        number.n *= 2

    assert alone(bind(act, from_ctx), number).outcome == StepResult.success()
    assert number.n == 6


def test_b5_the_parents_payload_is_changed_in_its_slot():
    def act(number: Annotated[Number, borrow_prev_mut]) -> None:
        number.n += 3

    assert alone(bind(act), prev=Number(5)).prev.n == 8


def test_b6_a_task_result_keeps_its_payload():
    number = Number(3)

    def act(number: Number) -> TaskResult[int]:
        number.n += 4
        return TaskResult.success(2 * number.n)

    found = alone(bind(act, from_ctx(Number)), number)
    assert (found.outcome.status, found.outcome.value, number.n) == (Status.SUCCESS, 14, 7)


def test_b7_an_output_is_written():
    number = Number(6)

    def act(number: Number, out: DirectOut[str]) -> StepResult:
        number.n += 1
        out.emplace(2 * number.n)
        return StepResult.success()

    assert (alone(bind_into(act, from_ctx(Number)), number).slot, number.n) == ("14", 7)


def test_b8_and_b9_a_forward_changes_in_place_and_infers_its_type():
    def act(number: Number, more: int) -> StepResult:
        number.n += more
        return StepResult.success()

    task = bind_forward_prev(act, borrow_prev_mut(Number), value(5))
    found = alone(task, prev=Number(7))
    assert (found.outcome.status, found.prev.n) == (Status.SUCCESS, 12)
    assert (task.style, task.payload, task.slot) == (Style.FORWARD, Number, Slot.NONE)
    assert bind_forward_prev(act, borrow_prev_mut, value(5)).payload is Number


def test_b10_a_payload_is_consumed_and_handed_to_the_output():
    def act(text: Text, out: DirectOut[Text]) -> StepResult:
        text.n += "-child"
        out.put(text)
        return StepResult.success()

    found = alone(bind_into(act, consume_prev(Text)), prev=Text("root"))
    assert (found.prev, found.slot) == (None, Text("root-child"))


def test_b11_a_copy_leaves_its_source_alone():
    def act(text: Text) -> StepResult:
        text.n += "!"
        return StepResult.success()

    assert alone(bind(act, copy_prev(Text)), prev=Text("root")).prev == Text("root")


def test_b12_a_task_that_emplaces_and_returns_nothing_has_succeeded():
    found = alone(bind_into(lambda out: out.emplace(9) and None, returns=int))
    assert (found.outcome.ok, found.slot) == (True, 9)


# -- member functions (test_bind_member) ------------------------------------------------------------------------------


def test_m1_the_receiver_comes_from_the_context():
    worker, number, text = Worker(0), Number(3), Text("job")
    task = bind_member(Worker.accumulate, from_ctx(Worker), from_ctx(Number), from_ctx(Text), value(4))
    found = alone(task, worker, number, text)
    assert (found.outcome.ok, worker.seen, worker.n, number.n) == (True, 3, 4, 7)
    assert worker.said is text


def test_m2_the_receiver_is_a_value_by_reference():
    worker = Worker(0)
    assert alone(bind_member(Worker.note, value(ref(worker)), value(7))).slot is True
    assert (worker.seen, worker.n) == (7, 7)


RECEIVERS = [
    ("M3 borrow", Worker.read_state, borrow_prev, Worker(11), 4, 15, 11),
    ("M4 mut", Worker.bump, borrow_prev_mut, Worker(3), 5, 8, 8),
    ("M5 copy", Worker.bump, copy_prev, Worker(9), 4, 13, 9),
    ("M6 consume", Worker.bump, consume_prev, MoveOnlyWorker(7), 5, 12, None),
    ("M7 copy", Worker.read_state, copy_prev, Worker(8), 3, 11, 8),
    ("M7 consume", Worker.read_state, consume_prev, Worker(7), 3, 10, None),
]


@pytest.mark.parametrize(("case", "member", "word", "prev", "more", "gives", "left"), RECEIVERS)
def test_m3_to_m7_the_receiver_is_the_parents_payload(case, member, word, prev, more, gives, left):
    found = alone(bind_member(member, word(type(prev)), value(more)), prev=prev)
    assert (found.slot, found.prev.n if left is not None else found.prev) == (gives, left)


def test_m8_a_member_writes_an_output():
    worker, number = Worker(2), Number(6)
    assert alone(bind_into_member(Worker.emit, from_ctx(Worker), from_ctx(Number)), worker, number).slot == "8"
    assert (worker.seen, number.n) == (6, 8)


@pytest.mark.parametrize(("word", "prev", "gives", "left"), [(copy_prev, 5, 9, 5), (consume_prev, 9, 13, None)])
def test_m9_a_member_writes_an_output_from_a_copied_or_consumed_receiver(word, prev, gives, left):
    found = alone(bind_into_member(Worker.write, word(Worker), value(4)), prev=Worker(prev))
    assert (found.slot, found.prev.n if left is not None else found.prev) == (gives, left)


def test_m10_the_receiver_itself_is_forwarded():
    assert (
        alone(bind_forward_prev_member(Worker.forward, borrow_prev_mut(Worker), value(4)), prev=Worker(9)).prev.n == 13
    )


def test_m11_a_service_of_the_context_changes_the_payload_that_is_forwarded():
    service, payload = Worker(0), Number(6)
    task = bind_forward_prev_member(Worker.serve, from_ctx(Worker), borrow_prev_mut(Number), value(3))
    assert alone(task, service, prev=payload).prev.n == 9
    assert service.seen is payload


# -- sugar (test_task_sugar; YO-A13) ----------------------------------------------------------------------------------


def test_u1_to_u5_a_task_in_a_tree_is_the_task_that_bind_makes():
    def act(number: Number) -> int:
        return number.n

    def put(number: Number, out: DirectOut[int]) -> None: ...

    tree = (
        task_tree()
        .root(act, from_ctx(Number))
        .node(1, put, from_ctx(Number))
        .node(1, Worker.note, value(Worker(1)), value(2))
    )
    given = [
        bind(act, from_ctx(Number)),
        bind_into(put, from_ctx(Number)),
        bind_member(Worker.note, value(Worker(1)), value(2)),
    ]
    assert [task for _, task, _ in tree.rows()] == given


def test_u6_and_u7_members_take_adapters():
    worker = Worker(0)
    task = bind_member(Worker.mutate, value(ref(worker)), value(5), adapters=[catch_as_failure()])
    assert (alone(task).outcome.ok, worker.n) == (True, 5)
    into = bind_into_member(Worker.write, consume_prev(Worker), value(4), adapters=[catch_as_failure()])
    assert alone(into, prev=Worker(5)).slot == 9


def _times(results):
    left = list(results)

    def act() -> StepResult:
        said = left.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    act.left = left
    return act


RETRY, GOOD = StepResult.retry(), StepResult.success()
SUGARED = [
    ("U14", [KeyError()], [catch_as_failure()], Status.FAILURE, 1),
    ("U15", [RETRY, RETRY, GOOD], [with_retry(retry_fixed(3))], Status.SUCCESS, 3),
    ("U16, YO-A13", [KeyError(), GOOD], [catch_as_failure(), with_retry(retry_fixed(2))], Status.FAILURE, 1),
    (
        "inside out",
        [KeyError(), KeyError(), GOOD],
        [catch_as_failure(lambda error: RETRY), with_retry(retry_fixed(5))],
        Status.SUCCESS,
        3,
    ),
    (
        "Y-B9 the other way round",
        [KeyError(), GOOD],
        [with_retry(retry_fixed(5)), catch_as_failure(lambda error: RETRY)],
        Status.RETRY,
        1,
    ),
]


@pytest.mark.parametrize(
    ("case", "results", "adapters", "status", "attempts"), SUGARED, ids=[row[0] for row in SUGARED]
)
def test_u14_to_u16_adapters_are_applied_from_the_inside_out(case, results, adapters, status, attempts):
    act = _times(results)
    assert alone(bind(act, adapters=adapters)).outcome.status is status
    assert len(results) - len(act.left) == attempts


# -- traits ----------------------------------------------------------------------------------------------------------


def test_tr1_and_tr2_types_are_read_from_annotations():
    def plain(n: int, text: str) -> float: ...

    task = bind(plain, value(1), borrow_prev)
    assert ([source.type for source in task.sources], task.payload) == ([int, str], float)
    member = bind_into_member(Worker.emit, from_ctx(Worker), from_ctx)
    assert ([source.type for source in member.sources], member.payload, member.slot) == (
        [Worker, Number],
        str,
        Slot.MAYBE,
    )


def test_a_plain_annotated_function_is_a_task():
    def half(n: Annotated[int, borrow_prev]) -> int:
        return n // 2

    assert bind(half) == bind(half, borrow_prev(int))
    assert alone(bind(half), prev=8).slot == 4


def test_objects_that_can_be_called_classes_and_partials_are_tasks():
    from functools import partial

    class Adder:
        def __init__(self, n):
            self.n = n

        def __call__(self, n: Annotated[int, borrow_prev]) -> int:
            return self.n + n

    def add(a: int, b: Annotated[int, borrow_prev]) -> int:
        return a + b

    assert alone(bind(Adder(3)), prev=4).slot == 7
    assert alone(bind(partial(add, 5), name="add"), prev=4).slot == 9
    assert alone(bind(Box, borrow_prev(int)), prev=4).slot == Box(4)
    assert [source.type for source in bind(Made, borrow_prev, value("x")).sources] == [int, str]
    assert alone(bind(Worker(1).bump, borrow_prev(int)), prev=4).slot == 5


def test_an_annotation_that_cannot_be_read_matters_only_where_it_is_needed():
    def local(n: NotThere) -> NotThereEither: ...  # noqa: F821

    with pytest.raises(PlanError, match="does not declare its result"):
        compile_plan(task_tree(bind(local, value(1))))
    assert bind(local, value(1), returns=None).payload is None


# -- specs, context, resolution, results ------------------------------------------------------------------------------


@pytest.mark.parametrize("word", [from_ctx, borrow_prev, borrow_prev_mut, copy_prev, consume_prev])
def test_v1_to_v5_a_source_says_a_type_and_holds_nothing(word):
    assert word(int) == Source(word(int).mode, int)
    assert word(int).held is None


def test_v6_to_v8_a_value_is_owned():
    source = [1]
    owned = value(source)
    source.append(2)
    assert owned.held == [1]
    unique = Unique(42)
    assert value(ref(unique)).held is unique
    with pytest.raises(PlanError, match=r"'Unique' cannot be copied .*value\(ref\(x\)\) gives the task x itself"):
        value(unique)


def test_c1_and_c7_a_context_contains_its_types_and_no_others():
    shared = context(3, "job")
    assert (int in shared, str in shared, float in shared, list(shared)) == (True, True, False, [int, str])


def test_c2_a_context_of_defaults_needs_types_that_have_them():
    class Needy:
        def __init__(self, n): ...

    assert Context.default(int, str).get(int) == 0
    with pytest.raises(TypeError):
        Context.default(int, Needy)


def test_c3_to_c6_a_context_gives_the_objects_themselves():
    box = Box(7)
    shared = context(box, "hello", [42])
    shared.get(Box).n += 2
    assert (box.n, shared.get(str), shared.get(list)) == (9, "hello", [42])
    with pytest.raises(KeyError, match="the context has no float; there is Box, str, list"):
        shared.get(float)


def test_a_type_is_in_a_context_once_or_has_a_name_of_its_own():
    with pytest.raises(PlanError, match="is in the context twice"):
        context(1, 2)

    class Port(int): ...

    assert Context({int: 1, Port: 2}).get(Port) == 2


def test_c11_without_a_context_what_is_needed_is_missing_before_anything_runs():
    from hocket.runtime.plans import run_plan

    ran = []
    first = bind(lambda: ran.append(1), returns=None)
    plan = compile_plan(task_tree(first, bind(lambda worker: None, from_ctx(Worker), returns=None)))
    for given in ((), (context("job"),)):
        with pytest.raises(PlanError, match="takes Worker from the context, which has") as error:
            run_plan(plan, *given)
        assert error.value.code == "context-missing"
    assert ran == []


def test_r2_and_r10_a_copy_does_not_follow_its_source():
    kept = []

    def act(mine: Box) -> None:
        kept.append(mine)

    found = alone(bind(act, copy_prev(Box)), prev=Box([1]))
    found.prev.n.append(2)
    assert kept == [Box([1])]


def test_r11_and_r12_what_is_consumed_is_the_object_itself_and_is_gone_from_its_slot():
    prev, kept = Box(1), []
    assert alone(bind(kept.append, consume_prev(Box), returns=None), prev=prev).prev is None
    assert kept[0] is prev


ASKED = [("borrow", borrow_prev), ("mut", borrow_prev_mut), ("copy", copy_prev), ("consume", consume_prev)]


@pytest.mark.parametrize(("asked", "given"), [(one, other) for one in ASKED for other in ASKED])
def test_r13_a_parameter_that_asks_for_a_mode_is_given_that_one_only(asked, given):
    def act(box):
        return None

    act.__annotations__ = {"box": Annotated[Box, asked[1]], "return": None}
    tree = task_tree(bind(lambda: Box(1), returns=Box), bind(act, given[1](Box)))
    if asked == given:
        assert len(compile_plan(tree)) == 2
    else:
        with pytest.raises(PlanError, match="invalid prev-access mode: a parameter asks for"):
            compile_plan(tree)


def test_q1_a_success_has_a_value_and_cannot_be_made_without():
    assert StepResult().ok
    assert TaskResult.success(42).value == 42
    with pytest.raises(TypeError, match="made by TaskResult"):
        TaskResult()
    with pytest.raises(TypeError):
        TaskResult.success()


@pytest.mark.parametrize("word", ["failure", "retry", "abort_branch", "abort_execution"])
def test_q2_other_results_carry_a_status_and_no_value(word):
    result = getattr(TaskResult, word)()
    assert (result.status.value, result.has_value, bool(result)) == (word, False, False)
    assert TaskResult.from_step(getattr(StepResult, word)()) == result
    with pytest.raises(Refused, match="asked for its value"):
        result.value  # noqa: B018


def test_q3_and_q4_results_are_values():
    unique = Unique(9)
    assert TaskResult.success(unique).value is unique
    assert TaskResult.success(1) == TaskResult.success(1) != TaskResult.success(2)
    assert pickle.loads(pickle.dumps(StepResult.retry())) == StepResult.retry()
    with pytest.raises(AttributeError):
        TaskResult.success(1).step = StepResult.retry()
    with pytest.raises(ValueError, match="a success needs a payload"):
        TaskResult.from_step(StepResult.success())


def test_a_result_raises_what_was_raised_or_says_who_ended_the_run():
    from hocket.errors import PlanEnded

    with pytest.raises(KeyError):
        StepResult.failure(KeyError()).raise_if_failed()
    with pytest.raises(PlanEnded, match="the plan ended with retry, which 'a' returned"):
        StepResult(Status.RETRY, None, "a").raise_if_failed()
    StepResult.success().raise_if_failed()


def test_what_a_task_raises_is_a_failure_that_names_it():
    assert isinstance(alone(bind(raising(KeyError()))).outcome.exception, KeyError)
