"""When a task is skipped does not matter, as long as it is before somebody cancels it: for any number of tasks.

The model skips at once what cannot start any more. The kernel's rows may come in any order (`kernel_refines_proof`), so
a row may skip later; and `kernel.py` works off a list. Here the model's own text is run in both orders: where a task is
to be skipped and something else may happen, each may still happen after the other, and both orders come to the same
state. So a late skip can be moved to where it was due, event by event, and a run of the rows is a run of the model. Two
events are no such: to cancel that very task, and a failure that stops its scope. The kernel lets neither come first: it
is told nothing while a row applies, and skips what is lost before it stops (`tests/chain/settlings.py`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from hocket.spec import FALSE, TRUE, Term, conj, forall, invariant, theorem
from hocket.spec.language import STEPS, Definition, Now, Symbol
from hocket.spec.prove import obligations
from hocket.spec.shrink import refutable
from models.run import Running
from proofs.judge import proved

DEEDS = {name: deed for name, deed in Running.deeds.items() if deed.kind in STEPS}
BESIDE = {f"a skip and {name}": deed for name, deed in DEEDS.items()}


class After(NamedTuple):
    """Deeds done one after the other: whether each was allowed in its turn, and what has become of the symbols."""

    allowed: Term
    state: dict[Symbol, Definition]


def after(s: Any, *deeds: tuple[Any, ...]) -> After:
    now = Now()
    for name, *args in deeds:
        DEEDS[name].call(type(s)(now), *args)
    return After(conj(*(guard.term for guard in now.guards)), now.definitions)


def alike(s: Any, one: After, other: After) -> Term:
    """Every symbol is the same in both."""
    return conj(*(_same(s, symbol, one, other) for symbol in {**one.state, **other.state}))


def _same(s: Any, symbol: Symbol, one: After, other: After) -> Term:
    def read(at: tuple[Term, ...]) -> Term:
        before = Term("apply", at, symbol.to, symbol)
        return one_of(one, at, before) == one_of(other, at, before)

    def one_of(which: After, at: tuple[Term, ...], before: Term) -> Term:
        known = which.state.get(symbol)
        return before if known is None else known.read(at)

    (sort,) = symbol.domain
    return forall(sort, lambda x: read((x,)))


class Skipping(Running):
    """The model, and how a skip stands to everything else."""

    @invariant
    def who_was_skipped_has_lost_something(s):
        return forall(s.Task, lambda t: s.skipped[t] >> s.hurt(t))

    @invariant(layer=1)
    def what_has_opened_was_armed_and_will_not_be_barred(s):
        opened = lambda t: s.opened[t] >> (s.armed[t] & ~s.barred(t))  # noqa: E731  # a word of this sentence only
        return forall(s.Task, lambda t: (s.over[t] >> s.opened[t]) & opened(t))

    def cancels(s, name, x, how, t):
        """After the event t is not to be skipped any more."""
        if name == "cancel":
            return x == t
        if name == "close":
            return (how == "failed") & (s.policy[s.scope[x]] == "fail_fast") & (s.scope[x] == s.scope[t])
        return FALSE

    @theorem(Running.Task, Running.Task, Running.Outcome, rows=BESIDE)
    def swapped(s, t, x, how, deed):
        event = (deed.name, x, how)[: 1 + len(deed.sorts)]
        s.require("t is to be skipped", s.enabled("skip", t))
        s.require("something else may happen", s.enabled(*event))
        s.require("it is something else", (x != t) if deed.name == "skip" else TRUE)
        s.require("it does not cancel t", ~s.cancels(deed.name, x, how, t))
        first, last = after(s, ("skip", t), event), after(s, event, ("skip", t))
        return first.allowed & last.allowed & alike(s, first, last)


class Careless(Skipping):
    """As if nothing cancelled."""

    def cancels(s, name, x, how, t):
        return FALSE


SPECS = (Skipping,)


def test_a_skip_may_come_before_and_after_whatever_does_not_cancel_it():
    proved(Skipping)


def test_what_cancels_it_may_not_come_first():
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    theory = Careless.theory()
    asked = obligations(theory, lambda name: name.startswith("a skip and")).needed
    assert [one.name for one in asked if refutable(one, theory, 2)] == [
        "a skip and close · follows",
        "a skip and cancel · follows",
    ]
