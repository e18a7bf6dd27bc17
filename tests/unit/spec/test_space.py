"""States as numbers are the interpreter's states; merged elements make orbits; both against brute force."""

from __future__ import annotations

import random
from itertools import combinations, permutations
from math import comb, factorial
from time import process_time

import pytest

from hocket.errors import SpecError
from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    always,
    conj,
    consequence,
    disj,
    exists,
    forall,
    initial,
    ite,
)
from hocket.spec.packed import Packed
from hocket.spec.space import Space
from hocket.verdict import Holds, Violated
from models.graphs import nested_forks
from models.run import Running, graph

THING, LIGHT, BOX = Sort("Thing"), Sort("Light", ("red", "green", "blue")), Sort("Box")


def some_spec(rng: random.Random, binary: bool = True, boxes: bool = True):
    """A random specification of all that the language has: relations, functions, numbers, quantifiers, consequences."""
    domain = (THING, BOX) if boxes else (THING,)
    names = {
        "on": Relation(THING),
        "light": Function(THING, to=LIGHT),
        "left": Function(THING, to=INT),
        "likes": Relation(THING, THING if binary else LIGHT, rigid=True),
        "bell": Relation(),
        "holds": Relation(*domain),
    }
    if binary:
        names["next"] = Function(THING, to=THING)
    where = lambda s, t, b: s.holds[(t, b) if boxes else t]  # noqa: E731

    def condition(s, t, u, b):
        ways = [
            lambda: s.on[t],
            lambda: ~s.on[u],
            lambda: s.light[t] == rng.choice(("red", "green")),
            lambda: s.light[u].among("red", "blue"),
            lambda: s.left[t] < 2,
            lambda: s.left[t] + 1 == 2,
            lambda: s.bell,
            lambda: where(s, t, b),
            lambda: exists(THING, lambda x: s.on[x] & ~where(s, x, b)),
            lambda: forall(THING, lambda x: (s.light[x] == s.light[t]) >> ~s.on[x]),
            lambda: s.on[t] == s.bell,
        ]
        if binary:
            ways += [lambda: s.likes[t, u], lambda: s.next[t] == u, lambda: s.on[s.next[t]], lambda: t == u]
        return rng.choice(ways)()

    def update(s, t, u, b):
        def on():
            s.on[t] = rng.choice((True, False, s.bell, ~s.on[u]))

        def light():
            s.light[t] = rng.choice(("red", "green", s.light[u], ite(s.on[u], LIGHT["blue"], s.light[t])))

        def left():
            s.left[t] = ite(s.left[t] < 2, s.left[t] + 1, 0)

        def holds():
            s.holds[(t, b) if boxes else t] = rng.choice((True, False))

        def bell():
            s.bell = rng.choice((True, s.on[t]))

        def everybody():
            s.on.each(lambda x: s.on[x] & ~(s.light[x] == "red"))

        def follow():
            s.next[t] = rng.choice((u, s.next[u]))

        rng.choice([on, light, left, holds, bell, everybody, *([follow] if binary else [])])()

    def begin(s):
        s.on.each(lambda t: False)
        s.light.each(lambda t: "red")
        s.left.each(lambda t: 0)
        s.bell = False
        s.holds.each((lambda t, b: False) if boxes else (lambda t: False))
        if binary:
            s.next.each(lambda t: t)

    def deed(s, t, u, b):
        for n in range(rng.randint(0, 2)):
            s.require(f"guard {n}", disj(*(condition(s, t, u, b) for _ in range(rng.choice((1, 2))))))
        for _ in range(rng.randint(1, 2)):
            update(s, t, u, b)

    def ring(s):
        s.require("everybody is on", forall(THING, lambda t: s.on[t]))
        s.bell = True

    names |= {"Thing": THING, "Box": BOX, "begin": initial(begin)}
    names |= {f"deed{n}": action(THING, THING, BOX)(deed) for n in range(3)}
    if rng.random() < 0.5:
        names["ring"] = consequence()(ring)
    spec = type("Any", (Spec,), names)
    spec.theory()  # traced once: what was drawn at random is drawn now
    return spec


