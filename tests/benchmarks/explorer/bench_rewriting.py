"""What it costs to rewrite code, and to run what was rewritten: `python -m tests.benchmarks.explorer.bench_rewriting`.

Functions of tracked modules are exchanged for the time of an exploration and put back after it, so that code
outside of any exploration is the plain one. While one goes on, threads that are no actors (a test runner's, a
server's) run rewritten code as well; what they pay is the second table. Read the ratios: both sides of each are
measured in turns in one process, CPU time, the best of several.
"""

from __future__ import annotations

import argparse
import ast
import os
import queue
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from hocket.explore.shared import sources
from hocket.explore.shared.rewrite import rewrite
from hocket.explore.shared.tracker import Tracker, Visible
from tests.unit.explore_shared.plain_probes import DirectProbes

MODULES: tuple[ModuleType, ...] = (queue, textwrap, tempfile, threading, argparse)
ROUNDS = 5


def _best(*works: Callable[[], object]) -> list[float]:
    """The least CPU seconds of each, taken in turns."""
    least = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            begun = time.process_time()
            work()
            least[number] = min(least[number], time.process_time() - begun)
    return least


class Costs(NamedTuple):
    """CPU seconds, each for one module."""

    plain: float  # its source compiled
    by_tree: float  # the same by way of a tree of Python objects: no rewriter can take less
    rewritten: float  # parsed, rewritten and compiled
    first: float  # all that the first exploration does: both forms compiled, function by function
    second: float  # all that the next process does, which finds on disk what the first one kept
    bytecode: float  # what Python reads on disk for an import, and builds


def compiling(module: ModuleType, place: Path) -> Costs:
    """What it costs to have the code of a module, at a copy of it in the directory `place`."""
    path = place / Path(str(module.__file__)).name
    text = Path(str(module.__file__)).read_bytes()
    path.write_bytes(text)
    name = str(path)
    loader = SourceFileLoader(module.__name__, name)
    loader.get_code(module.__name__)

    def loaded() -> None:
        sources._of_file.cache_clear()  # as in a process that has not seen it
        sources.source_of(module, name, 0, DirectProbes())

    def made() -> None:
        sources._of_file.cache_clear()
        for kept in place.rglob("*-hocket*.pyc"):
            kept.unlink()
        sources.source_of(module, name, 0, DirectProbes())

    loaded()
    second, bytecode = _best(loaded, lambda: loader.get_code(module.__name__))
    first, plain, by_tree, rewritten = _best(
        made, lambda: compile(text, name, "exec", dont_inherit=True),
        lambda: compile(ast.parse(text, name), name, "exec", dont_inherit=True),
        lambda: compile(rewrite(ast.parse(text, name), direct=True), name, "exec", dont_inherit=True))
    return Costs(plain, by_tree, rewritten, first, second, bytecode)


class Account:
    """Something with attributes, items and calls."""

    def __init__(self) -> None:
        self.balance, self.log = 0, []

    def deposit(self, amount: int) -> None:
        self.balance += amount


def attributes() -> int:
    account = Account()
    for amount in range(300):
        account.balance += amount
    return account.balance


def items() -> int:
    table = {}
    for number in range(300):
        table[number % 7] = number
    return table[3]


def calls() -> int:
    account = Account()
    for amount in range(300):
        account.deposit(amount)
    return account.balance


def arithmetic() -> int:
    total = 0
    for number in range(300):
        total = (total * 3 + number) % 1_000_003
    return total


def running(work: Callable[[], Any]) -> list[float]:
    """Seconds for a function as it was written; after an exploration has put it back; rewritten, by no actor."""
    tracker = Tracker(work, (sys.modules[__name__],), Visible(data="track"))
    twenty = [work] * 20

    def several() -> None:
        for each in twenty:
            each()

    (plain,) = _best(several)
    with tracker.active():
        (rewritten,) = _best(several)
    (after,) = _best(several)
    return [plain, after, rewritten]


def main() -> None:
    """Print both tables."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print("\nsource        compiled      by a tree   rewritten   first run   second run   from bytecode"
          "   (CPU ms; in plain compilations)")
    sys.dont_write_bytecode, sys.pycache_prefix = False, None
    with tempfile.TemporaryDirectory() as place:
        for module in MODULES:
            costs = compiling(module, Path(place))
            ratios = "".join(f"{cost / costs.plain:11.2f}x" for cost in costs[1:])
            print(f"  {module.__name__:10} {costs.plain * 1e3:8.1f} {ratios}")
    print("\nfunction      as written   after an exploration   rewritten, by no actor   (CPU µs a call; ratios)")
    for work in (attributes, items, calls, arithmetic):
        plain, after, rewritten = running(work)
        print(f"  {work.__name__:10} {plain / 20 * 1e6:8.1f} {after / 20 * 1e6:8.1f} {after / plain:4.2f}x "
              f"{rewritten / 20 * 1e6:8.1f} {rewritten / plain:5.1f}x")


if __name__ == "__main__":
    main()
