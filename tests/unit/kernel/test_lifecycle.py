"""The rows: what is absent is refused, one row at most applies, and the fast tables say what the rows say."""

from __future__ import annotations

from itertools import product

import pytest

from hocket.errors import Refused
from hocket.kernel import Command, Edge, Kernel, Node, Outcome, Phase, Policy, Scope, Stimulus
from hocket.kernel.lifecycle import EDGES, EVENTS, KEEPS, STATES, STOPS, Condition, EventRow, Moment
from hocket.kernel.tables import event_row, settle, state_row, take

ALLOWED = {(row.stimulus, phase) for row in EVENTS for phase in row.phases}
ABSENT = [pair for pair in product(Stimulus, Phase) if pair not in ALLOWED]


def test_nine_of_the_forty_two_pairs_of_stimulus_and_phase_have_a_row():
    assert {
        (Stimulus.ARMED, Phase.IDLE),
        (Stimulus.STARTED, Phase.READY),
        *((body, Phase.RUNNING) for body in (Stimulus.SPLIT, Stimulus.RETURNED, Stimulus.RAISED, Stimulus.PENDED)),
        *((Stimulus.CANCELLED, phase) for phase in (Phase.IDLE, Phase.WAITING, Phase.READY)),
    } == ALLOWED
    assert len(ABSENT) == 42 - 9


def kernel_with_a_node_in(phase: Phase) -> tuple[Kernel, Node]:
    """A node brought to a phase by stimuli alone, with neighbours on every side where the phase admits them."""
    kernel = Kernel()
    before, after, child, inner = (kernel.add(name) for name in ("before", "after", "child", "inner"))
    node = kernel.add("node")
    kernel.link(Edge.AFTER, before, node)
    kernel.link(Edge.AFTER, node, after)
    kernel.link(Edge.INSIDE, node, inner)
    if phase is not Phase.CLOSED:
        kernel.link(Edge.HOLD, child, node)
    steps = {
        Phase.IDLE: [],
        Phase.WAITING: [(Stimulus.ARMED, node)],
        Phase.READY: [*_ran(before), (Stimulus.ARMED, node)],
        Phase.RUNNING: [*_ran(before), *_ran(node)[:2]],
        Phase.DRAINING: [*_ran(before), *_ran(node)],
        Phase.CLOSED: [*_ran(before), *_ran(node)],
    }
    for stimulus, target in steps[phase]:
        kernel.receive(stimulus, target)
    assert node.phase is phase
    return kernel, node


def _ran(node):
    return [(Stimulus.ARMED, node), (Stimulus.STARTED, node), (Stimulus.RETURNED, node)]


def snapshot(kernel: Kernel, *also: Node):
    """Everything that a kernel and its nodes hold, lists copied."""
    nodes = [*kernel.nodes, *also]
    fields = [slot for slot in Node.__slots__ if slot != "scope"]
    return (
        [id(node) for node in nodes],
        [[_copied(getattr(node, field)) for field in fields] for node in nodes],
        [(node.scope.stopped, list(node.scope.open)) for node in nodes],
        [list(kernel._agenda), list(kernel.commands)],
    )


def _copied(value):
    return list(value) if isinstance(value, list) else value


@pytest.mark.parametrize(("stimulus", "phase"), ABSENT, ids=lambda value: value.name.lower())
def test_a_stimulus_without_a_row_is_refused_and_changes_nothing(stimulus, phase):
    kernel, node = kernel_with_a_node_in(phase)
    before = snapshot(kernel, node)
    with pytest.raises(Refused) as caught:
        kernel.receive(stimulus, node)
    assert snapshot(kernel, node) == before
    assert (caught.value.thing, caught.value.did, caught.value.state) == (
        "node",
        stimulus.name.lower(),
        phase.name.lower(),
    )
    expected = " or ".join(p.name.lower() for row in EVENTS if row.stimulus is stimulus for p in row.phases)
    assert caught.value.expected == expected
    kernel.check()


@pytest.mark.parametrize(("stimulus", "phase"), sorted(ALLOWED), ids=lambda value: value.name.lower())
def test_a_stimulus_with_a_row_is_taken_and_all_adds_up_after_it(stimulus, phase):
    kernel, node = kernel_with_a_node_in(phase)
    kernel.receive(stimulus, node)
    kernel.check()


def test_the_event_table_is_the_rows():
    for stimulus, phase in product(Stimulus, Phase):
        rows = [row for row in EVENTS if row.stimulus is stimulus and phase in row.phases]
        assert [row for row in [event_row[stimulus][phase]] if row is not None] == rows


FIELDS = sorted({condition.field for condition in Condition})


def nodes_standing_everywhere():
    """A node for each phase and each combination of what conditions ask for."""
    values = {
        "start": (0, 1, 2),
        "hurt": (None, Node("cause", True, Scope())),
        "bodied": (False, True),
        "bodies": (0, 1, 2),
        "children": (0, 1, 2),
        "fate": tuple(Outcome),
        "bereft": (None, Node("child", True, Scope())),
    }
    assert sorted(values) == FIELDS
    for phase, *chosen in product(Phase, *values.values()):
        node = Node("node", True, Scope())
        node.phase = phase
        for field, value in zip(values, chosen, strict=True):
            setattr(node, field, value)
        yield node


def applies(row, node) -> bool:
    """A row read slowly."""
    return row.phase is node.phase and all(
        bool(getattr(node, condition.field)) == condition.holds_when for condition in row.when
    )


