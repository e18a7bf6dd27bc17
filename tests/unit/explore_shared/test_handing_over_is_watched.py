"""Code that is not tracked is seen however tracked code comes to call it.

Until 3.11 the watch over the program's code is turned off while a probe makes up its mind what a
call is for (`Calling._handed_over`), and on again before anybody else's code runs. Here foreign code changes a global
of its own module, unseen by any probe, on the ways on which a probe can call it.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import threading

import pytest

import hocket

FOREIGN = """
import json

last = None


def note(value):
    global last
    last = value
    return value


class Notes:
    def take(self, value):
        note(value)

    def __call__(self, value):
        note(value)


class Noted:
    def __init__(self, value):
        note(value)
"""


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    file = tmp_path_factory.mktemp("foreign") / "some_foreign_notes.py"
    file.write_text(FOREIGN)
    spec = importlib.util.spec_from_file_location("some_foreign_notes", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["some_foreign_notes"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["some_foreign_notes"]


def assert_seen(result):
    """Whoever is seen to write what is shared is tracked as well, and the exploration begins again."""
    assert any(note.endswith("because shared data is in its hands: some_foreign_notes") for note in result.notes)


WAYS = {
    "a function": lambda foreign: foreign.note(1),
    "a method": lambda foreign: foreign.Notes().take(1),
    "an object that can be called": lambda foreign: foreign.Notes()(1),
    "a class": lambda foreign: foreign.Noted(1),
    "a partial": lambda foreign: functools.partial(foreign.note, 1)(),
    "a function of C that is lazy": lambda foreign: list(map(foreign.note, (1,))),
    "a function of C that looks": lambda foreign: sorted((2, 1), key=foreign.note),
    "a method of C that looks": lambda foreign: "-".join(map(str, [foreign.note(1)])),
    "after something harmless": lambda foreign: (isinstance(1, int), foreign.note(len("a"))),
    "after a silent method": lambda foreign: (threading.current_thread().is_alive, foreign.note(1)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_foreign_code_that_a_probe_calls_is_seen(way, foreign):
    def body():
        threads = [threading.Thread(target=lambda: way(foreign)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert_seen(hocket.explore(body))


def test_foreign_code_that_a_predicate_calls_is_refused(foreign):
    def body():
        value = hocket.Atomic(0)
        threads = [threading.Thread(target=lambda: value.wait_until(lambda seen: foreign.note(seen) == seen))
                   for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = hocket.explore(body)
    assert (result.verdict, result.executions) == ("failed", 1)
    assert "'predicate' was asked but it is using something shared" in result.reason
