"""Which scenario of the seeds runs on which runtime: `python -m tests.scenario_matrix` prints it, a test holds it.

The ids are those of the seed's tables for Choir (CH), specs_task (ST) and legion_task (LT). A test says in its name, or
in that of its parameters, whose it is; its parameters say on which runtimes it runs. What a runtime cannot express
stands below with the reason; everything else has to have a test there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from hocket.runtime import RUNTIMES
from tests.chain import test_choir_loom
from tests.tick_worlds import WORLDS
from tests.unit.graph import test_algebra
from tests.unit.runtime import test_choir_scenarios, test_ecs_scenarios, test_graph_scenarios
from tests.unit.runtime_aio import test_aio_scheduler

__all__ = ["CANNOT", "COLUMNS", "IDS", "lines", "matrix", "wanted"]

COLUMNS = ("inline", "threads", "asyncio", "ticks", "ecs", "esper", "built", "explored")
"""Four runtimes of tasks; worlds of entities, plain and on esper; expressions compared as trees; all interleavings."""

IDS = (
    *(f"CH-{n:02}" for n in range(1, 15)),
    *(f"CH-L{n}" for n in range(1, 7)),
    *("CH-A1", "CH-A2", "CH-R1"),
    *(f"CH-X{n}" for n in range(1, 8)),
    *(f"ST-{n:02}" for n in range(1, 9)),
    *(f"ST-C{n}" for n in range(1, 9)),
    *("ST-R1", "ST-R2", "ST-D1", "ST-X1", "ST-X2"),
    *(f"LT-{n:02}" for n in range(1, 6)),
    *(f"LT-C{n}" for n in range(1, 9)),
    "LT-R1",
)

_TICKS = {"ticks"}
_TASKS, _GRAPHS = {"inline", "threads", "asyncio"}, {"inline", "threads", "asyncio", "ticks"}
_WORLDS = {"ecs", "esper"}

# by id: where it is expressed, and why not elsewhere. First those of whole groups.
_GROUPS: list[tuple[str, set[str], str]] = [
    ("CH-L", {"explored"}, "they are about threads in every order"),
    ("CH-", _TASKS, "ticks and worlds run what is given whole: nothing is joined, spawned or of many bodies"),
    ("ST-C", {"built"}, "they are about trees, before anything runs"),
    ("LT-C", {"built"}, "they are about trees, before anything runs"),
    ("ST-", _WORLDS, "they are about ticks, and entities that are made, joined and deleted by hand"),
    ("LT-", _WORLDS, "they are about ticks, and entities that are deleted"),
]
_ALSO: dict[str, set[str]] = {
    **dict.fromkeys(("CH-01", "CH-02", "CH-12", "CH-13", "CH-A2", "CH-R1", "CH-X3"), _TICKS),
    **dict.fromkeys(("ST-03", "ST-04", "ST-05", "ST-08", "ST-D1", "ST-R1", "ST-R2"), _GRAPHS),
    **dict.fromkeys(("LT-03", "LT-04", "LT-05", "LT-R1"), _GRAPHS),
    **dict.fromkeys(("ST-C8", "LT-C8"), _GRAPHS | _WORLDS),
    "ST-X1": _TICKS,
}
CANNOT: dict[str, tuple[set[str], str]] = {
    "CH-07": ({"inline"}, "a second body has to be at work"),
    "CH-10": ({"inline"}, "a join runs tasks there, and does not wait for others"),
    "CH-11": ({"inline"}, "a join that runs tasks itself has no timeout"),
    "CH-X7": ({"inline"}, "it is about workers that come and go"),
}
"""By id: the runtimes of its group that cannot express it, and why."""


def wanted(scenario: str) -> set[str]:
    """Where a scenario has to have a test."""
    group = next(where for prefix, where, _ in _GROUPS if scenario.startswith(prefix))
    cannot, _ = CANNOT.get(scenario, (set(), ""))
    return (group | _ALSO.get(scenario, set())) - cannot


# -- what there is -----------------------------------------------------------------------------------------------------

_MODULES: list[tuple[ModuleType, str]] = [  # and where a test runs that does not say so
    (test_choir_scenarios, "threads"),
    (test_graph_scenarios, ""),
    (test_ecs_scenarios, "ecs"),
    (test_aio_scheduler, "asyncio"),
    (test_algebra, "built"),
    (test_choir_loom, "explored"),
]
_ID = re.compile(r"(ch|st|lt)[-_]([a-z]?)(\d+)(?![a-z0-9])", re.IGNORECASE)


def _ids(text: str) -> Iterator[str]:
    for family, letter, number in _ID.findall(text):
        yield f"{family}-{letter}{number}".upper()


def _parameters(test: Any) -> dict[str, list[str]]:
    """By name of a parameter: what it is called in each case."""
    marks = [mark for mark in getattr(test, "pytestmark", []) if mark.name == "parametrize"]
    return {mark.args[0] if isinstance(mark.args[0], str) else ",".join(mark.args[0]):
            [str(name) for name in mark.kwargs.get("ids") or mark.args[1]] for mark in marks}


def _places(test: Any, otherwise: str) -> set[str]:
    parameters = _parameters(test)
    if "world" in test.__code__.co_varnames[: test.__code__.co_argcount]:
        return {"ecs" if name == "plain" else name for name in WORLDS}
    for name in ("scheduler", "runtime"):
        if name in parameters:
            return set(parameters[name])
    return {otherwise}


def _scenarios(test: Any) -> set[str]:
    names = [test.__name__, *(name for case in _parameters(test).values() for name in case)]
    told = {scenario for name in names for scenario in _ids(name)}
    if test.__name__.endswith("st_c_lt_c"):
        told |= {f"{family}-{name.upper()}" for family in ("ST", "LT") for name in _parameters(test)["scenario"]}
    return told


def matrix() -> dict[str, set[str]]:
    """By id: where it is tested."""
    found: dict[str, set[str]] = {scenario: set() for scenario in IDS}
    for module, otherwise in _MODULES:
        for name, test in vars(module).items():
            if name.startswith("test_") and callable(test):
                places = {"built"} if name.endswith("st_c_lt_c") else _places(test, otherwise)
                for scenario in _scenarios(test) & found.keys():
                    found[scenario] |= places
    assert found.keys() >= set(CANNOT), "an exception for no scenario"
    assert set(RUNTIMES) <= set(COLUMNS), "a runtime that has no column"
    return found


def lines() -> Iterator[str]:
    """The matrix: `x` tested, `-` not to be expressed there, `?` a hole."""
    found = matrix()
    yield f"{'':8}" + "".join(f"{column:>10}" for column in COLUMNS)
    for scenario in IDS:
        marks = ("x" if c in found[scenario] else "?" if c in wanted(scenario) else "-" for c in COLUMNS)
        why = CANNOT.get(scenario, (set(), ""))[1]
        yield f"{scenario:8}" + "".join(f"{mark:>10}" for mark in marks) + (f"  {why}" if why else "")
    for prefix, _, why in _GROUPS:
        yield f"{prefix + '…':8} elsewhere not: {why}"


if __name__ == "__main__":
    print("\n".join(lines()))
