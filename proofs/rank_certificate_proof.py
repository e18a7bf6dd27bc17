"""A rank for every node is a proof that there is no circle; the checker accepts nothing less, and Kahn finds one.

For graphs of any size (`models/ranks.py`): where every edge raises the rank, a walk never comes back, by induction on
its length; a certificate that the checker accepts raises the rank along every edge, and there is only one such list of
numbers, by induction on the rank; peeling ranks what it takes off as the checker demands, never takes off a node of a
circle, and where it can go no further every node that is left has one before it. That a finite graph whose nodes all
have one before them has a circle is the pigeonhole principle, and is not proved here.
"""

from __future__ import annotations

from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    axiom,
    exists,
    forall,
    initial,
    invariant,
    ite,
    theorem,
    two_state,
    variant,
)
from models.ranks import Check, Peel, Walk
from proofs.judge import proved


class NoWayBack(Walk):
    """Induction on the length of a walk."""

    Node = Walk.Node

    @invariant
    def a_walk_climbs_by_its_length(s):
        return (s.rank[s.begin] + s.steps <= s.rank[s.at]) & (s.steps >= 0)

    @two_state
    def every_step_counts(s, later):
        return later.steps == s.steps + 1

    @theorem()
    def a_walk_of_one_step_or_more_does_not_end_where_it_began(s):
        s.require("there was a step", s.steps > 0)
        return s.at != s.begin


class Accepted(Check):
    """What an accepted certificate says is so."""

    Node = Check.Node

    @invariant
    def what_is_due_is_above_what_was_seen(s):
        return forall(s.Node, s.Node, lambda x, y: s.seen[x, y] >> (s.said[x] + 1 <= s.due[y]))

    @invariant
    def what_is_due_is_due_to_somebody(s):
        why = lambda y: exists(s.Node, lambda x: s.seen[x, y] & (s.due[y] == s.said[x] + 1))  # noqa: E731
        return forall(s.Node, lambda y: (s.due[y] >= 0) & ((s.due[y] == 0) | why(y)))

    @invariant
    def only_edges_are_seen(s):
        return forall(s.Node, s.Node, lambda x, y: s.seen[x, y] >> s.edge[x, y])

    @invariant
    def what_is_accepted_was_looked_at(s):
        seen = forall(s.Node, s.Node, lambda x, y: s.edge[x, y] >> s.seen[x, y])
        return s.accepted >> (seen & forall(s.Node, lambda x: s.said[x] == s.due[x]))

    @theorem(Check.Node, Check.Node)
    def then_every_edge_raises_the_rank(s, x, y):
        s.require("it was accepted", s.accepted)
        s.require("there is an edge", s.edge[x, y])
        return s.said[x] < s.said[y]

    @theorem(Check.Node)
    def then_each_rank_is_nought_or_one_above_another(s, y):
        s.require("it was accepted", s.accepted)
        above = exists(s.Node, lambda x: s.edge[x, y] & (s.said[y] == s.said[x] + 1))
        return (s.said[y] >= 0) & ((s.said[y] == 0) | above)


class OnlyOne(Spec):
    """Two lists that the checker accepts for one graph are the same, by induction on the rank: one step of it."""

    Node = Sort()
    edge = Relation(Node, Node, rigid=True)
    one = Function(Node, to=INT, rigid=True)
    other = Function(Node, to=INT, rigid=True)

    @initial
    def nothing_changes(s):
        s.require("nothing is asked", forall(s.Node, lambda x: s.one[x] >= 0))

    def accepted(s, rank):
        raises = forall(s.Node, s.Node, lambda x, y: s.edge[x, y] >> (rank[x] < rank[y]))
        above = lambda y: exists(s.Node, lambda x: s.edge[x, y] & (rank[y] == rank[x] + 1))  # noqa: E731
        return raises & forall(s.Node, lambda y: (rank[y] >= 0) & ((rank[y] == 0) | above(y)))

    @axiom
    def one_was_accepted(s):
        return s.accepted(s.one)

    @axiom
    def the_other_was_accepted(s):
        return s.accepted(s.other)

    @theorem(Node)
    def if_they_agree_below_they_agree(s, y):
        s.require("they agree below", forall(s.Node, lambda x: (s.one[x] < s.one[y]) >> (s.one[x] == s.other[x])))
        return s.one[y] == s.other[y]


class Peeled(Peel):
    """What peeling leaves."""

    Node = Peel.Node

    @invariant
    def what_is_peeled_was_preceded_by_peeled_ones(s):
        return forall(s.Node, s.Node, lambda x, y: (s.peeled[y] & s.edge[x, y]) >> s.peeled[x])

    @invariant
    def an_edge_from_a_peeled_one_raises_the_rank(s):
        return forall(s.Node, s.Node, lambda x, y: (s.peeled[x] & s.edge[x, y]) >> (s.rank[x] < s.rank[y]))

    @invariant
    def a_rank_is_nought_or_one_above_a_peeled_one(s):
        above = lambda y: exists(s.Node, lambda x: s.peeled[x] & s.edge[x, y] & (s.rank[y] == s.rank[x] + 1))  # noqa: E731
        return forall(s.Node, lambda y: (s.rank[y] >= 0) & ((s.rank[y] == 0) | above(y)))

    @invariant
    def nothing_of_a_circle_is_peeled(s):
        return forall(s.Node, lambda x: ~(s.circle[x] & s.peeled[x]))

    @theorem(Peel.Node)
    def where_nothing_can_be_peeled_each_has_one_before_it(s, y):
        s.require("it can go no further", forall(s.Node, lambda x: ~s.enabled("peel", x)))
        s.require("it is left", ~s.peeled[y])
        return exists(s.Node, lambda x: ~s.peeled[x] & s.edge[x, y])

    @variant
    def what_is_left(s):
        return [(s.Node, lambda x: ite(s.peeled[x], 0, 1))]


SPECS = (NoWayBack, Accepted, OnlyOne, Peeled)


def test_where_every_edge_raises_the_rank_no_walk_comes_back():
    proved(NoWayBack)


def test_what_the_checker_accepts_raises_the_rank_along_every_edge():
    proved(Accepted)


def test_only_one_list_of_ranks_is_accepted():
    proved(OnlyOne)


def test_peeling_ranks_everything_but_what_circles_hold_back():
    proved(Peeled)
