"""The kernel under anything that a driver may say, in any order, with every invariant counted again after each step."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hocket.errors import CycleError, Refused
from hocket.kernel import Command, Edge, Kernel, Node, Outcome, Phase, Policy, Stimulus
from hocket.kernel.lifecycle import EDGES, Moment
from hocket.kernel.tables import event_row
from tests.unit.kernel.test_lifecycle import snapshot

OPEN, RAN, CLOSE = Moment


class KernelUnderRandomDrivers(RuleBasedStateMachine):
    """Nodes, links and stimuli at random; beside the kernel's own `check()`, a history that knows of no counter."""

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[Node, list[Moment]] = {}
        self.links: list[tuple[Edge, Node, Node, bool]] = []  # and whether the source's moment was past already
        self.commanded: dict[Node, list[Command]] = {}
        self.kernel = Kernel(watch=self.watch)

    def watch(self, moment: Moment, node: Node) -> None:
        self.history[node].append(moment)

    def ask(self, stimulus: Stimulus, node: Node) -> None:
        row, before = event_row[stimulus][node.phase], snapshot(self.kernel, *self.history)
        try:
            commands = self.kernel.receive(stimulus, node)
        except Refused:
            assert row is None
            assert snapshot(self.kernel, *self.history) == before
            return
        assert row is not None
        for command, told in commands:
            self.commanded[told].append(command)

    def pick(self, data: st.DataObject, phase: Phase | None = None) -> Node | None:
        nodes = [node for node in self.history if phase is None or node.phase is phase]
        return data.draw(st.sampled_from(nodes)) if nodes else None

    @rule(policy=st.sampled_from(Policy))
    @precondition(lambda self: not self.history)
    def choose_a_policy(self, policy):
        self.kernel = Kernel(policy, self.watch)

    @rule(bodied=st.booleans())
    @precondition(lambda self: len(self.history) < 10)
    def add(self, bodied):
        node = self.kernel.add(f"n{len(self.history)}", bodied)
        self.history[node], self.commanded[node] = [], []

    @rule(data=st.data(), edge=st.sampled_from(Edge))
    @precondition(lambda self: self.history)
    def link(self, data, edge):
        source, target = self.pick(data), self.pick(data)
        before = snapshot(self.kernel, *self.history)
        past = EDGES[edge].moment in self.history[source]
        try:
            self.kernel.link(edge, source, target)
        except CycleError:
            assert snapshot(self.kernel, *self.history) == before
        except Refused:
            assert target.phase not in EDGES[edge].targets
            assert snapshot(self.kernel, *self.history) == before
        else:
            self.links.append((edge, source, target, past))

    @rule(data=st.data())
    @precondition(lambda self: self.history)
    def link_idle_ones(self, data):
        edge, target = data.draw(st.sampled_from(Edge)), self.pick(data, Phase.IDLE)
        if target is not None:
            source = self.pick(data)
            past = EDGES[edge].moment in self.history[source]
            try:
                self.kernel.link(edge, source, target)
            except CycleError:
                return
            self.links.append((edge, source, target, past))

    @rule(data=st.data(), stimulus=st.sampled_from(Stimulus))
    @precondition(lambda self: self.history)
    def tell_anything(self, data, stimulus):
        self.ask(stimulus, self.pick(data))

    @rule(data=st.data())
    def arm(self, data):
        if (node := self.pick(data, Phase.IDLE)) is not None:
            self.ask(Stimulus.ARMED, node)

    @rule(data=st.data())
    def start(self, data):
        if (node := self.pick(data, Phase.READY)) is not None:
            self.ask(Stimulus.STARTED, node)

    @rule(data=st.data(), how=st.sampled_from([Stimulus.RETURNED, Stimulus.RETURNED, Stimulus.RAISED]))
    def end(self, data, how):
        if (node := self.pick(data, Phase.RUNNING)) is not None:
            self.ask(how, node)

    @invariant()
    def counters_count_what_they_stand_for(self):
        self.kernel.check()
        assert set(self.kernel.nodes) == {node for node in self.history if node.phase is not Phase.CLOSED}

    @invariant()
    def each_moment_happens_once_and_in_order(self):
        for node, moments in self.history.items():
            possible = [[], [OPEN], [OPEN, RAN], [OPEN, RAN, CLOSE], [CLOSE]]
            assert moments in possible
            assert (CLOSE in moments) == (node.outcome is not None)

    @invariant()
    def no_edge_is_broken(self):
        for edge, source, target, past in self.links:
            if past or EDGES[edge].moment in self.history[source]:
                continue
            if edge is Edge.HOLD:
                assert CLOSE not in self.history[target], f"{target} closed before its child {source}"
            else:
                assert OPEN not in self.history[target], f"{target} opened before {source} allowed it"

    @invariant()
    def losses_go_where_they_must(self):
        for edge, source, target, _ in self.links:
            if edge is Edge.AFTER and source.outcome not in (None, Outcome.FINISHED):
                assert OPEN not in self.history[target]

    @invariant()
    def a_driver_is_told_to_run_once_and_to_settle_once_and_last(self):
        for node, commands in self.commanded.items():
            assert commands.count(Command.RUN) <= 1
            assert commands.count(Command.SETTLE) == (node.outcome is not None)
            assert Command.SETTLE not in commands[:-1]

    def teardown(self):
        """From anywhere, a driver that goes on brings everything to its close: nothing can be stuck."""
        while self.kernel.nodes:
            step = {Phase.IDLE: Stimulus.ARMED, Phase.READY: Stimulus.STARTED, Phase.RUNNING: Stimulus.RETURNED}
            open_ones = [node for node in self.kernel.nodes if node.phase in step]
            assert open_ones, f"stuck: {list(self.kernel.nodes)}"
            self.ask(step[open_ones[0].phase], open_ones[0])
        self.each_moment_happens_once_and_in_order()
        self.a_driver_is_told_to_run_once_and_to_settle_once_and_last()


TestKernelUnderRandomDrivers = KernelUnderRandomDrivers.TestCase
TestKernelUnderRandomDrivers.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
