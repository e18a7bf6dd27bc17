"""C-B7, an early return: `run_attached` runs one step of a multi task and returns.

Documented as "blocks until executed", it does one execution step on the caller's
thread, and for a multi task that is one index. With no worker, nobody runs the others.
Repaired: the caller helps until the task has closed.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Spec, action, always, initial, sometimes
from models.showcase import Showcase, able


class Attached(Spec):
    """No worker, a multi task of three indices, and a caller that runs it."""

    left = Function(to=INT)
    returned = Relation()

    @initial
    def three_indices_are_left(s):
        s.left = 3
        s.returned = False

    @action()
    def run_an_index(s):
        s.require("the caller is still here", ~s.returned)
        s.require("an index is left", s.left > 0)
        s.left -= 1
        s.one_was_run()

    def one_was_run(s):
        pass

    @action()
    def return_(s):
        s.require("the caller is still here", ~s.returned)
        s.require("the task has closed", s.left == 0)
        s.returned = True

    @always
    def the_call_returns_only_when_the_task_has_closed(s):
        return s.returned >> (s.left == 0)

    @always
    def who_can_go_no_further_has_returned(s):
        return able(s) | s.returned

    @sometimes
    def everything_has_run(s):
        return s.returned & (s.left == 0)


class OneStep(Attached):
    """The same, but one execution step is taken for the task."""

    def one_was_run(s):
        s.returned = True


SHOWCASE = Showcase(
    rank=6,
    seed="C-B7",
    kind="assertion",
    claim="the_call_returns_only_when_the_task_has_closed",
    broken=OneStep,
    repaired=Attached,
)
