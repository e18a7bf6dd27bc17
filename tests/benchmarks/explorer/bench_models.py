"""How fast pure models are explored: `python -m tests.benchmarks.explorer.bench_models`; prints executions a second.

Best of five, in CPU time of this process; a loop of a million additions is timed beside it, because machines differ.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from hocket.explore.dpor import Optimal, Source
from hocket.explore.model import Program, run
from tests import explorer_programs as programs

ROWS: list[tuple[str, Callable[[], Program], int]] = [
    ("writers 6", lambda: programs.writers(6), 720),
    ("counter 3", lambda: programs.counter(3), 36),
    ("counter 4", lambda: programs.counter(4), 576),
    ("readers 10", lambda: programs.readers(10), 1024),
    ("philosophers 5", lambda: programs.philosophers(5), 31),
    ("lastzero 10", lambda: programs.lastzero(10), 3328),
]


def _best(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Print one line a program."""
    print(f"1,000,000 additions: {_best(lambda: sum(range(1_000_000))):.4f} s")
    for name, make, classes in ROWS:
        program = make()
        assert run(program, Optimal()).executions == classes
        rates = [classes / _best(lambda: run(program, kind())) for kind in (Optimal, Source)]  # noqa: B023
        print(f"{name:16} {classes:6} classes: optimal {rates[0]:8.0f}/s, source {rates[1]:8.0f} classes/s")


if __name__ == "__main__":
    main()
