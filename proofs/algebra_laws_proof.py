"""The algebra of graphs: `seq` is associative, `fork` associative and commutative, `empty` the unit of both.

A graph means a set of tasks and an order between them: that is what is compared (`tree_order_proof` shows that this is
what the entities enforce). The laws hold for any graphs, hence anywhere inside an expression; `nest` is how
`hocket.graph.algebra._nest` folds its parts, leaving the empty ones out, and each of its steps means `seq` (or `fork`),
so that `seq(a, b, c)`, `seq(seq(a, b), c)` and either with empty parts anywhere mean the same. What is no law is
refuted: `seq` does not commute, and neither operation distributes over the other.
"""

from __future__ import annotations

from itertools import product

from hocket.graph.algebra import fork, seq, task
from hocket.spec import Function, Relation, Sort, Spec, axiom, forall, initial, ite, theorem
from proofs.judge import proved
from proofs.meaning import meaning


class Algebra(Spec):
    """Graphs by what they mean."""

    Graph = Sort()
    Task = Sort()
    has = Relation(Graph, Task, rigid=True)
    less = Relation(Graph, Task, Task, rigid=True)  # closes before the other opens
    seq = Function(Graph, Graph, to=Graph, rigid=True)
    fork = Function(Graph, Graph, to=Graph, rigid=True)
    empty = Function(to=Graph, rigid=True)

    @axiom
    def a_sequence_has_the_tasks_of_both_and_puts_all_of_one_before_all_of_the_other(s):
        has = lambda g, h, t: s.has[s.seq[g, h], t] == (s.has[g, t] | s.has[h, t])  # noqa: E731
        less = lambda g, h, t, u: s.less[s.seq[g, h], t, u] == (  # noqa: E731
            s.less[g, t, u] | s.less[h, t, u] | (s.has[g, t] & s.has[h, u])
        )
        return forall(s.Graph, s.Graph, s.Task, has) & forall(s.Graph, s.Graph, s.Task, s.Task, less)

    @axiom
    def a_fork_has_the_tasks_of_both_and_puts_none_before_another(s):
        has = lambda g, h, t: s.has[s.fork[g, h], t] == (s.has[g, t] | s.has[h, t])  # noqa: E731
        less = lambda g, h, t, u: s.less[s.fork[g, h], t, u] == (s.less[g, t, u] | s.less[h, t, u])  # noqa: E731
        return forall(s.Graph, s.Graph, s.Task, has) & forall(s.Graph, s.Graph, s.Task, s.Task, less)

    @axiom
    def the_empty_graph_has_nothing(s):
        return forall(s.Task, lambda t: ~s.has[s.empty, t]) & forall(
            s.Task, s.Task, lambda t, u: ~s.less[s.empty, t, u]
        )

    @initial
    def nothing_changes(s):
        s.require("there are graphs", forall(s.Task, lambda t: ~s.has[s.empty, t]))

    def alike(s, g, h):
        """They mean the same."""
        tasks = forall(s.Task, lambda t: s.has[g, t] == s.has[h, t])
        return tasks & forall(s.Task, s.Task, lambda t, u: s.less[g, t, u] == s.less[h, t, u])

    def nest(s, pair, part, result):
        """One step of `_nest`, from the last part to the first."""
        return ite(part == s.empty, result, ite(result == s.empty, part, pair[part, result]))


class Laws(Algebra):
    """What may be rewritten."""

    Graph = Algebra.Graph

    @theorem(Graph, Graph, Graph)
    def a_sequence_is_associative(s, a, b, c):
        return s.alike(s.seq[s.seq[a, b], c], s.seq[a, s.seq[b, c]])

    @theorem(Graph, Graph, Graph)
    def a_fork_is_associative(s, a, b, c):
        return s.alike(s.fork[s.fork[a, b], c], s.fork[a, s.fork[b, c]])

    @theorem(Graph, Graph)
    def a_fork_is_commutative(s, a, b):
        return s.alike(s.fork[a, b], s.fork[b, a])

    @theorem(Graph)
    def empty_is_the_unit_of_seq(s, a):
        return s.alike(s.seq[a, s.empty], a) & s.alike(s.seq[s.empty, a], a)

    @theorem(Graph)
    def empty_is_the_unit_of_fork(s, a):
        return s.alike(s.fork[a, s.empty], a) & s.alike(s.fork[s.empty, a], a)

    @theorem()
    def empties_in_empties_are_empty(s):
        pair = s.fork[s.seq[s.empty, s.empty], s.empty]
        return s.alike(pair, s.empty) & s.alike(s.seq[pair, pair], s.empty)

    @theorem(Graph, Graph, Graph)
    def what_means_the_same_may_take_the_others_place(s, a, b, c):
        s.require("they mean the same", s.alike(a, b))
        left = s.alike(s.seq[a, c], s.seq[b, c]) & s.alike(s.seq[c, a], s.seq[c, b])
        return left & s.alike(s.fork[a, c], s.fork[b, c]) & s.alike(s.fork[c, a], s.fork[c, b])

    @theorem(Graph, Graph)
    def nesting_with_empties_left_out_means_seq(s, part, result):
        return s.alike(s.nest(s.seq, part, result), s.seq[part, result])

    @theorem(Graph, Graph)
    def nesting_with_empties_left_out_means_fork(s, part, result):
        return s.alike(s.nest(s.fork, part, result), s.fork[part, result])

    @theorem(Graph, Graph)
    def a_fork_asks_for_no_more_than_a_sequence(s, a, b):
        return forall(s.Task, s.Task, lambda t, u: s.less[s.fork[a, b], t, u] >> s.less[s.seq[a, b], t, u])


SPECS = (Laws,)


def test_the_laws_hold_for_all_graphs():
    proved(Laws)


A, B, C = (task(None, name) for name in "abc")


def test_a_sequence_does_not_commute():
    assert meaning(seq(A, B)) == ({"a", "b"}, {("a", "b")})
    assert meaning(seq(A, B)) != meaning(seq(B, A))


def test_neither_distributes_over_the_other():
    """Already because each task would be there twice; and with a stand-in for the second, orders are left out."""
    second = task(None, "a2")
    assert meaning(seq(A, fork(B, C))) == ({"a", "b", "c"}, {("a", "b"), ("a", "c")})
    assert meaning(fork(seq(A, B), seq(second, C)))[1] == {("a", "b"), ("a2", "c")}
    assert meaning(fork(A, seq(B, C)))[1] == {("b", "c")}
    assert len(meaning(seq(fork(A, B), fork(second, C)))[1]) == 4


def test_what_the_axioms_say_of_seq_and_fork_is_so_of_the_code():
    """For all pairs of 11 small graphs over different tasks."""
    ours, theirs = small("a", "b", "c"), small("d", "e", "f")
    assert len(ours) == 11
    for one, other in product(ours, theirs):
        (tasks, order), (others, orders) = meaning(one), meaning(other)
        across = {(first, second) for first in tasks for second in others}
        assert meaning(seq(one, other)) == (tasks | others, order | orders | across)
        assert meaning(fork(one, other)) == (tasks | others, order | orders)


def small(a, b, c):
    """The graphs of up to three tasks, in this order."""
    one, two, three = (task(None, name) for name in (a, b, c))
    deeds = (seq, fork)
    pairs = [deed(one, two) for deed in deeds]
    left = [outer(inner(one, two), three) for outer in deeds for inner in deeds]
    right = [outer(one, inner(two, three)) for outer in deeds for inner in deeds]
    return [one, *pairs, *left, *right]
