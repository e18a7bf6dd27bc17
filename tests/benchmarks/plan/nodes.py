"""What a node of a compiled plan costs above the bare call: `python -m tests.benchmarks.plan.nodes [calls] [rounds]`.

The topologies are YOrch's (section 5.5 of the seeds): Chain8, Chain32, Wide8, Balanced15, FanoutConsumeCopies3. *Bare*
is a function in which the same bodies are called in the same order with the same arguments, copies included, written
out by hand. Times are CPU of the process, the best of some rounds in which all contenders take turns; what to read is
the difference by node, and the ratio.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from hocket.plan import Plan, TaskTree, bind, borrow_prev, compile_plan, consume_prev, copy_prev, task_tree
from hocket.runtime.plans import run_plan

Call = Callable[[], object]


def nothing() -> None: ...


def five() -> int:
    return 5


def more(n: int) -> int:
    return n + 1


def read(n: int) -> None: ...


def block() -> bytearray:
    return bytearray(256)


def use(block: bytearray) -> None: ...


# -- topologies: a tree, and the bare function that does the same ------------------------------------------------------


def _chain(nodes: int, paid: bool) -> tuple[TaskTree, str]:
    tree = task_tree(five if paid else nothing)
    for level in range(1, nodes):
        tree.node(level, bind(more, borrow_prev(int)) if paid else nothing)
    lines = ["n = five()"] + ["n = more(n)"] * (nodes - 1) if paid else ["nothing()"] * nodes
    return tree, "\n".join(lines)


def _wide(readers: int, paid: bool) -> tuple[TaskTree, str]:
    below = [bind(read, borrow_prev(int)) if paid else nothing] * readers
    lines = ["n = five()"] + ["read(n)"] * readers if paid else ["nothing()"] * (readers + 1)
    return task_tree(five if paid else nothing, *below), "\n".join(lines)


def _balanced(depth: int, paid: bool, name: str = "n") -> tuple[TaskTree, str]:
    """A binary tree; each node below the root adds one to its parent's number."""
    tree, lines = task_tree(), []

    def grow(level: int) -> None:
        if not paid:
            tree.node(level, nothing)
            lines.append("nothing()")
        else:
            tree.node(level, bind(more, borrow_prev(int)) if level else five)
            lines.append(f"n{level} = more(n{level - 1})" if level else "n0 = five()")
        if level < depth:
            grow(level + 1)
            grow(level + 1)

    grow(0)
    return tree, "\n".join(lines)


def _fanout(copies: int) -> tuple[TaskTree, str]:
    below = [bind(use, consume_prev(bytearray)), *[bind(use, copy_prev(bytearray))] * copies]
    lines = ["b = block()", "stage = bytearray(b)", "use(b)", *["use(bytearray(stage))"] * copies]
    return task_tree(block, *below, fanout="consume_with_copies"), "\n".join(lines)


TOPOLOGIES: dict[str, Callable[[], tuple[TaskTree, str]]] = {
    "Chain8, no payloads": lambda: _chain(8, False),
    "Chain32, no payloads": lambda: _chain(32, False),
    "Wide8, no payloads": lambda: _wide(8, False),
    "Balanced15, no payloads": lambda: _balanced(3, False),
    "Chain8": lambda: _chain(8, True),
    "Chain32": lambda: _chain(32, True),
    "Wide8": lambda: _wide(8, True),
    "Balanced15": lambda: _balanced(3, True),
    "FanoutConsumeCopies3": lambda: _fanout(2),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Nanoseconds by node: `bare` calls, and each contender with everything."""

    nodes: int
    bare: float
    by_contender: dict[str, float]

    def above(self, contender: str) -> float:
        return self.by_contender[contender] - self.bare

    def ratio(self, contender: str) -> float:
        return self.by_contender[contender] / self.bare


CONTENDERS = {
    "recursive": {"executor": "recursive"},
    "recursive, compact": {"executor": "recursive", "slots": "compact"},
    "stack": {"executor": "stack"},
}


def bare(text: str) -> Call:
    """The function with these lines."""
    names = dict(globals())
    exec("def bare():\n" + "\n".join("    " + line for line in text.splitlines()), names)
    return names["bare"]


def contenders(plan: Plan, text: str) -> dict[str, Call]:
    calls: dict[str, Call] = {"bare": bare(text)}
    for name, options in CONTENDERS.items():
        calls[name] = lambda options=options: run_plan(plan, **options)
    return calls


def cost(topology: str, calls: int = 2_000, rounds: int = 7) -> Cost:
    """The best of some rounds in which the contenders take turns."""
    tree, text = TOPOLOGIES[topology]()
    plan = compile_plan(tree)
    told: dict[str, float] = {}
    for name, call in contenders(plan, text).items():
        call()
        told[name] = float("inf")
    for _ in range(rounds):
        for name, call in contenders(plan, text).items():
            began = time.process_time_ns()
            for _ in range(calls):
                call()
            told[name] = min(told[name], (time.process_time_ns() - began) / calls / len(plan))
    return Cost(len(plan), told.pop("bare"), told)


def main(calls: int = 5_000, rounds: int = 9) -> None:
    print(f"{'ns by node':<26}{'bare':>8}" + "".join(f"{name:>28}" for name in CONTENDERS))
    for topology in TOPOLOGIES:
        found = cost(topology, calls, rounds)
        told = (
            f"{found.by_contender[name]:8.0f} (+{found.above(name):.0f}, x{found.ratio(name):.1f})"
            for name in CONTENDERS
        )
        print(f"{topology:<26}{found.bare:>8.0f}" + "".join(f"{text:>28}" for text in told), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
