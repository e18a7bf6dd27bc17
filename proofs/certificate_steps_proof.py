"""If a certificate is closed under the reversal of races, no class is missing: the steps of the argument.

The argument (docs/explanation/certificate.md has it whole): let S be what `hocket audit` accepts, and F a class that is
not in S. Take E in S such that E and F have as much in common as possible, call that C, and let e be an
event of F outside C that comes first. E's actor of e stands before the same operation, and meets something outside C in
its way. The race with it is reversed in some T of S, which has all of C, and where less is in the way. After finitely
many such steps it is e itself that T has: T and F have more in common than C, and that cannot be.

An event is its identity: who, as its how-many-th, did what, after which others. So `before` is one relation for all
executions, and what two executions have in common is a set of events. What solvers cannot say is small: a path that
gets shorter ends, the larger of two finite sets has more elements (cvc5 proves the latter, `TEXTS`), and induction
along a sequence, of which the step is a lemma.
"""

from __future__ import annotations

import pytest

from proofs.judge import proved
from proofs.lemmas import Chain, Lemma

VOCABULARY = """
(declare-fun before (Event Event) Bool)          ; happens before, in every execution that has the second
(declare-fun E (Event) Bool)                     ; an execution of S
(declare-fun F (Event) Bool)                     ; the class that is missing
(declare-fun at (Event) Int)                     ; where in E
(declare-fun atF (Event) Int)                    ; where in an interleaving of F
(declare-const e Event)                          ; the first event of F that is not in common
(declare-const p Event)                          ; what E has in its place: the same operation of the same actor
(declare-const i Event)                          ; an event of E with which the operation races
(declare-fun looks (Event) Bool)                 ; touches what the operation's being possible depends on
(declare-fun writes (Event) Bool)                ; changes that
(declare-fun clashes (Event) Bool)               ; conflicts with the operation
(declare-fun clashesThere (Event) Bool)          ; conflicts with it where it is moved to
(declare-fun forced (Event) Bool)                ; its actor's last event, who woke it, whom it joins
(declare-fun found (Event) Bool)                 ; the operation was possible there: a race, which the auditor demands
(declare-fun T (Event) Bool)                     ; an execution of S that answers the demand
(define-fun C ((x Event)) Bool (and (E x) (F x)))
(define-fun covered ((x Event)) Bool (or (exists ((y Event)) (and (forced y) (or (= x y) (before x y))))
  (exists ((y Event)) (and (found y) (or (= x y) (before x y))))))
(define-fun kept ((x Event)) Bool (and (E x) (< (at i) (at x)) (not (before i x)) (not (= x p)) (not (before p x))))
(define-fun sequence ((x Event)) Bool (or (and (E x) (< (at x) (at i))) (kept x)))
(define-fun direct ((x Event)) Bool (or (forced x) (and (sequence x) (clashesThere x))))
(declare-fun possible (Int) Bool)                ; the operation, after C and so many of the sequence's other events
(declare-fun other (Int) Event)                  ; which these are
(declare-const n Int)
"""

