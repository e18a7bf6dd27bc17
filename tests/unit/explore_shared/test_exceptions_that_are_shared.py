"""C's methods of an exception that change it: no step tells of them, so nothing is proved where others may look."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

import hocket


def looked_at_while(change: Callable[[ValueError], object]) -> tuple[object, ...]:
    error, seen = ValueError(1), []
    thread = threading.Thread(target=lambda: change(error))
    thread.start()
    seen.append(error.args)
    thread.join()
    return seen[0]


@pytest.mark.parametrize(("name", "change"), [
    ("BaseException.__setstate__", lambda error: error.__setstate__({"code": 2})),
    ("BaseException.with_traceback", lambda error: error.with_traceback(None)),
    ("ValueError.__init__", lambda error: error.__init__(2)),
], ids=lambda value: value if isinstance(value, str) else "")
def test_an_exception_that_c_changes_is_reported(name: str, change: Callable[[ValueError], object]) -> None:
    result = hocket.explore(lambda: looked_at_while(change))
    assert result.verdict == "incomplete"
    assert name.rpartition(".")[2] in result.reason


def test_an_exception_of_ones_own_may_be_made_as_ever() -> None:
    class Late(ValueError):
        def __init__(self, by: int) -> None:
            super().__init__(by)

    def body() -> int:
        made: list[Late] = []
        threads = [threading.Thread(target=lambda: made.append(Late(1).with_traceback(None))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(error.args[0] for error in made)

    assert dict(hocket.explore(body).outcomes) == {2: 2}
