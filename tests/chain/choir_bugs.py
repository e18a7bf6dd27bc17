"""Choir's own bugs, C-B1 to C-B12: who finds each, and our scheduler on the same configuration.

`found_in` names the model under models/broken that search finds broken (tests/unit/models runs all of these), or is a
small program here with the same mistake, that the explorer finds broken. `ours` is the configuration in which it
happened, given to the thread runtime: explored in every interleaving, it has to hold, `interleavings` of them.

`python -m tests.chain.choir_bugs` prints the table.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import hocket
from hocket.errors import CycleError, DeadlockError, Stranded, TaskLost
from hocket.kernel import Edge, Outcome
from hocket.runtime import Context, Handle, Scheduler
from tests.chain.scenarios import Drawn

FINISHED, FAILED, SKIPPED, CANCELLED = Outcome


@dataclass(frozen=True)
class Bug:
    """A bug by its id; what a buggy program fails with; how many interleavings ours has."""

    id: str
    found_in: str | Callable[[], object]
    kind: str
    ours: Callable[[], object]
    interleavings: int

    def __str__(self) -> str:
        return f"{self.id} {self.ours.__name__}"


class Planned(Exception):
    """What bodies here raise."""


def fails() -> None:
    raise Planned


def ends(*tasks: Handle, help: bool = False) -> list[Outcome | None]:
    """How tasks end, for one who joins each of them."""
    for task in tasks:
        with suppress(Planned, TaskLost):
            task.join(help=help)
    return [task.outcome for task in tasks]


def beside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


# -- the same mistakes as small programs -------------------------------------------------------------------------------


def waiter_left_behind() -> None:
    """C-B5: a join gives up waiting and leaves its condition on the list of who is to be told."""
    lock, waiters, gone = threading.Lock(), list[threading.Condition](), set[int]()

    def join() -> None:
        mine = threading.Condition(lock)
        with lock:
            waiters.append(mine)
            mine.wait(timeout=1)
            gone.add(id(mine))  # its frame is left, and it is still on the list

    def finish() -> None:
        with lock:
            for waiter in waiters:
                assert id(waiter) not in gone, "a waiter is told that is no more"
                waiter.notify()

    joiner = beside(join)
    finish()
    joiner.join()


def minus_one() -> None:
    """C-B8: who panicked is kept as a number, and -1 is both 'nobody' and the attached thread."""
    panic = hocket.Atomic(-1)
    worker = beside(lambda: panic.store(0))
    panic.store(-1)  # the attached thread's body panics
    worker.join()
    assert panic.load() != -1, "two bodies have panicked, and nobody is said to have"


def worker_dies() -> None:
    """C-B9: an exception ends the worker, and the next task is nobody's."""
    lock = threading.Lock()
    work, done = [fails, lambda: None], threading.Semaphore(0)

    def worker() -> None:
        with suppress(Planned):  # of the thread, after which there is no worker
            while True:
                with lock:
                    body = work.pop(0)
                body()
                done.release()

    beside(worker)
    done.acquire()


def recursive_flush() -> None:
    """C-B12: the dependents of a lost task are lost by recursion, however long the chain."""

    def flush(number: int) -> None:
        if number:
            flush(number - 1)

    flush(3_000)


# -- the configurations, on our scheduler ------------------------------------------------------------------------------


def executor_of_a_multi_leaves() -> None:
    """A helper that runs an index of M sees what it joined done, and leaves; somebody else joins M."""
    with Scheduler(1) as s:
        many = s.multi("M", 2, lambda n: None, run=False)
        many.work = Drawn(2)
        x = s.spawn("X", int)
        many.run()
        helper = beside(lambda: x.join(help=True))
        many.join()
        helper.join()


def helper_of_what_a_worker_finishes() -> None:
    with Scheduler(1) as s:
        assert s.spawn("D", int).join(help=True) == 0


def dependents_and_parents_of_who_fails() -> None:
    with Scheduler(1) as s:
        parent = s.spawn("P", lambda context: context.fork("F", fails), context=True)
        after = s.spawn("D", int, after=[parent])
        assert ends(after, parent) == [SKIPPED, FAILED]


def parent_fails_while_its_fork_runs() -> None:
    forks: list[Handle] = []

    def body(context: Context[Handle]) -> None:
        forks.append(context.fork("F", int))
        raise Planned

    with Scheduler(2) as s:
        parent = s.spawn("P", body, context=True)
        assert ends(parent) == [FAILED]
        assert forks[0].outcome is FINISHED, "a parent has closed before its fork"


def one_index_fails_while_another_runs() -> None:
    def body(n: int) -> None:
        if not n:
            raise Planned

    with Scheduler(1) as s:
        many = s.multi("M", 2, body, run=False)
        many.work = Drawn(2)
        many.run()
        assert ends(many, help=True) == [FAILED]


def another_fails_while_a_parent_runs() -> None:
    with Scheduler(1) as s:
        parent = s.spawn("P", lambda context: context.fork("F", int), context=True)
        other = s.spawn("X", fails)
        assert ends(other, parent) == [FAILED, FINISHED]


def join_with_a_timeout() -> str:
    """Its time may be up before or after the task has closed; either way nobody is left on the list."""
    with Scheduler(1) as s:
        task = s.spawn("t", int)
        try:
            told = str(task.join(timeout=1))
        except TimeoutError:
            told = "late"
        with s._lock:
            assert (list(task.waiters), s._waiting) == ([], [])
    return told


