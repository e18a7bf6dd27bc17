"""What a shown interleaving says was read and written; and that nobody is asked, kept or led astray for it."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
import weakref
from collections import deque

import pytest

import hocket
from hocket.explore.dpor import Optimal
from hocket.explore.failing.failures import digest
from hocket.explore.shared.tracker import Visible, new_session
from hocket.explore.threads.runner import Runner


def both(*tasks):
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def told(body, **options):
    """Of each step what is said of it, for those that have a value."""
    rows = hocket.explore(body, **options).failure.rows
    return [row.told for row in rows if row.value or row.sign]


class Holder:
    __slots__ = ("__dict__", "slot")
    shared = 7

    def __init__(self):
        self.slot = 0
        self.own = 0


BOARD = {"n": 0}
NUMBER = 5


def attributes():
    holder = Holder()

    def write():
        holder.slot = 1
        holder.own = [1]
        Holder.shared = 8

    both(lambda: (holder.slot, holder.own, holder.shared), write)
    Holder.shared = 7
    raise ValueError


def containers():
    items, table, seen, line = [1, 2], {"a": 1}, {"x"}, deque([1])

    def write():
        items.append(3)
        items[0] = 9
        table["b"] = 2
        del table["a"]
        seen.discard("x")
        line.appendleft(0)

    both(lambda: (len(items), "a" in table, table.get("b"), "x" in seen, list(line)), write)
    raise ValueError


def variables():
    count = 0

    def write():
        nonlocal count
        global NUMBER
        count = 1
        NUMBER = 6

    both(lambda: (count, NUMBER), write)
    raise ValueError


_HERE = "test_values_that_are_shown"


@pytest.mark.parametrize(("body", "wanted"), [
    (attributes, ["writes holder.slot = 1", "writes holder.own = [1]", "writes Holder.shared = 8",
                  "reads holder.slot → 1", "reads holder.own → [1]", "reads holder.shared → 8"]),
    (containers, ["writes items = [1, 2, 3]", "writes items[0] = 9", "writes table['b'] = 2",
                  "removes table['a'] was 1", "removes seen['x'] was present", "writes line = [0, 1]",
                  "reads items → [9, 2, 3]", "reads table['a'] → absent", "reads table['b'] → 2",
                  "reads seen['x'] → absent", "reads line → [0, 1]"]),
    (variables, ["writes variable count = 1", f"writes {_HERE}.NUMBER = 6", "reads variable count → 1",
                 f"reads {_HERE}.NUMBER → 6"]),
])
def test_each_access_says_what_it_read_or_wrote(body, wanted):
    """The smallest failing interleaving is t2, who writes, to its end, and then t1: each value can be said by hand."""
    assert told(body) == wanted


def test_what_was_there_before_is_kept_beside_what_was_written():
    rows = {row.told: row.before for row in hocket.explore(attributes).failure.rows}
    assert (rows["writes holder.slot = 1"], rows["writes Holder.shared = 8"]) == ("0", "7")


def test_a_stretch_of_model_gil_says_what_it_leaves_behind():
    def body():
        box = Holder()

        def one():
            return 1

        def add():
            old = box.own
            box.own = old + one()

        both(add, add)
        assert box.own == 2

    assert told(body, model="gil") == [
        "reads box.own → 0", "reads box.own → 0", "writes box.own = 1", "writes box.own = 1"]


def test_calls_of_the_standard_library_are_told_with_what_went_through_them():
    def body():
        line, flag, got = queue.Queue(), threading.Event(), []
        both(lambda: line.put("tea"), lambda: got.append(flag.is_set()))
        flag.set()
        got.append(line.get())
        assert got == []

    rows = hocket.explore(body).failure.rows
    assert [row.told for row in rows if row.actor != "main"] == [
        "flag.is_set → False", "writes got = [False]", "line.acquire in put('tea')", "line.release in put('tea')"]
    assert {"flag.release in set()", "line.release in get() → 'tea'"} <= {row.told for row in rows}


def test_simple_queues_atomics_and_locks_say_what_they_gave():
    def body():
        line, cell, lock = queue.SimpleQueue(), hocket.Atomic([0]), threading.Lock()

        def first():
            line.put({"a": 1})
            cell.swap([1])

        def second():
            line.get()
            cell.load()
            lock.acquire(blocking=False)
            lock.acquire(blocking=False)
            raise ValueError

        both(first, second)

    rows = hocket.explore(body).failure.rows
    said = {row.told for row in rows}
    assert {"line.put({'a': 1})", "line.get → {'a': 1}", "lock.try → True", "lock.try → False"} <= said
    assert [(row.value, row.before) for row in rows if row.text.startswith("cell.swap")] in ([], [("[0]", "[0]")])


def test_where_a_key_has_no_name_the_whole_is_told():
    def body():
        seen = set()
        both(lambda: seen.add(frozenset({1})), lambda: seen.add(frozenset({2})))
        raise ValueError

    told = [row.told for row in hocket.explore(body).failure.rows if "seen" in row.text]
    assert told[1] == "writes seen = {frozenset({1}), frozenset({2})}"
    assert told[0] in ("writes seen = {frozenset({1})}", "writes seen = {frozenset({2})}")


def test_a_race_that_is_only_watched_for_shows_both_accesses():
    def body():
        box = {"n": 0}
        both(lambda: box.update(n=1), lambda: box["n"])

    failure = hocket.explore(body, data="race-check").failure
    assert failure.kind == "race"
    assert sorted((row.actor, row.told) for row in failure.rows if row.sign)[0][0] == "t1"
    assert len([row for row in failure.rows if row.sign]) == 2


def test_tasks_say_what_they_end_with_and_what_they_have_got():
    async def body():
        async def five():
            await asyncio.sleep(0)
            return 5

        task = asyncio.create_task(five())
        assert await task == 6

    rows = hocket.explore(body).failure.rows
    assert [row.text for row in rows if "five" in row.actor][-1] == "ends → 5"
    assert any(row.text.startswith("got 5, ends with AssertionError") for row in rows)


def test_what_tasks_do_to_data_that_they_share_is_told():
    async def body():
        BOARD["n"] = 0

        async def add():
            old = BOARD["n"]
            await asyncio.sleep(0)
            BOARD["n"] = old + 1

        await asyncio.gather(add(), add())
        assert BOARD["n"] == 2

    failure = hocket.explore(body).failure
    assert failure.mattered.endswith(": an update is lost")
    assert [row.told for row in failure.rows if row.sign and row.actor.startswith("add")] == [
        "reads BOARD['n'] → 0", "reads BOARD['n'] → 0", "writes BOARD['n'] = 1", "writes BOARD['n'] = 1"]


# -- nobody is asked, nothing is kept ---------------------------------------------------------------------------------


class Hostile:
    """Counts how often it is asked for anything."""

    asked = 0

    def __repr__(self):
        Hostile.asked += 1
        return "hostile"

    __str__ = __format__ = __len__ = __bool__ = __hash__ = __repr__

    def __getattr__(self, name):
        Hostile.asked += 1
        raise AttributeError(name)

    def __eq__(self, other):
        Hostile.asked += 1
        return False


def test_no_code_of_the_program_runs_for_a_report():
    kept = []

    def body():
        box = {"x": Hostile()}
        kept.append(weakref.ref(box["x"]))

        def swap():
            box["x"] = Hostile()

        both(swap, swap)
        raise ValueError

    failure = hocket.explore(body).failure
    assert "writes box['x'] = <Hostile box['x']>" in {row.told for row in failure.rows} or any(
        "<Hostile" in row.told for row in failure.rows)
    str(failure)
    assert Hostile.asked == 0
    gc.collect()
    assert [ref() for ref in kept] == [None] * len(kept)


def test_telling_changes_nothing_about_an_execution():
    """The same steps, digests and places with values noted and without, whatever the schedule."""
    def body():
        box, items = Holder(), [1]

        def work():
            box.own = len(items)
            items.append(box.own)

        both(work, work)

    found = []
    for telling in (False, True):
        session = new_session(body, 1000, Visible(data="track"), telling=telling)
        runs = []

        def judge(control, runs=runs):
            runs.append((str(control.execution.schedule()), digest(control), list(control.session.cast.objects),
                         [event[:2] for event in control.execution.events]))
            return True

        Runner(body, session).run(Optimal(), judge, places=telling)
        found.append(runs)
    assert len(found[0]) > 4
    assert found[0] == found[1]
