"""Proofs for any number of elements: what holds, what does not, what is empty, and what a solver may not decide."""

from __future__ import annotations

import pytest

from hocket.errors import MissingExtra, SpecError
from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    axiom,
    environment,
    exists,
    forall,
    initial,
    invariant,
    rank,
    theorem,
    two_state,
    variant,
)
from hocket.spec.prove import check, obligations, written
from hocket.spec.shrink import refutable
from hocket.spec.smt import Obligation
from hocket.spec.solve import ask_cvc5, ask_z3, has_cvc5
from hocket.spec.terms import forall as every
from hocket.verdict import Holds, Unknown, Violated

pytest.importorskip("z3", reason="the extra `verify` is not installed")


class Lock(Spec):
    """A lock with a queue of one place per person."""

    Person = Sort()
    Place = Sort("Place", ("away", "waiting", "inside", "gone"))
    at = Function(Person, to=Place)
    held = Relation()

    @initial
    def away(s):
        s.at.each(lambda p: "away")
        s.held = False

    @environment(Person)
    def come(s, p):
        s.require("they are away", s.at[p] == "away")
        s.at[p] = "waiting"

    @action(Person)
    def enter(s, p):
        s.require("they wait", s.at[p] == "waiting")
        s.require("the lock is free", ~s.held)
        s.at[p] = "inside"
        s.held = True
        s.ensure("they hold it", s.held & (s.at[p] == "inside"))

    @action(Person)
    def leave(s, p):
        s.require("they are inside", s.at[p] == "inside")
        s.at[p] = "gone"
        s.held = False

    @invariant
    def one_at_a_time(s):
        inside = lambda p: s.at[p] == "inside"  # noqa: E731
        return forall(s.Person, s.Person, lambda p, q: (inside(p) & inside(q)) >> (p == q))

    @invariant
    def who_is_inside_holds_the_lock(s):
        return forall(s.Person, lambda p: (s.at[p] == "inside") >> s.held)

    @invariant(needs=("one_at_a_time",))
    def the_lock_is_held_by_somebody(s):
        return s.held >> exists(s.Person, lambda p: s.at[p] == "inside")

    @two_state
    def nobody_goes_back(s, later):
        return forall(s.Person, lambda p: rank(s.at[p]) <= rank(later.at[p]))

    @variant
    def the_way_out(s):
        return [(s.Person, lambda p: 3 - rank(s.at[p]))]

    @theorem(Person)
    def the_first_can_enter_or_somebody_leave(s, p):
        s.require("they wait", s.at[p] == "waiting")
        return s.enabled("enter", p) | s.enabled("leave")


def test_a_protocol_is_proved_for_any_number():
    proof = Lock.prove()
    assert isinstance(proof.verdict, Holds)
    assert {line.judgement for line in proof.lines} == {"proved"}
    # no invariant is left to show initially: they fold to true. `come` touches `at`, the others both symbols, so 3
    # invariants for 3 deeds; one ensured; 3 times nobody_goes_back; enter and leave lower the variant, which is not
    # negative; one theorem
    assert len(proof.lines) == 9 + 1 + 3 + 2 + 1 + 1
    assert proof.untouched == 0
    assert [bool(witness.example) for witness in proof.witnesses] == [True] * 4  # three deeds, one theorem


def test_each_line_carries_both_solvers_times():
    if not has_cvc5():
        pytest.skip("cvc5 is not installed")
    for line in Lock.prove().lines:
        assert line.z3 > 0
        assert line.cvc5 is not None
        assert "cvc5" in str(line)


def test_a_deed_that_touches_no_symbol_of_an_invariant_needs_no_obligation():
    class Two(Spec):
        a = Relation()
        b = Relation()

        @initial
        def off(s):
            s.a = False
            s.b = False

        @action()
        def press_b(s):
            s.b = True

        @invariant
        def a_is_off(s):
            return ~s.a

    asked = obligations(Two.theory())
    assert (len(asked.needed), asked.untouched) == (0, 1)


class Broken(Lock):
    """The lock forgets to look whether it is free."""

    @action(Lock.Person)
    def enter(s, p):
        s.require("they wait", s.at[p] == "waiting")
        s.at[p] = "inside"
        s.held = True

    @variant
    def the_way_out(s):
        return []


def test_a_forgotten_guard_is_refuted_with_two_people_and_one_step():
    line = next(line for line in Broken.prove().lines if line.obligation.name == "enter · one_at_a_time")
    assert line.judgement == "refuted"
    # one is inside, another waits: nothing else differs from the beginning, and the interpreter has confirmed it
    assert line.example.elements == {"Person": 2}
    assert line.example.params == {"p": "person0"}
    assert line.example.shown == {"at": {"person0": "waiting", "person1": "inside"}, "held": True}
    assert "at: {'person0': 'waiting', 'person1': 'inside'}" in str(line)


