"""Before anything runs: who can wait for whom, every cycle of it, and whether each can close.

Three things are kept apart that the seed's report mixes: which sends can wait at
all (an unbounded one cannot), which cycles there are (all, not one for each
component), and which of them a run can really close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hocket.graph.traffic import Mode, Traffic, Wait, every_cycle, waits
from hocket.orchestra.confirm import Answer, confirm

__all__ = ["Cycle", "Report", "check"]


@dataclass(frozen=True, slots=True)
class Cycle:
    """Nodes each of which can wait for the next; whether all can at once; and what would break it, edge by edge."""

    waits: tuple[Wait, ...]
    answer: Answer
    cures: tuple[str, ...]

    def __str__(self) -> str:
        names = " → ".join([wait.who for wait in self.waits] + [self.waits[0].who])
        lines = [f"{self.answer.status}: {names}"]
        lines += [f"  {wait.who} waits for {wait.whom}: {wait.why}" for wait in self.waits]
        if self.answer.run:
            lines.append("  it closes like this, with room for one item in each queue:")
            lines += [f"  {number:>3}. {step}" for number, step in enumerate(self.answer.run, 1)]
        lines += ["  any of these would break it:"]
        lines += [f"   - {cure}" for cure in self.cures]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Report:
    """What a check came to. `verdict`: "holds" if no cycle can close, "violated" if one can, else "unknown".

    `cycles` are all cycles of waiting, confirmed first, then unknown, then refuted; `complete` is False if there
    were more than were listed.
    """

    traffic: Traffic
    cycles: tuple[Cycle, ...]
    complete: bool

    @property
    def verdict(self) -> Literal["holds", "violated", "unknown"]:
        statuses = {cycle.answer.status for cycle in self.cycles}
        if "confirmed" in statuses:
            return "violated"
        return "holds" if self.complete and "unknown" not in statuses else "unknown"

    def __str__(self) -> str:
        head = f"{self.verdict}: {len(self.cycles)} cycle{'s' * (len(self.cycles) != 1)} of waiting"
        if not self.complete:
            head += ", and there are more"
        return "\n".join([head, *map(str, self.cycles)])


_ORDER = {"confirmed": 0, "unknown": 1, "refuted": 2}


def check(traffic: Traffic, *, cycles: int = 100, states: int = 100_000) -> Report:
    """Find every cycle of waiting in a declared traffic and try to close it; `cycles` and `states` are limits.

    States are those looked at for each cycle. Source: the seed's issue #73, and polkadot's #5460.

    >>> from hocket.graph.traffic import Channel, Mode
    >>> rows = (Channel("a", "b", "Ping", Mode.BOUNDED), Channel("b", "a", "Pong", Mode.UNBOUNDED))
    >>> check(Traffic(("a", "b"), rows)).verdict
    'holds'
    """
    edges = waits(traffic)
    found, complete = every_cycle(edges, cycles)
    rows = [_judged(traffic, [_between(edges, wait) for wait in cycle], states) for cycle in found]
    return Report(traffic, tuple(sorted(rows, key=lambda row: _ORDER[row.answer.status])), complete)


def _between(edges: tuple[Wait, ...], wait: Wait) -> list[Wait]:
    """All the ways in which one waits for the other: only together can they be taken out of a cycle."""
    return [edge for edge in edges if (edge.who, edge.whom) == (wait.who, wait.whom)]


def _judged(traffic: Traffic, ring: list[list[Wait]], states: int) -> Cycle:
    cycle = tuple(Wait(edges[0].who, edges[0].whom, " or ".join(edge.why for edge in edges)) for edges in ring)
    cures = tuple("; and ".join(map(_cure, edges)) for edges in ring)
    return Cycle(cycle, confirm(traffic, cycle, states), cures)


# what one may do about a wait; None stands for the epoch waits of a broadcast in turn
_CURES = {
    Mode.BOUNDED: "{who} sends {message} as unbounded(...), as trying(...), or from a job as apart(...)",
    Mode.ASKED: "{who} asks {message} from a spawned job, or {whom} answers it before it sends anything",
    Mode.EVENT: "{who} sends {message} as a message that leaves (outgoing=), unbounded(...)",
    Mode.SIGNAL: "{who} is declared with signals_wait=False: then its broadcasts do not wait for {whom}",
    None: "{who} gives its signals to all at once instead of waiting for {whom} in turn",
}


def _cure(wait: Wait) -> str:
    mode, message = (wait.channel.mode, wait.channel.message) if wait.channel else (None, "")
    return _CURES[mode].format(who=wait.who, whom=wait.whom, message=message)
