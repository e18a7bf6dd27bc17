"""Living functions get rewritten code, whoever holds them, and their own back."""

from __future__ import annotations

import builtins
import functools
import gc
import importlib.util
import linecache
import os
import re
import sys
import textwrap
from types import FunctionType, ModuleType

import pytest

from hocket.explore.shared.functions import (
    CHANGED,
    NO_SOURCE,
    TOO_DEEP,
    Rewritten,
    is_rewritten,
    original,
    rewrite_source,
    rewritten,
)
from tests.unit.explore_shared.plain_probes import PlainProbes

PROGRAM = '''
import functools
from dataclasses import dataclass
count = 0
def up():
    global count
    count += 1
    return count
def wrap(f):
    @functools.wraps(f)
    def inner(*args): return f(*args)
    return inner
class Box:
    made = []
    def __init__(self, v): self.v = v
    def get(self): return self.v
    @property
    def p(self): return self.v
    @p.setter
    def p(self, v): self.v = v
    @staticmethod
    def s(o): return o.v
    @classmethod
    def c(cls): return cls.made
    @functools.cached_property
    def cached(self): return self.v
    @wrap
    def wrapped(self): return self.v
    class Inner:
        def get(self): return self.__class__
table = {'double': lambda o: o.v * 2}
later = functools.partial(lambda o: o.v, Box(5))
def closure(start):
    n = start
    def step(by=1):
        nonlocal n
        n += by
        return n
    return step
step = closure(10)
def make():
    return lambda o: o.v
def numbers(o):
    yield o.v
    yield o.v
@dataclass
class Point:
    x: int
    def norm(self): return self.x
made_by_exec = {}
exec("def f(o): return o.v", globals(), made_by_exec)
'''


LAZY = sys.version_info >= (3, 14)  # annotations are a function that Python asks for them


class Noting(PlainProbes):
    """Plain probes that note the attributes that are read."""

    def __init__(self):
        super().__init__()
        self.read = []

    def get(self, o, a, /):
        self.read.append(a)
        return super().get(o, a)


@pytest.fixture(autouse=True)
def no_probes_of_others(monkeypatch):
    """A generator of an earlier exploration that still waits keeps its probes."""
    monkeypatch.delattr(builtins, "__hocket__", raising=False)


@pytest.fixture
def load(tmp_path):
    """A module with a source, as if it had been imported."""
    loaded = []

    def load(source, name="a_program"):
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(source))
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loaded.append(name)
        spec.loader.exec_module(module)
        return module

    yield load
    for name in loaded:
        del sys.modules[name]


def _codes(module):
    found = [thing for thing in gc.get_objects() if type(thing) is FunctionType]
    return {id(each): each.__code__ for each in found if each.__globals__ is vars(module)}


def test_functions_are_exchanged_wherever_they_are_held_and_get_their_own_code_back(load):
    module = load(PROGRAM)
    box = module.Box(3)
    before = _codes(module)
    with rewritten([module], Noting()) as context:
        for deed, expected in [
            (box.get, 3), (lambda: box.p, 3), (lambda: module.Box.s(box), 3), (module.Box.c, []),
            (lambda: box.cached, 3), (box.wrapped, 3), (lambda: module.table["double"](box), 6), (module.later, 5),
            (module.Box.Inner().get, None),
            (lambda: module.make()(box), 3), (lambda: list(module.numbers(box)), [3, 3]), (module.Point(7).norm, 7),
        ]:
            context.probes.read.clear()
            result = deed()
            assert expected is None or result == expected
            assert context.probes.read, expected
        assert (module.up(), module.up(), module.step(), module.step(5)) == (1, 2, 11, 16)
        assert len(context.functions) == 21 + LAZY
        assert context.unstable == {"a_program": {"count"}}
        assert [refused.function.__name__ for refused in context.refused] == ["f"]
    assert _codes(module) == before
    assert all(_codes(module)[key] is code for key, code in before.items())
    assert (module.up(), module.step()) == (3, 17)
    assert not hasattr(builtins, "__hocket__")


def test_functions_made_during_an_exploration_are_rewritten_and_plain_after_it(load):
    module = load(PROGRAM)
    with rewritten([module], Noting()) as context:
        getter, step = module.make(), module.closure(1)
        assert is_rewritten(getter.__code__)
        assert is_rewritten(step.__code__)
        assert getter(module.Box(4)) == 4
        assert context.probes.read == ["v"]
    assert not is_rewritten(getter.__code__)
    assert "__hocket__" not in getter.__code__.co_names
    assert (getter(module.Box(4)), step(), step()) == (4, 2, 3)
    assert context.probes.read == ["v"]


