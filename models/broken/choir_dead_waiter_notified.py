"""Use after removal: waiters were notified after the lock was released (Choir before 47a747e).

A joiner's condition lives on its own stack. The finisher takes the list of waiters and
unlocks; the joiner wakes for no reason, sees that the task is done, and returns, its
condition with it; the finisher notifies what is no more. Repaired as it was there:
notify while the lock is held, so that no waiter can leave in between.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, always, environment, eventually, initial, sometimes
from models.showcase import Showcase, able


class Waiting(Spec):
    """One joiner with a condition of its own, and the finisher of what it joins."""

    Joiner = Sort("Joiner", ("joining", "asleep", "awake", "returned"))
    Finisher = Sort("Finisher", ("running", "knows_the_waiters", "gone"))
    joiner = Function(to=Joiner)
    finisher = Function(to=Finisher)
    done = Relation()
    locked = Relation()  # by the finisher
    registered = Relation()  # the finisher knows of the joiner's condition
    touched_the_dead = Relation()

    @initial
    def the_task_runs(s):
        s.joiner, s.finisher = "joining", "running"
        s.done, s.locked, s.registered, s.touched_the_dead = False, False, False, False

    @action()
    def register(s):
        s.require("the joiner begins", s.joiner == "joining")
        s.require("the lock is free", ~s.locked)
        s.require("the task is not done", ~s.done)
        s.registered, s.joiner = True, "asleep"

    @action()
    def return_at_once(s):
        s.require("the joiner begins", s.joiner == "joining")
        s.require("the lock is free", ~s.locked)
        s.require("the task is done", s.done)
        s.joiner = "returned"

    @action()
    def finish(s):
        s.require("the task runs", s.finisher == "running")
        s.require("the lock is free", ~s.locked)
        s.done, s.finisher = True, "knows_the_waiters"
        s.keep_the_lock()

    def keep_the_lock(s):
        s.locked = True

    @action()
    def notify(s):
        s.require("the finisher knows whom to notify", s.finisher == "knows_the_waiters")
        s.finisher, s.locked = "gone", False
        s.touched_the_dead = s.registered & (s.joiner == "returned")
        s.registered = False

    @action()
    def wake(s):
        s.require("the joiner sleeps, and was notified", (s.joiner == "asleep") & (s.finisher == "gone"))
        s.joiner = "awake"

    @environment()
    def wake_for_no_reason(s):
        s.require("the joiner sleeps", s.joiner == "asleep")
        s.joiner = "awake"

    @action()
    def look(s):
        s.require("the joiner is awake", s.joiner == "awake")
        s.require("the lock is free", ~s.locked)
        s.require("the task is done", s.done)
        s.joiner = "returned"

    @action()
    def sleep_again(s):
        s.require("the joiner is awake", s.joiner == "awake")
        s.require("the lock is free", ~s.locked)
        s.require("the task is not done", ~s.done)
        s.joiner = "asleep"

    @always
    def nobody_touches_a_waiter_that_is_no_more(s):
        return ~s.touched_the_dead

    @always
    def a_sleeper_is_known_until_it_is_notified(s):
        return ((s.joiner == "asleep") & (s.finisher != "gone")) >> s.registered

    @eventually
    def the_joiner_returns(s):
        return s.joiner == "returned"

    @always
    def who_can_go_no_further_has_returned(s):
        return able(s) | (s.joiner == "returned")

    @sometimes
    def a_sleeper_is_notified(s):
        return (s.finisher == "gone") & (s.joiner == "asleep")


class WaitingUnlocked(Waiting):
    """The same, but the finisher unlocks before it notifies."""

    def keep_the_lock(s):
        pass


SHOWCASE = Showcase(
    rank=19,
    seed="before 47a747e",
    kind="assertion",
    claim="nobody_touches_a_waiter_that_is_no_more",
    broken=WaitingUnlocked,
    repaired=Waiting,
)
