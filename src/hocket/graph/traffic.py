"""Who sends what to whom and in which way, and the cycles in which everybody could wait for the next.

Nodes are names, messages are names: this is what a declared system of subsystems
comes to, whoever declared it. Only some ways of sending can wait: a bounded send
waits for room, and who asks waits for the answer. An unbounded send, a tried one
and one from a job apart never hold up the subsystem itself. So a cycle of waiting
edges is necessary for a deadlock among subsystems (each of them waits for the next
one to receive), and taking the ways apart is what the seed's check does not do
(its issue #73). It is not sufficient: what is found here is suspected, and
confirmed or refuted by a search over the declared traffic.

The orchestra is a node like the others: its main loop waits for room when it routes
a message or broadcasts a signal, and whoever posts an event or sends a message that
leaves waits for the main loop to take it. A broadcast in turn adds edges: the
orchestra waits for one while it has not yet told the others, and a receiver that
holds a message back waits for the orchestra (O-B1). A broadcast that is given to all
at once adds none of these: what is held back waits for a signal that is given already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

__all__ = ["ORCHESTRA", "WAITS_FOR", "Channel", "Mode", "Traffic", "Wait", "every_cycle", "waits"]

ORCHESTRA = "the orchestra"


class Mode(Enum):
    """A way of sending, as a declaration writes it."""

    BOUNDED = "bounded"
    ASKED = "asks"
    UNBOUNDED = "unbounded"
    TRIED = "trying"
    APART = "apart"
    EVENT = "event"  # for the main loop
    SIGNAL = "signal"  # the orchestra's broadcasts, which have a queue of their own at each receiver


# the ways in which a sender can be held up, and what it waits for; the others wait for nothing
WAITS_FOR = {Mode.BOUNDED: "room", Mode.ASKED: "an answer", Mode.EVENT: "room", Mode.SIGNAL: "room"}


@dataclass(frozen=True, slots=True)
class Channel:
    """A message type on its way; `capacity` is the room of the queue that it goes into."""

    sender: str
    receiver: str
    message: str
    mode: Mode
    capacity: int = 1
    reply_to: str = ""  # it is sent at most once for each message of this type that its sender has received


@dataclass(frozen=True, slots=True)
class Traffic:
    """A whole system: `nodes` in the order of declaration; `in_turn` says how signals are broadcast."""

    nodes: tuple[str, ...]
    channels: tuple[Channel, ...]
    in_turn: bool = False


@dataclass(frozen=True, slots=True)
class Wait:
    """`who` can be held up until `whom` does something; `why` in words, and the `channel` that it is about, if any."""

    who: str
    whom: str
    why: str
    channel: Channel | None = None


def waits(traffic: Traffic) -> tuple[Wait, ...]:
    """Every way in which one can wait for another, in the order of declaration."""
    found = [
        Wait(channel.sender, channel.receiver, f"{WAITS_FOR[channel.mode]} for {channel.message}", channel)
        for channel in traffic.channels
        if channel.mode in WAITS_FOR
    ]
    if traffic.in_turn:
        stamped = {channel.receiver for channel in traffic.channels if channel.sender != ORCHESTRA}
        found += [Wait(ORCHESTRA, node, "room for a signal") for node in traffic.nodes]
        late = "the signal that its message came after"
        found += [Wait(node, ORCHESTRA, late) for node in traffic.nodes if node in stamped]
    return tuple(found)


def every_cycle(edges: tuple[Wait, ...], limit: int = 1000) -> tuple[tuple[tuple[Wait, ...], ...], bool]:
    """Every simple cycle of waiting, shortest first; and whether these are all (not if there are more than `limit`).

    Between two nodes one edge stands for all of them. Each cycle is found once, from its first node
    in the order in which nodes occur (Tiernan 1970, with a look ahead that no dead end is entered).

    >>> cycles, complete = every_cycle((Wait("a", "b", "room"), Wait("b", "a", "room")))
    >>> [[wait.who for wait in cycle] for cycle in cycles], complete
    ([['a', 'b']], True)
    """
    following: dict[str, dict[str, Wait]] = {}
    for edge in edges:
        following.setdefault(edge.who, {}).setdefault(edge.whom, edge)
    found: list[tuple[Wait, ...]] = []
    for cycle in _simple_cycles(following):
        if len(found) == limit:
            return _shortest_first(found), False
        found.append(cycle)
    return _shortest_first(found), True


def _shortest_first(cycles: list[tuple[Wait, ...]]) -> tuple[tuple[Wait, ...], ...]:
    return tuple(sorted(cycles, key=len))


def _simple_cycles(following: dict[str, dict[str, Wait]]) -> Iterator[tuple[Wait, ...]]:
    order = {node: place for place, node in enumerate(following)}
    for start in following:
        home = _reaching(following, order, start)
        path: list[Wait] = []
        on_path = {start}
        branches = [iter(following[start].values())]
        while branches:
            edge = next(branches[-1], None)
            if edge is None:
                branches.pop()
                if path:
                    on_path.discard(path.pop().whom)
            elif edge.whom == start:
                yield (*path, edge)
            elif edge.whom in home and edge.whom not in on_path:
                path.append(edge)
                on_path.add(edge.whom)
                branches.append(iter(following[edge.whom].values()))


def _reaching(following: dict[str, dict[str, Wait]], order: dict[str, int], start: str) -> set[str]:
    """The nodes not before `start` from which it can be reached, by nodes not before it."""
    before: dict[str, list[str]] = {}
    for node, edges in following.items():
        for whom in edges:
            before.setdefault(whom, []).append(node)
    reached, waiting = set[str](), [start]
    while waiting:
        for node in before.get(waiting.pop(), ()):
            if order[node] >= order[start] and node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached
