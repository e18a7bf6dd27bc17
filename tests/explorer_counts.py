"""Exact numbers of classes, published or confirmed by other tools: one row a program.

Rule used: same object and at least one write conflict; a compare-exchange that failed is a read, decided after it
ran; every operation on a lock conflicts with every other on it. Where a row has a second number, it counts the
classes in which no actor is blocked (by a failed assume, or in a deadlock). `FAST` is run by the test suite;
`python -m tests.explorer_counts` runs `SLOW` as well.
Sources: Abdulla et al. (POPL 2014, JACM 2017), SCTBench, and the suites of Nidhugg, GenMC and Concuerror.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import comb, factorial
from typing import NamedTuple

from hocket.explore.dpor import Optimal
from hocket.explore.model import Program, run
from hocket.explore.strategy import Strategy
from hocket.explore.tally import Limits
from tests import explorer_programs as p
from tests.pseudo_code import program_of


class Row(NamedTuple):
    """A program, how many classes it has, and in how many of them nobody is blocked (-1: not told)."""

    name: str
    make: Callable[[], Program]
    classes: int
    complete: int = -1


def _litmus(name: str, text: str, classes: int) -> Row:
    return Row(name, lambda: program_of(text), classes)


def _threads(*groups: str) -> str:
    return " || ".join(group for group in groups if group)


def _each(count: int, text: str, start: int = 0) -> str:
    """`text` once for each of `count` threads, with {i} for its number."""
    return " || ".join(text.replace("{i}", str(i + 1)) for i in range(start, start + count))


def _family(name: str, make: Callable[..., Program], *rows: tuple[object, ...]) -> list[Row]:
    """Rows (parameters, classes[, complete]); parameters are a number or a tuple."""
    made = []
    for parameters, classes, *complete in rows:
        arguments = parameters if isinstance(parameters, tuple) else (parameters,)
        label = f"{name} {'·'.join(map(str, arguments))}"
        made.append(Row(label, lambda arguments=arguments: make(*arguments), classes, *complete))
    return made


def _text(name: str, make: Callable[[int], str], *rows: tuple[int, int]) -> list[Row]:
    return [_litmus(f"{name} {n}", make(n), classes) for n, classes in rows]


LITMUS = [
    _litmus("LB", "r x; y=1 || r y; x=1", 3),
    _litmus("SB", "x=1; r y || y=1; r x", 3),
    _litmus("conditional_readers", "x=1 || if y==0: r x; y=1 || if y==0: r x; y=1", 12),
    _litmus("conditional_readers_2", "x=1 || if y==0: if x==1: y=1 || if y==0: if x==1: y=1", 7),
    _litmus("conditional_readers_3", "x=1 || if y==0: r x || r x; y=1", 6),
    _litmus("depend_1", "z=1 || x=1 || y=1 || if x: if y: r z || if y: r z", 12),
    _litmus("depend_4", "z=1 || x=1 || y=1 || if x==1: if y==1: r z || if y: r z || x=2", 30),
    _litmus("depend_6", "r y; r z || r y || z=1 || y=1; y=2", 18),
    _litmus("diff_dep_3", "x=1 || z=1 || if z: r x || r x", 6),
    _litmus("difficult_readers", "x=1 || x=2 || r x || r x", 18),
    _litmus("etsi_2", "x=1 || y=1; r x || if x: r y", 5),
    _litmus("not_prerequisite_1", "x=1; y=1 || if y: r x || y=1", 7),
    _litmus("popl_example", "x=1 || y=1 || if y==0: z=1 || if z==1: if y==0: x=2", 5),
    _litmus("sleeping_races_2", "y=1 || x=1 || y=2; if x: r y", 5),
    _litmus("sleeping_races_3_write", "y=1 || x=1 || x=2 || if x: r y", 10),
    _litmus("sleeping_races_5", "y=1 || x=1 || r x; r y || if x: r y || r y", 24),
    _litmus("two_writers_readers_1", "x=1; x=2 || r y; r x || r y; r x", 9),
    _litmus("two_writers_readers_2", "x=1 || x=2 || r y; r x || r y; r x", 18),
]

FAST: list[Row] = [
    *LITMUS,
    *_family("counter", p.counter, (2, 4), (3, 36), (4, 576)),
    *_family("inc", p.inc, (2, 4), (3, 36), (4, 576)),
    *_family("readers", p.readers, (2, 4), (3, 8), (4, 16), (6, 64), (8, 256), (10, 1024)),
    *_family("nwriters", p.writers, *((n, factorial(n)) for n in range(1, 7))),
    *_family("n_writers_a_reader", p.writers_readers, *(((n, 1), factorial(n + 1)) for n in range(1, 6))),
    *_family("two_writers_n_readers", p.writers_readers, ((2, 2), 18), ((2, 3), 54), ((3, 2), 96)),
    *_family("lastzero", p.lastzero, (1, 2), *((n, (n + 3) * 2 ** (n - 2)) for n in range(2, 10))),
    *_family("locked", p.locked, (2, 2), (3, 6), (4, 24)),
    *_family("philosophers", p.philosophers, (2, 3, 2), (3, 7, 6), ((3, 2), 106, 90), (4, 15, 14), (5, 31, 30)),
    *_family("trylock", p.trylock, (2, 4), (3, 24), (4, 192)),
    *_family("bank", p.bank, (2, 2), (3, 6), (4, 14), (5, 30)),
    *_family("casrot", p.casrot, (2, 2), (3, 5), (4, 14), (5, 43), (6, 144), (7, 523), (8, 2048)),
    *_family("circular_buffer", p.circular_buffer, *((n, comb(2 * n, n)) for n in range(2, 8))),
    *_family("eratosthenes", p.eratosthenes, (3, 34), (4, 136), (5, 398), (6, 1592)),
    *_family("fib_bench", p.fib_bench, (1, 11), (2, 140), (3, 1698)),
    *_family("filesystem", p.filesystem, *((n, 2 ** max(0, n - 13)) for n in range(13, 21))),
    *_family("indexer", p.indexer, (11, 1), (12, 8), (13, 64)),
    *_family("indexer_mutex", lambda n: p.indexer(n, True), (11, 1), (12, 8), (13, 64)),
    *_family("length_parametric", p.length_parametric, (1, 4), (10, 4), (400, 4)),
    *_family("race_parametric", p.race_parametric, (2, 34), (3, 328), (4, 3334)),
    *_family("lockinc", p.lockinc, *((n, factorial(n)) for n in range(2, 7))),
    *_family("mcslock", p.mcslock, (2, 12, 6), (3, 168, 66)),
    *_family("msqueue", p.msqueue, ((1, 1), 4), ((2, 0), 22), ((2, 1), 188)),
    *_family("opt_lock", p.opt_lock, (2, 42), (3, 126), (4, 346), (5, 922), (6, 2430)),
    *_family("sigma", p.sigma, (2, 3), (3, 15), (4, 105), (5, 945)),
    *_family("spinlock_assume", p.spinlock, (2, 4, 2), (3, 21, 6), (4, 148, 24)),
    *_family("ssb_exponential", p.ssb_exponential, (2, 4), (3, 6), (4, 8), (6, 12), (8, 16), (10, 20), (12, 24)),
    *_family("ssb_exponential reversed", lambda n: p.ssb_exponential(n, True), (2, 4), (4, 8), (10, 20), (12, 24)),
    *_family("ticketlock", p.ticketlock, (2, 4, 2), (3, 30, 6), (4, 336, 24)),
    *_family("token_ring", p.token_ring, (5, 1)),
    *_family("treiber", p.treiber, ((1, 1), 2), ((2, 0), 4), ((2, 1), 22), ((2, 2), 220), ((3, 0), 60), ((3, 1), 1002)),
    *_family("ttaslock", p.ttaslock, (2, 10, 6), (3, 345, 162)),
    *_family("workers", p.workers, (2, 2), (3, 6), (4, 24), (5, 120)),
    *_text("CO_2_2W", lambda n: _each(n, "x={i}; x={i}"), (1, 1), (2, 6), (3, 90), (4, 2520)),
    *_text("CO_R", lambda n: _threads(_each(n, "x={i}; x={i}"), "x=9; r x"), (1, 6), (2, 90), (3, 2520)),
    *_text("CoA", lambda n: _threads("x=1; r y; r x || x=2; r z; r x", _each(n - 1, "y={i}; z={i}")),
           (1, 4), (2, 15), (3, 130), (4, 2028)),
    *_text("CoRR2", lambda n: _threads(_each(n, "x={i}"), "r x; r x || r x; r x"),
           (1, 9), (2, 72), (3, 600), (4, 5400)),
    *_text("ainc", lambda n: _each(n, "faa x"), *((n, factorial(n)) for n in range(2, 7))),
    *_text("alpha2", lambda n: _threads(_each(n, "x={i}"), "x=9; r x; r x"), (1, 4), (2, 20), (3, 120), (4, 840)),
    *_text("binc", lambda n: _each(n, "faa x; faa y"), (2, 4), (3, 36), (4, 576)),
    *_text("cinc", lambda n: _each(n, "faa x; faa y; faa z"), (2, 8), (3, 216)),
    *_text("co4", lambda n: _threads(_each(n, "x={i}"), "x=9; r x"), (1, 3), (2, 12), (3, 60), (4, 360)),
    *_text("disjoint_pairs", lambda n: _each(n, "x{i}=1 || r x{i}"), (2, 4), (3, 8), (4, 16), (5, 32)),
    *_text("redundant_co", lambda n: _threads("; ".join(["x=1"] * n), "; ".join(["x=2"] * n), "r x; r x"),
           (1, 12), (2, 90), (3, 560), (4, 3150)),
    *_text("rw", lambda n: _each(n, "r x; x={i}"), (2, 4), (3, 36), (4, 576)),
    *_text("wainc", lambda n: _threads("x=42", _each(n, "faa x")), (2, 6), (3, 24), (4, 120)),
    *_text("wrw", lambda n: _threads("x=1", _each(n, "r x; x={i}")), (2, 22), (3, 300)),
    Row("many_initials", p.many_initials, 5),
    Row("tricky_predecessors", p.tricky_predecessors, 124),
]

SLOW: list[Row] = [
    *_family("nwriters", p.writers, (7, 5040)),
    *_text("ainc", lambda n: _each(n, "faa x"), (7, 5040)),
    *_family("counter", p.counter, (5, 14_400)),
    *_family("readers", p.readers, (12, 4096), (13, 8192)),
    *_family("lastzero", p.lastzero, *((n, (n + 3) * 2 ** (n - 2)) for n in (10, 11, 12, 13))),
    *_family("casrot", p.casrot, (9, 8597)),
    *_family("circular_buffer", p.circular_buffer, (8, 12_870)),
    *_family("eratosthenes", p.eratosthenes, (7, 2688), ((3, 3), 2817)),
    *_family("fib_bench", p.fib_bench, (4, 19_605)),
    *_family("filesystem", p.filesystem, (21, 256), (22, 512), (26, 8192)),
    *_family("indexer", p.indexer, (14, 512), (15, 4096)),
    *_family("indexer_mutex", lambda n: p.indexer(n, True), (14, 512), (15, 4096)),
    *_family("lockinc", p.lockinc, (7, 5040)),
    *_family("race_parametric", p.race_parametric, (5, 34_904)),
    *_text("cinc", lambda n: _each(n, "faa x; faa y; faa z"), (4, 13_824)),
    *_text("CoA", lambda n: _threads("x=1; r y; r x || x=2; r z; r x", _each(n - 1, "y={i}; z={i}")), (5, 49_776)),
    *_text("wrw", lambda n: _threads("x=1", _each(n, "r x; x={i}")), (4, 6576)),
]


def counts(row: Row, strategy: Strategy) -> tuple[int, int, int]:
    """What a search finds: executions, those that it gave up, and those in which nobody is blocked."""
    program = row.make()
    program.outcome = lambda final: p.BLOCKED in final.results.values()
    tally = run(program, strategy, Limits(executions=max(1000, 50 * row.classes)))
    return tally.executions, tally.abandoned, tally.outcomes[False]


if __name__ == "__main__":  # every row: about three minutes
    for row in [*FAST, *SLOW]:
        start = time.perf_counter()
        executions, given_up, complete = counts(row, Optimal())
        right = (executions, given_up) == (row.classes, 0) and row.complete in (-1, complete)
        seconds = time.perf_counter() - start
        print(f"{row.name:28} {executions:7} {'' if right else 'WRONG '}{seconds:8.2f} s", flush=True)
