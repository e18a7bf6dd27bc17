"""Ordinary `threading` programs, explored by Hocket and its peers: `python -m tests.benchmarks.explorer.bench_threads`.

The same programs, one after the other in the same interpreter, each contender in
a process of its own that reports CPU and wall seconds of the exploration alone
(in-process figures; starting Python is not part of them) and how many executions
it made. What to read is the ratio. A peer that is not installed is skipped with
the reason:

    frontrun         wherever this interpreter or a folder in $HOCKET_PEERS has it
    interleave-test  needs Python 3.12: this interpreter, or the one named by $HOCKET_PEERS_PYTHON

Peers see shared attributes by themselves; for Hocket the shared value is an `Atomic`,
except in the programs named "plain", where it has to see them by itself as well (which it
does not with `data="off"`). Locks and queues are those of the standard library for all three.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hocket import Atomic, explore

ROOT = Path(__file__).parents[3]
CAP = 3_000  # executions of one program, for contenders that do not come to an end
ROUNDS = 3
Body = Callable[[Any], object]


class Cell:
    """A shared value as the peers see it; `Atomic` has the same two methods."""

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def load(self) -> int:
        return self.value

    def store(self, value: int) -> None:
        self.value = value


class Guarded:
    """A counter and its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value = 0


def increment(cell: Any) -> None:
    cell.store(cell.load() + 1)


def guarded_increment(counter: Any) -> None:
    with counter.lock:
        counter.value += 1


def two_stores(cell: Any) -> None:
    cell.store(1)
    cell.store(2)


def produce(shared: Any) -> None:
    shared.put(1)
    shared.put(2)


def consume(shared: Any) -> None:
    shared.get()
    shared.get()


def writer(value: int) -> Body:
    return lambda cell: cell.store(value)


def locking(times: int) -> Body:
    def work(lock: Any) -> None:
        for _ in range(times):
            with lock:
                pass
    return work


# what is shared, as hocket and as its peers make it
SHARED: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "cell": (lambda: Atomic(0), Cell),
    "plain": (Cell, Cell),
    "lock": (lambda: threading.Lock(), lambda: threading.Lock()),  # looked up when it is made: it may be replaced
    "guarded": (Guarded, Guarded),
    "queue": (lambda: queue.Queue(), lambda: queue.Queue()),
}
# name -> what is shared, what each thread does, number of Mazurkiewicz classes
PROGRAMS: dict[str, tuple[str, list[Body], int]] = {
    "counter 2": ("cell", [increment] * 2, 4),
    "counter 3": ("cell", [increment] * 3, 36),
    "writers 4": ("cell", [writer(n) for n in range(4)], 24),
    "locks 2x2": ("lock", [locking(2)] * 2, 6),
    "locks 3x2": ("lock", [locking(2)] * 3, 90),
    "guarded 2": ("guarded", [guarded_increment] * 2, 2),
    "stores 2x2": ("cell", [two_stores] * 2, 6),
    "queue 2": ("queue", [produce, consume], 6),
    "plain 2": ("plain", [increment] * 2, 4),
    "plain 3": ("plain", [increment] * 3, 36),
}


