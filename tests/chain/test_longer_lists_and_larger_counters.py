"""A list of a million who wait is gone through as a list of two is, and a counter of five is asked what one of two is.

The neighbourhoods of `steps.py` and `settlings.py` have two or three who wait, and counters up to three. That nothing
else comes of more is read off the kernel's text, all of it, the functions that the rows are written out to included:
of a counter it is asked only whether it is zero, and it changes by one; and a turn of a loop along a list reads and
writes what is its own task's, puts that task on the agenda, and does nothing else. So a list of n does to each what a
list of that one does, by induction; and a counter that n edges hold behaves until the last as any other that is held.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from hocket.kernel import Kernel, tables
from hocket.kernel import kernel as kernel_module
from tests.chain import plants, test_every_step

COUNTERS = {"start", "bodies", "children", "count"}

# the loops that go along who waits, and those whose turns are whole rows: `settlings.py` speaks of these
ALONG = {"_release": 1, "_release_parents": 1, "closed": 1, "ended": 1}
TURNS = {
    "follow": "settle(self, waiting)",
    "_skip_first": "row = state_row(waiting)\n"
    "if row is not None and row.fate is Outcome.SKIPPED:\n    settle(self, waiting)",
    "_stop": "if node.phase is not IDLE and event_row[Stimulus.CANCELLED][node.phase] is not None:\n"
    "    self._cancel(node, cause)",
}


def _parsed(function: Any) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))


def _written_out() -> list[ast.AST]:
    """The functions that the rows became: no file holds them."""
    made = [*tables.take, tables.settle, tables.receive, tables.state_row]
    return [ast.parse("".join(linecache.getlines(each.__code__.co_filename))) for each in made]


def _asked_otherwise(tree: ast.AST) -> list[str]:
    """Where a counter is used for more than being changed by one, and asked whether it is zero."""
    fair = {id(node) for node in _fair(tree)}
    counters = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in COUNTERS)
    return [ast.unparse(node) for node in counters if id(node) not in fair]


def _fair(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            if ast.unparse(node.value) in ("1", "-1"):
                yield node.target
        elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
            yield from _conditions(node.test)
        elif isinstance(node, ast.comprehension):
            yield from (each for test in node.ifs for each in _conditions(test))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "any":  # and not: sum, max, …
            yield from (each.elt for each in node.args if isinstance(each, ast.GeneratorExp))


def _conditions(test: ast.expr) -> Iterator[ast.expr]:
    """The parts of a condition of which only the truth is asked."""
    if isinstance(test, ast.BoolOp):
        yield from (each for value in test.values for each in _conditions(value))
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _conditions(test.operand)
    else:
        yield test


def _loops(tree: ast.AST) -> list[ast.For]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.For)]


def _beyond_its_own(loop: ast.For) -> list[str]:
    """What a loop does besides going along a whole list, and in each turn about that turn's task."""
    assert isinstance(loop.target, ast.Name)
    own = loop.target.id
    whole = [] if isinstance(loop.iter, (ast.Name, ast.Attribute)) and not loop.orelse else [loop.iter]
    statements = [node for each in loop.body for node in ast.walk(each) if isinstance(node, ast.stmt)]
    return [ast.unparse(node) for node in [*whole, *(each for each in statements if not _is_its_own(each, own))]]


def _is_its_own(statement: ast.stmt, own: str) -> bool:
    if isinstance(statement, ast.If):
        return _reads_its_own(statement.test, own)
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        fields = all(isinstance(each, ast.Attribute) for each in targets)
        return fields and all(_reads_its_own(each, own) for each in [*targets, statement.value])
    return ast.unparse(statement) == f"self._agenda.append({own})"


def _reads_its_own(term: ast.expr, own: str) -> bool:
    """Fields of its task, names that no turn assigns, and numbers; no call, and no field of anybody else."""
    parts = [node for node in ast.walk(term) if isinstance(node, ast.expr)]
    fields = all(ast.unparse(node.value) == own for node in parts if isinstance(node, ast.Attribute))
    return fields and not any(isinstance(node, (ast.Call, ast.Subscript, ast.NamedExpr)) for node in parts)


def _methods() -> dict[str, Any]:
    return {name: method for name, method in vars(Kernel).items() if inspect.isfunction(method)}


def test_of_a_counter_the_kernel_asks_only_whether_it_is_zero():
    looked_at = [ast.parse(inspect.getsource(kernel_module)), *_written_out()]
    assert [said for tree in looked_at for said in _asked_otherwise(tree)] == []
    met = {node.attr for tree in looked_at for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert met >= COUNTERS


def test_each_turn_along_a_list_is_about_its_own_task():
    loops = {name: _loops(_parsed(method)) for name, method in _methods().items() if method is not tables.receive}
    assert {name for name, found in loops.items() if found} == {*ALONG, *TURNS}
    for name, count in ALONG.items():
        assert [_beyond_its_own(loop) for loop in loops[name]] == [[]] * count
    for name, turn in TURNS.items():
        assert ["\n".join(map(ast.unparse, loop.body)) for loop in loops[name]] == [turn]
    assert not any(_loops(tree) for tree in _written_out())


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (plants._any_child_will_do, []),
        (plants._released_twice, ["waiting[:1]"]),
        (plants._one_parent, ["parents[:1]", "parent.bereft = parent.bereft or (None if"]),
        (test_every_step._forgets_the_second, ["waiting[:1]"]),
    ],
    ids=lambda value: value.__name__ if callable(value) else None,
)
def test_a_kernel_that_treats_many_otherwise_is_noticed(plant, said):
    tree = _parsed(plant)
    found = [*_asked_otherwise(tree), *(each for loop in _loops(tree) for each in _beyond_its_own(loop))]
    assert found
    assert all(any(each.startswith(one) for each in found) for one in said), found