PLACES = "E is in order", "E has one event at a place"
HYPOTHESES = {
    # how identities are made: an event's identity holds those of all that comes before it
    "an order": "(forall ((x Event) (y Event)) (and (not (before x x)) (forall ((z Event)) "
                "(=> (and (before x y) (before y z)) (before x z)))))",
    "E has the past of its events": "(forall ((x Event) (y Event)) (=> (and (E y) (before x y)) (E x)))",
    "F has the past of its events": "(forall ((x Event) (y Event)) (=> (and (F y) (before x y)) (F x)))",
    "E is in order": "(forall ((x Event) (y Event)) (=> (and (E x) (E y) (before x y)) (< (at x) (at y))))",
    "E has one event at a place": "(forall ((x Event) (y Event)) (=> (and (E x) (E y) (= (at x) (at y))) (= x y)))",
    "F is in order": "(forall ((x Event) (y Event)) (=> (and (F x) (F y) (before x y)) (< (atF x) (atF y))))",
    # how e was chosen
    "e is the first of F outside C": "(and (F e) (not (E e)) (forall ((x Event)) "
                                     "(=> (and (F x) (< (atF x) (atF e))) (E x))))",
    "what is before e is in C": "(forall ((x Event)) (=> (before x e) (C x)))",
    "C is a beginning of E": "(forall ((x Event) (y Event)) (=> (and (C y) (before x y)) (C x)))",
    # what is meant by i and p
    "i is in E, outside C": "(and (E i) (not (F i)))",
    "p is in E, outside C": "(and (E p) (not (F p)))",
    "p is not in C": "(not (C p))",  # if the operation is blocked in E, p stands for no event at all
    "i conflicts with p": "(and (clashes i) (clashesThere i))",
    # conflicting events are ordered as they come: how `before` is computed; for writers and who looks a special case
    "E orders what conflicts with p": "(forall ((x Event)) (=> (and (E x) (clashes x)) "
                                      "(ite (< (at x) (at p)) (before x p) (=> (not (= x p)) (before p x)))))",
    "F orders what conflicts with e": "(forall ((x Event)) (=> (and (F x) (clashes x) (not (= x e))) "
                                      "(or (before x e) (before e x))))",
    "who looks is ordered after a writer": "(forall ((x Event)) (=> (and (E x) (looks x) (writes i) (< (at i) (at x))) "
                                           "(before i x)))",
    "a writer looks": "(forall ((x Event)) (=> (writes x) (looks x)))",
    # the scan, from right to left
    "what is forced is in C": "(forall ((x Event)) (=> (forced x) (C x)))",
    "what is found is in E": "(forall ((x Event)) (=> (found x) (E x)))",
    "i is the first writer outside C": "(and (writes i) (forall ((x Event)) "
                                       "(=> (and (E x) (not (F x)) (writes x)) (<= (at i) (at x)))))",
    "no writer outside C is in front of p": "(forall ((x Event)) "
                                            "(=> (and (E x) (not (F x)) (writes x)) (not (< (at x) (at p)))))",
    "p is ordered before later writers": "(forall ((x Event)) "
                                         "(=> (and (E x) (writes x) (< (at p) (at x))) (before p x)))",
    # certificate_rows_proof.py: what does not write what an operation looks at does not make it impossible
    "only a writer makes it impossible": "(forall ((k Int)) (=> (and (<= 0 k) (< k n) (possible k) "
                                         "(not (writes (other k)))) (possible (+ k 1))))",
    "the others write nothing": "(forall ((k Int)) (=> (and (<= 0 k) (< k n)) (not (writes (other k)))))",
    # the footprint of the operation where it is moved to
    "it conflicts there with the same": "(forall ((x Event)) (= (clashes x) (clashesThere x)))",
    "it only reads here, one object": "(and (forall ((x Event)) (= (clashes x) (writes x))) "
                                      "(forall ((x Event)) (=> (clashesThere x) (looks x))))",
    "a writer is ordered after who looked": "(forall ((x Event)) (=> (and (E x) (looks x) (writes i) "
                                            "(< (at x) (at i))) (before x i)))",
    "forced events are before p": "(forall ((x Event)) (=> (forced x) (before x p)))",
    # how identities are made: p is e if the same is directly before them
    "p is e if the same is before both": "(=> (forall ((x Event)) (= (or (forced x) (and (E x) (clashes x) "
        "(< (at x) (at p)))) (or (forced x) (and (F x) (clashes x) (before x e))))) (= p e))",
    # what the auditor demands, and how E was chosen
    "T answers": "(forall ((x Event)) (=> (sequence x) (T x)))",
    "nobody has more in common with F than E": "(=> (forall ((x Event)) (=> (C x) (T x))) "
                                               "(forall ((x Event)) (=> (and (T x) (F x)) (C x))))",
}

