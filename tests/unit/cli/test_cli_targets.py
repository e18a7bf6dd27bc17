"""What a command is pointed at: files and modules as people keep them, and what is said where nothing can be run."""

from __future__ import annotations

import sys

import pytest

from hocket.cli import main

PASSES = "def test_it():\n    pass\n"
ENDS = "import sys\n" + PASSES + "graph = {}\nsys.exit(0)\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in; what is imported from it is forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if not name.startswith("hocket"):
            del sys.modules[name]


@pytest.mark.parametrize("words", [("explore", "ends.py"), ("explore", "ends.py::test_it"), ("explore", "ends"),
                                   ("replay", "ends.py::test_it", "hocket1:main#0"), ("verify", "ends:graph")])
def test_a_module_that_ends_the_program_while_it_is_imported_has_passed_nothing(folder, capsys, words):
    (folder / "ends.py").write_text(ENDS)
    assert main(words) == 2
    assert "SystemExit" in capsys.readouterr().err


def test_a_table_that_names_such_a_module_is_unusable_and_the_others_are_checked(folder, capsys):
    (folder / "ends.py").write_text(ENDS)
    (folder / "test_fine.py").write_text(PASSES)
    (folder / "pyproject.toml").write_text('[tool.hocket]\nexplorations = ["ends.py", "test_fine.py"]\n')
    assert main(["check"]) == 2
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["unusable", "holds"]


@pytest.mark.parametrize("text", ["tool = 3\n", "[tool]\nhocket = 3\n", "[tool]\nhocket = [1]\n"])
def test_a_table_that_is_none_is_refused(folder, capsys, text):
    (folder / "pyproject.toml").write_text(text)
    assert main(["check"]) == 2
    assert "[tool.hocket] is no table (write [tool.hocket])" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["package/inner.py", "package.inner", "package/inner.py::test_it"])
def test_a_module_of_a_package_finds_its_neighbours_from_the_folder_where_one_stands(folder, capsys, target):
    package = folder / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "other.py").write_text("VALUE = 1\n")
    (package / "inner.py").write_text(
        "from . import other\nfrom package.other import VALUE\ndef test_it():\n    assert other.VALUE == VALUE\n")
    assert main(["explore", target]) == 0
    assert "proved: 1 class, 1 execution" in capsys.readouterr().out
    assert str(folder) not in sys.path
    assert "" not in sys.path


@pytest.mark.parametrize(("target", "told"), [
    ("nothing.py", "there is no such file (name a file of Python)"),
    ("nothing", "there is no such file, and no such module"),
    ("nothing.inner", "there is no such file, and no such module"),
    ("wants.py", "cannot be imported: No module named 'not_installed'"),
    ("wants", "cannot be imported: No module named 'not_installed'"),
    ("asks.py", "wrong.py:1:"),
    ("tests/", "this is a folder (name a file of Python)"),
    ("", "no file and no module is named (write FILE.py::FUNCTION or package.module::FUNCTION)"),
    ("::test_it", "no file and no module is named"),
    ("zeros.py", "null bytes"),
    ("empty.py", "it has no function test_... or explore_... without parameters (name one: empty.py::FUNCTION)"),
])
def test_what_cannot_be_had_is_said_in_one_line(folder, capsys, target, told):
    (folder / "tests").mkdir()
    for name, text in {"wants": "import not_installed\n", "wrong": "def test_it(:\n", "asks": "import wrong\n",
                       "zeros": "\0", "empty": ""}.items():
        (folder / f"{name}.py").write_text(text)
    assert main(["explore", target]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
