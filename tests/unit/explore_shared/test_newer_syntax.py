"""Syntax of a Python that does not exist yet: refused and watched, never guessed at."""

from __future__ import annotations

import ast
import importlib.util
import sys
import textwrap

import pytest

import hocket
from hocket.explore.shared import grammar, scan, sources
from hocket.explore.shared.grammar import NewSyntaxError
from hocket.explore.shared.rewrite import rewrite
from hocket.explore.shared.scopes import Scopes

PROGRAM = """
    import threading

    class Box:
        n = 0

    def raced():
        box = Box()
        def work():
            box.n = box.n + 1
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert box.n == 2
"""


class Sum(ast.BinOp):
    """A new kind of expression, which the compiler of this Python takes for a known one."""


class Forever(ast.While):
    """A new kind of statement."""


class Likely(ast.MatchValue):
    """A new kind of pattern."""


class Around(ast.operator):
    """A new operator."""


def _become(kind, new, tree):
    for node in ast.walk(tree):
        if type(node) is kind:
            node.__class__ = new
    return tree


@pytest.mark.parametrize(("source", "kind", "new"), [
    ("def f(a): return a + 1", ast.BinOp, Sum),
    ("def f(a):\n while a: a.x", ast.While, Forever),
    ("def f(a):\n match a:\n  case 1: a.x", ast.MatchValue, Likely),
    ("def f(a, b): return a + b", ast.Add, Around),
    ("def f(a, b): a += b", ast.Add, Around),
], ids=["expression", "statement", "pattern", "operator", "in place"])
def test_a_node_of_an_unknown_kind_is_refused_by_its_name(source, kind, new):
    tree = ast.parse(source)
    if issubclass(new, ast.operator):
        for node in ast.walk(tree):
            if isinstance(node, (ast.BinOp, ast.AugAssign)):
                node.op = new()
    with pytest.raises(NewSyntaxError, match=f"ast.{new.__name__}"):
        rewrite(_become(kind, new, tree))


@pytest.mark.parametrize("kind", [ast.Import, ast.Return])
def test_a_new_field_of_a_known_kind_is_refused_where_it_says_something(kind, monkeypatch):
    """A kind with a rule of its own and one without."""
    monkeypatch.setitem(grammar.KNOWN, kind.__name__, frozenset())
    found = grammar.new_fields(kind)
    assert found == kind._fields
    node = ast.parse("def f():\n import os\n return os").body[0].body[0 if kind is ast.Import else 1]
    with pytest.raises(NewSyntaxError, match=f"ast.{kind.__name__}.{found[0]}"):
        grammar.check(node, found)
    setattr(node, found[0], None)
    grammar.check(node, found)


def test_every_node_of_this_python_is_known():
    """If this fails in a new Python: what does the new node read, write and bind? Then enter it in `grammar.py`."""
    concrete = {kind for kind in vars(ast).values() if isinstance(kind, type) and issubclass(kind, ast.AST) and (
        kind.__module__ in ("ast", "_ast")) and not kind.__subclasses__()}
    old = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "Index", "ExtSlice", "Suite", "AugLoad", "AugStore",
           "Param", "FunctionType", "TypeIgnore"}
    bare = {kind.__name__ for kind in concrete if issubclass(kind, (ast.operator, ast.cmpop, ast.boolop, ast.unaryop,
                                                                    ast.expr_context))}
    parameters = {"TypeVar", "ParamSpec", "TypeVarTuple"}  # evaluated in scopes of their own, and left alone
    names = {kind.__name__ for kind in concrete if kind.__bases__ != (ast.Constant,)} - old - bare - parameters
    assert names <= grammar.KNOWN.keys()
    assert {name: grammar.new_fields(getattr(ast, name)) for name in names} == dict.fromkeys(names, ())


@pytest.fixture
def program(tmp_path, monkeypatch):
    path = tmp_path / "a_new_program.py"
    path.write_text(textwrap.dedent(PROGRAM))
    spec = importlib.util.spec_from_file_location("a_new_program", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "a_new_program", module)
    spec.loader.exec_module(module)
    yield module
    sources._of_file.cache_clear()


def test_code_with_unknown_syntax_is_watched_and_nothing_about_it_is_proved(program, monkeypatch):
    real = ast.parse
    monkeypatch.setattr(sources.ast, "parse", lambda *args: _become(ast.BinOp, Sum, real(*args)))
    result = hocket.explore(program.raced)
    assert (result.verdict, result.classes) == ("incomplete", 1)
    assert any("newer than this version of Hocket: ast.Sum" in note for note in result.notes)


def test_executed_text_with_unknown_syntax_runs_as_it_is_and_is_watched(monkeypatch):
    def unknown(*args, **kwargs):
        raise NewSyntaxError("ast.Sum")

    monkeypatch.setattr(sources, "rewrite", unknown)
    sources._executed.cache_clear()
    names = {}
    exec(sources.rewrite_source("a = 1 + 1"), names)
    sources._executed.cache_clear()
    assert names["a"] == 2


def test_names_in_a_known_tree_are_found_by_every_rule():
    """Each kind in the table that this Python has can be visited, with and without a rule of its own."""
    tree = ast.parse("async def f(a, *b, c=1, **d):\n async with a as x, b: pass\n async for i in b: await i\n"
                     " return [z async for z in b]\nclass C(B, k=1): pass\n")
    scopes = Scopes(tree)
    assert [sorted(scope.bound) for scope in scopes.of.values()] == [["a", "b", "c", "d", "i", "x"], ["z"], []]


@pytest.mark.parametrize("name", ["STORE_ATTR_QUICKLY", "DELETE_THROUGH", "STORE_FAST_STORE_ATTR"])
def test_an_unknown_instruction_that_writes_is_a_write(name):
    assert scan.rule_for(name) is scan.Code._unknown


@pytest.mark.parametrize(("name", "shown", "known"), [
    ("BINARY_OP", "[]", "BINARY_SUBSCR"), ("BINARY_OP", "+", "BINARY_OP"), ("LOAD_SMALL_INT", "", "LOAD_CONST"),
    ("LOAD_FAST_BORROW", "x", "LOAD_FAST")])
def test_instructions_of_later_pythons_have_the_names_of_earlier_ones(name, shown, known):
    """3.14 subscribes by BINARY_OP, whose result otherwise is a new object that nobody else has."""
    assert scan.known_name(name, shown) == known
