"""The kernel on graphs that one can hold in the head: edges, policies, cancelling, cycles; and on long chains."""

from __future__ import annotations

import os
from itertools import pairwise

import pytest

from hocket.errors import CycleError, Refused
from hocket.kernel import Command, Edge, Kernel, Outcome, Phase, Policy, Scope, Stimulus
from hocket.kernel import kernel as kernel_module
from hocket.kernel import story as story_module
from hocket.kernel.lifecycle import Moment
from tests.unit.kernel.test_lifecycle import snapshot

FINISHED, FAILED, SKIPPED, CANCELLED = Outcome
LONG = 1_000_000 if os.environ.get("HOCKET_WHOLE") else 100_000  # either is far deeper than Python recurses


class Play:
    """A kernel whose nodes have names and whose watcher writes down what happens."""

    def __init__(self, names: str, policy: Policy = Policy.ISOLATE, bodiless: str = "") -> None:
        self.told: list[str] = []
        self.kernel = Kernel(policy, lambda moment, node: self.told.append(f"{moment.name.lower()} {node.name}"))
        self.node = {name: self.kernel.add(name, name not in bodiless) for name in names}

    def link(self, edge: Edge, source: str, target: str) -> Play:
        self.kernel.link(edge, self.node[source], self.node[target])
        return self

    def tell(self, stimulus: Stimulus, *names: str) -> list[str]:
        """What the kernel commanded, as words."""
        commands = []
        for name in names:
            commands += self.kernel.receive(stimulus, self.node[name])
            self.kernel.check()
        return [f"{command.name.lower()} {node.name}" for command, node in commands]

    def arm(self, names: str) -> list[str]:
        return self.tell(Stimulus.ARMED, *names)

    def do(self, name: str, end: Stimulus = Stimulus.RETURNED) -> list[str]:
        return self.tell(Stimulus.STARTED, name) + self.tell(end, name)

    def fail(self, name: str) -> list[str]:
        return self.do(name, Stimulus.RAISED)

    def outcomes(self) -> dict[str, Outcome | None]:
        return {name: node.outcome for name, node in self.node.items()}


AFTER, INSIDE, HOLD = Edge.AFTER, Edge.INSIDE, Edge.HOLD


# -- one task, and each kind of edge -----------------------------------------------------------------------------------


def test_one_task_goes_through_its_life():
    play = Play("a")
    assert [play.arm("a"), play.do("a"), play.told] == [["run a"], ["settle a"], ["open a", "ran a", "close a"]]
    assert not play.kernel.nodes


def test_after_waits_for_the_close():
    play = Play("abc").link(AFTER, "a", "b").link(HOLD, "c", "a")
    assert play.arm("abc") == ["run a", "run c"]
    assert play.do("a") == []  # held by its child
    assert play.do("c") == ["settle c", "settle a", "run b"]


def test_inside_waits_for_the_open_alone():
    play = Play("ab").link(INSIDE, "a", "b")
    assert play.arm("ab") == ["run a"]
    assert play.tell(Stimulus.STARTED, "a") == ["run b"]
    assert play.do("b") == ["settle b"]
    assert play.tell(Stimulus.RETURNED, "a") == ["settle a"]


def test_hold_keeps_the_close_back_and_nothing_else():
    play = Play("pc").link(HOLD, "c", "p")
    assert play.arm("pc") == ["run p", "run c"]
    assert play.do("c") == ["settle c"]
    assert play.do("p") == ["settle p"]


def test_a_child_holds_back_its_parents_successors():
    play = Play("pcs").link(HOLD, "c", "p").link(INSIDE, "p", "c").link(AFTER, "p", "s")
    play.arm("pcs")
    assert [play.do("p"), play.do("c")] == [["run c"], ["settle c", "settle p", "run s"]]


def test_nested_forks_close_inside_out_ch_x3():
    play = Play("pfg").link(HOLD, "f", "p").link(HOLD, "g", "f")
    play.arm("pfg")
    assert [play.do("p"), play.do("f"), play.do("g")] == [[], [], ["settle g", "settle f", "settle p"]]


def test_an_edge_that_is_said_twice_counts_twice_and_is_released_twice():
    play = Play("ab").link(AFTER, "a", "b").link(AFTER, "a", "b")
    assert play.node["b"].start == 3
    assert [play.arm("ab"), play.do("a")] == [["run a"], ["settle a", "run b"]]


def test_a_task_waits_for_its_handle_as_well():
    play = Play("ab").link(AFTER, "a", "b")
    play.arm("a")
    assert play.do("a") == ["settle a"]
    assert play.arm("b") == ["run b"]


