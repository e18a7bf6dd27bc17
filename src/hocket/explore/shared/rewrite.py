"""Python that tells of every access to data that could be shared: a tree is rewritten, nothing else about it changes.

The probes are methods of whatever is bound to the global name `__hocket__`. All take their arguments by position.

    get(o, "a")             o.a                       call(f, *args, **kw)         f(...)
    set(v, o, "a")          o.a = v                   method(o, "m", *args, **kw)  o.m(...)
    delete(o, "a")          del o.a                   whole(v)      *v, **v, a, b = v, f"{v}": v, about to be read whole
    item(o, k)              o[k]                      iterate(v)    for x in v, yield from v: something to iterate
    put(v, o, k)            o[k] = v                  truth(v)      if v, v and ...: v itself
    drop(o, k)              del o[k]                  subject(v)    match v: v itself
    slice(i, j, s)          i:j:s                     contained(a, b)              a in b
    cell("x", fn)           x, in a cell              compare("<", a, b)           a < b
    setcell("x", fn, v)     x = v: returns v          link("<", a, b), linked()    a < b < ...: see below
    delcell("x", fn)        del x comes next          binary("+", a, b)            a + b
    glob(globals(), "x")    x, in the module          inplace("+", a, b)           what a += b binds
    setglob(globals(), "x", v)  x = v: returns v      lazily(fn)    its `value` is fn(): a name in a pattern
    delglob(globals(), "x")     del x comes next      code(text, "exec")           what exec(text) is to execute
    name(locals(), globals(), "x")  x, at the top of an executed text
    observed(v), captured(v)  see rewrite_match.py: what stands for the subject of a match, and what it stands for
    answered(v)  return v, in a special method, or its end: v itself; whoever called the method goes on
    told(v, 114)            f"{v!r}": what to show in the place of v     asynchronous(v)  async for ... in v: v itself
    together(...), apart(v), dropped(x)  see rewrite_blocks.py: nobody comes between these accesses; v itself

`fn` is a lambda whose `__closure__[0]` is the cell. Its variadic parameter is named `__hocket_own__` if the cell
belongs to the function that asks, so that an unbound one raises `UnboundLocalError`, and `__hocket_cell__` if not
(`NameError`). `link(op, a, b)` compares; if the outcome is true it keeps `b` for `linked()`, which is called at once,
by the same thread, and returns True; if not it returns the outcome (whose truth is then asked a second time).
A method call whose arguments may do something is `call(get(o, "m"), ...)`: Python looks the method up before them.

Calls in *direct* form, for probes that have a `callee`: f(...) is `callee(f)(...)` and o.m(...) is
`bound(o, "m")(...)`. What they return is called by the user's own frame: a probe that returns `f` itself leaves no
frame between caller and callee, for a traceback, `sys._getframe(1)` or a warning's `stacklevel` to stumble over.

What is left as Python has it: names that `scopes` calls plain; annotations, type parameters and aliases; class bodies'
own names; the calls that look at their caller's frame (`locals()`, `super()`, `exec(text)` ...) and the four in
`_HARMLESS`; comparisons with a number or a string; arithmetic with a number (but for `list * 2`, `bytearray % 2`).

Three differences to plain Python remain: a false link of a chain that is no bool is asked for its truth twice; when an
exception flies while a temporary name is in use, the name stays in its frame; and a metaclass whose namespace answers
to every name answers for `__hocket__`, `globals` and `locals` too.

A target that needs a probe and cannot hold one (in `for`, `with`, `import` ...) becomes a temporary name, with the
store after it and a `del`, so that `locals()` and the life of objects are as they were.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CodeType
from typing import Any, TypeVar

from hocket.explore.shared.grammar import NewSyntaxError
from hocket.explore.shared.rewrite_blocks import Stretches
from hocket.explore.shared.rewrite_expressions import CELL, OWN, SETTER
from hocket.explore.shared.rewrite_match import Matches
from hocket.explore.shared.rewrite_nodes import lambda_of, made, symbol
from hocket.explore.shared.scopes import Binding, Place, Scopes

__all__ = ["is_probe", "rewrite", "unbound"]

Tree = TypeVar("Tree", ast.Module, ast.Expression, ast.Interactive)
_MARKERS = frozenset({CELL, OWN, SETTER})
_LOAD, _STORE, _DELETE = ast.Load(), ast.Store(), ast.Del()


def rewrite(tree: Tree, executed: bool = False, scopes: Scopes | None = None, direct: bool = False,
            blocks: bool = False) -> Tree:
    """`tree` itself, rewritten in place. `executed`: its top will run during an exploration, so its names are shared.

    `scopes`: those of this very tree, if the caller has them. `direct`: calls by `callee` and `bound`. `blocks`: with
    marks around the accesses that nobody comes between (rewrite_blocks.py).
    """
    rewriter = _Rewriter(scopes or Scopes(tree, executed), direct, blocks)
    if isinstance(tree, ast.Expression):
        tree.body = rewriter.expr(tree.body)
    else:
        tree.body = rewriter.block(tree.body)
    return tree


def is_probe(code: CodeType) -> bool:
    """Whether a code object is a lambda of the rewriter, and none of the user's."""
    return code.co_name == "<lambda>" and bool(code.co_varnames) and code.co_varnames[0] in _MARKERS


