"""What the kernel keeps of a task: two gates, an outcome to be, and who waits for it."""

from __future__ import annotations

from hocket.kernel.lifecycle import KEEPS, STOPS, Edge, Outcome, Phase, Policy

__all__ = ["Node", "Scope", "finished"]

# an enum's member costs a look-up in its class each time, and nodes are made by the million
_IDLE, _CLOSED, _FINISHED = Phase.IDLE, Phase.CLOSED, Outcome.FINISHED


class Scope:
    """Tasks that share the consequences of a failure.

    `stopped` is the task whose failure stopped it, until it is empty again: a stop belongs to a run, and is not sticky.
    """

    __slots__ = ("came", "count", "keeps_after", "keeps_hold", "limit", "name", "policy", "stopped", "stops")

    def __init__(self, name: str = "run", policy: Policy = Policy.ISOLATE) -> None:
        self.name, self.policy = name, policy
        # All that are open, in the order of creation, so that a stop is deterministic; and some that have closed since
        # somebody swept. A list and a count take 8 to 16 bytes a node; a dict, from which each is deleted, took 100.
        self.came: list[Node] = []
        self.count = 0  # how many of them are open
        self.limit = 64  # how many may have come before somebody sweeps
        self.stopped: Node | None = None
        # the rows of this policy by outcome: read at every close
        self.keeps_after = tuple(outcome in KEEPS[policy][Edge.AFTER] for outcome in Outcome)
        self.keeps_hold = tuple(outcome in KEEPS[policy][Edge.HOLD] for outcome in Outcome)
        self.stops = tuple(outcome in STOPS[policy] for outcome in Outcome) if STOPS[policy] else ()


    @property
    def open(self) -> dict[Node, None]:
        """The nodes that have not closed, in the order of creation: O(those that came)."""
        return {node: None for node in self.came if node.phase is not _CLOSED}

    def sweep(self) -> None:
        """Forget those that have closed: O(1) for each that comes, because as many as are kept may come before."""
        self.came = [node for node in self.came if node.phase is not _CLOSED]
        self.limit = 2 * len(self.came) + 64


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


def finished(name: str, scope: Scope) -> Node:
    """A node as it is at the end of a life in which nothing went wrong: for those who have seen it live without one."""
    node = Node(name, True, scope)
    node.phase, node.opened, node.start = _CLOSED, True, 0
    return node
