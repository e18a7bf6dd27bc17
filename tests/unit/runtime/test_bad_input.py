"""Everything that a caller can do wrong: a clear error at the call, nothing changed, nothing lost, no worker dead."""

from __future__ import annotations

import threading

import pytest

from hocket.errors import CycleError, Refused, TaskLost
from hocket.graph import Graph, Task, seq, task
from hocket.kernel import Outcome
from hocket.runtime import RUNTIMES, Scheduler, run
from tests.unit.runtime.test_choir_scenarios import GUARD, meet


@pytest.fixture
def scheduler():
    with Scheduler(workers=2) as s:
        yield s
        assert sorted(s._workers) == ["worker-0", "worker-1"]
        meeting = threading.Barrier(2)  # both are alive, at once
        for name in "ab":
            s.spawn(name, lambda: meeting.wait(GUARD))


def _open(s):
    with s._lock:
        s._enter_all()
    return len(s._kernel.nodes), len(s._ready)


@pytest.mark.parametrize("body", [1, "f", [print]])
def test_what_cannot_be_called_is_refused_at_the_call(scheduler, body):
    before = _open(scheduler)
    for call in (
        lambda: scheduler.spawn("t", body),
        lambda: scheduler.multi("t", 3, body),
        lambda: scheduler.iter("t", [1], body),
    ):
        with pytest.raises(TypeError, match="'t'"):
            call()
    assert _open(scheduler) == before


def test_a_multi_task_needs_a_body_and_a_count(scheduler):
    before = _open(scheduler)
    with pytest.raises(TypeError, match="needs a body"):
        scheduler.multi("m", 3, None)
    with pytest.raises(ValueError, match="'m' was given a count of -1"):
        scheduler.multi("m", -1, print)
    with pytest.raises(TypeError):
        scheduler.multi("m", 2.5, print)
    assert _open(scheduler) == before


def test_an_iterator_that_raises_midway_raises_at_the_call_and_leaves_no_task(scheduler):
    def items():
        yield 1
        raise LookupError("midway")

    before, seen = _open(scheduler), []
    with pytest.raises(LookupError, match="midway"):
        scheduler.iter("i", items(), seen.append)
    assert (_open(scheduler), seen) == (before, [])


def test_a_task_is_run_once(scheduler):
    one = scheduler.spawn("one", lambda: 1, run=False).run()
    with pytest.raises(Refused, match="'one' was armed but it is"):
        one.run()
    assert one.join() == 1


def test_a_dependency_cannot_be_added_to_what_was_armed(scheduler):
    go_on, other = threading.Event(), scheduler.spawn("other", lambda: 1)
    one = scheduler.spawn("one", lambda: meet(go_on))
    with pytest.raises(Refused, match="'one' was told to wait for 'other'"):
        one.depend_on(other)
    go_on.set()
    assert one.join() is None


def test_several_dependencies_are_added_all_or_none(scheduler):
    good = scheduler.spawn("good", None, run=False)
    one = scheduler.spawn("one", lambda: 1, run=False)
    follows = scheduler.spawn("follows", lambda: 2, after=[one], run=False)
    with pytest.raises(CycleError) as caught:
        one.depend_on(good, follows)
    assert set(caught.value.cycle) == {"one", "follows"}
    assert one.node.start == 1
    one.run()
    assert one.join() == 1  # it does not wait for `good`


def test_a_task_cannot_depend_on_itself(scheduler):
    one = scheduler.spawn("one", None, run=False)
    with pytest.raises(CycleError, match="one → one"):
        one.depend_on(one)


def test_a_child_cannot_come_after_its_parent_p16(scheduler):
    def parent(context):
        before = _open(context.scheduler)
        with pytest.raises(CycleError) as caught:
            context.fork("child", pytest.fail, after=[context.task])
        assert _open(context.scheduler) == before
        return caught.value.cycle

    assert scheduler.spawn("parent", parent, context=True).join() == ("child", "parent")


def test_a_child_cannot_come_after_what_comes_after_its_parent(scheduler):
    parent = scheduler.spawn("parent", None, run=False)
    later = scheduler.spawn("later", None, after=[parent], run=False)
    with pytest.raises(CycleError) as caught:
        scheduler.spawn("child", pytest.fail, parent=parent, after=[later])
    assert set(caught.value.cycle) == {"child", "parent", "later"}


