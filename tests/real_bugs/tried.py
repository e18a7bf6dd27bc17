"""Tries a bug out: both versions, each in a process of its own, and what is wrong with what came out."""

from __future__ import annotations

import inspect
import json
import os
import pkgutil
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.real_bugs.bug import Bug
from tests.real_bugs.shelf import Missing, paths

__all__ = ["Trial", "bug_of", "names", "tried"]

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]


@dataclass(frozen=True, slots=True)
class Trial:
    """What the explorer said of one version; `report` is what it printed, `wrong` what should have been otherwise."""

    version: str
    said: dict[str, Any]
    report: str
    wrong: str

    def __str__(self) -> str:
        told = self.said
        line = (f"{self.version:>8}  {told['verdict']}: {told['classes']} classes, {told['executions']} executions, "
                f"{told['seconds']} s of CPU")
        if "schedule" in told:
            line += f", {told['kind']}, {told['preemptions']} preemptions, {told['schedule']}"
        return line + (f"  <- {self.wrong}" if self.wrong else "")


def names() -> list[str]:
    """Of all the bugs there are."""
    return sorted(module.name for module in pkgutil.iter_modules([str(_HERE / "programs")]))


def bug_of(name: str) -> Bug:
    """What a program states as its BUG, read without importing it: its package may not be there."""
    source = (_HERE / "programs" / f"{name}.py").read_text()
    found = re.search(r"^BUG = (Bug\(.*?\))$", source, re.S | re.M)
    assert found, f"{name} states no BUG"
    bug: Bug = eval(found[1], {"Bug": Bug})
    return bug


def tried(name: str, *, fetch: bool) -> list[Trial]:
    """The affected version, then the fixed one, if there is one. Raises `Missing`."""
    bug = bug_of(name)
    if bug.until is not None and sys.version_info[:2] > bug.until:
        last = ".".join(map(str, bug.until))
        raise Missing(f"{bug.package} {bug.affected} cannot be imported by a Python after {last}")
    return [_trial(name, bug, version, fetch) for version in _versions(bug)]


def _versions(bug: Bug) -> list[str]:
    if bug.package == "python":
        return [".".join(map(str, sys.version_info[:2]))]
    return [bug.affected, *([bug.fixed] if bug.fixed else [])]


def _trial(name: str, bug: Bug, version: str, fetch: bool) -> Trial:
    where = os.pathsep.join([str(_ROOT), *map(str, paths(bug, version, fetch=fetch))])
    command = [sys.executable, "-m", "tests.real_bugs.one", name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_ROOT, timeout=300,
                          env={**os.environ, "PYTHONPATH": where, "PYTHONHASHSEED": "0"})
    if done.returncode:
        raise AssertionError(f"{name} with {version}: {done.stderr[-2000:]}")
    report, _, last = done.stdout.rstrip().rpartition("\n")
    said = json.loads(last)
    return Trial(version, said, report, _wrong(bug, version, said))


def _wrong(bug: Bug, version: str, said: dict[str, Any]) -> str:
    if not _has_it(bug, version):
        wanted = "proved" if bug.bound is None else "bounded"
        return "" if said["verdict"] == wanted else f"expected {wanted}: {said['reason']}"
    if said["verdict"] != "failed":
        return f"the bug was not found: {said['reason']}"
    if said["kind"] != bug.kind:
        return f"expected a failure of kind {bug.kind}"
    if said["preemptions"] > bug.preemptions:
        return f"expected at most {bug.preemptions} preemptions"
    return "" if said["replayed"] else "its schedule does not lead there again"


def _has_it(bug: Bug, version: str) -> bool:
    if bug.mended is not None:
        module, text = bug.mended
        return text not in inspect.getsource(import_module(module))
    if bug.package == "python":
        return not bug.fixed or sys.version_info[:2] < tuple(map(int, bug.fixed.split(".")))
    return version == bug.affected