def test_a_refuted_obligation_violates_the_specification():
    verdict = Broken.prove().verdict
    assert isinstance(verdict, Violated)
    assert verdict.counterexample.replayed


def test_a_step_that_does_not_lower_the_measure_is_refuted():
    class Idle(Spec):
        Thing = Sort()
        left = Function(Thing, to=INT)

        @initial
        def some(s):
            s.left.each(lambda t: 3)

        @action(Thing)
        def work(s, t):
            s.require("there is some", s.left[t] > 0)
            s.left[t] -= 1

        @action(Thing)
        def rest(s, t):
            s.left[t] = s.left[t]

        @invariant
        def natural(s):
            return forall(s.Thing, lambda t: s.left[t] >= 0)

        @variant
        def all_that_is_left(s):
            return [(s.Thing, lambda t: s.left[t])]

    judged = {line.obligation.name: line.judgement for line in Idle.prove(seconds=2).lines}
    assert judged["work · lowers all_that_is_left"] == "proved"
    assert judged["rest · lowers all_that_is_left"] == "refuted"


def test_a_measure_is_lexicographic():
    class Stairs(Spec):
        big = Function(to=INT)
        small = Function(to=INT)

        @initial
        def top(s):
            s.big = 2
            s.small = 0

        @action()
        def down(s):
            s.require("there is a floor below", s.big > 0)
            s.big -= 1
            s.small = 9

        @action()
        def step(s):
            s.require("there is a stair", s.small > 0)
            s.small -= 1

        @invariant
        def natural(s):
            return (s.big >= 0) & (s.small >= 0)

        @variant
        def way(s):
            return [(None, lambda: s.big), (None, lambda: s.small)]

    assert isinstance(Stairs.prove().verdict, Holds)
    # 3 floors: 1 + 10 + 10 states are met
    assert Stairs.search().states == 1 + 10 + 10


def test_hypotheses_that_cannot_be_met_are_not_success():
    class Nothing(Spec):
        Thing = Sort()
        on = Relation(Thing)

        @initial
        def off(s):
            s.on.each(lambda t: False)

        @action(Thing)
        def press(s, t):
            s.require("it is on", s.on[t])
            s.require("it is off", ~s.on[t])
            s.on[t] = True

        @invariant
        def dark(s):
            return forall(s.Thing, lambda t: ~s.on[t])

    proof = Nothing.prove()
    assert {line.judgement for line in proof.lines} == {"proved"}
    path, line = Nothing.deeds["press"].line
    assert path == __file__
    assert [str(witness) for witness in proof.witnesses] == [f"EMPTY    press can happen  ({path}:{line})"]
    assert f"{path}:{line}" in str(proof.verdict)
    assert isinstance(proof.verdict, Unknown)
    assert Nothing.search(Thing=2).never() == ["press"]


def test_axioms_that_contradict_each_other_are_refused_and_only_those_are_named():
    class Wrong(Lock):
        @axiom
        def somebody_is_there(s):
            return exists(s.Person, s.Person, lambda p, q: p != q)

        @axiom
        def impossible(s):
            return exists(s.Person, lambda p: p != p)

    with pytest.raises(SpecError, match="no structure satisfies the axioms impossible of Wrong") as caught:
        Wrong.prove()
    assert (caught.value.path, caught.value.line) == Wrong.deeds["impossible"].line
    with pytest.raises(SpecError, match="no structure of this size satisfies the axioms"):
        Wrong.search(Person=2)


def test_an_initial_state_that_there_cannot_be_is_refused():
    class Wrong(Lock):
        @initial
        def away(s):
            s.require("the lock is held", s.held)
            s.require("and is not", ~s.held)

    for ask in (Wrong.prove, lambda: Wrong.search(Person=1)):
        with pytest.raises(SpecError, match="Wrong has no initial state: away requires") as caught:
            ask()
        assert (caught.value.path, caught.value.line) == Wrong.deeds["away"].line


class Chatty(Lock):
    """Claims of which two say nothing."""

    late = Relation()

    @invariant
    def who_is_gone_is_not_inside(s):
        return forall(s.Person, lambda p: (s.at[p] == "gone") >> ~(s.at[p] == "inside"))

    @invariant
    def nobody_is_late(s):
        return ~s.late

    @invariant
    def who_is_inside_late_holds_the_lock(s):
        return forall(s.Person, lambda p: (s.late & (s.at[p] == "inside")) >> s.held)

    @initial
    def away(s):
        s.at.each(lambda p: "away")
        s.held = False
        s.late = False

    @action()
    def be_late(s):
        s.require("it is late", s.late)
        s.late = False


