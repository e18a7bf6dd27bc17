"""What `rewrite_blocks.QUIET` lets stand together, read in the bytecode of the Python that runs: no place to switch.

The corpus is the standard library itself: every stretch that is found in some of its modules, and every construct of
the table by itself. An instruction may stand within a stretch if it is known to be without a look at the eval breaker;
the list names those that are, so that what a new Python brings fails here before it is believed.
"""

import ast
import dis
import inspect
import itertools
import sys
import threading
from types import CodeType

import pytest

from hocket.explore.shared.rewrite_blocks import QUIET, _Reader, _stretch
from hocket.explore.shared.rewrite_expressions import Expressions
from hocket.explore.shared.scopes import Place, Scopes

# prefixes: families of instructions that no version from 3.11 to 3.14 lets look at the eval breaker
WITHOUT_A_LOOK = (
    "LOAD_", "STORE_", "BINARY_", "BUILD_", "COMPARE_OP", "IS_OP", "CONTAINS_OP", "UNARY_", "TO_BOOL", "POP_TOP",
    "POP_JUMP_IF_", "POP_JUMP_FORWARD_IF_", "JUMP_FORWARD", "JUMP_IF_", "COPY", "SWAP", "NOP", "CACHE", "EXTENDED_ARG",
    "NOT_TAKEN", "DELETE_", "RETURN_", "PUSH_NULL", "UNPACK_SEQUENCE", "COPY_FREE_VARS", "MAKE_CELL", "END_",
    "FORMAT_", "CONVERT_VALUE", "RERAISE", "POP_EXCEPT", "PUSH_EXC_INFO",
)
# what CPython has had for places to switch: named here so that the test itself is tested
WITH_A_LOOK = ("CALL", "PRECALL", "JUMP_BACKWARD", "POP_JUMP_BACKWARD", "RESUME", "SEND", "YIELD_VALUE", "FOR_ITER",
               "GET_ITER", "BEFORE_WITH", "IMPORT_NAME")
MODULES = ("threading", "queue", "logging", "functools", "heapq", "fractions", "socketserver", "asyncio.locks",
           "concurrent.futures._base", "pickle")  # in ten others nothing was found either


class Names(Expressions):
    """What the reader of stretches asks about names, in the scope of one function."""

    def __init__(self, scopes, function):
        super().__init__(scopes, blocks=True)
        self.scope = scopes.of[function]


def stretches(tree):
    """(what its function calls things, the function, the statements) of every stretch of two accesses or more."""
    scopes = Scopes(tree)
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or function not in scopes.of:
            continue
        assert scopes.of[function].place is Place.FUNCTION
        for body in bodies(function):
            at = 0
            while at < len(body):
                names = Names(scopes, function)
                found = _stretch(names, body[at:])
                ahead = body[at:at + max(1, found.statements)]
                at += len(ahead)
                if len(found.accesses) > 1:
                    yield names, function, ahead


def bodies(function):
    """The lists of statements of a function, without those of the functions within."""
    todo = [function]
    while todo:
        node = todo.pop()
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list):
                yield body
        todo += [child for child in ast.iter_child_nodes(node) if not isinstance(
            child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.expr))]


def loud_spans(names, statements):
    """Where a stretch ends itself: from the first loud statement of a branch on; and what a failing assert says."""
    for statement in statements:
        if isinstance(statement, ast.Assert) and statement.msg is not None:
            yield span(statement.msg)
        for branch in (statement.body, statement.orelse) if isinstance(statement, ast.If) else ():
            quiet = list(itertools.takewhile(lambda each: _Reader(names).reads(each), branch))
            yield from loud_spans(names, quiet)
            if len(quiet) < len(branch):
                yield span(branch[len(quiet)])[0], span(branch[-1])[1]


def span(node):
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def within(position, where):
    start, end = where
    return start <= (position.lineno, position.col_offset) and (position.end_lineno, position.end_col_offset) <= end


def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def by_function(whole):
    """The code objects by name and first line."""
    found = {}
    for code in codes(whole):
        found.setdefault((code.co_name, code.co_firstlineno), []).append(code)
    return found


def switches(names, statements, code):
    """The instructions between the first and the last of a stretch that may look at the eval breaker."""
    instructions = list(dis.get_instructions(code))
    spans, loud = [span(statement) for statement in statements], list(loud_spans(names, statements))
    inside = [one for one in instructions if one.positions.col_offset is not None
              and any(within(one.positions, where) for where in spans)
              and not any(within(one.positions, where) for where in loud)]
    offsets = [one.offset for one in inside]
    raising = False
    for one in inside:
        raising = one.opname in ("LOAD_ASSERTION_ERROR", "LOAD_COMMON_CONSTANT") or (
            raising and one.opname != "RAISE_VARARGS")
        leaves = "JUMP_BACKWARD" in one.opname and one.argval not in offsets[1:]  # to the head of a loop around it
        if not raising and not leaves and not one.opname.startswith((*WITHOUT_A_LOOK, "RAISE_VARARGS")):
            yield one


