"""Text that a program compiles, executes and evaluates while it runs is explored like the code around it."""

from __future__ import annotations

import ast
import threading
from collections.abc import Callable
from typing import Any

import pytest

import hocket


class Account:
    def __init__(self) -> None:
        self.value = 0


def _executed(account: Account) -> None:
    exec("account.value += 1", {"account": account})


def _executed_here(account: Account) -> None:
    exec("account.value += 1")


def _evaluated(account: Account) -> None:
    eval("setattr(account, 'value', account.value + 1)", {"account": account})


def _evaluated_here(account: Account) -> None:
    eval("setattr(account, 'value', account.value + 1)")


def _compiled(account: Account) -> None:
    exec(compile("account.value += 1", "<made>", "exec"), {"account": account})


def _compiled_here(account: Account) -> None:
    eval(compile("setattr(account, 'value', account.value + 1)", "<made>", "eval"))


def _from_a_tree(account: Account) -> None:
    tree = compile("account.value += 1", "<made>", "exec", ast.PyCF_ONLY_AST)
    exec(compile(tree, "<made>", "exec"), {"account": account})


def _a_function(account: Account) -> None:
    space: dict[str, Any] = {}
    exec(compile("def add(account):\n    account.value += 1", "<made>", "exec"), space)
    space["add"](account)


def _a_class(account: Account) -> None:
    exec("class Made:\n    account.value += 1", {"account": account})


WAYS = [_executed, _executed_here, _evaluated, _evaluated_here, _compiled, _compiled_here, _from_a_tree, _a_function,
        _a_class]


def _explored(add: Callable[[Account], None]) -> hocket.Result:
    def body() -> int:
        account = Account()
        threads = [threading.Thread(target=add, args=(account,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return account.value

    return hocket.explore(body)


@pytest.mark.parametrize("add", WAYS, ids=lambda way: way.__name__)
def test_an_update_in_text_can_be_lost_in_two_of_four_classes(add):
    result = _explored(add)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 4, {2: 2, 1: 2})


@pytest.mark.parametrize("add", WAYS, ids=lambda way: way.__name__)
def test_with_a_lock_it_is_not_lost(add):
    def body() -> int:
        account, lock = Account(), threading.Lock()

        def safely() -> None:
            with lock:
                add(account)

        threads = [threading.Thread(target=safely) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return account.value

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {2: 2})


def test_a_tree_that_is_changed_after_it_was_compiled_changes_nothing():
    def add(account: Account) -> None:
        tree = compile("account.value += 1", "<made>", "exec", ast.PyCF_ONLY_AST)
        code = compile(tree, "<made>", "exec")
        tree.body.clear()
        exec(code, {"account": account})

    assert _explored(add).outcomes == {2: 2, 1: 2}


def test_code_that_was_compiled_before_is_said_to_run_unseen():
    early = compile("account.value += 1", "<early>", "exec")
    result = _explored(lambda account: exec(early, {"account": account}))
    assert result.verdict == "incomplete"
    assert result.reason.startswith("<early>:1 'value' may be changed in place by += and not tracked")
