"""Random trees run alike everywhere, and every run is one that the model allows.

A tree is drawn with payloads, accesses that its policies allow, adapters, exceptions and statuses anywhere. It is run
in the four combinations of layout and executor, on the kernel's runtimes one task at a time, and in parallel. In serial
order everything that can be seen is the same; in parallel order every run is one of `models.plans.InParallel`, and
where nothing ends it early its outcome is that of the serial one. Every payload that is made is released.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hocket.plan import (
    StepResult,
    TaskResult,
    bind,
    bind_forward_prev,
    bind_into,
    borrow_prev,
    borrow_prev_mut,
    catch_as_failure,
    compile_plan,
    consume_prev,
    copy_prev,
    retry_fixed,
    retry_fixed_passthrough,
    task_tree,
    with_retry,
)
from hocket.runtime.plans import run_plan
from hocket.spec.refine import Accepted
from models.plans import InParallel, Plan
from tests.unit.plan.acting import COMBINATIONS, Ledger

KINDS = ["void", "step", "must", "must", "maybe", "into", "forward"]
CATCHING = [
    (),
    (),
    (),
    (catch_as_failure(),),
    (catch_as_failure(lambda error: StepResult.abort_branch()),),
]
RETRYING = [
    (with_retry(retry_fixed(1)),),
    (with_retry(retry_fixed_passthrough(2)),),
    (catch_as_failure(lambda error: StepResult.retry()), with_retry(retry_fixed(2))),
    (with_retry(retry_fixed(1)), catch_as_failure(lambda error: StepResult.retry()), with_retry(retry_fixed(1))),
]
ENDS = ["success"] * 9 + ["raise", "retry", "retry", "abort_branch", "abort_branch", "failure", "abort_execution"]
POLICIES = ["auto", "auto", "shared_readonly", "consume_with_copies", "consume_with_copies"]
SHARED = [None, borrow_prev, copy_prev]


def words(policy, used):
    """How one more child may take its parent's payload."""
    if policy == "shared_readonly":
        return SHARED
    if policy == "consume_with_copies":
        return [None, copy_prev] + [consume_prev] * (consume_prev not in used)
    if used & {borrow_prev_mut, consume_prev}:
        return [None]
    return SHARED if used else [*SHARED, borrow_prev_mut, borrow_prev_mut, consume_prev]


@st.composite
def shapes(draw, most=7):
    """A tree as rows: level, kind, how it takes its parent's payload, adapters, what its attempts end in, policy."""
    rows: list = []
    path: list = []  # of (has a payload, policy, how it is used), from the root to the last node
    for place in range(draw(st.integers(1, most))):
        level = draw(st.integers(1, len(path))) if place else 0
        del path[level:]
        paid, policy, used = path[-1] if path else (False, "auto", set())
        word = draw(st.sampled_from(words(policy, used))) if paid else None
        kind = draw(st.sampled_from(KINDS))
        if word is borrow_prev_mut and draw(st.booleans()):
            kind = "forward"
        elif kind == "forward":
            kind = "maybe"
        used.update([word] if word else [])
        exclusive = word in (borrow_prev_mut, consume_prev)
        adapters = draw(st.sampled_from(CATCHING if exclusive else [*CATCHING, *RETRYING]))
        ends = draw(st.lists(st.sampled_from(ENDS), min_size=1, max_size=3))
        path.append((kind not in ("void", "step"), draw(st.sampled_from(POLICIES)), set()))
        rows.append((level, kind, word, adapters, ends, path[-1][1]))
    return rows