def unbound(name: str, fn: Any) -> NameError:
    """What Python raises where the cell that `fn` finds is empty."""
    if fn.__code__.co_varnames[0] == OWN:
        return UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value")
    return NameError(f"cannot access free variable '{name}' where it is not associated with a value in enclosing scope",
                     name=name)


_ANSWER_NOBODY = frozenset({"__init__", "__new__", "__del__", "__enter__", "__exit__", "__set_name__", "__post_init__",
                            "__init_subclass__", "__class_getitem__", "__aenter__", "__aexit__"})


class _Rewriter(Matches):
    """Rewrites statements: each becomes one or several."""

    _answers = False  # whether the function at hand is one that C may call, in the middle of something else

    def __init__(self, scopes: Scopes, direct: bool = False, blocks: bool = False) -> None:
        super().__init__(scopes, direct, blocks)
        self._stretches = Stretches(self, self._statement)

    def block(self, body: list[Any]) -> list[Any]:
        out: list[Any] = []
        if self.blocks and self.scope.place is Place.FUNCTION:
            self._stretches.rewritten(body, out)
            return out
        for statement in body:
            self._statement(statement, out)
        return out

    def _statement(self, statement: Any, out: list[Any]) -> None:
        _STATEMENTS[type(statement)](self, statement, out)

    # -- storing ------------------------------------------------------------------------------------------------------

    def store(self, target: Any, value: Any, out: list[Any]) -> None:
        """Append what binds the expression `value` to `target`."""
        kind = type(target)
        if kind is ast.Name:
            out.append(made(ast.Assign, target, targets=[target], value=self.stored(target.id, value, target),
                            type_comment=None))
        elif kind is ast.Tuple or kind is ast.List:
            self._unpack(target, value, out)
        else:
            out.append(made(ast.Expr, target, value=self.written(target, value)))

    def _unpack(self, target: Any, value: Any, out: list[Any]) -> None:
        later: list[tuple[Any, str]] = []
        target = self.unpacked(target, later)
        if type(value) not in (ast.Tuple, ast.List):
            value = self.probe("whole", [value], value)
        out.append(made(ast.Assign, target, targets=[target], value=value, type_comment=None))
        for element, name in later:
            self.store(element, self.load(name, element), out)
        self._forget([name for _, name in later], target, out)

    def _keep(self, value: Any, at: Any, out: list[Any]) -> str:
        """Append what evaluates `value` now, and return the name that it has from now on."""
        name = self.temporary()
        new = made(ast.Name, at, id=name, ctx=_STORE)
        out.append(made(ast.Assign, value, targets=[new], value=value, type_comment=None))
        return name

    def _forget(self, names: list[str], at: Any, out: list[Any]) -> None:
        if names:
            targets = [made(ast.Name, at, id=name, ctx=_DELETE) for name in names]
            out.append(made(ast.Delete, at, targets=targets))

    def _received(self, target: Any) -> tuple[Any, list[Any]]:
        """What to write where `target` stands, and the statements that follow once it has its value."""
        if self.is_simple(target):
            return target, []
        name = self.temporary()
        after: list[Any] = []
        self.store(target, self.load(name, target), after)
        self._forget([name], target, after)
        return made(ast.Name, target, id=name, ctx=_STORE), after

    def _named_target(self, name: str, at: Any) -> Any:
        return made(ast.Name, at, id=name, ctx=_STORE)

    # -- assignments --------------------------------------------------------------------------------------------------

    def _assign(self, node: ast.Assign, out: list[Any]) -> None:
        value = self.expr(node.value)
        if all(map(self.is_simple, node.targets)):
            node.value = value
            out.append(node)
        elif len(node.targets) == 1:
            self.store(node.targets[0], value, out)
        else:
            name = self._keep(value, node.targets[0], out)
            for target in node.targets:
                self.store(target, self.load(name, target), out)
            self._forget([name], node.targets[-1], out)

    def _annotated(self, node: ast.AnnAssign, out: list[Any]) -> None:
        target = node.target
        if node.value is None:
            if not isinstance(target, ast.Name):
                target.value = self.expr(target.value)
                if isinstance(target, ast.Subscript):
                    target.slice = self.key(target.slice)
            out.append(node)
        elif isinstance(target, ast.Name):
            node.value = self.stored(target.id, self.expr(node.value), node)
            out.append(node)
        else:
            self.store(target, self.expr(node.value), out)
            node.target = made(ast.Attribute, node, value=self.constant(None, node), attr="hocket", ctx=_STORE)
            node.value = None  # what is left of the statement evaluates the annotation, where Python does
            out.append(node)

    def _augmented(self, node: ast.AugAssign, out: list[Any]) -> None:
        target = node.target
        kept: list[str] = []
        rebinds = any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(node.value))
        if isinstance(target, ast.Name):
            old = self.expr(made(ast.Name, target, id=target.id, ctx=_LOAD))
            new: Any = target
        elif isinstance(target, ast.Attribute):
            owner = self._twice(target.value, rebinds, kept, out)
            old = self.probe("get", [owner(), self.constant(self.mangle(target.attr), target)], target)
            new = made(ast.Attribute, target, value=owner(), attr=target.attr, ctx=_STORE)
        else:
            owner, key = self._twice(target.value, rebinds, kept, out), self._twice(target.slice, rebinds, kept, out)
            old = self.probe("item", [owner(), key()], target)
            new = made(ast.Subscript, target, value=owner(), slice=key(), ctx=_STORE)
        if kept and self.blocks:
            self._stretches.again(new, node.value, out)
        value = self.probe("inplace", [self.constant(symbol(node.op), node), old, self.expr(node.value)], node)
        self._store_again(new, value, node, out)
        self._forget(kept, node, out)
        if kept and self.blocks:
            self._stretches.ended(node, out)

    def _store_again(self, target: Any, value: Any, at: Any, out: list[Any]) -> None:
        """Store where a value has just been read: the parts of `target` are rewritten already."""
        if isinstance(target, ast.Name):
            self.store(target, value, out)
        elif isinstance(target, ast.Attribute):
            name = self.constant(self.mangle(target.attr), target)
            out.append(made(ast.Expr, at, value=self.probe("set", [value, target.value, name], target)))
        else:
            out.append(made(ast.Expr, at, value=self.probe("put", [value, target.value, target.slice], target)))

    def _twice(self, node: Any, rebinds: bool, kept: list[str], out: list[Any]) -> Callable[[], Any]:
        """A way to write the expression `node` two times while it is evaluated once."""
        if type(node) is ast.Constant or (self._is_private(node) and not rebinds):
            return lambda: node
        name = self._keep(self.key(node), node, out)
        kept.append(name)
        return lambda: self.load(name, node)

    def _deletion(self, node: ast.Delete, out: list[Any]) -> None:
        for target in node.targets:
            self._deleted(target, out)

    def _deleted(self, target: Any, out: list[Any]) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self._deleted(element, out)
        elif isinstance(target, ast.Attribute):
            line = target.lineno
            owner = self.expr(target.value)
            name = self.constant(self.mangle(target.attr), target)
            out.append(made(ast.Expr, target, value=self.probe("delete", [owner, name], target, line)))
        elif isinstance(target, ast.Subscript):
            parts = [self.expr(target.value), self.key(target.slice)]
            out.append(made(ast.Expr, target, value=self.probe("drop", parts, target)))
        else:
            self._deleted_name(target, out)

    def _deleted_name(self, target: ast.Name, out: list[Any]) -> None:
        binding = self.binding(target.id)
        name = self.constant(self.mangle(target.id), target)
        if binding is Binding.GLOBAL:
            told = self.probe("delglob", [self.globals_here(target), name], target)
        elif binding is Binding.NAMESPACE:
            told = self.probe("delglob", [self.locals_here(target), name], target)
        else:
            told = self.probe("delcell", [name, self.cell(target.id, target)], target)
        if binding is not Binding.PLAIN:
            out.append(made(ast.Expr, target, value=told))
        out.append(made(ast.Delete, target, targets=[target]))

    def _is_lazy(self, node: Any) -> bool:
        """PEP 810, at the top only: whoever uses the name first binds it, so it has to be one that nobody watches."""
        lazy = bool(getattr(node, "is_lazy", 0))
        if lazy and any(self.binding(each.asname or each.name.partition(".")[0]) is not Binding.PLAIN
                        for each in node.names):
            raise NewSyntaxError(f"ast.{type(node).__name__}.is_lazy")
        return lazy

    def _import(self, node: ast.Import, out: list[Any]) -> None:
        if self._is_lazy(node): out.append(node); return
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            if self.binding(bound) is Binding.PLAIN:
                out.append(made(ast.Import, node, names=[alias]))
                continue
            modules = [alias.name] if alias.asname or bound == alias.name else [alias.name, bound]
            names = [self.temporary() for _ in modules]
            for module, name in zip(modules, names, strict=True):
                out.append(made(ast.Import, node, names=[made(ast.alias, node, name=module, asname=name)]))
            self.store(self._named_target(bound, node), self.load(names[-1], node), out)
            self._forget(names, node, out)

    def _import_from(self, node: ast.ImportFrom, out: list[Any]) -> None:
        later: list[tuple[str, str]] = []
        watched = not self._is_lazy(node) and node.module != "__future__"
        for alias in node.names:
            bound = alias.asname or alias.name
            if watched and alias.name != "*" and (
                    later or self.binding(bound) is not Binding.PLAIN):
                alias.asname = self.temporary()
                later.append((bound, alias.asname))
        out.append(node)
        for bound, name in later:
            self.store(self._named_target(bound, node), self.load(name, node), out)
        self._forget([name for _, name in later], node, out)

    # -- simple statements --------------------------------------------------------------------------------------------

    def _same(self, node: Any, out: list[Any]) -> None:
        out.append(node)

    def _valued(self, node: Any, out: list[Any]) -> None:
        if node.value is not None:
            node.value = self.expr(node.value)
        out.append(node)

    def _return(self, node: ast.Return, out: list[Any]) -> None:
        self._valued(node, out)
        if self._answers and node.value is not None:
            node.value = self.probe("answered", [node.value], node.value)
        elif self._answers:
            out.insert(-1, self._ended(node))

    def _ended(self, at: Any) -> ast.Expr:
        """A special method comes to its end, and answers nothing; as a statement, which may stand in a generator."""
        found: ast.Expr = made(ast.Expr, at, value=self.probe("answered", [self.constant(None, at)], at))
        return found

    def _raise(self, node: ast.Raise, out: list[Any]) -> None:
        node.exc = node.exc and self.expr(node.exc)
        node.cause = node.cause and self.expr(node.cause)
        out.append(node)

    def _assert(self, node: ast.Assert, out: list[Any]) -> None:
        node.test = self.test(node.test)
        node.msg = node.msg and self.expr(node.msg)
        out.append(node)

    # -- compound statements ------------------------------------------------------------------------------------------

    def _conditional(self, node: Any, out: list[Any]) -> None:
        node.test = self.test(node.test)
        node.body, node.orelse = self.block(node.body), self.block(node.orelse)
        out.append(node)

    def _for(self, node: Any, out: list[Any]) -> None:
        source = self.expr(node.iter)
        node.iter = self.probe("asynchronous" if isinstance(node, ast.AsyncFor) else "iterate", [source], node.iter)
        node.target, after = self._received(node.target)
        node.body, node.orelse = after + self.block(node.body), self.block(node.orelse)
        out.append(node)

    def _with(self, node: Any, out: list[Any]) -> None:
        for number, item in enumerate(node.items):
            at, entered = item.context_expr, self.expr(item.context_expr)
            item.context_expr = self.probe("manager", [entered], at) if type(node) is ast.With else entered
            if item.optional_vars is None or self.is_simple(item.optional_vars):
                continue
            item.optional_vars, after = self._received(item.optional_vars)
            others = node.items[number + 1:]
            inner: list[Any] = []
            if others:  # they are entered after the target has its value
                self._with(made(type(node), node, items=others, body=node.body, type_comment=None), inner)
            node.items = node.items[: number + 1]
            node.body = after + (inner or self.block(node.body))
            out.append(node)
            return
        node.body = self.block(node.body)
        out.append(node)

    def _try(self, node: Any, out: list[Any]) -> None:
        node.body = self.block(node.body)
        for handler in node.handlers:
            self._handler(handler)
        node.orelse, node.finalbody = self.block(node.orelse), self.block(node.finalbody)
        out.append(node)

    def _handler(self, handler: ast.ExceptHandler) -> None:
        handler.type = handler.type and self.expr(handler.type)
        name = handler.name
        body = self.block(handler.body)
        if name is None or self.binding(name) is Binding.PLAIN:
            handler.body = body
            return
        handler.name = self.temporary()
        before: list[Any] = []
        after: list[Any] = []
        self.store(self._named_target(name, handler), self.load(handler.name, handler), before)
        self.store(self._named_target(name, handler), self.constant(None, handler), after)
        self._deleted_name(made(ast.Name, handler, id=name, ctx=_DELETE), after)
        guarded = made(ast.Try, handler, body=body, handlers=[], orelse=[], finalbody=after)
        handler.body = [*before, guarded]

    # -- functions and classes ----------------------------------------------------------------------------------------

    def _function(self, node: Any, out: list[Any]) -> None:
        node.decorator_list = self.exprs(node.decorator_list)
        self.defaults(node.args)

        outer = self._answers
        self._answers = self.scope.place is Place.CLASS and node.name[:2] == "__" and node.name not in _ANSWER_NOBODY

        def body() -> None:
            last = node.body[-1]
            node.body = self.block(node.body)
            if self._answers and type(last) not in (ast.Return, ast.Raise):
                node.body.append(self._ended(last))

        self.inside(node, body)
        self._answers = outer
        self._announce(node)
        out.append(node)

    def _class(self, node: ast.ClassDef, out: list[Any]) -> None:
        node.decorator_list = self.exprs(node.decorator_list)
        if not getattr(node, "type_params", None):  # else they are evaluated in a scope of their own
            node.bases, node.keywords = self.exprs(node.bases), self._keywords(node)

        def body() -> None:
            node.body = self.block(node.body)

        self.inside(node, body)
        self._announce(node)
        out.append(node)

    def _announce(self, node: Any) -> None:
        """The binding of a shared name by `def` or `class`: an outermost decorator runs right before it."""
        if self.binding(node.name) is Binding.PLAIN:
            return
        at = node.decorator_list[0] if node.decorator_list else made(ast.Pass, node)
        at = made(ast.Pass, at)
        at.end_lineno, at.end_col_offset = at.lineno, at.col_offset
        told = self.stored(node.name, self.load(SETTER, at), at)
        node.decorator_list.insert(0, lambda_of(SETTER, told, at))


