"""What one execution leaves in a module, a class or a closure does not hide a race from the next.

None of these programs clears what it fills, as a test of a registry would not. If every execution goes on from where
the last one ended, only the first has the race, and the others, in which nothing is left to be made, are "proved".
"""

import abc
import collections
import dataclasses
import gc
import itertools
import sys
import threading
import weakref

import pytest

import hocket
from tests.together import together

MADE = None
TABLE = {}
COUNT = 0
NAMES = set()
ROW = []
WEAKLY = weakref.WeakValueDictionary()
ORDER = collections.OrderedDict()


class Thing:
    """Something that should be made once."""


class Slotted:
    __slots__ = ("made",)

    def get(self):
        try:
            return self.made
        except AttributeError:
            self.made = Thing()
            return self.made


class Holder:
    def __init__(self):
        self.made = None

    def get(self):
        if self.made is None:
            self.made = Thing()
        return self.made


class Once(type):
    instances = {}

    def __call__(cls):
        if cls not in Once.instances:
            Once.instances[cls] = super().__call__()
        return Once.instances[cls]


class Single(metaclass=Once):
    pass


class Own:
    instance = None

    def __new__(cls):
        if cls.instance is None:
            cls.instance = super().__new__(cls)
        return cls.instance


HOLDER, SLOTTED = Holder(), Slotted()


def remembered(make):
    cache = {}

    def get():
        if "made" not in cache:
            cache["made"] = make()
        return cache["made"]

    return get


CLOSED = remembered(Thing)


def of_a_global():
    global MADE
    if MADE is None:
        MADE = Thing()
    return MADE


def of_a_dict():
    if 1 not in TABLE:
        TABLE[1] = Thing()
    return TABLE[1]


def of_an_ordered_dict():
    if 1 not in ORDER:
        ORDER[1] = Thing()
    return ORDER[1]


def of_a_list():
    if len(ROW) == 0:
        ROW.append(Thing())
    return ROW[-1]


def of_a_weak_dict():
    found = WEAKLY.get(1)
    if found is None:
        found = WEAKLY[1] = Thing()
    return found


GETTERS = [of_a_global, of_a_dict, of_an_ordered_dict, of_a_list, of_a_weak_dict, HOLDER.get, SLOTTED.get, CLOSED,
           Single, Own]


def both_get(get):
    def body():
        got = []
        together(lambda: got.append(get()), lambda: got.append(get()))
        assert got[0] is got[1]

    return body


@pytest.mark.parametrize("get", GETTERS, ids=lambda get: getattr(get, "__qualname__", "") or get.__name__)
def test_what_is_made_twice_is_found_wherever_the_first_one_is_kept(get):
    result = hocket.explore(both_get(get))
    assert (result.verdict, result.failure.kind) == ("failed", "assertion"), result
    assert result.failure.replayed
    if get is not of_a_weak_dict:  # which lets go of it by itself
        assert any("put back before each of them" in note for note in result.notes)


def test_what_was_there_is_there_again_after_such_an_exploration():
    """Also what a class has, and what was never set."""
    hocket.explore(both_get(of_a_dict))
    hocket.explore(both_get(SLOTTED.get))
    hocket.explore(both_get(Own))
    assert not TABLE
    assert not hasattr(SLOTTED, "made")
    assert Own.instance is None


def test_nothing_is_called_proved_that_only_the_first_execution_could_refute():
    """Whoever comes second finds it done, in this execution and in all that follow: no step of a prefix differs."""
    result = hocket.explore(_made_once)
    assert result.verdict == "failed", result


def _made_once():
    made = hocket.Atomic(0)

    def go():
        if "done" not in NAMES:
            NAMES.add("done")
            made.add(1)

    together(go, go)
    assert made.load() <= 1


def test_a_counter_that_is_never_reset_has_the_classes_of_one_that_is():
    """4 classes for two increments without a lock; the outcome counts from what was there before."""
    def counted(reset):
        def body():
            global COUNT
            if reset:
                COUNT = 0
            together(_increment, _increment)
            return COUNT

        return body

    never, always = hocket.explore(counted(reset=False)), hocket.explore(counted(reset=True))
    assert (never.verdict, never.classes, never.outcomes) == (always.verdict, always.classes, always.outcomes)
    assert (never.classes, never.outcomes) == (4, {2: 2, 1: 2})


def _increment():
    global COUNT
    COUNT += 1


def test_outcomes_that_are_collected_around_all_executions_are_kept():
    """Nobody reads them within: so nothing leads anybody, and nothing is put back."""
    seen = []

    def body():
        together(lambda: seen.append("a"), lambda: seen.append("b"))

    result = hocket.explore(body)
    assert (result.verdict, result.classes, len(seen)) == ("proved", 2, 4)


def test_a_failure_in_the_first_execution_is_replayed_from_where_it_began():
    """By then the flag is set: replayed from there, the same schedule would be refused."""
    global MADE
    MADE = None
    result = hocket.explore(_flagged)
    assert (result.failure.kind, result.failure.replayed, MADE) == ("assertion", True, None)


def _flagged():
    seen = []

    def first():
        global MADE
        if MADE is None:
            MADE = True
            seen.append(1)

    def second():
        if MADE is None:
            seen.append(2)

    together(first, second)
    assert seen == []


def test_what_cannot_be_put_back_is_not_proved():
    """A property that counts on its own, out of sight of all that could be put back."""
    result = hocket.explore(_fed_by_an_iterator)
    assert result.verdict in ("failed", "incomplete")
    assert "differ" in result.reason or "not deterministic" in result.reason or "be put back" in result.reason


def _numbers():
    yield from range(10**6)


SOURCE = _numbers()


def _fed_by_an_iterator():
    global COUNT
    COUNT = next(SOURCE)
    got = []
    together(lambda: got.append(COUNT), _increment)


