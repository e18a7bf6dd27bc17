"""Messages between two subsystems, beside `asyncio.Queue` (and `janus`, if it is installed) in the same run.

    python -m tests.benchmarks.orchestra.bench_messages [MESSAGES [CAPACITY]]

One end sends, the other receives and adds up the first bytes (the seed's topology, section 4.5). Each row is the
CPU time of one message, the median of five runs that take turns with the peer's, and its ratio to `asyncio.Queue`
with the same capacity and payload. "shared" is bounded with locks, as where threads are in the game: janus's case.
"""

from __future__ import annotations

import asyncio
import sys
from statistics import median
from time import process_time

from hocket.orchestra import Orchestra, subsystem

CAPACITY, RUNS = 60_000, 5


class Stop: ...


class Small(bytes): ...


class Node(Orchestra, signal=Stop, event=str, error=Exception, message_capacity=CAPACITY):
    sender = subsystem(sends=Small)
    receiver = subsystem(consumes=Small, priority=True)


WAYS = ("bounded", "unbounded", "priority", "shared")


async def _through_a_queue(messages, payload, queue):
    async def send():
        for _ in range(messages):
            await queue.put(Small(payload))

    async def receive():
        total = 0
        for _ in range(messages):
            total ^= (await queue.get())[0]
        return total

    await asyncio.gather(send(), receive())


async def _through_janus(messages, payload, room):
    import janus

    queue = janus.Queue(room)
    await _through_a_queue(messages, payload, queue.async_q)
    await queue.aclose()


async def _between_subsystems(messages, payload, way, room):
    async def sender(ctx):
        for _ in range(messages):
            if way == "unbounded":
                ctx.send_unbounded(Small(payload))
            else:
                await ctx.send(Small(payload), priority=way == "priority")

    async def receiver(ctx):
        total = 0
        for _ in range(messages):
            total ^= (await ctx.recv())[0]

    builder = Node.builder(sender=sender, receiver=receiver).capacities(messages=room)
    system, _ = builder.build(shared=way == "shared")
    await system.run(watch=None)


def _cost(main, messages):
    start = process_time()
    asyncio.run(main)
    return (process_time() - start) / messages * 1e9


def rows(messages=100_000, runs=RUNS, room=CAPACITY):
    """(payload in bytes, way, ns a message, ratio to asyncio.Queue)."""
    found = []
    for size in (1, 1024):
        payload = b"x" * size
        contenders = {
            "asyncio.Queue": lambda p=payload: _through_a_queue(messages, p, asyncio.Queue(room)),
        } | {way: lambda p=payload, w=way: _between_subsystems(messages, p, w, room) for way in WAYS}
        try:
            import janus  # noqa: F401  # whether it is there
        except ImportError:
            pass
        else:
            contenders["janus"] = lambda p=payload: _through_janus(messages, p, room)
        costs = {name: [] for name in contenders}
        for _ in range(runs):
            for name, make in contenders.items():
                costs[name].append(_cost(make(), messages))
        peer = median(costs["asyncio.Queue"])
        found += [(size, name, median(taken), median(taken) / peer) for name, taken in costs.items()]
    return found


def told(row):
    """A row as a line."""
    size, name, cost, ratio = row
    return f"{size:>5} bytes  {name:<14} {cost:>7.0f} ns  {ratio:>5.2f}"


if __name__ == "__main__":
    messages, room = (int(word) for word in [*sys.argv[1:], *("100000", str(CAPACITY))[len(sys.argv) - 1 :]])
    for row in rows(messages, room=room):
        print(told(row))
