"""Random worlds against the models: every tick is one of `models/ticks.py`, every run one of `models/run.py`.

Users make entities and edges at random, cycles and shared prongs among them; they finalise what nothing waits for, at
once or while others run; bodies ask to be called again, or fail.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.errors import CycleError, HocketError
from hocket.graph import Cyclic, Leaf, event_order, induced, rank_or_cycle
from hocket.graph.assemble import Entities
from hocket.kernel import Policy
from hocket.runtime.ecs import OnCompletion, TaskComponent
from hocket.spec import Accepted, Run
from models.ticks import Building, Ticks
from tests.chain.bridge import model_of, recorder
from tests.tick_worlds import WORLDS

SIZE = 6
NODES = list(range(SIZE))


ticking = Ticks.machine(fold=False, Node=NODES)  # compiled once for all examples
building = Building.machine(fold=False, Node=NODES[:4])


@st.composite
def deeds(draw, size=SIZE):
    """Which entities are forks, and edges between them in the order in which somebody makes them."""
    forks = [draw(st.booleans()) for _ in range(size)]
    nodes = st.sampled_from(NODES[:size])
    pairs = st.tuples(st.sampled_from(["join", "add_prong"]), nodes, nodes)
    return forks, draw(st.lists(pairs, max_size=10))


class Body(TaskComponent):
    """Asks so many times to be called again, then is complete or fails; tells the test of each call."""

    def __init__(self, node, asks, fails, tell):
        self.node, self.asks, self.fails, self.tell = node, asks, fails, tell

    def run(self, data):
        self.asks -= 1
        self.tell(self.node, self.asks < 0)
        if self.asks < 0 and self.fails:
            raise RuntimeError(f"{self.node} was to fail")
        return self.asks < 0


class Built:
    """A world, and the same edges as plain values: what the models are given."""

    def __init__(self, world, forks, asks=(0,) * SIZE, fails=(), tell=lambda node, over: None):
        self.world, self.forks, self.stored = world, forks, Entities()
        world.add_runner(Body)
        bodies = [None if fork else Body(n, asks[n], n in fails, tell) for n, fork in enumerate(forks)]
        self.made = [world.make_fork() if body is None else world.make_task(body) for body in bodies]
        for n, body in enumerate(bodies):
            self.stored.make_fork() if body is None else self.stored.make_task(Leaf(body, str(n)))

    def do(self, deed, parent, child):
        """Make an edge; whether the world took it."""
        try:
            getattr(self.world, deed)(self.made[parent], self.made[child])
        except HocketError as error:
            self.refusal = error
            return False
        getattr(self.stored, deed)(parent, child)
        return True

    @property
    def roots(self):
        prongs = {prong for prongs in self.stored.multi.values() for prong in prongs}
        return [
            node for node in range(len(self.made)) if node not in prongs and node not in self.stored.single.values()
        ]

    def given(self, asks, ending):
        return {
            "fork": {node for node in NODES if self.forks[node]},
            "single": set(self.stored.single.items()),
            "prong": {(fork, prong) for fork, prongs in self.stored.multi.items() for prong in prongs},
            "root": set(self.roots),
            "ending": ending,
            "patience": dict(enumerate(asks)),
        }


def _deadlocks(stored):
    try:
        return isinstance(rank_or_cycle(event_order(induced(stored))), Cyclic)
    except CycleError:
        return True


def _with(stored, deed, parent, child):
    """The same edges and one more."""
    more = Entities(
        list(stored.tasks), dict(stored.single), {fork: list(prongs) for fork, prongs in stored.multi.items()}
    )
    getattr(more, deed)(parent, child)
    return more


@settings(max_examples=150, deadline=None)
@given(deeds())
@pytest.mark.parametrize("kind", WORLDS)
def test_an_edge_is_refused_exactly_when_it_would_close_a_circle_in_the_induced_order(kind, made):
    forks, edges = made
    with WORLDS[kind]() as world:
        built = Built(world, forks)
        for deed, parent, child in edges:
            legal = forks[parent] if deed == "add_prong" else parent not in built.stored.single
            circle = legal and _deadlocks(_with(built.stored, deed, parent, child))
            assert built.do(deed, parent, child) == (legal and not circle)
            if circle:
                assert isinstance(built.refusal, CycleError)
            world.check()


@settings(max_examples=60, deadline=None)
@given(deeds(4))
def test_an_edge_is_refused_exactly_when_the_model_of_building_refuses_it(made):
    forks, edges = made
    blank = {"patience": dict.fromkeys(NODES[:4], 0), "ending": dict.fromkeys(NODES[:4], "keep")}
    begun = [("make_fork" if fork else "make_task", node) for node, fork in enumerate(forks)]
    with WORLDS["plain"]() as world:
        built = Built(world, forks)
        for edge in edges:
            again = edge[0] == "add_prong" and edge[2] in built.stored.multi.get(edge[1], ())
            if again:  # the model has no doubled prongs
                continue
            answer = Run(building, blank).accepts([*begun, edge])
            assert isinstance(answer, Accepted) == built.do(*edge), str(answer)
            if isinstance(answer, Accepted):
                begun.append(edge)


class Told:
    """The model's words for what happens in a world: a tick is told if something happened in it."""

    def __init__(self):
        self.trace, self.ticks, self.ran, self.busy = [], 1, {}, False

    def called(self, node, over):
        self.trace.append(("run", node, "done" if over else "again"))
        self.busy = True
        if over:
            self.ran[node] = self.ticks

    def listen(self, world):
        """The manager's word is heard: what it freed, and whether it ended a graph."""
        free, manage, freed = world._ticks.manage, world.manage, []

        def freeing():
            freed[:], closed = free()
            return freed, closed

        def managing():
            finals = len(world._finals)
            looks = manage()
            if self.busy or freed or len(world._finals) < finals:
                self.trace.append(("manage",))
                self.ticks, self.busy = self.ticks + 1, False
            return looks

        world._ticks.manage, world.manage = freeing, managing


