"""Can a cycle of waiting really close? A breadth-first search over everything that the declaration allows.

Each queue holds one item, because a deadlock that is there with much room is there
with one place as well, only later (so polkadot's developers find theirs, #5460).
A subsystem does one thing at a time: it receives, begins a send, or waits in one.
It may send what it declares whenever it likes, a reply only for what it has
received. A cycle is *confirmed* by a state in which each of its nodes waits for
the next one: a shortest run leads there, and it is run again on real mailboxes
before it is shown. It is *refuted* when the search has seen all states and none is
such; and if it stopped before (too many states, or more replies owed than are
counted), it is *unknown*.

Where no reply is needed, no search is either: each node sends to the next one, and
then each sends again. Else the cycle's nodes alone are searched, where a run that is
found is a run of the whole; and only if there is none, the whole is.

What is tried, or sent apart by a job, goes into the same queue as what is sent bounded,
and can be what fills it. Unbounded messages are only counted, and taken in any order, while a mailbox gives
them out first and in their order. That changes nothing: taking one sooner only
permits more replies. When a run is replayed they are taken as the mailbox gives
them, and the run that is shown is the one that was replayed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from hocket.graph.traffic import ORCHESTRA, WAITS_FOR, Channel, Mode, Traffic, Wait
from hocket.orchestra.lane import BULK, NOTHING, SIGNAL, UNBOUNDED, Fate, Ticket
from hocket.orchestra.mailbox import Mailbox

__all__ = ["Answer", "Step", "confirm"]

OWED = 3  # so many replies to one message are counted; where there would be more, the answer can be "unknown"

# what a node is doing: nothing; a send that waits for room; or waiting for the answer to one that went out
_FREE, _SENDING, _ASKING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Step:
    """One deed of a run, in words, with the channel that it is about."""

    who: str
    did: Literal["sends", "waits for room", "takes", "answers"]
    channel: Channel

    def __str__(self) -> str:
        other, message = self.channel.receiver, self.channel.message
        return {
            "sends": f"{self.who} sends {message} to {other}",
            "waits for room": f"{self.who} sends {message} to {other}, whose queue is full: it waits",
            "takes": f"{self.who} takes {message}",
            "answers": f"{self.who} answers {message} of {self.channel.sender}",
        }[self.did]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a cycle can close: the run that closes it, and how many states were looked at."""

    status: Literal["confirmed", "refuted", "unknown"]
    run: tuple[Step, ...]
    states: int


@dataclass(frozen=True, slots=True)
class _State:
    doing: tuple[tuple[int, int], ...]  # for each node: what, and with which channel
    queue: tuple[tuple[int, ...], ...]  # for each node, and once more for its signals: one that lies there, others wait
    owed: tuple[int, ...]  # for each channel: messages of the type that it replies to, not replied to yet
    afloat: tuple[int, ...]  # for each unbounded channel: messages that were sent and not taken


def confirm(traffic: Traffic, cycle: tuple[Wait, ...], limit: int = 100_000) -> Answer:
    """Whether the nodes of a cycle can come to wait for each other, looking at no more than `limit` states.

    >>> ping, pong = Channel("a", "b", "Ping", Mode.BOUNDED), Channel("b", "a", "Pong", Mode.BOUNDED)
    >>> cycle = (Wait("a", "b", "room for Ping"), Wait("b", "a", "room for Pong"))
    >>> answer = confirm(Traffic(("a", "b"), (ping, pong)), cycle)
    >>> answer.status, len(answer.run)
    ('confirmed', 4)
    """
    nodes = tuple(wait.who for wait in cycle)
    if run := _straight(traffic, cycle):
        return Answer("confirmed", _replayed(run, nodes), len(run) + 1)
    if traffic.in_turn and ORCHESTRA in nodes:  # signals are not searched; models/broadcast.py does
        return Answer("unknown", (), 0)
    told = nodes[(nodes.index(ORCHESTRA) + 1) % len(nodes)] if ORCHESTRA in nodes else ""
    channels = tuple(row for row in traffic.channels if row.mode is not Mode.SIGNAL or row.receiver == told)
    inside = tuple(channel for channel in channels if channel.sender in nodes and channel.receiver in nodes)
    part = _Search(nodes, inside, nodes).run(limit)
    if part.status == "confirmed":
        return part
    everybody = tuple(dict.fromkeys(name for row in channels for name in (row.sender, row.receiver)))
    whole = _Search(everybody, channels, nodes).run(limit)
    return Answer(whole.status, whole.run, part.states + whole.states)


