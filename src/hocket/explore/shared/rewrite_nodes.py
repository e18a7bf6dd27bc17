"""Nodes of a syntax tree: how they are made, where they stand, and what they visibly are.

They are made by hand, because the constructors of `ast` would take longer than all the rest of the rewriting.
"""

from __future__ import annotations

import ast
from typing import Any

from hocket.explore.shared.grammar import NewSyntaxError

__all__ = ["at_its_name", "is_debug", "is_fixed", "is_not", "is_number", "is_watched", "lambda_of",
           "looks_at_its_frame", "made", "placed", "symbol", "word"]

_SYMBOLS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}


def made(kind: type[ast.AST], at: Any, **fields: Any) -> Any:
    """A node of `kind` that stands where `at` stands."""
    node: Any = kind.__new__(kind)
    fields["lineno"] = at.lineno
    fields["col_offset"] = at.col_offset
    fields["end_lineno"] = at.end_lineno
    fields["end_col_offset"] = at.end_col_offset
    node.__dict__ = fields
    return node


def placed(kind: type[ast.AST], line: int, column: int, **fields: Any) -> Any:
    """A node of `kind` that takes no room, in this line and column."""
    node: Any = kind.__new__(kind)
    fields["lineno"] = fields["end_lineno"] = line
    fields["col_offset"] = fields["end_col_offset"] = column
    node.__dict__ = fields
    return node


_LOOK_AT_THEIR_FRAME = {  # by the number of arguments with which they do
    "super": (0,), "locals": (0,), "globals": (0,), "vars": (0,), "dir": (0,), "breakpoint": range(100),
    "eval": (1,), "exec": (1,),
}


def lambda_of(parameter: str, body: Any, at: Any, vararg: bool = False) -> Any:
    """A lambda that is known by the name of its only parameter."""
    arg = made(ast.arg, at, arg=parameter, annotation=None, type_comment=None)
    args = ast.arguments(posonlyargs=[], args=[] if vararg else [arg], vararg=arg if vararg else None,
                         kwonlyargs=[], kw_defaults=[], kwarg=None, defaults=[])
    return made(ast.Lambda, at, args=args, body=body)


def at_its_name(node: Any, attribute: ast.Attribute | None = None) -> None:
    """Of an expression over several lines, Python reports the one where the name of the attribute stands."""
    attribute = attribute or node
    if node.lineno != attribute.end_lineno:
        end = attribute.end_col_offset or 0
        node.lineno, node.col_offset = attribute.end_lineno, max(0, end - len(attribute.attr))


def symbol(op: ast.AST) -> str:
    """Raises `NewSyntaxError` for an operator that nobody knew."""
    found = _SYMBOLS.get(type(op))
    if found is None:
        raise NewSyntaxError(f"ast.{type(op).__name__}")
    return found


def word(op: ast.cmpop) -> str:
    return _WORDS.get(type(op)) or symbol(op)


_WORDS: dict[type, str] = {ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not"}


def looks_at_its_frame(name: str, call: ast.Call) -> bool:
    """Whether the builtin `name`, so called, is about the frame that calls it."""
    given = len(call.args) + len(call.keywords)
    return given in _LOOK_AT_THEIR_FRAME.get(name, ()) and not any(type(arg) is ast.Starred for arg in call.args)


def is_not(node: Any) -> bool:
    return type(node) is ast.UnaryOp and type(node.op) is ast.Not


def is_debug(node: Any) -> bool:
    return type(node) is ast.Name and node.id == "__debug__"


def is_number(node: Any) -> bool:
    if type(node) is ast.UnaryOp:
        return is_number(node.operand)
    if type(node) is ast.BinOp:
        return is_number(node.left) and is_number(node.right)
    return type(node) is ast.Constant and isinstance(node.value, (int, float, complex))


def is_fixed(node: Any) -> bool:
    """Whether the expression is made of constants only, so that the compiler may fold it."""
    if type(node) is ast.UnaryOp:
        return is_fixed(node.operand)
    if type(node) is ast.BinOp:
        return is_fixed(node.left) and is_fixed(node.right)
    return type(node) is ast.Constant


def is_watched(left: Any, op: ast.cmpop, right: Any, always: bool = False) -> bool:
    """Whether a comparison may read what a container holds; against bytes it may: of a bytearray. Or call a method."""
    kind = type(op)
    if kind is ast.Is or kind is ast.IsNot:
        return False
    if kind is ast.In or kind is ast.NotIn:
        elements = right.elts if type(right) in (ast.Tuple, ast.List, ast.Set) else [right]
        return not all(map(_is_atom, elements))
    return always or not (_is_atom(left) or _is_atom(right))


def _is_atom(node: Any) -> bool:
    return (is_fixed(node) and not (type(node) is ast.Constant and isinstance(node.value, bytes))
            and (type(node) is ast.Constant or is_number(node)))
