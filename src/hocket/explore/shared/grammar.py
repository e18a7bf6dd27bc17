"""The kinds of nodes that the rewriter knows, those of Python 3.11 to 3.15: what is not here is refused, never guessed.

A later Python may have a node that binds a name, or that reads an attribute in a way of its own. A generic rule
for it could change what a program does or leave an access without a probe, so a source that holds one
keeps its plain code and is only watched (untracked.py), and the reason is said. A known kind may get a new field: it
is refused where that field says something.
"""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["NewSyntaxError", "check", "fields_of", "new_fields"]

_FIELDS = """
Module body type_ignores | Interactive body | Expression body
FunctionDef name args body decorator_list returns type_comment type_params
AsyncFunctionDef name args body decorator_list returns type_comment type_params
ClassDef name bases keywords body decorator_list type_params
Return value | Delete targets | Assign targets value type_comment | TypeAlias name type_params value
AugAssign target op value | AnnAssign target annotation value simple
For target iter body orelse type_comment | AsyncFor target iter body orelse type_comment | While test body orelse
If test body orelse | With items body type_comment | AsyncWith items body type_comment | Match subject cases
Raise exc cause | Try body handlers orelse finalbody | TryStar body handlers orelse finalbody | Assert test msg
Import names is_lazy | ImportFrom module names level is_lazy | Global names | Nonlocal names | Expr value
Pass | Break | Continue
BoolOp op values | NamedExpr target value | BinOp left op right | UnaryOp op operand | Lambda args body
IfExp test body orelse | Dict keys values | Set elts | ListComp elt generators | SetComp elt generators
DictComp key value generators | GeneratorExp elt generators | Await value | Yield value | YieldFrom value
Compare left ops comparators | Call func args keywords | FormattedValue value conversion format_spec | JoinedStr values
TemplateStr values | Interpolation value str conversion format_spec | Constant value kind | Attribute value attr ctx
Subscript value slice ctx | Starred value ctx | Name id ctx | List elts ctx | Tuple elts ctx | Slice lower upper step
comprehension target iter ifs is_async | ExceptHandler type name body
arguments posonlyargs args vararg kwonlyargs kw_defaults kwarg defaults | arg arg annotation type_comment
keyword arg value | alias name asname | withitem context_expr optional_vars | match_case pattern guard body
MatchValue value | MatchSingleton value | MatchSequence patterns | MatchMapping keys patterns rest
MatchClass cls patterns kwd_attrs kwd_patterns | MatchStar name | MatchAs pattern name | MatchOr patterns
"""
KNOWN: dict[str, frozenset[str]] = {
    name: frozenset(fields) for name, *fields in map(str.split, _FIELDS.strip().replace("\n", "|").split("|"))}
_NO_CODE = frozenset({
    "ctx", "op", "ops", "annotation", "returns", "type_comment", "kind", "attr", "arg", "names", "module", "level",
    "name", "rest", "conversion", "simple", "is_async", "is_lazy", "type_ignores", "id", "type_params", "str",
    "kwd_attrs"})


class NewSyntaxError(Exception):
    """There is a node of a kind, or with a field, that came after the Python that this was written for."""


def fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a node of this kind in which code may stand. Raises `NewSyntaxError` for a kind that is new."""
    if kind.__name__ not in KNOWN or kind is not getattr(ast, kind.__name__, None):
        raise NewSyntaxError(f"ast.{kind.__name__}")
    return tuple(field for field in kind._fields if field not in _NO_CODE)


def new_fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields that a known kind did not have in Python 3.15."""
    return tuple(field for field in kind._fields if field not in KNOWN[kind.__name__])


def check(node: Any, fields: tuple[str, ...]) -> None:
    """Raise `NewSyntaxError` if one of these fields, which are new, says something."""
    for field in fields:
        if getattr(node, field, None):
            raise NewSyntaxError(f"ast.{type(node).__name__}.{field}")