def test_a_bodiless_task_opens_and_closes_without_a_command_to_run():
    play = Play("afb", bodiless="f").link(AFTER, "a", "f").link(AFTER, "f", "b")
    assert play.arm("afb") == ["run a"]
    assert play.do("a") == ["settle a", "settle f", "run b"]
    assert play.told == ["open a", "ran a", "close a", "open f", "ran f", "close f"]


def test_a_fork_opens_its_prongs_and_waits_for_them():
    play = Play("tFxyu", bodiless="F").link(AFTER, "t", "F").link(AFTER, "F", "u")
    for prong in "xy":
        play.link(INSIDE, "F", prong).link(HOLD, prong, "F")
    assert play.arm("tFxyu") == ["run t"]
    assert play.do("t") == ["settle t", "run x", "run y"]
    assert play.do("x") == ["settle x"]
    assert play.do("y") == ["settle y", "settle F", "run u"]


def test_a_split_task_is_over_when_all_its_bodies_are():
    play = Play("m")
    play.arm("m")
    assert play.tell(Stimulus.STARTED, "m") == []
    assert play.tell(Stimulus.SPLIT, "m", "m") == ["resume m", "resume m"]
    assert play.tell(Stimulus.RETURNED, "m", "m") == []
    assert play.told == ["open m"]
    assert play.tell(Stimulus.RETURNED, "m") == ["settle m"]


def test_one_failed_body_of_many_fails_the_task_after_the_last_is_over():
    play = Play("m")
    play.arm("m")
    play.tell(Stimulus.STARTED, "m")
    play.tell(Stimulus.SPLIT, "m")
    assert play.tell(Stimulus.RAISED, "m") == []
    assert play.tell(Stimulus.RETURNED, "m") == ["settle m"]
    assert play.outcomes() == {"m": FAILED}


def test_a_pending_body_is_called_again_and_again():
    play = Play("p")
    play.arm("p")
    play.tell(Stimulus.STARTED, "p")
    assert play.tell(Stimulus.PENDED, "p", "p", "p") == ["resume p"] * 3
    assert play.tell(Stimulus.RETURNED, "p") == ["settle p"]


def test_dependents_are_released_in_the_order_in_which_they_were_linked():
    play = Play("azyx")
    for name in "zyx":
        play.link(AFTER, "a", name)
    play.arm("xyza")
    assert play.do("a") == ["settle a", "run z", "run y", "run x"]


# -- failures under each policy ----------------------------------------------------------------------------------------


def _by_name(said: str) -> dict[str, Outcome]:
    return {name: Outcome[outcome.upper()] for name, outcome in (pair.split(":") for pair in said.split())}


def _family(policy: Policy) -> Play:
    """a fails; d after a, e after d; p holds a and b; q after p; r is apart, and running when a fails; s is apart."""
    play = Play("adepbqrs", policy)
    play.link(AFTER, "a", "d").link(AFTER, "d", "e").link(HOLD, "a", "p").link(HOLD, "b", "p").link(AFTER, "p", "q")
    play.arm("adepbqrs")
    play.do("p")
    play.tell(Stimulus.STARTED, "r")
    play.fail("a")
    for name in "bs":
        if play.node[name].phase is Phase.READY:
            play.do(name)
    play.tell(Stimulus.RETURNED, "r")
    if play.node["q"].phase is Phase.READY:
        play.do("q")
    return play


@pytest.mark.parametrize(
    ("policy", "outcomes"),
    [
        # dependents are skipped, parents fail when all their children have closed, the rest goes on
        (Policy.ISOLATE, _by_name("a:failed d:skipped e:skipped p:failed b:finished q:skipped r:finished s:finished")),
        # and what has not started is cancelled, at once, before anything could skip it; what runs goes on
        (
            Policy.FAIL_FAST,
            _by_name("a:failed d:cancelled e:cancelled p:failed b:cancelled q:cancelled r:finished s:cancelled"),
        ),
        # dependents are skipped, and parents do not mind
        (
            Policy.BRANCH,
            _by_name("a:failed d:skipped e:skipped p:finished b:finished q:finished r:finished s:finished"),
        ),
    ],
    ids=lambda value: value.value if isinstance(value, Policy) else "",
)
def test_a_failure_has_exactly_these_consequences(policy, outcomes):
    play = _family(policy)
    assert play.outcomes() == outcomes
    assert not play.kernel.nodes


