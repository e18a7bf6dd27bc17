"""The standard library, rewritten, passes its own examples; and everything in it stands on the lines where it stood."""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import os
import sys
import time
import types
import unittest
from pathlib import Path

import pytest

from hocket.explore.shared.functions import rewrite_source, rewritten
from hocket.explore.shared.rewrite import is_probe, rewrite
from tests.unit.explore_shared.plain_probes import DirectProbes
from tests.unit.explore_shared.side_by_side import probes

LIBRARY = Path(os.__file__).parent
SOURCES = [  # chosen for what they are made of
    "argparse", "ast", "asyncio.base_events", "asyncio.taskgroups", "bdb", "calendar", "collections",
    "concurrent.futures._base", "contextlib", "copy", "csv", "dataclasses", "decimal", "difflib", "dis", "enum",
    "fractions", "functools", "heapq", "inspect", "json.decoder", "json.encoder", "logging", "optparse", "pathlib",
    "pickle", "pprint", "queue", "random", "shlex", "statistics", "string", "tempfile", "textwrap", "threading",
    "tokenize", "traceback", "typing", "unittest.mock", "weakref", "zipfile",
]
EXAMPLES = {"collections": 20, "difflib": 40, "statistics": 60, "_pydecimal": 200, "heapq": 0, "random": 0, "json": 20,
            "fractions": 5, "pprint": 0, "enum": 5, "dataclasses": 0, "textwrap": 2, "functools": 0}
SUITES = ["test_textwrap", "test_heapq", "test_string", "test_shlex", "test_contextlib", "test_copy", "test_pprint"]


def _source_of(name: str) -> Path:
    path = LIBRARY.joinpath(*("_pydecimal" if name == "decimal" else name).split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.exists():
            return candidate
    pytest.skip(f"there is no {name} in this Python")


def _codes(code: types.CodeType) -> dict[tuple[str, int], list[types.CodeType]]:
    found: dict[tuple[str, int], list[types.CodeType]] = {}
    todo = [code]
    while todo:
        code = todo.pop()
        found.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)
        todo += [inner for inner in code.co_consts if isinstance(inner, types.CodeType) and not is_probe(inner)]
    return found


def _lines(code: types.CodeType) -> set[int | None]:
    return {line for _, _, line in code.co_lines()} - {None}


def _branches(source: bytes) -> set[int]:
    """The lines on which an `if` or `while` over several lines begins.

    Python lets a jump after a comparison stand on the line of the comparison, and any other on that of the statement.
    """
    return {node.lineno for node in ast.walk(ast.parse(source))
            if isinstance(node, (ast.If, ast.While)) and node.lineno != node.test.end_lineno}


