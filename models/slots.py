"""Compact slots: where the payloads of a tree of tasks are kept, while the tree is run depth first.

In the compact layout the slot of a payload is the number of payloads above it, so that siblings share (YOrch, section
5.2 of the seeds' semantics). `Layout` builds any tree and counts; `Running` runs any tree, one task at a time, with
failures and aborts anywhere: a payload lives from the success of its task to the end of its subtree. `Parallel` is the
mode that was announced for it, in which siblings run at once: the layout is not sound there (Y-B5).
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Sort, Spec, action, axiom, environment, forall, initial, ite


class Layout(Spec):
    """A tree of any shape, built leaf by leaf, and the slot of each of its tasks."""

    Node = Sort()
    owned = Relation(Node, rigid=True)  # it has a payload of its own: not void, not forwarded
    used = Relation(Node)
    above = Relation(Node, Node)  # a proper ancestor
    count = Function(Node, to=INT)  # payloads on the way from the root, its own included

    @initial
    def no_tree(s):
        s.used.each(lambda n: False)
        s.above.each(lambda a, n: False)
        s.count.each(lambda n: 0)

    @action(Node)
    def root(s, n):
        s.require("it is the first", forall(s.Node, lambda m: ~s.used[m]))
        s.used[n] = True
        s.count[n] = ite(s.owned[n], 1, 0)

    @action(Node, Node)
    def child(s, parent, n):
        s.require("its parent is there", s.used[parent])
        s.require("it is new", ~s.used[n])
        s.used[n] = True
        s.above.each(lambda a, m: s.above[a, m] | ((m == n) & ((a == parent) | s.above[a, parent])))
        s.count[n] = s.count[parent] + ite(s.owned[n], 1, 0)
        s.ensure("its parent is above it", s.above[parent, n])


class Running(Spec):
    """Any tree, run in any order of siblings, one task at a time."""

    Node = Sort()
    Slot = Sort()
    Stage = Sort("Stage", ("over", "open", "entered", "ahead"))
    above = Relation(Node, Node, rigid=True)
    owned = Relation(Node, rigid=True)
    slot = Function(Node, to=Slot, rigid=True)
    stage = Function(Node, to=Stage)
    live = Relation(Node)  # its payload is in its slot
    made = Relation(Node, ghost=True)
    destroyed = Relation(Node, ghost=True)

    @axiom
    def above_is_a_tree(s):
        irreflexive = forall(s.Node, lambda a: ~s.above[a, a])
        chains = lambda a, b, c: (s.above[a, b] & s.above[b, c]) >> s.above[a, c]  # noqa: E731
        line = lambda a, b, n: (s.above[a, n] & s.above[b, n]) >> ((a == b) | s.above[a, b] | s.above[b, a])  # noqa: E731
        return irreflexive & forall(s.Node, s.Node, s.Node, chains) & forall(s.Node, s.Node, s.Node, line)

    @axiom
    def the_layout_is_compact(s):
        """What `Layout` shows of counting: payloads on one way from the root have different slots."""
        apart = lambda a, b: (s.above[a, b] & s.owned[a] & s.owned[b]) >> (s.slot[a] != s.slot[b])  # noqa: E731
        return forall(s.Node, s.Node, apart)

    @initial
    def nothing_has_run(s):
        s.stage.each(lambda n: "ahead")
        for relation in (s.live, s.made, s.destroyed):
            relation.each(lambda n: False)

    def is_under_way(s, n):
        return s.stage[n].among("entered", "open")

    def takes_turns(s, n):
        """One at a time: whatever is under way is above it."""
        s.require("everything under way is above it", forall(s.Node, lambda m: s.is_under_way(m) >> s.above[m, n]))

    @action(Node)
    def enter(s, n):
        s.require("it has not run", s.stage[n] == "ahead")
        succeeded = forall(s.Node, lambda a: s.above[a, n] >> (s.stage[a] == "open"))
        s.require("everything above it has succeeded", succeeded)
        s.takes_turns(n)
        s.stage[n] = "entered"

    @action(Node)
    def succeed(s, n):
        s.require("it is at work", s.stage[n] == "entered")
        s.stage[n] = "open"
        s.live[n] = s.owned[n]
        s.made[n] = s.owned[n]

    @environment(Node)
    def succeed_without_payload(s, n):
        s.require("it is at work", s.stage[n] == "entered")
        s.stage[n] = "open"

    @action(Node)
    def fail(s, n):
        """Its children are never entered."""
        s.require("it is at work", s.stage[n] == "entered")
        s.stage[n] = "over"

    @action(Node)
    def leave(s, n):
        """Its children are over, or a failure or an abort leaves some of them out."""
        s.require("it has succeeded", s.stage[n] == "open")
        s.require("nothing below is under way", forall(s.Node, lambda m: s.above[n, m] >> ~s.is_under_way(m)))
        s.stage[n] = "over"
        s.destroyed[n] = s.destroyed[n] | s.live[n]
        s.live[n] = False


class Parallel(Running):
    """The same, but siblings may run at once."""

    def takes_turns(s, n):
        """Nothing is waited for but what is above."""
