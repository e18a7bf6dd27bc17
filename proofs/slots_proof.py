"""Compact slots: under depth-first execution two live payloads never share one, whatever the tree and wherever it ends.

First the layout (`Layout`): counting payloads on the way from the root gives different numbers to payloads on one way,
for trees of any shape, by induction on their building. Then the execution (`Running`): what is under way is one way
from the root, for any order of siblings and any pattern of failures and aborts; and each payload that was made is
destroyed, once. Under parallel siblings (`Parallel`) the same claim is refuted, with a root and two children (Y-B5).
"""

from __future__ import annotations

from hocket.spec import always, exists, forall, invariant, rank, theorem, two_state, variant
from hocket.verdict import Holds, Violated
from models.slots import Layout, Parallel, Running
from proofs.judge import proved


class Counted(Layout):
    """What counting gives."""

    Node = Layout.Node

    @invariant
    def only_what_is_used_is_related(s):
        return forall(s.Node, s.Node, lambda a, b: s.above[a, b] >> (s.used[a] & s.used[b] & (a != b)))

    @invariant
    def counts_grow_downward_by_each_payload(s):
        more = lambda a, b: (s.count[a] <= s.count[b]) & (s.owned[b] >> (s.count[a] < s.count[b]))  # noqa: E731
        return forall(s.Node, s.Node, lambda a, b: s.above[a, b] >> more(a, b))

    @invariant
    def above_is_a_tree(s):
        chains = lambda a, b, c: (s.above[a, b] & s.above[b, c]) >> s.above[a, c]  # noqa: E731
        line = lambda a, b, n: (s.above[a, n] & s.above[b, n]) >> ((a == b) | s.above[a, b] | s.above[b, a])  # noqa: E731
        return forall(s.Node, s.Node, s.Node, lambda a, b, c: chains(a, b, c) & line(a, b, c))

    @invariant
    def a_payload_has_a_slot(s):
        return forall(s.Node, lambda n: (s.used[n] & s.owned[n]) >> (s.count[n] > 0)) & s.no_count_is_negative()

    def no_count_is_negative(s):
        return forall(s.Node, lambda n: s.count[n] >= 0)

    @theorem(Layout.Node, Layout.Node)
    def payloads_on_one_way_have_different_slots(s, a, b):
        s.require("one is above the other", s.above[a, b])
        s.require("both have payloads", s.owned[a] & s.owned[b])
        return s.count[a] != s.count[b]


def apart(s):
    """No two live payloads in one slot."""
    shared = lambda a, b: s.live[a] & s.live[b] & (s.slot[a] == s.slot[b])  # noqa: E731
    return forall(s.Node, s.Node, lambda a, b: shared(a, b) >> (a == b))


class Serial(Running):
    """Depth first."""

    Node, Slot = Running.Node, Running.Slot

    @invariant
    def what_is_under_way_is_one_way_from_the_root(s):
        both = lambda a, b: s.is_under_way(a) & s.is_under_way(b)  # noqa: E731
        return forall(s.Node, s.Node, lambda a, b: both(a, b) >> ((a == b) | s.above[a, b] | s.above[b, a]))

    @invariant
    def above_what_is_under_way_everything_has_succeeded(s):
        return forall(s.Node, s.Node, lambda a, b: (s.above[a, b] & s.is_under_way(b)) >> (s.stage[a] == "open"))

    @invariant
    def a_payload_lives_while_its_subtree_runs(s):
        return forall(s.Node, lambda n: s.live[n] >> (s.owned[n] & (s.stage[n] == "open")))

    @invariant(layer=1)
    def live_payloads_are_on_one_way(s):
        both = lambda a, b: s.live[a] & s.live[b]  # noqa: E731
        return forall(s.Node, s.Node, lambda a, b: both(a, b) >> ((a == b) | s.above[a, b] | s.above[b, a]))

    @theorem(Running.Node, Running.Node)
    def two_live_payloads_never_share_a_slot(s, a, b):
        s.require("both are live", s.live[a] & s.live[b])
        s.require("they are two", a != b)
        return s.slot[a] != s.slot[b]

    @invariant
    def what_was_made_is_live_or_was_destroyed(s):
        either = lambda n: s.made[n] == (s.live[n] | s.destroyed[n])  # noqa: E731
        return forall(s.Node, lambda n: either(n) & ~(s.live[n] & s.destroyed[n]))

    @invariant
    def what_has_not_succeeded_has_made_nothing(s):
        early = lambda n: s.stage[n].among("ahead", "entered")  # noqa: E731
        return forall(s.Node, lambda n: early(n) >> ~s.made[n])

    @theorem(Running.Node)
    def when_nothing_is_under_way_every_payload_is_gone(s, n):
        s.require("nothing is under way", forall(s.Node, lambda m: ~s.is_under_way(m)))
        s.require("it was made", s.made[n])
        return s.destroyed[n] & ~s.live[n]

    @two_state
    def every_task_runs_at_most_once(s, later):
        return forall(s.Node, lambda n: rank(later.stage[n]) <= rank(s.stage[n]))

    @theorem(Running.Node)
    def the_deepest_under_way_can_go_on(s, n):
        s.require("it is under way", s.is_under_way(n))
        s.require("nothing below it is", ~exists(s.Node, lambda m: s.above[n, m] & s.is_under_way(m)))
        return s.enabled("succeed", n) | s.enabled("fail", n) | s.enabled("leave", n)

    @variant
    def what_is_ahead(s):
        return [(s.Node, lambda n: rank(s.stage[n]))]


class OneByOne(Running):
    """Depth first, for a search of one tree."""

    always_apart = always(apart)


class AtOnce(Parallel):
    """Siblings at once: the same claim, which does not hold."""

    always_apart = always(apart)


SPECS = (Counted, Serial)
TREE = {("root", "left"), ("root", "right")}
COMPACT = {"root": "slot 0", "left": "slot 1", "right": "slot 1"}


def test_counting_gives_payloads_on_one_way_different_slots():
    proved(Counted)


def test_no_two_live_payloads_share_a_slot_under_depth_first_execution():
    proved(Serial)


def test_with_parallel_siblings_they_do_in_a_tree_of_three():
    """The root and both children are entered and succeed: six deeds, and two payloads are in slot 1."""
    given = {"above": TREE, "owned": {"root", "left", "right"}, "slot": COMPACT}
    scope = {"Node": ["root", "left", "right"], "Slot": ["slot 0", "slot 1"]}
    verdict = AtOnce.search(given, **scope).verdicts["always_apart"]
    assert isinstance(verdict, Violated)
    deeds = [event for event in verdict.counterexample.steps if event[0] == "succeed"]
    assert [node for _, node in deeds] == ["root", "left", "right"]
    assert len(verdict.counterexample.steps) == 6
    assert isinstance(OneByOne.search(given, **scope).verdicts["always_apart"], Holds)


def test_no_tree_of_two_is_enough():
    given = {"above": {("root", "child")}, "owned": {"root", "child"}, "slot": {"root": "slot 0", "child": "slot 1"}}
    found = AtOnce.search(given, Node=["root", "child"], Slot=["slot 0", "slot 1"])
    assert isinstance(found.verdicts["always_apart"], Holds)
