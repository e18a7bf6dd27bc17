"""A task's life, as rows of data: the heart of the house.

Two tables. `EVENTS` fire because something *happened* (a stimulus from the
driver); `STATES` fire because of where the *neighbours stand*, and are applied
until none applies. Two small ones say what an edge waits for (`EDGES`) and what
a lost task does to those who waited for it (`KEEPS`, `STOPS`).

The kernel executes these rows, `proofs/` turns each into z3 obligations, `docs/`
draws them, and the tests enumerate what is absent. A new rule is a new row; if a
row cannot say it, widen the row.

After h11's `_state.py` (Nathaniel Smith): event-triggered and state-triggered
transitions kept apart. The seven concepts are those of the seed systems' common
core: gates, after / hold / inside, outcomes and their propagation.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

__all__ = [
    "EDGES",
    "EVENTS",
    "KEEPS",
    "STATES",
    "STOPS",
    "Command",
    "Condition",
    "Edge",
    "EdgeRow",
    "EventRow",
    "Moment",
    "Outcome",
    "Phase",
    "Policy",
    "StateRow",
    "Stimulus",
]


class Phase(IntEnum):
    """Where a task stands. It only ever goes down this list, but for a body that is called again (RUNNING)."""

    IDLE = 0  # being built: edges may still be added; its own handle holds the start gate
    WAITING = 1  # armed: nothing can be added to what it waits for
    READY = 2  # its start gate has fired: an executor may take it
    RUNNING = 3  # at least one of its bodies is at work
    DRAINING = 4  # its bodies are over (or never began); held by children that are still open
    CLOSED = 5  # it has an outcome, for ever

    def __str__(self) -> str:
        return self.name.lower()


class Outcome(IntEnum):
    """How a task closes. Only FINISHED is zero, so that `fate` reads as a condition: lost or not."""

    FINISHED = 0  # its body returned, and so did those of all its children
    FAILED = 1  # its body raised, or a child was lost
    SKIPPED = 2  # something it waited for was lost
    CANCELLED = 3  # it was told not to start

    def __str__(self) -> str:
        return self.name.lower()


class Stimulus(IntEnum):
    """What a driver tells the kernel, in the past tense."""

    ARMED = 0  # the handle is given back: nothing more will be added
    STARTED = 1  # an executor has taken it
    SPLIT = 2  # one of its bodies shared its work with another
    RETURNED = 3  # one of its bodies returned
    RAISED = 4  # one of its bodies raised
    PENDED = 5  # one of its bodies wants to be called again
    CANCELLED = 6  # somebody does not want it any more


class Command(IntEnum):
    """What the kernel tells a driver, in the imperative."""

    RUN = 0  # offer it to the executors: whoever takes it says STARTED
    RESUME = 1  # run a body that is counted already
    SETTLE = 2  # it has closed: wake whoever joined it


class Moment(IntEnum):
    """The points of a life that edges wait for, and that a watcher is told of: open ≤ ran ≤ close."""

    OPEN = 0  # its first body starts
    RAN = 1  # its last body is over
    CLOSE = 2  # it has an outcome, and so has all that it holds


class Edge(Enum):
    """How two tasks are related; source and target in the sense of `EDGES`."""

    AFTER = "after"  # the target opens after the source has closed
    INSIDE = "inside"  # the target opens after the source has opened
    HOLD = "hold"  # the target closes after the source has closed: the source is its child

    __hash__ = object.__hash__  # a member is one object; Enum's own hash is a call, and edges come by the million


class Policy(Enum):
    """What the failure of one task does to the others of its scope."""

    ISOLATE = "isolate"  # dependents are skipped and parents fail; the rest goes on
    FAIL_FAST = "fail_fast"  # as isolate, and nothing else of the scope starts
    BRANCH = "branch"  # dependents are skipped; parents do not fail


class Condition(Enum):
    """Where the neighbours stand. Each says of one field of a node that it is zero, or that it is not."""

    GATE_OPEN = ("start", False)  # everything it waits for has happened
    UNHURT = ("hurt", False)  # nothing it waited for was lost
    HURT = ("hurt", True)
    BODIED = ("bodied", True)
    BODILESS = ("bodied", False)  # a fork or a join point: it opens, and its bodies are over
    BODIES_OVER = ("bodies", False)  # none of its bodies is at work
    CHILDREN_CLOSED = ("children", False)  # all that it holds has closed
    FATED = ("fate", True)  # it is lost already, whatever its children do
    UNFATED = ("fate", False)
    BEREFT = ("bereft", True)  # a child was lost
    UNBEREFT = ("bereft", False)

    @property
    def field(self) -> str:
        return self.value[0]

    @property
    def holds_when(self) -> bool:
        """Whether the condition holds when the field is not zero (True) or when it is zero (False)."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class EventRow:
    """`stimulus` takes a node from any of `phases` to `to` (None: it stays); `bodies` more of them are at work."""

    stimulus: Stimulus
    phases: tuple[Phase, ...]
    to: Phase | None
    why: str
    bodies: int = 0
    token: bool = False  # the handle's token is taken off the start gate
    opens: bool = False  # this is the moment of opening
    fate: Outcome | None = None  # how it will close, from now on
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class StateRow:
    """A node in `phase` whose neighbours stand as `when` says goes to `to`."""

    phase: Phase
    when: tuple[Condition, ...]
    to: Phase
    why: str
    opens: bool = False
    fate: Outcome | None = None
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """An edge holds the target's `gate` until the source's `moment`; who may still be given one."""

    edge: Edge
    moment: Moment
    gate: str  # the counter of the target that it holds: "start" or "children"
    hurt: str  # the field of the target that remembers a lost source
    targets: tuple[Phase, ...]


