"""A graph that is run by ticks: in each, the runners call every body that may run, then the manager looks round.

The manager goes from each finalised node down to what it waits for, and unblocks the
tasks whose predecessor is complete; it does not go to the prongs of a fork before
the fork's own predecessor is complete. A body is called once a tick until it says that
it is done. A finalised node that is complete loses its tag, and with `delete` its
whole graph.

From specs_task and legion_task (the seeds' sections 2.2 and 3). Their one traversal is
here in three parts: what is complete, where the manager has been, and what it unblocks.
The first two only ever grow, so a pass needs no order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from hocket.spec import (
    INT,
    TRUE,
    Function,
    Relation,
    Sort,
    Spec,
    Term,
    action,
    always,
    consequence,
    environment,
    exists,
    forall,
    initial,
    ite,
    mistaken,
    sometimes,
)
from models.showcase import able


class Ticks(Spec):
    """Any graph of tasks and forks, in ticks: runners first, then the manager."""

    Node = Sort()
    Answer = Sort("Answer", ("done", "again"))
    Ending = Sort("Ending", ("keep", "delete"))

    # the graph
    fork = Relation(Node, rigid=True)  # it has prongs and no body
    single = Relation(Node, Node, rigid=True)  # single[n, c]: n starts after c is complete; one c at most
    prong = Relation(Node, Node, rigid=True)  # prong[f, p]: p starts after f's single, and f is complete after p
    root = Relation(Node, rigid=True)  # somebody may finalise it
    ending = Function(Node, to=Ending, rigid=True)
    patience = Function(Node, to=INT, rigid=True)  # how often its body may ask to be called again

    # the run
    tick = Function(to=INT)
    final = Relation(Node)  # the manager begins here
    ended = Relation(Node)  # ... and does so no more
    unblocked = Relation(Node)
    called = Relation(Node)  # in this tick
    asked = Function(Node, to=INT)  # how often its body has asked to be called again
    complete = Relation(Node)  # a task whose body has said that it is done
    ran = Function(Node, to=INT)  # the tick in which it said so
    alive = Relation(Node)
    # what the manager finds out on its way
    closed = Relation(Node)  # a fork with everything that it waits for
    visited = Relation(Node, Node)  # visited[r, n]: on its way from r
    cleared = Relation(Node)  # each fork around it has its single complete

    @initial
    def nothing_was_finalised(s):
        s.begin()

    def begin(s):
        for part in (s.final, s.ended, s.unblocked, s.called, s.complete, s.closed, s.cleared):
            part.each(lambda n: False)
        for count in (s.asked, s.ran):
            count.each(lambda n: 0)
        s.visited.each(lambda r, n: False)
        s.alive.each(lambda n: True)
        s.tick = 1

    # -- words

    def done(s, n) -> Term:
        return (s.fork[n] & s.closed[n]) | s.complete[n]

    def may_start(s, n) -> Term:
        """What it waits for is complete."""
        return forall(s.Node, lambda c: s.single[n, c] >> s.done(c))

    def due(s, n) -> Term:
        """The runners call it in this tick."""
        return s.unblocked[n] & ~s.complete[n] & ~s.called[n]

    def has_parent(s, n) -> Term:
        return exists(s.Node, lambda m: s.single[m, n] | s.prong[m, n])

    # -- deeds

    @environment(Node)
    def finalize(s, n):
        s.require("somebody may finalise it", s.may_be_finalised(n))
        s.require("it has not been finalised", ~s.final[n] & ~s.ended[n])
        s.final[n] = True
        s.was_finalised(n)

    def may_be_finalised(s, n) -> Term:
        return s.root[n]

    def was_finalised(s, n) -> None:
        pass

    @environment(Node, Answer)
    def run(s, n, answer):
        s.require("it is unblocked", s.unblocked[n])
        s.require("it is not complete", ~s.complete[n])
        s.require("it was not called in this tick", ~s.called[n])
        s.require("its body asks as often as it may", (answer == "done") | (s.asked[n] < s.patience[n]))
        s.called[n] = True
        s.complete[n] = answer == "done"
        s.asked[n] = ite(answer == "again", s.asked[n] + 1, s.asked[n])
        s.ran[n] = ite(answer == "done", s.tick, 0)

    @action()
    def manage(s):
        s.require("something is finalised", exists(s.Node, lambda r: s.final[r]))
        s.require("the runners have called everything", forall(s.Node, lambda n: ~s.due(n)))
        s.require("a tick in which nothing happens is not told", exists(s.Node, s.matters))
        s.alive.each(lambda n: s.alive[n] & ~s.deleted(n))
        s.unblocked.each(lambda n: s.unblocked[n] | s.freed(n))
        s.ended.each(lambda r: s.ended[r] | s.over(r))
        s.final.each(lambda r: s.final[r] & ~s.over(r))
        s.called.each(lambda n: False)
        s.tick += 1

    def over(s, r) -> Term:
        return s.final[r] & s.done(r)

    def freed(s, n) -> Term:
        """The manager comes here and finds that it may start."""
        here = exists(s.Node, lambda r: s.final[r] & s.visited[r, n])
        return here & ~s.fork[n] & ~s.unblocked[n] & s.may_start(n) & s.barrier(n)

    def deleted(s, n) -> Term:
        return exists(s.Node, lambda r: s.over(r) & (s.ending[r] == "delete") & s.visited[r, n])

    def matters(s, n) -> Term:
        return s.called[n] | s.over(n) | s.freed(n)

    def barrier(s, n) -> Term:
        """A prong waits for its fork's single, whoever the manager came from."""
        return s.cleared[n]

    # -- what the manager finds out

    def stands(s) -> Term:
        return TRUE

    @consequence(Node)
    def close(s, f):
        s.require("a fork that has not closed", s.fork[f] & ~s.closed[f])
        s.require("the manager has been there", exists(s.Node, lambda r: s.visited[r, f]))
        s.require("the graph stands", s.stands())
        s.require("all that it waits for is complete", s.may_start(f))
        s.require("it has opened, within each fork around it", s.barrier(f))
        s.require("so are its prongs", forall(s.Node, lambda p: s.prong[f, p] >> s.done(p)))
        s.closed[f] = True

    @consequence(Node, Node)
    def visit(s, r, n):
        s.require("the manager begins there", s.final[r])
        s.require("it has not been here", ~s.visited[r, n])
        here = exists(s.Node, lambda m: s.visited[r, m] & (s.single[m, n] | (s.prong[m, n] & s.may_start(m))))
        s.require("it comes from a node above", (r == n) | here)
        s.visited[r, n] = True

    @consequence(Node)
    def clear(s, n):
        s.require("it is not clear yet", ~s.cleared[n])
        s.require("the graph stands", s.stands())
        s.require("what waits for it is", forall(s.Node, lambda m: s.single[m, n] >> s.cleared[m]))
        s.require("so are its forks", forall(s.Node, lambda f: s.prong[f, n] >> (s.cleared[f] & s.may_start(f))))
        s.cleared[n] = True

    # -- what holds

    @always
    def nothing_is_unblocked_before_what_it_waits_for_is_complete(s):
        return forall(s.Node, lambda n: s.unblocked[n] >> s.may_start(n))

    @always
    def no_prong_is_unblocked_before_its_forks_single_is_complete(s):
        return forall(s.Node, s.Node, lambda f, p: (s.prong[f, p] & s.unblocked[p]) >> s.may_start(f))

    @always
    def only_what_is_below_something_finalised_is_unblocked(s):
        return forall(s.Node, lambda n: s.unblocked[n] >> exists(s.Node, lambda r: s.visited[r, n]))

    @always
    def what_is_known_is_of_the_right_kind(s):
        """A fork closes and a task completes, at a time; the manager comes from where somebody sent it."""
        at_a_time = lambda n: s.complete[n] == (s.ran[n] > 0)  # noqa: E731  # two words of this sentence
        sent = lambda r, n: s.visited[r, n] >> (s.final[r] | s.ended[r])  # noqa: E731
        kinds = forall(s.Node, lambda n: (s.closed[n] >> s.fork[n]) & (s.complete[n] >> ~s.fork[n]) & at_a_time(n))
        return kinds & forall(s.Node, s.Node, sent)

    @always
    def what_is_deleted_was_complete(s):
        return forall(s.Node, lambda n: ~s.alive[n] >> s.done(n))

    @always
    def nothing_outlives_a_graph_that_is_deleted(s):
        gone = lambda r: s.ended[r] & (s.ending[r] == "delete")  # noqa: E731  # a word of this sentence only
        return forall(s.Node, s.Node, lambda r, n: (gone(r) & s.visited[r, n]) >> ~s.alive[n])

    @always
    def who_can_go_no_further_has_ended_what_it_began(s):
        return able(s) | forall(s.Node, lambda n: s.root[n] >> s.ended[n])

    @sometimes
    def every_root_has_ended(s):
        return forall(s.Node, lambda n: s.root[n] >> s.ended[n])

    @mistaken
    def a_body_runs_in_the_tick_that_unblocks_it(s):
        """The runners have had their turn."""
        return forall(s.Node, lambda n: s.unblocked[n] >> (s.called[n] | s.complete[n]))

    @mistaken
    def everything_is_visited_at_once(s):
        """Not the prongs of a fork whose single is not complete: that is the barrier."""
        below = lambda r, n: exists(s.Node, lambda m: s.visited[r, m] & (s.single[m, n] | s.prong[m, n]))  # noqa: E731
        return forall(s.Node, s.Node, lambda r, n: (s.final[r] & below(r, n)) >> s.visited[r, n])


