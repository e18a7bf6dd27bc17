"""The scenarios of Choir's own tests and README, under their ids, on our runtimes.

Nothing here sleeps: where the original sleeps, a body waits for an event that says
that the situation has come about. Each runs on every runtime that can express it (`tests/runtimes.py`).
"""

from __future__ import annotations

import threading
from functools import reduce
from operator import xor

import pytest

from hocket.errors import DeadlockError, TaskLost
from hocket.graph import Graph, Task
from hocket.kernel import Outcome
from hocket.runtime import RUNTIMES, Scheduler, run
from tests.runtimes import GUARD, Inline, concurrent, every

all_graphs = pytest.mark.parametrize("runtime", RUNTIMES)


def meet(event: threading.Event) -> None:
    assert event.wait(GUARD), "what this body waits for never came"


class Counter:
    def __init__(self) -> None:
        self.value, self._lock = 0, threading.Lock()

    def add(self, amount: int = 1) -> None:
        with self._lock:
            self.value += amount


# -- whole graphs, on every runtime ------------------------------------------------------------------------------------


@all_graphs
def test_a_hundred_tasks_before_a_dummy_all_count_ch_01(runtime):
    counter = Counter()
    tasks = (*(Task(f"t{n}", counter.add) for n in range(100)), Task("last"))
    outcome = run(Graph(tasks, after=tuple((100, n) for n in range(100))), runtime)
    assert (counter.value, outcome.ok, len(outcome.outcomes)) == (100, True, 101)


@all_graphs
def test_a_chain_of_a_hundred_runs_in_order_ch_02(runtime):
    seen: list[int] = []
    tasks = tuple(Task(f"t{n}", lambda n=n: seen.append(n)) for n in range(100))
    run(Graph(tasks, after=tuple((n + 1, n) for n in range(99))), runtime)
    assert seen == list(range(100))


@all_graphs
def test_the_readmes_task_after_a_dummy_runs_once_ch_r1(runtime):
    seen: list[str] = []
    run(Graph((Task("foo"), Task("bar", lambda: seen.append("bar"))), after=((1, 0),)), runtime)
    assert seen == ["bar"]


@all_graphs
def test_what_a_body_raises_comes_out_of_the_run_as_itself_ch_12(runtime):
    error = ValueError("a body's own")

    def fails():
        raise error

    with pytest.raises(ValueError, match="a body's own") as caught:
        run(Graph((Task("fails", fails),)), runtime)
    assert caught.value is error


@all_graphs
def test_after_a_failure_what_does_not_depend_on_it_runs_ch_13(runtime):
    def fails():
        raise RuntimeError("panic")

    tasks = (Task("A", fails), Task("B", lambda: "b"), Task("C", lambda: "c"), Task("D", pytest.fail))
    ran = run(Graph(tasks, after=((2, 1), (3, 0))), runtime, workers=1, check=False)
    assert [str(task.outcome) for task in ran.tasks] == ["failed", "finished", "finished", "skipped"]


@all_graphs
def test_three_thousand_dummies_before_one_ch_a2(runtime):
    tasks = (*(Task("dummy") for _ in range(3_000)), Task("end"))
    assert run(Graph(tasks, after=tuple((3_000, n) for n in range(3_000))), runtime).ok


@all_graphs
def test_forks_of_forks_hold_the_root_back_ch_x3(runtime):
    seen: list[str] = []
    tasks = tuple(Task(name, lambda name=name: seen.append(name)) for name in "pfgz")
    run(Graph(tasks, after=((3, 0),), inside=((1, 0), (2, 1)), hold=((0, 1), (1, 2))), runtime)
    assert seen == ["p", "f", "g", "z"]


# -- on worker threads -------------------------------------------------------------------------------------------------


@every
def test_tasks_spawned_around_a_waiting_dummy_all_count_ch_01(scheduler):
    counter = Counter()
    with scheduler(workers=2) as s:
        tasks = [s.spawn(f"t{n}", counter.add) for n in range(100)]  # some are done before `last` is made
        s.spawn("last", None, after=tasks).join()
        assert counter.value == 100