def _straight(traffic: Traffic, cycle: tuple[Wait, ...]) -> tuple[Step, ...]:
    """The run in which each sends to the next one until it waits, if all may do so unasked; else ()."""
    free = {
        (row.sender, row.receiver): row
        for row in reversed(traffic.channels)
        if row.mode in WAITS_FOR and not row.reply_to
    }
    if any((wait.who, wait.whom) not in free for wait in cycle):
        return ()
    rows = [free[wait.who, wait.whom] for wait in cycle]
    filling = [Step(row.sender, "sends", row) for row in rows]
    waiting = [Step(row.sender, "waits for room", row) for row in rows if row.mode is not Mode.ASKED]
    return (*filling, *waiting)


class _Search:
    """Every state of some nodes and channels, until those of `cycle` wait for each other."""

    def __init__(self, nodes: tuple[str, ...], channels: tuple[Channel, ...], cycle: tuple[str, ...]) -> None:
        self.nodes, self.channels = nodes, channels
        self.place = {name: number for number, name in enumerate(nodes)}
        self.cycle = [self.place[name] for name in cycle]
        self.sender = [self.place[channel.sender] for channel in channels]
        self.receiver = [self.place[channel.receiver] for channel in channels]
        self.line = [
            self._signals(node) if row.mode is Mode.SIGNAL else node
            for node, row in zip(self.receiver, channels, strict=True)
        ]
        self.replies = [self._replies(channel) for channel in channels]
        self.cut = False  # something was not counted

    def _signals(self, node: int) -> int:
        """Where the queue of a node's signals is."""
        return node + len(self.nodes)

    def _replies(self, channel: Channel) -> list[int]:
        """The channels on which a receiver may send once more when it has taken from `channel`."""
        pairs = enumerate(self.channels)
        return [n for n, row in pairs if row.sender == channel.receiver and row.reply_to == channel.message]

    def run(self, limit: int) -> Answer:
        many = len(self.channels)
        start = _State(((_FREE, -1),) * len(self.nodes), ((),) * 2 * len(self.nodes), (0,) * many, (0,) * many)
        came: dict[_State, tuple[_State, Step] | None] = {start: None}
        waiting = deque([start])
        while waiting and len(came) <= limit:
            state = waiting.popleft()
            for step, following in self._steps(state):
                if following not in came:
                    came[following] = (state, step)
                    if self._closed(following):
                        run = _replayed(_path(came, following), tuple(self.nodes[n] for n in self.cycle))
                        return Answer("confirmed", run, len(came))
                    waiting.append(following)
        return Answer("unknown" if waiting or self.cut else "refuted", (), len(came))

    def _closed(self, state: _State) -> bool:
        """Each node of the cycle waits for the next one."""
        following = self.cycle[1:] + self.cycle[:1]
        return all(self._waits_for(state, who) == whom for who, whom in zip(self.cycle, following, strict=True))

    def _waits_for(self, state: _State, node: int) -> int:
        what, channel = state.doing[node]
        return -1 if what == _FREE else self.receiver[channel]

    # -- what can happen next

    def _steps(self, state: _State) -> Iterator[tuple[Step, _State]]:
        for node, (what, _) in enumerate(state.doing):
            if what == _FREE:
                yield from self._takes(state, node)
                yield from self._answers(state, node)
        for number, channel in enumerate(self.channels):
            if state.doing[self.sender[number]][0] == _FREE and (not channel.reply_to or state.owed[number]):
                yield from self._sends(state, number, channel)

    def _sends(self, state: _State, number: int, channel: Channel) -> Iterator[tuple[Step, _State]]:
        sender, line = self.sender[number], self.line[number]
        owed = _changed(state.owed, number, state.owed[number] - 1) if channel.reply_to else state.owed
        room = not state.queue[line]
        if channel.mode is Mode.UNBOUNDED:
            if self.replies[number] and self._counted(state.afloat[number]):
                afloat = _changed(state.afloat, number, state.afloat[number] + 1)
                yield Step(channel.sender, "sends", channel), _State(state.doing, state.queue, owed, afloat)
        elif room or channel.mode in WAITS_FOR:
            doing = _changed(state.doing, sender, self._sent(number) if room else (_SENDING, number))
            queue = _changed(state.queue, line, (*state.queue[line], number))
            yield Step(channel.sender, "sends" if room else "waits for room", channel), _State(
                doing, queue, owed, state.afloat
            )

    def _sent(self, number: int) -> tuple[int, int]:
        """What a sender does when its message is in the queue."""
        return (_ASKING, number) if self.channels[number].mode is Mode.ASKED else (_FREE, -1)

    def _takes(self, state: _State, node: int) -> Iterator[tuple[Step, _State]]:
        if state.queue[self._signals(node)]:  # before anything else
            yield self._taken(state, self._signals(node))
            return
        for number, count in enumerate(state.afloat):
            if count and self.receiver[number] == node:
                afloat = _changed(state.afloat, number, count - 1)
                taken = _State(state.doing, state.queue, self._owing(state.owed, number), afloat)
                yield Step(self.nodes[node], "takes", self.channels[number]), taken
        if state.queue[node]:
            yield self._taken(state, node)

    def _taken(self, state: _State, line: int) -> tuple[Step, _State]:
        """What lies there is taken, and the first of those who wait has room."""
        number, *behind = state.queue[line]
        queue, doing = _changed(state.queue, line, tuple(behind)), state.doing
        if behind:
            doing = _changed(doing, self.sender[behind[0]], self._sent(behind[0]))
        step = Step(self.channels[number].receiver, "takes", self.channels[number])
        return step, _State(doing, queue, self._owing(state.owed, number), state.afloat)

    def _answers(self, state: _State, node: int) -> Iterator[tuple[Step, _State]]:
        for asker, (what, number) in enumerate(state.doing):
            taken = what == _ASKING and self.receiver[number] == node and state.queue[node][:1] != (number,)
            if taken:
                doing = _changed(state.doing, asker, (_FREE, -1))
                step = Step(self.nodes[node], "answers", self.channels[number])
                yield step, _State(doing, state.queue, state.owed, state.afloat)

    def _owing(self, owed: tuple[int, ...], number: int) -> tuple[int, ...]:
        for reply in self.replies[number]:
            if self._counted(owed[reply]):
                owed = _changed(owed, reply, owed[reply] + 1)
        return owed

    def _counted(self, count: int) -> bool:
        self.cut = self.cut or count >= OWED
        return count < OWED


