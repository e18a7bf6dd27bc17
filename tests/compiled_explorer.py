"""The engine of the explorer, compiled: `python -m tests.compiled_explorer FOLDER`, then `PYTHONPATH=FOLDER`.

A copy of the package is made in FOLDER, and its hot modules are compiled there by mypyc: they are typed in full and use
no dynamic tricks, so nothing has to be written twice. The sources stay as they are, because the tests replace functions
in them and a compiled module would not notice. Then the counts of some programs are compared with those of the copy.

What is compiled cannot be subclassed unless it says so, and a decorator of `mypy_extensions` says it; the package
depends on nothing, so only the copies carry it. `model.py` stays interpreted, which runs the user's generators, and so
does whatever looks at frames of the program (the primitives, the probes): what is compiled has none of its own.
Needed: mypy (with mypyc and mypy_extensions), setuptools, a C compiler.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import hocket

__all__ = ["MODULES", "build", "main"]

MODULES = ("footprint", "steps", "semantics", "execution", "order", "races", "wakeup", "dpor",
           "threads/actor", "threads/once", "threads/session", "threads/control")
_SUBCLASSED = {"dpor": "Optimal", "races": "Races"}  # by Shard, by Source, by the tests' mutants
_SETUP = """
from mypyc.build import mypycify
from setuptools import setup
flags = ["--ignore-missing-imports"]  # outside of the sources no settings of mypy are found
setup(name="compiled", packages=[], ext_modules=mypycify(flags + {paths!r}, opt_level="3", strip_asserts=False))
"""
_COUNT = """
import hocket.explore.dpor as dpor
from hocket.explore.model import run
from tests import explorer_programs as programs
import hocket, threading
from hocket.explore.threads import control
for module in (dpor, control):
    assert not module.__file__.endswith(".py"), module.__file__
for make, classes in ((programs.counter(3), 36), (programs.lastzero(6), 144), (programs.philosophers(4), 15),
                      (programs.trylock(3), 24), (programs.workers(3), 6), (programs.writers(5), 120)):
    assert run(make, dpor.Optimal()).executions == classes
    assert run(make, dpor.Source()).executions >= classes


def threads(number, deed):
    def body():
        cell, door, values = hocket.Atomic(0), threading.Lock(), {"n": 0}
        each = [threading.Thread(target=deed, args=(cell, door, values)) for _ in range(number)]
        for thread in each: thread.start()
        for thread in each: thread.join()
        return cell.load(), values["n"]
    return body
def counted(cell, door, values): cell.store(cell.load() + 1)
def guarded(cell, door, values):
    with door: values["n"] += 1
def torn(cell, door, values): values["n"] += 1
for number, deed, classes in ((3, counted, 36), (4, guarded, 24), (2, torn, 4), (3, torn, 36)):
    for data in ("track", "off"):
        if data == "track" or deed is counted:
            result = hocket.explore(threads(number, deed), data=data)
            assert (str(result.verdict), result.executions) == ("proved", classes), (deed, data, result)
def lost():
    results = threads(2, torn)()
    assert results[1] == 2, "lost update"
failed = hocket.explore(lost)
assert str(failed.verdict) == "failed" and "an update is lost" in str(failed), failed
"""


def build(folder: Path) -> Path:
    """A copy of the package in `folder`, compiled; answers the folder. Raises CalledProcessError if a tool fails."""
    package = Path(hocket.__file__).parent
    shutil.copytree(package, folder / "hocket", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    paths = [f"hocket/explore/{name}.py" for name in MODULES]
    for name, subclassed in _SUBCLASSED.items():
        _open_to_subclasses(folder / "hocket" / "explore" / f"{name}.py", subclassed)
    (folder / "setup.py").write_text(_SETUP.format(paths=paths))
    subprocess.run([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"], cwd=folder, check=True,
                   capture_output=True, text=True)
    return folder


def check(folder: Path) -> None:
    """Compare some counts with the published ones; raises CalledProcessError if one differs."""
    root = Path(__file__).parent.parent
    (folder / "counts.py").write_text(_COUNT)  # programs need a source that can be read
    subprocess.run([sys.executable, "counts.py"], cwd=folder, check=True, capture_output=True, text=True,
                   env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{root}"})


def _open_to_subclasses(path: Path, name: str) -> None:
    text = path.read_text()
    assert text.count(f"\nclass {name}:\n") == 1, f"{path} has no class {name} without a base"
    text = text.replace(f"\nclass {name}:\n", f"\n@mypyc_attr(allow_interpreted_subclasses=True)\nclass {name}:\n")
    path.write_text(text.replace("\nfrom hocket", "\nfrom mypy_extensions import mypyc_attr\nfrom hocket", 1))


def main() -> None:
    """Build and check; the folder must not have a package yet."""
    folder = Path(sys.argv[1]).absolute()
    try:
        check(build(folder))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error}\n{error.stdout}{error.stderr}")
    print(f"compiled {', '.join(MODULES)}: PYTHONPATH={folder}")


if __name__ == "__main__":
    main()
