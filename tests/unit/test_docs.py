"""The pages say what the code says: drawings are fresh, examples run, every package is on the map, no link is dead."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import hocket

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _draw():
    spec = importlib.util.spec_from_file_location("draw", ROOT / "docs" / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_drawings_are_as_the_code_says():
    assert _draw().stale() == [], "say `make docs`"


def test_every_package_is_on_the_map():
    map_page = (ROOT / "docs" / "map.md").read_text()
    rooms = {path.name for path in (ROOT / "src" / "hocket").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {room for room in rooms if f"`src/hocket/{room}`" not in map_page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_examples_on_a_page_run(page, tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    file = tmp_path / "example.py"  # a page is read from the top: later blocks may use what earlier ones define
    file.write_text("\n".join(blocks))
    spec = importlib.util.spec_from_file_location("example", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "example", module)
    spec.loader.exec_module(module)


def _modules() -> list[str]:
    names = (info.name for info in pkgutil.walk_packages(hocket.__path__, "hocket."))
    return sorted(name for name in names if name != "hocket.__main__")


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS).failed == 0


def test_every_public_name_of_the_front_door_has_a_docstring():
    for name in hocket.__all__:
        value = getattr(hocket, name)
        assert name == "__version__" or value.__doc__, f"hocket.{name} says nothing about itself"


def test_what_soundness_names_exists():
    page = (ROOT / "docs" / "explanation" / "soundness.md").read_text()
    named = re.findall(r"`((?:proofs|tests|models)/[\w/]+(?:\.py)?)`", page)
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert len(named) >= 8
    files = {path.name for room in ("proofs", "tests", "models", "src") for path in (ROOT / room).rglob("*.py")}
    assert [path for path in re.findall(r"`([\w/]+\.py)`", page) if Path(path).name not in files] == []
    commands = re.findall(r"python -m (tests[\w.]+)", page)
    assert [name for name in commands if importlib.util.find_spec(name) is None] == []
    assert len(commands) >= 8


def test_examples_in_docs_are_python():
    trees = {path.name: ast.parse(path.read_text()) for path in (ROOT / "docs" / "examples").rglob("*.py")}
    assert [name for name, tree in trees.items() if not tree.body] == []
    assert trees


def test_the_picture_in_the_readme_is_what_its_example_prints(tmp_path, monkeypatch):
    """Up to the command that replays it, which says where the file lies."""
    page = (ROOT / "README.md").read_text()
    example = re.search(r"```python\n(import threading.*?)```", page, re.DOTALL)
    picture = re.search(r"```text\n(assertion: .*?)```", page, re.DOTALL)
    assert example is not None
    assert picture is not None
    file = tmp_path / "bank.py"
    file.write_text(example[1].replace("print(result.failure)\n", ""))
    spec = importlib.util.spec_from_file_location("bank", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bank", module)
    spec.loader.exec_module(module)
    drawn, _, replay = module.result.failure.drawn(80).partition("\nreplay: ")
    shown, _, command = picture[1].partition("\nreplay: ")
    assert drawn == shown
    assert replay.rpartition(" ")[2].strip() == command.rpartition(" ")[2].strip()
