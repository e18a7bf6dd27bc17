"""The rows themselves: never two for one task, none that stands still, none missing unnoticed.

A kernel that applies "the" row needs it to be the only one. That is shown here for any
neighbours at all; then the two tables are read as data: what is absent is refused, and
this file lists it, so that a row that disappears is noticed.
"""

from __future__ import annotations

from itertools import combinations

from hocket.kernel.lifecycle import EDGES, EVENTS, KEEPS, STATES, STOPS, Outcome, Phase, Policy, Stimulus
from hocket.spec import theorem
from proofs.judge import proved
from proofs.protocol import EVENT_ROWS, STATE_ROWS, Kernel

PAIRS = {
    f"never both «{first}» and «{second}»": (first, second)
    for first, second in combinations(STATE_ROWS, 2)
    if STATE_ROWS[first].phase is STATE_ROWS[second].phase
}
PRESENT = {(row.stimulus, phase) for row in EVENTS for phase in row.phases}


class Rows(Kernel):
    """In no state whatever, reachable or not, do two rows apply to one task."""

    @theorem(Kernel.Task, rows=PAIRS)
    def exclusive(s, t, pair):
        first, second = pair
        s.require(f"«{first}» applies", s.enabled(first, t))
        return ~s.enabled(second, t)


SPECS = (Rows,)


def test_two_rows_never_apply_to_one_task():
    proved(Rows)


def test_each_pair_of_state_rows_is_in_one_phase_and_shown_exclusive_or_in_two():
    # 7 rows: 3 of WAITING, 1 of RUNNING, 3 of DRAINING, so 3 + 3 pairs of the 21 share a phase
    assert len(STATES) == 7
    assert len(PAIRS) == 6


def test_every_state_row_moves_its_task_down():
    assert all(row.to > row.phase for row in STATES)


def test_no_stimulus_has_two_rows_in_one_phase():
    assert len(PRESENT) == sum(len(row.phases) for row in EVENTS)


def test_what_is_absent_is_refused_and_this_is_all_of_it():
    # 7 stimuli in 6 phases: 9 pairs have a row
    absent = {(stimulus, phase) for stimulus in Stimulus for phase in Phase} - PRESENT
    assert len(absent) == 42 - 9
    only = {stimulus: {phase for one, phase in PRESENT if one is stimulus} for stimulus in Stimulus}
    assert only == {
        Stimulus.ARMED: {Phase.IDLE},
        Stimulus.STARTED: {Phase.READY},
        Stimulus.SPLIT: {Phase.RUNNING},
        Stimulus.RETURNED: {Phase.RUNNING},
        Stimulus.RAISED: {Phase.RUNNING},
        Stimulus.PENDED: {Phase.RUNNING},
        Stimulus.CANCELLED: {Phase.IDLE, Phase.WAITING, Phase.READY},
    }


def test_nothing_happens_to_a_closed_task():
    assert not [row for row in EVENTS if Phase.CLOSED in row.phases]
    assert not [row for row in STATES if row.phase is Phase.CLOSED]
    assert not [row for row in EDGES.values() if Phase.CLOSED in row.targets]


def test_every_policy_says_what_every_outcome_does():
    assert set(KEEPS) == set(STOPS) == set(Policy)
    assert all(Outcome.FINISHED in kept for rows in KEEPS.values() for kept in rows.values())
    assert all(Outcome.FINISHED not in stopping for stopping in STOPS.values())
    assert len(EVENT_ROWS) == len(EVENTS)
