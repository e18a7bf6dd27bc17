"""What the kernel keeps of a task: two gates, an outcome to be, and who waits for it."""

from __future__ import annotations

from hocket.kernel.lifecycle import KEEPS, STOPS, Edge, Outcome, Phase, Policy

__all__ = ["Node", "Scope"]

# an enum's member costs a look-up in its class each time, and nodes are made by the million
_IDLE, _CLOSED, _FINISHED = Phase.IDLE, Phase.CLOSED, Outcome.FINISHED


class Scope:
    """Tasks that share the consequences of a failure.

    `stopped` is the task whose failure stopped it, until it is empty again: a stop belongs to a run, and is not sticky.
    """

    __slots__ = ("keeps_after", "keeps_hold", "name", "open", "policy", "stopped", "stops")

    def __init__(self, name: str = "run", policy: Policy = Policy.ISOLATE) -> None:
        self.name, self.policy = name, policy
        self.open: dict[Node, None] = {}  # in the order of creation, so that a stop is deterministic
        self.stopped: Node | None = None
        # the rows of this policy by outcome: read at every close
        self.keeps_after = tuple(outcome in KEEPS[policy][Edge.AFTER] for outcome in Outcome)
        self.keeps_hold = tuple(outcome in KEEPS[policy][Edge.HOLD] for outcome in Outcome)
        self.stops = tuple(outcome in STOPS[policy] for outcome in Outcome) if STOPS[policy] else ()


class Node:
    """A task in the kernel. Only the kernel writes here; a driver may read, and hangs its own things on `load`."""

    __slots__ = (
        "after",
        "bereft",
        "bodied",
        "bodies",
        "children",
        "fate",
        "hurt",
        "inside",
        "load",
        "name",
        "opened",
        "parents",
        "phase",
        "scope",
        "start",
    )

    def __init__(self, name: str, bodied: bool, scope: Scope) -> None:
        self.name, self.bodied, self.scope = name, bodied, scope
        self.phase: Phase = _IDLE
        self.fate: Outcome = _FINISHED  # how it will close, if nothing else comes
        self.opened = False
        self.start = 1  # the handle's token, and one per wait that has not happened
        self.bodies = 0  # bodies at work
        self.children = 0  # held nodes that have not closed
        self.hurt: Node | None = None  # the first lost node that it waited for, or whose failure stopped it
        self.bereft: Node | None = None  # its first lost child
        self.after: list[Node] | None = None  # who opens after this one has closed
        self.inside: list[Node] | None = None  # who opens after this one has opened
        self.parents: list[Node] | None = None  # whose close this one holds back
        self.load: object = None

    @property
    def outcome(self) -> Outcome | None:
        """How it closed; None while it has not."""
        return self.fate if self.phase is _CLOSED else None

    def __repr__(self) -> str:
        return f"<{self.name} {self.phase!s}>"