def by_the_interpreter(spec, given, scope):
    """All states that the interpreter reaches, their transitions, depth and ends."""
    machine = spec.machine(given, **scope)
    seen, frontier, transitions, terminal, depth = {}, [], 0, 0, -1
    for rigid in machine.rigids():
        frontier += [(state, rigid) for state in machine.initial(rigid)]
    seen = dict.fromkeys(frontier)
    while frontier:
        depth += 1
        fresh = []
        for state, rigid in frontier:
            after = machine.successors(state, rigid)
            transitions += len(after)
            terminal += not after
            fresh += [(to, rigid) for _, to in after]
        frontier = [pair for pair in dict.fromkeys(fresh) if pair not in seen]
        seen |= dict.fromkeys(frontier)
    return machine, list(seen), {"states": len(seen), "transitions": transitions, "terminal": terminal, "depth": depth}


SMALL = 1000  # states: those of the random systems that have more are left to others


def test_a_search_on_numbers_counts_as_the_interpreter_does():
    compared = 0
    for seed in range(50):
        spec = some_spec(random.Random(seed))
        given = {"likes": {("a", "b")}} if seed % 3 else None
        scope = {"Thing": ["a", "b"], "Box": 1 + seed % 2}
        if spec.search(given, limit=SMALL, **scope).states > SMALL:
            continue
        _, states, counts = by_the_interpreter(spec, given, scope)
        assert spec.search(given, **scope).counts() == counts, seed
        packed = Packed(spec.theory(), scope, given)
        assert all(packed.unpack(packed.pack(*pair)) == pair for pair in states)
        assert len(states) == counts["states"]
        compared += counts["states"] > 1
    assert compared >= 12


FEW = 250  # states whose orbits are counted by brute force


def orbits(machine, states, sorts):
    """How many states there are up to renaming the elements of some sorts, on the words that a reader sees."""
    ways = [{}]
    for sort in sorts:
        names = machine.scope.names[sort]
        ways = [{**way, **dict(zip(names, to, strict=True))} for way in ways for to in permutations(names)]

    def renamed(value, way):
        if isinstance(value, dict):
            return frozenset((renamed(k, way), renamed(v, way)) for k, v in value.items())
        if isinstance(value, set):
            return frozenset(renamed(one, way) for one in value)
        if isinstance(value, tuple):
            return tuple(renamed(one, way) for one in value)
        return way.get(value, value) if isinstance(value, str) else value

    decoded = [machine.decode(*pair) for pair in states]
    return len({frozenset(repr(_sorted(renamed(state, way))) for way in ways) for state in decoded})


def _sorted(value):
    if isinstance(value, frozenset):
        return sorted(map(_sorted, value), key=repr)
    return tuple(map(_sorted, value)) if isinstance(value, tuple) else value


@pytest.mark.parametrize("binary", [True, False])
def test_merged_states_are_the_orbits_of_those_that_are_not_merged(binary):
    compared = merged = 0
    for seed in range(100, 125):
        spec = some_spec(random.Random(seed), binary, boxes=bool(seed % 2))
        scope = {"Thing": ["a", "b"] if binary else ["a", "b", "c"], "Box": ["x", "y"]}
        given = {"likes": set()}
        if spec.search(given, limit=FEW, **scope).states > FEW:
            continue
        machine, states, _ = by_the_interpreter(spec, given, scope)
        for sorts in ([THING], [BOX], [THING, BOX]):
            found = spec.search(given, symmetric=sorts, **scope)
            assert found.states == orbits(machine, states, sorts), (seed, sorts)
            compared += 1
            merged += found.states < len(states)
    assert compared >= 6
    assert merged >= 4


class Bench(Spec):
    """Workers that sit down one after the other on a bench with two places."""

    Worker = Sort()
    Place = Sort("Place", ("up", "down", "gone"))
    at = Function(Worker, to=Place)

    @initial
    def standing(s):
        s.at.each(lambda w: "up")

    @action(Worker)
    def sit(s, w):
        s.require("they stand", s.at[w] == "up")
        s.at[w] = "down"

    @action(Worker)
    def go(s, w):
        s.require("they sit", s.at[w] == "down")
        s.at[w] = "gone"

    @always
    def two_places(s):
        pair = lambda v, w: (s.at[v] == "down") & (s.at[w] == "down")  # noqa: E731
        same = lambda u, v, w: (u == v) | (v == w) | (u == w)  # noqa: E731
        return forall(s.Worker, s.Worker, s.Worker, lambda u, v, w: (pair(u, v) & pair(v, w)) >> same(u, v, w))


def test_workers_who_are_alike_are_counted_and_not_told_apart():
    # each is in one of three places: 3^5, or how many are in each: C(5 + 2, 2)
    assert Bench.search(Worker=5).states == 3**5 == 243
    found = Bench.search(Worker=5, symmetric=[Bench.Worker])
    assert (found.states, found.merged) == (21, 120)


