"""Methods of the built-in classes themselves read what they are given: `dict.fromkeys(names)`."""

from __future__ import annotations

import threading
from collections import OrderedDict

import pytest

import hocket

ASKED = {
    "str.maketrans": (lambda: {0: "a"}, lambda some: str.maketrans(some) == {}),
    "''.maketrans": (lambda: {0: "a"}, lambda some: "".maketrans(some) == {}),
    "dict.fromkeys": (lambda: [1], lambda some: dict.fromkeys(some) == {}),
    "OrderedDict.fromkeys": (lambda: [1], lambda some: OrderedDict.fromkeys(some) == {}),
    "int.from_bytes": (lambda: bytearray(b"a"), lambda some: int.from_bytes(some, "big") == 0),
}


@pytest.mark.parametrize("what", ASKED)
def test_it_is_asked_before_or_after_another_thread_has_emptied_it(what):
    make, ask = ASKED[what]

    def body():
        some, found = make(), []
        works = (lambda: found.append(ask(some))), (lambda: some.clear())
        threads = [threading.Thread(target=work) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found[0]

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {True: 1, False: 1})
