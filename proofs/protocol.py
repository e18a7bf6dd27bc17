"""The kernel's own rows as a protocol over any number of tasks: the kernel counts, the protocol quantifies.

Nothing of `hocket.kernel.lifecycle` is said again here: each row of EVENTS and STATES
becomes one deed, EDGES, KEEPS and STOPS become the words that the rows use. So a row
that is changed is proved anew, and one that is wrong is not proved.

What this translation assumes of `kernel.py`, and the refinement tests look at:
- a counter is zero exactly if everything that it counts has happened (`kernel_gates_proof`);
- the cancelling of a stopped scope is part of the closing that stops it, before the next stimulus.
"""

from __future__ import annotations

from hocket.kernel.lifecycle import (
    EDGES,
    EVENTS,
    KEEPS,
    STATES,
    STOPS,
    Edge,
    EdgeRow,
    EventRow,
    Moment,
    Outcome,
    Phase,
    Policy,
    StateRow,
    Stimulus,
)
from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    disj,
    environment,
    exists,
    initial,
    ite,
)

EVENT_ROWS: dict[str, EventRow] = {row.stimulus.name.lower(): row for row in EVENTS}
STATE_ROWS: dict[str, StateRow] = {f"{row.phase.name.lower()}: {row.why}": row for row in STATES}
STANDING_STILL = {name: row for name, row in EVENT_ROWS.items() if row.to is None and not row.bodies}  # PENDED
MOVING = {name: row for name, row in EVENT_ROWS.items() if name not in STANDING_STILL}
EDGE_ROWS: dict[str, EdgeRow] = {f"link {edge.value}": row for edge, row in EDGES.items()}
CANCEL = next(row for row in EVENTS if row.stimulus is Stimulus.CANCELLED)

assert len(EVENT_ROWS) == len(EVENTS), "two rows for one stimulus: name them apart here"
assert CANCEL.to is not None
assert CANCEL.fate is not None