_STATEMENTS: dict[type, Callable[[_Rewriter, Any, list[Any]], None]] = {
    ast.Assign: _Rewriter._assign,
    ast.AnnAssign: _Rewriter._annotated,
    ast.AugAssign: _Rewriter._augmented,
    ast.Delete: _Rewriter._deletion,
    ast.Import: _Rewriter._import,
    ast.ImportFrom: _Rewriter._import_from,
    ast.Expr: _Rewriter._valued,
    ast.Return: _Rewriter._return,
    ast.Raise: _Rewriter._raise,
    ast.Assert: _Rewriter._assert,
    ast.If: _Rewriter._conditional,
    ast.While: _Rewriter._conditional,
    ast.For: _Rewriter._for,
    ast.AsyncFor: _Rewriter._for,
    ast.With: _Rewriter._with,
    ast.AsyncWith: _Rewriter._with,
    ast.Try: _Rewriter._try,
    ast.TryStar: _Rewriter._try,
    ast.Match: _Rewriter._match,
    ast.FunctionDef: _Rewriter._function,
    ast.AsyncFunctionDef: _Rewriter._function,
    ast.ClassDef: _Rewriter._class,
    **dict.fromkeys((ast.Global, ast.Nonlocal, ast.Pass, ast.Break, ast.Continue), _Rewriter._same),
}
if hasattr(ast, "TypeAlias"):  # 3.12
    _STATEMENTS[ast.TypeAlias] = _Rewriter._same
