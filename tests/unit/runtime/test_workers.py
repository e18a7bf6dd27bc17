"""Workers that come and go, helpers, joins inside bodies, and the deadlocks that are refused at the call."""

from __future__ import annotations

import threading

import pytest

from hocket.errors import CycleError, DeadlockError, Refused, Stranded
from hocket.kernel import Outcome
from hocket.runtime import Scheduler
from tests.unit.runtime.test_choir_scenarios import GUARD, Counter, meet


def test_a_helper_is_woken_by_new_work_c_b6():
    """J helps with D, whose dependency runs on the only worker, which is then removed: J must run D."""
    running, go_on, ran_on = threading.Event(), threading.Event(), []
    s = Scheduler(workers=["w"])
    a = s.spawn("A", lambda: (running.set(), meet(go_on)))
    d = s.spawn("D", lambda: ran_on.append(threading.current_thread().name), after=[a])
    meet(running)
    joiner = threading.Thread(target=lambda: d.join(help=True), name="J")
    joiner.start()
    remover = threading.Thread(target=lambda: s.remove_worker("w"))
    remover.start()
    while "w" in s._workers:  # the removal has been noted, and waits for A's body
        threading.Barrier(1).wait()
    go_on.set()
    joiner.join(GUARD)
    remover.join(GUARD)
    assert ran_on == ["J"]
    s.close()


def test_joins_inside_bodies_help_so_that_one_worker_suffices_p26():
    def fib(context, n):
        if n < 2:
            return n
        one, other = (context.spawn(f"fib-{m}", lambda c, m=m: fib(c, m), context=True) for m in (n - 1, n - 2))
        return one.join() + other.join()

    with Scheduler(workers=1) as s:
        assert s.spawn("fib", lambda c: fib(c, 10), context=True).join() == 55
        s.check()


def test_several_helpers_share_the_work():
    meeting = threading.Barrier(3)
    s = Scheduler(workers=0)
    tasks = [s.spawn(f"t{n}", lambda: meeting.wait(GUARD)) for n in range(3)]
    helpers = [threading.Thread(target=lambda task=task: task.join(help=True)) for task in tasks]
    for helper in helpers:
        helper.start()
    for helper in helpers:
        helper.join(GUARD)
    assert sorted(task.result for task in tasks) == [0, 1, 2]
    s.close()


def test_all_workers_are_used_at_once():
    meeting = threading.Barrier(4)
    with Scheduler(workers=4) as s:
        tasks = [s.spawn(f"t{n}", lambda: meeting.wait(GUARD)) for n in range(4)]
        assert sorted(task.join() for task in tasks) == [0, 1, 2, 3]


def test_a_multi_task_is_split_until_every_worker_has_a_part():
    """Four indices meet, which only four workers can bring about: each has one, and each index is called once."""
    meeting, parts = threading.Barrier(4), []

    def index(number):
        parts.append((number, threading.current_thread().name))
        meeting.wait(GUARD)

    with Scheduler(workers=4) as s:
        s.multi("m", 4, index).join()
    numbers, names = zip(*parts, strict=True)
    assert sorted(numbers) == [0, 1, 2, 3]
    assert sorted(names) == [f"worker-{n}" for n in range(4)]


def test_a_worker_is_removed_from_inside_its_own_body():
    seen = []

    def body():
        s.remove_worker("w")
        seen.append(threading.current_thread().name)

    s = Scheduler(workers=["w"])
    task = s.spawn("removes its worker", body)
    task.join()
    next_one = s.spawn("next", lambda: seen.append(threading.current_thread().name))
    s.add_worker("v")
    next_one.join()
    s.close()
    assert seen == ["w", "v"]


def test_workers_are_added_from_inside_a_body_and_take_part():
    meeting = threading.Barrier(2)

    def body(context):
        context.scheduler.add_worker("second")
        other = context.fork("other", lambda: meeting.wait(GUARD))
        meeting.wait(GUARD)
        return other.name

    with Scheduler(workers=1) as s:
        assert s.spawn("first", body, context=True).join() == "other"


def test_a_name_is_free_again_when_its_worker_is_gone():
    with Scheduler(workers=["w"]) as s:
        with pytest.raises(Refused, match="'w' was added but it is at work already"):
            s.add_worker("w")
        s.remove_worker("w")
        with pytest.raises(Refused, match="'w' was removed but it is no worker"):
            s.remove_worker("w")
        s.add_worker("w")
        assert s.spawn("t", lambda: threading.current_thread().name).join() == "w"