@pytest.mark.parametrize("executed", [False, True], ids=["module", "executed"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_rewritten_function_has_the_lines_the_signature_and_the_closure_that_it_had(name, executed):
    source = _source_of(name).read_bytes()
    plain = _codes(compile(source, name, "exec", dont_inherit=True))
    tree = rewrite(ast.parse(source), executed, direct=executed)
    new = _codes(compile(tree, name, "exec", dont_inherit=True))
    branches = _branches(source)
    assert plain.keys() == new.keys()
    for spot, codes in plain.items():
        for one, other in zip(codes, new[spot], strict=True):
            assert _lines(one) ^ _lines(other) <= branches, spot
            assert _lines(one) <= _lines(other), spot
            assert one.co_freevars == other.co_freevars, spot
            assert one.co_flags == other.co_flags, spot
            arguments = one.co_argcount + one.co_kwonlyargcount
            assert one.co_varnames[:arguments] == other.co_varnames[:arguments], spot
            assert (one.co_posonlyargcount, one.co_name) == (other.co_posonlyargcount, other.co_name), spot


def _examples(module: types.ModuleType) -> tuple[int, int, str]:
    """How many examples of a module's documentation failed, how many there are, and what was said."""
    out = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder().find(module, module.__name__, module=False, globs=vars(module)):
        runner.run(test, out=out.write)
    return runner.failures, runner.tries, out.getvalue()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rewritten_module_does_what_its_documentation_says(name):
    module = importlib.import_module(name)
    plain = _examples(module)
    with rewritten([module], DirectProbes()) as context:
        assert _examples(module) == plain
    assert plain[1] >= EXAMPLES[name]
    assert context.functions or name == "json"


@pytest.mark.parametrize("name", SUITES)
def test_rewritten_modules_pass_the_tests_that_python_has_for_them(name):
    suite = pytest.importorskip(f"test.{name}")
    tested = sys.modules.get(name.removeprefix("test_"))
    assert tested is not None
    with rewritten([tested, suite], DirectProbes()) as context:
        outcome = unittest.TextTestRunner(io.StringIO()).run(unittest.defaultTestLoader.loadTestsFromModule(suite))
    assert context.refused == []
    assert not outcome.errors, outcome.errors[0][1]
    assert not outcome.failures, outcome.failures[0][1]
    assert outcome.testsRun > 5


@pytest.mark.parametrize("name", ["_pydecimal", "textwrap", "heapq", "string", "statistics", "fractions", "dataclasses",
                                  "functools", "collections", "json.decoder", "json.encoder"])
def test_a_module_can_be_loaded_in_rewritten_form(name):
    path = _source_of(name)
    module = types.ModuleType("again_" + name.replace(".", "_"))
    module.__file__ = str(path)
    module.__dict__["__package__"] = name.rpartition(".")[0]
    sys.modules[module.__name__] = module
    try:
        with probes():
            exec(rewrite_source(path.read_text(), str(path)), vars(module))
            _TRIED[name](module)
    finally:
        del sys.modules[module.__name__]


def _dataclass(m):
    made = m.make_dataclass("P", [("x", int), ("y", int, m.field(default=2))], order=True)
    assert (made(1), made(1) < made(2), m.asdict(made(3))) == (made(1, 2), True, {"x": 3, "y": 2})


def _functools(m):
    calls = []
    cached = m._lru_cache_wrapper(lambda n: calls.append(n) or n * 2, 2, False, m._CacheInfo)
    assert ([cached(n) for n in (1, 1, 2, 3, 1)], calls) == ([2, 2, 4, 6, 2], [1, 2, 3, 1])

    @m.singledispatch
    def shown(o): return "object"
    shown.register(int)(lambda o: "int")
    assert [shown(1), shown("")] == ["int", "object"]


def _heap(m):
    heap = []
    for n in (5, 1, 4, 1, 3):
        m.heappush(heap, n)
    assert ([m.heappop(heap) for _ in range(5)], m.nsmallest(2, [3, 1, 2]), list(m.merge([1, 4], [2, 3]))) == (
        [1, 1, 3, 4, 5], [1, 2], [1, 2, 3, 4])


def _collections(m):
    ordered = m.OrderedDict.fromkeys("abc")
    ordered.move_to_end("a")
    point = m.namedtuple("Point", "x y")(1, y=2)
    assert (list(ordered), point.x + point.y, m.Counter("aab") - m.Counter("ab"), m.ChainMap({1: 2}, {3: 4})[3]) == (
        ["b", "c", "a"], 3, m.Counter("a"), 4)


def _decimals(m):
    assert str(m.Decimal(1) / m.Decimal(3)) == "0." + "3" * 28
    with m.localcontext() as context:
        context.prec = 5
        assert [str(m.Decimal(2).sqrt()), str(m.Decimal("1.5") ** 3), f"{m.Decimal('1234.5'):,.2f}"] == [
            "1.4142", "3.375", "1,234.50"]


def _decoder(m):
    decoder = m.JSONDecoder()
    assert decoder.decode('{"a": [1, 2.5, {"b": null}], "c": "\\u00e9"}') == {"a": [1, 2.5, {"b": None}], "c": "é"}
    assert m.py_scanstring('a\\n"', 0) == ("a\n", 4)


def _encoder(m):
    assert m.JSONEncoder(indent=1, sort_keys=True).encode({"b": [1, None], "a": "é"}) == (
        '{\n "a": "\\u00e9",\n "b": [\n  1,\n  null\n ]\n}')
    assert m.py_encode_basestring_ascii('"é') == '"\\"\\u00e9"'


def _says(expression, expected):
    def tried(m):
        assert eval(expression, {"m": m}) == expected
    return tried


_TRIED = {
    "_pydecimal": _decimals, "heapq": _heap, "collections": _collections, "dataclasses": _dataclass,
    "functools": _functools, "json.decoder": _decoder, "json.encoder": _encoder,
    "textwrap": _says("m.fill('one two three four', 9), m.dedent('  a\\n   b')", ("one two\nthree\nfour", "a\n b")),
    "string": _says("m.Template('$a ${b}').substitute(a=1, b=2), m.Formatter().format('{0!r:>4}{x}', 'a', x=1), "
                    "m.capwords('a b')", ("1 2", " 'a'1", "A B")),
    "statistics": _says("m.mean([1, 2, 3]), m.median([3, 1, 2]), m.mode('aab'), m.stdev([1, 1])", (2, 2, "a", 0.0)),
    "fractions": _says("str(m.Fraction(1, 3) + m.Fraction('1/6')), m.Fraction(3, 4).limit_denominator(2)", ("1/2", 1)),
}


def test_rewriting_costs_at_most_as_much_again_as_parsing_and_compiling_twice():
    source = _source_of("_pydecimal").read_bytes()
    costs = {"parse": [], "compile": [], "rewrite": []}
    for _ in range(3):
        start = time.process_time()
        tree = ast.parse(source)
        parsed = time.process_time()
        compile(tree, "decimal", "exec")
        compiled = time.process_time()
        rewrite(tree)
        end = time.process_time()
        for name, cost in zip(costs, (parsed - start, compiled - parsed, end - compiled), strict=True):
            costs[name].append(cost)
    assert min(costs["rewrite"]) < 2 * (min(costs["parse"]) + min(costs["compile"]))
