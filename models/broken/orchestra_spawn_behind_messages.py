"""O-B3, a deadlock: spawn jobs are served by the loop that also routes messages.

The loop blocks routing a message into a full queue; the subsystem that would empty it
waits for a job that it asked the loop to spawn. Repaired: spawn jobs are served by a
task of their own.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Sort, Spec, action, always, environment, initial, sometimes
from models.showcase import Showcase, able

EVENTS = 3


class Loop(Spec):
    """A loop that routes three events to one subsystem, whose queue holds one; the subsystem needs a job for each."""

    Job = Sort("Job", ("none", "asked_for", "running"))
    to_come = Function(to=INT)
    routing = Relation()  # the loop holds an event for which it needs room
    queued = Function(to=INT)
    job = Function(to=Job)

    @initial
    def nothing_has_come(s):
        s.to_come, s.queued = EVENTS, 0
        s.routing, s.job = False, "none"

    @environment()
    def event(s):
        s.require("the loop is free", ~s.routing)
        s.require("another event comes", s.to_come > 0)
        s.to_come -= 1
        s.routing = True

    @action()
    def route(s):
        s.require("the loop holds an event", s.routing)
        s.require("the queue has room", s.queued < 1)
        s.queued += 1
        s.routing = False

    @action()
    def receive(s):
        s.require("the subsystem waits for no job", s.job == "none")
        s.require("something is queued", s.queued > 0)
        s.queued -= 1
        s.job = "asked_for"

    @action()
    def spawn(s):
        s.require("a job was asked for", s.job == "asked_for")
        s.served()
        s.job = "running"

    def served(s):
        """By a task of its own."""

    @action()
    def job_ends(s):
        s.require("it runs", s.job == "running")
        s.job = "none"

    @always
    def who_can_go_no_further_has_handled_everything(s):
        return able(s) | ((s.to_come == 0) & ~s.routing & (s.queued == 0) & (s.job == "none"))

    @sometimes
    def the_loop_waits_for_room(s):
        return s.routing & (s.queued == 1)


class OneLoopForBoth(Loop):
    """The same, but the loop serves spawn jobs as well, when it is free."""

    def served(s):
        s.require("the loop is free", ~s.routing)


SHOWCASE = Showcase(
    rank=10,
    seed="O-B3",
    kind="deadlock",
    claim="who_can_go_no_further_has_handled_everything",
    broken=OneLoopForBoth,
    repaired=Loop,
)