def test_a_parent_fails_only_when_all_its_children_have_closed():
    play = Play("pab").link(HOLD, "a", "p").link(HOLD, "b", "p")
    play.arm("pab")
    play.do("p")
    assert play.fail("a") == ["settle a"]
    assert play.node["p"].outcome is None
    assert play.do("b") == ["settle b", "settle p"]
    assert play.outcomes() == {"p": FAILED, "a": FAILED, "b": FINISHED}


def test_a_stop_is_not_sticky():
    play = Play("ab", Policy.FAIL_FAST)
    play.arm("ab")
    play.fail("a")
    assert play.outcomes() == {"a": FAILED, "b": CANCELLED}
    play.node["c"] = play.kernel.add("c")
    assert play.arm("c") == ["run c"]
    assert [play.do("c"), play.node["c"].outcome] == [["settle c"], FINISHED]


def test_what_is_armed_into_a_stopped_scope_is_cancelled_and_what_is_idle_stays():
    play = Play("abc", Policy.FAIL_FAST)
    play.arm("ab")
    play.tell(Stimulus.STARTED, "b")
    play.fail("a")
    assert (play.node["c"].phase, play.node["b"].phase) == (Phase.IDLE, Phase.RUNNING)
    assert play.arm("c") == ["settle c"]
    play.tell(Stimulus.RETURNED, "b")
    assert play.outcomes() == {"a": FAILED, "b": FINISHED, "c": CANCELLED}


def test_a_stop_is_of_its_own_scope():
    kernel = Kernel()
    one, other = Scope("one", Policy.FAIL_FAST), Scope("other", Policy.FAIL_FAST)
    nodes = [kernel.add(name, scope=scope) for name, scope in (("a", one), ("b", one), ("c", other), ("d", None))]
    for node in nodes:
        kernel.receive(Stimulus.ARMED, node)
    kernel.receive(Stimulus.STARTED, nodes[0])
    kernel.receive(Stimulus.RAISED, nodes[0])
    kernel.check()
    assert [node.outcome for node in nodes] == [FAILED, CANCELLED, None, None]
    assert list(kernel.nodes) == [nodes[3], nodes[2]]


def test_who_would_have_opened_inside_a_lost_task_is_skipped_with_all_that_follows():
    play = Play("apcd", bodiless="p").link(AFTER, "a", "p").link(INSIDE, "p", "c").link(HOLD, "c", "p")
    play.link(AFTER, "c", "d").arm("apcd")
    assert play.fail("a") == ["settle a", "settle c", "settle d", "settle p"]
    assert play.outcomes() == {"a": FAILED, "p": SKIPPED, "c": SKIPPED, "d": SKIPPED}
    assert play.told == ["open a", "ran a", "close a", "close c", "close d", "close p"]


def test_what_opened_inside_a_task_that_fails_later_is_kept():
    play = Play("pc").link(INSIDE, "p", "c")
    play.arm("pc")
    play.fail("p")
    assert [play.do("c"), play.outcomes()] == [["settle c"], {"p": FAILED, "c": FINISHED}]


# -- links to what has happened already --------------------------------------------------------------------------------


def test_a_link_to_a_finished_task_counts_for_nothing_ch_x6():
    for edge in Edge:
        play = Play("ab")
        play.arm("a")
        play.do("a")
        play.link(edge, "a", "b")
        assert [play.arm("b"), play.do("b"), play.outcomes()["b"]] == [["run b"], ["settle b"], FINISHED]


@pytest.mark.parametrize(
    ("edge", "policy", "outcome"),
    [
        (AFTER, Policy.ISOLATE, SKIPPED),
        (AFTER, Policy.BRANCH, SKIPPED),
        (AFTER, Policy.FAIL_FAST, SKIPPED),
        (HOLD, Policy.ISOLATE, FAILED),
        (HOLD, Policy.FAIL_FAST, FAILED),
        (HOLD, Policy.BRANCH, FINISHED),
        (INSIDE, Policy.ISOLATE, FINISHED),
        (INSIDE, Policy.BRANCH, FINISHED),
        (INSIDE, Policy.FAIL_FAST, FINISHED),
    ],
)
def test_a_link_to_a_failed_task_is_a_loss_where_the_policy_says_so(edge, policy, outcome):
    play = Play("a", policy)
    play.arm("a")
    play.fail("a")
    play.node["b"] = play.kernel.add("b")
    play.link(edge, "a", "b").arm("b")
    if play.node["b"].phase is Phase.READY:
        play.do("b")
    assert play.outcomes()["b"] is outcome


