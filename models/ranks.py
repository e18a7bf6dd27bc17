"""Ranks and circles of a directed graph: walking, checking a certificate, and Kahn's peeling.

`Walk` follows edges of a graph in which every edge raises the rank. `Check` is the loop of
`hocket.verify.certificate.check_ranks`: a look at every edge, in any order, then a comparison. `Peel` is that of
`hocket.graph.cycles`: what no unranked node precedes is ranked, and raises those that follow it. Graphs are of any
size.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Relation, Sort, Spec, action, axiom, exists, forall, initial, ite


class Walk(Spec):
    """Going along edges, for as long as one likes."""

    Node = Sort()
    edge = Relation(Node, Node, rigid=True)
    rank = Function(Node, to=INT, rigid=True)
    begin = Function(to=Node, rigid=True)
    at = Function(to=Node)
    steps = Function(to=INT)

    @axiom
    def every_edge_raises_the_rank(s):
        return forall(s.Node, s.Node, lambda x, y: s.edge[x, y] >> (s.rank[x] < s.rank[y]))

    @initial
    def at_the_beginning(s):
        s.at = s.begin
        s.steps = 0

    @action(Node)
    def go(s, y):
        s.require("there is an edge", s.edge[s.at, y])
        s.at = y
        s.steps = s.steps + 1


class Check(Spec):
    """What the checker looks at: `said` is the certificate's, `due` what it finds."""

    Node = Sort()
    edge = Relation(Node, Node, rigid=True)
    said = Function(Node, to=INT, rigid=True)
    due = Function(Node, to=INT)
    seen = Relation(Node, Node)
    accepted = Relation()

    @initial
    def nothing_is_seen(s):
        s.due.each(lambda x: 0)
        s.seen.each(lambda x, y: False)
        s.accepted = False

    @action(Node, Node)
    def look(s, x, y):
        s.require("it is an edge", s.edge[x, y])
        s.require("it was not looked at", ~s.seen[x, y])
        s.seen[x, y] = True
        s.due[y] = ite(s.due[y] < s.said[x] + 1, s.said[x] + 1, s.due[y])

    @action()
    def accept(s):
        s.require("it is undecided", ~s.accepted)
        s.require("all edges were seen", forall(s.Node, s.Node, lambda x, y: s.edge[x, y] >> s.seen[x, y]))
        s.require("each rank is as it should be", forall(s.Node, lambda x: s.said[x] == s.due[x]))
        s.accepted = True


class Peel(Spec):
    """Kahn (1962), with ranks."""

    Node = Sort()
    edge = Relation(Node, Node, rigid=True)
    circle = Relation(Node, rigid=True)  # any set of nodes each of which is preceded by one of the set
    rank = Function(Node, to=INT)
    peeled = Relation(Node)

    @axiom
    def in_a_circle_each_has_one_before_it(s):
        before = lambda y: exists(s.Node, lambda x: s.circle[x] & s.edge[x, y])  # noqa: E731
        return forall(s.Node, lambda y: s.circle[y] >> before(y))

    @initial
    def nothing_is_peeled(s):
        s.rank.each(lambda x: 0)
        s.peeled.each(lambda x: False)

    @action(Node)
    def peel(s, x):
        s.require("it is there", ~s.peeled[x])
        s.require("nothing there precedes it", forall(s.Node, lambda w: s.edge[w, x] >> s.peeled[w]))
        s.peeled[x] = True
        higher = lambda y: s.edge[x, y] & (s.rank[y] < s.rank[x] + 1)  # noqa: E731
        s.rank.each(lambda y: ite(higher(y), s.rank[x] + 1, s.rank[y]))
