"""The kernel counts, the protocol quantifies: a gate is open exactly if everything that it waits for has happened.

Each edge and each handle is a token. The kernel keeps only the number of a target's tokens that are still held; here
the set of them is kept beside it, as a ghost, and the number is shown to be its size, whatever tokens are added and
released in whatever order. So "the counter is zero" and "nothing is waited for any more" are one thing, for any number
of edges, also several between the same two tasks.

First-order logic does not know sizes. Three facts about sizes of finite sets are listed as axioms, and each is proved
by cvc5, in whose theory of sets sizes are native (`FACTS`).
"""

from __future__ import annotations

from typing import ClassVar

from hocket.spec import INT, Function, Relation, Sort, Spec, action, axiom, exists, forall, initial, invariant, theorem
from proofs.judge import proved


class Gates(Spec):
    """The counters of all targets at once: `start`, or `children`, they are alike."""

    Task = Sort()
    Token = Sort()  # a handle, or an edge
    Bag = Sort()  # a finite set of tokens
    scales: ClassVar = {"Bag": 2}  # without and with a token

    target = Function(Token, to=Task, rigid=True)
    has = Relation(Bag, Token, rigid=True)
    size = Function(Bag, to=INT, rigid=True)
    put = Function(Bag, Token, to=Bag, rigid=True)
    take = Function(Bag, Token, to=Bag, rigid=True)
    none = Function(to=Bag, rigid=True)

    count = Function(Task, to=INT)  # what the kernel has
    loss = Relation(Task)  # what the kernel has: `hurt`, `bereft`
    added = Relation(Token)
    released = Relation(Token)
    harmed = Relation(Token)  # released by a source that was lost
    held = Function(Task, to=Bag, ghost=True)

    # -- sets, and the three facts about their sizes

    @axiom
    def put_adds_one_token(s):
        return forall(
            s.Bag, s.Token, s.Token, lambda b, e, x: s.has[s.put[b, e], x] == ((x == e) | s.has[b, x])
        )

    @axiom
    def take_removes_one_token(s):
        return forall(
            s.Bag, s.Token, s.Token, lambda b, e, x: s.has[s.take[b, e], x] == ((x != e) & s.has[b, x])
        )

    @axiom
    def nothing_has_no_tokens(s):
        return forall(s.Token, lambda x: ~s.has[s.none, x])

    @axiom
    def a_new_token_makes_one_more(s):
        return forall(s.Bag, s.Token, lambda b, e: ~s.has[b, e] >> (s.size[s.put[b, e]] == s.size[b] + 1))

    @axiom
    def a_token_less_makes_one_less(s):
        return forall(s.Bag, s.Token, lambda b, e: s.has[b, e] >> (s.size[s.take[b, e]] == s.size[b] - 1))

    @axiom
    def only_nothing_has_size_zero(s):
        empty = lambda b: ~exists(s.Token, lambda x: s.has[b, x])  # noqa: E731
        return forall(s.Bag, lambda b: (s.size[b] >= 0) & ((s.size[b] == 0) == empty(b)))

    # -- what the kernel does

    @initial
    def no_edges(s):
        s.count.each(lambda t: 0)
        s.held.each(lambda t: s.none)
        s.loss.each(lambda t: False)
        for relation in (s.added, s.released, s.harmed):
            relation.each(lambda e: False)

    @action(Token)
    def add(s, e):
        s.require("it is a new token", ~s.added[e])
        t = s.target[e]
        s.added[e] = True
        s.count[t] = s.count[t] + 1
        s.held[t] = s.put[s.held[t], e]

    @action(Token)
    def release(s, e):
        s.held_one(e)

    @action(Token)
    def release_as_lost(s, e):
        s.held_one(e)
        s.harmed[e] = True
        s.loss[s.target[e]] = True

    def held_one(s, e):
        s.require("it was added", s.added[e])
        s.require("it is still held", ~s.released[e])
        t = s.target[e]
        s.released[e] = True
        s.count[t] = s.count[t] - 1
        s.held[t] = s.take[s.held[t], e]

    # -- what holds

    @invariant
    def what_is_released_was_added(s):
        return forall(s.Token, lambda e: s.released[e] >> s.added[e])

    @invariant
    def the_ghost_has_what_is_still_held(s):
        waits = lambda t, e: (s.target[e] == t) & s.added[e] & ~s.released[e]  # noqa: E731
        return forall(s.Task, s.Token, lambda t, e: s.has[s.held[t], e] == waits(t, e))

    @invariant
    def the_counter_is_the_size(s):
        return forall(s.Task, lambda t: s.count[t] == s.size[s.held[t]])

    @invariant
    def no_counter_is_below_zero(s):
        return forall(s.Task, lambda t: s.count[t] >= 0)

    @theorem(Task)
    def the_gate_is_open_exactly_if_nothing_is_held(s, t):
        waits = exists(s.Token, lambda e: (s.target[e] == t) & s.added[e] & ~s.released[e])
        return (s.count[t] == 0) == ~waits

    @invariant(needs=())
    def who_remembers_a_loss_has_one(s):
        lost = lambda t: exists(s.Token, lambda e: (s.target[e] == t) & s.harmed[e])  # noqa: E731
        return forall(s.Task, lambda t: s.loss[t] == lost(t))


_SETS = "(set-logic ALL)\n(declare-sort Token 0)\n(declare-const b (Set Token))\n(declare-const e Token)\n"
FACTS = {
    "a new token makes one more": "(assert (not (set.member e b)))\n"
    "(assert (not (= (set.card (set.union b (set.singleton e))) (+ (set.card b) 1))))\n",
    "a token less makes one less": "(assert (set.member e b))\n"
    "(assert (not (= (set.card (set.minus b (set.singleton e))) (- (set.card b) 1))))\n",
    "only nothing has size zero": "(assert (not (and (>= (set.card b) 0)\n"
    "  (= (= (set.card b) 0) (= b (as set.empty (Set Token)))))))\n",
}
TEXTS = {name: f"; {name}\n{_SETS}{text}(check-sat)\n" for name, text in FACTS.items()}
SPECS = (Gates,)


def test_a_counter_is_zero_exactly_if_nothing_is_held():
    proved(Gates)


def test_the_three_facts_about_sizes_hold_in_cvc5s_theory_of_finite_sets():
    import pytest

    pytest.importorskip("cvc5")
    from hocket.spec.solve import ask_cvc5

    assert {name: ask_cvc5(text, 10).result for name, text in TEXTS.items()} == dict.fromkeys(FACTS, "unsat")