def test_a_hundred_workers_are_no_limit():
    """Choir's table of workers has 64 places."""
    meeting, names = threading.Barrier(100), []

    def body():
        names.append(threading.current_thread().name)
        return meeting.wait(GUARD)

    with Scheduler(workers=100) as s:
        tasks = [s.spawn(f"t{n}", body) for n in range(100)]
        assert sorted(task.join() for task in tasks) == list(range(100))
    assert sorted(names) == sorted(f"worker-{n}" for n in range(100))


def test_removing_the_last_worker_tells_who_waits():
    running, go_on, told = threading.Event(), threading.Event(), []
    s = Scheduler(workers=["w"])
    s.spawn("first", lambda: (running.set(), meet(go_on)))
    second = s.spawn("second", lambda: 2)
    meet(running)

    def join():
        with pytest.raises(DeadlockError, match="nobody can run 'second'"):
            second.join()
        told.append(True)

    joiner = threading.Thread(target=join)
    joiner.start()
    while not s._waiting:
        threading.Barrier(1).wait()
    removed = []

    def remove():
        with pytest.warns(Stranded, match="'w' was the last worker, and 'second' waits") as warned:
            s.remove_worker("w")
        removed.append(warned[0].message.tasks)

    remover = threading.Thread(target=remove)
    remover.start()
    while "w" in s._workers:
        threading.Barrier(1).wait()
    go_on.set()
    joiner.join(GUARD)
    remover.join(GUARD)
    assert (told, removed) == ([True], [("second",)])
    assert second.outcome is None
    s.close()
    assert second.result == 2


def test_no_worker_is_left_behind():
    before = threading.active_count()
    with Scheduler(workers=3) as s:
        s.multi("m", 100, lambda n: n)
    assert threading.active_count() == before


def test_a_helper_that_is_interrupted_leaves_no_seat_behind():
    """An exception in a wait (as Ctrl-C is) must not leave a sleeper on the list that nobody can wake."""
    s = Scheduler(workers=0)
    idle = s.spawn("idle", lambda: 1, run=False)

    class Interrupted(Exception):
        pass

    seat_of = s._seat

    def seat_that_is_interrupted(name):
        seat = seat_of(name)

        class Condition_:
            def wait(self, timeout=None):
                raise Interrupted

            def notify(self, n=1): ...

        seat.condition = Condition_()
        return seat

    s._seat = seat_that_is_interrupted
    with pytest.raises(Interrupted):
        idle.join(help=True)
    assert (s._asleep.parked, s._seats, list(idle.waiters), len(s._joins)) == ([], {}, [], 0)
    s._seat = seat_of
    s.close()
    assert idle.result == 1


# -- joins that would wait for themselves ------------------------------------------------------------------------------


def _told(s, body, **options):
    """What a body is told that does something impossible."""
    task = s.spawn("body", body, context=True, **options)
    with pytest.raises((DeadlockError, CycleError, Refused)) as caught:
        task.join()
    return caught.value


def test_a_body_cannot_join_itself():
    with Scheduler(workers=1) as s:
        told = _told(s, lambda context: context.task.join())
        assert isinstance(told, DeadlockError)
        assert told.cycle == ("body",)


def test_a_body_cannot_join_its_parent():
    with Scheduler(workers=1) as s:
        children = []
        s.spawn("parent", lambda c: children.append(c.fork("child", lambda: c.task.join())), context=True)
        s.spawn("second", int).join()
        with pytest.raises(DeadlockError, match="'child' joined 'parent', which cannot close before 'child' does"):
            children[0].join()


def test_a_body_cannot_join_what_comes_after_it():
    with Scheduler(workers=1) as s:
        later = []

        def body(context):
            context.spawn("c", None, after=[context.spawn("b", None, after=[context.task])])
            later.append(context.spawn("d", None, after=[context.task]))
            return later[0].join()

        assert isinstance(_told(s, body), DeadlockError)


def test_a_helper_cannot_join_what_its_own_thread_has_put_aside():
    """The stack inversion: A joins B, the same thread runs B, and B joins A, which cannot go on before B returns."""
    with Scheduler(workers=1) as s:

        def a(context):
            return context.spawn("B", lambda: context.task.join()).join()

        with pytest.raises(DeadlockError, match="'B' joined 'A', which cannot close before 'A' does"):
            s.spawn("A", a, context=True).join()


