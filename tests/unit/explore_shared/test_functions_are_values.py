"""A function that is made while the program runs is its maker's alone until it is given away, like any other object.

Decorators write attributes on what they make (`functools.wraps` does, five times). Were that a step, two threads that
each call something decorated anew would have some hundred orders.
"""

import functools
import sys
import threading

import pytest

import hocket
from tests.together import together


def counted(function):
    """Counts its calls, and is no wrapper of anything that says so: it is a local function wherever it stands."""
    def wrapper(*args):
        wrapper.calls += 1
        return function(*args)

    wrapper.calls = 0
    return wrapper


def marked(function):
    """Has the same attribute, and nothing in it refers to itself: only through its class is it known."""
    def wrapper(*args):
        return function(*args)

    wrapper.calls = 0
    return wrapper


@counted
def outside():
    pass


def of_a_local_function():
    inner = counted(lambda: None)
    together(inner, inner)
    return inner


def of_a_function_of_the_module():
    outside.calls = 0
    together(outside, outside)
    return outside


def of_a_method():
    class Service:
        @counted
        def get(self):
            pass

    service = Service()
    together(service.get, service.get)
    return Service.get


def of_a_method_by_way_of_the_class():
    class Service:
        @marked
        def get(self):
            pass

    def count():
        Service.get.calls += 1

    together(count, count)
    return Service.get


def of_a_method_by_way_of_an_instance():
    class Service:
        @marked
        def get(self):
            pass

    service = Service()

    def count():
        found = service.get.__func__
        found.calls = found.calls + 1

    def count_too():
        found = type(service).get
        found.calls = found.calls + 1

    together(count, count_too)
    return Service.get


def of_a_method_by_way_of_instances_that_nobody_shares():
    class Service:
        @marked
        def get(self):
            pass

    def count():
        found = Service().get.__func__
        found.calls = found.calls + 1

    together(count, count)
    return Service.get


def of_a_method_that_is_asked():
    class Service:
        @marked
        def get(self):
            pass

    service = Service()

    def count():
        Service.get.calls = service.get.calls + 1

    together(count, count)
    return Service.get


def of_one_that_a_thread_gives_away():
    given, other = [], threading.Event()

    def give():
        inner = counted(lambda: None)
        given.append(inner)
        other.set()
        inner()

    def take():
        other.wait()
        given[0]()

    together(give, take)
    return given[0]


PROGRAMS = [of_a_local_function, of_a_function_of_the_module, of_a_method, of_a_method_by_way_of_the_class,
            of_a_method_by_way_of_an_instance, of_a_method_by_way_of_instances_that_nobody_shares,
            of_a_method_that_is_asked, of_one_that_a_thread_gives_away]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_an_attribute_of_a_shared_function_is_shared(program):
    def body():
        assert program().calls == 2

    failure = hocket.explore(body).failure
    assert (failure.kind, failure.replayed) == ("assertion", True)


def test_what_a_thread_decorates_for_itself_is_no_step():
    """Only the two appends are steps, either first."""

    def body():
        seen = []

        def work():
            @functools.wraps(outside)
            @counted
            def inner():
                pass

            inner.first, inner.second = 1, 2
            inner()
            seen.append(inner.first + inner.second)

        together(work, work)
        assert seen == [3, 3]

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result


@pytest.mark.skipif(sys.version_info[:2] > (3, 12), reason="kept in a weak dictionary then: incomplete")
def test_a_method_that_dispatches_by_class_makes_a_function_each_time():
    """The first to ask for a class finds it in no cache and enters it; or both find nothing, and either is first to
    enter: 4 classes. It was given up after 477 of some hundred thousand."""

    def body():
        class Formats:
            @functools.singledispatchmethod
            def shown(self, value):
                return "something"

            @shown.register
            def _(self, value: int):
                return "a number"

        formats = Formats()
        together(lambda: formats.shown(1), lambda: formats.shown(2))
        assert formats.shown(3) == "a number"

    result = hocket.explore(body, track=["functools"])
    assert (result.verdict, result.classes) == ("proved", 4), result
