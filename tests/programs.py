"""Random concurrent programs, as values: they print, compare, and build themselves as pure models.

A program is a list of actors; an actor is a list of statements, plain tuples. The
objects are few and fixed, so that actors meet on them. Statements may nest
(`with`, `if`, `try`), may forget a release or notify nobody: deadlocks and errors are
outcomes like any other. A spawned actor is written where it is spawned.
"""

from __future__ import annotations

import random
from typing import Any

from hocket.explore.model import Program, Spawn, choose, join
from hocket.trace.operation import Operation

CELLS, LOCKS = 3, 2
Statement = tuple[Any, ...]


def build(actors: list[list[Statement]]) -> Program:
    """The pure model of a random program; its outcome is all states and what every actor saw."""
    program = Program()
    objects = _Objects(program)
    for statements in actors:
        program.actor(_body, statements, objects)
    program.outcome = lambda final: (tuple(sorted(final.states.items())), tuple(sorted(final.results.items())))
    return program


class _Objects:
    def __init__(self, program: Program) -> None:
        self.cells = [program.cell(0, f"x{i}") for i in range(CELLS)]
        self.data = program.data("d")
        self.locks = [program.lock(f"l{i}") for i in range(LOCKS)]
        self.rlock = program.rlock("r")
        self.semaphore = program.semaphore(1, None, "s")
        self.bounded = program.semaphore(2, 2, "b")
        self.units = program.semaphore(2, None, "u")
        self.condition = program.condition(self.locks[0], "c")
        self.reentrant = program.condition(self.rlock, "k")
        self.event = program.event("e")
        self.barrier = program.barrier(2, "m")
        self.crowd = program.barrier(3, "n")
        self.queue = program.queue(0, "q")
        self.small = program.queue(1, "p")
        self.double = program.queue(2, "w")


def _body(statements: list[Statement], objects: _Objects) -> Any:
    seen: list[Any] = [0]
    children: list[Any] = []
    yield from _block(statements, objects, seen, children)
    return repr(seen)


def _block(statements: list[Statement], o: _Objects, seen: list[Any], children: list[Any]) -> Any:
    for name, *rest in statements:
        yield from STATEMENTS[name](o, seen, children, *rest)


# -- what the statements mean -----------------------------------------------------------------------------------------


def _one(make: Any) -> Any:
    """A statement that is one operation; its result is remembered."""
    def run(o: _Objects, seen: list[Any], children: list[Any], *rest: Any) -> Any:
        seen.append((yield make(o, seen, *rest)))
    return run


def _around(take: Any, give: Any) -> Any:
    def run(o: _Objects, seen: list[Any], children: list[Any], which: int, body: list[Statement]) -> Any:
        got = yield take(o, which)
        seen.append(got)
        if got:
            yield from _block(body, o, seen, children)
            yield give(o, which)
    return run


def _if(o: _Objects, seen: list[Any], children: list[Any], value: int, body: list[Statement]) -> Any:
    if bool(seen[-1]) == bool(value):
        yield from _block(body, o, seen, children)


def _guard(o: _Objects, seen: list[Any], children: list[Any], x: int, body: list[Statement]) -> Any:
    if (yield o.cells[x].load()):
        yield from _block(body, o, seen, children)


def _waiting(which: Any) -> Any:
    def run(o: _Objects, seen: list[Any], children: list[Any], how: str) -> Any:
        if how == "timed":
            seen.append((yield from which(o).timed_wait()))
        else:
            yield from which(o).wait(spurious=how == "spurious")
    return run


def _meeting(which: Any) -> Any:
    def run(o: _Objects, seen: list[Any], children: list[Any]) -> Any:
        seen.append((yield from which(o).wait()))
    return run


def _spawn(watched: bool) -> Any:
    def run(o: _Objects, seen: list[Any], children: list[Any], body: list[Statement]) -> Any:
        children.append((yield Spawn(_body, (body, o), watched=watched)))
    return run


def _ask(how: str) -> Any:
    def run(o: _Objects, seen: list[Any], children: list[Any]) -> Any:
        asked = [child for child in children if child.watched]
        if asked:
            seen.append((yield asked[-1].is_alive() if how == "alive" else asked[-1].timed_join()))
    return run


