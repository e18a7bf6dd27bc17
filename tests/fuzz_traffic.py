"""Random declarations: what the static check says of them, against every state of a traffic that is written down anew.

    python -m tests.fuzz_traffic [SYSTEMS [SEED]]

The check knows waits, cycles and a search that it has thought about: room for one, no order among unbounded messages,
no search where each may send unasked. Here is none of that: queues with room for one or for two, in the mailbox's
order, broadcasts given to all at once, jobs that wait in line, and each channel sends a few times. Whoever wait for
each other in any state must be a cycle of the report that is not refuted; a cycle that is confirmed must be among
them; and what is said to break a cycle must break it. And orchestras that are declared at random are run, in a
loop: none that `holds` stands still in any program. `tests/unit/orchestra` runs a slice.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter, deque
from contextlib import suppress
from dataclasses import replace
from random import Random
from types import new_class

from hocket.errors import Full, Gone, Undeclared
from hocket.graph.traffic import ORCHESTRA, Channel, Mode, Traffic
from hocket.orchestra import Orchestra, replies, subsystem, trying, unbounded
from hocket.orchestra.check import check
from tests.unit.orchestra.conftest import jump

WAITING = (Mode.BOUNDED, Mode.ASKED, Mode.EVENT)
MODES = (*[Mode.BOUNDED] * 3, Mode.ASKED, Mode.UNBOUNDED, Mode.TRIED, Mode.APART)
SIGNAL, FREE, BULK = 0, 1, 2  # a node's queues, in the order in which it looks at them


class Brute:
    """A state is (doing, queues, owed, asked, left). A queue holds numbers of channels; beyond its room they wait."""

    def __init__(self, traffic, room, sends):
        self.traffic, self.room = traffic, room
        ends = [name for row in traffic.channels for name in (row.sender, row.receiver)]
        self.nodes = list(dict.fromkeys((*traffic.nodes, *ends)))
        self.rows = [row for row in traffic.channels if row.mode is not Mode.SIGNAL]
        self.told = [row.receiver for row in traffic.channels if row.mode is Mode.SIGNAL]
        if self.told:
            self.rows.append(Channel(ORCHESTRA, "", "", Mode.SIGNAL))
        self.sends = sends
        self.complete = False  # every state was seen

    def start(self):
        nodes, rows = len(self.nodes), len(self.rows)
        return (None,) * nodes, ((),) * 3 * nodes, (0,) * rows, (0,) * rows, (self.sends,) * rows

    def states(self, limit):
        """Every state, or some more than `limit`."""
        came, waiting = {self.start()}, deque([self.start()])
        while waiting:
            state = waiting.popleft()
            yield state
            for following in self.following(state):
                if following not in came:
                    came.add(following)
                    waiting.append(following)
            if len(came) > limit:
                return
        self.complete = True

    def following(self, state):
        doing, _, _, asked, _ = state
        for node, name in enumerate(self.nodes):
            if doing[node] is None:
                yield from self.taking(state, node)
                for number, row in enumerate(self.rows):
                    if row.receiver == name and asked[number]:
                        yield self.answered(state, number)
                    if row.sender == name:
                        yield from self.sending(state, node, number, row)

    def taking(self, state, node):
        for kind in (SIGNAL, FREE, BULK):
            place = 3 * node + kind
            if state[1][place]:
                yield self.taken(state, place, kind)
                return

    def taken(self, state, place, kind):
        doing, queues, owed, asked, left = map(list, state)
        number, *rest = queues[place]
        queues[place] = tuple(rest)
        row = self.rows[number]
        for other, reply in enumerate(self.rows):
            if kind != SIGNAL and reply.sender == row.receiver and reply.reply_to == row.message:
                owed[other] += 1
        if row.mode is Mode.ASKED:
            asked[number] = 1
        if kind == SIGNAL:
            waits = any(len(queues[3 * n]) > self.room for n in range(len(self.nodes)))
            if not waits:
                doing[self.nodes.index(ORCHESTRA)] = None
        elif kind == BULK and len(rest) >= self.room:
            self.let_in(doing, rest[self.room - 1])
        return tuple(map(tuple, (doing, queues, owed, asked, left)))

    def let_in(self, doing, number):
        row = self.rows[number]
        if row.mode in WAITING:
            doing[self.nodes.index(row.sender)] = ("answer", number) if row.mode is Mode.ASKED else None

    def answered(self, state, number):
        doing, queues, owed, asked, left = map(list, state)
        asked[number] = 0
        doing[self.nodes.index(self.rows[number].sender)] = None
        return tuple(map(tuple, (doing, queues, owed, asked, left)))

    def sending(self, state, node, number, row):
        doing, queues, owed, asked, left = map(list, state)
        if not left[number] or (row.reply_to and not owed[number]):
            return
        left[number] -= 1
        owed[number] -= bool(row.reply_to)
        places = [3 * self.nodes.index(name) for name in self.told] if row.mode is Mode.SIGNAL else (
            [3 * self.nodes.index(row.receiver) + (FREE if row.mode is Mode.UNBOUNDED else BULK)])
        full = any(len(queues[place]) >= self.room for place in places)
        if full and row.mode is Mode.TRIED:
            return
        for place in places:
            queues[place] = (*queues[place], number)
        if full and row.mode in (*WAITING, Mode.SIGNAL):
            doing[node] = ("room", number)
        elif row.mode is Mode.ASKED:
            doing[node] = ("answer", number)
        yield tuple(map(tuple, (doing, queues, owed, asked, left)))

    def waits(self, state):
        """Whom each node waits for."""
        found = {}
        for node, what in enumerate(state[0]):
            if what is not None:
                row = self.rows[what[1]]
                full = [name for name in self.told if len(state[1][3 * self.nodes.index(name)]) > self.room]
                found[self.nodes[node]] = full if row.mode is Mode.SIGNAL else [row.receiver]
        return found


def rings(waits):
    """The cycles of who waits for whom, each from its least name."""
    found = set()

    def walk(path):
        for whom in waits.get(path[-1], ()):
            if whom == path[0]:
                found.add(tuple(path))
            elif whom not in path and whom > path[0]:
                walk([*path, whom])

    for name in waits:
        walk([name])
    return found


def system(random):
    """A declared traffic of two to five subsystems, and in half of the cases a main loop that talks as well."""
    names = "ABCDE"[: random.choice((2, 2, 3, 3, 4, 5))]
    loop = random.random() < 0.5
    ends = [*names, ORCHESTRA] if loop else [*names]
    consumes = {name: f"to {name}" for name in ends}
    rows = []
    for _ in range(random.randint(2, 6)):
        sender, receiver = random.choice(ends), random.choice(ends)
        mode = random.choice(MODES)
        if ORCHESTRA in (sender, receiver):
            if sender == receiver:
                continue
            mode = Mode.EVENT if receiver == ORCHESTRA and mode is Mode.ASKED else Mode.BOUNDED
        reply = consumes[sender] if mode is Mode.BOUNDED and sender != ORCHESTRA and random.random() < 0.5 else ""
        rows.append(Channel(sender, receiver, consumes[receiver], mode, 1, reply))
    if loop and random.random() < 0.7:
        rows += [Channel(ORCHESTRA, name, "signal", Mode.SIGNAL) for name in names]
    return Traffic(tuple(names), tuple(dict.fromkeys(rows)))


def cured(traffic, who, whom):
    """What the report advises for one edge of a cycle."""
    instead = {Mode.BOUNDED: Mode.UNBOUNDED, Mode.EVENT: Mode.UNBOUNDED, Mode.ASKED: Mode.APART}
    kept = [row for row in traffic.channels if (row.sender, row.receiver, row.mode) != (who, whom, Mode.SIGNAL)]
    rows = [
        replace(row, mode=instead.get(row.mode, row.mode)) if (row.sender, row.receiver) == (who, whom) else row
        for row in kept
    ]
    return Traffic(traffic.nodes, tuple(rows))


def _ring(cycle):
    """Its nodes, from the least name."""
    names = tuple(wait.who for wait in cycle.waits)
    place = names.index(min(names))
    return names[place:] + names[:place]


def _sends(cycle):
    """How often the busiest channel of its run is used; 0 if it has no run."""
    steps = Counter(step.channel for step in cycle.answer.run if step.did in ("sends", "waits for room"))
    return max(steps.values(), default=0)


def compare(traffic, limit=1500):
    """What was found of a system: the number of cycles by status. Raises AssertionError where both differ."""
    report = check(traffic, states=20_000)
    assert report.complete
    said = {_ring(cycle): cycle.answer.status for cycle in report.cycles}
    for room, sends in ((1, 2), (1, 3), (2, 3)):
        brute = Brute(traffic, room, sends)
        closed = {ring for state in brute.states(limit) for ring in rings(brute.waits(state))}
        for ring in closed:
            assert said.get(ring, "no cycle") in ("confirmed", "unknown"), (room, ring, said.get(ring), traffic)
        if brute.complete and room == 1:
            missing = {_ring(cycle) for cycle in report.cycles if 0 < _sends(cycle) <= sends} - closed
            assert not missing, (missing, traffic)
    for cycle in report.cycles:
        for wait in cycle.waits:
            after = check(cured(traffic, wait.who, wait.whom), states=1)
            assert _ring(cycle) not in map(_ring, after.cycles), (wait, traffic)
    return Counter(said.values())


def run(systems, seed=0):
    """The numbers of cycles by what was said of them, over so many systems."""
    total = Counter()
    for number in range(systems):
        total += compare(system(Random(f"{seed}/{number}")))
    return total


# -- the code that runs ------------------------------------------------------------------------------------------------


class Stop: ...


WORDS = {"signal": Stop, "event": str, "error": Exception, "message_capacity": 1, "deny_unsent": False}


def declared(random):
    """An orchestra of two to four subsystems, each of which has room for one message."""
    names = "ABCD"[: random.choice((2, 3, 3, 4))]
    messages = {name: type(f"To{name}", (), {}) for name in names}
    fields = {}
    for name in names:
        receivers = [messages[other] for other in names if random.random() < 0.5]
        sends = [drawn_way(random, message, messages[name]) for message in receivers]
        fields[name] = subsystem(consumes=messages[name], sends=sends)
    return new_class("Drawn", (Orchestra,), WORDS, lambda body: body.update(fields))


def drawn_way(random, message, consumed):
    ways = (message, message, unbounded(message), trying(message), replies(message, to=consumed))
    return random.choice(ways)


def drawn_body(random, rows):
    """Twelve deeds, each a send of a declared message or a look into the mailbox; then it receives until it is told."""
    deeds = [random.choice([None, *rows, *rows]) for _ in range(12)]
    pauses = [random.random() < 0.3 for _ in deeds]

    async def body(ctx):
        with suppress(Gone):
            for row, pause in zip(deeds, pauses, strict=True):
                if row is not None:
                    await _sent(ctx, row)
                elif isinstance(ctx.try_recv(), Stop):
                    return
                if pause:
                    await asyncio.sleep(0)
            async for item in ctx:
                if isinstance(item, Stop):
                    return

    return body


async def _sent(ctx, row):
    with suppress(Full, Undeclared):  # no room for what is tried; no reply is owed
        if row.mode is Mode.UNBOUNDED:
            ctx.send_unbounded(row.message())
        elif row.mode is Mode.TRIED:
            ctx.try_send(row.message())
        else:
            await ctx.send(row.message())


async def _stuck(orchestra, random):
    """Who of an orchestra is still there when all were told to end, and nobody can do anything more."""
    bodies = {slot.name: drawn_body(random, slot.sends) for slot in orchestra.declaration.slots}
    system, _ = orchestra.builder(**bodies).build()
    for _ in range(60):
        await asyncio.sleep(0)
    ended = await system.terminate(Stop(), timeout=1)
    await system.close()
    return ended.running


def run_declared(systems, seed=0, programs=5):
    """How many orchestras hold, how many do not, and how many stood still in some program."""
    counts = Counter()
    for number in range(systems):
        random = Random(f"declared {seed}/{number}")
        drawn = declared(random)
        stuck = [who for _ in range(programs) if (who := jump(_stuck(drawn, random)))]
        verdict = drawn.check(states=20_000).verdict
        assert verdict != "holds" or not stuck, (drawn.traffic(), stuck)
        counts[verdict] += 1
        counts["stood still"] += bool(stuck)
    return counts


if __name__ == "__main__":
    systems, seed = (int(word) for word in [*sys.argv[1:], *("2000", "0")[len(sys.argv) - 1 :]])
    print(dict(run(systems, seed)), flush=True)
    print(dict(run_declared(systems, seed)))
