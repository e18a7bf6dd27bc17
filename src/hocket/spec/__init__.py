"""The language of models: write what a system does once, read it five ways.

    class Door(hocket.Spec):
        Person = Sort()
        inside = Relation(Person)

        @initial
        def empty(s): s.inside.each(lambda p: False)

        @action(Person)
        def enter(s, p):
            s.require("the room is empty", forall(s.Person, lambda q: ~s.inside[q]))
            s.inside[p] = True

        @invariant
        def never_two(s): return forall(s.Person, s.Person, lambda p, q: (s.inside[p] & s.inside[q]) >> (p == q))

`Door.search(Person=3)` looks at every state of three persons, `Door.prove()` shows the
invariant for any number, `Door.accepts(trace, Person=3)` holds a recorded run against
it, and `Door.mutants()` checks that no line of it could be left out unnoticed.
"""

from __future__ import annotations

from hocket.spec.front import Spec
from hocket.spec.language import (
    Function,
    Relation,
    action,
    always,
    axiom,
    consequence,
    environment,
    eventually,
    initial,
    invariant,
    leads_to,
    mistaken,
    sometimes,
    theorem,
    two_state,
    variant,
)
from hocket.spec.live import Lasso
from hocket.spec.monitor import Illegal, Monitor
from hocket.spec.refine import Accepted, RefusedTrace, Run
from hocket.spec.search import Found
from hocket.spec.terms import BOOL, FALSE, INT, TRUE, Sort, Term, conj, disj, exists, forall, ite, rank

__all__ = [
    "BOOL",
    "FALSE",
    "INT",
    "TRUE",
    "Accepted",
    "Found",
    "Function",
    "Illegal",
    "Lasso",
    "Monitor",
    "RefusedTrace",
    "Relation",
    "Run",
    "Sort",
    "Spec",
    "Term",
    "action",
    "always",
    "axiom",
    "conj",
    "consequence",
    "disj",
    "environment",
    "eventually",
    "exists",
    "forall",
    "initial",
    "invariant",
    "ite",
    "leads_to",
    "mistaken",
    "rank",
    "sometimes",
    "theorem",
    "two_state",
    "variant",
]