def test_a_counterexample_of_merged_states_is_a_run_of_real_ones():
    for choice in ([], ["Worker"]):
        verdict = Bench.search(Worker=4, symmetric=choice).verdict
        assert isinstance(verdict, Violated)
        assert verdict.counterexample.replayed
        assert [event[0] for event in verdict.counterexample.steps] == ["sit"] * 3
        assert len({event[1] for event in verdict.counterexample.steps}) == 3


class Chain(Spec):
    """Things that are done in the order in which they depend on each other."""

    Thing = Sort()
    needs = Relation(Thing, Thing, rigid=True)
    done = Relation(Thing)

    @initial
    def nothing(s):
        s.done.each(lambda t: False)

    @action(Thing)
    def do(s, t):
        s.require("it is not done", ~s.done[t])
        s.require("what it needs is done", forall(s.Thing, lambda u: s.needs[t, u] >> s.done[u]))
        s.done[t] = True


def test_only_renamings_that_keep_what_is_given_are_merged():
    fork = {"needs": {("b", "a"), ("c", "a"), ("d", "a"), ("e", "b"), ("e", "c"), ("e", "d")}}
    # nothing, a, a with each set of three, all: 1 + 2^3 + 1; merged by how many of the three: 1 + 4 + 1
    assert Chain.search(fork, Thing="abcde").states == 10
    merged = Chain.search(fork, Thing="abcde", symmetric=["Thing"])
    assert (merged.states, merged.merged) == (6, 6)
    line = {"needs": {("b", "a"), ("c", "b")}}
    assert Chain.search(line, Thing="abc", symmetric=["Thing"]).merged == 1


def test_a_renaming_renames_what_a_given_function_points_at():
    class Ring(Chain):
        next = Function(Chain.Thing, to=Chain.Thing, rigid=True)

    pair = {"needs": set(), "next": {"a": "b", "b": "a", "c": "c"}}
    assert Ring.search(pair, Thing="abc", symmetric=["Thing"]).merged == 2
    circle = {"needs": set(), "next": {"a": "b", "b": "c", "c": "a"}}
    found = Ring.search(circle, Thing="abc", symmetric=["Thing"])
    # three turns of the circle; sets of three things up to turning: by how many there are
    assert (found.merged, found.states) == (3, 4)


def test_who_is_named_is_not_like_the_others():
    class Named(Spec):
        Person = Sort("Person", ("ann", "bob"))
        turn = Function(to=Person)

        @initial
        def ann(s):
            s.turn = "ann"

        @action(Person)
        def give(s, p):
            s.turn = p

    with pytest.raises(SpecError, match="ann tells the elements of Person apart: it names ann") as caught:
        Named.search(symmetric=["Person"])
    assert (caught.value.path, caught.value.line) == Named.deeds["ann"].line
    with pytest.raises(SpecError, match="there is no sort 'Dog'"):
        Named.search(symmetric=["Dog"])


def test_a_claim_that_names_somebody_tells_them_apart():
    class Watched(Bench):
        Friend = Sort("Friend", ("ann", "bob"))
        here = Relation(Friend)

        @initial
        def standing(s):
            s.at.each(lambda w: "up")
            s.here.each(lambda f: False)

        @action(Friend)
        def come(s, f):
            s.here[f] = True

        @always
        def ann_stays_away(s):
            return ~s.here["ann"]

    with pytest.raises(SpecError, match="tells the elements of Friend apart"):
        Watched.search(Worker=1, symmetric=["Friend"])
    assert isinstance(Watched.search(Worker=1, symmetric=["Friend"], claims=[]).verdict, Holds)


def test_too_many_renamings_are_refused():
    with pytest.raises(SpecError, match="362880 ways to exchange the elements of Thing"):
        Chain.search(Thing=9, symmetric=["Thing"])
    with pytest.raises(SpecError, match="more than 1000 renamings would be tried"):
        Chain.search(Thing=8, symmetric=["Thing"])


def test_twins_are_merged_by_sorting_however_many_there_are():
    # who depends on nothing is like everybody else: how many are done
    found = Chain.search({"needs": set()}, Thing=12, symmetric=["Thing"])
    assert (found.states, found.merged) == (13, factorial(12))
    # a task without edges is waiting for an executor, at work, raised or not, closed in one of two ways: 6 places
    tasks = [str(number) for number in range(9)]
    merged = Running.search(graph(tasks), [], Task=tasks, Scope=["run"], symmetric=["Task"])
    assert (merged.states, merged.merged) == (comb(9 + 5, 5), factorial(9))