LEMMAS = (
    Lemma("what E and F have in common is a beginning of E",
          ("E has the past of its events", "F has the past of its events"),
          "(forall ((x Event) (y Event)) (=> (and (C y) (before x y)) (C x)))"),
    Lemma("all that happens before e is in common",
          ("F has the past of its events", "F is in order", "e is the first of F outside C"),
          "(forall ((x Event)) (=> (before x e) (C x)))"),
    Lemma("so C with e is a beginning of F: e is possible after C",
          ("C is a beginning of E", "what is before e is in C"),
          "(forall ((x Event) (y Event)) (=> (and (or (C y) (= y e)) (before x y)) (C x)))", "(F e)"),
    Lemma("nothing of C comes after what is outside", ("C is a beginning of E", "i is in E, outside C"),
          "(forall ((x Event)) (=> (before i x) (not (C x))))"),
    Lemma("where all that clashes is in common, E has e",
          ("C is a beginning of E", "what is before e is in C", "p is in E, outside C",
           "E orders what conflicts with p", "F orders what conflicts with e", "e is the first of F outside C",
           "p is e if the same is before both"),
          "(exists ((x Event)) (and (E x) (not (C x)) (clashes x) (< (at x) (at p))))"),
    Lemma("the reversal of a race with an event outside C has all of C",
          ("E has one event at a place", "C is a beginning of E", "i is in E, outside C", "p is not in C"),
          "(forall ((x Event)) (=> (C x) (sequence x)))"),
    Lemma("the reversal is a beginning of E, and so an execution",
          ("an order", "E has the past of its events", *PLACES),
          "(forall ((x Event) (y Event)) (=> (and (sequence y) (before x y)) (sequence x)))", "(E i)"),
    Lemma("an event outside C is covered only by a race outside C",
          ("C is a beginning of E", "what is forced is in C", "what is found is in E"),
          "(=> (covered i) (exists ((x Event)) (and (found x) (E x) (not (C x)))))", "(and (E i) (not (F i)))"),
    Lemma("before the first writer outside C, the others of the reversal write nothing that is looked at",
          ("who looks is ordered after a writer", "a writer looks", "i is the first writer outside C"),
          "(forall ((x Event)) (=> (and (sequence x) (not (C x))) (not (writes x))))", "(and (E i) (not (F i)))"),
    Lemma("in place of p, or anywhere before it, likewise if no writer outside C is in front of it",
          ("E has one event at a place", "no writer outside C is in front of p", "p is ordered before later writers"),
          "(forall ((x Event)) (=> (and (sequence x) (not (C x))) (not (writes x))))",
          "(and (E p) (not (F p)) (<= (at i) (at p)))"),
    Lemma("so the operation is possible in the reversal: one step of the induction",
          ("only a writer makes it impossible", "the others write nothing"),
          "(forall ((k Int)) (=> (and (<= 0 k) (< k n) (possible k)) (possible (+ k 1))))", "(possible 0)"),
    Lemma("moved there, less is before it: the footprint is the same",
          ("an order", "E is in order", "E orders what conflicts with p", "i conflicts with p",
           "it conflicts there with the same", "forced events are before p", "what is forced is in C",
           "C is a beginning of E", "i is in E, outside C"),
          "(and (before i p) (forall ((x Event) (y Event)) (=> (and (direct y) (or (= x y) (before x y))) "
          "(and (before x p) (not (= x i))))))", "(and (E p) (< (at i) (at p)))"),
    Lemma("moved there, less is before it: it only read, and writes there (a compare-exchange)",
          ("an order", "E orders what conflicts with p", "i conflicts with p",
           "it only reads here, one object", "forced events are before p", "what is forced is in C",
           "who looks is ordered after a writer", "a writer is ordered after who looked",
           "C is a beginning of E", "i is in E, outside C"),
          "(and (before i p) (forall ((x Event) (y Event)) (=> (and (direct y) (or (= x y) (before x y))) "
          "(and (before x p) (not (= x i))))))", "(and (E p) (< (at i) (at p)))"),
    Lemma("whoever answers does not have e, or more would be in common",
          ("E has one event at a place", "C is a beginning of E", "i is in E, outside C", "p is not in C",
           "T answers", "nobody has more in common with F than E"),
          "(not (T e))", "(and (F e) (not (E e)))"),
)
Steps = Chain("Steps", VOCABULARY, HYPOTHESES, LEMMAS, {"Event": 4})
SPECS = (Steps,)

SETS = "(set-logic ALL)\n(declare-sort Event 0)\n(declare-const a (Set Event))\n(declare-const b (Set Event))\n"
TEXTS = {
    "of two finite sets, one within the other and not the same, the larger has more elements":
        SETS + "(assert (set.subset a b))\n(assert (not (= a b)))\n"
               "(assert (>= (set.card a) (set.card b)))\n(check-sat)\n",
}


def test_every_step_is_proved_and_has_something_to_say():
    proved(Steps)  # type: ignore[arg-type]  # it is proved as one


@pytest.mark.parametrize("lemma", LEMMAS, ids=lambda lemma: lemma.name)
def test_no_hypothesis_of_a_step_is_there_for_show(lemma: Lemma):
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    assert Steps.needless(lemma) == []
