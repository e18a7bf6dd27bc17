"""The three uses of Hocket and the chain behind them, in under a minute: `make demo`.

Every line below the `$` is what the command prints; nothing is written here by
hand. The demo fails if a command ends otherwise than it says.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import hocket
from hocket import fork, seq, task
from hocket.cli import main as run_command

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent.relative_to(ROOT)


def title(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}", flush=True)


def command(line: str, expected: int) -> str:
    """Run a command as from the shell, show what it prints, and insist on its exit code."""
    print(f"\n$ hocket {line}", flush=True)
    tee = _Tee(sys.stdout)
    sys.stdout = tee
    try:
        code = run_command(shlex.split(line))
    finally:
        sys.stdout = tee.screen
    if code != expected:
        sys.exit(f"the demo expected exit code {expected}, and this command ended with {code}")
    return tee.copy.getvalue()


class _Tee:
    """Shows what is written, and keeps a copy."""

    def __init__(self, screen) -> None:
        self.screen, self.copy = screen, StringIO()

    def write(self, text: str) -> int:
        self.copy.write(text)
        return int(self.screen.write(text))

    def __getattr__(self, name: str) -> object:
        return getattr(self.screen, name)


def explore() -> None:
    title("a. Explore: every interleaving of ordinary threading code")
    printed = command(f"explore {HERE}/lost_update.py::lost_update", expected=1)
    found = re.search(r"hocket replay (.+)", printed)
    assert found, "a failure ends with the command that replays it"
    command(f"replay {found[1].strip()}", expected=1)
    command(f"explore {HERE}/lost_update.py::kept_update", expected=0)


def run() -> None:
    title("b. Run: the seeds' nested forks on two worker threads")
    names = ("t0", "tx", "t1", "ty", "tz", "t2")
    where: list[str] = []
    meet = threading.Barrier(2)  # tx meets t1, and ty meets tz: on one worker this would never end

    def body(name: str) -> Callable[[], None]:
        def work() -> None:
            where.append(f"{name} on {threading.current_thread().name}")
            if name in ("tx", "t1", "ty", "tz"):
                meet.wait()

        return work

    t0, tx, t1, ty, tz, t2 = (task(body(name), name) for name in names)
    graph = seq(t0, fork(tx, seq(t1, fork(ty, tz))), t2)
    print(f"\n{graph}")
    result = hocket.run(graph, runtime="threads", workers=2)
    print("  ran:      " + ", ".join(where))
    print("  outcomes: " + ", ".join(f"{name} {outcome}" for name, outcome in result.outcomes.items()))


def verify() -> None:
    title("c. Verify: a workflow before it is deployed, and one with a cycle in it")
    command("verify .github/workflows/ci.yml", expected=0)
    command(f"verify {HERE}/workflows/cycle.yml", expected=1)


def prove() -> None:
    title("d. Prove: the rows that the scheduler executes, for any number of tasks")
    command("prove kernel_rows kernel_order watermark", expected=0)


def main() -> None:
    start = time.perf_counter()
    os.chdir(ROOT)
    for part in (explore, run, verify, prove):
        part()
    print(f"\nThat took {time.perf_counter() - start:.0f} s.")


if __name__ == "__main__":
    main()