def test_in_every_standing_at_most_one_row_applies_and_the_fast_reader_finds_it():
    counts = {0: 0, 1: 0}
    for node in nodes_standing_everywhere():
        rows = [row for row in STATES if applies(row, node)]
        counts[len(rows)] += 1  # a KeyError here is two rows at once
        found = state_row(node)
        assert ([] if found is None else [found]) == rows
    # 6 phases × 3·2·2·3·3·4·2 = 864 standings. WAITING: start 0 is 288, and each falls under one of its three rows;
    # RUNNING: bodies 0 is 288; DRAINING: children 0 is 288, lost or finished or bereft.
    assert counts == {1: 3 * 288, 0: 6 * 864 - 3 * 288}


class Told:
    """A kernel that writes down what is asked of it."""

    def __init__(self) -> None:
        self.commands, self.deeds, self.watch = [], [], print

    def __getattr__(self, deed):
        return lambda node: self.deeds.append((deed, node.phase, node.fate))


def read_slowly(row, node, told) -> None:
    """What one row says is to be done, field by field."""
    if isinstance(row, EventRow):
        node.bodies += row.bodies
        node.start -= row.token
    if row.to is not None:
        node.phase = row.to
    if row.fate is not None:
        node.fate = row.fate
    if row.command is not None:
        told.commands.append((row.command, node))
    if row.opens:
        node.opened = True
        told.opened(node)
    if row.to is Phase.DRAINING:
        told.ended(node)
    if row.to is Phase.CLOSED:
        told.closed(node)
    if isinstance(row, EventRow) and row.token and node.scope.stopped is not None:
        told.armed(node)


FIELDS_AND_PHASE = ("phase", "opened", *FIELDS)


def _twice(node, fast, slow):
    """What two readings make of a node, each from the same standing."""
    before = {field: getattr(node, field) for field in FIELDS_AND_PHASE}
    results = []
    for reading in (fast, slow):
        for field, value in before.items():
            setattr(node, field, value)
        told = Told()
        answer = reading(told, node)
        results.append((answer, told.commands, told.deeds, [getattr(node, field) for field in FIELDS_AND_PHASE]))
    return results


def test_settling_does_what_the_rows_say_read_one_by_one():
    def slowly(told, node):
        while rows := [row for row in STATES if applies(row, node)]:
            read_slowly(rows[0], node, told)

    moved = 0
    for node in nodes_standing_everywhere():
        fast, slow = _twice(node, settle, slowly)
        assert fast == slow
        moved += bool(fast[2] or fast[1])
    assert moved == 3 * 288


def test_taking_a_stimulus_does_what_its_row_says():
    taken = 0
    for stimulus in Stimulus:

        def slowly(told, node, stimulus=stimulus):
            rows = [row for row in EVENTS if row.stimulus is stimulus and node.phase in row.phases]
            for row in rows:
                read_slowly(row, node, told)
            return bool(rows)

        for node in nodes_standing_everywhere():
            fast, slow = _twice(node, take[stimulus], slowly)
            assert fast == slow
            taken += fast[0]
    assert taken == 9 * 864


def test_a_row_leads_on_and_never_back():
    for row in STATES:
        assert row.to > row.phase
    for row in EVENTS:
        assert row.to is None or all(row.to > phase for phase in row.phases)


def test_every_way_of_closing_says_so_to_the_driver_and_has_an_outcome():
    for row in STATES:
        assert (row.to is Phase.CLOSED) == (row.command is Command.SETTLE)
    closing = [row for row in STATES if row.to is Phase.CLOSED]
    assert [row.fate for row in closing if Condition.UNFATED in row.when] == [Outcome.FINISHED, Outcome.FAILED]


def test_every_edge_has_a_row_and_every_policy_a_word_on_it():
    assert set(EDGES) == set(Edge)
    assert set(KEEPS) == set(STOPS) == set(Policy)
    assert {edge: row.moment for edge, row in EDGES.items()} == {
        Edge.AFTER: Moment.CLOSE,
        Edge.INSIDE: Moment.OPEN,
        Edge.HOLD: Moment.CLOSE,
    }
    for policy in Policy:  # INSIDE asks for an opening, not for an outcome
        assert set(KEEPS[policy]) == {Edge.AFTER, Edge.HOLD}
        assert Outcome.FINISHED in KEEPS[policy][Edge.AFTER] & KEEPS[policy][Edge.HOLD]


@pytest.mark.parametrize("edge", Edge, ids=lambda edge: edge.value)
@pytest.mark.parametrize("phase", Phase, ids=lambda phase: phase.name.lower())
def test_an_edge_is_taken_by_the_phases_of_its_row_and_refused_by_all_others(edge, phase):
    kernel, node = kernel_with_a_node_in(phase)
    source = kernel.add("source")
    before = snapshot(kernel, node)
    if phase in EDGES[edge].targets:
        kernel.link(edge, source, node)
        assert snapshot(kernel, node) != before
    else:
        with pytest.raises(Refused, match=f"'node' was told to wait for 'source' \\({edge.value}\\)"):
            kernel.link(edge, source, node)
        assert snapshot(kernel, node) == before
    kernel.check()


def test_three_phases_refuse_what_five_take():
    late = {edge: len(Phase) - len(row.targets) for edge, row in EDGES.items()}
    assert late == {Edge.AFTER: 5, Edge.INSIDE: 5, Edge.HOLD: 1}