class World:
    """The tasks of one run, that write down what they see."""

    def __init__(self, rows):
        self.rows, self.trace, self.ledger = rows, [], Ledger()
        self.calls = Counter()
        self.plan = compile_plan(self.tree())

    def tree(self):
        tree = task_tree()
        for place, (level, kind, word, adapters, _, policy) in enumerate(self.rows):
            tree.node(level, self.task(place, kind, word, adapters), fanout=policy)
        return tree

    def task(self, place, kind, word, adapters):
        options = {"adapters": adapters, "name": f"t{place}"}
        box = type(self.ledger.box())
        if kind == "forward":
            return bind_forward_prev(lambda prev: self.act(place, kind, prev), borrow_prev_mut(box), **options)
        sources = [] if word is None else [word(box)]
        if kind == "into":
            act = (
                (lambda out: self.act(place, kind, None, out))
                if word is None
                else lambda prev, out: self.act(place, kind, prev, out)
            )
            return bind_into(act, *sources, returns=box, **options)
        act = (lambda: self.act(place, kind, None)) if word is None else lambda prev: self.act(place, kind, prev)
        returns = {"void": None, "step": StepResult, "must": box, "maybe": TaskResult[box]}[kind]
        return bind(act, *sources, returns=returns, **options)

    def act(self, place, kind, prev, out=None):
        if prev is not None and kind == "forward":
            prev.n += 1
        self.trace.append((place, None if prev is None else prev.n))
        ends = self.rows[place][4]
        end = ends[min(self.calls[place], len(ends) - 1)]
        self.calls[place] += 1
        if end == "raise":
            raise KeyError(place)
        if end == "success" or kind in ("void", "must"):
            return self.succeeded(place, kind, out)
        return getattr(TaskResult if kind == "maybe" else StepResult, end)()

    def succeeded(self, place, kind, out):
        payload = self.ledger.box(place) if kind in ("must", "maybe", "into") else None
        if kind == "into":
            out.put(payload)
        return {"maybe": lambda: TaskResult.success(payload), "must": lambda: payload, "step": StepResult.success}.get(
            kind, lambda: None
        )()

    def run(self, **options):
        self.trace.clear()
        self.calls.clear()
        self.ledger = Ledger()
        events: list = []
        result = run_plan(self.plan, watch=events.append, **options)
        error = repr(result.exception)
        outcome = (result.status, result.task, error)
        del result
        return outcome, list(self.trace), events, self.ledger


def accepted(world, events, model):
    """Whether the model of plans can do exactly these deeds."""
    parents = [None if parent < 0 else f"t{parent}" for parent in world.plan.parents]
    names = list(world.plan.names)
    given = {
        "child": {(parent, name) for parent, name in zip(parents, names, strict=True) if parent is not None},
        "earlier": {(a, b) for n, b in enumerate(names) for m, a in enumerate(names[:n]) if parents[m] == parents[n]},
        "pays": {name for node, name in enumerate(names) if world.plan.owns(node)},
        "slot": {name: f"s{node}" for node, name in enumerate(names)},
        "may_end": set(names),
    }
    said = [
        event
        if len(event) < 3
        else (*event[:2], "abort_branch" if event[2] == "abort_branch" and event[1] != "t0" else "failure")
        for event in events
    ]
    return model.accepts(said, given, Node=names, Slot=[f"s{node}" for node in range(len(names))])


SERIAL = [*COMBINATIONS, ("intervals", "stack"), ("compact", "inline"), ("one_to_one", "threads")]
SETTINGS = settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))


@SETTINGS
@given(shapes())
def test_one_task_at_a_time_every_executor_gives_the_same_trace_result_and_events_and_releases_every_payload(rows):
    world = World(rows)
    outcome, trace, events, ledger = world.run()
    assert ledger.alive == 0
    for slots, executor in SERIAL:
        *again, ledger = world.run(slots=slots, executor=executor, order="serial")
        assert tuple(again) == (outcome, trace, events), (slots, executor)
        assert ledger.alive == 0, (slots, executor)
    unwatched = world.trace.copy()
    world.trace.clear()
    world.calls.clear()
    assert run_plan(world.plan).status is outcome[0]
    assert world.trace == unwatched == trace


@settings(SETTINGS, max_examples=25)
@given(shapes())
def test_a_serial_run_is_a_run_of_the_model(rows):
    world = World(rows)
    _, _, events, _ = world.run(executor="stack")
    found = accepted(world, events, Plan)
    assert isinstance(found, Accepted), found
    assert not {name for name, place in found.state["at"].items() if place in ("at_work", "live")}


@settings(SETTINGS, max_examples=25)
@given(shapes())
def test_a_parallel_run_is_a_run_of_the_model_and_leaves_nothing(rows):
    world = World(rows)
    serial, trace, _, _ = world.run()
    for executor in ("inline", "threads"):
        outcome, seen, events, ledger = world.run(executor=executor, order="parallel")
        found = accepted(world, events, InParallel)
        assert isinstance(found, Accepted), found
        assert ledger.alive == 0
        assert (outcome[0] == serial[0]) or not (outcome[0].value == serial[0].value == "success")
        if serial[0].value == "success":
            assert sorted(seen, key=str) == sorted(trace, key=str)


def test_two_runs_of_one_plan_may_go_on_at_once():
    world = World([(0, "must", None, (), ["success"], "auto"), (1, "void", borrow_prev, (), ["success"], "auto")])

    async def both():
        from hocket.runtime.plans import run_plan_async

        return await asyncio.gather(run_plan_async(world.plan), run_plan_async(world.plan))

    assert all(asyncio.run(both()))
    assert Counter(world.trace) == {(0, None): 2, (1, 0): 2}
