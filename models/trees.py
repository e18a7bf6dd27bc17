"""What a `seq` / `fork` expression means, and what the entities made of it store: built up side by side.

A tree of any shape is built from leaves by `sequence`, `together` and `bind`, so what holds after every one of
these deeds holds for every tree: structural induction is the induction of this model. On one side stands the order
that the documentation promises (`order`: all of the first before all of the second, nothing else). On the other stand
the entities of `hocket.graph.assemble` with their stored edges (`single`, `multi`), and what `hocket.graph.order` makes
of them: `inside` edges from a fork to the head of each prong's chain, and the reachability of events, an opening and
a close for each entity. A fork within a fork is one fork: so a tree whose root is a fork keeps its prongs loose until
something other than a fork is made of it, and is only then bound to an entity.

A tree is used once as a part. Entities and trees are taken from stocks of any size.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, exists, initial


class Trees(Spec):
    """A forest under construction: `Tree` names its roots."""

    Tree = Sort()
    Entity = Sort()

    made = Relation(Tree)
    whole = Relation(Tree)  # not yet a part of another
    loose = Relation(Tree)  # a fork whose entity is not made yet
    of = Relation(Entity, Tree)
    first = Function(Tree, to=Entity)
    last = Function(Tree, to=Entity)
    prong = Relation(Tree, Entity, Entity)  # of a loose fork: the chain from its first entity to its last

    used = Relation(Entity)
    is_task = Relation(Entity)
    order = Relation(Entity, Entity)  # as documented: this task closes before that one opens

    single = Relation(Entity, Entity)  # later, earlier
    multi = Relation(Entity, Entity)  # fork, prong
    inside = Relation(Entity, Entity)  # inner, outer
    head = Relation(Entity, Entity)  # the beginning of its chain of single edges
    oo = Relation(Entity, Entity)  # which events are reached from which: openings from openings, and so on
    oc = Relation(Entity, Entity)
    co = Relation(Entity, Entity)
    cc = Relation(Entity, Entity)

    @initial
    def nothing_is_built(s):
        for relation in (s.made, s.whole, s.loose, s.used, s.is_task):
            relation.each(lambda x: False)
        for relation in (s.of, s.order, s.single, s.multi, s.inside, s.head, s.oo, s.oc, s.co, s.cc):
            relation.each(lambda x, y: False)
        s.prong.each(lambda t, x, y: False)

    # -- words --------------------------------------------------------------------------------------------------------

    def reaches(s, x, y, kinds):
        return {"oo": s.oo, "oc": s.oc, "co": s.co, "cc": s.cc}[kinds][x, y]

    def is_ready(s, t):
        """It can be a part of a sequence: whole, and no loose fork."""
        return s.whole[t] & ~s.loose[t]

    def makes(s, e):
        """A new entity, which opens before it closes, and is the head of its own chain."""
        s.require("it is a new entity", ~s.used[e])
        s.used[e] = True
        s.head[e, e] = True

    def is_stored(s, kinds, x, y):
        """An edge between two events is about to be stored; for those who watch."""

    def are_stored(s, f, inner, held):
        """The edges of a fork are about to be stored; for those who watch."""

    # -- building -----------------------------------------------------------------------------------------------------

    @action(Tree, Entity)
    def leaf(s, t, e):
        s.require("it is a new tree", ~s.made[t])
        s.makes(e)
        s.made[t] = True
        s.whole[t] = True
        s.is_task[e] = True
        s.of[e, t] = True
        s.first[t] = e
        s.last[t] = e
        for relation in (s.oo, s.oc, s.cc):
            relation[e, e] = True

    @action(Tree, Tree)
    def sequence(s, h, t):
        """`h`, and when all of it has closed, `t`: one edge from the first entity of `t` to the last of `h`."""
        s.require("two trees", h != t)
        s.require("both are ready", s.is_ready(h) & s.is_ready(t))
        earlier, later = s.last[h], s.first[t]
        s.is_stored("co", earlier, later)
        old = s.reading()
        for kinds in ("oo", "oc", "co", "cc"):
            s.joined(old, kinds, earlier, later)
        onto = lambda e, x: s.head[e, later] & s.head[earlier, x]  # noqa: E731
        s.head.each(lambda e, x: (s.head[e, x] & ~s.head[e, later]) | onto(e, x))
        s.single[later, earlier] = True
        promised = lambda a, b: s.is_task[a] & s.is_task[b] & s.of[a, h] & s.of[b, t]  # noqa: E731
        s.order.each(lambda a, b: s.order[a, b] | promised(a, b))
        s.last[h] = s.last[t]
        s.swallows(h, t)

    def joined(s, old, kinds, earlier, later):
        """What is reached once the close of `earlier` has an edge to the opening of `later`."""
        to, back = kinds[0] + "c", "o" + kinds[1]
        relation = {"oo": s.oo, "oc": s.oc, "co": s.co, "cc": s.cc}[kinds]
        through = lambda x, y: old.reaches(x, earlier, to) & old.reaches(later, y, back)  # noqa: E731
        relation.each(lambda x, y: old.reaches(x, y, kinds) | through(x, y))

    def swallows(s, h, t):
        """What `t` was is now part of `h`."""
        s.of.each(lambda e, x: (s.of[e, x] & (x != t)) | ((x == h) & s.of[e, t]))
        s.whole[t] = False

    @action(Tree, Tree)
    def together(s, h, t):
        """Both at once: the prongs of the two, of which each may be a loose fork itself."""
        s.require("two trees", h != t)
        s.require("both are whole", s.whole[h] & s.whole[t])
        old = s.reading()
        prong = lambda x, a, b: (old.loose[x] & old.prong[x, a, b]) | (~old.loose[x] & old.is_chain(x, a, b))  # noqa: E731
        both = lambda a, b: prong(h, a, b) | prong(t, a, b)  # noqa: E731
        s.prong.each(lambda x, a, b: (old.prong[x, a, b] & (x != h) & (x != t)) | ((x == h) & both(a, b)))
        s.loose[h] = True
        s.of.each(lambda e, x: (old.of[e, x] & (x != t)) | ((x == h) & old.of[e, t]))
        s.whole[t] = False
        s.loose[t] = False

    def is_chain(s, t, a, b):
        return (a == s.first[t]) & (b == s.last[t])

    @action(Tree, Entity)
    def bind(s, t, f):
        """The fork's entity: it holds the last of each prong, and the first of each opens inside it."""
        s.require("it is a loose fork", s.whole[t] & s.loose[t])
        s.makes(f)
        old = s.reading()
        inner = lambda x: exists(s.Entity, lambda b: old.prong[t, x, b])  # noqa: E731
        held = lambda b: exists(s.Entity, lambda x: old.prong[t, x, b])  # noqa: E731
        s.are_stored(f, inner, held)
        s.inside.each(lambda x, y: old.inside[x, y] | ((y == f) & inner(x)))
        s.multi.each(lambda x, y: old.multi[x, y] | ((x == f) & held(y)))
        s.opens_first("oo", old, f, inner)
        s.opens_first("oc", old, f, inner)
        s.closes_last("oc", f, held)
        s.closes_last("cc", f, held)
        s.of[f, t] = True
        s.first[t] = f
        s.last[t] = f
        s.loose[t] = False
        s.prong.each(lambda x, a, b: old.prong[x, a, b] & (x != t))

    def opens_first(s, kinds, old, f, inner):
        """From the opening of `f` everything is reached that the first of a prong reaches, and its own close."""
        relation = {"oo": s.oo, "oc": s.oc}[kinds]
        beyond = lambda y: exists(s.Entity, lambda x: inner(x) & old.reaches(x, y, kinds))  # noqa: E731
        relation.each(lambda x, y: old.reaches(x, y, kinds) | ((x == f) & ((y == f) | beyond(y))))

    def closes_last(s, kinds, f, held):
        """The close of `f` is reached from everything that reaches the close of a prong."""
        relation = {"oc": s.oc, "cc": s.cc}[kinds]
        known = s.reading()
        before = lambda x: exists(s.Entity, lambda b: held(b) & known.reaches(x, b, kinds))  # noqa: E731
        relation.each(lambda x, y: known.reaches(x, y, kinds) | ((y == f) & ((x == f) | before(x))))

    def reading(s):
        """The state as it is now, for definitions that are assigned one after the other."""
        from hocket.spec.language import Now

        return type(s)(Now(dict(s.now.definitions)))