@every
def test_a_chain_by_handles_ends_with_its_last_value_ch_02(scheduler):
    cell = [0]
    with scheduler(workers=1) as s:
        last = None
        for n in range(100):
            last = s.spawn(f"t{n}", lambda n=n: cell.__setitem__(0, n + 1), after=[last] if last else [])
        last.join()
    assert cell == [100]


@every
def test_a_multi_task_of_no_index_returns_and_calls_nothing_ch_03(scheduler):
    with scheduler(workers=1) as s:
        multi = s.multi("none", 0, pytest.fail)
        assert multi.join() is None
        assert multi.outcome is Outcome.FINISHED


@every
@pytest.mark.parametrize("workers", [0, 1, 2, 5])
def test_a_multi_task_calls_each_index_once_ch_04(scheduler, workers):
    seen: list[int] = []
    with scheduler(workers) as s:
        s.multi("sum", 100, seen.append).join(help=True)
    assert sum(seen) == 4950
    assert sorted(seen) == list(range(100))


@every
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_an_iter_task_takes_each_item_once_ch_05(scheduler, workers):
    seen: list[int] = []
    with scheduler(workers) as s:
        s.iter("xor", iter(range(50)), seen.append).join(help=True)
    assert (reduce(xor, seen), sorted(seen)) == (1, list(range(50)))


@every
def test_the_join_of_a_multi_parent_waits_for_the_forks_of_all_indices_ch_06(scheduler):
    bits, lock = [0], threading.Lock()

    def flip(bit):
        with lock:
            bits[0] ^= 1 << bit

    def body(context, n):
        flip(n)
        context.fork(f"clear-{n}", lambda: flip(n))

    with scheduler(workers=2) as s:
        s.multi("set", 50, body, context=True).join()
        assert bits == [0]


@concurrent
@pytest.mark.parametrize("finished_before", [True, False], ids=["already done", "in flight"])
def test_a_running_task_can_be_added_as_a_fork_ch_07(scheduler, finished_before):
    counter, running, go_on = Counter(), threading.Event(), threading.Event()

    def t1():
        running.set()
        meet(go_on)
        counter.add()

    def parent(context):
        counter.add()
        context.add_fork(first)

    with scheduler(workers=2) as s:
        first = s.spawn("t1", t1)
        meet(running)
        if finished_before:
            go_on.set()
            first.join()
        held = s.spawn("parent", parent, context=True)
        after = s.spawn("after", lambda: counter.value, after=[held])
        if not finished_before:
            last = s.spawn("lets it go", go_on.set)
            last.join()
        assert held.join() is None
        assert after.join() == 2


@every
def test_a_fork_may_depend_on_a_plain_task_of_the_parents_making_ch_08(scheduler):
    seen, ready = [], threading.Event()

    def t1():
        meet(ready)
        seen.append("t1")

    def parent(context):
        seen.append("parent")
        first = context.spawn("t1", t1)
        context.fork("t2", lambda: seen.append("t2"), after=[first])
        ready.set()

    with scheduler(workers=1) as s:
        s.spawn("parent", parent, context=True).join()
        assert seen == ["parent", "t1", "t2"]


def test_without_workers_a_helping_join_runs_the_task_itself_ch_09():
    flag = []
    s = Scheduler(workers=0)
    s.spawn("task", lambda: flag.append(threading.get_ident())).join(help=True)
    assert flag == [threading.get_ident()]
    s.close()


@every
def test_without_workers_an_attached_run_runs_it_and_returns_afterwards_ch_09(scheduler):
    flag = []
    with scheduler(0) as s:
        s.spawn("task", lambda: flag.append("set"), run=False).run_attached()
        assert flag == ["set"]


@concurrent
def test_two_threads_join_one_task_and_both_return_ch_10(scheduler):
    go_on, joined = threading.Event(), []
    with scheduler(workers=1) as s:
        task = s.spawn("task", lambda: meet(go_on))
        threads = [threading.Thread(target=lambda: joined.append(task.join(timeout=GUARD))) for _ in range(2)]
        for thread in threads:
            thread.start()
        go_on.set()
        for thread in threads:
            thread.join(GUARD)
    assert joined == [None, None]


