"""No access is left without a probe: what remains in a rewritten tree is what the rewriter says it leaves."""

from __future__ import annotations

import ast

import pytest

from hocket.explore.shared.rewrite import rewrite
from tests.unit.explore_shared.forms import FORMS
from tests.unit.explore_shared.test_rewrite_library import SOURCES, _source_of

LEFT_ALONE = {"super", "locals", "globals", "vars", "dir", "breakpoint", "eval", "exec", "isinstance", "issubclass",
              "callable", "id"}
NO_CODE = {"annotation", "returns", "type_params", "ctx"}
LEFT_IN = {("MatchValue", "cls"), ("MatchClass", "cls"), ("MatchMapping", "cls"), ("TypeAlias", "value")}


def _is_probe(node):
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "__hocket__"


def _is_number_or_text(node):
    """Whether a comparison with it reads no container."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)):
        return all(map(_is_number_or_text, node.elts))
    parts = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
    return all(isinstance(part, (ast.BinOp, ast.UnaryOp)) or (
        isinstance(part, ast.Constant) and type(part.value) is not bytes) for part in parts)


def _is_guard(node):
    """`(x := ..., guard)[-1]`, which binds what a pattern has captured."""
    return isinstance(node.value, ast.Tuple) and ast.unparse(node.slice) == "-1"


def _is_allowed(node, inside):
    """Whether a node may stand in a rewritten tree."""
    if isinstance(node, ast.Attribute):
        return _is_probe(node) or "__hocket_" in ast.unparse(node) or isinstance(inside, ast.AnnAssign)
    if isinstance(node, ast.Subscript):
        return _is_guard(node) or isinstance(inside, ast.AnnAssign)
    if isinstance(node, ast.Call):
        probed = _is_probe(node.func) or (isinstance(node.func, ast.Call) and _is_probe(node.func.func))
        return probed or (isinstance(node.func, ast.Name) and node.func.id in LEFT_ALONE)
    if isinstance(node, ast.Compare):
        return all(isinstance(op, (ast.Is, ast.IsNot)) or _is_number_or_text(right) or (
            _is_number_or_text(left) and not isinstance(op, (ast.In, ast.NotIn)))
            for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False))
    if isinstance(node, ast.BinOp):
        fixed = _is_number_or_text(node.left), _is_number_or_text(node.right)
        return all(fixed) if isinstance(node.op, ast.Mult) else any(fixed)
    if isinstance(node, (ast.For, ast.YieldFrom)) or (isinstance(node, ast.comprehension) and not node.is_async):
        source = node.value if isinstance(node, ast.YieldFrom) else node.iter
        return "__hocket_" in ast.unparse(source)
    return not isinstance(node, (ast.AugAssign, ast.Slice, ast.Delete)) or (
        isinstance(node, ast.Delete) and all(isinstance(target, ast.Name) for target in node.targets))


def _left(node, inside=None):
    """Every node that may not stand where it does."""
    if not _is_allowed(node, inside):
        yield f"{getattr(node, 'lineno', '?')}: {ast.unparse(node)}"
    for name, value in ast.iter_fields(node):
        if name in NO_CODE or (type(node).__name__, name) in LEFT_IN:
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from _left(each, node)


@pytest.mark.parametrize("direct", [False, True], ids=["through", "direct"])
@pytest.mark.parametrize("name", SOURCES)
def test_no_access_in_a_module_is_left_without_a_probe(name, direct):
    tree = rewrite(ast.parse(_source_of(name).read_bytes()), direct=direct)
    assert list(_left(tree)) == []


@pytest.mark.parametrize("name", FORMS)
def test_no_access_in_any_form_is_left_without_a_probe(name):
    assert list(_left(rewrite(ast.parse(FORMS[name]), executed=True))) == []


@pytest.mark.parametrize("source", ["x.a", "x[0]", "f()", "x += 1", "x.a < [1]", "del x.a", "for y in x: pass", "x + y",
                                    "x[1:2]", "yield_ = [y for y in x]", "x in y", "b'x' == y", "[0] * x"])
def test_what_is_plain_is_noticed(source):
    assert list(_left(ast.parse(source)))
