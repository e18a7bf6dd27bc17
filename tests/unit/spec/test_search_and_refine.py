"""Search counts what can be counted by hand; refinement refuses with the guard that failed."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest

from hocket.errors import SpecError
from hocket.spec import (
    INT,
    Accepted,
    Function,
    RefusedTrace,
    Relation,
    Run,
    Sort,
    Spec,
    action,
    always,
    axiom,
    consequence,
    environment,
    exists,
    forall,
    initial,
    mistaken,
    sometimes,
)
from hocket.verdict import Holds, Unknown, Violated


class Peterson(Spec):
    """Two processes and one critical section (Peterson 1981), each step one read or write."""

    Process = Sort("Process", ("zero", "one"))
    Line = Sort("Line", ("idle", "flagged", "waiting", "critical"))
    at = Function(Process, to=Line)
    flag = Relation(Process)
    turn = Function(to=Process)

    @initial
    def outside(s):
        s.at.each(lambda p: "idle")
        s.flag.each(lambda p: False)
        s.turn = "zero"

    @action(Process)
    def raise_flag(s, p):
        s.require("it is idle", s.at[p] == "idle")
        s.flag[p] = True
        s.at[p] = "flagged"

    @action(Process, Process)
    def give_way(s, p, other):
        s.require("it has raised its flag", s.at[p] == "flagged")
        s.require("to the other", p != other)
        s.turn = other
        s.at[p] = "waiting"

    @action(Process)
    def enter(s, p):
        s.require("it waits", s.at[p] == "waiting")
        s.require("it may", (s.turn == p) | forall(s.Process, lambda q: (q == p) | ~s.flag[q]))
        s.at[p] = "critical"

    @action(Process)
    def leave(s, p):
        s.require("it is inside", s.at[p] == "critical")
        s.flag[p] = False
        s.at[p] = "idle"

    @always
    def one_at_a_time(s):
        return ~forall(s.Process, lambda p: s.at[p] == "critical")

    @sometimes
    def somebody_is_inside(s):
        return exists(s.Process, lambda p: s.at[p] == "critical")

    @mistaken
    def nobody_is_ever_inside(s):
        return ~exists(s.Process, lambda p: s.at[p] == "critical")


def _peterson_by_hand():
    """Reachable states of the same protocol, programmed directly."""
    start = (("idle", "idle"), (False, False), 0)
    seen, frontier, steps = {start}, [start], 0
    while frontier:
        at, flag, turn = frontier.pop()
        for p in (0, 1):
            q = 1 - p
            put = lambda pair, value, p=p: tuple(value if i == p else pair[i] for i in (0, 1))  # noqa: E731
            after = None
            if at[p] == "idle":
                after = (put(at, "flagged"), put(flag, True), turn)
            elif at[p] == "flagged":
                after = (put(at, "waiting"), flag, q)
            elif at[p] == "waiting" and (turn == p or not flag[q]):
                after = (put(at, "critical"), flag, turn)
            elif at[p] == "critical":
                after = (put(at, "idle"), put(flag, False), turn)
            if after:
                steps += 1
                if after not in seen:
                    seen.add(after)
                    frontier.append(after)
    return len(seen), steps


def test_petersons_protocol_has_as_many_states_as_a_program_for_it_and_excludes():
    found = Peterson.search()
    assert (found.states, found.transitions) == _peterson_by_hand()
    assert isinstance(found.verdict, Holds)
    assert set(found.verdicts) == {"one_at_a_time", "somebody_is_inside"}
    assert (found.terminal, found.never()) == (0, [])


def test_a_mistake_is_refuted_by_a_shortest_run_that_replays():
    verdict = Peterson.search(claims=["nobody_is_ever_inside"]).verdicts["nobody_is_ever_inside"]
    assert isinstance(verdict, Violated)
    # raise, give way, enter: by one process
    assert verdict.counterexample.steps == (("raise_flag", "zero"), ("give_way", "zero", "one"), ("enter", "zero"))
    assert verdict.counterexample.replayed


class Tokens(Spec):
    """Each of n people takes a token, once: 2^n states, and the transitions are the edges of a cube."""

    Person = Sort()
    friend = Relation(Person, Person, rigid=True)
    has = Relation(Person)

    @initial
    def nobody(s):
        s.has.each(lambda p: False)

    @environment(Person)
    def take(s, p):
        s.require("they have none", ~s.has[p])
        s.require("no friend has one", ~exists(s.Person, lambda q: s.friend[p, q] & s.has[q]))
        s.has[p] = True


@pytest.mark.parametrize("people", [1, 2, 3, 4, 8])
def test_independent_deeds_span_a_cube(people):
    found = Tokens.search(given={"friend": set()}, Person=people)
    # every set of people, and from each a step per person who is not in it
    assert found.states == 2**people
    assert found.transitions == sum(comb(people, k) * (people - k) for k in range(people + 1))
    assert found.transitions == people * 2 ** (people - 1)
    assert (found.terminal, found.depth) == (1, people)


def test_what_is_rigid_and_not_given_is_anything():
    # 2 people: 2^4 friendships; who is their own friend may still take one. Independent sets, ordered by steps:
    def reachable(pairs):
        seen, frontier = {frozenset()}, [frozenset()]
        for state in frontier:
            for p in {0, 1} - state:
                after = state | {p}
                if not any((p, q) in pairs for q in state) and after not in seen:
                    seen.add(after)
                    frontier.append(after)
        return len(seen)

    every = [(0, 0), (0, 1), (1, 0), (1, 1)]
    chosen = [[p for p, yes in zip(every, mask, strict=True) if yes] for mask in product((0, 1), repeat=4)]
    assert Tokens.search(Person=2).states == sum(map(reachable, chosen)) == 60


def test_what_is_not_assigned_initially_may_be_anything():
    class Loose(Spec):
        Colour = Sort("Colour", ("red", "green", "blue"))
        a = Function(to=Colour)
        b = Relation()

        @initial
        def a_is_not_red(s):
            s.require("not red", s.a != "red")

    assert Loose.search().states == 2 * 2


def test_axioms_choose_among_what_is_not_given():
    class Ordered(Spec):
        Thing = Sort()
        below = Relation(Thing, Thing, rigid=True)

        @initial
        def start(s): ...

        @axiom
        def strict(s):
            return forall(s.Thing, lambda a: ~s.below[a, a])

        @axiom
        def transitive(s):
            chain = lambda a, b, c: (s.below[a, b] & s.below[b, c]) >> s.below[a, c]  # noqa: E731
            return forall(s.Thing, s.Thing, s.Thing, chain)

    # strict partial orders on 3 labelled things (OEIS A001035)
    assert Ordered.search(Thing=3).states == 19


def test_a_limit_that_was_reached_is_unknown_and_never_success():
    found = Tokens.search(given={"friend": set()}, limit=10, Person=8)
    assert found.states > 10

    class Claimed(Tokens):
        @always
        def fine(s):
            return forall(s.Person, lambda p: s.has[p] | ~s.has[p] | s.has[p])

        @always
        def small(s):
            return exists(s.Person, lambda p: ~s.has[p] | s.friend[p, p])

    assert isinstance(Claimed.search(given={"friend": set()}, limit=10, Person=8).verdict, Unknown)
    assert isinstance(Claimed.search(given={"friend": set()}, Person=8).verdict, Violated)


def test_an_unbounded_sort_in_search_is_refused_with_its_cure():
    with pytest.raises(SpecError, match="the sort Person is unbounded") as caught:
        Tokens.search()
    assert "Person=2" in caught.value.cure


def test_a_number_that_leaves_its_range_is_an_error_and_not_a_wrong_state():
    class Endless(Spec):
        n = Function(to=INT)

        @initial
        def zero(s):
            s.n = 0

        @action()
        def up(s):
            s.n += 1

    with pytest.raises(SpecError, match="0 to 255"):
        Endless.search()


class Fuse(Spec):
    """Two switches; when both are on, the fuse blows at once: nobody sees it happen."""

    Switch = Sort()
    on = Relation(Switch)
    blown = Relation()

    @initial
    def off(s):
        s.on.each(lambda w: False)
        s.blown = False

    @environment(Switch)
    def press(s, w):
        s.require("the fuse is whole", ~s.blown)
        s.require("it is off", ~s.on[w])
        s.on[w] = True

    @consequence()
    def blow(s):
        s.require("the fuse is whole", ~s.blown)
        s.require("all are on", forall(s.Switch, lambda w: s.on[w]))
        s.blown = True


def test_a_consequence_happens_at_once_and_has_no_label():
    found = Fuse.search(Switch=2)
    # none, one, the other, both and blown: there is no state with both on and the fuse whole
    assert found.counts() == {"states": 4, "transitions": 4, "terminal": 1, "depth": 2}
    assert set(found.fired) == {"press"}
    answer = Fuse.accepts([("press", "switch0"), ("press", "switch1")], Switch=2)
    assert isinstance(answer, Accepted)
    assert (answer.events, answer.state) == (2, {"on": {"switch0", "switch1"}, "blown": True})


def test_a_trace_is_refused_at_the_first_event_that_is_not_allowed():
    trace = [("press", "a"), ("press", "a"), ("press", "b")]
    answer = Fuse.accepts(trace, Switch=["a", "b"])
    assert isinstance(answer, RefusedTrace)
    assert (answer.step, answer.event, answer.guard) == (1, ("press", "a"), "it is off")
    assert answer.allowed == (("press", "b"),)
    assert answer.state == {"on": {"a"}, "blown": False}
    assert str(answer) == "step 1: 'press a' is refused: not 'it is off'"


def test_a_run_goes_on_from_any_state_it_has_seen():
    run = Run(Fuse.machine(fold=False, Switch=["a", "b"]), {})
    first = run.step(run.start, ("press", "a"))
    assert run.allowed(run.start) == (("press", "a"), ("press", "b"))
    assert run.step(first, ("press", "b")) is not None
    assert run.step(first, ("press", "a")) is None
    assert (run.refusal(first, ("press", "a")), run.refusal(first, ("press", "b"))) == ("it is off", None)


def test_search_and_refinement_do_the_same_deeds():
    """Both directions: what `allowed` offers is exactly what `step` takes, in every reachable state."""
    machine = Fuse.machine(fold=False, Switch=3)
    run = Run(machine, {})
    seen, frontier = {run.start}, [run.start]
    for state in frontier:
        offered = set(run.allowed(state))
        assert offered == {event for event in machine.events if run.step(state, event) is not None}
        assert dict(machine.successors(state)) == {event: run.step(state, event) for event in offered}
        frontier += [after for after in map(dict(machine.successors(state)).get, offered) if after not in seen]
        seen.update(frontier)
    assert len(seen) == Fuse.search(Switch=3).states == 8
