"""What the kernel does in one step is what the rows say, in every neighbourhood; and plants are noticed."""

from __future__ import annotations

import pytest

from hocket.kernel import Edge, Kernel, Policy
from hocket.kernel.lifecycle import Outcome, Phase, Stimulus
from tests.chain import settlings
from tests.chain.steps import P, Said, Stands, differs, judged, middles, waiters

SLICE = 997  # every so manieth; all of them by `python -m tests.chain.steps`


def test_every_step_is_as_the_rows_say_in_a_slice_of_all_neighbourhoods():
    # by hand: 16 ways to be marked, each idle or waiting with one token or two (4 · 16); ready, unhurt and with a body
    # (4); running, two fates and one body or two (4 · 8); draining with a child, two fates each opened or not (4 · 8)
    assert len(list(middles())) == 64 + 4 + 32 + 32
    assert (len(list(waiters())), len(list(waiters(few=True)))) == (1056, 18)
    assert judged(SLICE) == 4089


def test_who_waits_twice_is_released_twice():
    twice = Stands(P.WAITING, start=2, by=(Edge.AFTER, Edge.AFTER))
    said = Said(Policy.ISOLATE, False, [Stands(P.RUNNING, opened=True, bodies=1), twice])
    assert differs(said, Stimulus.RETURNED) is None
    assert [one.phase for one in said.nodes] == [Phase.CLOSED, Phase.READY]


def test_who_is_lost_when_a_fork_opens_is_skipped_before_the_failure_of_the_fork_stops_its_scope():
    """The fork lost a child before; who opens inside it waited in vain for somebody else."""
    fork = Stands(P.IDLE, start=1, bereft=True, bodied=False)
    said = Said(Policy.FAIL_FAST, False, [fork, Stands(P.WAITING, start=1, hurt=True, by=(Edge.INSIDE,))])
    assert differs(said, Stimulus.ARMED) is None
    assert [(one.phase, one.fate) for one in said.nodes] == [(P.CLOSED, Outcome.FAILED), (P.CLOSED, Outcome.SKIPPED)]


def _forgets_the_second(self, waiting):
    for node in waiting[:1]:
        node.start -= 1
        if not node.start:
            self._agenda.append(node)


def _forgets_the_agenda(self, waiting):
    for node in waiting:
        node.start -= 1


def _forgets_the_loss(self, child, parents):
    for parent in parents:
        parent.children -= 1
        if not parent.children:
            self._agenda.append(parent)


PLANTS = {
    "only the first who waits is released": ("_release", _forgets_the_second),
    "who is released is not looked at": ("_release", _forgets_the_agenda),
    "a parent is not told that its child was lost": ("_release_parents", _forgets_the_loss),
    "a failure stops nothing": ("_stop", lambda self, scope, cause: None),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_kernel_with_a_planted_bug_is_found(plant, monkeypatch):
    monkeypatch.setattr(Kernel, *PLANTS[plant])
    with pytest.raises(AssertionError, match="the rows say"):
        judged(SLICE)


# -- one settling after the other --------------------------------------------------------------------------------------

FEWER = 1997  # every so manieth; all of them by `python -m tests.chain.settlings`


def test_every_settling_keeps_what_is_promised_in_a_slice_of_all_neighbourhoods():
    # by hand: 16 ways to be marked and to hold children or none, waiting; the four of these that have a body and are
    # unhurt, running, with two fates (8); the two of those without children, draining, with four fates (8)
    assert len(list(settlings.middles())) == 16 + 8 + 8
    assert settlings.judged(FEWER) == (618, 2051)


def _stops_unheard(self, scope, cause):
    scope.stopped = cause
    for node in scope.open:
        if node.phase in (Phase.WAITING, Phase.READY):
            node.hurt = node.hurt or cause
            node.phase, node.fate = Phase.DRAINING, Outcome.CANCELLED


FORGETFUL = {
    "who is released is not looked at": ("_release", _forgets_the_agenda, "lists whoever has one"),
    "who is cancelled by a stop is not looked at": ("_stop", _stops_unheard, "lists whoever has one"),
    "what is lost is not skipped first": ("_skip_first", lambda self: None, "skips before it stops"),
}


@pytest.mark.parametrize("plant", FORGETFUL)
def test_a_kernel_that_breaks_a_promise_is_found(plant, monkeypatch):
    place, planted, promise = FORGETFUL[plant]
    monkeypatch.setattr(Kernel, place, planted)
    found = [settlings.differs(said) for said in settlings.neighbourhoods(FEWER)]
    assert any(promise in each for each in found if each), found
