"""What rewriting made is read again by the next run, and never if anything could be different now."""

from __future__ import annotations

import ast
import importlib.util
import marshal
import os
import sys
import warnings
from pathlib import Path

import pytest

from hocket.explore.shared import sources, stored
from hocket.explore.shared.functions import is_rewritten, rewritten
from tests.unit.explore_shared.plain_probes import DirectProbes

PROGRAM = "def f(o):\n    return o.v + {by}\n\n\ndef g():\n    return f\n"
ROOM = Path(stored.__file__).parent


class Box:
    v = 5


class InBlocks(DirectProbes):
    def together(self, *accesses): ...

    def apart(self, value=None):
        return value

    def dropped(self, value): ...


@pytest.fixture(autouse=True)
def bytecode_may_be_written(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """A module made of a text; each time as in a new process, that has nothing in memory."""
    path = tmp_path / "a_kept_program.py"

    def load(text, stamp=1_000_000_000, warned=False):
        path.write_text(text)
        os.utime(path, (stamp, stamp))
        sources._of_file.cache_clear()
        spec = importlib.util.spec_from_file_location("a_kept_program", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "a_kept_program", module)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if warned else "error")
            exec(compile(text, str(path), "exec", dont_inherit=True), vars(module))
        return module

    yield load
    sources._of_file.cache_clear()


@pytest.fixture
def rewritings(monkeypatch):
    """The texts that are in fact rewritten."""
    made = []

    def noted(text, how):
        made.append(how.filename)
        return real(text, how)

    real = sources._made
    monkeypatch.setattr(sources, "_made", noted)
    return made


def _ran(module, probes=DirectProbes):
    with rewritten([module], probes()) as context:
        assert context.refused == []
        assert is_rewritten(module.f.__code__)
        return module.f(Box)


def _files(tmp_path):
    return sorted(path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".py")


def test_the_second_run_reads_what_the_first_has_made(load, rewritings, tmp_path):
    text = PROGRAM.format(by=1)
    assert [_ran(load(text)), _ran(load(text)), _ran(load(text))] == [6, 6, 6]
    assert len(rewritings) == 1
    assert _files(tmp_path) == [f"a_kept_program.{sys.implementation.cache_tag}-hocket.pyc"]


def test_another_text_of_the_same_size_and_time_is_another_text(load, rewritings, tmp_path):
    assert [_ran(load(PROGRAM.format(by=by))) for by in (1, 2, 2, 1)] == [6, 7, 7, 6]
    assert len(rewritings) == 3  # only the last one made is kept
    assert len(_files(tmp_path)) == 1


def test_each_way_of_rewriting_has_a_file_of_its_own(load, rewritings, tmp_path, monkeypatch):
    text = PROGRAM.format(by=1)
    for _ in range(2):
        assert (_ran(load(text)), _ran(load(text), InBlocks)) == (6, 6)
        module = load(text)
        module.__dict__["@pytest_ar"] = None  # as if pytest had rewritten its asserts, of which it has none
        with rewritten([module], DirectProbes()):
            pass
    tag = sys.implementation.cache_tag
    assert _files(tmp_path) == [f"a_kept_program.{tag}-hocket{options}.pyc" for options in ("-asserts", "-gil")
                                ] + [f"a_kept_program.{tag}-hocket.pyc"]
    assert len(rewritings) == 3


def test_a_damaged_file_is_replaced(load, rewritings, tmp_path):
    text = PROGRAM.format(by=1)
    _ran(load(text))
    (place,) = tmp_path.rglob("*.pyc")
    whole = place.read_bytes()
    damaged = [whole[:size] for size in range(0, len(whole), 17)]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:] for at in range(0, len(whole), 17)]
    damaged += [whole + b"x", b"\0" * len(whole)]
    key = whole[8:24]
    assert [content for content in damaged if place.write_bytes(content) and stored.kept(place, key)] == []
    assert stored.kept(place, key) is None
    assert _ran(load(text)) == 6
    assert place.read_bytes() == whole
    assert len(rewritings) == 2


