"""What each Python from 3.12 on has added, raced and repaired: the mistake is found, the repair proved in its classes.

The programs are texts, so that this file can be read by a Python that does not know their syntax.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import textwrap

import pytest

import hocket
from hocket.errors import Refused

PRELUDE = """
import asyncio, contextlib, contextvars, copy, dataclasses, functools, heapq, itertools, math, operator, queue, sys
import threading, types

class Box: pass

def together(*deeds):
    threads = [threading.Thread(target=deed) for deed in deeds]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def torn(fixed, write, read, *allowed):
    lock, seen = threading.Lock() if fixed else contextlib.nullcontext(), []
    def writer():
        with lock: write()
    def reader():
        with lock: seen.append(read())
    together(writer, reader)
    assert seen[0] in allowed, seen

def twice(fixed, deed):
    lock = threading.Lock() if fixed else contextlib.nullcontext()
    def work():
        with lock: deed()
    together(work, work)
"""
ROWS = {  # since when, classes of the repaired program, the program
    "a comprehension without a function of its own": ((3, 12), 2, """
        def body(fixed):
            box = Box(); box.n = 0
            torn(fixed, lambda: setattr(box, "n", 1), lambda: [box.n for _ in "ab"], [0, 0], [1, 1])
        """),
    "a generic class": ((3, 12), 2, """
        class Count[T]:
            n: int = 0
            def put(self, value: T) -> None: self.n += 1
        def body(fixed):
            count = Count[int]()
            twice(fixed, lambda: count.put(1))
            assert count.n == 2
        """),
    "a batch of a shared list": ((3, 12), 2, """
        def body(fixed):
            items = [1, 1]
            def write(): items[0] = 2; items[1] = 2
            torn(fixed, write, lambda: next(itertools.batched(items, 2)), (1, 1), (2, 2))
        """),
    "an iterator that newer Pythons make on the heap": ((3, 11), 2, """
        def body(fixed):
            items = [1, 1]
            def write(): items[0] = 2; items[1] = 2
            torn(fixed, write, lambda: list(itertools.islice(items, 2)), [1, 1], [2, 2])
        """),
    "a sum of floats": ((3, 11), 2, """
        def body(fixed):
            items = [1, 1]
            def write(): items[0] = 2; items[1] = 2
            torn(fixed, write, lambda: math.fsum(items), 2, 4)
        """),
    "a sum of products": ((3, 12), 2, """
        def body(fixed):
            items = [1, 1]
            def write(): items[0] = 2; items[1] = 2
            torn(fixed, write, lambda: math.sumprod(items, [1, 1]), 2, 4)
        """),
    "a dataclass replaced": ((3, 13), 2, """
        @dataclasses.dataclass
        class Point:
            x: int = 0
            y: int = 0
        def body(fixed):
            point = Point()
            def write(): point.x = 1; point.y = 1
            def read():
                other = copy.replace(point)
                return other.x, other.y
            torn(fixed, write, read, (0, 0), (1, 1))
        """),
    "a namespace replaced": ((3, 13), 2, """
        def body(fixed):
            point = types.SimpleNamespace(x=0, y=0)
            def write(): point.x = 1; point.y = 1
            def read():
                other = copy.replace(point)
                return other.x, other.y
            torn(fixed, write, read, (0, 0), (1, 1))
        """),
    "a queue shut down": ((3, 13), 6, """
        def body(fixed):
            todo, got = queue.Queue(), []
            def make():
                todo.put(1)
                todo.shutdown(immediate=not fixed)
            def take():
                with contextlib.suppress(queue.ShutDown):
                    while True: got.append(todo.get())
            together(make, take)
            assert got == [1]
        """),
    "a lock by its class": ((3, 13), 2, """
        def body(fixed):
            box, lock = Box(), threading.Lock()
            box.n = 0
            assert isinstance(lock, threading.Lock) and threading.Lock | None
            def add(): box.n += 1
            twice(fixed, add)
            assert box.n == 2
        """),
    "a template": ((3, 14), 2, """
        def body(fixed):
            box = Box(); box.x = box.y = 0
            def write(): box.x = 1; box.y = 1
            torn(fixed, write, lambda: t"{box.x}-{box.y}".values, (0, 0), (1, 1))
        """),
    "two exceptions without parentheses": ((3, 14), 2, """
        def body(fixed):
            known = {"k": 1}
            def drop():
                if "k" in known:
                    try: known.pop("k")
                    except KeyError, ValueError: raise AssertionError
            twice(fixed, drop)
        """),
    "a heap with the largest first": ((3, 14), 2, """
        def body(fixed):
            heap = []
            twice(fixed, lambda: heap or heapq.heappush_max(heap, 1))
            assert len(heap) == 1
        """),
    "a partial with a place left": ((3, 14), 2, """
        def body(fixed):
            known, made = {}, []
            put = functools.partial(known.setdefault, functools.Placeholder, 1)
            def make():
                if "k" not in known:
                    put("k"); made.append(1)
            twice(fixed, make)
            assert len(made) == 1
        """),
    "a comprehension that unpacks lists": ((3, 15), 2, """
        def body(fixed):
            items = [1, 1]
            def write(): items[0] = 2; items[1] = 2
            torn(fixed, write, lambda: [*each for each in [items]], [1, 1], [2, 2])
        """),
    "a generator that unpacks lists": ((3, 15), 2, """
        def body(fixed):
            items = [1, 1]
            def write(): items[0] = 2; items[1] = 2
            torn(fixed, write, lambda: list((*each for each in [items])), [1, 1], [2, 2])
        """),
    "a comprehension that unpacks dicts": ((3, 15), 2, """
        def body(fixed):
            known = {0: 1, 1: 1}
            def write(): known[0] = 2; known[1] = 2
            torn(fixed, write, lambda: {**each for each in [known]}, {0: 1, 1: 1}, {0: 2, 1: 2})
        """),
    "a module with a lazy import": ((3, 15), 2, """
        lazy import json
        def body(fixed):
            box = Box(); box.n = 0
            def add(): box.n += int(json.dumps(1))
            twice(fixed, add)
            assert box.n == 2
        """),
    "a thread with a context": ((3, 14), 1, """
        def body(fixed):
            seen, name = [], contextvars.ContextVar("name", default="nobody")
            context = contextvars.copy_context()
            context.run(name.set, "given")
            thread = threading.Thread(target=lambda: seen.append(name.get()), context=context if fixed else None)
            thread.start(); thread.join()
            assert seen == ["given"]
        """),
    "a task that starts eagerly": ((3, 14), 1, """
        def body(fixed):
            async def main():
                ran = []
                async def work(): ran.append(1)
                task = asyncio.create_task(work(), eager_start=fixed)
                assert ran == [1]
                await task
            asyncio.run(main())
        """),
}
NEVER_PROVED = {
    "the variables of a frame": ((3, 13), "the variables of a frame are looked at from outside", """
        def body():
            n, frame = 0, sys._getframe()
            def add(): frame.f_locals["n"] += 1
            together(add, add)
            assert n == 2
        """),
}


@pytest.fixture
def body_of(tmp_path, monkeypatch):
    """The `body` of a program, as if it had been imported; skips what this Python cannot read."""

    def load(since, program):
        if sys.version_info < since:
            pytest.skip(".".join(map(str, since)))
        path = tmp_path / "later_program.py"
        path.write_text(PRELUDE + textwrap.dedent(program))
        spec = importlib.util.spec_from_file_location("later_program", path)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "later_program", module)
        spec.loader.exec_module(module)
        return module.body

    return load


@pytest.mark.parametrize("name", ROWS)
def test_the_mistake_is_found_and_the_repair_is_proved_in_so_many_classes(name, body_of):
    since, classes, program = ROWS[name]
    body = body_of(since, program)
    found = hocket.explore(functools.partial(body, False))
    assert (found.verdict, found.failure.replayed) == ("failed", True), found
    proved = hocket.explore(functools.partial(body, True))
    assert (proved.verdict, proved.classes) == ("proved", classes), proved


def test_a_lazy_import_in_an_executed_text_is_watched_and_nothing_about_it_is_proved(body_of):
    """PEP 810: whoever uses the name first binds it, and the names of such a text are shared."""
    result = hocket.explore(body_of((3, 15), """
        def body():
            names = {}
            def work(): exec("lazy import json\\nx = json", names)
            together(work, work)
        """))
    assert result.verdict == "incomplete", result


@pytest.mark.parametrize("name", NEVER_PROVED)
def test_what_goes_past_every_probe_is_reported_and_never_proved(name, body_of):
    since, why, program = NEVER_PROVED[name]
    result = hocket.explore(body_of(since, program))
    assert (result.verdict, [why in each for each in result.untracked]) == ("incomplete", [True]), result


def test_two_threads_in_one_context_are_refused(body_of):
    body = body_of((3, 14), """
        def body():
            context = contextvars.copy_context()
            threads = [threading.Thread(target=int, context=context) for _ in range(2)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        """)
    with pytest.raises(Refused, match="a context, which one thread at a time can enter"):
        hocket.explore(body)


def test_another_interpreter_is_refused_by_name(body_of):
    body = body_of((3, 14), """
        from concurrent.futures import InterpreterPoolExecutor
        def body():
            with InterpreterPoolExecutor(1) as pool: pool.submit(len, "abc").result()
        """)
    with pytest.raises(Refused, match=r"_interpreters\.create"):
        hocket.explore(body)


def test_a_return_in_finally_is_warned_of_once_and_by_python(body_of):
    """PEP 765: the author's own line is; what is rewritten is compiled without a word, also where those are errors."""
    program = """
        def body(fixed=True):
            box = Box(); box.n = 0
            def add():
                try: box.n += 1
                finally: return
            twice(fixed, add)
            assert box.n == 2
        """
    if sys.version_info >= (3, 14):
        with pytest.warns(SyntaxWarning, match="'return' in a 'finally' block"):
            body = body_of((3, 14), program)
    else:
        body = body_of((3, 11), program)
    assert hocket.explore(body).classes == 2
