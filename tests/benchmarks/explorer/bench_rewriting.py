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
from pathlib import Path
from types import ModuleType
from typing import Any

from hocket.explore.shared.rewrite import rewrite
from hocket.explore.shared.tracker import Tracker, Visible

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


def compiling(module: ModuleType) -> list[float]:
    """Seconds to compile the source of a module; to have its tree as Python objects; to parse, rewrite and compile."""
    file = str(module.__file__)
    text = Path(file).read_bytes()

    def rewritten() -> None:
        compile(rewrite(ast.parse(text, file), direct=True), file, "exec", dont_inherit=True)

    return _best(lambda: compile(text, file, "exec", dont_inherit=True), lambda: ast.parse(text, file), rewritten)


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
    print("\nsource        compiled    tree alone   parsed, rewritten and compiled   (CPU ms; in plain compilations)")
    for module in MODULES:
        plain, parsed, rewritten = compiling(module)
        print(f"  {module.__name__:10} {plain * 1e3:8.1f} {parsed * 1e3:8.1f} {parsed / plain:4.1f}x "
              f"{rewritten * 1e3:8.1f} {rewritten / plain:4.1f}x")
    print("\nfunction      as written   after an exploration   rewritten, by no actor   (CPU µs a call; ratios)")
    for work in (attributes, items, calls, arithmetic):
        plain, after, rewritten = running(work)
        print(f"  {work.__name__:10} {plain / 20 * 1e6:8.1f} {after / 20 * 1e6:8.1f} {after / plain:4.2f}x "
              f"{rewritten / 20 * 1e6:8.1f} {rewritten / plain:5.1f}x")


if __name__ == "__main__":
    main()
