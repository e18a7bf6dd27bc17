"""Every clock of the standard library says virtual time; debuggers, tracers and loggers see the user's own lines."""

from __future__ import annotations

import datetime
import io
import logging
import pdb
import sys
import threading
import time

import pytest

import hocket

EPOCH = 1_700_000_000.0

CLOCKS = {
    "time": (lambda: time.time(), EPOCH),
    "clock_gettime of the calendar": (lambda: time.clock_gettime(time.CLOCK_REALTIME), EPOCH),
    "clock_gettime": (lambda: time.clock_gettime(time.CLOCK_MONOTONIC), 0.0),
    "clock_gettime_ns": (lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC) / 1e9, 0.0),
    "monotonic_ns": (lambda: time.monotonic_ns() / 1e9, 0.0),
    "perf_counter_ns": (lambda: time.perf_counter_ns() / 1e9, 0.0),
    "time_ns": (lambda: time.time_ns() / 1e9, EPOCH),
    "now": (lambda: datetime.datetime.now().timestamp(), EPOCH),
    "now in a zone": (lambda: datetime.datetime.now(datetime.UTC).timestamp(), EPOCH),
    "today": (lambda: datetime.datetime.today().timestamp(), EPOCH),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_says_how_long_actors_have_slept(name):
    read, start = CLOCKS[name]

    def body():
        before = read()
        time.sleep(60)
        return before, read()

    assert hocket.explore(body).outcomes == {(start, start + 60): 1}


def test_dates_are_those_of_the_virtual_clock():
    def body():
        utc = datetime.datetime.utcnow() if sys.version_info < (3, 12) else datetime.datetime(2023, 11, 14, 22, 13, 20)
        return str(utc), datetime.date.today() == datetime.date.fromtimestamp(EPOCH)

    assert hocket.explore(body).outcomes == {("2023-11-14 22:13:20", True): 1}


def two(task):
    threads = [threading.Thread(target=task) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.places = set()

    def emit(self, record):
        self.places.add((record.filename, record.lineno, record.funcName))


def test_a_logger_names_the_line_that_logged():
    log, kept = logging.getLogger("hocket.test.caller"), Kept()
    log.propagate, log.handlers = False, [kept]
    log.setLevel(logging.INFO)

    def body():
        log.info("said")

    def places():
        two(body)
        return tuple(kept.places)

    result = hocket.explore(places)
    assert result.verdict == "proved"
    assert list(result.outcomes) == [
        (("test_virtual_clocks_and_debuggers.py", body.__code__.co_firstlineno + 1, "body"),)]


def test_a_tracer_sees_the_lines_of_explored_code_as_they_stand():
    row = []

    def task():
        row.append(1)
        row.append(2)

    seen = set()

    def tracer(frame, event, argument):
        if frame.f_code.co_filename == __file__ and frame.f_code.co_name == "task" and event == "line":
            seen.add(frame.f_lineno)
        return tracer

    threading.settrace(tracer)
    try:
        hocket.explore(lambda: two(task), executions=2)
    finally:
        threading.settrace(None)
    first = task.__code__.co_firstlineno
    assert seen == {first + 1, first + 2}


def test_a_breakpoint_stops_in_an_actor_and_the_exploration_goes_on_after_it(monkeypatch):
    """One question for each time that it is come to: two threads, two classes."""
    asked = io.StringIO()
    prompts = []

    class Scripted(pdb.Pdb):
        def __init__(self):
            super().__init__(stdin=io.StringIO("p mark\nc\n"), stdout=asked, nosigint=True, readrc=False)
            self.use_rawinput = False

    def stop():
        prompts.append(threading.current_thread().name)
        Scripted().set_trace(sys._getframe(1))

    monkeypatch.setattr(sys, "breakpointhook", stop)
    lock = threading.Lock()

    def task():
        mark = "here"
        with lock:
            breakpoint()
            assert mark

    result = hocket.explore(lambda: two(task), data="off")
    assert (result.verdict, result.classes) == ("proved", 2)
    assert len(prompts) == 4
    assert asked.getvalue().count("'here'") == 4
