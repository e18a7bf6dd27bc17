"""Expressions, with a probe at every access to data that could be shared.

A probe is a call of a method of the object behind the global name `__hocket__`; what the methods are is listed in
`rewrite.py`. Operands are evaluated once each and in Python's order, and new nodes stand where the old ones stood, so
that a traceback shows the user's lines.

The two nodes that spell `__hocket__.get` are shared by all the probes of a line.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from hocket.explore.shared.rewrite_nodes import (
    at_its_name,
    is_debug,
    is_fixed,
    is_not,
    is_number,
    is_watched,
    lambda_of,
    looks_at_its_frame,
    made,
    placed,
    symbol,
    word,
)
from hocket.explore.shared.scopes import Binding, Scope, Scopes, mangled

__all__ = ["CELL", "OWN", "SETTER", "Expressions"]

CELL = "__hocket_cell__"  # marks a lambda that finds the cell of an enclosing function
OWN = "__hocket_own__"  # and one that finds a cell of the function itself
SETTER = "__hocket_value__"  # marks a decorator that announces what `def` and `class` bind

_LOAD = ast.Load()
_HARMLESS = frozenset({"isinstance", "issubclass", "callable", "id"})  # read nothing that a container holds


class Expressions:
    """Rewrites expressions in place, scope by scope."""

    def __init__(self, scopes: Scopes, direct: bool = False, blocks: bool = False) -> None:
        self.scopes, self.direct = scopes, direct
        self.blocks = blocks  # nobody comes between some accesses, so every operator says what it operates on
        self.scope: Scope = scopes.module
        self._spelled: dict[tuple[str, int, int], ast.Attribute] = {}
        self._temporaries = 0

    def expr(self, node: Any) -> Any:
        """`node` rewritten."""
        return _EXPRESSIONS[type(node)](self, node)

    def exprs(self, nodes: list[Any]) -> list[Any]:
        return [_EXPRESSIONS[type(node)](self, node) for node in nodes]

    def test(self, node: Any) -> Any:
        """`node` rewritten, where Python asks for its truth."""
        kind = type(node)
        if kind is ast.BoolOp:
            node.values = [self.test(value) for value in node.values]
            return node
        rewritten = _EXPRESSIONS[kind](self, node)
        if kind is ast.Compare or kind is ast.Constant or is_not(node) or is_debug(node):
            return rewritten
        return self.probe("truth", [rewritten], node)

    def probe(self, name: str, args: list[Any], at: Any, line: int | None = None,
              keywords: list[Any] | None = None) -> Any:
        """A call of probe `name`; `line`: where the first of its operands begins, if that is not where `at` stands."""
        call = ast.Call.__new__(ast.Call)
        call.__dict__ = {
            "func": self._spell(name, at, line or at.lineno), "args": args, "keywords": keywords or [],
            "lineno": at.lineno, "col_offset": at.col_offset,
            "end_lineno": at.end_lineno, "end_col_offset": at.end_col_offset,
        }
        return call

    def constant(self, value: Any, at: Any) -> Any:
        node = ast.Constant.__new__(ast.Constant)
        node.__dict__ = {"value": value, "kind": None, "lineno": at.lineno, "col_offset": at.col_offset,
                         "end_lineno": at.end_lineno, "end_col_offset": at.end_col_offset}
        return node

    def load(self, name: str, at: Any) -> Any:
        return made(ast.Name, at, id=name, ctx=_LOAD)

    def temporary(self) -> str:
        """A fresh name: it looks like a special one, so that no class mangles it and no enumeration counts it."""
        self._temporaries += 1
        return f"__hocket_{self._temporaries}__"

    def _spell(self, name: str, at: Any, line: int) -> Any:
        """`__hocket__.name`: looked up where the first operand begins, called where `at` stands.

        Each of the two nodes stands within one line. The compiler takes a call of an attribute to be where the
        attribute ends.
        """
        key = name, line, at.lineno
        found = self._spelled.get(key)
        if found is None:
            column = at.col_offset
            probes = placed(ast.Name, line, column, id="__hocket__", ctx=_LOAD)
            found = self._spelled[key] = placed(ast.Attribute, at.lineno, column, value=probes, attr=name, ctx=_LOAD)
        return found

    def inside(self, node: Any, work: Callable[[], None]) -> None:
        """Do `work` in the scope that `node` opens."""
        outer, count = self.scope, self._temporaries
        self.scope, self._temporaries = self.scopes.of[node], 0
        work()
        self.scope, self._temporaries = outer, count

    # -- names --------------------------------------------------------------------------------------------------------

    def mangle(self, name: str) -> str:
        return mangled(name, self.scope.owner_class)

    def binding(self, name: str) -> Binding:
        """How a use of `name` (as written) has to be treated here."""
        scope = self.scope
        return scope.known.get(name) or self.scopes.binding(scope, name)

    def cell(self, name: str, at: Any) -> Any:
        """A lambda whose closure is the cell of `name`: it adds a free variable to nobody."""
        marker = OWN if self.binding(name) is Binding.OWN else CELL
        return lambda_of(marker, self.load(name, at), at, vararg=True)

    def globals_here(self, at: Any) -> Any:
        """The dictionary of the module, as an expression."""
        if self.scopes.is_builtin(self.scope, "globals"):
            return made(ast.Call, at, func=self.load("globals", at), args=[], keywords=[])
        nothing = lambda_of(CELL, self.constant(None, at), at, vararg=True)
        return made(ast.Attribute, at, value=nothing, attr="__globals__", ctx=_LOAD)

    def locals_here(self, at: Any) -> Any:
        """The namespace in which the top of an executed text binds its names."""
        name = "locals" if self.scopes.is_builtin(self.scope, "locals") else "vars"
        return made(ast.Call, at, func=self.load(name, at), args=[], keywords=[])

    def stored(self, name: str, value: Any, at: Any) -> Any:
        """What to bind to `name` so that the probe is told of `value` first; `value` itself for a plain name."""
        binding = self.binding(name)
        if binding is Binding.PLAIN:
            return value
        constant = self.constant(self.mangle(name), at)
        line = value.lineno
        if binding is Binding.GLOBAL:
            return self.probe("setglob", [self.globals_here(at), constant, value], at, line)
        if binding is Binding.NAMESPACE:
            return self.probe("setglob", [self.locals_here(at), constant, value], at, line)
        return self.probe("setcell", [constant, self.cell(name, at), value], at, line)

    def _name(self, node: ast.Name) -> Any:
        binding = self.binding(node.id)
        if binding is Binding.PLAIN:
            return node
        constant = self.constant(self.mangle(node.id), node)
        if binding is Binding.GLOBAL:
            return self.probe("glob", [self.globals_here(node), constant], node)
        if binding is Binding.NAMESPACE:
            return self.probe("name", [self.locals_here(node), self.globals_here(node), constant], node)
        return self.probe("cell", [constant, self.cell(node.id, node)], node)

    def _named(self, node: ast.NamedExpr) -> Any:
        node.value = self.stored(node.target.id, self.expr(node.value), node)
        return node

    # -- attributes and items -----------------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute) -> Any:
        line = node.lineno
        name = self.constant(self.mangle(node.attr), node)
        owner = self.expr(node.value)
        at_its_name(node)
        return self.probe("get", [owner, name], node, line)

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.probe("item", [self.expr(node.value), self.key(node.slice)], node)

    def key(self, node: Any) -> Any:
        """What stands between the brackets, as an expression."""
        if type(node) is ast.Slice:
            parts = [self.constant(None, node) if part is None else self.expr(part)
                     for part in (node.lower, node.upper, node.step)]
            return self.probe("slice", parts, node)
        if type(node) is ast.Tuple:
            node.elts = [self.key(element) for element in node.elts]
            return node
        return self.expr(node)

    # -- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> Any:
        function = node.func
        if type(function) is ast.Name and self._is_left_alone(function, node):
            return self._left_alone(node)
        if type(function) is ast.Attribute:
            return self._method_call(function, node)
        called = self.expr(function)
        if self.direct:
            return self._called(self.probe("callee", [called], function), node)
        return self.probe("call", [called, *self._positional(node)], node, None, self._keywords(node))

    def _method_call(self, function: ast.Attribute, node: ast.Call) -> Any:
        line = node.lineno
        owner = self.expr(function.value)
        name = self.constant(self.mangle(function.attr), function)
        at_its_name(node, function)
        if self.direct:
            at_its_name(function)
            return self._called(self.probe("bound", [owner, name], function, line), node)
        if self._are_quiet(node):
            return self.probe("method", [owner, name, *self._positional(node)], node, line, self._keywords(node))
        at_its_name(function)
        looked_up = self.probe("get", [owner, name], function, line)  # as Python does, before the arguments
        return self.probe("call", [looked_up, *self._positional(node)], node, line, self._keywords(node))

    def _called(self, function: Any, node: ast.Call) -> Any:
        node.func, node.args, node.keywords = function, self._positional(node), self._keywords(node)
        return node

    def _is_left_alone(self, function: ast.Name, call: ast.Call) -> bool:
        name = function.id
        if name in _HARMLESS:
            return self.scopes.is_builtin(self.scope, name)
        return looks_at_its_frame(name, call) and self.scopes.is_builtin(self.scope, name)

    def _left_alone(self, node: ast.Call) -> Any:
        node.args = self._positional(node)
        node.keywords = self._keywords(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ("eval", "exec") and node.args:
            node.args = [self.probe("code", [node.args[0], self.constant(name, node)], node)]
        return node

    def _are_quiet(self, node: ast.Call) -> bool:
        """Whether evaluating the arguments can do nothing that anybody could notice."""
        values = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg is not None)]
        return len(values) == len(node.args) + len(node.keywords) and all(map(self._is_quiet, values))

    def _is_quiet(self, node: Any) -> bool:
        if type(node) is ast.Tuple:
            return all(map(self._is_quiet, node.elts))
        return type(node) is ast.Constant or self._is_private(node)

    def _positional(self, node: ast.Call) -> list[Any]:
        return [self.expr(arg) for arg in node.args]

    def _keywords(self, node: ast.Call | ast.ClassDef) -> list[Any]:
        for keyword in node.keywords:
            value = self.expr(keyword.value)
            keyword.value = value if keyword.arg is not None else self._whole(value, keyword.value)
        return node.keywords

    # -- operators ----------------------------------------------------------------------------------------------------

    def _boolean(self, node: ast.BoolOp) -> Any:
        *tested, last = node.values
        node.values = [*map(self.test, tested), self.expr(last)]
        return node

    def _unary(self, node: ast.UnaryOp) -> Any:
        node.operand = self.test(node.operand) if type(node.op) is ast.Not else self.expr(node.operand)
        return node

    def _binary(self, node: ast.BinOp) -> Any:
        left, right = node.left, node.right
        bare = is_fixed(left) and is_fixed(right)
        if not bare and not self.blocks and type(node.op) is not ast.Mult:  # which may repeat a list
            formats = type(node.op) is ast.Mod  # of a bytearray
            bare = is_number(left) or (is_number(right) and not formats)
        left, right = self.expr(left), self.expr(right)
        if bare:
            node.left, node.right = left, right
            return node
        return self.probe("binary", [self.constant(symbol(node.op), node), left, right], node)

    def _compare(self, node: ast.Compare) -> Any:
        operands = [node.left, *node.comparators]
        watched = [is_watched(operands[at], op, operands[at + 1], self.blocks) for at, op in enumerate(node.ops)]
        again = [type(each) is ast.Constant or self._is_private(each) for each in operands]
        operands = self.exprs(operands)
        if not any(watched):
            node.left, *node.comparators = operands
            return node
        if len(node.ops) == 1:
            return self._comparison(node.ops[0], operands[0], operands[1], True, node)
        return self._chain(node, operands, watched, again)

    def _chain(self, node: ast.Compare, operands: list[Any], watched: list[bool], again: list[bool]) -> Any:
        """`a < b < c` as `a < b and b < c`, with `b` handed on by the probes if it may not be evaluated twice."""
        links = []
        left = operands[0]
        last = len(node.ops) - 1
        for at, op in enumerate(node.ops):
            right = operands[at + 1]
            if at == last or again[at + 1]:
                links.append(self._comparison(op, left, right, watched[at], node))
                left = right
            else:
                symbol = self.constant(word(op), node)
                links.append(self.probe("link", [symbol, left, right], node))
                left = self.probe("linked", [], node)
        return made(ast.BoolOp, node, op=ast.And(), values=links)

    def _comparison(self, op: ast.cmpop, left: Any, right: Any, watched: bool, at: Any) -> Any:
        if not watched:
            return made(ast.Compare, at, left=left, ops=[op], comparators=[right])
        if type(op) is ast.In:
            return self.probe("contained", [left, right], at)
        if type(op) is ast.NotIn:
            return made(ast.UnaryOp, at, op=ast.Not(), operand=self.probe("contained", [left, right], at))
        return self.probe("compare", [self.constant(symbol(op), at), left, right], at)

    def _is_private(self, node: Any) -> bool:
        """Whether the expression is a name that nobody else rebinds, so that it may be evaluated a second time."""
        return type(node) is ast.Name and self.binding(node.id) is Binding.PLAIN

    def _either(self, node: ast.IfExp) -> Any:
        node.test, node.body, node.orelse = self.test(node.test), self.expr(node.body), self.expr(node.orelse)
        return node

    # -- displays, strings, iteration ---------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant) -> Any:
        return node

    def _elements(self, node: Any) -> Any:
        node.elts = self.exprs(node.elts)
        return node

    def _dict(self, node: ast.Dict) -> Any:
        for at, key in enumerate(node.keys):
            value = self.expr(node.values[at])
            node.values[at] = self._whole(value, value) if key is None else value
            node.keys[at] = key and self.expr(key)
        return node

    def _starred(self, node: ast.Starred) -> Any:
        node.value = self._whole(self.expr(node.value), node.value)
        return node

    def _whole(self, value: Any, at: Any) -> Any:
        return self.probe("whole", [value], at)

    def _formatted(self, node: ast.FormattedValue) -> Any:
        if type(node.value) is not ast.Constant:
            how = node.conversion if node.format_spec is None or node.conversion >= 0 else 0
            node.value = self.probe("told", [self.expr(node.value), self.constant(how, node)], node.value)
        if node.format_spec is not None:
            node.format_spec = self.expr(node.format_spec)
        return node

    def _joined(self, node: Any) -> Any:
        node.values = self.exprs(node.values)
        return node

    def _interpolation(self, node: Any) -> Any:
        node.value = self.expr(node.value)
        if node.format_spec is not None:
            node.format_spec = self.expr(node.format_spec)
        return node

    def _inner(self, node: Any) -> Any:
        if node.value is not None:
            node.value = self.expr(node.value)
        return node

    def _yield_from(self, node: ast.YieldFrom) -> Any:
        node.value = self.probe("iterate", [self.expr(node.value)], node.value)
        return node

    # -- functions and comprehensions ---------------------------------------------------------------------------------

    def defaults(self, args: ast.arguments) -> None:
        args.defaults = self.exprs(args.defaults)
        args.kw_defaults = [default and self.expr(default) for default in args.kw_defaults]

    def _lambda(self, node: ast.Lambda) -> Any:
        self.defaults(node.args)

        def body() -> None:
            node.body = self.expr(node.body)

        self.inside(node, body)
        return node

    def _comprehension(self, node: Any) -> Any:
        first = self._source(node.generators[0])

        def body() -> None:
            clauses: list[ast.comprehension] = []
            for generator in node.generators:
                source = first if generator is node.generators[0] else self._source(generator)
                self._clauses(generator, source, clauses)
                clauses[-1].ifs = [self.test(condition) for condition in generator.ifs]
            node.generators = clauses
            if isinstance(node, ast.DictComp):
                node.key, node.value = self.expr(node.key), node.value and self.expr(node.value)
                node.key = node.key if node.value else self._whole(node.key, node)  # 3.15: {**d for d in ds}
            elif isinstance(node, ast.GeneratorExp) and isinstance(node.elt, ast.Starred):  # 3.15: as it is asked for
                node.elt.value = self.probe("iterate", [self.expr(node.elt.value)], node.elt)
            else:
                node.elt = self.expr(node.elt)

        self.inside(node, body)
        return node

    def _source(self, generator: ast.comprehension) -> Any:
        source = self.expr(generator.iter)
        return self.probe("asynchronous" if generator.is_async else "iterate", [source], generator.iter)

    def _clauses(self, generator: ast.comprehension, source: Any, clauses: list[ast.comprehension]) -> None:
        """`for o.x in source` as `for new in source for other in (set(new, o, "x"),)`: no statement can stand here."""
        target = generator.target
        if self.is_simple(target):
            clauses.append(ast.comprehension(target=target, iter=source, ifs=[], is_async=generator.is_async))
            return
        name = self.temporary()
        new = made(ast.Name, target, id=name, ctx=ast.Store())
        clauses.append(ast.comprehension(target=new, iter=source, ifs=[], is_async=generator.is_async))
        self._bound(target, self.load(name, target), clauses)

    def _bound(self, target: Any, value: Any, clauses: list[ast.comprehension]) -> None:
        kind = type(target)
        later: list[tuple[Any, str]] = []
        if kind is ast.Name:
            new, value = target, self.stored(target.id, value, target)
        elif kind in (ast.Tuple, ast.List):
            new, value = self.unpacked(target, later), self._whole(value, target)
        else:
            new = made(ast.Name, target, id=self.temporary(), ctx=ast.Store())
            value = self.written(target, value)
        only = made(ast.Tuple, target, elts=[value], ctx=_LOAD)
        clauses.append(ast.comprehension(target=new, iter=only, ifs=[], is_async=0))
        for element, name in later:
            self._bound(element, self.load(name, element), clauses)

    # -- targets ------------------------------------------------------------------------------------------------------

    def is_simple(self, target: Any) -> bool:
        """Whether binding `target` is nobody else's business."""
        return type(target) is ast.Name and self.binding(target.id) is Binding.PLAIN

    def unpacked(self, target: Any, later: list[tuple[Any, str]]) -> Any:
        """`target` with a new name for each element from the first on that is not simple; those are left in `later`.

        From the first on, because an element may use the names that are bound before it, and those only.
        """
        for at, element in enumerate(target.elts):
            inner = element.value if type(element) is ast.Starred else element
            if later or not self.is_simple(inner):
                name = self.temporary()
                later.append((inner, name))
                new = made(ast.Name, inner, id=name, ctx=ast.Store())
                if inner is element:
                    target.elts[at] = new
                else:
                    element.value = new
        return target

    def written(self, target: Any, value: Any) -> Any:
        """The probe that stores `value` in an attribute or item."""
        line = value.lineno
        if type(target) is ast.Attribute:
            name = self.constant(self.mangle(target.attr), target)
            owner = self.expr(target.value)
            at_its_name(target)
            return self.probe("set", [value, owner, name], target, line)
        return self.probe("put", [value, self.expr(target.value), self.key(target.slice)], target, line)


_EXPRESSIONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Name: Expressions._name,
    ast.Constant: Expressions._constant,
    ast.Attribute: Expressions._attribute,
    ast.Call: Expressions._call,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions.key,
    ast.BoolOp: Expressions._boolean,
    ast.UnaryOp: Expressions._unary,
    ast.BinOp: Expressions._binary,
    ast.Compare: Expressions._compare,
    ast.IfExp: Expressions._either,
    ast.NamedExpr: Expressions._named,
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), Expressions._elements),
    ast.Dict: Expressions._dict,
    ast.Starred: Expressions._starred,
    ast.FormattedValue: Expressions._formatted,
    ast.JoinedStr: Expressions._joined,
    **dict.fromkeys((ast.Await, ast.Yield), Expressions._inner),
    ast.YieldFrom: Expressions._yield_from,
    ast.Lambda: Expressions._lambda,
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), Expressions._comprehension),
}
for _kind, _rule in (("TemplateStr", Expressions._joined), ("Interpolation", Expressions._interpolation)):
    if hasattr(ast, _kind): _EXPRESSIONS[getattr(ast, _kind)] = _rule  # 3.14
