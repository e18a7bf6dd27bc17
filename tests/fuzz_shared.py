"""Random programs on plain shared data, each explored and held against an interpreter that knows nothing of Hocket.

    python -m tests.fuzz_shared [programs] [seed]

A program is text: two or three threads of a few steps on attributes, items, sizes and objects that
are handed on. The interpreter runs the steps of the threads in every order, each step in one go, and collects
the outcomes. The exploration has to find the same outcomes, be "proved", repeat no class, and have
as many classes as depth-first search distinguishes.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import hocket

__all__ = ["Program", "check", "programs"]


class Box:
    """What programs share."""

    def __init__(self) -> None:
        self.a = 0
        self.b = 0
        self.items: list[int] = [0, 0]
        self.table: dict[Any, int] = {"x": 0}
        self.seen: set[int] = set()
        self.other: Box | None = None


# Each step is one access or more that Python makes in one go; `me` is the thread's own dict.
STEPS: tuple[tuple[str, Callable[[Box, dict[str, Any]], Any]], ...] = (
    ("me['r'] = box.a", lambda box, me: me.__setitem__("r", box.a)),
    ("me['r'] = box.b", lambda box, me: me.__setitem__("r", box.b)),
    ("box.a = me['r'] + 1", lambda box, me: setattr(box, "a", me["r"] + 1)),
    ("box.b = me['r'] + 2", lambda box, me: setattr(box, "b", me["r"] + 2)),
    ("me['r'] = box.items[0]", lambda box, me: me.__setitem__("r", box.items[0])),
    ("box.items[1] = me['r'] + 1", lambda box, me: box.items.__setitem__(1, me["r"] + 1)),
    ("box.items.append(me['r'])", lambda box, me: box.items.append(me["r"])),
    ("me['r'] = len(box.items)", lambda box, me: me.__setitem__("r", len(box.items))),
    ("me['r'] = box.items[-1]", lambda box, me: me.__setitem__("r", box.items[-1])),
    ("box.items.insert(0, me['r'])", lambda box, me: box.items.insert(0, me["r"])),
    ("box.table['x'] = me['r'] + 1", lambda box, me: box.table.__setitem__("x", me["r"] + 1)),
    ("me['r'] = box.table.get('y', 5)", lambda box, me: me.__setitem__("r", box.table.get("y", 5))),
    ("box.table['y'] = me['r']", lambda box, me: box.table.__setitem__("y", me["r"])),
    ("me['r'] = box.table.setdefault('y', 7)", lambda box, me: me.__setitem__("r", box.table.setdefault("y", 7))),
    ("me['r'] = box.table.pop('y', 9)", lambda box, me: me.__setitem__("r", box.table.pop("y", 9))),
    ("me['r'] = len(box.table)", lambda box, me: me.__setitem__("r", len(box.table))),
    ("me['r'] = sum(box.table.values())", lambda box, me: me.__setitem__("r", sum(box.table.values()))),
    ("box.table.update(z=me['r'])", lambda box, me: box.table.update(z=me["r"])),
    ("box.table.clear()", lambda box, me: box.table.clear()),
    ("me['r'] = int('z' in box.table)", lambda box, me: me.__setitem__("r", int("z" in box.table))),
    ("box.seen.add(me['r'])", lambda box, me: box.seen.add(me["r"])),
    ("me['r'] = int(3 in box.seen)", lambda box, me: me.__setitem__("r", int(3 in box.seen))),
    ("me['r'] = len(box.seen)", lambda box, me: me.__setitem__("r", len(box.seen))),
    ("me['o'] = Box()", lambda box, me: me.__setitem__("o", Box())),
    ("me['o'].a = me['r'] + 4", lambda box, me: setattr(me["o"], "a", me["r"] + 4)),
    ("box.other = me['o']", lambda box, me: setattr(box, "other", me["o"])),
    ("me['o'] = box.other or me['o']", lambda box, me: me.__setitem__("o", box.other or me["o"])),
    ("me['r'] = me['o'].a", lambda box, me: me.__setitem__("r", me["o"].a)),
    ("me['o'].items.append(me['r'])", lambda box, me: me["o"].items.append(me["r"])),
    ("box.a += 1", lambda box, me: None),  # two steps: see `_split`
    ("box.table['x'] += 1", lambda box, me: None),
)
_SPLIT: dict[str, tuple[Callable[[Box, dict[str, Any]], Any], ...]] = {
    "box.a += 1": (lambda box, me: me.__setitem__("t", box.a), lambda box, me: setattr(box, "a", me["t"] + 1)),
    "box.table['x'] += 1": (lambda box, me: me.__setitem__("t", box.table["x"]),
                            lambda box, me: box.table.__setitem__("x", me["t"] + 1)),
}


class Program(NamedTuple):
    """The steps of each thread, by their number in `STEPS`."""

    threads: tuple[tuple[int, ...], ...]

    def text(self) -> str:
        return "\n".join(f"def task{number}(box, me):" + "".join(f"\n    {STEPS[step][0]}" for step in steps)
                         for number, steps in enumerate(self.threads))


def programs(count: int, seed: int) -> Iterator[Program]:
    rng = random.Random(seed)
    for _ in range(count):
        theme = rng.sample(range(len(STEPS)), rng.randint(3, 7))
        threads = rng.choice((2, 2, 2, 3))
        yield Program(tuple(tuple(rng.choice(theme) for _ in range(rng.randint(1, 4 if threads == 2 else 2)))
                            for _ in range(threads)))


# -- the oracle -------------------------------------------------------------------------------------------------------


def outcomes_by_hand(program: Program) -> set[Any]:
    """What the program can come to, by running its steps in every order."""
    parts = [[part for step in steps for part in _SPLIT.get(STEPS[step][0], (STEPS[step][1],))]
             for steps in program.threads]
    found: set[Any] = set()
    for order in _orders([len(steps) for steps in parts]):
        box, own = Box(), [{"r": 0, "o": None} for _ in parts]
        for one in own:
            one["o"] = Box()
        at = [0] * len(parts)
        failed = [""] * len(parts)
        for thread in order:
            if failed[thread]:
                continue
            try:
                parts[thread][at[thread]](box, own[thread])
            except LookupError as error:
                failed[thread] = type(error).__name__
            at[thread] += 1
        found.add(outcome(box, own, failed))
    return found


def _orders(left: list[int]) -> Iterator[list[int]]:
    if not any(left):
        yield []
    for thread, count in enumerate(left):
        if count:
            left[thread] -= 1
            for rest in _orders(left):
                yield [thread, *rest]
            left[thread] += 1


def outcome(box: Box, own: list[dict[str, Any]], failed: list[str]) -> Any:
    """What can be seen of the end, as a value."""
    other = box.other
    return (box.a, box.b, tuple(box.items), tuple(box.table.items()), tuple(sorted(box.seen)),
            (other.a, tuple(other.items)) if other is not None else None,
            tuple((one["r"], one["o"].a, tuple(one["o"].items), one["o"] is other) for one in own), tuple(failed))


# -- the program ------------------------------------------------------------------------------------------------------


def run(tasks: list[Callable[[Box, dict[str, Any]], None]]) -> Any:
    box, own = Box(), [{"r": 0, "o": Box()} for _ in tasks]
    failed = [""] * len(tasks)

    def guarded(number: int) -> None:
        try:
            tasks[number](box, own[number])
        except LookupError as error:
            failed[number] = type(error).__name__

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(len(tasks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome(box, own, failed)


def tasks_of(program: Program) -> list[Callable[[Box, dict[str, Any]], None]]:
    """The threads as functions of a module of their own, which can be tracked."""
    import importlib.util
    import tempfile
    from pathlib import Path

    folder = Path(tempfile.mkdtemp())
    path = folder / "drawn.py"
    path.write_text("from tests.fuzz_shared import Box\n\n\n" + program.text() + "\n")
    spec = importlib.util.spec_from_file_location("drawn", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["drawn"] = module
    spec.loader.exec_module(module)
    return [getattr(module, f"task{number}") for number in range(len(program.threads))]


def check(program: Program) -> tuple[int, int]:
    """Explore a program and compare; returns its classes and its outcomes."""
    tasks = tasks_of(program)
    try:
        result = hocket.explore(lambda: run(tasks), track=["drawn", "tests.fuzz_shared"])
        wanted = outcomes_by_hand(program)
        assert result.verdict == "proved", f"{program.text()}\n{result}"
        assert set(result.outcomes) == wanted, (
            f"{program.text()}\nmissed {wanted - set(result.outcomes)}\ninvented {set(result.outcomes) - wanted}")
        assert result.classes == result.executions, program.text()
        return result.classes, len(wanted)
    finally:
        del sys.modules["drawn"]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start, classes, outcomes = time.monotonic(), 0, 0
    for number, program in enumerate(programs(count, seed), 1):
        more, ends = check(program)
        classes, outcomes = classes + more, outcomes + ends
        if number % 50 == 0 or number == count:
            print(f"\r{number} programs, {classes:,} classes, {outcomes:,} outcomes, "
                  f"{time.monotonic() - start:.0f} s", end="", flush=True)
    print(": none missed, none invented")


if __name__ == "__main__":
    main()