@pytest.mark.parametrize("name", MODULES)
def test_no_stretch_of_the_standard_library_has_a_place_to_switch(name):
    module = pytest.importorskip(name)
    source = inspect.getsource(module)
    tree, known = ast.parse(source), by_function(compile(source, "<corpus>", "exec"))
    found = 0
    for names, function, statements in stretches(tree):
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        for code in known[function.name, first]:
            found += 1
            told = [f"{one.opname} in line {one.positions.lineno}" for one in switches(names, statements, code)]
            assert not told, f"{name}.{function.name}: {told}"
    assert found > 0


def test_each_construct_of_the_table_stands_in_a_stretch_without_a_place_to_switch():
    constructs = {
        ast.Assign: "c.a = c.b", ast.AnnAssign: "x: int = c.a + c.b", ast.AugAssign: "c.a += c.b",
        ast.If: "if c.a:\n        c.b = 1", ast.Assert: "assert c.a == c.b", ast.Expr: "c.a + c.b",
        ast.Return: "return c.a, c.b", ast.Pass: "c.a = c.b\n    pass", ast.IfExp: "c.a = 1 if c.b else 2",
        ast.BoolOp: "c.a = c.b and c.d or c.a", ast.UnaryOp: "c.a = not c.b", ast.Compare: "c.a = c.b < 3",
        ast.Subscript: "c.d['x'] += 1", ast.Tuple: "c.a, c.b = c.b, c.a", ast.List: "c.a = [c.b]",
        ast.Break: "while True:\n        if c.a == c.b:\n            break",
        ast.Continue: "while True:\n        if c.a == c.b:\n            continue",
        ast.BinOp: "c.a = c.b + 1", ast.Attribute: "c.a = c.b", ast.Name: "c.a = c.b", ast.Constant: "c.a = c.b + 1",
    }
    assert constructs.keys() == QUIET.keys()
    for kind, text in constructs.items():
        tree = ast.parse(f"def act(c):\n    {text}\n")
        found = list(stretches(tree))
        nodes = [node for _, _, statements in found for each in statements for node in ast.walk(each)]
        assert any(isinstance(node, kind) for node in nodes)
        code = next(code for code in codes(compile(tree, "<table>", "exec")) if code.co_name == "act")
        assert [one.opname for names, _, each in found for one in switches(names, each, code)] == []


@pytest.mark.parametrize("text", ["c.a = f(c.b)", "for x in c.a:\n        c.b = x", "c.a = [x for x in c.b]",
                                  "with c.a:\n        c.b = 1", "import a\n    c.a = c.b", "c.a = f'{c.b}'",
                                  "c.a = (yield c.b)", "c.a = c.b in c.d", "c.d[0] = c.a"])
def test_what_is_not_in_the_table_is_in_no_stretch(text):
    tree = ast.parse(f"def act(c):\n    {text}\n")
    assert [type(each) for _, _, statements in stretches(tree) for each in statements] == (
        [ast.Assign] if text.startswith("import") else [])


def test_the_reading_of_bytecode_sees_a_call_and_a_loop():
    for text, name in (("c.a = f(c.b)", "CALL"), ("while c.a:\n        c.b = 1", "JUMP_BACKWARD")):
        tree = ast.parse(f"def act(c):\n    {text}\n")
        code = next(code for code in codes(compile(tree, "<table>", "exec")) if code.co_name == "act")
        names = [one.opname for one in dis.get_instructions(code)]
        assert any(name in one for one in names)
        assert all(one.startswith(WITH_A_LOOK) for one in names if not one.startswith((*WITHOUT_A_LOOK, "RAISE_")))
    tree = ast.parse("def act(c):\n    c.a = f(c.b)\n")
    code = next(code for code in codes(compile(tree, "<table>", "exec")) if code.co_name == "act")
    names = Names(Scopes(tree), tree.body[0])
    assert any(one.opname.startswith("CALL") for one in switches(names, tree.body[0].body, code))


class Counter:
    def __init__(self):
        self.n = 0


def test_this_python_loses_no_update_of_a_stretch_however_often_it_is_told_to_switch():
    """One-sided: it cannot fail where the table is right, and had it been wrong it would fail now and then."""
    counter, rounds = Counter(), 20_000

    def count():
        for _ in range(rounds):
            counter.n += 1

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=count) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert counter.n == 2 * rounds