def test_a_link_inside_a_task_that_never_opened_is_a_loss():
    play = Play("abc").link(HOLD, "c", "a")
    play.tell(Stimulus.CANCELLED, "a")  # held by c, so it is draining
    assert play.node["a"].phase is Phase.DRAINING
    play.link(INSIDE, "a", "b")
    assert play.arm("b") == ["settle b"]
    play.arm("c"), play.do("c")
    assert play.outcomes() == {"a": CANCELLED, "b": SKIPPED, "c": FINISHED}


def test_a_running_task_may_be_given_children_and_a_drained_one_too():
    play = Play("pcd")
    play.arm("pcd")
    play.tell(Stimulus.STARTED, "p")
    play.link(HOLD, "c", "p")
    assert play.tell(Stimulus.RETURNED, "p") == []
    play.link(HOLD, "d", "p")
    assert [play.do("c"), play.do("d")] == [["settle c"], ["settle d", "settle p"]]


# -- cycles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("links", "last", "cycle"),
    [
        ([], (AFTER, "a", "a"), {"a"}),
        ([], (HOLD, "a", "a"), {"a"}),
        ([], (INSIDE, "a", "a"), {"a"}),
        ([(AFTER, "a", "b")], (AFTER, "b", "a"), {"a", "b"}),
        ([(HOLD, "a", "b")], (AFTER, "b", "a"), {"a", "b"}),
        ([(HOLD, "a", "b")], (HOLD, "b", "a"), {"a", "b"}),
        ([(INSIDE, "a", "b"), (AFTER, "b", "c")], (AFTER, "c", "a"), {"a", "b", "c"}),
        ([(AFTER, "a", "b"), (AFTER, "b", "c"), (HOLD, "c", "d")], (AFTER, "d", "a"), {"a", "b", "c", "d"}),
    ],
    ids=["self", "own child", "inside itself", "p14", "p16", "p20", "through inside", "through a parent"],
)
def test_an_edge_that_closes_a_cycle_is_refused_with_the_names_and_changes_nothing(links, last, cycle):
    play = Play("abcd")
    for link in links:
        play.link(*link)
    before = snapshot(play.kernel)
    with pytest.raises(CycleError) as caught:
        play.link(*last)
    assert set(caught.value.cycle) == cycle
    assert snapshot(play.kernel) == before


def test_what_looks_like_a_cycle_between_opens_and_closes_is_allowed():
    play = Play("pc").link(INSIDE, "p", "c").link(HOLD, "c", "p")  # a fork: within, from both ends
    play.arm("pc")
    assert [play.do("p"), play.do("c")] == [["run c"], ["settle c", "settle p"]]


# -- cancelling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["idle", "waiting", "ready"])
def test_what_has_not_started_can_be_cancelled(phase):
    play = Play("abc").link(AFTER, "b", "c")
    if phase == "waiting":
        play.link(AFTER, "a", "b")
    play.arm("c")
    if phase != "idle":
        play.arm("b")
    assert str(play.node["b"].phase) == phase
    assert play.tell(Stimulus.CANCELLED, "b") == ["settle b", "settle c"]
    assert (play.node["b"].outcome, play.node["c"].outcome) == (CANCELLED, SKIPPED)
    play.arm("a")
    play.do("a")  # and releases nobody
    assert not play.kernel.nodes


def test_a_cancelled_parent_waits_for_its_children_all_the_same():
    play = Play("pc").link(HOLD, "c", "p")
    play.arm("pc")
    assert play.tell(Stimulus.CANCELLED, "p") == []
    assert play.do("c") == ["settle c", "settle p"]
    assert play.outcomes() == {"p": CANCELLED, "c": FINISHED}


def test_cancelling_a_task_twice_is_refused():
    play = Play("ab").link(HOLD, "b", "a")
    play.tell(Stimulus.CANCELLED, "a")
    with pytest.raises(Refused, match="'a' was cancelled but it is draining; expected: idle or waiting or ready"):
        play.tell(Stimulus.CANCELLED, "a")


# -- a hundred thousand tasks, or a million, and what an edge costs ----------------------------------------------------


def _chain(length: int):
    kernel = Kernel()
    nodes = [kernel.add("x") for _ in range(length)]
    for earlier, later in pairwise(nodes):
        kernel.link(Edge.AFTER, earlier, later)
    return kernel, nodes


def test_a_long_chain_is_skipped_in_one_stimulus_without_recursion():
    kernel, nodes = _chain(LONG)
    for node in nodes:
        kernel.receive(Stimulus.ARMED, node)
    kernel.receive(Stimulus.STARTED, nodes[0])
    settled = kernel.receive(Stimulus.RAISED, nodes[0])
    assert len(settled) == LONG
    assert {node.outcome for node in nodes[1:]} == {SKIPPED}
    assert kernel.story(nodes[-1]).count("because") == 2  # the nearest loss and the first
    assert not kernel.nodes


