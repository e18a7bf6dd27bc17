"""Many bodies: every argument is run exactly once, however many bodies draw, however the chunks are halved.

Two ways (`models/multi.py`): the runtime's shared iterator, and Choir's halving of ranges. For any number of
arguments and of bodies or chunks that work at once: no argument is begun twice; when the task has closed and nothing
raised, all have run; and as long as something is left, somebody can go on.
"""

from __future__ import annotations

from hocket.spec import disj, exists, forall, invariant, ite, rank, theorem, variant
from models.multi import Drawing, Halving, Indexed
from proofs.judge import proved


class Drawn(Drawing):
    """The runtime's way."""

    Index, Body = Indexed.Index, Drawing.Body

    @invariant
    def what_is_begun_was_drawn(s):
        return forall(s.Index, lambda i: (s.begun[i] == s.drawn[i]) & (s.ran[i] >> s.drawn[i]))

    @invariant
    def who_is_at_work_is_alive(s):
        fresh = lambda b, i: (s.stage[b] == "alive") & s.drawn[i] & ~s.ran[i]  # noqa: E731
        return forall(s.Body, s.Index, lambda b, i: s.draws[b, i] >> fresh(b, i))

    @invariant
    def one_body_has_an_argument(s):
        return forall(s.Body, s.Body, s.Index, lambda b, c, i: (s.draws[b, i] & s.draws[c, i]) >> (b == c))

    @invariant
    def a_body_has_one_argument(s):
        return forall(s.Body, s.Index, s.Index, lambda b, i, j: (s.draws[b, i] & s.draws[b, j]) >> (i == j))

    @invariant
    def what_is_drawn_is_run_or_in_hand(s):
        in_hand = lambda i: exists(s.Body, lambda b: s.draws[b, i])  # noqa: E731
        return forall(s.Index, lambda i: s.drawn[i] >> (s.ran[i] | in_hand(i) | s.raised))

    @invariant
    def who_ended_left_nothing(s):
        done = lambda b: forall(s.Index, lambda i: s.drawn[i]) | s.raised  # noqa: E731
        return forall(s.Body, lambda b: (s.stage[b] == "over") >> done(b))

    @invariant
    def arguments_are_given_away_in_their_order(s):
        return forall(s.Index, s.Index, lambda i, j: (s.less[i, j] & s.drawn[j]) >> s.drawn[i])

    @invariant
    def it_closes_after_its_bodies(s):
        over = forall(s.Body, lambda b: s.stage[b] != "alive") & exists(s.Body, lambda b: s.stage[b] == "over")
        return s.closed >> over

    @invariant(layer=1)
    def when_it_has_closed_every_argument_has_been_run(s):
        return (s.closed & ~s.raised) >> forall(s.Index, lambda i: s.ran[i])

    @theorem(Drawing.Body, Indexed.Index)
    def the_lowest_that_is_left_can_be_drawn(s, b, i):
        s.require("the body is alive, and at work on nothing", s.stage[b] == "alive")
        s.require("it has none", ~exists(s.Index, lambda j: s.draws[b, j]))
        s.require("it is the lowest that is left", ~s.drawn[i] & forall(s.Index, lambda j: s.less[j, i] >> s.drawn[j]))
        return s.enabled("draw", b, i)

    @theorem(Drawing.Body)
    def who_is_alive_can_go_on_or_end(s, b):
        s.require("the body is alive", s.stage[b] == "alive")
        s.require("all were given away", forall(s.Index, lambda i: s.drawn[i]))
        return s.enabled("end", b) | exists(s.Index, lambda i: s.enabled("run", b, i))

    @variant
    def what_is_left(s):
        one = lambda condition: ite(condition, 1, 0)  # noqa: E731
        return [
            (s.Body, lambda b: rank(s.stage[b])),
            (s.Index, lambda i: one(~s.drawn[i])),
            (s.Index, lambda i: one(~s.ran[i])),
            (None, lambda: one(~s.closed)),
        ]


class Halved(Halving):
    """Choir's way."""

    Index, Chunk = Indexed.Index, Halving.Chunk

    @invariant
    def a_chunk_is_not_empty(s):
        live = lambda c: s.stage[c].among("waiting", "at_work")  # noqa: E731
        return forall(s.Chunk, lambda c: live(c) >> ~s.less[s.high[c], s.low[c]])

    @invariant
    def every_index_has_an_owner_until_it_is_run(s):
        some = exists(s.Chunk, lambda c: s.stage[c] != "unused")
        return forall(s.Index, lambda i: (some & ~s.ran[i]) >> s.is_within(s.owner[i], i))

    @invariant
    def chunks_do_not_overlap(s):
        own = lambda c, i: s.is_within(c, i) >> (s.owner[i] == c)  # noqa: E731
        return forall(s.Chunk, s.Index, own)

    @invariant
    def what_is_ahead_has_not_run(s):
        return forall(s.Chunk, s.Index, lambda c, i: s.is_within(c, i) >> ~s.ran[i])

    @invariant
    def begun_is_run_or_at_work(s):
        at_work = lambda c, i: (s.stage[c] == "at_work") & (s.low[c] == i)  # noqa: E731
        own = lambda c, i: s.is_within(c, i) >> (s.begun[i] == at_work(c, i))  # noqa: E731
        return forall(s.Chunk, s.Index, own) & forall(s.Index, lambda i: s.ran[i] >> s.begun[i])

    @invariant
    def before_the_first_chunk_nothing_is_begun(s):
        none = forall(s.Chunk, lambda c: s.stage[c] == "unused")
        return none >> forall(s.Index, lambda i: ~s.begun[i])

    @invariant(layer=1)
    def when_it_has_closed_every_index_has_been_run(s):
        return s.closed >> (forall(s.Index, lambda i: s.ran[i]) & s.is_over())

    def is_over(s):
        some = exists(s.Chunk, lambda c: s.stage[c] != "unused")
        return some & forall(s.Chunk, lambda c: s.stage[c].among("over", "unused"))

    @theorem(Halving.Chunk, Indexed.Index)
    def whoever_is_at_work_can_go_on(s, c, j):
        s.require("it is at work", s.stage[c] == "at_work")
        s.require("there is a next index, or none", s.follows(s.low[c], j) | (s.low[c] == s.greatest))
        return disj(s.enabled("end", c), s.enabled("go_on", c, j))

    @variant
    def what_is_left(s):
        one = lambda condition: ite(condition, 1, 0)  # noqa: E731
        return [
            (s.Chunk, lambda c: one(s.stage[c] == "unused")),
            (s.Index, lambda i: one(~s.ran[i])),
            (s.Index, lambda i: one(~s.begun[i])),
            (None, lambda: one(~s.closed)),
        ]


SPECS = (Drawn, Halved)


def test_every_argument_is_run_once_when_bodies_draw_from_one_iterator():
    proved(Drawn)


def test_every_index_is_run_once_when_chunks_are_halved():
    proved(Halved)
