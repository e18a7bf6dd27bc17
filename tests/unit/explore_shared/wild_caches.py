"""Programs with a race of the kind that is found in the wild, in caches, registries and classes that make themselves.

Each is a function of `fixed`: False is the mistake as people make it, True its repair. None knows of an explorer.
"""

from __future__ import annotations

import bisect
import collections
import functools
import heapq
import importlib
import itertools
import sys
import threading
import types
import weakref
from collections.abc import Callable
from contextlib import nullcontext, suppress
from typing import Any

DOOR = threading.Lock()
AGAIN = threading.RLock()  # the one of C, made at import
SETTINGS: dict[str, Any] = {}
INSTANCES: dict[type, Any] = {}
COUNT = 0
CONNECTION: Any = None


def together(*tasks: Callable[[], Any]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def door(fixed: bool) -> Any:
    return DOOR if fixed else nullcontext()


class Counted:
    made = 0

    def __init__(self, name: str = "") -> None:
        self.name = name


# -- made once, lazily ------------------------------------------------------------------------------------------------


def double_checked_locking_without_the_second_check(fixed: bool) -> None:
    """Everybody waits for the lock, and then makes one all the same."""
    global CONNECTION
    CONNECTION, made = None, []

    def connection() -> Any:
        global CONNECTION
        if CONNECTION is None:
            with DOOR:
                if not fixed or CONNECTION is None:
                    made.append(1)
                    CONNECTION = Counted()
        return CONNECTION

    together(connection, connection)
    assert len(made) == 1


def published_before_it_is_ready(fixed: bool) -> None:
    """The lock is there, but a reader who does not take it sees half an object."""
    holder, seen = types.SimpleNamespace(it=None), []

    class Client:
        def __init__(self) -> None:
            if not fixed:
                holder.it = self
            self.ready = False
            self.ready = True
            holder.it = self

    def use() -> None:
        client = holder.it
        if client is not None:
            seen.append(getattr(client, "ready", False))

    together(Client, use)
    assert all(seen)


class Once(type):
    """A metaclass that keeps one instance of each class."""

    def __call__(cls, fixed: bool) -> Any:
        with AGAIN if fixed else nullcontext():
            if cls not in INSTANCES:
                INSTANCES[cls] = super().__call__(fixed)
            return INSTANCES[cls]


class Registry(metaclass=Once):
    def __init__(self, fixed: bool) -> None:
        self.fixed = fixed


def a_metaclass_that_makes_singletons(fixed: bool) -> None:
    INSTANCES.clear()
    got: list[Any] = []
    together(lambda: got.append(Registry(fixed)), lambda: got.append(Registry(fixed)))
    assert got[0] is got[1]


def new_that_keeps_the_only_instance(fixed: bool) -> None:
    class Only:
        instance: Any = None

        def __new__(cls) -> Any:
            with door(fixed):
                if cls.instance is None:
                    cls.instance = super().__new__(cls)
                return cls.instance

    got: list[Any] = []
    together(lambda: got.append(Only()), lambda: got.append(Only()))
    assert got[0] is got[1]


def a_cached_property_thrown_away_meanwhile(fixed: bool) -> None:
    class Report:
        @functools.cached_property
        def total(self) -> object:
            return object()

    report, same = Report(), []

    def ask() -> None:
        with door(fixed):
            same.append(report.total is report.total)

    def forget() -> None:
        with door(fixed):
            vars(report).pop("total", None)

    together(ask, forget)
    assert same == [True]


def a_property_cached_by_hand(fixed: bool) -> None:
    class Report:
        @property
        def total(self) -> object:
            with door(fixed):
                if "_total" not in vars(self):
                    self._total = object()
                return self._total

    report, got = Report(), []
    together(lambda: got.append(report.total), lambda: got.append(report.total))
    assert got[0] is got[1]


def a_descriptor_that_caches_by_hand(fixed: bool) -> None:
    class Lazy:
        def __init__(self, make: Callable[[Any], Any]) -> None:
            self.make = make

        def __set_name__(self, owner: type, name: str) -> None:
            self.name = f"_{name}"

        def __get__(self, o: Any, kind: Any = None) -> Any:
            with door(fixed):
                if not hasattr(o, self.name):
                    setattr(o, self.name, self.make(o))
                return getattr(o, self.name)

    class Page:
        body = Lazy(lambda page: object())

    page, got = Page(), []
    together(lambda: got.append(page.body), lambda: got.append(page.body))
    assert got[0] is got[1]


def an_lru_cache_is_no_once(fixed: bool) -> None:
    """Two threads that miss at once both call: `lru_cache` promises no more."""
    calls = []

    @functools.cache
    def load(name: str) -> object:
        calls.append(name)
        return object()

    got: list[object] = []

    def ask() -> None:
        with door(fixed):
            got.append(load("a"))

    together(ask, ask)
    assert got[0] is got[1]


def a_cache_of_one_entry_cleared_meanwhile(fixed: bool) -> None:
    @functools.lru_cache(maxsize=1)
    def config() -> dict[str, int]:
        return {"a": 1}

    got = []

    def reader() -> None:
        with door(fixed):
            first, second = config(), config()
            got.append(first is second)

    def reloader() -> None:
        with door(fixed):
            config.cache_clear()

    together(reader, reloader)
    assert got == [True]


def a_memo_in_a_module_dict(fixed: bool) -> None:
    SETTINGS.clear()
    got: list[Any] = []

    def compiled() -> None:
        if fixed:
            got.append(SETTINGS.setdefault("pattern", object()))
            return
        if "pattern" not in SETTINGS:
            SETTINGS["pattern"] = object()
        got.append(SETTINGS["pattern"])

    together(compiled, compiled)
    assert got[0] is got[1]


def looked_at_then_taken(fixed: bool) -> None:
    """`x in d`, then `d[x]`, while somebody else takes x away."""
    sessions, wrong = {"a": 1}, []

    def use() -> None:
        try:
            if fixed:
                sessions.get("a")
            elif "a" in sessions:
                sessions["a"]
        except KeyError as error:
            wrong.append(error)

    together(use, lambda: sessions.pop("a"))
    assert not wrong


def setdefault_then_changed(fixed: bool) -> None:
    """`d.setdefault(k, 0)` is atomic, `d[k] += 1` after it is not."""
    hits: dict[str, int] = {}

    def hit() -> None:
        with door(fixed):
            hits.setdefault("/", 0)
            hits["/"] += 1

    together(hit, hit)
    assert hits == {"/": 2}


# -- classes that register and count -----------------------------------------------------------------------------------


def subclasses_counted_as_they_are_made(fixed: bool) -> None:
    class Plugin:
        known = 0

        def __init_subclass__(cls) -> None:
            with door(fixed):
                Plugin.known += 1

    together(lambda: type("A", (Plugin,), {}), lambda: type("B", (Plugin,), {}))
    assert Plugin.known == 2


def subclasses_numbered_by_a_class_statement(fixed: bool) -> None:
    numbers: list[int] = []

    class Plugin:
        def __init_subclass__(cls) -> None:
            with door(fixed):
                cls.number = len(numbers)
                numbers.append(cls.number)

    def one() -> None:
        class One(Plugin):
            pass

    def other() -> None:
        class Other(Plugin):
            pass

    together(one, other)
    assert numbers == [0, 1]


def fields_numbered_in_set_name(fixed: bool) -> None:
    class Field:
        count = 0

        def __set_name__(self, owner: type, name: str) -> None:
            with door(fixed):
                self.number = Field.count
                Field.count = self.number + 1

    def declare() -> None:
        class Table:
            column = Field()

    together(declare, declare)
    assert Field.count == 2


def instances_counted_on_the_class(fixed: bool) -> None:
    Counted.made = 0

    def make() -> None:
        with door(fixed):
            Counted.made += 1

    together(make, make)
    assert Counted.made == 2


def a_class_attribute_behind_self(fixed: bool) -> None:
    """`self.total += 1` reads the class's and writes the instance's; two on one instance lose one."""
    class Meter:
        total = 0

        def tick(self) -> None:
            with door(fixed):
                self.total += 1

    meter = Meter()
    together(meter.tick, meter.tick)
    assert meter.total == 2


def a_global_of_another_module(fixed: bool) -> None:
    other = sys.modules.setdefault("hocket_wild_other", types.ModuleType("hocket_wild_other"))
    other.hits = 0

    def hit() -> None:
        with door(fixed):
            other.hits += 1

    together(hit, hit)
    assert other.hits == 2


def a_global_statement(fixed: bool) -> None:
    global COUNT
    COUNT = 0

    def hit() -> None:
        global COUNT
        with door(fixed):
            COUNT += 1

    together(hit, hit)
    assert COUNT == 2


def ids_given_out_by_a_generator(fixed: bool) -> None:
    """A generator that two threads advance at once is "already executing"; a count is not."""
    def numbers() -> Any:
        number = 0
        while True:
            number += 1
            yield number

    source = itertools.count() if fixed else numbers()
    got: list[int] = []
    together(lambda: got.append(next(source)), lambda: got.append(next(source)))
    assert len(set(got)) == 2


def a_default_argument_that_is_kept(fixed: bool) -> None:
    def remember(item: int, kept: list[int] = []) -> int:  # noqa: B006  # the mistake itself
        with door(fixed):
            kept.append(item)
            return kept[-1]

    got: dict[int, int] = {}
    together(lambda: got.update({1: remember(1)}), lambda: got.update({2: remember(2)}))
    assert got == {1: 1, 2: 2}


def a_module_imported_and_set_up(fixed: bool) -> None:
    """Whoever finds a module in `sys.modules` may find it half set up."""
    name, seen = "hocket_wild_half", []
    sys.modules.pop(name, None)

    def load() -> None:
        with door(fixed):
            module = types.ModuleType(name)
            sys.modules[name] = module
            module.ready = True

    def use() -> None:
        with door(fixed):
            module = sys.modules.get(name)
            if module is not None:
                seen.append(getattr(module, "ready", False))

    together(load, use)
    sys.modules.pop(name, None)
    assert all(seen)


def a_lazy_import_by_getattr(fixed: bool) -> None:
    """A module's `__getattr__` that loads on first use, and counts on being asked once."""
    loaded: list[int] = []
    lazy = types.ModuleType("hocket_wild_lazy")

    def load(name: str) -> Any:
        with door(fixed):
            if name not in vars(lazy):
                loaded.append(1)
                setattr(lazy, name, importlib.import_module("json"))
            return vars(lazy)[name]

    lazy.__getattr__ = load  # type: ignore[method-assign]
    together(lambda: lazy.json, lambda: lazy.json)
    assert len(loaded) == 1


# -- weak references and finalisers -----------------------------------------------------------------------------------


def a_weak_cache_that_makes_two(fixed: bool) -> None:
    pool: Any = weakref.WeakValueDictionary()
    got: list[Any] = []

    def shared() -> None:
        with door(fixed):
            found = pool.get("a")
            if found is None:
                found = pool["a"] = Counted()
            got.append(found)

    together(shared, shared)
    assert got[0] is got[1]


def a_weak_reference_asked_twice(fixed: bool) -> None:
    """`ref()` is not None, and None when it is asked again; unless somebody keeps what it refers to."""
    holder, wrong = {"it": Counted("a")}, []
    kept = [holder["it"]] if fixed else []
    reference = weakref.ref(holder["it"])

    def use() -> None:
        if reference() is not None:
            try:
                assert reference().name  # type: ignore[union-attr]
            except AttributeError as error:
                wrong.append(error)

    together(use, holder.clear)
    assert not wrong
    assert len(kept) == fixed


def a_finaliser_that_counts(fixed: bool) -> None:
    alive = {"count": 2}

    class Handle:
        def __del__(self) -> None:
            with AGAIN if fixed else nullcontext():
                alive["count"] -= 1

    handles = {"a": Handle(), "b": Handle()}
    together(lambda: handles.pop("a"), lambda: handles.pop("b"))
    assert alive["count"] == 0


# -- containers -------------------------------------------------------------------------------------------------------


def an_index_taken_before_the_append(fixed: bool) -> None:
    rows: list[str] = []
    got: dict[str, int] = {}

    def add(name: str) -> None:
        with door(fixed):
            rows.append(name)
            got[name] = len(rows) - 1

    together(lambda: add("a"), lambda: add("b"))
    assert all(rows[number] == name for name, number in got.items())


def a_deque_looked_at_then_emptied(fixed: bool) -> None:
    work, wrong = collections.deque([1]), []

    def take() -> None:
        try:
            with door(fixed):
                if work:
                    work.popleft()
        except IndexError as error:
            wrong.append(error)

    together(take, take)
    assert not wrong


def an_lru_of_an_ordered_dict(fixed: bool) -> None:
    """Moved to the end, after somebody else threw it out."""
    cache = collections.OrderedDict(a=1)
    wrong: list[BaseException] = []

    def get() -> None:
        try:
            with door(fixed):
                if "a" in cache:
                    cache.move_to_end("a")
        except KeyError as error:
            wrong.append(error)

    def evict() -> None:
        with door(fixed):
            cache.popitem(last=False)

    together(get, evict)
    assert not wrong


def a_heap_pushed_by_hand(fixed: bool) -> None:
    """The next timer is looked at, then taken: somebody else's may be first by then."""
    heap = [5, 9]
    taken: list[bool] = []

    def take() -> None:
        with door(fixed):
            first = heap[0]
            taken.append(heapq.heappop(heap) == first)

    def push() -> None:
        with door(fixed):
            heapq.heappush(heap, 1)

    together(take, push)
    assert taken == [True]


def a_sorted_list_kept_by_bisect(fixed: bool) -> None:
    times = [2]

    def insert(time: int) -> None:
        with door(fixed):
            times.insert(bisect.bisect(times, time), time)

    together(lambda: insert(3), lambda: insert(1))
    assert times == sorted(times)


def insort_is_one_step(fixed: bool) -> None:
    """`insort` does both at once under the GIL; whoever looks first, does not."""
    times: list[int] = [5]

    def insert(time: int) -> None:
        with door(fixed):
            if time not in times:
                bisect.insort(times, time)

    together(lambda: insert(3), lambda: insert(3))
    assert times == [3, 5]


def iterated_while_it_grows(fixed: bool) -> None:
    listeners: dict[str, int] = {"a": 1}
    wrong: list[BaseException] = []

    def publish() -> None:
        try:
            for _ in list(listeners) if fixed else listeners:
                pass
        except RuntimeError as error:
            wrong.append(error)

    together(publish, lambda: listeners.update(b=2))
    assert not wrong


def removed_while_iterated(fixed: bool) -> None:
    """A list says nothing: it skips."""
    handlers, called = ["a", "b", "c"], []

    def emit() -> None:
        for handler in tuple(handlers) if fixed else handlers:
            called.append(handler)

    together(emit, lambda: handlers.remove("a"))
    assert called[-2:] == ["b", "c"]


def a_counter_of_collections(fixed: bool) -> None:
    words: collections.Counter[str] = collections.Counter()

    def count() -> None:
        with door(fixed):
            words["a"] += 1

    together(count, count)
    assert words["a"] == 2


def a_chain_map_updated(fixed: bool) -> None:
    chain: Any = collections.ChainMap({}, {"a": 1})

    def bump() -> None:
        with door(fixed):
            chain["a"] = chain["a"] + 1

    together(bump, bump)
    assert chain["a"] == 3


def a_set_as_a_lock(fixed: bool) -> None:
    """`if job not in running: running.add(job)` lets two in."""
    running: set[str] = set()
    started: list[str] = []

    def start() -> None:
        with door(fixed):
            if "job" not in running:
                running.add("job")
                started.append("job")

    together(start, start)
    assert started == ["job"]


def swapped_in_one_line(fixed: bool) -> None:
    pair = {"a": 1, "b": 2}

    def swap() -> None:
        with door(fixed):
            pair["a"], pair["b"] = pair["b"], pair["a"]

    together(swap, swap)
    assert sorted(pair.values()) == [1, 2]


def a_bytearray_as_a_buffer(fixed: bool) -> None:
    buffer, got = bytearray(b"ab"), []

    def read() -> None:
        with door(fixed):
            got.append(bytes(buffer[:1]))
            del buffer[:1]

    together(read, read)
    assert sorted(got) == [b"a", b"b"]


def an_ordinary_exception_leaves_it_half_done(fixed: bool) -> None:
    """Money is taken, then the deposit fails; meanwhile somebody adds up."""
    accounts, sums = {"a": 1, "b": 1}, []

    def transfer() -> None:
        with door(fixed), suppress(ValueError):
            accounts["a"] -= 1
            try:
                raise ValueError
            finally:
                accounts["a"] += 1

    def audit() -> None:
        with door(fixed):
            sums.append(accounts["a"] + accounts["b"])

    together(transfer, audit)
    assert sums == [2]


PROGRAMS: tuple[Callable[[bool], None], ...] = tuple(
    value for value in list(globals().values())
    if isinstance(value, types.FunctionType) and value.__annotations__.get("fixed") == "bool" and value is not door)