class Building(Ticks):
    """The same, after users have made the graph: every graph of so many nodes, made node by node and edge by edge."""

    fork = Relation(Ticks.Node)
    single = Relation(Ticks.Node, Ticks.Node)
    prong = Relation(Ticks.Node, Ticks.Node)
    root = Relation(Ticks.Node)
    made = Relation(Ticks.Node)
    below = Relation(Ticks.Node, Ticks.Node)  # below[m, n]: by single and prong, one leads from m to n
    within = Relation(Ticks.Node, Ticks.Node)  # within[f, n]: n is a prong of the fork f, or below one
    needs = Relation(Ticks.Node, Ticks.Node)  # needs[m, n]: m is not complete before n; also by the forks around m

    @initial
    def nothing_was_finalised(s):
        s.begin()
        for part in (s.fork, s.root, s.made):
            part.each(lambda n: False)
        for edge in (s.single, s.prong, s.below, s.within, s.needs):
            edge.each(lambda m, n: False)

    @environment(Ticks.Node)
    def make_task(s, n):
        s.make(n)

    @environment(Ticks.Node)
    def make_fork(s, n):
        s.make(n)
        s.fork[n] = True

    def make(s, n):
        s.building()
        s.require("it has not been made", ~s.made[n])
        s.made[n] = True

    @environment(Ticks.Node, Ticks.Node)
    def add_prong(s, f, p):
        s.building()
        s.require("both were made", s.made[f] & s.made[p])
        s.require("only a fork has prongs", s.fork[f])
        s.require("it is not a prong of it yet", ~s.prong[f, p])
        s.wait_for(f, p, lambda x: x == f, lambda g: (g == f) | s.within[g, f])
        s.prong[f, p] = True

    @environment(Ticks.Node, Ticks.Node)
    def join(s, n, c):
        s.building()
        s.require("both were made", s.made[n] & s.made[c])
        s.require("it is joined to nothing yet", forall(s.Node, lambda m: ~s.single[n, m]))
        s.wait_for(n, c, lambda x: (x == n) | s.within[n, x], lambda g: s.within[g, n])
        s.single[n, c] = True

    def building(s):
        s.require("nothing was finalised yet", forall(s.Node, lambda r: ~s.root[r]))

    def wait_for(s, n, c, waiting, hosts) -> None:
        """From now on whoever is `waiting` needs c; and c, with all below it, is within the `hosts` and needs their
        singles. Every one of the first needs c, every one of the second all of these singles: so whatever comes to be
        needed, or to wait for itself, does so by one new need of each kind at most."""
        under = lambda x: (x == c) | s.below[c, x]  # noqa: E731  # words of the sentence above
        single = lambda x: exists(s.Node, lambda g: s.single[g, x] & hosts(g))  # noqa: E731
        reach = lambda x, y: (x == y) | s.needs[x, y]  # noqa: E731
        to = lambda x, some: exists(s.Node, lambda y: reach(x, y) & some(y))  # noqa: E731
        since = lambda x: exists(s.Node, lambda y: single(y) & reach(y, x))  # noqa: E731
        s.closes_no_circle(c, waiting, lambda x: (under(x) | waiting(x)) & since(x))
        new = lambda x, z: (to(x, waiting) & (reach(c, z) | since(z))) | (to(x, under) & since(z))  # noqa: E731
        s.needs.each(lambda x, z: s.needs[x, z] | new(x, z))
        s.within.each(lambda g, x: s.within[g, x] | (hosts(g) & under(x)))
        s.below.each(lambda x, y: s.below[x, y] | (((x == n) | s.below[x, n]) & under(y)))

    def closes_no_circle(s, c, waiting, entangled) -> None:
        """The seeds do not look: their manager recurses for ever."""
        itself = exists(s.Node, lambda x: waiting(x) & ((x == c) | s.needs[c, x]))
        s.require("nothing waits for itself", ~itself)
        s.require("nothing is before a fork and within it", ~exists(s.Node, entangled))

    def stands(s) -> Term:
        return exists(s.Node, lambda r: s.root[r])

    def may_be_finalised(s, n) -> Term:
        return s.made[n] & ~s.has_parent(n)

    def was_finalised(s, n) -> None:
        s.root[n] = True


