"""Weak containers are written in Python: what touches their one dict or set once is a step, all else is several."""

from __future__ import annotations

import threading
import weakref
from contextlib import nullcontext

import pytest

import hocket


class Kept:
    pass


def both(act):
    """Two threads `act`, each with an object of its own, which are given back: they outlive the threads."""
    kept = [Kept(), Kept()]
    threads = [threading.Thread(target=act, args=(each,)) for each in kept]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return kept


def one_for_all(guard):
    def body():
        registry, lock, got = weakref.WeakValueDictionary(), guard(), []

        def ask(mine):
            with lock:
                got.append(registry.setdefault("key", mine))

        kept = both(ask)
        assert got[0] is got[1] in kept

    return body


def test_setdefault_of_a_weak_dictionary_looks_and_then_writes():
    result = hocket.explore(one_for_all(nullcontext))
    assert (result.verdict, result.failure.kind) == ("failed", "assertion")


def test_under_a_lock_it_gives_both_the_same_object():
    result = hocket.explore(one_for_all(threading.Lock))
    assert (result.verdict, result.classes) == ("proved", 2)


def by_name(seen, mine):
    seen.add(mine)


def by_a_method_that_was_fetched(seen, mine):
    add = seen.add
    add(mine)


def by_a_function_of_the_class(seen, mine):
    weakref.WeakSet.add(seen, mine)


def by_several_steps(seen, mine):
    seen.update([mine])


@pytest.mark.parametrize("add", [by_name, by_a_method_that_was_fetched, by_several_steps])
def test_no_element_of_a_weak_set_is_lost(add):
    def body():
        seen = weakref.WeakSet()
        kept = both(lambda mine: add(seen, mine))
        assert len(seen) == len(kept)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2)


def test_a_function_of_the_class_is_foreign_code():
    def body():
        seen = weakref.WeakSet()
        kept = both(lambda mine: by_a_function_of_the_class(seen, mine))
        assert len(seen) == len(kept)

    result = hocket.explore(body)
    assert (result.verdict, "WeakSet.add is given seen" in result.reason) == ("incomplete", True)


@pytest.mark.parametrize("add", [by_name, by_a_method_that_was_fetched, by_several_steps])
def test_who_looks_before_the_other_adds_sees_nothing(add):
    def body():
        seen, found = weakref.WeakSet(), []

        def act(mine):
            found.append(len(seen))
            add(seen, mine)

        kept = both(act)
        assert sorted(found) == [0, 1], kept

    assert hocket.explore(body).failure.kind == "assertion"