def test_code_of_another_rewriter_is_replaced(load, rewritings, tmp_path, monkeypatch):
    text = PROGRAM.format(by=1)
    _ran(load(text))
    (place,) = tmp_path.rglob("*.pyc")
    before = place.read_bytes()
    monkeypatch.setattr(stored, "_rewriter", lambda: b"another")
    _ran(load(text))
    assert len(rewritings) == 2
    assert place.read_bytes()[:24] != before[:24]


def test_a_rewriter_without_sources_of_its_own_keeps_nothing(load, rewritings, tmp_path, monkeypatch):
    monkeypatch.setattr(stored, "_rewriter", lambda: None)
    assert _ran(load(PROGRAM.format(by=1))) == 6
    assert _files(tmp_path) == []


def test_python_has_warned_already(load, tmp_path):
    """Tests run with warnings as errors; what Python says of a source it says when it is imported, once."""
    module = load("def f(o):\n    return o.v + 1 - ((o is 1) + len('\\d') - 2)\n", warned=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert _ran(module) == 6
        with pytest.raises(SyntaxError, match="invalid"):
            sources.rewrite_source("a = '\\d'")
    with pytest.warns(Warning, match="invalid escape") as told:
        sources.rewrite_source("a = '\\d'")
    assert len(told) == 1


def test_nothing_is_written_where_python_may_write_no_bytecode(load, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert _ran(load(PROGRAM.format(by=1))) == 6
    assert _files(tmp_path) == []


def test_a_place_that_cannot_be_written_to_is_no_error(load, tmp_path):
    (tmp_path / "__pycache__").write_text("a file")
    assert _ran(load(PROGRAM.format(by=1))) == 6
    assert _files(tmp_path) == ["__pycache__"]


def test_a_write_that_fails_on_the_way_leaves_nothing(load, tmp_path, monkeypatch):
    def full(self, target):
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full)
    assert _ran(load(PROGRAM.format(by=1))) == 6
    assert _files(tmp_path) == []


def test_a_prefix_for_bytecode_holds_for_ours_too(load, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "elsewhere"))
    _ran(load(PROGRAM.format(by=1)))
    (place,) = tmp_path.rglob("*.pyc")
    assert place.is_relative_to(tmp_path / "elsewhere")


def test_asserts_that_pytest_rewrote_are_kept_as_they_are(rewritings, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    messages = []
    for _ in range(2):
        sources._of_file.cache_clear()
        with rewritten([sys.modules[__name__]], DirectProbes()) as context:
            assert context.refused == []
            assert is_rewritten(_fails.__code__)
            with pytest.raises(AssertionError) as caught:
                _fails(Box)
            messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert "where 5 = " in messages[0]
    assert len(rewritings) == 1
    assert [name for name in _files(tmp_path) if "-asserts" in name] == [
        f"{Path(__file__).stem}.{sys.implementation.cache_tag}-hocket-asserts.pyc"]


def _fails(box):
    assert box.v == 6


def test_the_key_holds_all_that_decides_what_code_is():
    """What -O, -OO and -X no_debug_ranges do to code shows in the code that the digest of the rewriter looks at."""
    told = [compile(stored._TOLD, "", "exec", optimize=level, dont_inherit=True).co_code for level in (0, 1, 2)]
    assert len(set(told)) == 3
    texts, names = (b"a = 1", b"a = 2"), ("one", "other")
    assert len({stored.key_of(text, name) for text in texts for name in names}) == 4
    assert stored.key_of(b"", "a", "b") != stored.key_of(b"", "ab", "")


def _imported(name):
    tree = ast.parse((ROOM / f"{name}.py").read_bytes())
    found = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {module.rpartition(".")[2] for module in found if module.startswith("hocket.")}


def test_every_module_that_has_a_say_in_what_is_made_is_part_of_the_key():
    reached, waiting = set(), ["sources"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += _imported(name) - reached
    assert sorted(reached) == sorted(stored.REWRITER)


def test_what_was_read_is_equal_to_what_was_made():
    text = Path(ast.__file__).read_bytes()
    made = sources._made(text, sources._How(ast.__file__, by_pytest=False, flags=0, direct=True, blocks=False,
                                                cells=False))
    again = sources._Made(*marshal.loads(marshal.dumps(tuple(made))))
    assert again == made
    assert hash(again.plain) == hash(made.plain)