def test_an_iterator_that_was_there_before_stays_where_it_stands():
    """It cannot be put back, so a copy goes on in its place, in each execution from the same place."""
    result = hocket.explore(_numbered)
    assert (result.verdict, result.classes, result.outcomes) == ("proved", 2, {(0, "a"): 1, (1, "a"): 1})
    assert (next(NUMBERS), next(LETTERS)) == (0, (5, "a"))


NUMBERS = itertools.count()
LETTERS = enumerate(["a", "b"], 5)


def _numbered():
    got = []
    together(lambda: got.append(next(NUMBERS)), lambda: next(NUMBERS))
    return got[0], next(LETTERS)[1]


class Grudging(collections.OrderedDict):
    """Its own methods do more than a dict's, and call each other."""

    def __init__(self):
        super().__init__()
        self.lock = threading.RLock()

    def __contains__(self, key):
        with self.lock:
            return collections.OrderedDict.__contains__(self, key) and self[key] is not None

    def __setitem__(self, key, value):
        with self.lock:
            collections.OrderedDict.__setitem__(self, key, value)

    def items(self):
        return [(key, self[key]) for key in self]

    def values(self):
        return [value for _, value in self.items()]


def test_a_dict_with_methods_of_its_own_is_asked_by_the_program_only():
    """2 classes: who sets first. Asked by the explorer as well, its methods would call each other without end."""
    def body():
        held = Grudging()
        together(lambda: held.__setitem__("a", 1), lambda: held.__setitem__("b", 2))
        assert held.values() in ([1, 2], [2, 1])

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_a_table_that_is_emptied_as_a_whole_keeps_its_name_when_the_exploration_begins_again():
    """A key that appears after all keys were touched makes it begin again; the table had another number then."""
    def body():
        TABLE.clear()
        together(lambda: TABLE.setdefault("a", 1), lambda: (TABLE.clear(), TABLE.setdefault("b", 1)))

    result = hocket.explore(body, executions=50)
    assert (result.verdict, result.classes) == ("proved", 3), result  # set before, between or after


def in_the_closure_of_a_body(held, change, answer):
    """The body is made around something that was there before, and never binds its name anew."""
    def body():
        together(lambda: change(held), lambda: change(held))
        return answer(held)

    return body


@pytest.mark.parametrize(("held", "change", "answer", "outcomes"), [
    ([], lambda row: row.append(len(row)), tuple, {(0, 1): 2, (0, 0): 2}),
    ({}, lambda table: table.update(n=table.get("n", 0) + 1), lambda table: table["n"], {2: 2, 1: 2}),
    (Holder(), lambda holder: setattr(holder, "n", getattr(holder, "n", 0) + 1), lambda holder: holder.n, {2: 2, 1: 2}),
], ids=["a list", "a dict", "an object"])
def test_what_a_body_closes_over_is_shared_by_the_threads_that_it_starts(held, change, answer, outcomes):
    """Once it was not: a name that nobody rebinds is read without a probe, and what it is bound to was not known."""
    result = hocket.explore(in_the_closure_of_a_body(held, change, answer))
    assert (result.verdict, result.outcomes) == ("proved", outcomes), result


def test_who_is_alone_and_reads_what_threads_have_left_is_led_by_it():
    """From the second execution on, the row would be longer than what is asked for."""
    seen = []

    def body():
        together(lambda: seen.append("a"), lambda: seen.append("b"))
        assert seen != ["a", "b"]

    assert hocket.explore(body).verdict == "failed"


def test_nothing_is_kept_alive_by_what_was_kept():
    TABLE[2] = held = Thing()
    gone = weakref.ref(held)
    hocket.explore(both_get(of_a_dict))
    del held, TABLE[2]
    gc.collect()
    assert gone() is None


class Tally(abc.ABC):
    """Called, and made by a metaclass that adds nothing to that."""

    def __init__(self, row):
        self.row = row

    @abc.abstractmethod
    def __call__(self): ...


class Listed(Tally):
    def __call__(self):
        self.row.append(len(self.row))


def test_an_object_that_is_called_speaks_for_itself_also_if_its_class_is_abstract():
    def body():
        row = []
        together(lambda: Listed(row)(), Listed(row))
        return tuple(row)

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {(0, 1): 2, (0, 0): 2}), result


@dataclasses.dataclass
class Guarded:
    value: int = 0
    lock: object = dataclasses.field(default_factory=threading.Lock)

    def add(self):
        with self.lock:
            self.value += 1


LOCKS = collections.defaultdict(threading.Lock)


def by_default(make=threading.Lock):
    held = Guarded(lock=make())
    together(held.add, held.add)
    assert held.value == 2


def by_field():
    held = Guarded()
    together(held.add, held.add)
    assert held.value == 2


def by_key():
    """C makes what is missing in one go, so there is one lock for a key."""
    held = Guarded()

    def add():
        with LOCKS["key"]:
            held.value += 1

    together(add, add)
    assert held.value == 2


@pytest.mark.parametrize(("body", "classes"), [(by_default, 2), (by_field, 2), (by_key, 4)])
def test_a_factory_of_locks_that_was_kept_somewhere_makes_explored_ones(body, classes):
    """In a default, in the closure of a generated __init__, in a container: afterwards it makes real ones again."""
    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", classes), result
    assert LOCKS.default_factory is by_default.__defaults__[0] is threading.Lock
    assert type(Guarded().lock) is type(threading.Lock())


def test_a_module_of_two_names_is_tracked_under_one(monkeypatch):
    """As `__main__` is, once multiprocessing has been imported."""
    monkeypatch.setitem(sys.modules, "alias_of_this_module", sys.modules[__name__])
    assert hocket.explore(by_field, executions=20).verdict == "proved"
