"""C-B3, a deadlock: nobody tells the dependents of a task that panicked.

The panic drops the task's continuation, and with it the tokens of those who wait for
it: they are never scheduled, and whoever joins one of them waits for ever. Repaired:
what waited for a lost task is cancelled, which closes it.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, always, environment, initial, sometimes
from models.showcase import Showcase, able


class Dependents(Spec):
    """A task that may panic, one that depends on it, and somebody who joins that one."""

    Task = Sort("Task", ("waiting", "queued", "running", "finished", "failed", "cancelled"))
    first = Function(to=Task)
    second = Function(to=Task)
    joined = Relation()

    @initial
    def the_first_is_queued(s):
        s.first = "queued"
        s.second = "waiting"
        s.joined = False

    @action()
    def run_first(s):
        s.require("it is queued", s.first == "queued")
        s.first = "running"

    @action()
    def first_finishes(s):
        s.require("it runs", s.first == "running")
        s.first = "finished"
        s.second = "queued"

    @environment()
    def first_panics(s):
        s.require("it runs", s.first == "running")
        s.first = "failed"
        s.tell_dependents()

    def tell_dependents(s):
        s.second = "cancelled"

    @action()
    def run_second(s):
        s.require("it is queued", s.second == "queued")
        s.second = "running"

    @action()
    def second_finishes(s):
        s.require("it runs", s.second == "running")
        s.second = "finished"

    @action()
    def join_returns(s):
        s.require("the joiner waits", ~s.joined)
        s.require("the second task has closed", s.second.among("finished", "cancelled"))
        s.joined = True

    @always
    def who_can_go_no_further_has_joined(s):
        return able(s) | s.joined

    @always
    def the_second_opens_only_after_the_first(s):
        return s.second.among("running", "finished") >> (s.first == "finished")

    @sometimes
    def somebody_joins_what_was_cancelled(s):
        return s.joined & (s.second == "cancelled")


class ForgottenDependents(Dependents):
    """The same, but the dependents are dropped with the task."""

    def tell_dependents(s):
        pass


SHOWCASE = Showcase(
    rank=4,
    seed="C-B3",
    kind="deadlock",
    claim="who_can_go_no_further_has_joined",
    broken=ForgottenDependents,
    repaired=Dependents,
)