@concurrent
def test_a_join_with_a_timeout_says_what_it_waits_for_and_leaves_no_waiter_ch_11(scheduler):
    go_on, running = threading.Event(), threading.Event()
    with scheduler(workers=1) as s:
        first = s.spawn("first", lambda: (running.set(), meet(go_on)))
        second = s.spawn("second", lambda: 2, after=[first])
        meet(running)
        with pytest.raises(TimeoutError, match=r"second is waiting; it waits for first \(after\), which is running"):
            second.join(timeout=0)
        assert (list(second.waiters), getattr(s, "_waiting", [])) == ([], [])
        go_on.set()
        assert second.join() == 2


@concurrent
def test_without_workers_nobody_waits_for_ever_on_a_thread_or_a_loop_ch_11(scheduler):
    with scheduler(0) as s:
        task = s.spawn("t", lambda: 7)
        with pytest.raises(DeadlockError, match="nobody can run 't': there is no worker; add one"):
            task.join()
        s.add_worker("late")
        assert task.join() == 7


def test_a_join_that_nobody_can_serve_is_a_deadlock_at_once_ch_11():
    s = Scheduler(workers=0)
    task = s.spawn("dummy", lambda: 1)
    with pytest.raises(DeadlockError, match="nobody can run 'dummy': there is no worker"):
        task.join()
    assert (list(task.waiters), s._waiting) == ([], [])
    s.close()
    assert task.result == 1


@every
def test_what_a_body_raises_comes_out_of_the_join_as_itself_ch_12(scheduler):
    error = ValueError("a body's own")

    def body():
        raise error

    with scheduler(workers=1) as s:
        task = s.spawn("fails", body)
        with pytest.raises(ValueError, match="a body's own") as caught:
            task.join()
        assert caught.value is error
        assert s.spawn("next", lambda: "the worker lives").join() == "the worker lives"


@concurrent
@pytest.mark.parametrize(
    ("policy", "b", "c"),
    [
        ("isolate", Outcome.FINISHED, Outcome.FINISHED),
        ("branch", Outcome.FINISHED, Outcome.FINISHED),
        ("fail_fast", Outcome.CANCELLED, Outcome.CANCELLED),
    ],
)
def test_after_a_failure_every_join_returns_ch_13(scheduler, policy, b, c):
    go_on, running = threading.Event(), threading.Event()

    def fails():
        running.set()
        meet(go_on)
        raise RuntimeError("panic")

    with scheduler(workers=1, policy=policy) as s:
        a = s.spawn("A", fails)
        meet(running)
        queued = s.spawn("B", lambda: "b")
        follows = s.spawn("C", lambda: "c", after=[queued])
        dependent = s.spawn("D", lambda: "d", after=[a])
        joined = []

        def join(task):
            try:
                joined.append((task.name, task.join(timeout=GUARD)))
            except (TaskLost, RuntimeError) as error:
                joined.append((task.name, type(error)))

        threads = [threading.Thread(target=join, args=(task,)) for task in (a, queued, follows, dependent)]
        for thread in threads:
            thread.start()
        go_on.set()
        for thread in threads:
            thread.join(GUARD)
        assert (queued.outcome, follows.outcome) == (b, c)
        value = {Outcome.FINISHED: str.lower, Outcome.CANCELLED: lambda _: TaskLost}
        assert dict(joined) == {"A": RuntimeError, "B": value[b]("B"), "C": value[c]("C"), "D": TaskLost}


@every
@pytest.mark.parametrize("make", ["multi", "iter"])
def test_an_attached_run_returns_only_when_all_items_are_done_ch_14(scheduler, make):
    taken = []
    with scheduler(0) as s:
        many = s.multi("m", 10, taken.append) if make == "multi" else s.iter("i", range(10), taken.append)
        many.run_attached()
        assert taken == list(range(10))


@every
def test_an_attached_run_waits_for_forks_of_the_task_too_ch_14(scheduler):
    seen = []
    with scheduler(0) as s:
        parent = lambda c: [c.fork(f"f{n}", lambda n=n: seen.append(n)) for n in range(4)]  # noqa: E731  # a body
        s.spawn("p", parent, context=True, run=False).run_attached()
        assert sorted(seen) == [0, 1, 2, 3]


