"""Protocols that others have modelled: the same counts as theirs, the same mistakes found, and proofs for any number.

Two-phase commit: Gray and Lamport (2006). Their model has, by TLC, 288 states and 1,146 states generated for three
resource managers, the initial one among them; stateright has 8,832 states for five. Elections: the slice of Raft in
which a term has one leader. Rings: Dijkstra (1974), with as many values as machines, or one fewer. The alternating bit:
Bartlett, Scantlebury and Wilkinson (1969). Counts that nobody has published are counted here a second time, by a search
that knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    always,
    axiom,
    environment,
    eventually,
    exists,
    forall,
    initial,
    invariant,
    ite,
)
from hocket.verdict import Holds, Violated


def _counted(start: Any, steps: Callable[[Any], Iterable[Any]]) -> tuple[int, int]:
    """States and transitions, by hand."""
    seen, agenda, transitions = {start}, [start], 0
    while agenda:
        for state in steps(agenda.pop()):
            transitions += 1
            if state not in seen:
                seen.add(state)
                agenda.append(state)
    return len(seen), transitions


# -- two-phase commit --------------------------------------------------------------------------------------------------


class TwoPhase(Spec):
    """Everybody commits, or nobody does; messages are never lost, and may be received many times."""

    Manager = Sort()
    Stage = Sort("Stage", ("working", "prepared", "committed", "aborted"))
    Choice = Sort("Choice", ("none", "commit", "abort"))
    at = Function(Manager, to=Stage)
    chosen = Function(to=Choice)
    heard = Relation(Manager)  # the coordinator knows that it is prepared
    said = Relation(Manager)  # ... or will

    @initial
    def everybody_works(s):
        s.at.each(lambda m: "working")
        s.chosen = "none"
        s.heard.each(lambda m: False)
        s.said.each(lambda m: False)

    @action(Manager)
    def prepare(s, m):
        s.require("it works", s.at[m] == "working")
        s.at[m] = "prepared"
        s.said[m] = True

    @action(Manager)
    def give_up(s, m):
        s.require("it works", s.at[m] == "working")
        s.at[m] = "aborted"

    @action(Manager)
    def hear(s, m):
        s.require("nothing is chosen", s.chosen == "none")
        s.require("it has said so", s.said[m])
        s.heard[m] = True

    @action()
    def choose_to_commit(s):
        s.require("nothing is chosen", s.chosen == "none")
        s.require("all are prepared", forall(s.Manager, lambda m: s.heard[m]))
        s.chosen = "commit"

    @action()
    def choose_to_abort(s):
        s.require("nothing is chosen", s.chosen == "none")
        s.chosen = "abort"

    @action(Manager)
    def commit(s, m):
        s.require("it is told to", s.chosen == "commit")
        s.at[m] = "committed"

    @action(Manager)
    def abort(s, m):
        s.require("it is told to", s.chosen == "abort")
        s.at[m] = "aborted"

    @invariant
    def all_or_nobody(s):
        both = lambda a, b: (s.at[a] == "aborted") & (s.at[b] == "committed")  # noqa: E731  # a word of this sentence
        return forall(s.Manager, s.Manager, lambda a, b: ~both(a, b))

    @invariant
    def who_is_heard_is_prepared(s):
        return forall(s.Manager, lambda m: (s.heard[m] >> s.said[m]) & (s.said[m] == s.has_promised(m)))

    def has_promised(s, m):
        """It cannot give up any more: whoever has not said that it is prepared works, or gave up."""
        return (s.at[m] == "prepared") | (s.said[m] & s.at[m].among("committed", "aborted"))

    @invariant
    def what_is_chosen_is_done(s):
        committed = (s.chosen == "commit") >> forall(s.Manager, lambda m: s.heard[m])
        follows = lambda m, stage, choice: (s.at[m] == stage) >> (s.chosen == choice)  # noqa: E731  # likewise
        done = forall(
            s.Manager,
            lambda m: follows(m, "committed", "commit") & (s.said[m] >> follows(m, "aborted", "abort")),
        )
        return committed & done


class Hasty(TwoPhase):
    """The coordinator forgets that all have to be prepared."""

    @action()
    def choose_to_commit(s):
        s.require("nothing is chosen", s.chosen == "none")
        s.require("somebody is prepared", exists(TwoPhase.Manager, lambda m: s.heard[m]))
        s.chosen = "commit"


@pytest.mark.parametrize(("managers", "states", "transitions"), [(3, 288, 1145), (5, 8832, 58145)])
def test_two_phase_commit_has_the_states_that_others_count(managers, states, transitions):
    found = TwoPhase.search(Manager=managers)
    assert isinstance(found.verdict, Holds)
    assert (found.states, found.transitions) == (states, transitions)


def test_two_phase_commit_is_proved_for_any_number():
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    assert isinstance(TwoPhase.prove().verdict, Holds)
    assert isinstance(Hasty.prove().verdict, Violated)


def test_who_commits_without_all_is_found_by_a_shortest_run():
    (verdict,) = (v for v in Hasty.search(Manager=2, claims="all_or_nobody").verdicts.values())
    deeds = [event[0] for event in verdict.counterexample.steps]
    assert sorted(deeds) == ["choose_to_commit", "commit", "give_up", "hear", "prepare"]
    assert TwoPhase.accepts(verdict.counterexample.steps, Manager=2).guard == "all are prepared"


# -- one leader a term -------------------------------------------------------------------------------------------------


class Election(Spec):
    """A quorum is a sort of its own, of which an axiom says all that is needed: so nothing is counted."""

    Server = Sort()
    Time = Sort()
    Quorum = Sort()
    member = Relation(Quorum, Server, rigid=True)
    voted = Relation(Server, Time, Server)
    leads = Relation(Server, Time)

    @axiom
    def any_two_quorums_meet(s):
        both = lambda a, b, v: s.member[a, v] & s.member[b, v]  # noqa: E731  # a word of this sentence
        return forall(s.Quorum, s.Quorum, lambda a, b: exists(s.Server, lambda v: both(a, b, v)))

    @initial
    def nobody_has_voted(s):
        s.voted.each(lambda v, t, c: False)
        s.leads.each(lambda c, t: False)

    @action(Server, Time, Server)
    def vote(s, v, t, c):
        s.require("it has not voted in this term", forall(s.Server, lambda d: ~s.voted[v, t, d]))
        s.voted[v, t, c] = True

    @action(Server, Time, Quorum)
    def win(s, c, t, q):
        s.require("a quorum has voted for it", forall(s.Server, lambda v: s.member[q, v] >> s.voted[v, t, c]))
        s.leads[c, t] = True

    @invariant
    def one_leader_a_term(s):
        return forall(s.Server, s.Server, s.Time, lambda a, b, t: (s.leads[a, t] & s.leads[b, t]) >> (a == b))

    @invariant
    def one_vote_a_term(s):
        same = lambda v, t, a, b: (s.voted[v, t, a] & s.voted[v, t, b]) >> (a == b)  # noqa: E731  # likewise
        return forall(s.Server, s.Time, s.Server, s.Server, same)

    @invariant
    def who_leads_was_voted_for(s):
        by = lambda q, c, t: forall(s.Server, lambda v: s.member[q, v] >> s.voted[v, t, c])  # noqa: E731  # likewise
        return forall(s.Server, s.Time, lambda c, t: s.leads[c, t] >> exists(s.Quorum, lambda q: by(q, c, t)))


class Loose(Election):
    """Quorums that are no more than not empty."""

    @axiom
    def any_two_quorums_meet(s):
        return forall(s.Quorum, lambda a: exists(s.Server, lambda v: s.member[a, v]))


MAJORITIES = [(0, 1), (0, 2), (1, 2)]


def _votes(terms: int) -> Callable[[Any], Iterable[Any]]:
    def steps(state: Any) -> Iterable[Any]:
        voted, leads = state
        for term in range(terms):
            for server in range(3):
                if not any((server, term, other) in voted for other in range(3)):
                    yield from ((voted | {(server, term, other)}, leads) for other in range(3))
                for quorum in MAJORITIES:
                    if all((voter, term, server) in voted for voter in quorum):
                        yield voted, leads | {(server, term)}

    return steps


@pytest.mark.parametrize(("terms", "counts"), [(1, (94, 243)), (2, (8836, 45684))])
def test_a_term_has_one_leader_and_as_many_states_as_by_hand(terms, counts):
    member = {(q, v) for q, quorum in enumerate(MAJORITIES) for v in quorum}
    found = Election.search({"member": member}, Server=range(3), Time=terms, Quorum=range(3))
    assert isinstance(found.verdict, Holds)
    assert (found.states, found.transitions) == _counted((frozenset(), frozenset()), _votes(terms)) == counts
    assert 94**2 == 8836  # terms have nothing to do with each other


def test_a_term_has_one_leader_whatever_the_quorums_as_long_as_they_meet():
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    assert isinstance(Election.prove().verdict, Holds)
    assert isinstance(Loose.prove().verdict, Violated)


# -- a ring that settles -----------------------------------------------------------------------------------------------


class Ring(Spec):
    """Machines in a ring; whoever has a privilege may move. They start anywhere, and settle on one privilege."""

    Machine = Sort()
    Value = Sort()
    before = Function(Machine, to=Machine, rigid=True)
    bottom = Function(to=Machine, rigid=True)
    next = Function(Value, to=Value, rigid=True)
    x = Function(Machine, to=Value)

    @initial
    def anywhere(s):
        pass

    def privileged(s, m):
        same = s.x[m] == s.x[s.before[m]]
        return ite(m == s.bottom, same, ~same)

    def settled(s):
        both = lambda a, b: s.privileged(a) & s.privileged(b)  # noqa: E731  # a word of this sentence
        return forall(s.Machine, s.Machine, lambda a, b: both(a, b) >> (a == b))

    @action(Machine)
    def move(s, m):
        s.require("it is privileged", s.privileged(m))
        s.x[m] = ite(m == s.bottom, s.next[s.x[m]], s.x[s.before[m]])

    @always
    def somebody_may_move(s):
        return exists(s.Machine, s.privileged)

    @eventually
    def it_settles(s):
        return s.settled()


@pytest.mark.parametrize(
    ("machines", "values", "settles"),
    [(3, 2, True), (3, 3, True), (4, 2, False), (4, 3, True), (4, 4, True), (5, 3, False), (5, 4, True)],
)
def test_a_ring_settles_with_one_value_fewer_than_machines_and_not_with_two_fewer(machines, values, settles):
    given = {
        "before": {m: (m - 1) % machines for m in range(machines)},
        "bottom": 0,
        "next": {v: (v + 1) % values for v in range(values)},
    }
    found = Ring.search(given, Machine=range(machines), Value=range(values))
    assert found.states == values**machines
    assert isinstance(found.verdicts["somebody_may_move"], Holds)
    verdict = found.verdicts["it_settles"]
    assert isinstance(verdict, Holds if settles else Violated)
    assert settles or (verdict.counterexample.replayed and len(verdict.counterexample.cycle) % machines == 0)


# -- the alternating bit -----------------------------------------------------------------------------------------------


class AlternatingBit(Spec):
    """Two channels of one place each that lose what they like; three messages, told apart by one bit."""

    Bit = Sort("Bit", ("0", "1"))
    Held = Sort("Held", ("nothing", "0", "1"))
    sending, expected = Function(to=Bit), Function(to=Bit)
    message, answer = Function(to=Held), Function(to=Held)
    sent, arrived = Function(to=INT), Function(to=INT)

    @initial
    def nothing_is_under_way(s):
        s.sending, s.expected, s.message, s.answer = "0", "0", "nothing", "nothing"
        s.sent, s.arrived = 0, 0

    def carries(s, held, bit):
        return held == ite(bit == "0", s.Held["0"], s.Held["1"])

    def other(s, bit):
        return ite(bit == "0", s.Bit["1"], s.Bit["0"])

    @action()
    def send(s):
        s.require("there is more to send", s.sent < 3)
        s.message = ite(s.sending == "0", s.Held["0"], s.Held["1"])

    @action(fair="strong")
    def receive(s):
        s.require("a message is there", s.message != "nothing")
        new = s.carries(s.message, s.expected)
        s.arrived = ite(new, s.arrived + 1, s.arrived)
        s.answer = s.message
        s.expected = ite(new, s.other(s.expected), s.expected)
        s.message = "nothing"

    @action(fair="strong")
    def hear(s):
        s.require("an answer is there", s.answer != "nothing")
        fits = s.carries(s.answer, s.sending)
        s.sent = ite(fits, s.sent + 1, s.sent)
        s.sending = ite(fits, s.other(s.sending), s.sending)
        s.answer = "nothing"

    @environment()
    def lose_the_message(s):
        s.require("a message is there", s.message != "nothing")
        s.message = "nothing"

    @environment()
    def lose_the_answer(s):
        s.require("an answer is there", s.answer != "nothing")
        s.answer = "nothing"

    @always
    def each_arrives_once(s):
        return (s.sent <= s.arrived) & (s.arrived <= s.sent + 1)

    @eventually
    def all_arrive(s):
        return s.arrived == 3


class WithoutTheBit(AlternatingBit):
    """Whatever comes is taken for new."""

    @action(fair="strong")
    def receive(s):
        s.require("a message is there", s.message != "nothing")
        s.arrived += 1
        s.answer = s.message
        s.message = "nothing"


def _bits(state: Any) -> Iterable[Any]:
    sending, expected, message, answer, sent, arrived = state
    if sent < 3:
        yield sending, expected, sending, answer, sent, arrived
    if message is not None:
        new = message == expected
        yield sending, expected ^ new, None, message, sent, arrived + new
        yield sending, expected, None, answer, sent, arrived
    if answer is not None:
        fits = answer == sending
        yield sending ^ fits, expected, message, None, sent + fits, arrived
        yield sending, expected, message, None, sent, arrived


def test_the_alternating_bit_delivers_each_message_once_if_not_everything_is_lost():
    found = AlternatingBit.search()
    assert isinstance(found.verdict, Holds)
    assert (found.states, found.transitions) == _counted((0, 0, None, None, 0, 0), _bits) == (27, 74)
    lost = AlternatingBit.search(fairness="weak").verdicts["all_arrive"].counterexample
    assert sorted(event[0] for event in lost.cycle) == ["lose_the_message", "send"]


def test_without_the_bit_a_message_arrives_twice_and_that_is_told_although_a_number_grows_for_ever():
    found = WithoutTheBit.search()
    twice = found.verdicts["each_arrives_once"].counterexample
    assert [event[0] for event in twice.steps] == ["send", "receive", "send", "receive"]
    refused = AlternatingBit.accepts([*twice.steps, ("hear",), ("hear",)])
    assert (refused.step, refused.guard) == (5, "an answer is there")
