"""Y-B4, a retry that counts thrice: attempts see what the attempts before them changed.

A task that may be retried borrows its parent's payload to change it. Each attempt adds
one and asks for another: 10 becomes 13 after three attempts, where one success should
have made 11. Repaired: an attempt that will be repeated leaves the payload as it found
it.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Spec, action, always, environment, initial, sometimes
from models.showcase import Showcase, able

BEFORE = 10


class Retrying(Spec):
    """One task under retry(2), that adds one to a payload of ten."""

    payload = Function(to=INT)
    kept = Function(to=INT)  # the payload as it was before the attempt
    attempts = Function(to=INT)
    at_work = Relation()
    over = Relation()

    @initial
    def nothing_was_tried(s):
        s.payload, s.kept, s.attempts = BEFORE, BEFORE, 0
        s.at_work, s.over = False, False

    @action()
    def attempt(s):
        s.require("nothing is at work, and it is not over", ~s.at_work & ~s.over)
        s.at_work = True
        s.attempts += 1
        s.kept = s.payload
        s.payload += 1

    @environment()
    def ask_for_another(s):
        s.require("an attempt is at work", s.at_work)
        s.require("two more were granted", s.attempts < 3)
        s.at_work = False
        s.undo()

    def undo(s):
        s.payload = s.kept

    @environment()
    def succeed(s):
        s.require("an attempt is at work", s.at_work)
        s.at_work, s.over = False, True

    @always
    def a_success_counts_once(s):
        return s.over >> (s.payload == BEFORE + 1)

    @always
    def who_can_go_no_further_has_succeeded(s):
        return able(s) | s.over

    @sometimes
    def the_third_attempt_succeeds(s):
        return s.over & (s.attempts == 3)

    @always
    def between_attempts_nothing_has_changed(s):
        return (~s.at_work & ~s.over) >> (s.payload == BEFORE)


class RetryingInPlace(Retrying):
    """The same, but nothing is undone between attempts."""

    def undo(s):
        pass


SHOWCASE = Showcase(
    rank=16,
    seed="Y-B4",
    kind="assertion",
    claim="a_success_counts_once",
    broken=RetryingInPlace,
    repaired=Retrying,
)
