"""S-B9, a false answer: a task that was created lazily is polled as complete before it exists.

Its entity is there at once, its components only after the next maintenance; a poll
that takes "no progress component" for "complete" says yes to a task that has not
begun. Repaired: what is missing is incomplete, and nothing goes missing by completing.
"""

from __future__ import annotations

from hocket.spec import Relation, Spec, action, always, environment, initial, sometimes
from models.showcase import Showcase, able


class Polling(Spec):
    """One task, made lazily; somebody polls whenever they like, and remembers a yes."""

    made = Relation()
    exists = Relation()  # its components
    ran = Relation()
    believed = Relation()

    @initial
    def nothing_is_there(s):
        s.made, s.exists, s.ran, s.believed = False, False, False, False

    @environment()
    def make_task(s):
        s.require("it is not made yet", ~s.made)
        s.made = True

    @action()
    def maintain(s):
        s.require("a command waits", s.made & ~s.exists)
        s.exists = True

    @action()
    def run(s):
        s.require("it exists", s.exists)
        s.require("it has not completed", ~s.ran)
        s.ran = True

    @environment()
    def poll(s):
        s.require("there is an entity to ask about", s.made & ~s.believed)
        s.require("the answer is yes", s.complete())
        s.believed = True

    def complete(s):
        return s.exists & s.ran

    @always
    def a_yes_means_that_the_body_ran(s):
        return s.believed >> s.ran

    @always
    def who_can_go_no_further_has_run(s):
        return able(s) | s.ran

    @sometimes
    def the_answer_is_yes(s):
        return s.believed


class MissingIsComplete(Polling):
    """The same, but who has no progress component is complete."""

    def complete(s):
        return ~s.exists | s.ran


SHOWCASE = Showcase(
    rank=13,
    seed="S-B9",
    kind="assertion",
    claim="a_yes_means_that_the_body_ran",
    broken=MissingIsComplete,
    repaired=Polling,
)