def test_a_task_cannot_hold_itself_p15_nor_two_each_other_p20(scheduler):
    meeting, told, handles = threading.Barrier(2), [], {}

    def adds(other):
        def body(context):
            meeting.wait(GUARD)
            try:
                context.add_fork(handles[other])
            except CycleError as error:
                told.append(set(error.cycle))
            meeting.wait(GUARD)

        return body

    handles["a"] = scheduler.spawn("a", adds("b"), context=True, run=False)
    handles["b"] = scheduler.spawn("b", adds("a"), context=True, run=False)
    for handle in handles.values():
        handle.run()
    for handle in handles.values():
        handle.join(timeout=GUARD)
    assert told == [{"a", "b"}]
    itself = scheduler.spawn("itself", lambda context: context.add_fork(context.task), context=True)
    with pytest.raises(CycleError, match="itself → itself"):
        itself.join()


def test_tasks_of_another_scheduler_are_strangers(scheduler):
    with Scheduler(workers=0) as other:
        stranger = other.spawn("stranger", None, run=False)
        before = _open(scheduler), _open(other)
        mine = scheduler.spawn("mine", None, run=False)
        for call in (
            lambda: scheduler.spawn("t", None, after=[stranger]),
            lambda: scheduler.spawn("t", None, parent=stranger),
            lambda: mine.depend_on(stranger),
            lambda: scheduler.arm(stranger),
            lambda: scheduler.cancel(stranger),
            lambda: scheduler.story(stranger),
            lambda: scheduler.spawn("t", None, after=["stranger"]),
        ):
            with pytest.raises(Refused, match="not a task of this scheduler"):
                call()
        assert (_open(scheduler), _open(other)) == ((before[0][0] + 1, before[0][1]), before[1])


def test_what_has_closed_can_be_given_no_child(scheduler):
    done = scheduler.spawn("done", None)
    done.join()
    with pytest.raises(Refused, match="'done' was given the child 'late' but it is closed"):
        scheduler.spawn("late", None, parent=done)


def test_what_has_started_cannot_be_cancelled_and_what_has_not_can(scheduler):
    running, go_on = threading.Event(), threading.Event()
    one = scheduler.spawn("one", lambda: (running.set(), meet(go_on)))
    two = scheduler.spawn("two", pytest.fail, after=[one])
    meet(running)
    with pytest.raises(Refused, match="'one' was cancelled but it is running"):
        one.cancel()
    two.cancel()
    go_on.set()
    with pytest.raises(TaskLost, match="'two' was cancelled"):
        two.join()


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_a_body_may_raise_anything_and_its_worker_lives(scheduler, error):
    def body():
        raise error("from a body")

    failing = scheduler.spawn("t", body)
    with pytest.raises(error, match="from a body"):
        failing.join()
    assert failing.outcome is Outcome.FAILED


def test_one_failing_index_fails_the_task_and_comes_out_as_itself(scheduler):
    def body(n):
        if n == 5:
            raise ValueError(n)

    many = scheduler.multi("m", 10, body)
    with pytest.raises(ValueError, match="5") as caught:
        many.join()
    assert caught.value.__notes__ == ["'m' was called with 5", "raised by the body of the task 'm'"]
    assert many.outcome is Outcome.FAILED


def test_indices_that_fail_at_the_same_time_come_out_as_a_group_and_none_is_lost(scheduler):
    meeting = threading.Barrier(2)

    def body(n):
        meeting.wait(GUARD)
        raise ValueError(n)

    many = scheduler.multi("m", 2, body)
    with pytest.raises(ExceptionGroup, match="several bodies of the task 'm' failed") as caught:
        many.join()
    assert sorted(error.args for error in caught.value.exceptions) == [(0,), (1,)]
    assert many.exception is caught.value


def test_a_dependent_and_a_parent_say_what_they_were_lost_to(scheduler):
    error = ValueError("the cause")

    def fails():
        raise error

    parent = scheduler.spawn("parent", lambda c: c.fork("child", fails), context=True)
    after = scheduler.spawn("after", pytest.fail, after=[parent])
    for lost, outcome in ((parent, "failed"), (after, "was skipped")):
        with pytest.raises(TaskLost, match=f"'{lost.name}' {outcome} because 'child' was lost") as caught:
            lost.join()
        assert caught.value.__cause__ is error
        assert (caught.value.task, caught.value.outcome, caught.value.cause) == (
            lost.name,
            outcome.split()[-1],
            "child",
        )


