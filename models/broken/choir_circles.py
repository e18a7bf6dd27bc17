"""C-B11, deadlocks by construction: edges are accepted that close a circle.

Two idle tasks that depend on each other, a fork that depends on its parent, a task
added as its own fork, two tasks added as forks of each other: each is accepted, and
whoever joins one of them waits for ever. Repaired: an edge is refused when it would
make an event wait for itself.

What an edge says is an order of events: after(b, a): a closes before b opens;
hold(p, c): c closes before p closes; inside(c, p): p opens before c opens.
"""

from __future__ import annotations

from hocket.spec import Relation, Sort, Spec, always, environment, forall, initial, sometimes
from models.showcase import Showcase


class Edges(Spec):
    """Two tasks, and a user who adds edges."""

    Task = Sort()
    Moment = Sort("Moment", ("opening", "close"))
    before = Relation(Task, Moment, Task, Moment)  # closed under "and therefore"

    @initial
    def every_task_opens_before_it_closes(s):
        s.before.each(lambda t, m, u, n: (t == u) & (m == "opening") & (n == "close"))

    @environment(Task, Task)
    def depend_on(s, b, a):
        s.require("it is another task", ~(a == b))
        s.add(a, "close", b, "opening")

    @environment(Task, Task)
    def add_fork(s, p, c):
        s.add(c, "close", p, "close")

    @environment(Task, Task)
    def fork(s, p, c):
        s.require("it is a new task", ~(p == c))
        s.add(p, "opening", c, "opening")
        s.add(c, "close", p, "close")

    def add(s, t, m, u, n):
        """One event before another, and all that follows from it."""
        m, n = s.Moment[m], s.Moment[n]
        s.may_add(t, m, u, n)
        upto = lambda x, i: s.before[x, i, t, m] | ((x == t) & (i == m))  # noqa: E731  # two words of one line
        since = lambda y, j: s.before[u, n, y, j] | ((y == u) & (j == n))  # noqa: E731
        s.before.each(lambda x, i, y, j: s.before[x, i, y, j] | (upto(x, i) & since(y, j)))

    def may_add(s, t, m, u, n):
        s.require("no event would wait for itself", ~s.before[u, n, t, m])
        s.require("it is not the same event", ~((t == u) & (m == n)))

    @always
    def no_event_waits_for_itself(s):
        return forall(s.Task, s.Moment, lambda t, m: ~s.before[t, m, t, m])

    @sometimes
    def one_task_is_within_another(s):
        return forall(
            s.Task,
            s.Task,
            lambda t, u: (
                (t == u)
                | (s.before[t, "opening", u, "opening"] & s.before[u, "close", t, "close"])
                | (s.before[u, "opening", t, "opening"] & s.before[t, "close", u, "close"])
            ),
        )


class AnyEdges(Edges):
    """The same, but every edge is accepted."""

    def may_add(s, t, m, u, n):
        pass


SHOWCASE = Showcase(
    rank=20,
    seed="C-B11 p14 p15 p16 p20",
    kind="assertion",
    claim="no_event_waits_for_itself",
    broken=AnyEdges,
    repaired=Edges,
    scope={"Task": ["a", "b"]},
)