@every
def test_an_idle_blocker_that_is_never_run_by_hand_runs_at_the_end_ch_x1(scheduler):
    with scheduler(workers=1) as s:
        blocker = s.spawn("blocker", lambda: 1, run=False)
        target = s.spawn("target", lambda: 2, after=[blocker])
        assert target.outcome is None
    assert (blocker.result, target.result) == (1, 2)


@every
def test_a_task_does_not_start_before_its_idle_blocker_has_run_ch_x2(scheduler):
    seen = []
    with scheduler(workers=2) as s:
        blocker = s.spawn("blocker", lambda: seen.append("blocker"), run=False)
        target = s.spawn("target", lambda: seen.append("target"), after=[blocker])
        s.spawn("another", None).join()
        assert seen == []
        blocker.run()
        target.join()
    assert seen == ["blocker", "target"]


@every
def test_a_dependency_can_be_added_while_a_task_is_idle_and_not_after(scheduler):
    seen = []
    with scheduler(workers=2) as s:
        one = s.spawn("one", lambda: seen.append(1))
        two = s.spawn("two", lambda: seen.append(2), run=False).depend_on(one).run()
        two.join()
    assert seen == [1, 2]


@every
def test_forks_of_forks_are_awaited_by_the_join_of_the_root_ch_x3(scheduler):
    seen = []

    def parent(context):
        seen.append("P")
        context.fork("F", child, context=True)

    def child(context):
        seen.append("F")
        context.fork("G", lambda: seen.append("G"))

    with scheduler(workers=2) as s:
        s.spawn("P", parent, context=True).join()
        assert seen == ["P", "F", "G"]


@every
def test_other_work_is_let_in_between_two_indices_ch_x4(scheduler):
    seen = []
    with scheduler(0) as s:
        multi = s.multi("M", 4, lambda n: seen.append(f"m{n}"))
        single = s.spawn("S", lambda: seen.append("S"))
        if scheduler is not Inline:
            s.add_worker("w")
        multi.join(), single.join()
    assert seen == ["m0", "S", "m1", "m2", "m3"]


@every
def test_a_parent_that_forks_nothing_closes_at_once_ch_x5(scheduler):
    with scheduler(workers=1) as s:
        assert s.spawn("p", lambda context: "alone", context=True).join() == "alone"


@every
def test_a_task_that_depends_on_a_finished_one_starts_at_once_ch_x6(scheduler):
    with scheduler(workers=1) as s:
        done = s.spawn("done", None)
        done.join()
        assert s.spawn("next", lambda: 1, after=[done, done]).join() == 1


@concurrent
def test_a_worker_may_come_and_go_while_a_hundred_tasks_are_queued_ch_x7(scheduler):
    counter, half = Counter(), threading.Event()

    def body():
        counter.add()
        if counter.value == 50:
            half.set()

    with scheduler(0) as s:
        tasks = [s.spawn(f"t{n}", body) for n in range(100)]
        s.add_worker("first")
        meet(half)
        s.add_worker("second")
        s.remove_worker("first")
        for task in tasks:
            task.join()
    assert counter.value == 100


@every
def test_a_recursive_sort_with_forks_sorts_ch_a1(scheduler):
    data = [(n * 7919) % 2003 for n in range(2003)]

    def sort(context, low, high):
        if high - low <= 5:
            data[low:high] = sorted(data[low:high])
            return
        pivot = sorted((data[low], data[(low + high) // 2], data[high - 1]))[1]
        part = data[low:high]
        small, same, big = ([x for x in part if (x > pivot) - (x < pivot) == sign] for sign in (-1, 0, 1))
        data[low:high] = small + same + big
        for start, stop in ((low, low + len(small)), (high - len(big), high)):
            context.fork("part", lambda c, start=start, stop=stop: sort(c, start, stop), context=True)

    with scheduler(workers=2) as s:
        s.spawn("all", lambda context: sort(context, 0, len(data)), context=True).join()
        assert data == sorted(range(2003))


@every
def test_three_thousand_dummies_before_one_return_ch_a2(scheduler):
    with scheduler(workers=2) as s:
        end = s.spawn("end", None, after=[s.spawn("dummy", None) for _ in range(3_000)])
        end.join(help=True)
        assert end.outcome is Outcome.FINISHED