def helper_left_alone() -> None:
    """J helps with D, which comes after A; the only worker leaves."""
    with Scheduler(["W"]) as s:
        d = s.spawn("D", int, after=[s.spawn("A", int)])
        leaver = beside(lambda: _sent_away(s))
        assert d.join(help=True) == 0
        leaver.join()


def _sent_away(scheduler: Scheduler) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Stranded)
        scheduler.remove_worker("W")


def attached_run() -> None:
    done: list[int] = []
    with Scheduler(1) as s:
        body = lambda context, n: context.fork(f"f{n}", lambda: done.append(n))  # noqa: E731
        s.multi("M", 2, body, context=True, run=False).run_attached()
        assert sorted(done) == [0, 1]


def two_fail_one_of_them_attached() -> None:
    with Scheduler(1) as s:
        one, other = s.spawn("one", fails), s.spawn("other", fails)
        assert ends(one, other, help=True) == [FAILED, FAILED]
        assert [type(task.exception) for task in (one, other)] == [Planned, Planned]


def worker_survives() -> None:
    with Scheduler(1) as s:
        assert ends(s.spawn("fails", fails), s.spawn("next", int)) == [FAILED, FINISHED]


def dependent_of_what_never_ran() -> None:
    """D comes after A, which runs, and B, which a failure keeps from starting: D must not run."""
    ran: list[str] = []
    with Scheduler(1, policy="fail_fast") as s:
        a = s.spawn("A", lambda: ran.append("A"))
        x = s.spawn("X", fails, after=[a])
        b = s.spawn("B", lambda: ran.append("B"), after=[x])
        d = s.spawn("D", lambda: ran.append("D"), after=[a, b])
        # where X had failed before B was made, D is a run of its own, and it has no less been lost
        assert ends(x, b, d)[0] is FAILED
        assert d.outcome in (SKIPPED, CANCELLED)
    assert ran == ["A"]


def circles() -> None:
    """p14, p15, p16, p20, p26: each is refused at the call; what is left of them runs."""
    with Scheduler(1) as s:
        one, two = s.spawn("one", int, run=False), s.spawn("two", int, run=False)
        two.depend_on(one)
        _refused(lambda: one.depend_on(two))

        def body(context: Context[Handle]) -> None:
            _refused(lambda: context.add_fork(context.task))
            _refused(lambda: context.fork("child", int, after=[context.task]))
            context.add_fork(one)
            _refused(lambda: s.link(Edge.HOLD, [context.task], one))
            one.run()
            context.spawn("queued", int).join()  # on the only worker

        assert ends(s.spawn("body", body, context=True, run=False).before(two).run()) == [FINISHED]


def _refused(call: Callable[[], object]) -> None:
    try:
        call()
    except (CycleError, DeadlockError):
        return
    raise AssertionError("a circle was accepted")


def long_chain() -> None:
    """The head of a chain three times as long as the stack fails, and all that comes after it is lost."""
    s = Scheduler(0)
    last = s.spawn("head", fails)
    for _ in range(3_000):
        last = s.spawn("link", int, after=[last])
    assert ends(last, help=True) == [SKIPPED]


BUGS = (
    Bug("C-B1", "choir_notify_without_lock", "deadlock", executor_of_a_multi_leaves, 1080),
    Bug("C-B2", "choir_helper_never_leaves", "livelock", helper_of_what_a_worker_finishes, 10),
    Bug("C-B3", "choir_orphaned_dependents", "deadlock", dependents_and_parents_of_who_fails, 30),
    Bug("C-B4", "choir_running_parent_closed", "second close", parent_fails_while_its_fork_runs, 1350),
    Bug("C-B4", "choir_running_parent_closed", "second close", one_index_fails_while_another_runs, 117),
    Bug("C-B4", "choir_running_parent_closed", "second close", another_fails_while_a_parent_runs, 74),
    Bug("C-B5", waiter_left_behind, "assertion", join_with_a_timeout, 34),
    Bug("C-B6", "choir_helper_sleeps_alone", "deadlock", helper_left_alone, 142),
    Bug("C-B7", "choir_returns_after_one_index", "early return", attached_run, 405),
    Bug("C-B8", minus_one, "assertion", two_fail_one_of_them_attached, 52),
    Bug("C-B9", worker_dies, "deadlock", worker_survives, 42),
    Bug("C-B10", "choir_runs_after_flush", "order", dependent_of_what_never_ran, 80),
    Bug("C-B11", "choir_circles", "deadlock", circles, 96),
    Bug("C-B12", recursive_flush, "exception", long_chain, 1),
)


def explored(body: Callable[[], object]) -> Any:
    """Every interleaving of a program, at its locks, conditions and threads."""
    return hocket.explore(body, data="off")


def main() -> None:
    for bug in BUGS:
        print(bug.id, end=" ", flush=True)
        if callable(bug.found_in):
            found = explored(bug.found_in)
            print(f"{bug.found_in.__name__}: {found.failure and found.failure.kind} ({found.executions});", end=" ")
        else:
            print(f"models/broken/{bug.found_in}.py: {bug.kind};", end=" ")
        ours = explored(bug.ours)
        print(f"{bug.ours.__name__}: {ours.verdict}, {ours.executions:,} interleavings")


if __name__ == "__main__":
    main()
