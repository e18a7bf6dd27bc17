"""What a source says of attributes: which are assigned, outside of `__init__`, and which are named at all.

An attribute that no code assigns once its object is made needs no operation when it
is read. What is assigned to nothing but `self` is no class's, so that who reads it need not ask the classes above.
What code that is not tracked assigns, or names, it may touch unseen.
"""

from __future__ import annotations

import ast
import builtins
import functools
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType

from hocket.explore.threads.spaces import file_of

__all__ = ["Names", "names_in", "names_of", "stable_names", "written_by"]

_BEFORE_OTHERS = ("__init__", "__new__", "__post_init__", "__set_name__", "__init_subclass__")
_BY_NAME = ("setattr", "delattr", "__setattr__", "__delattr__", "vars")


@dataclass(frozen=True, slots=True)
class Names:
    """`written`: assigned or deleted outside of `__init__`; `mentioned`: read as well; `free`: it may assign any.

    `elsewhere`: assigned or deleted by another name than `self`, perhaps that of a class.
    """

    written: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    free: bool = False
    stable: frozenset[str] = frozenset()  # names that functions read, and none declares as global
    asks: bool = False  # whether it asks for the class of anything by `isinstance`


def stable_names(module: ModuleType) -> frozenset[str]:
    """The globals of a module that its functions read without a step, because they do not assign them."""
    file = file_of(module)
    if module is builtins:
        return frozenset(vars(builtins))
    return names_in(file).stable if isinstance(file, str) and file.endswith(".py") else frozenset()


def written_by(files: Iterable[str]) -> Names:
    """What the code of these files assigns."""
    found = [names_in(file) for file in files]
    return Names(frozenset().union(*(names.written for names in found)),
                 frozenset().union(*(names.elsewhere for names in found)), free=any(names.free for names in found))


@functools.cache
def names_of(kind: type) -> Names:
    """Of the code of a class; nothing if it has no source."""
    module = sys.modules.get(kind.__module__)
    file = file_of(module)
    return names_in(file) if isinstance(file, str) and file.endswith(".py") else Names()


@functools.cache
def names_in(file: str) -> Names:
    """Of the code of a file; all is free if it cannot be read."""
    try:
        with open(file, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return Names(free=True)
    written: set[str] = set()
    elsewhere: set[str] = set()
    mentioned: set[str] = set()
    loaded: set[str] = set()
    rebound: set[str] = set()
    free = False
    todo: list[tuple[ast.AST, str]] = [(tree, "")]
    while todo:
        node, owner = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            owner = _owner_of(node)
        elif isinstance(node, ast.Attribute):
            mentioned.add(node.attr)
            free = free or node.attr == "__dict__"
            of = node.value.id if isinstance(node.value, ast.Name) else ""
            if not isinstance(node.ctx, ast.Load):
                if not of or of != owner:
                    written.add(node.attr)
                if of != "self":
                    elsewhere.add(node.attr)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            loaded.add(node.id)
        elif isinstance(node, ast.Global):
            rebound.update(node.names)
        elif isinstance(node, ast.Call):
            free = free or _called(node) in _BY_NAME
        todo += [(child, owner) for child in ast.iter_child_nodes(node)]
    return Names(frozenset(written), frozenset(elsewhere), frozenset(mentioned), free, frozenset(loaded - rebound),
                 not loaded.isdisjoint(("isinstance", "issubclass")))


def _owner_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The name of the object that a method makes, if it makes one."""
    return node.args.args[0].arg if node.name in _BEFORE_OTHERS and node.args.args else ""


def _called(node: ast.Call) -> str:
    called = node.func
    return called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