_P, _S, _C = Phase, Stimulus, Condition
_OPEN_PHASES = (_P.IDLE, _P.WAITING, _P.READY, _P.RUNNING, _P.DRAINING)

EVENTS: tuple[EventRow, ...] = (
    EventRow(_S.ARMED, (_P.IDLE,), _P.WAITING, "the handle lets go", token=True),
    EventRow(_S.STARTED, (_P.READY,), _P.RUNNING, "an executor takes it", bodies=+1, opens=True),
    EventRow(_S.SPLIT, (_P.RUNNING,), None, "half of the work is offered", bodies=+1, command=Command.RESUME),
    EventRow(_S.RETURNED, (_P.RUNNING,), None, "a body is over", bodies=-1),
    EventRow(_S.RAISED, (_P.RUNNING,), None, "a body is over, and failed", bodies=-1, fate=Outcome.FAILED),
    EventRow(_S.PENDED, (_P.RUNNING,), None, "call this body again", command=Command.RESUME),
    EventRow(
        _S.CANCELLED,
        (_P.IDLE, _P.WAITING, _P.READY),
        _P.DRAINING,
        "it will not start; what runs is never closed by somebody else",
        fate=Outcome.CANCELLED,
    ),
)

STATES: tuple[StateRow, ...] = (
    StateRow(_P.WAITING, (_C.GATE_OPEN, _C.UNHURT, _C.BODIED), _P.READY, "it may start", command=Command.RUN),
    StateRow(_P.WAITING, (_C.GATE_OPEN, _C.UNHURT, _C.BODILESS), _P.DRAINING, "nothing to run", opens=True),
    StateRow(_P.WAITING, (_C.GATE_OPEN, _C.HURT), _P.DRAINING, "it cannot start any more", fate=Outcome.SKIPPED),
    StateRow(_P.RUNNING, (_C.BODIES_OVER,), _P.DRAINING, "its last body is over"),
    StateRow(_P.DRAINING, (_C.CHILDREN_CLOSED, _C.FATED), _P.CLOSED, "lost", command=Command.SETTLE),
    StateRow(
        _P.DRAINING,
        (_C.CHILDREN_CLOSED, _C.UNFATED, _C.UNBEREFT),
        _P.CLOSED,
        "finished",
        fate=Outcome.FINISHED,
        command=Command.SETTLE,
    ),
    StateRow(
        _P.DRAINING,
        (_C.CHILDREN_CLOSED, _C.UNFATED, _C.BEREFT),
        _P.CLOSED,
        "all children have closed, and some are lost",
        fate=Outcome.FAILED,
        command=Command.SETTLE,
    ),
)

EDGES: dict[Edge, EdgeRow] = {
    row.edge: row
    for row in (
        EdgeRow(Edge.AFTER, Moment.CLOSE, "start", "hurt", (_P.IDLE,)),
        EdgeRow(Edge.INSIDE, Moment.OPEN, "start", "hurt", (_P.IDLE,)),
        EdgeRow(Edge.HOLD, Moment.CLOSE, "children", "bereft", _OPEN_PHASES),
    )
}

# Which outcomes of the source leave the target of an edge unhurt. The policy is that of the source's scope.
# INSIDE asks for less than an outcome: it is kept by a source that opened, however it closed.
_ONLY_FINISHED = frozenset({Outcome.FINISHED})
_ANY = frozenset(Outcome)

KEEPS: dict[Policy, dict[Edge, frozenset[Outcome]]] = {
    Policy.ISOLATE: {Edge.AFTER: _ONLY_FINISHED, Edge.HOLD: _ONLY_FINISHED},
    Policy.FAIL_FAST: {Edge.AFTER: _ONLY_FINISHED, Edge.HOLD: _ONLY_FINISHED},
    Policy.BRANCH: {Edge.AFTER: _ONLY_FINISHED, Edge.HOLD: _ANY},
}

# Which outcomes of one task cancel everything of its scope that has not started. It lasts until the scope is empty:
# a stop is scoped to a run, and never sticky.
STOPS: dict[Policy, frozenset[Outcome]] = {
    Policy.ISOLATE: frozenset(),
    Policy.FAIL_FAST: frozenset({Outcome.FAILED}),
    Policy.BRANCH: frozenset(),
}