def _twice(o: _Objects, seen: list[Any], children: list[Any], body: list[Statement]) -> Any:
    """A re-entrant lock, taken again inside: the inner steps are nobody's business but the owner's."""
    yield o.rlock.acquire()
    seen.append((yield o.rlock.try_acquire()))
    yield from _block(body, o, seen, children)
    yield o.rlock.release()
    yield o.rlock.release()


def _join(o: _Objects, seen: list[Any], children: list[Any]) -> Any:
    if children:
        yield join(children.pop(0))


STATEMENTS: dict[str, Any] = {
    "load": _one(lambda o, seen, x: o.cells[x].load()),
    "store": _one(lambda o, seen, x, v: o.cells[x].store(v)),
    "copy": _one(lambda o, seen, x: o.cells[x].store(seen[-1] if type(seen[-1]) is int else 1)),
    "add": _one(lambda o, seen, x: o.cells[x].add(1)),
    "swap": _one(lambda o, seen, x, v: o.cells[x].swap(v)),
    "cas": _one(lambda o, seen, x, old, new: o.cells[x].compare_exchange(old, new)),
    "update": _one(lambda o, seen, x: o.cells[x].update(lambda value: 2 * value + 1)),
    "await": _one(lambda o, seen, x, v: o.cells[x].wait_until(lambda value: value >= v)),
    "increment": _one(lambda o, seen, x, n: o.cells[x].increment(n)),
    "until": _one(lambda o, seen, x, v: o.cells[x].block_until(lambda value: value >= v)),
    "untileven": _one(lambda o, seen, x, v: o.cells[x].block_until(lambda value: value % 2 == v)),
    "read": _one(lambda o, seen: o.data.read()),
    "write": _one(lambda o, seen: o.data.write()),
    "lock": _around(lambda o, which: o.locks[which].acquire(), lambda o, which: o.locks[which].release()),
    "trylock": _around(lambda o, which: o.locks[which].try_acquire(), lambda o, which: o.locks[which].release()),
    "timedlock": _around(lambda o, which: o.locks[which].timed_acquire(), lambda o, which: o.locks[which].release()),
    "rlock": _around(lambda o, which: o.rlock.acquire(), lambda o, which: o.rlock.release()),
    "tryrlock": _around(lambda o, which: o.rlock.try_acquire(), lambda o, which: o.rlock.release()),
    "timedrlock": _around(lambda o, which: o.rlock.timed_acquire(), lambda o, which: o.rlock.release()),
    "acquire": _one(lambda o, seen, which: o.locks[which].acquire()),
    "release": _one(lambda o, seen, which: o.locks[which].release()),
    "locked": _one(lambda o, seen, which: o.locks[which].locked()),
    "relocked": _one(lambda o, seen: o.rlock.locked()),
    "rerelease": _one(lambda o, seen: o.rlock.release()),
    "down": _one(lambda o, seen: o.semaphore.acquire()),
    "trydown": _one(lambda o, seen: o.semaphore.try_acquire()),
    "timeddown": _one(lambda o, seen: o.semaphore.timed_acquire()),
    "up": _one(lambda o, seen: o.semaphore.release()),
    "bounded": _around(lambda o, which: o.bounded.acquire(), lambda o, which: o.bounded.release()),
    "boundedup": _one(lambda o, seen: o.bounded.release()),
    "notify": _one(lambda o, seen, n: o.condition.notify(n) if n else o.condition.notify_all()),
    "notifyany": _one(lambda o, seen, n: o.condition.notify_any(n)),
    "renotify": _one(lambda o, seen, n: o.reentrant.notify(n) if n else o.reentrant.notify_all()),
    "unitsdown": _one(lambda o, seen: o.units.acquire()),
    "unitstimed": _one(lambda o, seen: o.units.timed_acquire()),
    "unitsup": _one(lambda o, seen, n: o.units.release(n)),
    "doubleput": _one(lambda o, seen, v: o.double.put(v)),
    "doubletimedput": _one(lambda o, seen, v: o.double.timed_put(v)),
    "doubleget": _one(lambda o, seen: o.double.get()),
    "doubletimedget": _one(lambda o, seen: o.double.timed_get()),
    "set": _one(lambda o, seen: o.event.set()),
    "clear": _one(lambda o, seen: o.event.clear()),
    "isset": _one(lambda o, seen: o.event.is_set()),
    "eventwait": _one(lambda o, seen: o.event.wait()),
    "eventtimed": _one(lambda o, seen: o.event.timed_wait()),
    "put": _one(lambda o, seen, v: o.queue.put(v)),
    "get": _one(lambda o, seen: o.queue.get()),
    "tryget": _one(lambda o, seen: o.queue.try_get()),
    "timedget": _one(lambda o, seen: o.queue.timed_get()),
    "smallput": _one(lambda o, seen, v: o.small.put(v)),
    "smalltryput": _one(lambda o, seen, v: o.small.try_put(v)),
    "smalltimedput": _one(lambda o, seen, v: o.small.timed_put(v)),
    "smallget": _one(lambda o, seen: o.small.get()),
    "length": _one(lambda o, seen: o.small.length()),
    "choose": _one(lambda o, seen, n: choose(n)),
    "key": _one(lambda o, seen, verb: Operation(f"data.{verb}", (o.event.index, o.data.index))),
    "block": _one(lambda o, seen, written: Operation(
        f"data.mixed{written}", (o.data.index, o.cells[0].index, o.event.index, o.cells[1].index))),
    "nothing": _one(lambda o, seen, kind: Operation(kind, (o.cells[0].index,) if kind == "thread.begin" else ())),
    "if": _if, "guard": _guard, "spawn": _spawn(True), "plainspawn": _spawn(False), "join": _join, "twice": _twice,
    "wait": _waiting(lambda o: o.condition), "rewait": _waiting(lambda o: o.reentrant),
    "meet": _meeting(lambda o: o.barrier), "crowd": _meeting(lambda o: o.crowd),
    "timedjoin": _ask("timed"), "alive": _ask("alive"),
}


