"""Fork entities induce exactly the documented order: for every `seq` / `fork` expression, of any shape and size.

By structural induction (`models/trees.py` builds every tree): between any two tasks of a finished tree, one's close
leads to the other's opening, through the edges that the entities store and the `inside` edges that are read off them,
if and only if the documentation says that the one comes before the other. Neither more nor less: a missing barrier
and an order that nobody asked for are both refuted. And no tree has a circle, so every expression can run.
"""

from __future__ import annotations

from typing import ClassVar

from hocket.spec import Relation, axiom, conj, exists, forall, invariant, theorem
from models.trees import Trees
from proofs.judge import proved

KINDS = ("oo", "oc", "co", "cc")
PAIRS = [(one, two) for one in KINDS for two in KINDS if one[1] == two[0]]
ENFORCED = {f"all that is reached by {kinds} is enforced": kinds for kinds in KINDS}
STEPS = {f"{one} and then {two} is {one[0] + two[1]}": (one, two) for one, two in PAIRS}


class TreeOrder(Trees):
    """What is so of every tree that is being built."""

    Tree, Entity = Trees.Tree, Trees.Entity
    scales: ClassVar = {"Entity": 2}

    # -- whose is what ------------------------------------------------------------------------------------------------

    @invariant
    def an_entity_belongs_to_one_tree(s):
        return forall(s.Entity, s.Tree, s.Tree, lambda e, t, u: (s.of[e, t] & s.of[e, u]) >> (t == u))

    @invariant
    def only_whole_trees_have_entities(s):
        known = lambda e, t: s.whole[t] & s.made[t] & s.used[e]  # noqa: E731
        return forall(s.Entity, s.Tree, lambda e, t: s.of[e, t] >> known(e, t))

    @invariant
    def what_is_whole_or_loose_was_made(s):
        return forall(s.Tree, lambda t: (s.whole[t] >> s.made[t]) & (s.loose[t] >> s.whole[t]))

    @invariant
    def only_entities_in_use_are_related(s):
        related = lambda x, y: s.reached(x, y) | s.head[x, y] | s.single[x, y] | s.multi[x, y] | s.inside[x, y]  # noqa: E731
        return forall(s.Entity, s.Entity, lambda x, y: (related(x, y) | s.order[x, y]) >> (s.used[x] & s.used[y]))

    def reached(s, x, y):
        return s.oo[x, y] | s.oc[x, y] | s.co[x, y] | s.cc[x, y]

    @invariant
    def a_task_is_in_use(s):
        return forall(s.Entity, lambda e: s.is_task[e] >> s.used[e])

    @invariant
    def nothing_is_reached_from_another_tree(s):
        there = lambda x, y, t: s.of[x, t] == s.of[y, t]  # noqa: E731
        return forall(s.Entity, s.Entity, s.Tree, lambda x, y, t: s.reached(x, y) >> there(x, y, t))

    @invariant
    def a_chain_stays_in_its_tree(s):
        return forall(s.Entity, s.Entity, s.Tree, lambda x, y, t: s.head[x, y] >> (s.of[x, t] == s.of[y, t]))

    # -- the two ends of a tree ---------------------------------------------------------------------------------------

    @invariant
    def a_ready_tree_has_its_ends(s):
        return forall(s.Tree, lambda t: s.is_ready(t) >> (s.of[s.first[t], t] & s.of[s.last[t], t]))

    @invariant(layer=1)
    def a_ready_tree_opens_with_its_first_and_closes_with_its_last(s):
        ends = lambda e, t: s.oo[s.first[t], e] & s.cc[e, s.last[t]] & s.oc[s.first[t], s.last[t]]  # noqa: E731
        return forall(s.Entity, s.Tree, lambda e, t: (s.of[e, t] & ~s.loose[t]) >> ends(e, t))

    @invariant(layer=1)
    def a_loose_fork_opens_with_its_prongs_and_closes_with_them(s):
        within = lambda e, t: exists(s.Entity, s.Entity, lambda x, y: s.prong[t, x, y] & s.oo[x, e] & s.cc[e, y])  # noqa: E731
        return forall(s.Entity, s.Tree, lambda e, t: (s.of[e, t] & s.loose[t]) >> within(e, t))

    @invariant(layer=1)
    def a_loose_fork_has_prongs(s):
        some = lambda t: exists(s.Entity, s.Entity, lambda x, y: s.prong[t, x, y])  # noqa: E731
        return forall(s.Tree, lambda t: s.loose[t] >> some(t))

    @invariant(needs=("a_loose_fork_has_prongs",))
    def an_entity_is_a_task_or_holds_something(s):
        fork = lambda e: exists(s.Entity, lambda p: s.multi[e, p])  # noqa: E731
        return forall(s.Entity, lambda e: s.used[e] >> (s.is_task[e] | fork(e)))

    @invariant
    def prongs_are_of_their_fork(s):
        own = lambda t, x, y: s.of[x, t] & s.of[y, t] & s.loose[t]  # noqa: E731
        return forall(s.Tree, s.Entity, s.Entity, lambda t, x, y: s.prong[t, x, y] >> own(t, x, y))

    @invariant
    def an_entity_opens_and_then_closes(s):
        return forall(s.Entity, lambda e: s.used[e] >> (s.oo[e, e] & s.oc[e, e] & s.cc[e, e]))

    # -- chains of single edges ---------------------------------------------------------------------------------------

    @invariant
    def a_chain_has_one_head(s):
        return forall(s.Entity, s.Entity, s.Entity, lambda e, x, y: (s.head[e, x] & s.head[e, y]) >> (x == y))

    @invariant
    def the_last_of_a_tree_has_its_first_for_head(s):
        return forall(s.Tree, lambda t: s.is_ready(t) >> s.head[s.last[t], s.first[t]])

    @invariant
    def a_prong_has_its_first_for_head(s):
        return forall(s.Tree, s.Entity, s.Entity, lambda t, x, y: s.prong[t, x, y] >> s.head[y, x])

    @invariant
    def a_head_is_its_own(s):
        return forall(s.Entity, s.Entity, lambda e, x: s.head[e, x] >> s.head[x, x])

    @invariant
    def nothing_comes_before_the_head(s):
        return forall(s.Entity, s.Entity, s.Entity, lambda e, x, y: s.head[e, x] >> ~s.single[x, y])

    @invariant
    def what_comes_after_one_has_its_head(s):
        return forall(s.Entity, s.Entity, s.Entity, lambda e, d, x: (s.single[e, d] & s.head[d, x]) >> s.head[e, x])

    @invariant(needs=("a_head_is_its_own", "a_chain_has_one_head", "only_entities_in_use_are_related"))
    def who_is_not_its_own_head_comes_after_one_with_the_same(s):
        earlier = lambda e, x: exists(s.Entity, lambda d: s.single[e, d] & s.head[d, x])  # noqa: E731
        return forall(s.Entity, s.Entity, lambda e, x: (s.head[e, x] & (e != x)) >> earlier(e, x))

    @invariant
    def nobody_comes_after_two(s):
        """So the assembly never has to refuse a join."""
        return forall(s.Entity, s.Entity, s.Entity, lambda e, x, y: (s.single[e, x] & s.single[e, y]) >> (x == y))

    @invariant
    def the_head_of_each_prong_opens_inside_its_fork(s):
        """As `hocket.graph.order` reads it off the finished entities."""
        return forall(s.Entity, s.Entity, s.Entity, lambda f, p, x: (s.multi[f, p] & s.head[p, x]) >> s.inside[x, f])

    @invariant(layer=1)
    def nothing_else_opens_inside(s):
        prong = lambda x, f: exists(s.Entity, lambda p: s.multi[f, p] & s.head[p, x])  # noqa: E731
        return forall(s.Entity, s.Entity, lambda x, f: s.inside[x, f] >> prong(x, f))

    @invariant
    def a_consumed_chain_is_not_gone_on_with(s):
        """What comes after its head is settled once it is a prong."""
        ends = lambda x, t: s.is_ready(t) >> (s.first[t] != x)  # noqa: E731
        loose = lambda x, t: forall(s.Entity, lambda y: ~s.prong[t, x, y])  # noqa: E731
        return forall(s.Entity, s.Entity, s.Tree, lambda x, f, t: s.inside[x, f] >> (ends(x, t) & loose(x, t)))

    # -- what is reached is the closure of the edges ------------------------------------------------------------------

    @invariant
    def every_edge_is_followed(s):
        edges = lambda x, y: (  # noqa: E731
            (s.single[x, y] >> s.co[y, x]) & (s.multi[x, y] >> s.cc[y, x]) & (s.inside[x, y] >> s.oo[y, x])
        )
        return forall(s.Entity, s.Entity, edges)

    @invariant(needs=(*STEPS, "only_entities_in_use_are_related"), rows=STEPS)
    def two_steps(s, pair):
        """Whatever is reached in two steps is reached."""
        one, two = pair
        chains = lambda x, y, z: (s.reaches(x, y, one) & s.reaches(y, z, two)) >> s.reaches(x, z, one[0] + two[1])  # noqa: E731
        return forall(s.Entity, s.Entity, s.Entity, chains)

    # -- the claims ---------------------------------------------------------------------------------------------------

    @invariant(layer=2)
    def nothing_closes_before_it_opens(s):
        """No circle: every expression can run."""
        return forall(s.Entity, lambda e: ~s.co[e, e])

    @invariant(layer=2)
    def the_order_is_exactly_the_documented_one(s):
        tasks = lambda a, b: s.is_task[a] & s.is_task[b]  # noqa: E731
        return forall(s.Entity, s.Entity, lambda a, b: tasks(a, b) >> (s.co[a, b] == s.order[a, b]))

    @theorem(Trees.Tree, Trees.Entity)
    def a_tree_has_closed_when_its_last_entity_has(s, t, e):
        s.require("it is a finished tree", s.is_ready(t))
        s.require("the entity is part of it", s.of[e, t])
        return s.cc[e, s.last[t]]