def _together(make: Callable[[], Any], works: list[Body]) -> Callable[[], None]:
    def body() -> None:
        shared = make()
        threads = [threading.Thread(target=work, args=(shared,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return body


# -- contenders: (what is shared, what the threads do) -> executions, and whether nothing was left ---------------------


def hocket(shared: str, works: list[Body], data: str = "track") -> tuple[int, bool]:
    result = explore(_together(SHARED[shared][0], works), data=data)
    assert result.verdict == "proved", str(result)
    assert result.executions == result.classes
    return result.executions, True


def hocket_off(shared: str, works: list[Body]) -> tuple[int, bool]:
    return hocket(shared, works, "off")


def frontrun(shared: str, works: list[Body]) -> tuple[int, bool]:
    import frontrun as peer

    result = peer.explore(setup=SHARED[shared][1], workers=works, invariant=lambda _: True, stop_on_first=False,
                          preemption_bound=None, reproduce_on_failure=0, detect_io=False, max_executions=CAP)
    return result.num_explored, result.num_explored < CAP


def interleave_test(shared: str, works: list[Body]) -> tuple[int, bool]:
    import interleave_test as peer

    result = peer.explore(_together(SHARED[shared][1], works), iterations=CAP, strategy="dfs", max_preemptions=1_000,
                          granularity="line", raise_on_failure=False)
    return result.schedules_run, result.exhausted


def measure(contender: str) -> None:
    """In a process of its own: one line of JSON a program."""
    contend = globals()[contender]
    contend(*PROGRAMS["counter 2"][:2])  # imports, threads of the pool
    for name, (shared, works, _) in PROGRAMS.items():
        if shared == "plain" and contender == "hocket_off":
            continue
        runs = []
        for _ in range(3 if contender.startswith("hocket") else 1):
            wall, cpu = time.perf_counter(), time.process_time()
            executions, complete = contend(shared, works)
            runs.append((time.process_time() - cpu, time.perf_counter() - wall))
        print(json.dumps([name, executions, complete, *min(runs)]), flush=True)


# -- the table --------------------------------------------------------------------------------------------------------


def _run(python: str, contender: str, *before: str) -> dict[str, Any] | str:
    peers = os.environ.get("HOCKET_PEERS", "")
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), str(ROOT), peers]))
    command = [python, *before, "-m", "tests.benchmarks.explorer.bench_threads", contender]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
    if not lines:
        return (done.stderr.strip().splitlines() or ["no output"])[-1]
    return {name: rest for name, *rest in lines}


def _frontrun(python: str) -> dict[str, Any] | str:
    """It wants to be started by its own command, which sets the process up."""
    launch = "import sys; from frontrun.cli import main; sys.argv[0] = 'frontrun'; sys.exit(main())"
    return _run(python, "frontrun", "-c", launch, python)


def _in_turns(contenders: dict[str, Callable[[], dict[str, Any] | str]]) -> dict[str, dict[str, Any] | str]:
    """Of each program the round of least CPU; in turns, so that a busy minute of the machine is everybody's."""
    best: dict[str, dict[str, Any] | str] = {}
    for _ in range(ROUNDS):
        for name, run in contenders.items():
            rows, known = run(), best.get(name)
            if isinstance(rows, str) or not isinstance(known, dict):
                best[name] = rows if known is None else known
            else:
                best[name] = {program: min(row, known.get(program, row), key=lambda row: row[2])
                              for program, row in rows.items()}
    return best


def _table(python: str, peers: dict[str, dict[str, Any] | str]) -> None:
    version = subprocess.run([python, "-V"], capture_output=True, text=True).stdout.strip()
    print(f"\n{version}: executions, executions per CPU second, and how many times the CPU seconds of hocket in all")
    ours = peers["hocket"]
    assert isinstance(ours, dict), f"hocket does not run on {python}: {ours}"
    for contender, rows in peers.items():
        if isinstance(rows, str):
            print(f"  {contender:16} skipped: {rows}")
            continue
        for name, (executions, complete, cpu, wall) in rows.items():
            classes = PROGRAMS[name][2]
            assert not contender.startswith("hocket") or executions == classes, (contender, name, executions)
            left = "" if complete else " and did not end"
            print(f"  {contender:16} {name:10} {executions:5}{left} of {classes} classes"
                  f" {executions / cpu:8.0f}/s CPU {executions / wall:8.0f}/s wall  {cpu / ours[name][2]:7.1f}x")


def main() -> None:
    """Print both tables."""
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    _table(sys.executable, _in_turns({
        "hocket": lambda: _run(sys.executable, "hocket"), "hocket data=off": lambda: _run(sys.executable, "hocket_off"),
        "frontrun": lambda: _frontrun(sys.executable)}))
    newer = os.environ.get("HOCKET_PEERS_PYTHON", sys.executable)
    _table(newer, _in_turns({
        "hocket": lambda: _run(newer, "hocket"), "hocket data=off": lambda: _run(newer, "hocket_off"),
        "interleave-test": lambda: _run(newer, "interleave_test")}))


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
