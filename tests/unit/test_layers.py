"""The house stands: imports go down, never sideways or up, and the core imports nothing it does not need."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "hocket"

FLOORS = (
    {"errors", "verdict", "graph", "trace", "door"},
    {"kernel", "plan", "spec", "render"},
    {"runtime", "orchestra", "explore", "verify"},
    {"cli", "pytest_plugin", "__main__"},
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, also inside functions and under TYPE_CHECKING, by its dotted name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def test_every_room_stands_on_a_floor():
    assert {_room(path) for path in _files(PACKAGE)} - {"__init__"} <= set(FLOOR)


@pytest.mark.parametrize("path", _files(PACKAGE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path):
    here = _room(path)
    if here in ("__init__", "__main__"):  # the doorstep, and the door it opens
        return
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] != "hocket" or len(parts) < 2 or parts[1] in (here, "__version__"):
            continue
        assert FLOOR[parts[1]] < FLOOR[here] or FLOOR[here] == 0, f"{path.name} imports {name}, which is not below it"


@pytest.mark.parametrize("path", _files(PACKAGE), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_package_imports_no_model_proof_or_test(path):
    assert not {name.split(".")[0] for name in _imports(path)} & {"models", "proofs", "tests"}


@pytest.mark.parametrize("path", _files(ROOT / "models"), ids=lambda path: path.name)
def test_a_model_imports_only_spec_trace_verdict_and_graph(path):
    for name in _imports(path):
        parts = name.split(".")
        if parts[0] == "hocket":
            assert parts[1] in ("spec", "trace", "verdict", "graph", "Spec"), f"{path.name} imports {name}"


def _modules_after(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print('\\n'.join(set(sys.modules) - before))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_importing_hocket_imports_neither_z3_nor_asyncio_nor_any_other_package():
    loaded = {name.split(".")[0] for name in _modules_after("import hocket")}
    assert loaded - set(sys.stdlib_module_names) == {"hocket"}
    assert "asyncio" not in loaded


def test_the_scheduler_runs_without_z3_asyncio_or_the_explorer():
    loaded = _modules_after("import hocket; hocket.run(hocket.task(int), runtime='threads')")
    assert not {"z3", "asyncio", "yaml", "rich", "hocket.explore", "hocket.verify"} & loaded


def test_importing_hocket_costs_less_than_importing_asyncio():
    """4 ms of CPU beside 60 in one process; a limit in milliseconds would be a statement about the machine."""
    probe = ("from time import process_time as now; a = now(); import hocket; b = now(); import asyncio; "
             "print((b - a) / (now() - b))")
    assert min(float(subprocess.check_output([sys.executable, "-c", probe])) for _ in range(3)) < 1


def test_the_core_depends_on_nothing():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == []
