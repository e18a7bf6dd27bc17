"""Which names need a probe: those that somebody else may see while they are bound."""

from __future__ import annotations

import ast

import pytest

from hocket.explore.shared.rewrite import rewrite
from hocket.explore.shared.scopes import Scopes, mangled

CELLS = {  # a program: the names that are probed in it as cells
    # private, or bound once before anybody else can see them
    "def f(x): return x": "",
    "def f():\n x = 1\n x = 2\n return x": "",
    "def f(x):\n return lambda: x": "",
    "def f(*x, **y):\n return lambda: (x, y)": "",
    "def f():\n x = 1\n return lambda: x": "",
    "def f():\n x, (y, *z) = 1, (2, 3)\n def g(): return x, y, z\n return g": "",
    "def f():\n import os\n from a import b\n return lambda: (os, b)": "",
    "def f():\n with open('a') as x: return lambda: x": "",
    "def f():\n if (x := 1): return lambda: x": "",
    "def f():\n class C: pass\n return lambda: C": "",
    "def f():\n def g(): return g\n return g": "",
    "def f():\n def g(): return h()\n def h(): return 1\n return g": "h",  # g could be called before h is bound
    "def f():\n x = 1\n for _ in 'ab': yield lambda: x": "",
    "def f():\n x = 1\n return (x for _ in 'ab')": "",
    "def f():\n x = 1\n x = 2\n return [x for _ in 'ab'], {x for _ in 'ab'}, {x: x for _ in 'ab'}": "",
    "def f():\n for x in 'ab': print([x for _ in 'ab'])": "",
    "def f():\n x = 1\n class C:\n  y = x\n return C": "",
    "def f():\n x = 1\n x = 2\n class C:\n  y = x\n return C": "",
    "def f(v):\n match v:\n  case [x]: return lambda: x": "",
    "def f():\n x: int = 1\n return lambda: x": "",
    "def f():\n if g(): x = 1\n return lambda: x": "",
    "def f():\n try: x = 1\n finally: pass\n return lambda: x": "",
    "class C:\n x = 1\n def m(self): return x": "",
    "def f():\n class C:\n  x = 1\n  x = 2\n  def m(self): return x\n return C": "",
    "class C:\n def m(self): return super().m(), __class__": "",
    "def f(): return [lambda: 1 for x in 'ab']": "",
    # bound more than once
    "def f():\n x = 1\n x = 2\n return lambda: x": "x",
    "def f(x):\n x = 2\n return lambda: x": "x",
    "def f(x):\n x += 1\n return lambda: x": "x",
    "def f(x):\n g = lambda: x\n del x": "x",
    "def f():\n if g(): x = 1\n else: x = 2\n return lambda: x": "x",
    "def f():\n try: x = 1\n except E as e: x = 2\n return lambda: (x, e)": "x e",
    "def f():\n try: pass\n except E as e: return lambda: e": "e",
    "def f(v):\n match v:\n  case [x] | (x, _): return lambda: x": "x",
    "def f():\n import a.b\n import a.c\n return lambda: a": "a",
    "def f():\n def g(): pass\n g = g\n return lambda: g": "g",
    # in a loop
    "def f():\n for x in 'ab': yield lambda: x": "x",
    "def f():\n while 1:\n  x = 1\n  yield lambda: x": "x",
    "def f():\n while (x := g()): yield lambda: x": "x",
    "def f():\n for _ in 'ab':\n  with g() as x: yield lambda: x": "x",
    "def f():\n for _ in 'ab': pass\n else: x = 1\n return lambda: x": "",
    "def f(): return [lambda: x for x in 'ab']": "x",
    "def f():\n g = [(y := x) for x in 'ab']\n return lambda: y": "y",
    "def f():\n for x in 'ab': any(x == y for y in 'ab')": "x",
    # by somebody else
    "def f():\n x = 1\n def g():\n  nonlocal x\n  x = 2\n return g": "x",
    "def f():\n x = 1\n def g():\n  nonlocal x\n  return x\n return g": "x",
    "def f():\n x = 1\n class C:\n  nonlocal x\n  x = 2\n return lambda: x": "x",
    "def f():\n x = 1\n return lambda: [x := 2 for _ in 'ab'] and (lambda: x)": "x",  # the walrus binds another x
    # after somebody else can see them
    "def f():\n g = lambda: x\n x = 1\n return g": "x",
    "def f():\n x = g(lambda: x)\n return x": "x",
    "def f():\n def g(a=lambda: g): pass\n return g": "g",
    "def f():\n @d\n def g(): return g\n return g": "g",
    "def f():\n class C:\n  def m(self): return C\n return C": "C",
    "def f():\n def g():\n  def h(): return x\n  return h\n x = 1\n return g": "x",
    # who owns a name
    "def f(x):\n x = 2\n def g():\n  x = 3\n  return lambda: x\n return g": "",
    "def f():\n global x\n x = 1\n return lambda: x": "",
    "def f(x):\n x = 1\n class C:\n  x = 2\n  def m(self): return x\n return C": "x",
    "class C:\n def m(self):\n  __x = 1\n  __x = 2\n  return lambda: __x": "_C__x",
    "def f(__x):\n __x = 1\n class C:\n  def m(self): return __x\n return C": "",  # it looks for _C__x
}
GLOBALS = {  # a program: the names that are probed in it as globals
    "x = 1\nx = 2\nfor x in 'ab': pass\ndef f(): return x, print": "",
    "x = 1\ndef f(): return x\ndef g():\n global x\n x = 2": "x",
    "x = 1\ndef f(): return x\ndef g():\n global x\n del x": "x",
    "def f(): return x\ndef g():\n global x\n x = 2": "x",
    "def f(): return x\ndef g():\n def h():\n  global x\n  x = 2": "x",
    "def f(): return x\nclass C:\n global x\n x = 2": "x",
    "def f(x): return lambda: x\ndef g():\n global x\n x = 2": "x",  # f has an x of its own, the probe is in g
    "def f():\n global print\n print = 1\ndef g(): print(1)": "print",
    "def f(): return nowhere": "",
    "class C:\n def f(self):\n  global __x\n  __x = 1\n  return __x": "_C__x",
    "def f():\n global x\n x = 1\n def g(): return x\n return g": "x",
    "def f(x):\n class C:\n  global x\n  x = 1\n  def m(self): return x\n return C": "x",  # m reads the x of f
}