def test_what_cannot_be_rewritten_is_named_with_its_reason(load):
    module = load(PROGRAM)
    path = module.__file__
    with rewritten([module], PlainProbes()) as context:
        assert [(str(refused), refused.reason) for refused in context.refused] == [
            ("a_program.f: " + NO_SOURCE, NO_SOURCE)]
        assert {(each.function.__name__, each.kind) for each in context.generated} == {("__init__", "dataclass")}
    with open(path, "w") as file:
        file.write("\n" + PROGRAM)
    with rewritten([module], PlainProbes()) as context:
        assert {each.__name__ for each in context.functions} == {"__eq__", "__repr__"}  # of a text that is made again
        assert {refused.reason for refused in context.refused} == {NO_SOURCE, CHANGED}
    with open(path, "w") as file:
        file.write("not python")
    with rewritten([module], PlainProbes()) as context:
        assert {refused.reason for refused in context.refused} == {NO_SOURCE, CHANGED}


def test_only_the_function_that_has_changed_is_refused(load):
    module = load("def one(o): return o.a\ndef two(o): return o.b\n")
    with open(module.__file__, "w") as file:
        file.write("def one(o): return o.a\ndef two(o): return o.c\n")
    with rewritten([module], PlainProbes()) as context:
        assert [function.__name__ for function in context.functions] == ["one"]
        assert [refused.function.__name__ for refused in context.refused] == ["two"]


def test_a_source_that_is_nested_too_deeply_is_refused_and_said_so(load):
    module = load("def f(o): return " + "+".join(["o.x"] * 600) + "\ndef g(): return f\n")
    with rewritten([module], PlainProbes()) as context:
        assert {refused.reason for refused in context.refused} == {TOO_DEEP}


def test_a_module_that_python_has_frozen_has_a_source_all_the_same():
    assert os.getcwd.__class__ is not FunctionType
    with rewritten([os], Noting()) as context:
        os.fsdecode(b"x")
        assert context.probes.read == []
        assert os.get_exec_path({"PATH": "a:b"}) == ["a", "b"]
    assert context.refused == []
    assert len(context.functions) > 30


def test_text_that_linecache_knows_is_a_source():
    text = "def f(o):\n    return o.v\n"
    filename = "<made by a library>"
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    module = ModuleType("of_a_library")
    exec(compile(text, filename, "exec"), vars(module))
    try:
        with rewritten([module], Noting()) as context:
            assert module.f(type("O", (), {"v": 1})) == 1
            assert context.probes.read == ["v"]
    finally:
        del linecache.cache[filename]


def _asserts(value):
    assert value.count(1) == 5, "counted"


def _message():
    with pytest.raises(AssertionError) as caught:
        _asserts([1, 2])
    return re.sub("0x[0-9a-f]+", "", str(caught.value)), caught.traceback[-1].lineno


def test_assertions_say_what_pytest_makes_them_say():
    module = sys.modules[__name__]
    plain = _message()
    assert "where" in plain[0]
    with rewritten([module], PlainProbes()) as context:
        assert is_rewritten(_asserts.__code__)
        changed = _message()
        refused = context.refused
    assert changed == plain
    assert refused == []


def test_nothing_stays_behind_when_the_exploration_is_interrupted(load):
    module = load(PROGRAM)
    with pytest.raises(KeyboardInterrupt), rewritten([module], PlainProbes()):
        raise KeyboardInterrupt
    assert not any(map(is_rewritten, _codes(module).values()))
    assert not hasattr(builtins, "__hocket__")


def test_nothing_stays_behind_when_the_beginning_is_interrupted(load, monkeypatch):
    module = load(PROGRAM)

    def interrupted(self, *args):
        if len(self.functions) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Rewritten, "_reach_probes", interrupted)
    with pytest.raises(KeyboardInterrupt), rewritten([module], PlainProbes()):
        pass
    assert not any(map(is_rewritten, _codes(module).values()))
    assert not hasattr(builtins, "__hocket__")


def test_nothing_stays_behind_when_the_end_is_interrupted(load, monkeypatch):
    module = load(PROGRAM)
    real = gc.get_objects

    def once():
        monkeypatch.setattr(gc, "get_objects", real)
        raise KeyboardInterrupt

    monkeypatch.setattr(linecache, "cache", {})  # no text is known that made functions: only the end lists everything
    monkeypatch.setattr(gc, "get_objects", once)
    with pytest.raises(KeyboardInterrupt), rewritten([module], PlainProbes()):
        getter = module.make()
    assert not is_rewritten(getter.__code__)
    assert not hasattr(builtins, "__hocket__")


