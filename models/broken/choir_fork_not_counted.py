"""An early close, and a second one: `add_fork` forgot to count (Choir before f85bcd1).

A parent adds a task that already runs as its fork. The task knows its new parent, the
parent does not know how many hold it: it closes when its own body is over, and the
fork's end closes it again. Repaired as it was there: `forks += 1`.
"""

from __future__ import annotations

from hocket.spec import INT, TRUE, Function, Relation, Sort, Spec, action, always, initial, ite, sometimes
from models.showcase import Showcase, able


class Adopting(Spec):
    """A parent at work, and a task in flight that it may add as a fork."""

    Flight = Sort("Flight", ("queued", "running", "closed"))
    other = Function(to=Flight)
    adopted = Relation()
    at_work = Relation()  # the parent's body
    forks = Function(to=INT)
    closes = Function(to=INT)

    @initial
    def both_are_under_way(s):
        s.other, s.at_work, s.adopted = "queued", True, False
        s.forks, s.closes = 0, 0

    @action()
    def add_fork(s):
        s.require("the parent is at work", s.at_work)
        s.require("it has not been added", ~s.adopted)
        s.require("it is not done", s.other != "closed")
        s.adopted = True
        s.count()

    def count(s):
        s.forks += 1

    @action()
    def start(s):
        s.require("it is queued", s.other == "queued")
        s.other = "running"

    @action()
    def finish(s):
        s.require("it runs", s.other == "running")
        s.other = "closed"
        s.give_back(s.adopted)

    @action()
    def parent_returns(s):
        s.require("the parent is at work", s.at_work)
        s.at_work = False
        s.give_back(TRUE)

    def give_back(s, held):
        """Whoever gives back the last hold closes the parent."""
        last = held & (s.forks == 0)
        s.closes = ite(last, s.closes + 1, s.closes)
        s.forks = ite(held & ~last, s.forks - 1, s.forks)

    @always
    def nothing_closes_twice(s):
        return s.closes <= 1

    @always
    def a_parent_closes_after_its_fork(s):
        return ((s.closes > 0) & s.adopted) >> (s.other == "closed")

    @always
    def who_can_go_no_further_has_closed(s):
        return able(s) | (s.closes == 1)

    @sometimes
    def a_fork_holds_its_parent(s):
        return ~s.at_work & (s.closes == 0)


class AdoptingUncounted(Adopting):
    """The same, but nobody counts."""

    def count(s):
        pass


SHOWCASE = Showcase(
    rank=18,
    seed="before f85bcd1",
    kind="second close",
    claim="nothing_closes_twice",
    broken=AdoptingUncounted,
    repaired=Adopting,
)