def test_failures_that_nobody_asked_for_are_raised_at_the_end():
    def fails(what):
        raise ValueError(what)

    s = Scheduler(workers=2)
    tasks = [s.spawn(what, lambda what=what: fails(what)) for what in ("one", "two", "three")]
    with pytest.raises(ValueError, match="two"):
        tasks[1].join()
    with pytest.raises(ExceptionGroup, match="2 tasks failed, and nobody asked") as caught:
        s.__exit__(None, None, None)
    assert sorted(map(str, caught.value.exceptions)) == ["one", "three"]


def test_a_single_one_is_raised_as_itself():
    with pytest.raises(ZeroDivisionError), Scheduler(workers=1) as s:
        s.spawn("t", lambda: 1 // 0)


def test_whoever_was_told_of_a_loss_was_told_of_its_cause():
    with Scheduler(workers=1) as s:
        parent = s.spawn("parent", lambda c: c.fork("child", lambda: 1 // 0), context=True)
        with pytest.raises(TaskLost):
            parent.join()


def test_an_exception_that_was_read_was_asked_for():
    with Scheduler(workers=1) as s:
        failing = s.spawn("t", lambda: 1 // 0)
        s.spawn("end", None).join()
        while not failing.is_done:
            threading.Barrier(1).wait()
        assert isinstance(failing.exception, ZeroDivisionError)


def test_a_closed_scheduler_takes_nothing_and_its_handles_still_answer():
    with Scheduler(workers=1) as s:
        done = s.spawn("done", lambda: 1)
    s.close()
    assert (done.join(), done.result, done.is_done) == (1, 1, True)
    for call in (lambda: s.spawn("t", None), lambda: s.add_worker("w"), lambda: s.add_graph(Graph(()))):
        with pytest.raises(Refused, match="too late: the scheduler has closed"):
            call()


def test_a_body_cannot_close_the_scheduler_that_runs_it(scheduler):
    with pytest.raises(Refused, match="'the scheduler' was closed but it is running the body that closes it"):
        scheduler.spawn("closes", scheduler.close).join()


@pytest.mark.parametrize(
    ("workers", "error"), [(-1, ValueError), ("io", TypeError), (["a", "b", "a"], ValueError)], ids=str
)
def test_a_scheduler_with_impossible_workers_starts_no_thread(workers, error):
    before = threading.active_count()
    with pytest.raises(error, match="workers"):
        Scheduler(workers)
    assert threading.active_count() == before


def test_an_unknown_policy_is_refused_before_any_thread_starts():
    before = threading.active_count()
    with pytest.raises(ValueError, match="ignore"):
        Scheduler(2, policy="ignore")
    assert threading.active_count() == before


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_graph_that_waits_for_itself_runs_nothing(runtime):
    graph = Graph((Task("a", pytest.fail), Task("b", pytest.fail), Task("c", pytest.fail)), after=((1, 2), (2, 1)))
    before = threading.active_count()
    with pytest.raises(CycleError) as caught:
        run(graph, runtime)
    assert (set(caught.value.cycle), threading.active_count()) == ({"b", "c"}, before)


def test_a_refused_graph_leaves_nothing_in_the_scheduler(scheduler):
    before = _open(scheduler)
    with pytest.raises(CycleError):
        scheduler.add_graph(Graph((Task("a"), Task("b")), hold=((0, 1), (1, 0))))
    assert _open(scheduler) == before


def test_an_unknown_runtime_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="there is no runtime 'cluster'; there are 'inline', 'threads'"):
        run(task(int), "cluster")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_run_raises_what_its_bodies_raised(runtime):
    def fails(what):
        raise ValueError(what)

    one, two = task(lambda: fails("one"), "one"), task(lambda: fails("two"), "two")
    with pytest.raises(ValueError, match="one"):
        run(seq(one, two), runtime)
    with pytest.raises(ExceptionGroup, match="2 tasks failed"):
        run(Graph((Task("one", one.body), Task("two", two.body))), runtime)
    lost = run(seq(one, two), runtime, check=False)
    assert lost.outcomes == {"one": Outcome.FAILED, "two": Outcome.SKIPPED}
    assert (lost.ok, lost.results) == (False, {})


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_body_that_raises_a_base_exception_does_not_leave_the_others_undone(runtime):
    def leaves():
        raise SystemExit(3)

    seen = []
    graph = Graph((Task("leaves", leaves), Task("stays", lambda: seen.append(1))))
    with pytest.raises(SystemExit):
        run(graph, runtime)
    assert seen == [1]