def test_two_bodies_on_two_workers_cannot_join_each_other():
    meeting = threading.Barrier(2)
    handles = {}
    with Scheduler(workers=2) as s:

        def body(mine, other):
            def joins():
                meeting.wait(GUARD)
                return handles[other].join() or mine

            return joins

        handles["a"] = s.spawn("a", body("a", "b"), run=False)
        handles["b"] = s.spawn("b", body("b", "a"), run=False)
        handles["a"].run(), handles["b"].run()
        ended = [_outcome_of(handle) for handle in handles.values()]
    # whoever joined second was told; the other one got that error as its own
    assert ended == [DeadlockError, DeadlockError]


def _outcome_of(handle):
    try:
        return handle.join(timeout=GUARD)
    except DeadlockError:
        return DeadlockError


def test_three_threads_cannot_join_in_a_ring_through_an_edge():
    """a joins x, which comes after b; b joins a."""
    first, second = threading.Event(), threading.Event()
    with Scheduler(workers=2) as s:

        def a():
            meet(first)
            second.set()
            return x.join()

        def b():
            meet(second)
            while not len(s._joins):  # until a is in its join
                threading.Barrier(1).wait()
            return handle.join()

        handle = s.spawn("a", a)
        waits = s.spawn("b", b)
        x = s.spawn("x", lambda: "x", after=[waits])
        first.set()
        with pytest.raises(DeadlockError, match="'b' joined 'a'"):
            waits.join(timeout=GUARD)
        with pytest.raises(Exception, match="'x' was skipped because 'b' was lost"):
            handle.join(timeout=GUARD)


def test_a_body_that_is_joined_cannot_be_held_open_by_who_joins_it():
    """a joins t; t, running, adds a as its fork: t would close after a, which waits for t."""
    with Scheduler(workers=2) as s:
        told = []

        def t(context):
            while not len(s._joins):
                threading.Barrier(1).wait()
            with pytest.raises(CycleError) as caught:
                context.add_fork(a)
            told.append(set(caught.value.cycle))
            return "t"

        handle = s.spawn("t", t, context=True, run=False)
        a = s.spawn("a", lambda: handle.join())
        handle.run()
        assert a.join(timeout=GUARD) == "t"
        assert told == [{"t", "a"}]


def test_a_join_that_is_allowed_is_not_refused_while_others_join():
    with Scheduler(workers=2) as s:

        def tree(context, depth):
            if not depth:
                return 1
            forks = [context.fork(f"{depth}", lambda c: tree(c, depth - 1), context=True) for _ in range(2)]
            return sum(handle.join() for handle in forks)

        assert s.spawn("tree", lambda c: tree(c, 6), context=True).join() == 64
        s.check()


def test_counts_agree_after_many_spawns_from_many_threads():
    counter = Counter()
    with Scheduler(workers=3) as s:

        def flood():
            for n in range(200):
                s.spawn(f"t{n}", counter.add)

        threads = [threading.Thread(target=flood) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(GUARD)
    assert counter.value == 600


def test_what_bodies_leave_idle_is_armed_at_the_end_also_when_left_during_the_end():
    seen = []

    def body(context):
        context.spawn("idle child", lambda: seen.append("child"), run=False)
        context.spawn(
            "later", lambda c: c.spawn("idle grandchild", lambda: seen.append("grand"), run=False), context=True
        )

    for workers in (0, 1, 2):
        seen.clear()
        with Scheduler(workers) as s:
            s.spawn("body", body, context=True, run=False)
        assert sorted(seen) == ["child", "grand"]


def test_an_exception_in_the_block_cancels_what_has_not_started():
    running, go_on = threading.Event(), threading.Event()
    with pytest.raises(KeyError, match="the block's own"), Scheduler(workers=1) as s:  # noqa: PT012
        first = s.spawn("first", lambda: (running.set(), meet(go_on)))
        second = s.spawn("second", lambda: 2)
        idle = s.spawn("idle", lambda: 3, run=False)
        meet(running)
        go_on_later = threading.Thread(target=lambda: (_until(lambda: second.is_done), go_on.set()))
        go_on_later.start()
        raise KeyError("the block's own")
    go_on_later.join(GUARD)
    assert [task.outcome for task in (first, second, idle)] == [
        Outcome.FINISHED,
        Outcome.CANCELLED,
        Outcome.CANCELLED,
    ]


def _until(true) -> None:
    while not true():
        threading.Barrier(1).wait()
