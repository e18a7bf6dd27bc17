"""C-B2, a livelock: a helping joiner looks for work for ever after the joined task is done.

The joiner finds the queue empty; the worker then finishes the joined task; the joiner
locks the task, sees that it is done, and takes that for "no reason to wait" only: it
goes back to look for work. Repaired: what it sees under the lock decides, and it leaves.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, always, eventually, initial, ite, sometimes
from models.showcase import Showcase, able


class Helping(Spec):
    """One worker, one joiner that helps, one task in the queue."""

    Task = Sort("Task", ("queued", "with_the_worker", "with_the_joiner", "done"))
    Joiner = Sort("Joiner", ("joining", "looking", "empty_handed", "running", "asleep", "returned"))
    task = Function(to=Task)
    joiner = Function(to=Joiner)
    woken = Relation()

    @initial
    def the_task_is_queued(s):
        s.task = "queued"
        s.joiner = "joining"
        s.woken = False

    @action()
    def worker_takes(s):
        s.require("the task is queued", s.task == "queued")
        s.task = "with_the_worker"

    @action()
    def worker_finishes(s):
        s.require("the worker runs it", s.task == "with_the_worker")
        s.task = "done"
        s.woken = s.joiner == "asleep"

    @action()
    def join(s):
        s.require("the joiner asks for the first time", s.joiner == "joining")
        s.joiner = ite(s.task == "done", s.Joiner["returned"], s.Joiner["looking"])

    @action()
    def joiner_takes(s):
        s.require("the joiner looks for work", s.joiner == "looking")
        s.require("the task is queued", s.task == "queued")
        s.task = "with_the_joiner"
        s.joiner = "running"

    @action()
    def joiner_finishes(s):
        s.require("the joiner runs it", s.joiner == "running")
        s.task = "done"
        s.joiner = "returned"

    @action()
    def find_nothing(s):
        s.require("the joiner looks for work", s.joiner == "looking")
        s.require("nothing is queued", s.task != "queued")
        s.joiner = "empty_handed"

    @action()
    def sleep(s):
        s.require("the joiner has found nothing", s.joiner == "empty_handed")
        s.require("under the lock: the task is not done", s.task != "done")
        s.joiner = "asleep"

    @action()
    def see_that_it_is_done(s):
        s.require("the joiner has found nothing", s.joiner == "empty_handed")
        s.require("under the lock: the task is done", s.task == "done")
        s.joiner = s.then()

    def then(s):
        return s.Joiner["returned"]

    @action()
    def wake(s):
        s.require("the joiner sleeps, and was woken", (s.joiner == "asleep") & s.woken)
        s.joiner = "returned"

    @sometimes
    def it_has_slept(s):
        return (s.joiner == "returned") & s.woken

    @eventually
    def the_joiner_returns(s):
        return s.joiner == "returned"

    @always
    def it_returns_only_when_the_task_is_done(s):
        return (s.joiner == "returned") >> (s.task == "done")

    @always
    def who_can_go_no_further_has_returned(s):
        return able(s) | (s.joiner == "returned")


class HelpingForEver(Helping):
    """The same, but a task that is done is only a reason not to sleep."""

    def then(s):
        return s.Joiner["looking"]


SHOWCASE = Showcase(
    rank=2, seed="C-B2", kind="livelock", claim="the_joiner_returns", broken=HelpingForEver, repaired=Helping
)
