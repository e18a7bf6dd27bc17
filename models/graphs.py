"""Small graphs that everybody here speaks of, as the given values of `models.run.Running`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.run import graph


def chain(length: int = 3, **choices: Any) -> dict[str, Any]:
    """Each task after the one before it."""
    tasks = [f"t{number}" for number in range(length)]
    return graph(tasks, after=zip(tasks[1:], tasks, strict=False), **choices)


def diamond(**choices: Any) -> dict[str, Any]:
    """b and c after a, d after both."""
    return graph("abcd", after=[("b", "a"), ("c", "a"), ("d", "b"), ("d", "c")], **choices)


def fork_join(prongs: int = 3, **choices: Any) -> dict[str, Any]:
    """specs_task's and legion_task's first example: t0, a fork with three prongs, then t3."""
    names = [f"t1.{number + 1}" for number in range(prongs)]
    return graph(
        ["t0", "F", *names, "t3"],
        after=[("F", "t0"), ("t3", "F")],
        inside=[(name, "F") for name in names],
        hold=[("F", name) for name in names],
        bodiless=["F"],
        **choices,
    )


def nested_forks(**choices: Any) -> dict[str, Any]:
    """Their second example: t0 < {t1, tx, ty, tz} < t2 and t1 < {ty, tz}."""
    return graph(
        ["t0", "FA", "tx", "t1", "FB", "ty", "tz", "t2"],
        after=[("FA", "t0"), ("FB", "t1"), ("t2", "FA")],
        inside=[("tx", "FA"), ("t1", "FA"), ("FB", "FA"), ("ty", "FB"), ("tz", "FB")],
        hold=[("FA", "tx"), ("FA", "FB"), ("FB", "ty"), ("FB", "tz")],
        bodiless=["FA", "FB"],
        **choices,
    )


def family(**choices: Any) -> dict[str, Any]:
    """Choir's fork: two children spawned inside a running parent, and a task after the parent."""
    return graph(
        ["parent", "c1", "c2", "later"],
        after=[("later", "parent")],
        inside=[("c1", "parent"), ("c2", "parent")],
        hold=[("parent", "c1"), ("parent", "c2")],
        **choices,
    )


def knot(**choices: Any) -> dict[str, Any]:
    """Two tasks, each after the other: a graph that means nothing, kept to see that it is noticed."""
    return graph("ab", after=[("a", "b"), ("b", "a")], **choices)


GRAPHS: dict[str, Callable[..., dict[str, Any]]] = {
    "chain": chain,
    "diamond": diamond,
    "fork_join": fork_join,
    "nested_forks": nested_forks,
    "family": family,
    "knot": knot,
}