def _probed(source: str, kinds: tuple[str, ...], executed: bool = False) -> str:
    found: dict[str, None] = {}
    for node in ast.walk(rewrite(ast.parse(source), executed)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in kinds:
            found.update(dict.fromkeys(arg.value for arg in node.args
                                       if isinstance(arg, ast.Constant) and isinstance(arg.value, str)))
    return " ".join(found)


@pytest.mark.parametrize("source", CELLS)
def test_a_cell_is_probed_unless_it_is_bound_once_before_others_see_it(source):
    assert set(_probed(source, ("cell", "setcell", "delcell")).split()) == set(CELLS[source].split())


@pytest.mark.parametrize("source", GLOBALS)
def test_a_global_is_probed_if_any_function_declares_it(source):
    assert set(_probed(source, ("glob", "setglob", "delglob")).split()) == set(GLOBALS[source].split())


def test_in_an_executed_text_every_name_of_the_top_is_shared_but_not_the_builtins():
    source = "x = y\ndel z\nprint(w)\ndef f(a): return a, x, q, len\nimport m\n[i for i in x]"
    found = _probed(source, ("name", "glob", "setglob", "delglob"), executed=True)
    assert set(found.split()) == {"x", "y", "z", "w", "f", "q", "m"}


def test_the_names_that_functions_rebind_are_known_for_each_module():
    scopes = Scopes(ast.parse("a = b = 1\ndef f():\n global b, c\n b = c = 2"))
    assert scopes.unstable_globals() == {"b", "c"}


@pytest.mark.parametrize(("name", "owner", "spelt"), [
    ("__x", "C", "_C__x"), ("__x", "_C", "_C__x"), ("__x", "__", "__x"), ("__x__", "C", "__x__"), ("_x", "C", "_x"),
    ("__x", None, "__x"), ("__a.b", "C", "__a.b"),
])
def test_private_names_are_spelt_as_python_spells_them(name, owner, spelt):
    assert mangled(name, owner) == spelt
