"""A task of many bodies: every argument once, whoever draws it, in two ways.

`Drawing` is what the runtime does: all bodies draw from one iterator, whose `next` is atomic. `Halving` is what
Choir does (CH-04): a chunk of indices may give half of itself away at any time. Both with any number of arguments and
of bodies or chunks, which work at the same time. Indices are any linear order.
"""

from __future__ import annotations

from hocket.spec import Function, Relation, Sort, Spec, action, axiom, environment, exists, forall, initial, ite


class Indexed(Spec):
    """Indices in their order, and which of them have been begun and run."""

    Index = Sort()
    less = Relation(Index, Index, rigid=True)
    begun = Relation(Index)
    ran = Relation(Index)
    closed = Relation()  # the whole task is over

    @axiom
    def indices_are_in_a_line(s):
        strict = forall(s.Index, lambda i: ~s.less[i, i])
        chains = lambda i, j, k: (s.less[i, j] & s.less[j, k]) >> s.less[i, k]  # noqa: E731
        line = lambda i, j: (i == j) | s.less[i, j] | s.less[j, i]  # noqa: E731
        return strict & forall(s.Index, s.Index, s.Index, chains) & forall(s.Index, s.Index, line)

    @initial
    def nothing_has_run(s):
        s.begun.each(lambda i: False)
        s.ran.each(lambda i: False)
        s.closed = False
        s.begins()

    def begins(s):
        """What else holds initially."""

    def starts(s, i):
        s.ensure("it is begun for the first time", ~s.begun[i])
        s.begun[i] = True

    def stops(s, i):
        s.ensure("it is run for the first time", ~s.ran[i])
        s.ran[i] = True


class Drawing(Indexed):
    """One iterator, any number of bodies."""

    Index = Indexed.Index
    Body = Sort()
    Stage = Sort("Stage", ("over", "alive", "unborn"))
    stage = Function(Body, to=Stage)
    draws = Relation(Body, Index)  # it is at work on this one
    drawn = Relation(Index)  # the iterator has given it away
    raised = Relation()

    def begins(s):
        s.raised = False
        s.stage.each(lambda b: "unborn")
        s.draws.each(lambda b, i: False)
        s.drawn.each(lambda i: False)

    @environment(Body)
    def start(s, b):
        s.require("it is the first body", forall(s.Body, lambda c: s.stage[c] == "unborn"))
        s.stage[b] = "alive"

    @action(Body)
    def split(s, b):
        """One more joins, while the task runs and something is left."""
        s.require("the task runs", exists(s.Body, lambda c: s.stage[c] == "alive"))
        s.require("something is left", exists(s.Index, lambda i: ~s.drawn[i]))
        s.require("it is a new body", s.stage[b] == "unborn")
        s.stage[b] = "alive"

    @action(Body, Index)
    def draw(s, b, i):
        s.require("it is alive", s.stage[b] == "alive")
        s.require("it is at work on nothing", ~exists(s.Index, lambda j: s.draws[b, j]))
        s.require("it was not given away", ~s.drawn[i])
        s.require("all before it were", forall(s.Index, lambda j: s.less[j, i] >> s.drawn[j]))
        s.drawn[i] = True
        s.draws[b, i] = True
        s.starts(i)

    @action(Body, Index)
    def run(s, b, i):
        s.require("it is at work on it", s.draws[b, i])
        s.draws[b, i] = False
        s.stops(i)

    @action(Body, Index)
    def fail(s, b, i):
        s.require("it is at work on it", s.draws[b, i])
        s.draws[b, i] = False
        s.stage[b] = "over"
        s.raised = True

    @action(Body)
    def end(s, b):
        s.require("it is alive", s.stage[b] == "alive")
        s.require("it is at work on nothing", ~exists(s.Index, lambda j: s.draws[b, j]))
        s.require("all were given away", forall(s.Index, lambda i: s.drawn[i]))
        s.stage[b] = "over"

    @action()
    def close(s):
        s.require("it is open", ~s.closed)
        s.require("it has begun", exists(s.Body, lambda b: s.stage[b] == "over"))
        s.require("no body is left", forall(s.Body, lambda b: s.stage[b] != "alive"))
        s.closed = True


class Halving(Indexed):
    """Chunks of indices, each of which may be halved by whoever has it."""

    Index = Indexed.Index
    Chunk = Sort()
    Stage = Sort("Stage", ("over", "waiting", "at_work", "unused"))
    least = Function(to=Index, rigid=True)
    greatest = Function(to=Index, rigid=True)
    stage = Function(Chunk, to=Stage)
    low = Function(Chunk, to=Index)
    high = Function(Chunk, to=Index)
    owner = Function(Index, to=Chunk, ghost=True)  # which chunk answers for it

    @axiom
    def the_ends_are_the_ends(s):
        return forall(s.Index, lambda i: ~s.less[i, s.least] & ~s.less[s.greatest, i])

    def begins(s):
        s.stage.each(lambda c: "unused")

    def follows(s, i, j):
        """`j` is the index after `i`."""
        return s.less[i, j] & ~exists(s.Index, lambda k: s.less[i, k] & s.less[k, j])

    def is_within(s, c, i):
        return s.stage[c].among("waiting", "at_work") & ~s.less[i, s.low[c]] & ~s.less[s.high[c], i]

    @environment(Chunk)
    def start(s, c):
        s.require("it is the first chunk", forall(s.Chunk, lambda d: s.stage[d] == "unused"))
        s.stage[c] = "waiting"
        s.low[c] = s.least
        s.high[c] = s.greatest
        s.owner.each(lambda i: c)

    @action(Chunk, Chunk, Index, Index)
    def halve(s, c, d, i, j):
        """All from `j` on goes to the chunk `d`."""
        s.require("it is at none of its indices", s.stage[c] == "waiting")
        s.require("it is a new chunk", s.stage[d] == "unused")
        s.require("one index after the other", s.follows(i, j))
        s.require("both are of this chunk", s.is_within(c, i) & s.is_within(c, j))
        s.owner.each(lambda k: ite(s.is_within(c, k) & ~s.less[k, j], d, s.owner[k]))
        s.stage[d] = "waiting"
        s.low[d] = j
        s.high[d] = s.high[c]
        s.high[c] = i

    @action(Chunk)
    def begin(s, c):
        s.require("it waits", s.stage[c] == "waiting")
        s.stage[c] = "at_work"
        s.starts(s.low[c])

    @action(Chunk, Index)
    def go_on(s, c, j):
        s.require("it is at work", s.stage[c] == "at_work")
        s.require("there is a next one", s.follows(s.low[c], j) & s.is_within(c, j))
        s.stops(s.low[c])
        s.stage[c] = "waiting"
        s.low[c] = j

    @action(Chunk)
    def end(s, c):
        s.require("it is at work on its last", (s.stage[c] == "at_work") & (s.low[c] == s.high[c]))
        s.stops(s.low[c])
        s.stage[c] = "over"

    @action()
    def close(s):
        s.require("it is open", ~s.closed)
        s.require("it has begun", exists(s.Chunk, lambda c: s.stage[c] == "over"))
        s.require("no chunk is left", forall(s.Chunk, lambda c: s.stage[c].among("over", "unused")))
        s.closed = True

