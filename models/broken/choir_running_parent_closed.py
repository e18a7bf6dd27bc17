"""C-B4, a second close: a parent that panics is closed while its fork still runs.

The panic takes the parent's continuation at once; the fork, finishing on another
worker, gives its hold back to a parent that has none, and the healthy worker dies.
Repaired: a running node is closed only by whoever gives back its last hold, its own
body included; a panic only decides *how* it closes.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Sort, Spec, action, always, environment, initial, ite, sometimes
from models.showcase import Showcase, able


class Parent(Spec):
    """Two workers: one runs a parent, the other the child that it forks."""

    Child = Sort("Child", ("unborn", "queued", "running", "closed"))
    child = Function(to=Child)
    at_work = Relation()  # the parent's body
    raised = Relation()
    forks = Function(to=INT)  # children that hold the parent
    closes = Function(to=INT)

    @initial
    def the_parent_runs(s):
        s.child = "unborn"
        s.at_work = True
        s.raised = False
        s.forks = 0
        s.closes = 0

    @action()
    def fork(s):
        s.require("the parent is at work", s.at_work)
        s.require("there is no child yet", s.child == "unborn")
        s.child = "queued"
        s.forks += 1

    @action()
    def take_child(s):
        s.require("the child is queued", s.child == "queued")
        s.child = "running"

    @action()
    def child_finishes(s):
        s.require("the child runs", s.child == "running")
        s.child = "closed"
        s.give_back()

    @action()
    def parent_returns(s):
        s.require("the parent is at work", s.at_work)
        s.at_work = False
        s.give_back()

    @environment()
    def parent_raises(s):
        s.require("the parent is at work", s.at_work)
        s.at_work = False
        s.raised = True
        s.panicked()

    def panicked(s):
        s.give_back()

    def give_back(s):
        """One of forks + 1 holds on the parent; whoever gives back the last one closes it."""
        last = s.forks == 0
        s.closes = ite(last, s.closes + 1, s.closes)
        s.forks = ite(last, 0, s.forks - 1)

    @always
    def nothing_closes_twice(s):
        return s.closes <= 1

    @always
    def a_parent_closes_after_its_child(s):
        return (s.closes > 0) >> (~s.at_work & s.child.among("unborn", "closed"))

    @always
    def who_can_go_no_further_has_closed(s):
        return able(s) | (s.closes > 0)

    @sometimes
    def a_panic_outlives_its_child(s):
        return s.raised & (s.child == "closed") & (s.closes == 1)


class HastyParent(Parent):
    """The same, but a panic closes the parent on the spot, whoever still holds it."""

    def panicked(s):
        s.closes += 1
        s.forks = 0


SHOWCASE = Showcase(
    rank=3, seed="C-B4", kind="second close", claim="nothing_closes_twice", broken=HastyParent, repaired=Parent
)
