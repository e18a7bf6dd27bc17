"""C-B11, a deadlock: a body joins a queued task, and blocks the only worker.

Repaired: a join inside a body helps. The worker that waits takes what is queued, and
comes back to the body that waited when that is done.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, always, exists, forall, initial, sometimes
from models.showcase import Showcase, able


class Nested(Spec):
    """Tasks in a queue, each of which joins the next one in its body, and some workers."""

    Worker = Sort()
    Task = Sort("Task", ("outer", "middle", "inner"))
    Place = Sort("Place", ("queued", "at_work", "joining", "done"))
    at = Function(Task, to=Place)
    runner = Relation(Task, Worker)  # whose stack a task that has begun is on

    @initial
    def all_are_queued(s):
        s.at.each(lambda t: "queued")
        s.runner.each(lambda t, w: False)

    def next_of(s, t, u):
        return ((t == "outer") & (u == "middle")) | ((t == "middle") & (u == "inner"))

    def on_top(s, t, w):
        """It is the last that this worker began, and has not finished: the later in the row, the later begun."""
        return s.runner[t, w] & forall(s.Task, lambda u: s.runner[u, w] >> (u <= t))

    @action(Task, Worker)
    def take(s, t, w):
        s.require("it is queued", s.at[t] == "queued")
        s.require("those before it in the queue have been taken", forall(s.Task, lambda u: (u < t) >> s.begun(u)))
        s.require("the worker is free, or helps", s.free(w))
        s.at[t] = "at_work"
        s.runner[t, w] = True

    def begun(s, t):
        return s.at[t] != "queued"

    def free(s, w):
        return forall(s.Task, lambda t: s.on_top(t, w) >> (s.at[t] == "joining"))

    @action(Task)
    def join_the_next(s, t):
        s.require("it is at work", s.at[t] == "at_work")
        s.require("there is a next one, not done", exists(s.Task, lambda u: s.next_of(t, u) & (s.at[u] != "done")))
        s.at[t] = "joining"

    @action(Task, Worker)
    def join_returns(s, t, w):
        s.require("it joins", s.at[t] == "joining")
        s.require("it is on top of its worker's stack", s.on_top(t, w))
        s.require("the next one is done", forall(s.Task, lambda u: s.next_of(t, u) >> (s.at[u] == "done")))
        s.at[t] = "at_work"

    @action(Task, Worker)
    def finish(s, t, w):
        s.require("it is at work", s.at[t] == "at_work")
        s.require("it is on top of its worker's stack", s.on_top(t, w))
        s.require("the next one is done", forall(s.Task, lambda u: s.next_of(t, u) >> (s.at[u] == "done")))
        s.at[t] = "done"
        s.runner[t, w] = False

    @always
    def who_can_go_no_further_has_done_everything(s):
        return able(s) | forall(s.Task, lambda t: s.at[t] == "done")

    @always
    def a_worker_works_on_one_body_at_a_time(s):
        return forall(s.Task, s.Worker, lambda t, w: (s.runner[t, w] & (s.at[t] == "at_work")) >> s.on_top(t, w))

    @sometimes
    def one_worker_has_three_bodies_on_its_stack(s):
        return exists(s.Worker, lambda w: forall(s.Task, lambda t: s.runner[t, w]))


class BlockingJoin(Nested):
    """The same, but a worker that waits takes nothing."""

    def free(s, w):
        return forall(s.Task, lambda t: ~s.runner[t, w])


SHOWCASE = Showcase(
    rank=20,
    seed="C-B11 p26",
    kind="deadlock",
    claim="who_can_go_no_further_has_done_everything",
    broken=BlockingJoin,
    repaired=Nested,
    scope={"Worker": 1},
)