@settings(max_examples=100, deadline=None)
@given(deeds(), st.lists(st.integers(0, 2), min_size=SIZE, max_size=SIZE), st.data())
@pytest.mark.parametrize("kind", WORLDS)
def test_every_tick_is_one_of_the_model(kind, made, asks, data):
    forks, edges = made
    ending = data.draw(st.lists(st.sampled_from(["keep", "delete"]), min_size=SIZE, max_size=SIZE))
    together, told = data.draw(st.booleans()), Told()
    with WORLDS[kind]() as world:
        told.listen(world)
        built = Built(world, forks, asks, (), told.called)
        for edge in edges:
            built.do(*edge)
        waiting = built.roots
        while waiting or world._finals:
            resting = world._ticks.at_rest and not world._new
            while waiting and (together or resting or data.draw(st.booleans())):
                root, resting = waiting.pop(), False
                world.finalize(built.made[root], ENDINGS[ending[root]])
                told.trace.append(("finalize", root))
            assert not resting, "something is left that nothing can start"
            world.tick()
            world.check()
        alive = {node for node in NODES if world.is_alive(built.made[node])}
    answer = Run(ticking, built.given(asks, dict(enumerate(ending)))).accepts(told.trace)
    assert isinstance(answer, Accepted), str(answer)
    assert {node: tick for node, tick in answer.state["ran"].items() if tick} == told.ran
    assert answer.state["alive"] == alive
    assert answer.state["ended"] == set(built.roots)
    if together:  # no tick passed in which nothing happened
        assert world.now == answer.state["tick"]


@pytest.mark.parametrize("kind", WORLDS)
def test_a_fork_without_prongs_waits_for_the_fork_that_it_is_a_prong_of(kind):
    """outer comes after task 0 and has the prong hollow, which runs nothing; task 3 comes after hollow."""
    calls = []
    with WORLDS[kind]() as world:
        built = Built(world, [False, True, True, False], tell=lambda node, over: calls.append((world.now, node)))
        for edge in [("join", 2, 0), ("join", 3, 1), ("add_prong", 2, 1)]:
            assert built.do(*edge)
        for root in built.roots:
            world.finalize(built.made[root])
        assert world.run() == 3
    assert calls == [(2, 0), (3, 3)]


ENDINGS = {"keep": OnCompletion.NONE, "delete": OnCompletion.DELETE}


@settings(max_examples=100, deadline=None)
@given(deeds(), st.lists(st.integers(0, 2), min_size=SIZE, max_size=SIZE), st.sets(st.sampled_from(NODES), max_size=2))
@pytest.mark.parametrize("kind", WORLDS)
def test_every_run_is_one_of_the_model_also_with_failures(kind, made, asks, fails):
    forks, edges = made
    events: list[tuple[object, ...]] = []
    with WORLDS[kind](watch=recorder(events, lambda node: node.load.entity - 1)) as world:
        built = Built(world, forks, asks, fails)
        for edge in edges:
            built.do(*edge)
        for root in built.roots:
            world.finalize(built.made[root])
        errors: list[BaseException] = []
        try:
            world.run()
        except RuntimeError as error:
            errors.append(error)
        except BaseExceptionGroup as group:
            errors += group.exceptions
        model = model_of(induced(built.stored), Policy.ISOLATE, cancels=False)
        state = model.start
        for event in events:
            after = model.step(state, event)
            assert after is not None, f"{event} is refused: {model.refusal(state, event)}"
            state = after
        assert model.allowed(state) == ()
        failed = {event[1] for event in events if event[0] == "ran" and event[2] == "failed"}
        assert len(errors) == len(failed)
        assert all(world.task(entity).is_done for entity in built.made)


@pytest.mark.parametrize("kind", WORLDS)
def test_what_a_fork_shares_with_another_graph_waits_until_the_fork_is_finalised_too(kind):
    """2 is a prong of 1, which comes after the fork 0; 4 comes after 2, after 3. Found at random, in the order 4, 1."""
    told = Told()
    with WORLDS[kind]() as world:
        built = Built(world, [True, True, False, False, False, False], [0] * SIZE, (), told.called)
        told.listen(world)
        for edge in [("join", 1, 0), ("join", 2, 3), ("join", 4, 2), ("add_prong", 1, 2)]:
            assert built.do(*edge)
        for root, ticks in ((5, 1), (4, 3), (1, 5)):
            world.finalize(built.made[root], OnCompletion.NONE)
            told.trace.append(("finalize", root))
            for _ in range(ticks):
                world.tick()
    answer = Run(ticking, built.given([0] * SIZE, dict.fromkeys(NODES, "keep"))).accepts(told.trace)
    assert isinstance(answer, Accepted), str(answer)
    assert sorted(told.ran, key=told.ran.__getitem__) == [5, 3, 2, 4]