def test_a_generator_that_outlives_the_exploration_keeps_its_probes_until_the_next_one_ends(load):
    module = load(PROGRAM)
    with rewritten([module], Noting()) as context:
        left = module.numbers(module.Box(8))
        assert next(left) == 8
    assert context.suspended == [left]
    assert next(left) == 8
    assert context.probes.read == ["v", "v"]
    left.close()
    with rewritten([module], Noting()) as context:
        pass
    assert context.suspended == []
    assert not hasattr(builtins, "__hocket__")


def test_functions_that_the_collector_was_told_to_forget_are_found(load):
    module = load(PROGRAM)
    gc.freeze()
    try:
        with rewritten([module], Noting()) as context:
            assert len(context.functions) == 21 + LAZY
            assert module.step() == 11
    finally:
        gc.unfreeze()
    assert not any(map(is_rewritten, _codes(module).values()))


def test_functions_with_builtins_of_their_own_find_the_probes(load):
    module = load("def f(o): return o.v\n")
    names = {"__builtins__": dict(vars(builtins)), "__name__": "restricted"}
    restricted = FunctionType(module.f.__code__, names)
    module.__dict__["g"] = restricted
    apart = ModuleType("restricted")
    apart.__dict__.update(names)
    own = FunctionType(module.f.__code__, vars(apart))
    with rewritten([module, apart], Noting()) as context:
        assert own(type("O", (), {"v": 2})) == 2
        assert context.probes.read == ["v"]
    assert "__hocket__" not in vars(apart)
    assert not is_rewritten(own.__code__)


def test_one_file_is_rewritten_once_and_the_second_time_is_a_look_up(load):
    module = load(PROGRAM)
    with rewritten([module], PlainProbes()):
        first = module.up.__code__
    with rewritten([module], PlainProbes()):
        assert module.up.__code__ is first


def test_code_knows_what_it_was(load):
    module = load(PROGRAM)
    plain = module.up.__code__
    with rewritten([module], PlainProbes()):
        assert original(module.up.__code__) is not module.up.__code__
        assert original(module.up.__code__) == plain
    assert original(plain) is plain
    assert not is_rewritten(plain)
    assert not is_rewritten((lambda: 0).__code__)


def test_the_code_of_probes_counts_as_rewritten(load):
    module = load(PROGRAM)
    with rewritten([module], PlainProbes()):
        inner = [each for each in module.step.__code__.co_consts if hasattr(each, "co_code")]
        assert inner
        assert all(map(is_rewritten, inner))


def test_executed_text_is_rewritten_with_the_names_of_its_top():
    class Names(PlainProbes):
        def name(self, inner, outer, x, /):
            seen.append(("read", x))
            return super().name(inner, outer, x)

        def setglob(self, names, x, v, /):
            seen.append(("write", x))
            return v

    seen = []
    names = {"count": 1}
    with rewritten([], Names()):
        exec(rewrite_source("count += 1\ndef f(): return count"), names)
        assert eval(rewrite_source("count * 2", "<eval>", "eval"), names) == 4
        inner = {}
        exec(rewrite_source("count = count + 5"), names, inner)
    assert seen == [("read", "count"), ("write", "count"), ("write", "f"), ("read", "count"),
                    ("read", "count"), ("write", "count")]
    assert (names["count"], inner) == (2, {"count": 7})
    assert names["f"]() == 2
    assert not is_rewritten(names["f"].__code__)


@pytest.mark.parametrize("text", ["a b", "return", "x = \x00", "def f(:"])
def test_executed_text_with_an_error_raises_what_python_raises(text):
    with pytest.raises((SyntaxError, ValueError)) as expected:
        compile(text, "<string>", "exec")
    with pytest.raises(type(expected.value)) as caught:
        rewrite_source(text)
    assert str(caught.value) == str(expected.value)


def test_what_is_announced_of_a_decorated_function_is_what_gets_bound(load):
    class Told(PlainProbes):
        def setglob(self, names, x, v, /):
            told.append((x, v))
            return v

    told = []
    module = load("""
        def bind():
            global f, C
            @str
            @len
            @repr
            def f(): pass
            @tuple
            @vars
            class C: pass
        """)
    with rewritten([module], Told()):
        module.bind()
    assert told == [("f", module.f), ("C", module.C)]
    assert module.f.isdigit()
    assert "__module__" in module.C


def test_a_decorated_function_has_its_own_name_and_first_line(load):
    module = load('''
        import functools
        def run():
            def get(): return f
            f = 1
            @functools.cache
            def f(): return 2
            return get()
        ''')
    plain = module.run().__wrapped__.__code__
    with rewritten([module], PlainProbes()):
        new = module.run().__wrapped__
        assert isinstance(module.run(), functools._lru_cache_wrapper)
        assert (new.__name__, new.__qualname__) == ("f", "run.<locals>.f")
        assert new.__code__.co_firstlineno == plain.co_firstlineno
