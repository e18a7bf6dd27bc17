"""Which names of a source are shared between functions, and which of those cannot race.

A name that an inner function captures lives in a cell, and a name of the module lives in a dictionary: several actors
can reach both. Most of them are written once, before anybody else can look: a probe at each use would cost much and
find nothing. Such a name is *stable*. A cell is stable if it is bound exactly once, not in a loop, by nobody but its
owner, and before every function that captures it exists. A global is stable if no function declares it `global`. All
else is not stable: a needless probe costs time, a missing one makes a verdict false.

The walk goes in the order of evaluation and counts, so that "before" is a comparison of two numbers: the value of an
assignment comes before its target, the body of a function after the binding of its name (unless a decorator could
hand the function on earlier), the methods of a class before the binding of the class.

Refused: `symtable`, which wants the text (a tree that pytest has changed has none) and knows neither order nor loops.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from enum import Enum
from math import inf
from types import CodeType
from typing import Any

from hocket.explore.shared.grammar import check, fields_of, new_fields

__all__ = ["CELLS", "Binding", "Place", "Scope", "Scopes", "mangled"]


CELLS = "cell_contents"
"""Whoever writes by this name changes a variable that functions read: then no cell is stable."""


class Place(Enum):
    """What a scope is, as far as it matters for finding names."""

    MODULE = 1
    CLASS = 2
    FUNCTION = 3  # also a lambda
    GENERATOR = 4  # a generator expression: a function that may run later
    COMPREHENSION = 5  # runs at once, in the hands of its owner
    TYPES = 6  # the parameters of a generic function or class (3.12)


class Binding(Enum):
    """How a use of a name has to be rewritten."""

    PLAIN = 1  # private to one function, or stable
    OWN = 2  # a cell of the frame that uses it
    FREE = 3  # a cell of an enclosing function
    GLOBAL = 4  # in the dictionary of the module
    NAMESPACE = 5  # at the top of text that is executed, and in a class: in its locals, then as a global


_CAPTURES = (Place.FUNCTION, Place.GENERATOR)
_FUNCTION = compile("def f(): [x for x in ()]", "", "exec").co_consts[0]
_WITHIN = () if CodeType in map(type, _FUNCTION.co_consts) else (Place.COMPREHENSION,)  # 3.12: no function of its own
_NEVER = frozenset({"__class__", "__classdict__", "__debug__", "__hocket__"})
_BUILTINS = frozenset(dir(builtins))


def mangled(name: str, owner: str | None) -> str:
    """`name` as Python spells it inside of class `owner`: `__x` is `_Owner__x`."""
    if owner is None or name[:2] != "__" or name[-2:] == "__" or "." in name:
        return name
    owner = owner.lstrip("_")
    return f"_{owner}{name}" if owner else name


class Scope:
    """The names of one module, class, function or comprehension."""

    __slots__ = ("bound", "captured", "globals", "known", "nonlocals", "owner_class", "parent", "place", "rebound",
                 "time", "used")

    def __init__(self, place: Place, parent: Scope | None, time: int, owner_class: str | None) -> None:
        self.place = place
        self.parent = parent
        self.time = time  # when it comes to exist, in the order of evaluation
        self.owner_class = owner_class  # for the mangling of private names
        self.bound: dict[str, float] = {}  # when; inf: more than once, or in a loop
        self.used: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.captured: dict[str, float] = {}  # by whom first, of the names that are its own
        self.rebound: set[str] = set()  # its own names that an inner function declares nonlocal
        self.known: dict[str, Binding] = {}  # by the name as it is written

    def owner_of(self, name: str) -> Scope:
        """The scope that holds `name`, as seen from here; the module if no function does."""
        scope = self
        while scope.parent is not None:
            if scope is self or scope.place != Place.CLASS:  # what a class declares is not seen in its methods
                if name in scope.globals:
                    break
                if name in scope.bound and name not in scope.nonlocals:
                    return scope
            scope = scope.parent
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def frame(self) -> Scope:
        """The scope in whose frame its code runs."""
        scope = self
        while scope.place in _WITHIN and scope.parent is not None:
            scope = scope.parent
        return scope


class Scopes:
    """The scopes of a tree, each kept under its node; and how a name is bound where it is used.

    `executed`: the text is run by `exec` while actors are at work, so that the names of its top are shared as well.
    `cells`: no cell is stable, because somebody writes what cells hold without a name.
    """

    def __init__(self, tree: ast.AST, executed: bool = False, cells: bool = False) -> None:
        self.executed, self.cells = executed, cells
        self.of: dict[ast.AST, Scope] = {}
        self.module = Scope(Place.MODULE, None, 0, None)
        self.declared_global: set[str] = set()
        _Walk(self, tree)
        for scope in (self.module, *self.of.values()):
            self._capture(scope)

    def binding(self, scope: Scope, name: str) -> Binding:
        """How `name` (as written) has to be treated in `scope`."""
        found = scope.known.get(name)
        if found is None:
            found = scope.known[name] = self._binding(scope, mangled(name, scope.owner_class))
        return found

    def is_builtin(self, scope: Scope, name: str) -> bool:
        """Whether `name` means what `builtins` says, as far as the source shows."""
        return name in _BUILTINS and not self._is_bound_in_module(name) and scope.owner_of(name) is self.module

    def unstable_globals(self) -> frozenset[str]:
        """The names of the module that functions of it rebind."""
        return frozenset(self.declared_global)

    # -- private ------------------------------------------------------------------------------------------------------

    def _binding(self, scope: Scope, name: str) -> Binding:
        owner = scope.owner_of(name)
        if name in _NEVER or owner.place in (Place.CLASS, Place.TYPES):
            return Binding.PLAIN
        if owner is self.module:
            return self._binding_in_module(scope, name)
        captured = owner.captured.get(name)
        if captured is None:
            return Binding.PLAIN
        if owner.bound[name] < captured and name not in owner.rebound and not self.cells:
            return Binding.PLAIN
        return Binding.OWN if owner is scope.frame() else Binding.FREE

    def _binding_in_module(self, scope: Scope, name: str) -> Binding:
        if not self.executed and name not in self.declared_global:
            return Binding.PLAIN
        if self.executed and name in _BUILTINS and not self._is_bound_in_module(name):
            return Binding.PLAIN
        if scope.place is Place.CLASS and name not in scope.globals:
            return Binding.NAMESPACE  # its metaclass, or `locals()`, may have put the name there
        return Binding.NAMESPACE if self.executed and scope is self.module else Binding.GLOBAL

    def _is_bound_in_module(self, name: str) -> bool:
        return name in self.module.bound or name in self.declared_global

    def _capture(self, scope: Scope) -> None:
        """Tell the owners of the names that `scope` uses, and since when somebody else can see them."""
        for name in scope.nonlocals:
            scope.owner_of(name).rebound.add(name)
        for name in scope.used | scope.nonlocals:
            owner = scope.owner_of(name)
            if owner is scope or owner.parent is None:
                continue
            since = self._since(scope, owner)
            if since is not None and since < owner.captured.get(name, inf):
                owner.captured[name] = since

    @staticmethod
    def _since(scope: Scope, owner: Scope) -> int | None:
        """When the outermost function between the two came to exist; None if all between runs at once."""
        since = None
        inner: Scope | None = scope
        while inner is not None and inner is not owner:
            if inner.place in _CAPTURES:
                since = inner.time
            inner = inner.parent
        return since


class _Walk:
    """One pass over a tree in the order of evaluation."""

    def __init__(self, scopes: Scopes, tree: ast.AST) -> None:
        self._scopes = scopes
        self._scope = scopes.module
        self._time = 0
        self._loops = 0
        self._class: str | None = None
        self._visit(tree)

    def _visit(self, node: Any) -> None:
        _VISITS[type(node)](self, node)

    def _all(self, nodes: list[Any]) -> None:
        for node in nodes:
            _VISITS[type(node)](self, node)

    def _nothing(self, node: Any) -> None:
        """It has no parts: a constant, or nothing where there could have been something."""

    # -- names --------------------------------------------------------------------------------------------------------

    def _bind(self, name: str, scope: Scope | None = None) -> None:
        scope = scope or self._scope
        name = mangled(name, self._class)
        self._time += 1
        scope.bound[name] = inf if name in scope.bound or self._loops else self._time

    def _name(self, node: ast.Name) -> None:
        name = node.id
        if type(node.ctx) is ast.Load:
            self._scope.used.add(mangled(name, self._class) if self._class else name)
        else:
            self._bind(name)

    def _attribute(self, node: ast.Attribute) -> None:
        self._visit(node.value)

    def _global(self, node: ast.Global) -> None:
        names = {mangled(name, self._class) for name in node.names}
        self._scope.globals |= names
        if self._scope.place != Place.MODULE:
            self._scopes.declared_global |= names

    def _nonlocal(self, node: ast.Nonlocal) -> None:
        self._scope.nonlocals |= {mangled(name, self._class) for name in node.names}

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name != "*":
                self._bind(alias.asname or alias.name.partition(".")[0])

    def _named(self, node: ast.NamedExpr) -> None:
        self._visit(node.value)
        scope, loops = self._scope, self._loops
        while scope.place in (Place.COMPREHENSION, Place.GENERATOR) and scope.parent is not None:
            scope = scope.parent
            self._loops = 1
        self._scope.used.add(mangled(node.target.id, self._class))  # seen from a generator expression it is captured
        self._bind(node.target.id, scope)
        self._loops = loops

    def _assign(self, node: ast.Assign | ast.AugAssign) -> None:
        self._visit(node.value)
        self._all(node.targets if isinstance(node, ast.Assign) else [node.target])

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._visit(node.value)
        self._visit(node.target)

    def _handler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self._visit(node.type)
        if node.name is not None:
            self._bind(node.name)
        self._all(node.body)
        if node.name is not None:
            self._bind(node.name)  # it is unbound at the end

    def _mapping(self, node: ast.MatchMapping) -> None:
        self._all([*node.keys, *node.patterns])
        if node.rest is not None:
            self._bind(node.rest)

    def _capture(self, node: ast.MatchAs) -> None:
        self._visit(node.pattern)
        if node.name is not None:
            self._bind(node.name)

    def _star(self, node: ast.MatchStar) -> None:
        if node.name is not None:
            self._bind(node.name)

    # -- loops --------------------------------------------------------------------------------------------------------

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._visit(node.iter)
        self._repeated([node.target, *node.body])
        self._all(node.orelse)

    def _while(self, node: ast.While) -> None:
        self._repeated([node.test, *node.body])
        self._all(node.orelse)

    def _repeated(self, nodes: list[Any]) -> None:
        self._loops += 1
        self._all(nodes)
        self._loops -= 1

    # -- scopes -------------------------------------------------------------------------------------------------------

    def _inside(self, node: ast.AST, place: Place, walk: Callable[[], None], loops: int = 0) -> Scope:
        outer, outer_loops = self._scope, self._loops
        self._time += 1
        scope = Scope(place, outer, self._time, self._class)
        if place != Place.TYPES:
            self._scopes.of[node] = scope
        self._scope, self._loops = scope, loops
        walk()
        self._scope, self._loops = outer, outer_loops
        return scope

    def _function(self, node: Any) -> None:
        self._all(node.decorator_list)
        self._defaults(node.args)
        if not node.decorator_list:
            self._bind(node.name)

        def body() -> None:
            self._parameters(node.args)
            self._all(node.body)

        self._generic(node, lambda: self._inside(node, Place.FUNCTION, body))
        if node.decorator_list:  # they may hand the function on before its name is bound
            self._bind(node.name)

    def _lambda(self, node: ast.Lambda) -> None:
        self._defaults(node.args)

        def body() -> None:
            self._parameters(node.args)
            self._visit(node.body)

        self._inside(node, Place.FUNCTION, body)

    def _defaults(self, args: ast.arguments) -> None:
        self._all(args.defaults)
        self._all(args.kw_defaults)

    def _parameters(self, args: ast.arguments) -> None:
        for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg):
            if arg is not None:
                self._bind(arg.arg)

    def _class_definition(self, node: ast.ClassDef) -> None:
        self._all(node.decorator_list)

        def definition() -> None:
            self._all(node.bases)
            self._all(node.keywords)
            self._inside(node, Place.CLASS, body)

        def body() -> None:
            outer, self._class = self._class, node.name
            self._scope.owner_class = node.name
            self._all(node.body)
            self._class = outer

        self._generic(node, definition)
        self._bind(node.name)

    def _generic(self, node: Any, walk: Callable[[], object]) -> None:
        """Walk inside of the type parameters of a generic function or class, if it has any."""
        parameters = getattr(node, "type_params", None)
        if not parameters:
            walk()
            return

        def inside() -> None:
            for parameter in parameters:
                self._bind(parameter.name)
            walk()

        self._inside(node, Place.TYPES, inside)

    def _comprehension(self, node: Any) -> None:
        first, *others = node.generators
        self._visit(first.iter)

        def body() -> None:
            self._visit(first.target)
            self._all(first.ifs)
            for generator in others:
                self._visit(generator.iter)
                self._visit(generator.target)
                self._all(generator.ifs)
            self._all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])

        place = Place.GENERATOR if isinstance(node, ast.GeneratorExp) else Place.COMPREHENSION
        self._inside(node, place, body, loops=1)

    def _type_alias(self, node: Any) -> None:
        self._bind(node.name.id)


class _Visits(dict[type, Callable[[_Walk, Any], None]]):
    """How to visit a node of each kind; one that is not here has parts and nothing else about it."""

    def __missing__(self, kind: type[ast.AST]) -> Callable[[_Walk, Any], None]:
        fields, new = fields_of(kind), new_fields(kind)

        def parts(walk: _Walk, node: Any) -> None:
            for name in fields:
                value = getattr(node, name, None)
                if value.__class__ is list:
                    for each in value:
                        self[type(each)](walk, each)
                elif value is not None:
                    self[type(value)](walk, value)

        self[kind] = found = _checked(parts, new)
        return found


def _checked(visit: Callable[[_Walk, Any], None], new: tuple[str, ...]) -> Callable[[_Walk, Any], None]:
    """`visit`, for nodes whose kind has fields that are `new`."""

    def checked(walk: _Walk, node: Any) -> None:
        check(node, new)
        visit(walk, node)

    return checked if new else visit


_VISITS = _Visits({
    ast.Name: _Walk._name,
    ast.Attribute: _Walk._attribute,
    ast.Constant: _Walk._nothing,
    ast.MatchSingleton: _Walk._nothing,
    type(None): _Walk._nothing,
    ast.Global: _Walk._global,
    ast.Nonlocal: _Walk._nonlocal,
    ast.Import: _Walk._import,
    ast.ImportFrom: _Walk._import,
    ast.NamedExpr: _Walk._named,
    ast.Assign: _Walk._assign,
    ast.AugAssign: _Walk._assign,
    ast.AnnAssign: _Walk._annotated,
    ast.ExceptHandler: _Walk._handler,
    ast.MatchAs: _Walk._capture,
    ast.MatchStar: _Walk._star,
    ast.MatchMapping: _Walk._mapping,
    ast.For: _Walk._for,
    ast.AsyncFor: _Walk._for,
    ast.While: _Walk._while,
    ast.FunctionDef: _Walk._function,
    ast.AsyncFunctionDef: _Walk._function,
    ast.Lambda: _Walk._lambda,
    ast.ClassDef: _Walk._class_definition,
    ast.ListComp: _Walk._comprehension,
    ast.SetComp: _Walk._comprehension,
    ast.DictComp: _Walk._comprehension,
    ast.GeneratorExp: _Walk._comprehension,
})
if hasattr(ast, "TypeAlias"):  # 3.12
    _VISITS[ast.TypeAlias] = _Walk._type_alias
for _kind in tuple(_VISITS):
    if issubclass(_kind, ast.AST):
        _VISITS[_kind] = _checked(_VISITS[_kind], new_fields(_kind))
