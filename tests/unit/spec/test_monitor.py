"""A monitor says what the interpreter says, of random models and of the scheduler's, and costs what it may."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

import pytest

import hocket
from hocket import fork, seq, task
from hocket.errors import SpecError
from hocket.graph import graph_of
from hocket.kernel.lifecycle import Moment
from hocket.spec import INT, Function, Illegal, Relation, Run, Sort, Spec, action, consequence, exists, forall, initial
from models.graphs import GRAPHS
from models.run import Running, acceptor
from models.run import graph as model_graph
from tests.counting import instructions

_found = importlib.util.spec_from_file_location("some_specs", Path(__file__).with_name("test_space.py"))
some_spec = importlib.util.module_from_spec(_found)
_found.loader.exec_module(some_spec)


def walk(run, monitor, rng, events, steps):
    """Take both along a random run, with events now and then that may be refused; how many were taken and refused."""
    state, taken = run.start, 0
    for _ in range(steps):
        assert monitor.state() == run.decode(state)
        allowed = run.allowed(state)
        event = rng.choice(allowed if allowed and rng.random() < 0.95 else events)
        lacking = run.refusal(state, event)
        monitor.take(*event)
        if lacking is not None:
            assert monitor.refused is not None
            assert (monitor.refused.guard, monitor.refused.event, monitor.refused.step) == (lacking, event, taken)
            return taken, 1
        assert monitor.refused is None, str(monitor.refused)
        state, taken = run.step(state, event), taken + 1
    assert monitor.events == taken
    return taken, 0


@pytest.mark.parametrize("binary", [True, False])
def test_random_models_are_monitored_as_they_are_interpreted(binary):
    taken = refused = 0
    for seed in range(40):
        rng = random.Random(seed)
        spec = some_spec.some_spec(rng, binary, boxes=bool(seed % 2))
        scope = {"Thing": ["a", "b", "c"], "Box": ["x", "y"]}
        given = {"likes": {("a", "b"), ("b", "c")}} if binary else {"likes": {("a", "red")}}
        machine = spec.machine(fold=False, **scope)
        for _ in range(3):
            more = walk(Run(machine, given), spec.monitor(given, **scope), rng, machine.events, 25)
            taken, refused = taken + more[0], refused + more[1]
    assert taken > 1000
    assert refused > 40


@pytest.mark.parametrize("policy", ["isolate", "fail_fast", "branch"])
@pytest.mark.parametrize("name", GRAPHS)
def test_runs_of_graphs_are_monitored_as_they_are_interpreted(name, policy):
    rng = random.Random(f"{name} {policy}")
    plain = GRAPHS[name]()
    tasks = list(plain["scope"])
    given = GRAPHS[name](policy=policy, may_be_cancelled=tasks, late=tasks[::2])
    run = acceptor(given)
    events = Running.machine(fold=False, Task=tasks, Scope=["run"]).events
    taken = sum(walk(run, Running.monitor(given, Task=tasks, Scope=["run"]), rng, events, 60)[0] for _ in range(15))
    assert taken > (10 if name == "knot" else 40)


# -- the scheduler that ships -----------------------------------------------------------------------------------------


def wide(rows: int, width: int):
    """A graph of forks one after the other, and what the model is given of it."""
    graph = graph_of(seq(*(fork(*(task(int, f"t{row}.{n}") for n in range(width))) for row in range(rows))))
    tasks = range(len(graph.tasks))
    bodiless = [n for n in tasks if graph.tasks[n].body is None]
    return graph, tasks, model_graph(tasks, graph.after, graph.inside, graph.hold, bodiless)


def in_the_models_words(names):
    """What the kernel tells its watcher, as events of the model; None for what the model has no word for."""

    def translate(moment, node):
        if moment is Moment.OPEN:
            return ("open", names[node])
        if moment is Moment.CLOSE:
            return ("close", names[node], str(node.fate))
        return ("ran", names[node], str(node.fate)) if node.bodied else None

    return translate


class ByName(dict):
    """Nodes by their number, counted as they are met: a graph is built in the order of its tasks."""

    def __init__(self, graph):
        super().__init__()
        self.number = {one.name: n for n, one in enumerate(graph.tasks)}

    def __missing__(self, node):
        return self.number[node.name]


@pytest.mark.parametrize("runtime", ["inline", "threads"])
def test_a_running_scheduler_is_monitored_and_found_in_order(runtime):
    graph, tasks, given = wide(4, 5)
    monitor = Running.monitor(given, Task=tasks, Scope=["run"])
    hocket.run(graph, runtime=runtime, watch=monitor.through(in_the_models_words(ByName(graph))))
    assert monitor.refused is None, str(monitor.refused)
    assert len(monitor.state()["closed"]) == len(tasks) == 24
    # 20 tasks open, run and close, 4 forks open and close
    assert monitor.events == 20 * 3 + 4 * 2


def test_a_scheduler_that_forgets_an_edge_is_refused_and_not_disturbed():
    graph, tasks, given = wide(2, 2)
    given["after"] = given["after"] | {(tasks[-1], tasks[0])} | {(tasks[0], tasks[-2])}
    heard = []
    monitor = Running.monitor(given, heard.append, Task=tasks, Scope=["run"])
    done = hocket.run(graph, runtime="inline", watch=monitor.through(in_the_models_words(ByName(graph))))
    assert {str(one.outcome) for one in done.tasks} == {"finished"}
    (illegal,) = heard
    assert illegal is monitor.refused
    assert (illegal.step, illegal.event[0], illegal.guard) == (0, "open", "what it waits for has happened")
    assert str(illegal) == f"step 0: 'open {illegal.event[1]}' is refused: not 'what it waits for has happened'"
    assert illegal.where[f"opened {illegal.event[1]}"] is False


def test_an_event_costs_as_much_however_large_the_graph():
    """Instructions of the monitor alone, on what the kernel tells; microseconds: `benchmarks/runtime/monitored.py`."""
    costs = {}
    for rows in (4, 40):
        graph, tasks, given = wide(rows, 10)
        seen = []
        hocket.run(graph, runtime="inline", watch=lambda *what, seen=seen: seen.append(what))
        translate = in_the_models_words(ByName(graph))
        events = [event for event in (translate(*what) for what in seen) if event is not None]
        monitor = Running.monitor(given, Task=tasks, Scope=["run"])
        costs[rows] = instructions(lambda m=monitor, told=events: [m.take(*event) for event in told]) / len(events)
        assert (monitor.refused, monitor.events) == (None, len(events))
        assert len(events) == rows * 10 * 3 + rows * 2
    assert costs[40] < 1.1 * costs[4], costs  # a loop over all tasks would be ten times as many


# -- by itself --------------------------------------------------------------------------------------------------------


class Shop(Spec):
    """Customers who are served, and whose friends are told."""

    Person = Sort()
    Mood = Sort("Mood", ("calm", "glad"))
    friend = Relation(Person, Person, rigid=True)
    served = Relation(Person)
    knows = Relation(Person, Person)
    mood = Function(Person, to=Mood)
    count = Function(to=INT)

    @initial
    def nobody(s):
        s.served.each(lambda p: False)
        s.knows.each(lambda p, q: p == q)
        s.mood.each(lambda p: "calm")
        s.count = 0

    @action(Person)
    def serve(s, p):
        s.require("they were not served", ~s.served[p])
        s.served[p] = True
        s.count += 1

    @action(Person, Person)
    def tell(s, p, q):
        s.require("they are friends", s.friend[p, q])
        s.require("they do not know", ~s.knows[p, q])
        s.knows[p, q] = True

    @consequence(Person)
    def cheer(s, p):
        s.require("all friends are served", forall(s.Person, lambda q: s.friend[p, q] >> s.served[q]))
        s.require("there are some", exists(s.Person, lambda q: s.friend[p, q]))
        s.mood[p] = "glad"


def test_consequences_reach_the_neighbours():
    monitor = Shop.monitor({"friend": {("a", "b"), ("c", "b"), ("c", "d")}}, Person="abcd")
    monitor.take("serve", "b")
    assert monitor.state()["mood"] == {"a": "glad", "b": "calm", "c": "calm", "d": "calm"}
    monitor.take("serve", "d")
    assert monitor.state()["mood"]["c"] == "glad"
    assert monitor.state()["count"] == 2


def test_consequences_reach_the_neighbours_of_neighbours():
    class Gossip(Shop):
        @consequence(Shop.Person)
        def cheer(s, p):
            further = lambda q: forall(s.Person, lambda r: s.friend[q, r] >> s.served[r])  # noqa: E731
            s.require("friends of friends are served", forall(s.Person, lambda q: s.friend[p, q] >> further(q)))
            s.mood[p] = "glad"

    given = {"friend": {("a", "b"), ("b", "c"), ("d", "a")}}
    monitor = Gossip.monitor(given, Person="abcd")
    trace = [("serve", "c"), ("serve", "b")]
    for event in trace:
        monitor.take(*event)
    assert monitor.state() == Gossip.accepts(trace, given, Person="abcd").state
    assert monitor.state()["mood"] == dict.fromkeys("abcd", "glad")


def test_an_assignment_everywhere_happens_whatever_it_also_looks_at():
    class Closing(Shop):
        late = Relation()

        @initial
        def nobody(s):
            Shop.deeds["nobody"].method(s)
            s.late = False

        @action()
        def close(s):
            s.served.each(lambda p: s.served[p] & s.late)

    monitor = Closing.monitor({}, Person="ab")
    monitor.take("serve", "a")
    assert monitor.state()["served"] == {"a"}
    monitor.take("close")
    assert monitor.state()["served"] == set()


def test_nothing_is_looked_at_after_the_first_illegal_event():
    monitor = Shop.monitor({"friend": {("a", "b")}}, Person="ab")
    monitor.take("tell", "a", "b")
    monitor.take("tell", "a", "b")
    monitor.take("serve", "a")
    assert isinstance(monitor.refused, Illegal)
    assert (monitor.events, monitor.refused.step, monitor.refused.guard) == (1, 1, "they do not know")
    assert monitor.state()["served"] == set()


@pytest.mark.parametrize("event", [("sell", "a"), ("serve", "z"), ("serve",), ("serve", "a", "b"), ("cheer", "a")])
def test_an_event_that_the_model_does_not_know_is_refused(event):
    monitor = Shop.monitor({}, Person="ab")
    monitor.take(*event)
    assert (monitor.refused.guard, monitor.refused.where) == ("the model knows this event", {})


def test_elements_may_come_while_it_runs():
    monitor = Shop.monitor({"friend": {("a", "b")}}, Person="ab")
    monitor.take("serve", "b")
    monitor.add("Person", "new", friend={("new", "b"), ("a", "new")})
    assert monitor.state()["mood"] == {"a": "glad", "b": "calm", "new": "glad"}
    monitor.take("serve", "new")
    monitor.take("tell", "a", "new")
    assert (monitor.events, monitor.refused) == (3, None)
    with pytest.raises(SpecError, match="there is a Person 'new' already"):
        monitor.add("Person", "new")
    with pytest.raises(SpecError, match="Mood is finite"):
        monitor.add("Mood", "sad")


def test_what_may_begin_as_anything_has_to_be_given():
    class Loose(Spec):
        lamp = Relation()

        @initial
        def some_way(s): ...

        @action()
        def press(s):
            s.require("it is off", ~s.lamp)
            s.lamp = True

    with pytest.raises(SpecError, match="lamp may begin as anything"):
        Loose.monitor()
    monitor = Loose.monitor({"lamp": True})
    monitor.take("press")
    assert monitor.refused.guard == "it is off"


@pytest.mark.parametrize(
    ("given", "scope", "match"),
    [
        ({}, {}, "the sort Person is unbounded"),
        ({"enemy": set()}, {"Person": 2}, "'enemy' was given, and is no symbol"),
        ({"friend": {("a", "z")}}, {"Person": "ab"}, "'z' is no Person"),
        ({"friend": {"a"}}, {"Person": "ab"}, "friend takes 2 arguments"),
        ({"mood": {"a"}}, {"Person": "ab"}, "mood is a function"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(given, scope, match):
    with pytest.raises(SpecError, match=match):
        Shop.monitor(given, **scope)
