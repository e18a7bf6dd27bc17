"""How a worker goes to sleep, and who wakes it: Choir's park mutex, as it should be.

A worker that finds the queue empty takes the park lock, looks once more, and waits;
waiting gives the lock back. An executor that leaves wakes one sleeper, *holding the
lock*: nobody is then between looking and waiting, so nobody can miss it.

The scenario is the smallest of the seeds' catalogue (C-B1): a joiner that helps runs
index 0 of a multi task, puts the rest back into the queue without telling anybody,
sees that what it joined is done, and leaves.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Sort, Spec, action, always, exists, forall, initial, sometimes


class Parking(Spec):
    """Any number of workers, one joiner that leaves, and a queue."""

    Worker = Sort()
    Place = Sort("Place", ("looking", "empty_handed", "checking", "about_to_wait", "parked", "running"))
    Stage = Sort("Stage", ("running", "pushed", "gone"))
    at = Function(Worker, to=Place)
    joiner = Function(to=Stage)
    locked = Relation()  # the park mutex
    queued = Function(to=INT)
    left = Function(to=INT)  # indices of the multi task that have not run

    @initial
    def the_joiner_has_index_0(s):
        s.at.each(lambda w: "looking")
        s.joiner = "running"
        s.locked = False
        s.queued = 0
        s.left = 2

    @action(Worker)
    def take(s, w):
        s.require("it is looking", s.at[w] == "looking")
        s.require("something is queued", s.queued > 0)
        s.queued -= 1
        s.at[w] = "running"

    @action(Worker)
    def finish(s, w):
        s.require("it is running", s.at[w] == "running")
        s.left -= 1
        s.at[w] = "looking"

    @action(Worker)
    def find_nothing(s, w):
        s.require("it is looking", s.at[w] == "looking")
        s.require("nothing is queued", s.queued == 0)
        s.at[w] = "empty_handed"

    @action(Worker)
    def lock(s, w):
        s.require("it has found nothing", s.at[w] == "empty_handed")
        s.require("the lock is free", ~s.locked)
        s.locked = True
        s.at[w] = "checking"

    @action(Worker)
    def check_again(s, w):
        s.require("it has the lock", s.at[w] == "checking")
        s.require("still nothing is queued", s.queued == 0)
        s.at[w] = "about_to_wait"

    @action(Worker)
    def think_better(s, w):
        s.require("it has the lock", s.at[w] == "checking")
        s.require("something is queued by now", s.queued > 0)
        s.locked = False
        s.at[w] = "looking"

    @action(Worker)
    def park(s, w):
        s.require("it is about to wait", s.at[w] == "about_to_wait")
        s.locked = False
        s.at[w] = "parked"

    @action()
    def put_the_rest_back(s):
        s.require("the joiner runs index 0", s.joiner == "running")
        s.left -= 1
        s.queued += 1
        s.joiner = "pushed"

    @action(Worker)
    def leave_and_wake(s, w):
        s.wakes()
        s.require("that worker sleeps", s.at[w] == "parked")
        s.at[w] = "looking"

    @action()
    def leave(s):
        s.wakes()
        s.require("nobody sleeps", ~exists(s.Worker, lambda w: s.at[w] == "parked"))

    def wakes(s):
        """The joiner leaves, notifying one sleeper under the lock."""
        s.require("the joiner has put the rest back", s.joiner == "pushed")
        s.require("the lock is free", ~s.locked)
        s.joiner = "gone"

    @always
    def who_can_go_no_further_has_run_everything(s):
        deeds = ("take", "finish", "find_nothing", "lock", "check_again", "think_better", "park")
        moves = [s.enabled(deed) for deed in (*deeds, "put_the_rest_back", "leave_and_wake", "leave")]
        able = moves[0]
        for move in moves[1:]:
            able = able | move
        return able | (s.left == 0)

    @always
    def at_most_one_is_between_looking_and_waiting(s):
        inside = lambda w: s.at[w].among("checking", "about_to_wait")  # noqa: E731  # two uses, one word
        return forall(s.Worker, s.Worker, lambda v, w: (inside(v) & inside(w)) >> (v == w))

    @sometimes
    def everybody_sleeps_and_all_is_done(s):
        return (s.left == 0) & forall(s.Worker, lambda w: s.at[w] == "parked")
