"""The kernel does what running a graph means, on every small graph, in every schedule, with every failure.

Counts are of pairs (state of the kernel, state of the model), and of what the environment may do in them. By hand for
one task: with a body it is ready, running, finished or failed (4 states, 3 deeds), without one it is finished at once
(1 state, no deed): 5 and 3. Larger ones are pinned as found; a change in one of them is a change of meaning.
`python -m tests.chain.bridge 4` goes through all 172,717 graphs of four tasks.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from hocket.kernel import Policy, tables
from hocket.kernel import kernel as kernel_module
from hocket.kernel import story as story_module
from hocket.kernel.lifecycle import KEEPS, STATES, Condition, Outcome, StateRow
from hocket.runtime.build import build
from tests.chain import bridge
from tests.chain.bridge import RELATIONS, SEEDS, Tally, refine, small_graphs

# size, policy, whether tasks may be cancelled: graphs, states, deeds, different sets of outcomes
COUNTS = {
    (1, "isolate", False): (2, 5, 3, 2),
    (1, "isolate", True): (2, 6, 4, 3),
    (1, "fail_fast", False): (2, 5, 3, 2),
    (1, "fail_fast", True): (2, 6, 4, 3),
    (1, "branch", False): (2, 5, 3, 2),
    (1, "branch", True): (2, 6, 4, 3),
    (2, "isolate", False): (19, 106, 117, 5),
    (2, "isolate", True): (19, 166, 200, 11),
    (2, "fail_fast", False): (19, 106, 113, 6),
    (2, "fail_fast", True): (19, 164, 192, 10),
    (2, "branch", False): (19, 106, 117, 5),
    (2, "branch", True): (19, 166, 200, 11),
    (3, "isolate", False): (820, 8764, 13104, 14),
    (3, "isolate", True): (820, 18578, 29772, 43),
    (3, "fail_fast", False): (820, 8773, 12558, 20),
    (3, "fail_fast", True): (820, 17850, 27836, 36),
    (3, "branch", False): (820, 8800, 13140, 14),
    (3, "branch", True): (820, 18644, 29860, 43),
}

# graphs of four tasks made of `after` and prongs, as the seed systems build them
SEED_COUNTS = {
    "isolate": (3551, 53240, 87423, 41),
    "fail_fast": (3551, 53341, 84608, 66),
    "branch": (3551, 53951, 88278, 41),
}


# armed one by one while others run already
LATE_COUNTS = {
    "isolate": (820, 22871, 43305, 14),
    "fail_fast": (820, 23541, 42905, 20),
    "branch": (820, 22907, 43341, 14),
}


def _all(
    size: int, policy: str, cancels: bool = False, relations: tuple[str, ...] = RELATIONS, late: bool = False
) -> Tally:
    tally = Tally()
    for graph in small_graphs(size, relations):
        refine(graph, Policy(policy), cancels, tally, late)
    return tally


def _all_up_to_three(policy: str) -> None:
    _all(1, policy)
    _all(2, policy)
    _all(3, policy, relations=SEEDS, late=True)


def _counts(tally: Tally) -> tuple[int, int, int, int]:
    return tally.graphs, tally.states, tally.deeds, len(tally.outcomes)


@pytest.mark.parametrize(("size", "policy", "cancels"), COUNTS)
def test_the_kernel_refines_the_model_on_every_graph_of_up_to_three_tasks(size, policy, cancels):
    assert _counts(_all(size, policy, cancels)) == COUNTS[size, policy, cancels]


@pytest.mark.parametrize("policy", SEED_COUNTS)
def test_the_kernel_refines_the_model_on_every_seed_graph_of_four_tasks(policy):
    assert _counts(_all(4, policy, relations=SEEDS)) == SEED_COUNTS[policy]


@pytest.mark.parametrize("policy", LATE_COUNTS)
def test_the_kernel_refines_the_model_when_tasks_are_armed_late(policy):
    assert _counts(_all(3, policy, late=True)) == LATE_COUNTS[policy]


def test_without_failures_a_graph_has_one_set_of_outcomes():
    """Of all sets of outcomes of three tasks, one is without a loss."""
    outcomes = _all(3, "isolate").outcomes
    assert [each for each in outcomes if set(each) == {"finished"}] == [("finished",) * 3]


# -- plants: a kernel with a bug is refused ---------------------------------------------------------------------------


def _plant(monkeypatch, rows: tuple[StateRow, ...]) -> None:
    """A kernel that executes other rows, and a `check` that believes in them."""
    monkeypatch.setattr(tables, "STATES", rows)
    monkeypatch.setattr(kernel_module, "settle", tables._settler())
    monkeypatch.setattr(story_module, "state_row", tables._state_reader())


def _without(row: StateRow, condition: Condition) -> tuple[StateRow, ...]:
    """The rows with one condition of one row forgotten; that row comes first, so that it is the one that applies."""
    weaker = replace(row, when=tuple(c for c in row.when if c is not condition))
    return (weaker, *(other for other in STATES if other is not row))


# BODIED and BODILESS tell two rows of one guard apart; with one forgotten a task without a body is offered to executors
FORGOTTEN = [(row, condition) for row in STATES for condition in row.when]


@pytest.mark.parametrize(
    ("row", "condition"), FORGOTTEN, ids=lambda value: value.why if isinstance(value, StateRow) else value.name
)
def test_a_kernel_that_forgets_a_condition_is_refused(row, condition, monkeypatch):
    _plant(monkeypatch, _without(row, condition))
    with pytest.raises(AssertionError):
        _all_up_to_three("isolate")


@pytest.mark.parametrize("row", STATES, ids=lambda row: row.why)
def test_a_kernel_that_lacks_a_row_is_refused(row, monkeypatch):
    _plant(monkeypatch, tuple(other for other in STATES if other is not row))
    with pytest.raises(AssertionError):
        _all_up_to_three("isolate")


@pytest.mark.parametrize(
    ("policy", "edge"), [(policy, edge) for policy in Policy for edge in KEEPS[policy]], ids=lambda value: value.value
)
def test_a_kernel_that_propagates_otherwise_is_refused(policy, edge, monkeypatch):
    """Turn one cell of KEEPS round: what was kept is lost, and the reverse."""
    turned = frozenset(Outcome) - KEEPS[policy][edge]
    monkeypatch.setitem(KEEPS[policy], edge, turned)
    with pytest.raises(AssertionError):
        _all_up_to_three(policy.value)


def test_a_kernel_that_does_not_stop_is_refused(monkeypatch):
    monkeypatch.setattr(kernel_module.Kernel, "_stop", lambda self, scope, cause: None)
    with pytest.raises(AssertionError, match=r"only the model.*cancelled"):
        _all(2, "fail_fast")


def test_a_kernel_that_forgets_the_barrier_is_refused(monkeypatch):
    """S-B3: the barrier of a fork that is a traversal and not an edge; the kernel is given a graph without it."""
    monkeypatch.setattr(bridge, "build", lambda kernel, graph: build(kernel, replace(graph, inside=())))
    with pytest.raises(AssertionError, match=r"what it waits for has happened|only the kernel"):
        _all(3, "isolate", relations=SEEDS)


def test_a_kernel_with_the_true_rows_planted_is_not_refused(monkeypatch):
    _plant(monkeypatch, STATES)
    assert _counts(_all(2, "isolate")) == COUNTS[2, "isolate", False]