def graph(
    nodes: Collection[Any],
    single: Iterable[tuple[Any, Any]] = (),
    prong: Iterable[tuple[Any, Any]] = (),
    root: Iterable[Any] = (),
    ending: str = "delete",
    patience: Mapping[Any, int] | None = None,
) -> dict[str, Any]:
    """The given values of one graph: (n, c) for n after c, (f, p) for a prong p of f; forks are those with prongs."""
    prongs = set(prong)
    return {
        "fork": {f for f, _ in prongs},
        "single": set(single),
        "prong": prongs,
        "root": set(root),
        "ending": dict.fromkeys(nodes, ending),
        "patience": dict.fromkeys(nodes, 0) | dict(patience or {}),
    }


def chain(length: int = 3, **choices: Any) -> dict[str, Any]:
    """seq(t0, t1, …)."""
    nodes = [f"t{number}" for number in range(length)]
    return graph(nodes, zip(nodes[1:], nodes, strict=False), root=nodes[-1:], **choices)


def fork_join(**choices: Any) -> dict[str, Any]:
    """seq(1, fork(2, 3), 4)."""
    return graph("1F234", [("F", "1"), ("4", "F")], [("F", "2"), ("F", "3")], root="4", **choices)


def nested_forks(**choices: Any) -> dict[str, Any]:
    """seq(t0, fork(tx, seq(t1, fork(ty, tz))), t2)."""
    return graph(
        ["t0", "FA", "tx", "t1", "FB", "ty", "tz", "t2"],
        [("FA", "t0"), ("FB", "t1"), ("t2", "FA")],
        [("FA", "tx"), ("FA", "FB"), ("FB", "ty"), ("FB", "tz")],
        root=["t2"],
        **choices,
    )


def two_roots(**choices: Any) -> dict[str, Any]:
    """Two tasks that know nothing of each other, finalised whenever somebody likes."""
    return graph("ab", root="ab", **choices)


def hollow_fork(**choices: Any) -> dict[str, Any]:
    """t0, then F with the prong H, a fork without prongs; t3 after H. H is empty, and closes only within F."""
    given = graph(["t0", "F", "H", "t3"], [("F", "t0"), ("t3", "H")], [("F", "H")], root=["F", "t3"], **choices)
    return {**given, "fork": {"F", "H"}}


GRAPHS = {
    "chain": chain,
    "fork_join": fork_join,
    "nested_forks": nested_forks,
    "two_roots": two_roots,
    "hollow_fork": hollow_fork,
}
