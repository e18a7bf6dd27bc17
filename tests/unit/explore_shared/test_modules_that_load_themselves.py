"""A module that does something when it is asked for anything is asked by the program, and by nobody else."""

import sys
import threading
import types

import hocket

LOADS = []


class Lazy(types.ModuleType):
    """As `importlib.util.LazyLoader` makes them: the first who asks for anything, loads."""

    def __getattribute__(self, name):
        self.__class__ = types.ModuleType
        LOADS.append(name)
        self.value = 1
        return object.__getattribute__(self, name)


def both(first, second):
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def count():
    both(*[lambda: None] * 2)


def test_an_exploration_loads_no_module_that_nobody_asks_for(monkeypatch):
    LOADS.clear()
    monkeypatch.setitem(sys.modules, "hocket_lazy_example", Lazy("hocket_lazy_example"))
    result = hocket.explore(count)
    assert (result.verdict, result.classes, LOADS) == ("proved", 1, [])


def of_a_lazy_module():
    module = Lazy("hocket_lazy_example")
    both(lambda: module.value, lambda: module.value)


def test_who_asks_while_another_loads_misses_what_is_not_there_yet():
    failure = hocket.explore(of_a_lazy_module).failure
    assert (failure.kind, failure.preemptions) == ("exception", 1)
    assert "has no attribute 'value'" in failure.message


SEEN = 0


def read():
    return SEEN


def write_several():
    globals().update({"SEEN": 1})


def test_globals_that_are_updated_by_a_dictionary_are_written():
    result = hocket.explore(lambda: both(read, write_several))
    assert (result.verdict, result.classes) == ("incomplete", 1)
    assert any("globals of" in line for line in result.untracked)
