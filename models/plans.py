"""A tree of tasks that is run depth first, and the slots that hold their payloads.

A node is entered when its parent has succeeded and every sibling before it is over.
Its payload lives from its success to the end of its subtree. A node that aborts its
branch ends that branch; a failure ends the whole run. A *layout* gives each node that
has a payload a slot: one for each of them, or, *compact*, as many as there are payloads
on the longest way down, siblings sharing theirs.

From YOrch (the seeds' section 5.2). `InParallel` is the mode that it announces:
siblings no longer wait for each other, and then a compact layout is wrong
(`models.broken.plan_slots_shared_in_parallel`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from hocket.spec import (
    TRUE,
    Function,
    Relation,
    Sort,
    Spec,
    Term,
    action,
    always,
    environment,
    exists,
    forall,
    initial,
    mistaken,
    sometimes,
)
from models.showcase import able


class Plan(Spec):
    """Any tree, run by one caller."""

    Node = Sort()
    Slot = Sort()
    Place = Sort("Place", ("untouched", "at_work", "live", "over"))
    Status = Sort("Status", ("abort_branch", "failure"))

    child = Relation(Node, Node, rigid=True)  # child[p, c]
    earlier = Relation(Node, Node, rigid=True)  # among siblings
    pays = Relation(Node, rigid=True)  # it has a payload
    slot = Function(Node, to=Slot, rigid=True)
    may_end = Relation(Node, rigid=True)  # it need not succeed

    at = Function(Node, to=Place)
    stopped = Relation()

    @initial
    def nothing_was_entered(s):
        s.at.each(lambda n: "untouched")
        s.stopped = False

    @action(Node)
    def enter(s, n):
        s.require("it has not been entered", s.at[n] == "untouched")
        s.require("nothing has ended the run", ~s.stopped)
        s.require("its parent has succeeded, and is not over", forall(s.Node, lambda p: s.child[p, n] >> s.live(p)))
        s.require("it is its turn among its siblings", s.its_turn(n))
        s.at[n] = "at_work"

    def live(s, n) -> Term:
        return s.at[n] == "live"

    def its_turn(s, n) -> Term:
        return forall(s.Node, lambda m: s.earlier[m, n] >> (s.at[m] == "over"))

    @environment(Node)
    def succeed(s, n):
        s.require("it is at work", s.at[n] == "at_work")
        s.at[n] = "live"

    @environment(Node, Status)
    def end(s, n, how):
        s.require("it is at work", s.at[n] == "at_work")
        s.require("it need not succeed", s.may_end[n])
        s.at[n] = "over"
        s.stopped = s.stopped | (how == "failure")

    @action(Node)
    def leave(s, n):
        s.require("its payload lives", s.live(n))
        s.require("no child is under way", forall(s.Node, lambda c: s.child[n, c] >> ~s.under_way(c)))
        s.require("all are over, unless the run has ended", s.stopped | s.children_over(n))
        s.at[n] = "over"

    def under_way(s, n) -> Term:
        return s.at[n].among("at_work", "live")

    def children_over(s, n) -> Term:
        return forall(s.Node, lambda c: s.child[n, c] >> (s.at[c] == "over"))

    # -- what holds

    @always
    def no_two_payloads_share_a_slot(s):
        both = lambda m, n: s.live(m) & s.live(n) & s.pays[m] & s.pays[n]  # noqa: E731  # a word of this sentence only
        return forall(s.Node, s.Node, lambda m, n: (both(m, n) & (s.slot[m] == s.slot[n])) >> (m == n))

    @always
    def a_parent_lives_as_long_as_its_children(s):
        return forall(s.Node, s.Node, lambda p, c: (s.child[p, c] & s.under_way(c)) >> s.live(p))

    @always
    def what_was_entered_has_a_parent_that_was(s):
        began = lambda n: s.at[n] != "untouched"  # noqa: E731  # a word of this sentence only
        return forall(s.Node, s.Node, lambda p, c: (s.child[p, c] & began(c)) >> s.at[p].among("live", "over"))

    @always
    def who_can_go_no_further_has_left_everything(s):
        return able(s) | forall(s.Node, lambda n: ~s.under_way(n))

    @sometimes
    def every_node_is_over(s):
        return forall(s.Node, lambda n: s.at[n] == "over")

    @mistaken
    def every_branch_is_entered(s):
        """Not below a node that did not succeed, and nowhere after a failure."""
        return able(s) | forall(s.Node, lambda n: s.at[n] == "over")


class InParallel(Plan):
    """The same, but siblings do not wait for each other."""

    def its_turn(s, n):
        return TRUE

    @mistaken
    def one_branch_at_a_time(s):
        between = lambda m, n: s.under_way(m) & s.under_way(n) & s.earlier[m, n]  # noqa: E731
        return ~exists(s.Node, s.Node, between)


def plan(
    parents: Sequence[int | None],
    layout: str = "one_to_one",
    payless: Collection[int] = (),
    may_end: Collection[int] = (),
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The given values and the scope of a tree: for each node the number of its parent, None for the root, 0.

    `layout`: "one_to_one" or "compact"; nodes in `payless` have no payload, and those in `may_end` need not succeed.
    """
    nodes = range(len(parents))
    pays = [n for n in nodes if n not in payless]
    depth = {n: sum(m in pays for m in _way_down(parents, n)) - 1 for n in nodes}
    slot = {n: place if layout == "one_to_one" else depth[n] for place, n in enumerate(pays)}
    given = {
        "child": {(p, n) for n, p in enumerate(parents) if p is not None},
        "earlier": {(m, n) for n in nodes for m in range(n) if parents[m] == parents[n]},
        "pays": set(pays),
        "slot": dict.fromkeys(nodes, 0) | slot,
        "may_end": set(may_end),
    }
    return given, {"Node": list(nodes), "Slot": range(1 + max(slot.values(), default=0))}


def _way_down(parents: Sequence[int | None], node: int | None) -> list[int]:
    """The node and everything above it."""
    return [] if node is None else [node, *_way_down(parents, parents[node])]