# -- drawing one ------------------------------------------------------------------------------------------------------

_THEMES: dict[str, list[str]] = {
    "races": ["load", "store", "store", "guard", "guard"],
    "exchanges": ["cas", "cas", "cas", "load", "store"],
    "memory": ["load", "store", "copy", "add", "swap", "cas", "update", "await", "read", "write", "if"],
    "locks": ["lock", "trylock", "timedlock", "locked", "acquire", "release", "load", "store", "copy", "if"],
    "rlocks": ["rlock", "tryrlock", "timedrlock", "lock", "copy", "load", "if"],
    "semaphores": ["down", "trydown", "timeddown", "up", "bounded", "boundedup", "load", "store", "if"],
    "nested": ["lock", "lock", "trylock", "timedlock", "rlock", "twice", "bounded", "load"],
    "units": ["unitsdown", "unitsdown", "unitstimed", "unitsup", "unitsup", "bounded", "copy"],
    "conditions": ["monitor", "monitor", "trylock", "timedlock", "load", "store"],
    "sections": ["section", "section", "section", "load", "store"],
    "resections": ["remonitor", "remonitor", "remonitor", "tryrlock", "store"],
    "events": ["set", "clear", "isset", "eventwait", "eventtimed", "load", "store", "if"],
    "queues": ["put", "get", "tryget", "timedget", "smallput", "smalltryput", "smalltimedput", "smallget",
               "length", "if"],
    "doubles": ["doubleput", "doubletimedput", "doubletimedput", "doubleget", "doubletimedget", "doubletimedget"],
    "crowds": ["crowd", "crowd", "meet", "load", "store"],
    "families": ["spawn", "plainspawn", "plainspawn", "join", "timedjoin", "store", "load"],
    "meetings": ["meet", "load", "store", "set", "eventwait", "add"],
    "lives": ["spawn", "spawn", "alive", "timedjoin", "join", "load", "store"],
    "threads": ["spawn", "join", "load", "store", "cas", "lock", "up", "down"],
    "choices": ["choose", "load", "store", "cas", "if", "lock", "trylock"],
}
_ARGUMENTS: dict[str, Any] = {
    "load": lambda r: (r.randrange(CELLS),),
    "store": lambda r: (r.randrange(CELLS), r.randrange(1, 3)),
    "swap": lambda r: (r.randrange(CELLS), r.randrange(3)),
    "cas": lambda r: (r.randrange(CELLS - 1), r.randrange(3), r.randrange(1, 4)),
    "await": lambda r: (r.randrange(CELLS), 1),
    "increment": lambda r: (r.randrange(CELLS - 1), r.randrange(1, 3)),
    "until": lambda r: (r.randrange(CELLS - 1), r.randrange(1, 3)),
    "untileven": lambda r: (r.randrange(CELLS - 1), r.randrange(2)),
    "notify": lambda r: (r.randrange(3),),
    "wait": lambda r: (r.choice(["plain", "plain", "timed", "spurious"]),),
    "choose": lambda r: (r.randrange(2, 4),),
    "unitsup": lambda r: (r.randrange(1, 3),),
    "notifyany": lambda r: (r.randrange(1, 4),),
}
_ARGUMENTS["rewait"], _ARGUMENTS["renotify"] = _ARGUMENTS["wait"], _ARGUMENTS["notify"]
for _name in ("copy", "add", "update"):
    _ARGUMENTS[_name] = _ARGUMENTS["load"]
