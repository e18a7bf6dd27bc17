"""Every graph of a size, as far as there is time: `python -m tests.chain.exhaust all 4`, and again to go on.

    python -m tests.chain.exhaust RELATIONS SIZE [--spawns N] [--splits] [--cancels] [--late] [--policies branch …]

RELATIONS: `all` (after, inside, hold either way, prong), `seeds` (after and prong) or `dags` (after; every task has a
body). With `--spawns`, N tasks more come while others run, as children or not, after whichever tasks, or a running task
is made to hold another. Where it stands is kept in a file and gone on from, so it may be ended at any time; a file is
taken up only by the code and the question that it is of. A line of progress comes every ten seconds, on stderr.
"""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import time
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from hocket.graph import Graph
from hocket.kernel import Policy
from tests.chain.bridge import Tally, refine
from tests.chain.small import AFTER, RELATIONS, SEEDS, small_graphs

ROOT = Path(__file__).parents[2]
KINDS = {"all": (RELATIONS, True), "seeds": (SEEDS, True), "dags": (AFTER, False)}
_CHAIN = tuple(f"tests/chain/{name}.py" for name in ("bridge", "residue", "small"))
_JUDGES = ("src/hocket/kernel", "src/hocket/spec", "models/run.py", *_CHAIN)


def fingerprint(*question: object) -> str:
    """What is asked, and of which code: the answer to another question is not gone on from."""
    files = [
        path
        for judge in _JUDGES
        for path in ([ROOT / judge] if judge.endswith(".py") else (ROOT / judge).rglob("*.py"))
    ]
    whole = sha256(repr(question).encode())
    for path in sorted(files):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def exhaust(
    kind: str, size: int, policy: str, folder: Path, seconds: float = 1e9, **options: Any
) -> tuple[Tally, bool]:
    """Judge graphs until none is left, or for some seconds; what was counted in all, and whether none is left."""
    relations, bodiless = KINDS[kind]
    name = "-".join([kind, str(size), policy, *(f"{key}{int(value)}" for key, value in options.items() if value)])
    place = folder / f"{name}-{fingerprint(name)}.pickle"
    tally: Tally = pickle.loads(place.read_bytes()) if place.exists() else Tally(judged=set())
    graphs = _graphs(size, relations, bodiless)
    said = began = time.monotonic()
    for graph in islice(graphs, tally.graphs, None):
        now = time.monotonic()
        if now - began > seconds:
            break
        refine(graph, Policy(policy), tally=tally, **options)
        if now - said > 10:
            said = now
            print(f"{name}: {tally.graphs}/{len(graphs)} graphs, {tally.states} states", file=sys.stderr, flush=True)
            _keep(tally, place)
    _keep(tally, place)
    return tally, tally.graphs == len(graphs)


@lru_cache(maxsize=1)
def _graphs(size: int, relations: tuple[str, ...], bodiless: bool) -> list[Graph]:
    return list(small_graphs(size, relations, bodiless))


def _keep(tally: Tally, place: Path) -> None:
    """Whole or not at all: a file half written is no place to go on from."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    part.write_bytes(pickle.dumps(tally))
    os.replace(part, place)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chain.exhaust", description=__doc__.splitlines()[0])
    parser.add_argument("relations", choices=KINDS)
    parser.add_argument("size", type=int)
    parser.add_argument("--spawns", type=int, default=0)
    parser.add_argument("--splits", action="store_true")
    parser.add_argument("--cancels", action="store_true")
    parser.add_argument("--late", action="store_true")
    parser.add_argument("--policies", nargs="+", choices=[each.value for each in Policy])
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--folder", type=Path, default=ROOT / ".hocket" / "exhaust")
    said = parser.parse_args()
    over = True
    for policy in said.policies or [each.value for each in Policy]:
        began = time.process_time()
        options = {"spawns": said.spawns, "splits": said.splits, "cancels": said.cancels, "late": said.late}
        tally, whole = exhaust(said.relations, said.size, policy, said.folder, said.seconds, **options)
        over = over and whole
        print(
            f"{said.relations} {said.size}+{said.spawns} {policy}: {tally.graphs} graphs, {tally.states} states, "
            f"{tally.deeds} deeds, {'all' if whole else 'so far'} as the model has it, "
            f"{time.process_time() - began:.0f} s of CPU here",
            flush=True,
        )
    return 0 if over else 3


if __name__ == "__main__":
    sys.exit(main())
