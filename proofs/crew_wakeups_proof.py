"""No wake-up is lost: for any number of executors, tasks and helpers, nobody sleeps beside work that nobody comes for.

The claims are about `models/crew.py`, which says what the thread runtime does under its lock and to which its real
code is held (tests/unit/proofs). The heart is `work_beside_a_sleeper_is_matched`: where work is left and somebody is
parked, a wake-up is on its way, or is owed by whoever has the lock, or whoever has the lock goes on to look for itself.
One wake-up stands for all the work: who has come hands on. A scheduler that notifies without the lock, or that lets a
leaving executor go without handing on, is refuted here with two seats (C-B1, C-B6).

What the kernel decides is anything here: which tasks become ready, and when they close, is proved in `kernel_*`.
"""

from __future__ import annotations

from hocket.spec import disj, exists, forall, invariant, ite, rank, theorem, two_state, variant
from models.crew import HOLDING, IN_HAND, Crew
from proofs.judge import proved

LOOKS_NEXT = ("looking", "ended", "ended_with_one")  # has the lock, and will look for work before it gives it back
FREE_HANDS = tuple(name for name in Crew.At.names() if name not in ("starting", "busy"))


class Wakeups(Crew):
    """What is always so of the crew."""

    Task, Piece, Seat, Joiner = Crew.Task, Crew.Piece, Crew.Seat, Crew.Joiner

    # -- the lock -----------------------------------------------------------------------------------------------------

    @invariant
    def who_is_between_two_lines_has_the_lock(s):
        has = lambda w: (s.lock == "seat") & (s.holder == w)  # noqa: E731
        return forall(s.Seat, lambda w: s.at[w].among(*HOLDING) == has(w))

    @invariant
    def a_wake_up_is_owed_by_who_has_the_lock(s):
        return s.owed >> (s.lock != "free")

    # -- wake-ups -----------------------------------------------------------------------------------------------------

    @invariant
    def who_is_coming_was_called(s):
        return forall(s.Seat, lambda w: s.coming[w] >> (s.at[w] == "called"))

    @invariant
    def one_is_coming_at_a_time(s):
        return forall(s.Seat, s.Seat, lambda v, w: (s.coming[v] & s.coming[w]) >> (v == w))

    @invariant
    def who_parks_is_not_done(s):
        wanted = lambda w, t: ~(s.joins[w, t] & s.closed[t])  # noqa: E731
        return forall(s.Seat, s.Task, lambda w, t: (s.at[w] == "parked") >> (~s.dismissed[w] & wanted(w, t)))

    @invariant(layer=1)
    def work_beside_a_sleeper_is_matched(s):
        coming = exists(s.Seat, lambda w: s.coming[w])
        looks = (s.lock == "seat") & s.at[s.holder].among(*LOOKS_NEXT)
        return (s.there_is_work() & s.somebody_parks()) >> (coming | s.owed | looks)

    @theorem(Crew.Seat)
    def nobody_sleeps_beside_work_unless_somebody_comes_for_it(s, w):
        s.require("it is parked", s.at[w] == "parked")
        s.require("the lock is free", s.lock == "free")
        s.require("there is work", s.there_is_work())
        return exists(s.Seat, lambda v: s.enabled("rise", v) & s.coming[v])

    # -- pieces and hands ---------------------------------------------------------------------------------------------

    @invariant
    def who_has_a_piece_in_hand_is_at_it(s):
        at_it = lambda w, p: s.at[w].among("starting", "busy") & s.stage[p].among(*IN_HAND)  # noqa: E731
        return forall(s.Seat, s.Piece, lambda w, p: s.hand[w, p] >> at_it(w, p))

    @invariant
    def a_piece_is_in_one_hand_at_most(s):
        return forall(s.Seat, s.Seat, s.Piece, lambda v, w, p: (s.hand[v, p] & s.hand[w, p]) >> (v == w))

    @invariant
    def a_hand_has_one_piece_at_most(s):
        return forall(s.Seat, s.Piece, s.Piece, lambda w, p, q: (s.hand[w, p] & s.hand[w, q]) >> (p == q))

    @invariant(needs=("who_has_a_piece_in_hand_is_at_it",))
    def who_is_at_a_piece_has_it_in_hand(s):
        some = lambda w: exists(s.Piece, lambda p: s.hand[w, p])  # noqa: E731
        return forall(s.Seat, lambda w: s.at[w].among("starting", "busy") >> some(w))

    @invariant(needs=("a_hand_has_one_piece_at_most",))
    def what_is_taken_is_in_a_hand(s):
        some = lambda p: exists(s.Seat, lambda w: s.hand[w, p])  # noqa: E731
        return forall(s.Piece, lambda p: s.stage[p].among(*IN_HAND) >> some(p))

    @invariant
    def before_it_begins_a_task_has_one_piece_at_most(s):
        born = lambda p: s.stage[p] != "unborn"  # noqa: E731
        alone = lambda p, q: (~s.begun[s.of[p]] & (s.of[p] == s.of[q]) & born(p) & born(q)) >> (p == q)  # noqa: E731
        return forall(s.Piece, s.Piece, alone)

    @invariant
    def arguments_are_counted(s):
        return forall(s.Task, lambda t: s.left[t] >= 0)

    @invariant
    def only_what_has_begun_is_shared(s):
        return forall(s.Task, lambda t: s.shared[t] >> s.begun[t])

    @invariant
    def what_was_cancelled_has_not_begun(s):
        return forall(s.Task, lambda t: ~(s.void[t] & s.begun[t]))

    @invariant
    def a_closed_task_has_no_body_left(s):
        idle = lambda p: s.stage[p].among("over", "unborn") | s.void[s.of[p]]  # noqa: E731
        return forall(s.Piece, lambda p: s.closed[s.of[p]] >> idle(p))

    @invariant
    def a_body_at_work_has_begun_its_task(s):
        at_work = lambda w, p: (s.at[w] == "busy") & s.hand[w, p]  # noqa: E731
        return forall(s.Seat, s.Piece, lambda w, p: at_work(w, p) >> s.begun[s.of[p]])

    # -- helpers ------------------------------------------------------------------------------------------------------

    @invariant
    def a_helper_sits_above_bodies_that_wait_for_it(s):
        sits = lambda v, w: s.is_there(v) & (s.at[w] == "busy") & (v != w)  # noqa: E731
        return forall(s.Seat, s.Seat, lambda v, w: s.above[v, w] >> sits(v, w))

    @invariant
    def who_is_absent_is_nobody(s):
        nothing = lambda w, t: ~s.joins[w, t] & ((s.at[w] == "absent") >> ~s.dismissed[w])  # noqa: E731
        return forall(s.Seat, s.Task, lambda w, t: s.at[w].among("absent", "hired") >> nothing(w, t))

    @invariant
    def a_stack_is_a_stack(s):
        chain = lambda v, w, x: (s.above[v, w] & s.above[w, x]) >> s.above[v, x]  # noqa: E731
        line = lambda v, w, x: (s.above[v, x] & s.above[w, x]) >> ((v == w) | s.above[v, w] | s.above[w, v])  # noqa: E731
        return forall(s.Seat, s.Seat, s.Seat, lambda v, w, x: chain(v, w, x) & line(v, w, x))

    @invariant(layer=1)
    def a_join_points_downward(s):
        down = lambda v, w, t, p: (s.above[v, w] & s.joins[v, t] & s.hand[w, p]) >> s.before[t, s.of[p]]  # noqa: E731
        return forall(s.Seat, s.Seat, s.Task, s.Piece, down)

    @invariant(needs=("a_helper_sits_above_bodies_that_wait_for_it", "who_is_absent_is_nobody"))
    def who_sits_above_joins_something(s):
        something = lambda v: exists(s.Task, lambda t: s.joins[v, t])  # noqa: E731
        return forall(s.Seat, s.Seat, lambda v, w: s.above[v, w] >> something(v))

    # -- those who wait -----------------------------------------------------------------------------------------------

    @invariant
    def who_waits_is_told_when_it_closes(s):
        wakeful = lambda j, t: (s.wait[j] == "waiting") & s.wants[j, t]  # noqa: E731
        return forall(s.Joiner, s.Task, lambda j, t: wakeful(j, t) >> ~s.closed[t])

    @invariant
    def who_waits_waits_for_one(s):
        return forall(s.Joiner, s.Task, s.Task, lambda j, t, u: (s.wants[j, t] & s.wants[j, u]) >> (t == u))

    @invariant
    def nobody_waits_where_nobody_is_left(s):
        somebody = exists(s.Seat, lambda w: s.is_there(w))
        return forall(s.Joiner, lambda j: (s.wait[j] == "waiting") >> somebody)

    @invariant
    def who_was_told_waits_for_something(s):
        something = lambda j: exists(s.Task, lambda t: s.wants[j, t])  # noqa: E731
        return forall(s.Joiner, lambda j: s.wait[j].among("waiting", "told") >> something(j))

    # -- every step ---------------------------------------------------------------------------------------------------

    @two_state
    def what_was_cancelled_before_it_began_never_begins(s, later):
        return forall(s.Task, lambda t: (s.void[t] & ~s.begun[t]) >> ~later.begun[t])

    @two_state
    def a_piece_that_is_over_stays_so(s, later):
        return forall(s.Piece, lambda p: (s.stage[p] == "over") >> (later.stage[p] == "over"))

    @two_state(layer=1)
    def only_who_looks_under_the_lock_lies_down(s, later):
        parks = lambda w: (s.at[w] != "parked") & (later.at[w] == "parked")  # noqa: E731
        return forall(s.Seat, lambda w: parks(w) >> ((s.lock == "seat") & (s.at[w] == "looking") & ~s.there_is_work()))

    @two_state(layer=1)
    def nobody_is_given_work_after_its_time(s, later):
        """Who was dismissed, or whose task has closed, takes nothing more."""
        takes = lambda w: (s.at[w] != "starting") & (later.at[w] == "starting")  # noqa: E731
        return forall(s.Seat, lambda w: takes(w) >> ~s.is_done(w))

    @two_state(layer=1)
    def who_leaves_had_to(s, later):
        leaves = lambda w: (s.at[w] != "leaving") & (later.at[w] == "leaving")  # noqa: E731
        return forall(s.Seat, lambda w: leaves(w) >> s.is_done(w))

    @two_state(layer=1)
    def the_lock_is_given_back_with_nothing_owed(s, later):
        return ((s.lock != "free") & (later.lock == "free")) >> ~s.owed

    @two_state(layer=1)
    def a_debt_is_paid_by_a_wake_up_or_needs_none(s, later):
        coming = exists(s.Seat, lambda w: later.coming[w])
        nobody = ~exists(s.Seat, lambda w: later.at[w] == "parked")
        return (s.owed & ~later.owed) >> (coming | nobody)

    @two_state(layer=1)
    def only_new_work_jumps_the_queue_of_shared_tasks(s, later):
        """What is queued comes before one more body of a task that runs already."""
        joins = lambda p: (s.stage[p] == "unborn") & (later.stage[p] == "fresh")  # noqa: E731
        fair = lambda p: joins(p) >> (s.shared[s.of[p]] & s.runs(s.of[p]) & ~s.something_is_queued())  # noqa: E731
        return forall(s.Piece, fair)

    @two_state(layer=1)
    def what_is_shared_is_forgotten_only_when_it_is_of_no_use(s, later):
        forgotten = lambda t: s.shared[t] & ~later.shared[t]  # noqa: E731
        return forall(s.Task, lambda t: forgotten(t) >> (~s.runs(t) | (s.left[t] == 0)))

    @two_state(layer=1)
    def what_was_not_cancelled_is_not_thrown_away(s, later):
        """A piece in hand is over by the end of its body, unless its task was cancelled before it began."""
        over = lambda w, p: s.hand[w, p] & (s.at[w] == "starting") & (later.stage[p] == "over")  # noqa: E731
        return forall(s.Seat, s.Piece, lambda w, p: over(w, p) >> s.void[s.of[p]])

    @two_state(layer=1)
    def a_body_that_joins_stands_still(s, later):
        """It draws nothing and does not end while a helper sits above it."""
        waits = lambda v, w, p: s.above[v, w] & s.hand[w, p]  # noqa: E731
        same = lambda v, w, p: waits(v, w, p) >> (later.stage[p] == s.stage[p])  # noqa: E731
        return forall(s.Seat, s.Seat, s.Piece, same)

    # -- progress -----------------------------------------------------------------------------------------------------

    @theorem(Crew.Seat, Crew.Piece)
    def who_looks_beside_what_is_queued_can_take_it(s, w, p):
        s.require("it looks", s.at[w] == "looking")
        s.require("the piece is queued", s.stage[p] == "queued")
        return disj(s.pays(), s.enabled("leave", w), s.enabled("take", w, p))

    @theorem(Crew.Seat, Crew.Piece)
    def who_looks_beside_what_is_shared_can_join_or_forget_it(s, w, p):
        s.require("it looks", s.at[w] == "looking")
        s.require("nothing is queued", ~s.something_is_queued())
        s.require("its task is shared, and another body can be counted", s.shared[s.of[p]] & (s.stage[p] == "unborn"))
        return disj(s.pays(), s.enabled("leave", w), s.enabled("take_part", w, p), s.enabled("forget", w, s.of[p]))

    @theorem(Crew.Seat)
    def who_looks_beside_nothing_can_leave_or_park(s, w):
        s.require("it looks", s.at[w] == "looking")
        s.require("there is no work", ~s.there_is_work())
        return disj(s.pays(), s.enabled("leave", w), s.enabled("park", w))

    def pays(s):
        return s.enabled("wake_nobody") | exists(s.Seat, lambda v: s.enabled("wake", v))

    @theorem(Crew.Seat, Crew.Piece)
    def who_has_the_lock_and_a_piece_can_move(s, w, p):
        s.require("it is about to start it", (s.at[w] == "starting") & s.hand[w, p])
        return disj(s.pays(), s.enabled("think_better", w, p), s.enabled("begin", w, p))

    @theorem(Crew.Seat)
    def who_has_the_lock_otherwise_can_move(s, w):
        s.require("it ends or leaves", s.at[w].among("ended", "ended_with_one", "leaving"))
        return disj(s.pays(), s.enabled("go_on", w), s.enabled("be_gone", w))

    @theorem(Crew.Seat, Crew.Seat, Crew.Piece)
    def no_thread_that_has_the_lowest_task_sleeps(s, top, w, p):
        """Whatever sits on top of it: everything that is joined there is lower, so it has closed."""
        s.require("the seat has a body in hand", s.hand[w, p])
        s.require("everything lower has closed", forall(s.Task, lambda t: s.before[t, s.of[p]] >> s.closed[t]))
        s.require("somebody sits above", s.above[top, w])
        return s.at[top] != "parked"

    @theorem(Crew.Seat, Crew.Piece)
    def a_body_that_joins_nothing_can_end(s, w, p):
        s.require("it is in the body", (s.at[w] == "busy") & s.hand[w, p])
        s.require("nobody sits above", ~exists(s.Seat, lambda v: s.above[v, w]))
        s.require("the lock is free", s.lock == "free")
        return s.enabled("end", w, p)

    @theorem(Crew.Joiner, Crew.Task)
    def who_waits_for_what_has_closed_can_return(s, j, t):
        s.require("it waits for it", s.wait[j].among("waiting", "told") & s.wants[j, t])
        s.require("that has closed", s.closed[t])
        s.require("the lock is free", s.lock == "free")
        return s.enabled("hear", j, t)

    # -- termination: apart from what people, bodies and spurious wake-ups begin, everything comes to rest -------------

    @variant
    def what_is_left_to_do(s):
        one = lambda condition: ite(condition, 1, 0)  # noqa: E731
        return [
            (s.Task, lambda t: s.left[t]),
            (s.Piece, lambda p: rank(s.stage[p])),
            (s.Task, lambda t: one(~s.closed[t]) + one(~s.begun[t])),
            (s.Seat, s.service),
            (s.Task, lambda t: one(s.shared[t])),
            (None, lambda: one(s.owed)),
            (s.Seat, lambda w: rank(s.at[w])),
            (s.Joiner, lambda j: rank(s.wait[j])),
            (None, lambda: one(s.lock == "outsider")),
        ]


    def service(s, w):
        """How far it is from having left for good."""
        there = ite(s.at[w] == "leaving", 1, ite(s.at[w] == "hired", 3, 2))
        return ite(s.at[w].among("absent", "gone"), 0, there)


SPECS = (Wakeups,)


def test_no_wake_up_is_lost_for_any_number_of_executors():
    proved(Wakeups)
