"""Which neighbouring accesses nobody can come between while CPython's global lock is held: read off the syntax tree.

CPython lets another thread go on only where its evaluation loop looks whether it should: when a function or generator
is entered, after a call of C code, and when a loop jumps back. (3.11 to 3.14: `RESUME`, the instructions of the family
of `CALL`, `JUMP_BACKWARD`; whatever calls Python code from C comes by a `RESUME` of it.) So a stretch of code without a
call and without a loop is one step there, and for `model="gil"` the accesses of such a stretch become one operation.

What may stand in a stretch is a list of kinds of nodes, `QUIET`; each node that is not in it ends the stretch. The list
says which *syntax* has no such place. Whether an operator, an attribute or a key leads to a method that somebody has
written is not to be seen here, and is asked when the code runs (blocks.py). Both err on one side: a place too many
costs executions, a place too few would make a verdict false.

Refused: reading the bytecode. Its instructions have other names in each version, and the code that runs in an
exploration is not the one that will run; a test reads it instead (test_gil_in_the_bytecode.py).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hocket.explore.shared.rewrite_nodes import made
from hocket.explore.shared.scopes import Binding

if TYPE_CHECKING:
    from hocket.explore.shared.rewrite_expressions import Expressions

__all__ = ["QUIET", "Access", "Stretch", "Stretches"]

_LOAD = ast.Load()
_LEAVING = (ast.Return, ast.Break, ast.Continue)


class Access(NamedTuple):
    """`how`: the probe that makes it; its owner is what `path`, of attributes, leads to from the name `root`."""

    how: str  # get set item replace glob setglob cell setcell
    root: str
    path: tuple[str, ...] = ()
    key: Any = None  # the name of an attribute, or the node of a key


class Stretch(NamedTuple):
    """So many statements, and what they may touch, in the order of the text."""

    statements: int
    accesses: list[Access]


class _LoudError(Exception):
    """Here may be a place where others go on."""


class Stretches:
    """Marks the stretches in the statements of functions, while these are rewritten by `rewrite`, one after the other.

        try: __hocket__.together(9, True, ("get", o, (), "n"), ("set", o, (), "n"))     up to line 9 this may be touched
        except NameError: pass                      a name has no value yet: then each access is a step, as ever
        ...                                         the statements
        __hocket__.apart()                          here it ends; also before whatever is loud in a branch

    `__hocket__.dropped(x)` comes before a name is bound again: what its old value leaves behind may be a finaliser.
    """

    def __init__(self, names: Expressions, rewrite: Callable[[Any, list[Any]], None]) -> None:
        self.names = names
        self._rewrite = rewrite
        self._open = False  # whether we are in a stretch

    def rewritten(self, body: list[Any], out: list[Any]) -> None:
        """Append what becomes of the statements."""
        if self._open:
            self._branch(body, out)
            return
        at = 0
        while at < len(body):
            stretch = _stretch(self.names, body[at:])
            ahead = body[at:at + max(1, stretch.statements)]
            at += len(ahead)
            if len(stretch.accesses) > 1:
                self._marked(ahead, stretch.accesses, out)
            else:
                for statement in ahead:
                    self._rewrite(statement, out)

    def again(self, target: Any, value: Any, out: list[Any]) -> None:
        """Append a mark that `target` is to be read and written around `value`, if that is quiet."""
        reader = _Reader(self.names)
        if isinstance(target.value, ast.Name) and reader.reads(made(ast.Expr, value, value=value)):
            attribute = isinstance(target, ast.Attribute)
            key = self.names.mangle(target.attr) if attribute else target.slice
            root = target.value.id
            pair = [Access(how, root, (), key) for how in (("get", "set") if attribute else ("item", "replace"))]
            self._mark([pair[0], *reader.accesses, pair[1]], target, value.end_lineno, out)

    def ended(self, at: Any, out: list[Any]) -> None:
        """Append that what `again` began has ended, unless it is part of more."""
        if not self._open:
            out.append(self._apart(at))

    def _marked(self, statements: list[Any], accesses: list[Access], out: list[Any]) -> None:
        self._mark(accesses, statements[0], statements[-1].end_lineno, out)
        self._open = True
        for statement in statements:
            self._quiet(statement, out)
        self._open = False
        out.append(self._apart(statements[-1]))

    def _branch(self, statements: list[Any], out: list[Any]) -> None:
        """Within a stretch; what is loud ends it, and what follows that in the branch may have stretches of its own."""
        for at, statement in enumerate(statements):
            if not _Reader(self.names).reads(statement):
                out.append(self._apart(statement))
                self._open = False
                self.rewritten(statements[at:], out)
                self._open = True
                return
            self._quiet(statement, out)

    def _quiet(self, statement: Any, out: list[Any]) -> None:
        for name in self._dropped(statement):
            told = self.names.probe("dropped", [self.names.load(name, _spot(statement))], _spot(statement))
            out.append(self._unless_unbound(told, statement))
        if type(statement) in _LEAVING and getattr(statement, "value", None) is None:
            out.append(self._apart(statement))
        self._rewrite(statement, out)
        if type(statement) is ast.Return and statement.value is not None:
            statement.value = self.names.probe("apart", [statement.value], statement)

    def _mark(self, accesses: list[Access], at: Any, last: int, out: list[Any]) -> None:
        spot = _spot(at)
        told = [self.names.constant(last, spot), self.names.constant(not self._open, spot),
                *(self._told(access, spot) for access in accesses)]
        out.append(self._unless_unbound(self.names.probe("together", told, spot), at))

    def _apart(self, at: Any) -> Any:
        return made(ast.Expr, _spot(at), value=self.names.probe("apart", [], _spot(at)))

    def _unless_unbound(self, told: Any, at: Any) -> Any:
        spot = _spot(at)
        handler = made(ast.ExceptHandler, spot, type=self.names.load("NameError", spot), name=None,
                       body=[made(ast.Pass, spot)])
        return made(ast.Try, spot, body=[made(ast.Expr, spot, value=told)], handlers=[handler], orelse=[], finalbody=[])

    def _told(self, access: Access, at: Any) -> Any:
        """An access as a tuple of what `blocks.py` asks for."""
        names, constant = self.names, self.names.constant
        parts = [constant(access.how, at)]
        if access.how in ("glob", "setglob"):
            parts += [names.globals_here(at), constant(names.mangle(access.root), at)]
        elif access.how in ("cell", "setcell"):
            parts += [names.cell(access.root, at)]
        else:
            key = access.key if type(access.key) is not ast.Constant else access.key.value
            told = names.load(key.id, at) if type(key) is ast.Name else constant(key, at)
            parts += [names.load(access.root, at), constant(access.path, at), told]
        return made(ast.Tuple, at, elts=parts, ctx=_LOAD)

    def _dropped(self, statement: Any) -> Iterator[str]:
        """The names private to the function whose old values the statement lets go of."""
        targets = list(statement.targets) if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        while targets:
            target = targets.pop()
            if isinstance(target, (ast.Tuple, ast.List)):
                targets += target.elts
            elif type(target) is ast.Name and self.names.binding(target.id) is Binding.PLAIN:
                yield target.id


def _stretch(names: Expressions, statements: list[Any]) -> Stretch:
    """The longest that `statements` begin with; it may have none."""
    reader, count = _Reader(names), 0
    for statement in statements:
        if not reader.reads(statement):
            break
        count += 1
        if type(statement) in _LEAVING:
            break
    return Stretch(count, reader.accesses)


def _spot(at: Any) -> Any:
    """Where `at` begins, as a place of no length."""
    spot = made(ast.Pass, at)
    spot.end_lineno, spot.end_col_offset = spot.lineno, spot.col_offset
    return spot


class _Reader:
    """Goes through a tree in the order of evaluation and writes the accesses down; stops at what is loud."""

    def __init__(self, names: Expressions) -> None:
        self.names = names
        self.accesses: list[Access] = []
        self._bound: set[str] = set()  # here, so that they mean something else at the beginning of the stretch

    def reads(self, statement: Any) -> bool:
        """Whether the whole statement is quiet; if not, nothing of it is written down."""
        count = len(self.accesses)
        try:
            self._read(statement)
        except _LoudError:
            del self.accesses[count:]
            return False
        return True

    def _read(self, node: Any) -> None:
        read = QUIET.get(type(node))
        if read is None:
            raise _LoudError
        read(self, node)

    def _all(self, nodes: list[Any]) -> None:
        for node in nodes:
            self._read(node)

    # -- expressions

    def _nothing(self, node: Any) -> None:
        """It has no parts that anybody else could see."""

    def _name(self, node: ast.Name, store: bool = False) -> None:
        binding = self.names.binding(node.id)
        if binding is Binding.NAMESPACE:
            raise _LoudError
        if binding is Binding.PLAIN:
            if store:
                self._bound.add(node.id)
            return
        how = "glob" if binding is Binding.GLOBAL else "cell"
        self.accesses.append(Access("set" + how if store else how, node.id))

    def _attribute(self, node: ast.Attribute, how: str = "get") -> None:
        root, path = self._owner(node.value)
        self.accesses.append(Access(how, root, path, self.names.mangle(node.attr)))

    def _item(self, node: ast.Subscript, how: str = "item") -> None:
        root, path = self._owner(node.value)
        key = node.slice
        if type(key) is not ast.Constant and not (type(key) is ast.Name and self._is_settled(key)):
            raise _LoudError
        self.accesses.append(Access(how, root, path, key))

    def _owner(self, node: Any) -> tuple[str, tuple[str, ...]]:
        """A name that means the same throughout, and the attributes that lead from it to `node`."""
        path: list[str] = []
        while type(node) is ast.Attribute:
            path.append(self.names.mangle(node.attr))
            node = node.value
        if type(node) is not ast.Name or not self._is_settled(node):
            raise _LoudError
        return node.id, tuple(reversed(path))

    def _is_settled(self, node: ast.Name) -> bool:
        return self.names.binding(node.id) is Binding.PLAIN and node.id not in self._bound

    def _binary(self, node: ast.BinOp) -> None:
        self._all([node.left, node.right])

    def _boolean(self, node: ast.BoolOp) -> None:
        self._all(node.values)

    def _unary(self, node: ast.UnaryOp) -> None:
        if type(node.op) is not ast.Not and type(node.operand) is not ast.Constant:
            raise _LoudError
        self._read(node.operand)

    def _compare(self, node: ast.Compare) -> None:
        if len(node.ops) > 1 or type(node.ops[0]) in (ast.In, ast.NotIn):
            raise _LoudError
        self._all([node.left, *node.comparators])

    def _either(self, node: ast.IfExp) -> None:
        self._all([node.test, node.body, node.orelse])

    def _elements(self, node: Any) -> None:
        self._all(node.elts)

    # -- statements

    def _valued(self, node: Any) -> None:
        if node.value is not None:
            self._read(node.value)

    def _assign(self, node: ast.Assign) -> None:
        self._read(node.value)
        for target in node.targets:
            self._store(target, node.value)

    def _store(self, target: Any, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._name(target, store=True)
        elif isinstance(target, ast.Attribute):
            self._attribute(target, "set")
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for element, its in zip(target.elts, value.elts, strict=True):
                self._store(element, its)
        else:
            raise _LoudError  # an item may be a new key; what is unpacked may be anything

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is None or not isinstance(node.target, ast.Name):
            raise _LoudError
        self._read(node.value)
        self._name(node.target, store=True)

    def _augmented(self, node: ast.AugAssign) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self._name(target)
            self._read(node.value)
            self._name(target, store=True)
        elif isinstance(target, ast.Attribute):
            self._attribute(target)
            self._read(node.value)
            self._attribute(target, "set")
        else:
            self._item(target)
            self._read(node.value)
            self._item(target, "replace")

    def _conditional(self, node: ast.If) -> None:
        self._read(node.test)
        before = set(self._bound)
        for branch in (node.body, node.orelse):
            self._branch(branch)
        self._bound |= before

    def _branch(self, statements: list[Any]) -> None:
        """A branch may do anything: what is loud in it ends the stretch when it is come to."""
        for statement in statements:
            if not self.reads(statement):
                inside = [node for inner in statements for node in ast.walk(inner)]
                self._bound |= {name.id for name in inside if isinstance(name, ast.Name)}
                return

    def _assert(self, node: ast.Assert) -> None:
        self._read(node.test)  # the message belongs to what follows a failure


QUIET: dict[type, Callable[[Any, Any], None]] = {
    # expressions
    ast.Constant: _Reader._nothing,
    ast.Name: _Reader._name,
    ast.Attribute: _Reader._attribute,
    ast.Subscript: _Reader._item,
    ast.BinOp: _Reader._binary,
    ast.BoolOp: _Reader._boolean,
    ast.UnaryOp: _Reader._unary,
    ast.Compare: _Reader._compare,
    ast.IfExp: _Reader._either,
    **dict.fromkeys((ast.Tuple, ast.List), _Reader._elements),
    # statements
    ast.Assign: _Reader._assign,
    ast.AnnAssign: _Reader._annotated,
    ast.AugAssign: _Reader._augmented,
    ast.If: _Reader._conditional,
    ast.Assert: _Reader._assert,
    ast.Expr: _Reader._valued,
    ast.Return: _Reader._valued,
    **dict.fromkeys((ast.Pass, ast.Break, ast.Continue), _Reader._nothing),
}
"""The kinds of nodes in which CPython lets nobody else go on; what is not here ends a stretch."""