def test_an_invariant_that_is_true_of_every_state_is_no_success():
    proof = Chatty.prove()
    assert {line.judgement for line in proof.lines} == {"proved"}
    assert [(one.kind, one.name) for one in proof.remarks] == [
        ("always true", "who_is_gone_is_not_inside"),
        ("speaks of nothing", "who_is_inside_late_holds_the_lock"),
    ]
    assert (proof.remarks[0].path, proof.remarks[0].line) == Chatty.deeds["who_is_gone_is_not_inside"].line
    assert isinstance(proof.verdict, Unknown)
    assert "it is true of every state, whatever the model does" in str(proof)


def test_a_search_remarks_on_claims_that_say_nothing_and_deeds_that_nobody_does():
    found = Chatty.search(Person=2)
    assert isinstance(found.verdict, Holds)
    assert [(one.kind, one.name) for one in found.remarks] == [
        ("always true", "who_is_gone_is_not_inside"),
        ("speaks of nothing", "who_is_inside_late_holds_the_lock"),
        ("unreachable", "be_late"),
    ]
    assert all((one.path, one.line) == Chatty.deeds[one.name].line for one in found.remarks)
    assert "in no state that was reached is there exists(p: (late & (at[p] == inside)))" in str(found)
    # cut short, only what is true of every state is remarked on
    assert [one.kind for one in Chatty.search(Person=2, limit=2).remarks] == ["always true"]


def test_what_no_number_breaks_among_few_elements_may_still_say_something():
    class Count(Spec):
        n = Function(to=INT)

        @initial
        def zero(s):
            s.n = 0

        @action()
        def up(s):
            s.n += 1

        @invariant
        def not_negative(s):
            return s.n >= 0

    assert isinstance(Count.prove().verdict, Holds)


def test_no_two_texts_are_written_to_one_file(tmp_path):
    found = written(tmp_path, {"a · b": "1", "a - b": "2", "A B": "3"})
    assert [path.name for path in found.values()] == ["a-b.smt2", "a-b~1.smt2", "A-B~2.smt2"]
    assert [path.read_text() for path in found.values()] == ["1", "2", "3"]


def test_both_solvers_read_the_same_text():
    for obligation in obligations(Lock.theory()).needed:
        assert ask_z3(obligation.text(), 5).result == "unsat"
        if has_cvc5():
            assert ask_cvc5(obligation.text(), 5).result == "unsat"


def test_what_no_solver_decides_in_time_is_unknown_and_kept_for_the_next_try(tmp_path):
    class Hard(Spec):
        Thing = Sort()
        a = Function(Thing, to=INT)
        b = Function(Thing, Thing, to=Thing)

        @initial
        def start(s): ...

        @theorem()
        def infinite(s):
            """There is no injection that misses an element: false, but only for infinitely many things."""
            one_to_one = every(s.Thing, s.Thing, lambda x, y: (s.b[x, x] == s.b[y, y]) >> (x == y))
            return one_to_one >> every(s.Thing, lambda y: exists(s.Thing, lambda x: s.b[x, x] == y))

    proof = Hard.prove(seconds=0.2)
    assert proof.lines[0].judgement == "unknown"
    assert isinstance(proof.verdict, Unknown)
    (left,) = proof.export(tmp_path / "left", every=False).values()
    assert left.name == "infinite-follows.smt2"
    assert left.read_text() == proof.lines[0].obligation.text()


def test_an_obligation_by_itself():
    person = Lock.Person
    goal = every(person, lambda p: p == p)
    assert check(Obligation("logic", "reflexivity", (), goal), Lock.theory()).judgement == "proved"
    wrong = Obligation("logic", "all are one", (), every(person, person, lambda p, q: p == q))
    assert refutable(wrong, Lock.theory(), 2)
    assert not refutable(wrong, Lock.theory(), 1)  # with one element it holds
    assert check(wrong, Lock.theory()).example.elements == {"Person": 2}


def test_without_z3_a_proof_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "z3", None)
    with pytest.raises(MissingExtra, match=r"hocket\[verify\]"):
        Lock.prove()


def test_every_mutant_of_the_lock_is_killed_by_a_proof_or_known_to_be_harmless():
    found = Lock.mutants()
    # 4 guards, 5 updates
    assert len(found.all) == 9
    assert {(mutant.deed, mutant.line) for mutant in found.survivors} == {
        ("come", "at[p]"),  # the environment need not come
    }


def test_a_search_kills_what_no_proof_looks_at():
    class Bare(Lock):
        @variant
        def the_way_out(s):
            return []

    proofs_only = {(mutant.deed, mutant.line) for mutant in Bare.mutants().survivors}
    searched = {(mutant.deed, mutant.line) for mutant in Bare.mutants(Person=2).survivors}
    assert ("come", "at[p]") in proofs_only
    assert searched == set()
