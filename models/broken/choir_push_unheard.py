"""A lost wake-up: `schedule` notified without the mutex (Choir before d169a18).

The host pushes a task and notifies while the worker, which has seen an empty queue,
is not waiting yet. Repaired as it was there: notify under the mutex that the worker
holds from its last look until it waits.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, always, eventually, initial, sometimes
from models.showcase import Showcase, able


class Scheduling(Spec):
    """One worker, and a host that pushes one task."""

    Worker = Sort("Worker", ("looking", "about_to_wait", "waiting", "ran_it"))
    Host = Sort("Host", ("idle", "pushed", "done"))
    worker = Function(to=Worker)
    host = Function(to=Host)
    locked = Relation()  # by the worker
    queued = Relation()

    @initial
    def nothing_is_queued(s):
        s.worker, s.host = "looking", "idle"
        s.locked, s.queued = False, False

    @action()
    def push(s):
        s.require("the host has not pushed", s.host == "idle")
        s.queued, s.host = True, "pushed"

    @action()
    def notify_a_waiter(s):
        s.may_notify()
        s.require("the worker waits", s.worker == "waiting")
        s.host, s.worker = "done", "looking"

    @action()
    def notify_nobody(s):
        s.may_notify()
        s.require("nobody waits", s.worker != "waiting")
        s.host = "done"

    def may_notify(s):
        s.require("the host has pushed", s.host == "pushed")
        s.require("the mutex is free", ~s.locked)

    @action()
    def take(s):
        s.require("the worker looks", s.worker == "looking")
        s.require("a task is queued", s.queued)
        s.queued, s.worker = False, "ran_it"

    @action()
    def see_nothing(s):
        s.require("the worker looks", s.worker == "looking")
        s.require("nothing is queued", ~s.queued)
        s.locked, s.worker = True, "about_to_wait"

    @action()
    def wait(s):
        s.require("the worker is about to wait", s.worker == "about_to_wait")
        s.locked, s.worker = False, "waiting"

    @always
    def what_was_run_is_queued_no_more(s):
        return (s.worker == "ran_it") >> ~s.queued

    @eventually
    def the_task_is_run(s):
        return s.worker == "ran_it"

    @always
    def who_can_go_no_further_has_run_the_task(s):
        return able(s) | (s.worker == "ran_it")

    @sometimes
    def a_waiter_is_woken(s):
        return (s.host == "done") & (s.worker == "looking")


class HastyScheduling(Scheduling):
    """The same, but the host does not wait for the mutex."""

    def may_notify(s):
        s.require("the host has pushed", s.host == "pushed")


SHOWCASE = Showcase(
    rank=17,
    seed="before d169a18",
    kind="deadlock",
    claim="who_can_go_no_further_has_run_the_task",
    broken=HastyScheduling,
    repaired=Scheduling,
)