for _name in ("acquire", "release", "locked"):
    _ARGUMENTS[_name] = lambda r: (r.randrange(LOCKS),)
for _name in ("put", "smallput", "smalltryput", "smalltimedput", "doubleput", "doubletimedput"):
    _ARGUMENTS[_name] = lambda r: (r.randrange(1, 3),)
_AROUND = {"lock", "trylock", "timedlock", "rlock", "tryrlock", "timedrlock", "bounded"}
_BODIED = {"spawn", "plainspawn", "twice"}


def draw(rng: random.Random, actors: int, statements: int) -> list[list[Statement]]:
    """A random program: of one theme, so that actors meet often, or of two, so that different kinds of objects meet."""
    mixed = rng.sample(sorted(_THEMES), 2)
    waits = rng.choice([["sections"], ["resections"]])
    themes = rng.choice([["races"], ["races"], ["races"], ["exchanges"], waits, mixed[:1], mixed, mixed, mixed])
    names = [name for theme in themes for name in _THEMES[theme]]
    sizes = [rng.randint(1, statements) for _ in range(actors)]
    return [_draw_block(rng, names, size, 2) for size in sizes]


def _draw_block(rng: random.Random, names: list[str], size: int, depth: int) -> list[Statement]:
    return [_draw(rng, names, depth) for _ in range(size)]


def _draw(rng: random.Random, names: list[str], depth: int) -> Statement:
    name = rng.choice(names)
    if name == "monitor":
        inner = rng.choice([("wait", *_ARGUMENTS["wait"](rng)), ("notify", *_ARGUMENTS["notify"](rng))])
        more = [_draw(rng, ["load", "store"], 0)] if rng.random() < 0.3 else []
        return ("lock", 0, [*more, inner])
    if name == "section":  # several waits and notifies of one condition while its lock is held
        names = ["wait", "wait", "notify", "notifyany", "load", "store"]
        return ("lock", 0, _draw_block(rng, names, rng.randint(1, 3), 0))
    if name == "remonitor":
        held = _draw_block(rng, ["rewait", "renotify"], rng.randint(1, 2), 0)
        return ("twice", held) if rng.random() < 0.5 else ("rlock", 0, held)
    if name == "guard":
        return (name, rng.randrange(CELLS - 1), [("load", rng.randrange(CELLS - 1))])
    if name in _AROUND or name in _BODIED or name == "if":
        if not depth:
            return ("load", 0)
        body = _draw_block(rng, names, rng.randrange(0, 3), depth - 1)
        if name in _BODIED:
            return (name, body)
        return (name, rng.randrange(2), body)
    return (name, *_ARGUMENTS.get(name, lambda r: ())(rng))
