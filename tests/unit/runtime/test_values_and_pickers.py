"""What tasks give to each other, which of them is taken next, and what becomes of those that nobody wants."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from hocket.errors import CycleError, Refused, TaskLost
from hocket.graph import Graph, Task
from hocket.kernel import Outcome
from hocket.runtime import Scheduler, run
from hocket.runtime.pickers import PICKERS, picker_of
from tests.unit.runtime.test_choir_scenarios import meet

FINISHED, FAILED, SKIPPED, CANCELLED = Outcome


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_body_is_called_with_what_its_predecessors_returned_by_name(workers):
    with Scheduler(workers) as s:
        two, three = s.spawn("two", lambda: 2), s.spawn("three", lambda: 3)
        power = s.spawn("power", lambda base, exponent: base**exponent, after={"base": two, "exponent": three})
        again = s.spawn("again", lambda context, x: (context.self_task.name, x), after={"x": power}, context=True)
    assert (power.result, again.result) == (8, ("again", 8))


@pytest.mark.parametrize("workers", [0, 2])
def test_every_call_of_a_task_of_many_bodies_is_given_the_values(workers):
    seen = []
    with Scheduler(workers) as s:
        ten = s.spawn("ten", lambda: 10)
        s.multi("m", 3, lambda n, base: seen.append(base + n), after={"base": ten})
        named = {"base": ten}
        s.iter("i", "ab", lambda c, item, base: seen.append((c.task.name, item, base)), after=named, context=True)
    assert sorted(map(str, seen)) == ["('i', 'a', 10)", "('i', 'b', 10)", "10", "11", "12"]


def test_none_is_a_value_as_any_other_and_so_is_what_an_empty_multi_gives():
    with Scheduler(0) as s:
        nothing, empty = s.spawn("nothing", lambda: None), s.multi("empty", 0, print)
        both = s.spawn("both", lambda x, y: (x, y), after={"x": nothing, "y": empty})
    assert both.result == (None, None)


def test_whoever_was_lost_gives_nothing_and_its_dependents_are_skipped():
    with Scheduler(1) as s:
        fails = s.spawn("fails", lambda: 1 // 0)
        after = s.spawn("after", pytest.fail, after=[fails])
        named = s.spawn("named", lambda x: pytest.fail(x), after={"x": fails})
        with pytest.raises(ZeroDivisionError):
            fails.join()
    assert (after.outcome, named.outcome) == (SKIPPED, SKIPPED)


def test_a_task_lets_go_of_whom_it_came_after_when_it_has_run():
    """Else the last result of a long chain would keep all the others."""
    with Scheduler(0) as s:
        one = s.spawn("one", lambda: 1)
        two = s.spawn("two", lambda x: x + 1, after={"x": one})
        many = s.multi("many", 2, lambda n, x: None, after={"x": one})
    assert (two.result, dict(two.given), dict(many.given)) == (2, {}, {})


def test_the_mapping_is_read_at_the_call_and_may_be_changed_afterwards():
    with Scheduler(0) as s:
        after = {"x": s.spawn("one", lambda: 1)}
        two = s.spawn("two", lambda x: x, after=after)
        after.clear()
    assert two.result == 1


@pytest.mark.parametrize(
    ("body", "named", "message"),
    [
        (lambda: 1, {"x": 0}, "cannot be called with x: got an unexpected keyword argument 'x'"),
        (lambda x, y: 1, {"x": 0}, "cannot be called with x: missing a required argument: 'y'"),
        (None, {"x": 0}, "it has nothing to give values to"),
        (3, {"x": 0}, "it is 3; say spawn"),
    ],
    ids=["unknown", "missing", "bodiless", "no callable"],
)
def test_a_body_that_cannot_be_called_so_is_refused_at_the_call(body, named, message):
    with Scheduler(0) as s:
        one = s.spawn("one", lambda: 1)
        before = len(s._kernel.nodes)
        with pytest.raises(TypeError, match=message):
            s.spawn("t", body, after=dict.fromkeys(named, one))
        assert len(s._kernel.nodes) == before


def test_what_is_no_task_cannot_be_given_by_name():
    with Scheduler(0) as s, pytest.raises(Refused, match="not a task of this scheduler"):
        s.spawn("t", lambda x: x, after={"x": 3})


def test_a_callable_of_c_without_a_signature_is_taken_at_its_word():
    with Scheduler(0) as s:
        digits = s.spawn("digits", lambda: "11")
        three = s.spawn("int", dict, after={"base": digits})
    assert three.result == {"base": "11"}


# -- pickers -----------------------------------------------------------------------------------------------------------


def _order(picker, seed=0, priorities=(0, 5, 1, 5)):
    seen = []
    with Scheduler(0, picker=picker, seed=seed) as s:
        for number, priority in enumerate(priorities):
            s.spawn(f"t{number}", lambda number=number: seen.append(number), priority=priority)
    return seen


def test_each_picker_takes_in_its_own_order():
    assert _order("fifo") == [0, 1, 2, 3]
    assert _order("lifo") == [3, 2, 1, 0]
    assert _order("priority") == [1, 3, 2, 0]
    assert _order(deque()) == [0, 1, 2, 3]


def test_what_is_drawn_depends_on_the_seed_alone_and_every_order_can_come():
    assert _order("random", seed=7) == _order("random", seed=7)
    assert len({tuple(_order("random", seed)) for seed in range(400)}) == 24


@pytest.mark.parametrize("name", PICKERS)
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_picker_runs_everything_once_in_the_order_of_the_edges(name, workers):
    seen = []
    with Scheduler(workers, picker=name) as s:
        first = [s.spawn(f"a{n}", lambda n=n: seen.append(n)) for n in range(20)]
        middle = s.multi("m", 20, lambda n: seen.append(20 + n), after=first)
        s.iter("i", range(40, 60), seen.append, after=[middle])
    assert sorted(seen) == list(range(60))
    assert [set(part) for part in (seen[:20], seen[20:40], seen[40:])] == [
        set(range(start, start + 20)) for start in (0, 20, 40)
    ]


@pytest.mark.parametrize("name", PICKERS)
def test_what_is_shown_first_is_what_is_taken_next(name):
    picker = picker_of(name, seed=3)
    s = Scheduler(0)
    tasks = [s.spawn(str(n), None, priority=n % 4) for n in range(12)]
    for task in tasks:
        picker.append(task)
    taken = []
    while picker:
        shown = picker[0]
        taken.append(picker.popleft())
        assert shown is taken[-1]
    assert sorted(task.name for task in taken) == sorted(task.name for task in tasks)
    for call in (picker.popleft, lambda: picker[0]):
        with pytest.raises(IndexError):
            call()
    s.close()


@pytest.mark.parametrize(("name", "order"), [("fifo", "abc"), ("lifo", "cba")])
def test_a_graph_is_run_by_a_picker_inline_and_on_threads_alike(name, order):
    seen = []
    tasks = tuple(Task(letter, lambda letter=letter: seen.append(letter)) for letter in "abc")
    for runtime in ("inline", "threads"):
        run(Graph(tasks), runtime, workers=0, picker=name)
    assert "".join(seen) == 2 * order


def test_an_unknown_picker_is_refused_before_any_thread_starts():
    before = threading.active_count()
    with pytest.raises(ValueError, match="there is no picker 'best'; there are 'fifo', 'lifo', 'priority', 'random'"):
        Scheduler(2, picker="best")
    with pytest.raises(TypeError, match=r"is no picker: it lacks append, popleft, __getitem__, __len__"):
        Scheduler(2, picker=object())
    assert threading.active_count() == before


def test_with_priorities_a_task_of_many_bodies_lets_more_urgent_work_between():
    seen = []
    s = Scheduler(0, picker="priority")

    def body(n):
        seen.append(f"m{n}")
        if n == 0:
            s.spawn("now", lambda: seen.append("now"), priority=9)

    s.multi("m", 3, body)
    s.spawn("later", lambda: seen.append("later"), priority=-1)
    s.close()
    assert seen == ["m0", "now", "m1", "m2", "later"]


# -- lazy items --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_lazy_items_are_taken_one_at_a_time_each_once(workers):
    taken, seen = [], []

    def items():
        for n in range(50):
            taken.append(n)
            yield n

    with Scheduler(workers) as s:
        handle = s.iter("i", items(), seen.append, lazy=True, run=False)
        assert taken == []
        handle.run()
    assert (taken, sorted(seen)) == (list(range(50)), list(range(50)))


def test_an_endless_iterator_is_taken_as_far_as_its_bodies_go():
    def numbers():
        n = 0
        while True:
            yield n
            n += 1

    def body(n):
        if n == 10:
            raise StopAsyncIteration("enough")

    with Scheduler(0) as s:
        endless = s.iter("endless", numbers(), body, lazy=True)
        with pytest.raises(StopAsyncIteration) as caught:
            endless.join(help=True)
    assert caught.value.__notes__ == ["'endless' was called with 10", "raised by the body of the task 'endless'"]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_what_a_lazy_iterator_raises_fails_its_task_and_nothing_is_asked_of_it_again(workers):
    asked = []

    class Breaks:
        def __iter__(self):
            return self

        def __next__(self):
            asked.append(len(asked))
            if len(asked) == 3:
                raise LookupError("midway")
            return len(asked)

    seen = []
    with Scheduler(workers) as s:
        broken = s.iter("broken", Breaks(), seen.append, lazy=True)
        after = s.spawn("after", pytest.fail, after=[broken])
        with pytest.raises(LookupError, match="midway"):
            broken.join(help=True)
        with pytest.raises(TaskLost):
            after.join(help=True)
    assert (asked, sorted(seen), after.outcome) == ([0, 1, 2], [1, 2], SKIPPED)


@pytest.mark.parametrize("lazy", [False, True])
def test_an_iterator_of_nothing_is_a_point_to_join_at(lazy):
    with Scheduler(1) as s:
        assert s.iter("none", iter(()), pytest.fail, lazy=lazy).join() is None


def test_what_is_not_iterable_is_refused_at_the_call_lazily_too():
    with Scheduler(0) as s:
        for lazy in (False, True):
            with pytest.raises(TypeError, match="not iterable"):
                s.iter("i", 3, print, lazy=lazy)
        assert s._kernel.nodes == {}


# -- cancelling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "parents", "others"),
    [("isolate", FAILED, FINISHED), ("fail_fast", FAILED, CANCELLED), ("branch", FINISHED, FINISHED)],
)
def test_what_has_not_started_can_be_cancelled_and_the_others_go_as_the_policy_says(policy, parents, others):
    """A cancelled child is a lost one: its parent fails, and under fail_fast that stops what has not started."""
    running, go_on = threading.Event(), threading.Event()
    with Scheduler(1, policy=policy) as s:
        first = s.spawn("first", lambda: (running.set(), meet(go_on)))
        parent = s.spawn("parent", None, run=False)
        child = s.spawn("child", pytest.fail, parent=parent)
        after = s.spawn("after", lambda x: pytest.fail(x), after={"x": child})
        other = s.spawn("other", lambda: 1)
        parent.run()
        meet(running)
        child.cancel()
        go_on.set()
        first.join()
    assert [task.outcome for task in (child, after, parent, other)] == [CANCELLED, SKIPPED, parents, others]
    with pytest.raises(TaskLost, match="'child' was cancelled"):
        child.join()


def test_a_second_cancel_is_refused_and_says_why():
    with Scheduler(0) as s:
        task = s.spawn("t", pytest.fail)
        task.cancel()
        with pytest.raises(Refused, match="'t' was cancelled but it is closed; expected: idle or waiting or ready"):
            task.cancel()


# -- building in both directions ---------------------------------------------------------------------------------------


def test_before_says_what_depend_on_says_from_the_other_end():
    seen = []
    with Scheduler(1) as s:
        later = [s.spawn(name, lambda name=name: seen.append(name), run=False) for name in "bc"]
        s.spawn("a", lambda: seen.append("a"), run=False).before(*later).run()
        with pytest.raises(CycleError):
            later[0].before(later[1], later[0])
        for handle in later:
            handle.run()
    assert seen == ["a", "b", "c"]


def test_before_on_what_was_armed_is_refused_and_changes_nothing():
    with Scheduler(0) as s:
        idle, armed, first = s.spawn("idle", None, run=False), s.spawn("armed", int), s.spawn("first", int)
        with pytest.raises(Refused, match="'armed' was told to wait for 'first'"):
            first.before(idle, armed)
        assert idle.node.start == 1


@pytest.mark.parametrize("idle", [True, False])
def test_run_attached_returns_when_all_indices_and_all_forks_have_closed_ch_09_ch_14_c_b7(idle):
    seen = []
    s = Scheduler(0)

    def body(context, n):
        context.fork(f"f{n}", lambda: seen.append(f"f{n}"))
        seen.append(n)

    s.multi("m", 10, body, context=True, run=not idle).run_attached()
    assert len(seen) == 20
    s.close()


def test_a_worker_for_as_long_as_a_block_lasts():
    with Scheduler(0) as s:
        with s.worker("io"):
            assert s.spawn("t", lambda: threading.current_thread().name).join() == "io"
            with pytest.raises(Refused, match="'io' was added but it is at work already"), s.worker("io"):
                pytest.fail("two workers of one name")
        assert not s._workers


# -- interrupted -------------------------------------------------------------------------------------------------------


def test_a_keyboard_interrupt_in_a_helper_comes_out_of_its_join_at_once():
    """It is meant for the thread that helps, and not for whoever asks for that task some day."""
    s = Scheduler(0)

    def interrupted():
        raise KeyboardInterrupt

    first, second = s.spawn("first", interrupted), s.spawn("second", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        second.join(help=True)
    assert (first.outcome, second.outcome, s._seats) == (FAILED, None, {})
    s.close()
    assert second.result == 2


@pytest.mark.parametrize("workers", [0, 1])
def test_an_interrupt_of_the_end_cancels_what_has_not_started_and_ends_the_workers(workers):
    before = threading.active_count()
    s = Scheduler(workers)
    go_on, running = threading.Event(), threading.Event()
    if workers:
        first = s.spawn("first", lambda: (running.set(), meet(go_on)))
        meet(running)
        wait, calls = s._wait, []

        def interrupted_once(task, timeout=None):
            calls.append(task.name)
            if len(calls) == 1:
                raise KeyboardInterrupt
            go_on.set()
            return wait(task, timeout)

        s._wait = interrupted_once
    else:

        def interrupt():
            raise KeyboardInterrupt

        first = s.spawn("first", interrupt)
    second = s.spawn("second", pytest.fail, after=[s.spawn("between", pytest.fail)])
    with pytest.raises(KeyboardInterrupt):
        s.close()
    assert first.outcome is (FINISHED if workers else FAILED)
    assert (second.outcome, s._closed) == (SKIPPED, True)
    deadline = threading.Event()
    while threading.active_count() > before:
        assert not deadline.wait(0.001)
    with pytest.raises(Refused, match="too late"):
        s.spawn("t", int)


def test_an_interrupt_while_the_main_thread_joins_leaves_no_waiter_and_what_runs_is_awaited():
    """As Ctrl-C does it: the wait raises. A real signal may come just before the thread sleeps, and wait with it."""
    go_on, running = threading.Event(), threading.Event()
    with pytest.raises(KeyboardInterrupt), Scheduler(1) as s:  # noqa: PT012
        task = s.spawn("runs", lambda: (running.set(), meet(go_on)))
        later = s.spawn("later", pytest.fail, after=[task])
        meet(running)
        seat_of = s._seat

        def seat_whose_sleep_is_interrupted(name):
            seat = seat_of(name)
            wait = seat.condition.wait

            def interrupted(timeout=None):
                s._seat, seat.condition.wait = seat_of, wait
                raise KeyboardInterrupt

            seat.condition.wait = interrupted
            return seat

        s._seat = seat_whose_sleep_is_interrupted
        try:
            task.join()
        except KeyboardInterrupt:
            assert (list(task.waiters), s._waiting) == ([], [])
            go_on.set()
            raise
    assert (task.outcome, later.outcome) == (FINISHED, CANCELLED)


def test_several_failures_come_out_as_a_group_each_with_its_story():
    def fails(n):
        raise ValueError(n)

    s = Scheduler(2)
    s.multi("many", 1, fails)
    s.spawn("one", lambda: fails("x"))
    with pytest.raises(ExceptionGroup) as caught:
        s.__exit__(None, None, None)
    notes = sorted(note for error in caught.value.exceptions for note in error.__notes__)
    raised = [f"raised by the body of the task {name!r}" for name in ("many", "one")]
    assert notes == ["'many' was called with 0", *raised]