class Kernel(Spec):
    """What the kernel does, row by row."""

    Task = Sort()
    Scope = Sort()
    Phase = Sort.of(Phase)
    Outcome = Sort.of(Outcome)
    Policy = Sort.of(Policy)

    bodied = Relation(Task, rigid=True)
    scope = Function(Task, to=Scope, rigid=True)
    policy = Function(Scope, to=Policy, rigid=True)

    phase = Function(Task, to=Phase)
    fate = Function(Task, to=Outcome)
    bodies = Function(Task, to=INT)
    opened = Relation(Task)
    armed = Relation(Task)  # its handle has given its token back
    stopped = Relation(Scope)
    after = Relation(Task, Task)  # target, source
    inside = Relation(Task, Task)  # target, source
    hold = Relation(Task, Task)  # target (the parent), source (the child)

    raised = Relation(Task, ghost=True)  # one of its bodies raised
    unwanted = Relation(Task, ghost=True)  # somebody cancelled it
    stopper = Function(Scope, to=Task, ghost=True)  # whose failure stopped it

    @initial
    def being_built(s):
        s.phase.each(lambda t: Phase.IDLE)
        s.fate.each(lambda t: Outcome.FINISHED)
        s.bodies.each(lambda t: 0)
        for relation in (s.opened, s.armed, s.raised, s.unwanted, s.stopped):
            relation.each(lambda t: False)
        for relation in (s.after, s.inside, s.hold):
            relation.each(lambda t, u: False)
        s.begins()

    # -- for those who know more

    def begins(s):
        """What else holds initially."""

    def permitted(s, row, t, u):
        """What else is required of an edge."""

    def takes(s, row, t):
        """What else an event requires and does."""

    # -- words of the rows

    def edge(s, row):
        return {Edge.AFTER: s.after, Edge.INSIDE: s.inside, Edge.HOLD: s.hold}[row.edge]

    def is_closed(s, t):
        return s.phase[t] == Phase.CLOSED

    def never_opens(s, t):
        return ~s.opened[t] & (s.phase[t] >= Phase.DRAINING)

    def happened(s, row, u):
        """The moment for which the edges of this row wait has come, or never will."""
        return s.is_closed(u) if row.moment is Moment.CLOSE else s.opened[u] | s.never_opens(u)

    def lost(s, row, u):
        """The source hurts the target of an edge of this row."""
        if row.edge not in KEEPS[Policy.ISOLATE]:
            return s.never_opens(u)
        kept = (
            (s.policy[s.scope[u]] == policy) & s.fate[u].among(*outcomes)
            for policy, keeps in KEEPS.items()
            for outcomes in [sorted(keeps[row.edge])]
        )
        return s.is_closed(u) & ~disj(*kept)

    def waiting(s, gate, t):
        """The counter `gate` of the kernel is not zero."""
        rows = [row for row in EDGES.values() if row.gate == gate]
        return disj(*(exists(s.Task, lambda u, row=row: s.edge(row)[t, u] & ~s.happened(row, u)) for row in rows))

    def remembers(s, field, t):
        """The field `hurt` or `bereft` of the kernel names a lost task."""
        rows = [row for row in EDGES.values() if row.hurt == field]
        return disj(*(exists(s.Task, lambda u, row=row: s.edge(row)[t, u] & s.lost(row, u)) for row in rows))

    def stands(s, condition, t):
        """Where the neighbours stand, in the words of `Condition`."""
        fields = {
            "start": lambda: ~s.armed[t] | s.waiting("start", t),
            "children": lambda: s.waiting("children", t),
            "hurt": lambda: s.remembers("hurt", t),
            "bereft": lambda: s.remembers("bereft", t),
            "bodied": lambda: s.bodied[t],
            "bodies": lambda: s.bodies[t] != 0,
            "fate": lambda: s.fate[t] != Outcome.FINISHED,
        }
        value = fields[condition.field]()
        return value if condition.holds_when else ~value

    # -- the rows

    @action(Task, rows=MOVING)
    def event(s, t, row):
        s.happens(row, t)

    @environment(Task, rows=STANDING_STILL)
    def again(s, t, row):
        s.happens(row, t)

    @action(Task, rows=STATE_ROWS)
    def state(s, t, row):
        s.require(f"it is {row.phase.name.lower()}", s.phase[t] == row.phase)
        for condition in row.when:
            s.require(condition.name.lower().replace("_", " "), s.stands(condition, t))
        s.moves(row, t)

    @environment(Task, Task, rows=EDGE_ROWS)
    def link(s, t, u, row):
        s.require("it may still be given this edge", s.phase[t].among(*row.targets))
        s.permitted(row, t, u)
        s.relates(row, t, u)

    def relates(s, row, t, u):
        s.edge(row)[t, u] = True

    def happens(s, row, t):
        s.require(f"it is {' or '.join(phase.name.lower() for phase in row.phases)}", s.phase[t].among(*row.phases))
        if row.bodies < 0:
            s.require("one of its bodies is at work", s.bodies[t] > 0)
        s.takes(row, t)
        if row.token:
            s.armed[t] = True
        if row.bodies:
            s.bodies[t] = s.bodies[t] + row.bodies
        if row.fate is Outcome.FAILED:
            s.raised[t] = True
        if row.stimulus is Stimulus.CANCELLED:
            s.unwanted[t] = True
        s.moves(row, t)
        if row.token:
            s.cancel_where(s.stopped[s.scope[t]], t)

    def moves(s, row, t):
        """What the two kinds of row have in common."""
        if row.opens:
            s.opens(t)
        if row.fate is not None:
            s.fate[t] = row.fate
        if row.to is not None:
            s.phase[t] = row.to
        if row.to is Phase.CLOSED:
            s.closes(t)

    def opens(s, t):
        """The moment of opening."""
        s.opened[t] = True

    def cancel_where(s, condition, t):
        s.fate[t] = ite(condition, CANCEL.fate, s.fate[t])
        s.phase[t] = ite(condition, CANCEL.to, s.phase[t])

    def closes(s, t):
        """A failure stops its scope if the policy says so, and what has not started is cancelled."""
        policy = s.policy[s.scope[t]]
        stops = disj(*((policy == one) & s.fate[t].among(*sorted(outcomes)) for one, outcomes in STOPS.items()))
        first = stops & ~s.stopped[s.scope[t]]
        armed = [phase for phase in CANCEL.phases if phase is not Phase.IDLE]  # an idle one is cancelled when armed
        hit = lambda u: first & (s.scope[u] == s.scope[t]) & s.phase[u].among(*armed)  # noqa: E731  # two uses, one word
        s.fate.each(lambda u: ite(hit(u), CANCEL.fate, s.fate[u]))
        s.phase.each(lambda u: ite(hit(u), CANCEL.to, s.phase[u]))
        s.stopper.each(lambda x: ite(first & (x == s.scope[t]), t, s.stopper[x]))
        s.stopped.each(lambda x: s.stopped[x] | (first & (x == s.scope[t])))

