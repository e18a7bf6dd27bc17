"""Promises under fairness: against an oracle that tries every set of states a run could end in, and by hand."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from hocket.errors import SpecError
from hocket.spec import (
    Function,
    Relation,
    Sort,
    Spec,
    action,
    disj,
    environment,
    eventually,
    exists,
    forall,
    initial,
    ite,
    leads_to,
)
from hocket.spec.live import Lasso
from hocket.verdict import Holds, Unknown, Violated

# -- any small system: places, and deeds that lead from some of them to others ----------------------------------------


def system(rng: random.Random, places: int, deeds: int):
    """A random specification with its tables: {deed: {from: to}}, {deed: fairness}, the goals, and who owes them."""
    moves = {f"d{n}": _moves(rng, places) for n in range(deeds)}
    fair = {name: rng.choice(("none", "weak", "strong")) for name in moves}
    goals = set(rng.sample(range(places), rng.randint(1, 2)))
    owing = rng.choice([None, set(rng.sample(range(places), 2))])
    return _spec(places, moves, fair, goals, owing), moves, fair, goals, owing


def _moves(rng, places):
    return {start: rng.randrange(places) for start in rng.sample(range(places), rng.randint(1, places - 1))}


def _spec(places, moves, fair, goals, owing):
    place = Sort("Place", [f"p{n}" for n in range(places)])
    among = lambda s, some: s.at.among(*(f"p{n}" for n in sorted(some)))  # noqa: E731

    def begin(s):
        s.at = "p0"

    def deed(table):
        def move(s):
            s.require("it is possible here", among(s, table))
            to = s.at
            for start, end in table.items():
                to = ite(s.at == f"p{start}", f"p{end}" if to.op == "lit" else place[f"p{end}"], to)
            s.at = to

        return move

    def promised(s):
        return among(s, goals) if owing is None else leads_to(among(s, owing), among(s, goals))

    names = {"Place": place, "at": Function(to=place), "begin": initial(begin), "promised": eventually(promised)}
    names |= {name: action(fair=fair[name])(deed(table)) for name, table in moves.items()}
    return type("Any", (Spec,), names)


def breaks_its_promise(moves, fair, goals, owing):
    """Some set of states, reachable while the promise is owed, in which a fair run can stay for ever."""
    edges = {(a, name, b) for name, table in moves.items() for a, b in table.items() if a != b}

    def closed(some, allowed):
        some = set(some)
        while more := {b for a, _, b in edges if a in some and b in allowed} - some:
            some |= more
        return some

    everywhere = {p for table in moves.values() for p in (*table, *table.values())} | {0}
    reachable = closed({0}, everywhere)
    owed = ({0} if owing is None else reachable & owing) - goals
    pending = closed(owed, everywhere - goals)
    sets = (set(some) for size in range(1, len(pending) + 1) for some in combinations(sorted(pending), size))
    return any(_stays(some, edges, fair) for some in sets)


def _stays(some, edges, fair):
    inside = [(a, name, b) for a, name, b in edges if {a, b} <= some]
    for a in some:  # strongly connected: from each, each is reached
        reached = {a}
        while more := {b for x, _, b in inside if x in reached} - reached:
            reached |= more
        if reached != some:
            return False
    done = {name for _, name, _ in inside}
    for name, how in fair.items():
        at = {a for a, one, _ in edges if one == name and a in some}
        if name not in done and ((how == "weak" and at == some) or (how == "strong" and at)):
            return False
    return True


@pytest.mark.parametrize("places", [3, 4, 5, 6])
def test_promises_of_random_systems_are_judged_as_by_trying_every_set_of_states(places):
    rng = random.Random(places)
    broken = 0
    for _ in range(120):
        spec, moves, fair, goals, owing = system(rng, places, rng.randint(1, 4))
        verdict = spec.search(claims=["promised"]).verdicts["promised"]
        expected = breaks_its_promise(moves, fair, goals, owing)
        assert isinstance(verdict, Violated) == expected, (moves, fair, goals, owing, str(verdict))
        broken += expected
        if expected:
            _is_a_fair_lasso(verdict.counterexample, moves, fair, goals)
    assert 20 < broken < 110, "the random systems are all alike"


def _is_a_fair_lasso(lasso, moves, fair, goals):
    at, circle = 0, []
    for (name,) in lasso.steps:
        at = moves[name][at]
    begin = at
    for (name,) in lasso.cycle:
        circle.append(at)
        at = moves[name][at]
    assert at == begin
    circle = circle or [begin]
    assert lasso.replayed
    assert not goals & set(circle)
    for name, how in fair.items():
        able = [p for p in circle if moves[name].get(p, p) != p]
        assert how == "none" or (name,) in lasso.cycle or not (able if how == "strong" else len(able) == len(circle))


def test_an_event_that_changes_nothing_is_neither_possible_nor_done():
    """From p0 to p1 and back for ever; a nudge leads on from p1, and at p0 it moves nothing: that is no turn."""
    moves = {"go": {0: 1, 1: 0}, "nudge": {0: 0, 1: 2}}
    for how, kept in (("strong", True), ("weak", False)):
        fair = {"go": "weak", "nudge": how}
        verdict = _spec(3, moves, fair, {2}, None).search().verdict
        assert isinstance(verdict, Holds) == kept == (not breaks_its_promise(moves, fair, {2}, None))


# -- by hand ----------------------------------------------------------------------------------------------------------


class Lamp(Spec):
    """A lamp that somebody switches, and a moth that comes while it is on."""

    on = Relation()
    moth = Relation()

    @initial
    def dark(s):
        s.on = False
        s.moth = False

    @environment()
    def switch(s):
        s.on = ~s.on

    @action()
    def come(s):
        s.require("there is light", s.on)
        s.moth = True

    @eventually
    def there_is_a_moth(s):
        return s.moth


def test_nobody_has_to_switch_a_lamp_on():
    verdict = Lamp.search().verdict
    assert isinstance(verdict, Violated)
    assert isinstance(verdict.counterexample, Lasso)
    assert (verdict.counterexample.steps, verdict.counterexample.cycle) == ((), ())
    assert "nobody has to go on" in str(verdict)


def test_weak_fairness_lets_a_lamp_flicker_and_strong_fairness_does_not():
    weak = Lamp.search(fairness={"switch": "weak"}).verdict
    assert isinstance(weak, Violated)
    assert (weak.counterexample.steps, weak.counterexample.cycle) == ((), (("switch",), ("switch",)))
    assert "then again and again: switch · switch" in str(weak)
    strong = Lamp.search(fairness={"switch": "weak", "come": "strong"}).verdict
    assert isinstance(strong, Holds)


def test_a_state_in_which_nothing_can_happen_breaks_a_promise():
    class Fuse(Lamp):
        @environment()
        def switch(s):
            s.require("the fuse is whole", ~s.on & ~s.moth)
            s.on = True

        @action()
        def come(s):
            s.require("never", s.on & s.moth)
            s.moth = False

    verdict = Fuse.search(fairness={"switch": "weak"}).verdict
    assert (verdict.counterexample.steps, verdict.counterexample.cycle) == ((("switch",),), ())
    assert "nothing more can happen" in str(verdict)


class Queue(Spec):
    """Who waits is served, one at a time."""

    Person = Sort()
    Place = Sort("Place", ("away", "waiting"))
    at = Function(Person, to=Place)

    @initial
    def away(s):
        s.at.each(lambda p: "away")

    @environment(Person)
    def come(s, p):
        s.require("they are away", s.at[p] == "away")
        s.at[p] = "waiting"

    @action(Person)
    def serve(s, p):
        s.require("they wait", s.at[p] == "waiting")
        s.at[p] = "away"

    @eventually(Person)
    def who_waits_is_served(s, p):
        return leads_to(s.at[p] == "waiting", s.at[p] == "away")


def test_fairness_is_of_each_event_by_itself():
    assert isinstance(Queue.search(Person=3).verdict, Holds)
    verdict = Queue.search(Person=2, fairness="none").verdict
    assert isinstance(verdict, Violated)
    assert verdict.counterexample.steps == (("come", "person0"),)
    assert "who_waits_is_served person0 may never come" in str(verdict)


def test_a_service_that_prefers_somebody_starves_the_others():
    class Favourites(Queue):
        friend = Relation(Queue.Person, rigid=True)

        @action(Queue.Person)
        def serve(s, p):
            s.require("they wait", s.at[p] == "waiting")
            others = exists(s.Person, lambda q: s.friend[q] & (s.at[q] == "waiting"))
            s.require("no friend waits", s.friend[p] | ~others)
            s.at[p] = "away"

    given = {"friend": {"ann"}}
    verdict = Favourites.search(given, Person=["ann", "bob"]).verdict
    # bob waits; ann comes and is served, again and again: serving bob is possible now and then, never for good
    assert verdict.counterexample.steps[-1] in {("come", "ann"), ("come", "bob")}
    assert set(verdict.counterexample.cycle) == {("come", "ann"), ("serve", "ann")}
    assert isinstance(Favourites.search(given, Person=["ann", "bob"], fairness="strong").verdict, Holds)


def test_a_search_that_was_cut_short_promises_nothing():
    assert isinstance(Queue.search(Person=6, limit=3).verdict, Unknown)


def test_promises_and_merged_elements_do_not_go_together():
    with pytest.raises(SpecError, match="who_waits_is_served is about fair turns") as caught:
        Queue.search(Person=3, symmetric=[Queue.Person])
    assert (caught.value.path, caught.value.line) == Queue.deeds["who_waits_is_served"].line
    assert isinstance(Queue.search(Person=3, symmetric=["Person"], claims=[]).verdict, Holds)


@pytest.mark.parametrize(
    ("fairness", "match"),
    [("fair", "'fair' is no fairness"), ({"go": "weak"}, "there is no deed 'go'"), ({"come": 1}, "1 is no fairness")],
)
def test_a_fairness_that_there_is_not_is_refused(fairness, match):
    with pytest.raises(SpecError, match=match):
        Queue.search(Person=1, fairness=fairness)


def test_a_promise_that_holds_at_once_is_kept():
    class Done(Queue):
        @eventually
        def somebody_is_away(s):
            return disj(exists(s.Person, lambda p: s.at[p] == "away"), forall(s.Person, lambda p: s.at[p] == "away"))

    assert isinstance(Done.search(Person=1, fairness="none", claims=["somebody_is_away"]).verdict, Holds)
