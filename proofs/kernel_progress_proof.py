"""Progress and termination: where every wait points downward, the lowest unresolved point can always move.

A graph without a cycle has an order of its points (each task has an opening and a closing) in which every edge points
downward; `below` is any such order, and takes the place of reachability. The theorems say of any unresolved point: if
all points below it are resolved, then some row of its task applies, or something can happen to it that only the
executor, the body or the handle has to do. A finite graph has a lowest unresolved point, so nothing is stuck.

Termination: every row lowers (phase still to go, work still to share, bodies at work), task by task. Being called
again (PENDED) and new edges lower nothing: those are the user's to end.
"""

from __future__ import annotations

from typing import ClassVar

from hocket.kernel.lifecycle import EDGES, STATES, Moment, Outcome, Phase, Stimulus
from hocket.spec import INT, Function, Relation, Sort, axiom, disj, forall, invariant, rank, theorem, variant
from proofs.judge import proved
from proofs.protocol import EVENT_ROWS, STATE_ROWS, Kernel

UNOPENED = (Phase.IDLE, Phase.WAITING, Phase.READY)


class Progress(Kernel):
    """The kernel on graphs without cycles, each body with finitely much work to share."""

    Task = Kernel.Task
    Point = Sort()
    scales: ClassVar = {"Point": 2}  # an opening and a closing per task
    below = Relation(Point, Point, rigid=True)
    opening = Function(Task, to=Point, rigid=True)
    closing = Function(Task, to=Point, rigid=True)
    shares = Function(Task, to=INT)  # how often its bodies can still share their work

    def begins(s):
        s.require("the work is finite", forall(s.Task, lambda t: s.shares[t] >= 0))

    def permitted(s, row, t, u):
        source = s.closing[u] if row.moment is Moment.CLOSE else s.opening[u]
        target = s.opening[t] if row.gate == "start" else s.closing[t]
        s.require("it points downward", s.below[source, target])

    def takes(s, row, t):
        if row.stimulus is Stimulus.SPLIT:
            s.require("there is work to share", s.shares[t] > 0)
            s.shares[t] = s.shares[t] - 1

    @axiom
    def below_is_an_order(s):
        irreflexive = forall(s.Point, lambda x: ~s.below[x, x])
        return irreflexive & forall(
            s.Point, s.Point, s.Point, lambda x, y, z: (s.below[x, y] & s.below[y, z]) >> s.below[x, z]
        )

    @axiom
    def a_task_opens_before_it_closes(s):
        return forall(s.Task, lambda t: s.below[s.opening[t], s.closing[t]])

    @invariant
    def every_edge_points_downward(s):
        def down(row, t, u):
            source = s.closing[u] if row.moment is Moment.CLOSE else s.opening[u]
            target = s.opening[t] if row.gate == "start" else s.closing[t]
            return s.edge(row)[t, u] >> s.below[source, target]

        every = (forall(s.Task, s.Task, lambda t, u, row=row: down(row, t, u)) for row in EDGES.values())
        return ~disj(*(~one for one in every))

    @invariant
    def what_is_past_building_is_armed(s):
        return forall(s.Task, lambda t: s.phase[t].among(Phase.WAITING, Phase.READY) >> s.armed[t])

    @invariant
    def bodies_and_shares_are_counted(s):
        return forall(s.Task, lambda t: (s.bodies[t] >= 0) & (s.shares[t] >= 0))

    @invariant
    def bodies_are_at_work_only_while_it_runs(s):
        return forall(s.Task, lambda t: (s.bodies[t] > 0) >> (s.phase[t] == Phase.RUNNING))

    @invariant
    def what_has_not_opened_is_not_lost(s):
        return forall(s.Task, lambda t: s.phase[t].among(*UNOPENED) >> (s.fate[t] == Outcome.FINISHED))

    # -- progress

    def resolved_below(s, point):
        """Every point below this one has happened, or never will."""
        opened = lambda u: s.opened[u] | s.never_opens(u)  # noqa: E731
        return forall(
            s.Task,
            lambda u: (s.below[s.opening[u], point] >> opened(u)) & (s.below[s.closing[u], point] >> s.is_closed(u)),
        )

    @theorem(Kernel.Task)
    def the_lowest_unresolved_opening_can_move(s, t):
        s.require("it has not opened and may still", s.phase[t].among(*UNOPENED))
        s.require("all points below are resolved", s.resolved_below(s.opening[t]))
        wanted = ("armed", "started")  # the handle's and the executor's part
        rows = [name for name, row in STATE_ROWS.items() if row.phase is Phase.WAITING]
        return disj(*(s.enabled(name, t) for name in (*wanted, *rows)))

    @theorem(Kernel.Task)
    def the_lowest_unresolved_closing_can_move(s, t):
        s.require("it has opened or never will, and has not closed", s.phase[t].among(Phase.RUNNING, Phase.DRAINING))
        s.require("all points below are resolved", s.resolved_below(s.closing[t]))
        wanted = ("returned", "raised")  # the body's part
        rows = [name for name, row in STATE_ROWS.items() if row.phase in (Phase.RUNNING, Phase.DRAINING)]
        return disj(*(s.enabled(name, t) for name in (*wanted, *rows)))

    @theorem(Kernel.Task)
    def whoever_waits_only_for_settled_ones_moves_by_itself(s, t):
        """Nobody else is needed: once what a task waits for is settled, a row applies to it."""
        s.require("it waits, or drains", s.phase[t].among(Phase.WAITING, Phase.DRAINING))
        s.require("all points below its opening are resolved", s.resolved_below(s.opening[t]))
        s.require("all points below its closing are resolved", s.resolved_below(s.closing[t]) | ~s.is_draining(t))
        rows = [name for name, row in STATE_ROWS.items() if row.phase in (Phase.WAITING, Phase.DRAINING)]
        return disj(*(s.enabled(name, t) for name in rows))

    def is_draining(s, t):
        return s.phase[t] == Phase.DRAINING

    # -- termination

    @variant
    def what_is_left_to_do(s):
        return [
            (s.Task, lambda t: len(Phase) - 1 - rank(s.phase[t])),
            (s.Task, lambda t: s.shares[t]),
            (s.Task, lambda t: s.bodies[t]),
        ]


assert len(STATE_ROWS) == len(STATES)
assert set(EVENT_ROWS) >= {"armed", "started", "returned", "raised"}
SPECS = (Progress,)


def test_the_lowest_unresolved_point_can_move_and_every_row_leads_to_the_end():
    proved(Progress)