def test_a_long_chain_of_bodiless_tasks_finishes_in_one_stimulus_without_recursion():
    kernel = Kernel()
    nodes = [kernel.add("x", bodied=False) for _ in range(LONG)]
    for earlier, later in pairwise(nodes):
        kernel.link(Edge.AFTER, earlier, later)
    for node in reversed(nodes[1:]):
        kernel.receive(Stimulus.ARMED, node)
    assert len(kernel.receive(Stimulus.ARMED, nodes[0])) == LONG
    assert not kernel.nodes


def test_parents_nested_100_000_deep_close_inside_out_in_one_stimulus():
    kernel = Kernel()
    nodes = [kernel.add("x", bodied=False) for _ in range(100_000)]
    for parent, child in pairwise(nodes):
        kernel.link(Edge.HOLD, child, parent)
    for node in nodes[:-1]:
        assert not kernel.receive(Stimulus.ARMED, node)
    settled = kernel.receive(Stimulus.ARMED, nodes[-1])
    assert [node for _, node in settled] == nodes[::-1]


@pytest.mark.parametrize("shape", ["chain", "fan", "layers"])
def test_each_task_and_each_edge_is_looked_at_a_bounded_number_of_times(shape, monkeypatch):
    """Counted, not timed: besides its three stimuli, a task is looked at once, when its last wait is over."""
    size = 1_000
    edges = {
        "chain": [(n, n + 1) for n in range(size - 1)],
        "fan": [(0, n) for n in range(1, size)],
        "layers": [(n, m) for n in range(size) for m in range(n // 10 * 10 + 10, min(n // 10 * 10 + 20, size))],
    }[shape]
    looked = 0
    settle = kernel_module.settle

    def counting(kernel, node):
        nonlocal looked
        looked += 1
        settle(kernel, node)

    monkeypatch.setattr(kernel_module, "settle", counting)
    kernel = Kernel()
    nodes = [kernel.add("x") for _ in range(size)]
    for one, other in edges:
        kernel.link(Edge.AFTER, nodes[one], nodes[other])
    ready = [node for each in nodes for _, node in kernel.receive(Stimulus.ARMED, each)]
    for node in ready:
        kernel.receive(Stimulus.STARTED, node)
        ready += [other for command, other in kernel.receive(Stimulus.RETURNED, node) if command is Command.RUN]
    assert not kernel.nodes
    waiting = len({other for _, other in edges})
    assert looked == waiting


def test_each_released_edge_costs_one_step_however_many_there_are():
    kernel = Kernel()
    hub, rest = kernel.add("hub"), [kernel.add("x") for _ in range(1_000)]
    for node in rest:
        for _ in range(3):
            kernel.link(Edge.AFTER, hub, node)
        kernel.receive(Stimulus.ARMED, node)
    assert len(hub.after) == 3_000
    kernel.receive(Stimulus.ARMED, hub)
    kernel.receive(Stimulus.STARTED, hub)
    commands = kernel.receive(Stimulus.RETURNED, hub)
    assert [command for command, _ in commands] == [Command.SETTLE] + [Command.RUN] * 1_000


@pytest.mark.parametrize("order", ["forwards", "backwards"])
@pytest.mark.parametrize("edge", Edge, ids=lambda edge: edge.value)
def test_linking_a_chain_searches_for_cycles_nowhere(edge, order, monkeypatch):
    """A link that touches a node without neighbours cannot close a cycle, and no search is begun."""
    monkeypatch.setattr(story_module, "_following", None)
    kernel = Kernel()
    nodes = [kernel.add("x") for _ in range(1_000)]
    pairs = list(pairwise(nodes))
    for one, other in pairs if order == "forwards" else reversed(pairs):
        kernel.link(edge, one, other)
    with pytest.raises(TypeError, match="'NoneType' object is not callable"):  # what could close one is searched for
        kernel.link(edge, nodes[-1], nodes[0])


def test_a_watcher_is_told_each_moment_once_and_in_order():
    play = _family(Policy.ISOLATE)
    for name, node in play.node.items():
        moments = [told.split()[0] for told in play.told if told.endswith(f" {name}")]
        assert moments == (["open", "ran", "close"] if node.opened else ["close"])
    assert [moment.name.lower() for moment in Moment] == ["open", "ran", "close"]
