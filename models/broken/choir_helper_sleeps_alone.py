"""C-B6, a deadlock: a helping joiner sleeps where no new work wakes it.

The joiner, its queue empty, sleeps on the condition of the task that it joins. The
worker finishes that task's dependency, which puts the task into the queue, and is
dropped. Nobody runs the task that the joiner sleeps for. Repaired: a helper is a full
executor, and sleeps where new work wakes it.
"""

from __future__ import annotations

from hocket.spec import Function, Sort, Spec, action, always, environment, initial, ite, sometimes
from models.showcase import Showcase, able


class Helper(Spec):
    """A worker that may be dropped, a joiner that helps; `d` depends on `a`, and is joined."""

    Task = Sort("Task", ("a", "d"))
    Place = Sort("Place", ("waiting", "queued", "running", "done"))
    Actor = Sort("Actor", ("worker", "joiner"))
    Doing = Sort("Doing", ("looking", "asleep", "running", "gone"))
    at = Function(Task, to=Place)
    runner = Function(Task, to=Actor)  # of a task that runs
    doing = Function(Actor, to=Doing)

    @initial
    def a_is_queued(s):
        s.at["a"], s.at["d"] = "queued", "waiting"
        s.runner.each(lambda t: "worker")
        s.doing.each(lambda x: "looking")

    @action(Actor, Task)
    def take(s, x, t):
        s.require("it looks for work", s.doing[x] == "looking")
        s.require("the task is queued", s.at[t] == "queued")
        s.at[t], s.runner[t], s.doing[x] = "running", x, "running"

    @action(Actor, Task)
    def finish(s, x, t):
        s.require("it runs that task", (s.at[t] == "running") & (s.runner[t] == x))
        s.at[t], s.runner[t], s.doing[x] = "done", "worker", "looking"
        s.doing["joiner"] = ite((t == "d") & s.asleep(), s.Doing["looking"], s.doing["joiner"])  # d's own condition
        s.at["d"] = ite(t == "a", s.Place["queued"], s.at["d"])
        s.new_work(t == "a")

    def asleep(s):
        return s.doing["joiner"] == "asleep"

    def new_work(s, there_is):
        """One sleeping executor is woken."""
        s.doing["joiner"] = ite(there_is & s.asleep(), s.Doing["looking"], s.doing["joiner"])

    @action()
    def sleep(s):
        s.require("the joiner looks for work", s.doing["joiner"] == "looking")
        s.require("nothing is queued", (s.at["a"] != "queued") & (s.at["d"] != "queued"))
        s.require("what it joins is not done", s.at["d"] != "done")
        s.doing["joiner"] = "asleep"

    @environment()
    def drop_the_worker(s):
        s.require("it runs nothing", s.doing["worker"] == "looking")
        s.doing["worker"] = "gone"

    @action()
    def join_returns(s):
        s.require("the joiner looks around", s.doing["joiner"] == "looking")
        s.require("what it joins is done", s.at["d"] == "done")
        s.doing["joiner"] = "gone"

    @always
    def who_can_go_no_further_has_joined(s):
        return able(s) | (s.doing["joiner"] == "gone")

    @always
    def d_opens_only_after_a(s):
        return s.at["d"].among("queued", "running", "done") >> (s.at["a"] == "done")

    @sometimes
    def the_joiner_has_run_both(s):
        return (s.doing["joiner"] == "gone") & (s.doing["worker"] == "gone")


class LonelyHelper(Helper):
    """The same, but only the end of the joined task wakes the joiner."""

    def new_work(s, there_is):
        pass


SHOWCASE = Showcase(
    rank=7, seed="C-B6", kind="deadlock", claim="who_can_go_no_further_has_joined", broken=LonelyHelper, repaired=Helper
)