def _changed(row: tuple, place: int, value: object) -> tuple:  # type: ignore[type-arg]  # of any items
    return (*row[:place], value, *row[place + 1 :])


def _path(came: dict[_State, tuple[_State, Step] | None], state: _State) -> tuple[Step, ...]:
    steps = []
    while (origin := came[state]) is not None:
        state, step = origin
        steps.append(step)
    return tuple(reversed(steps))


_LANES = {Mode.UNBOUNDED: UNBOUNDED, Mode.SIGNAL: SIGNAL}  # the others go into the bulk queue


def _replayed(run: tuple[Step, ...], cycle: tuple[str, ...]) -> tuple[Step, ...]:
    """Do the same with real mailboxes of room one, and see that all of a cycle wait in the end; the run as it went."""
    names = {name for step in run for name in (step.channel.sender, step.channel.receiver)}
    boxes = {name: Mailbox(name, signals=1, bulk=1) for name in names}
    held: dict[str, Ticket | None] = {}  # by sender, None for who asks
    early: list[Channel] = []  # unbounded messages that were taken before the run says so
    went = []
    for step in run:
        channel, box = step.channel, boxes[step.channel.receiver]
        if step.did == "answers":
            del held[channel.sender]
        elif step.did != "takes":
            ticket = box.enter(_LANES.get(channel.mode, BULK), (0, step.who), channel)
            assert (ticket is None) == (step.did == "sends"), f"{step}, but the mailbox said otherwise"
            if ticket is not None or channel.mode is Mode.ASKED:
                held[channel.sender] = ticket
        elif channel in early:
            early.remove(channel)
            continue
        else:
            while (taken := box.take()) is not channel:
                assert taken is not NOTHING, f"{step}, but its mailbox is empty"
                assert taken.mode is Mode.UNBOUNDED, f"{step}, but its mailbox gives {taken.message} first"
                went.append(Step(step.who, "takes", taken))
                early.append(taken)
        went.append(step)
    assert all(_waits(held, name) for name in cycle), "all of the cycle wait"
    return tuple(went)


def _waits(held: dict[str, Ticket | None], name: str) -> bool:
    """For an answer, or for room."""
    if name not in held:
        return False
    ticket = held[name]
    return ticket is None or ticket.fate is Fate.WAITING or ticket.message.mode is Mode.ASKED
