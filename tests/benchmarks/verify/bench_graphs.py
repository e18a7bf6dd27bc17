"""What it costs to verify large graphs, beside networkx, rustworkx and graphlib in the same run: CPU seconds.

    python -m tests.benchmarks.verify.bench_graphs

A graph of 100,000 tasks and 300,000 edges, as a file; 10,000 questions "A before B?"
about it; a cycle of six tasks hidden among a million edges; 1,000 conditional edges.
The peers build their graph from the same file, and answer what they have an answer
to: the order of all tasks, a cycle, a path for each pair (of which only a few are
asked, and scaled up, because each is a search of its own).
"""

from __future__ import annotations

import gc
import graphlib
import json
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hocket
from hocket.verify.readers.python import PythonGraph

__all__ = ["conditional", "layered", "main", "with_a_cycle"]


def layered(size: int, edges: int, seed: int = 1) -> dict[str, list[str]]:
    """An acyclic graph: each task comes after `edges` of the thousand before it."""
    draw = random.Random(seed)
    return {
        f"t{n}": [f"t{m}" for m in draw.sample(range(max(0, n - 1000), n), min(n, edges))] for n in range(size)
    }


def with_a_cycle(size: int, edges: int) -> dict[str, list[str]]:
    """The same with a short way back: six tasks in the middle wait for each other."""
    graph = layered(size, edges)
    ring = [f"t{size // 2 + 100 * n}" for n in range(6)]
    for one, other in zip(ring, [*ring[1:], ring[0]], strict=True):
        graph[one].append(other)
    return graph


def conditional(size: int) -> str:
    """A graph in Hocket's format in which each edge has a condition: branches that exclude each other, and join."""
    tasks: dict[str, Any] = {"start": {}}
    for n in range(size // 4):
        tasks[f"a{n}"] = {"after": "start", "if": f"v{n % 20} == 'x'"}
        tasks[f"b{n}"] = {"after": "start", "if": f"v{n % 20} != 'x'"}
        either = [{"task": f"{one}{n}", "accepts": ["succeeded", "skipped"]} for one in "ab"]
        tasks[f"join{n}"] = {"after": either}
    return json.dumps({"hocket": 1, "variables": {f"v{n}": "string" for n in range(20)}, "tasks": tasks})


def _timed(what: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    started = time.process_time()
    found = what()
    return time.process_time() - started, found


def _large(folder: Path) -> Iterator[tuple[str, str, float]]:
    graph = layered(100_000, 3)
    path = folder / "graph.json"
    path.write_text(json.dumps({"hocket": 1, "tasks": {name: {"after": after} for name, after in graph.items()}}))
    what = "100,000 tasks, 300,000 edges, with the file read"
    seconds, report = _timed(lambda: hocket.verify(path))
    assert report.verdict == "holds"
    yield what, "hocket verify (all questions, certificate)", seconds
    verified = seconds
    seconds, verdict = _timed(lambda: hocket.audit(report.certificate, path))
    assert type(verdict).__name__ == "Holds"
    yield what, "hocket audit (file read again)", seconds
    befores = {name: body["after"] for name, body in json.loads(path.read_text())["tasks"].items()}
    yield what, "graphlib", _timed(lambda: list(graphlib.TopologicalSorter(befores).static_order()))[0]
    for name, build, order in _peers():
        yield what, name, _timed(lambda build=build, order=order: order(build(befores)))[0]
    draw = random.Random(2)
    pairs = [(f"t{draw.randrange(40_000)}", f"t{draw.randrange(60_000, 100_000)}") for _ in range(10_000)]
    claims = [f"{one} before {other}" for one, other in pairs]
    what = "10,000 questions 'A before B?' on it"
    seconds, report = _timed(lambda: hocket.verify(path, assertions=claims))
    yield what, f"hocket verify (above {verified:.1f}; {len(report.findings)} do not hold)", seconds - verified
    for name, build, _ in _peers():
        built = build(befores)
        asked = pairs[:20]
        seconds = _timed(lambda built=built, asked=asked: [built.has_path(*pair) for pair in asked])[0]
        yield what, f"{name} (has_path, 20 asked, scaled)", seconds * len(pairs) / len(asked)


def _cyclic() -> Iterator[tuple[str, str, float]]:
    graph = with_a_cycle(250_000, 4)
    what = "a cycle among a million edges, found and made shortest"
    reading = PythonGraph().read(graph)
    seconds, report = _timed(lambda: hocket.verify(graph))
    assert report.findings[0].code == "G001"
    assert len(reading.graph.tasks) == 250_000
    yield what, f"hocket verify ({len(report.findings[0].witness)} tasks; {report.findings[0].cure[:40]}…)", seconds
    for name, build, _ in _peers():
        yield what, f"{name} (any cycle)", _timed(lambda build=build: build(graph).cycle())[0]


def _with_conditions() -> Iterator[tuple[str, str, float]]:
    text = conditional(1000)
    seconds, report = _timed(lambda: hocket.verify(text, format="hocket"))
    assert report.verdict == "holds", report
    edges = report.counts["edges"]
    yield f"{edges:,} conditional edges", f"hocket verify with z3 ({report.counts['runs replayed']} runs)", seconds


class _Networkx:
    def __init__(self, befores: dict[str, list[str]]) -> None:
        import networkx

        self.module = networkx
        self.graph = networkx.DiGraph((before, name) for name, after in befores.items() for before in after)

    def order(self) -> object:
        return list(self.module.topological_sort(self.graph))

    def has_path(self, one: str, other: str) -> bool:
        return bool(self.module.has_path(self.graph, one, other))

    def cycle(self) -> object:
        return self.module.find_cycle(self.graph)


class _Rustworkx:
    def __init__(self, befores: dict[str, list[str]]) -> None:
        import rustworkx

        self.module = rustworkx
        self.graph = rustworkx.PyDiGraph()
        self.place = dict(zip(befores, self.graph.add_nodes_from(list(befores)), strict=True))
        place = self.place
        self.graph.add_edges_from_no_data(
            [(place[before], place[name]) for name, after in befores.items() for before in after]
        )

    def order(self) -> object:
        return self.module.topological_sort(self.graph)

    def has_path(self, one: str, other: str) -> bool:
        return bool(self.module.has_path(self.graph, self.place[one], self.place[other]))

    def cycle(self) -> object:
        return self.module.digraph_find_cycle(self.graph)


def _peers() -> list[tuple[str, Callable[[dict[str, list[str]]], Any], Callable[[Any], object]]]:
    """The peers that are installed."""
    found = []
    for name, build in (("networkx", _Networkx), ("rustworkx", _Rustworkx)):
        try:
            __import__(name)
        except ImportError:
            continue
        found.append((name, build, lambda peer: peer.order()))
    return found


def main() -> None:
    """Print one line for each measurement."""
    last = ""
    with tempfile.TemporaryDirectory() as folder:
        for rows in (_large(Path(folder)), _cyclic(), _with_conditions()):
            for what, who, seconds in rows:
                if what != last:
                    print(f"\n{what}")
                last = what
                print(f"  {seconds:8.2f} s  {who}", flush=True)
    print(f"\nten million steps of a loop beside it {_timed(lambda: [None for _ in range(10_000_000)])[0]:.2f} s")
    print(f"largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