class NoMore(Trees):
    """Only what edges enforce is reached: whatever relation follows all edges, follows all that is reached."""

    Tree, Entity = Trees.Tree, Trees.Entity
    xoo = Relation(Entity, Entity, rigid=True)  # any relation between events
    xoc = Relation(Entity, Entity, rigid=True)
    xco = Relation(Entity, Entity, rigid=True)
    xcc = Relation(Entity, Entity, rigid=True)

    def other(s, x, y, kinds):
        return {"oo": s.xoo, "oc": s.xoc, "co": s.xco, "cc": s.xcc}[kinds][x, y]

    @axiom
    def it_follows_two_steps(s):
        def chains(x, y, z):
            steps = (
                (s.other(x, y, one) & s.other(y, z, two)) >> s.other(x, z, one[0] + two[1]) for one, two in PAIRS
            )
            return conj(*steps)

        return forall(s.Entity, s.Entity, s.Entity, chains)

    @axiom
    def in_it_an_entity_opens_and_then_closes(s):
        return forall(s.Entity, lambda e: s.xoo[e, e] & s.xoc[e, e] & s.xcc[e, e])

    def is_stored(s, kinds, x, y):
        s.require("the other relation follows the edge", s.other(x, y, kinds))

    def are_stored(s, f, inner, held):
        follows = lambda x: (inner(x) >> s.xoo[f, x]) & (held(x) >> s.xcc[x, f])  # noqa: E731
        s.require("the other relation follows the edges", forall(s.Entity, follows))

    @invariant(needs=tuple(ENFORCED), rows=ENFORCED)
    def enforced(s, kinds):
        return forall(s.Entity, s.Entity, lambda x, y: s.reaches(x, y, kinds) >> s.other(x, y, kinds))


SPECS = (TreeOrder, NoMore)


def test_entities_induce_exactly_the_documented_order_for_trees_of_any_shape():
    proved(TreeOrder)


def test_nothing_is_reached_but_by_edges():
    proved(NoMore)