def _orbits_of_sets(size, needs):
    """Of the sets of things that may be done together: how many there are up to what keeps `needs`, and those ways."""
    keeping = [way for way in permutations(range(size)) if {(way[a], way[b]) for a, b in needs} == needs]
    every = [set(chosen) for count in range(size + 1) for chosen in combinations(range(size), count)]
    closed = [one for one in every if all(a not in one or b in one for a, b in needs)]
    return len({frozenset(frozenset(way[n] for n in one) for way in keeping) for one in closed}), len(keeping)


@pytest.mark.parametrize("seed", range(60))
def test_classes_of_twins_are_exchanged_as_a_whole(seed):
    """Stars, combs, pairs of chains and what comes up at random, against every renaming tried."""
    rng = random.Random(seed)
    size = rng.choice((4, 5, 6))
    shapes = [
        {(a, a % 2) for a in range(2, size)},  # two stars
        {(a, a - 2) for a in range(2, size)},  # two chains
        {(a, b) for a in range(size // 2, size) for b in range(size // 2)},  # everybody after everybody
        {(a, b) for a in range(size) for b in range(a) if rng.random() < 0.3},
    ]
    needs = shapes[seed % 4]
    names = "abcdef"[:size]
    given = {"needs": {(names[a], names[b]) for a, b in needs}}
    found = Chain.search(given, Thing=names, symmetric=["Thing"])
    assert (found.states, found.merged) == _orbits_of_sets(size, needs)


def test_what_is_rigid_and_not_given_is_merged_as_well():
    # 2 things: 2^4 relations, 10 of them up to renaming (OEIS A000595)
    class Given(Chain):
        @action(Chain.Thing)
        def do(s, t):
            s.require("never", s.done[t])

    assert Given.search(Thing=2).states == 16
    assert Given.search(Thing=2, symmetric=["Thing"]).states == 10
    assert Given.search(Thing=3, symmetric=["Thing"]).states == 104


def test_a_state_takes_less_than_a_hundred_and_thirty_bytes():
    found = Chain.search({"needs": set()}, Thing=12)
    assert (found.states, found.transitions) == (2**12, 12 * 2**11)
    assert found.bytes_per_state < 130


def test_a_space_replays_what_it_found_and_refuses_what_it_did_not():
    space = Space(Chain.theory(), {"Thing": "ab"}, {"needs": {("b", "a")}})
    (start,) = space.initial
    along = space.replayed(start, (("do", "a"), ("do", "b")))
    assert [space.decode(space.packed.pack(*at))["done"] for at in along] == [set(), {"a"}, {"a", "b"}]
    with pytest.raises(AssertionError, match="could not be replayed"):
        space.replayed(start, (("do", "b"),))


def test_consequences_without_end_are_named():
    class Restless(Chain):
        @consequence()
        def undo(s):
            s.require("something is done", exists(s.Thing, lambda t: s.done[t]))
            s.done.each(lambda t: ~s.done[t])

    with pytest.raises(SpecError, match="undo follow upon each other for ever"):
        Restless.search({"needs": set()}, Thing=2)


def test_conditions_that_contradict_each_other_are_no_event():
    class Torn(Spec):
        light = Function(to=LIGHT)

        @initial
        def red(s):
            s.light = "red"

        @action()
        def never(s):
            s.require("both", conj(s.light == "red", s.light == "green"))
            s.light = "blue"

        @action()
        def either(s):
            s.require("one", disj(~(s.light == "red"), ~(s.light == "green")))
            s.light = "green"

    found = Torn.search()
    assert (found.states, found.fired) == (2, {"never": 0, "either": 2})


def test_numbers_are_searched_faster_than_the_interpreter_steps():
    """A ratio of CPU times within one run, for the scheduler's model: the machine may be busy with others."""
    tasks = list(nested_forks()["scope"])
    given = nested_forks(policy="branch", may_be_cancelled=tasks)
    scope = {"Task": tasks, "Scope": ["run"]}
    start = process_time()
    found = Running.search(given, claims=[], **scope)
    searched = process_time() - start
    start = process_time()
    _, states, counts = by_the_interpreter(Running, given, scope)
    assert found.counts() == counts
    assert len(states) == found.states
    assert process_time() - start > searched  # two to four times as long
    assert found.bytes_per_state < 100
