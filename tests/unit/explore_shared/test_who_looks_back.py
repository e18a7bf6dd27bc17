"""What looks at the frame of its caller sees in tracked code what it sees in plain code.

No `from __future__ import annotations` here, because Hocket's own files have it: what is compiled must not inherit it.
"""

import builtins
import collections
import dataclasses
import enum
import functools
import inspect
import logging
import sys
import traceback
import typing
import warnings

import pytest

import hocket
from hocket.explore.shared.tracker import Tracker, Visible

VALUE = 5
TEXT = "def f(x: int) -> int: pass"


def its_own_frame():
    return sys._getframe().f_code.co_name, dict(sys._getframe(0).f_locals)


def its_callers_frame():
    return sys._getframe(1).f_code.co_name, inspect.currentframe().f_back.f_code.co_name


def no_such_frame():
    with pytest.raises(ValueError, match="call stack is not deep enough"):
        sys._getframe(10_000)
    return inspect.currentframe().f_lineno


def a_frame_through_partial():
    return functools.partial(sys._getframe, 0)().f_code.co_name


def the_stack():
    return [frame.function for frame in inspect.stack()[:2]], [frame.name for frame in traceback.extract_stack()[-2:]]


def namespaces_under_other_names():
    first, second, third, fourth = globals, locals, vars, dir
    assert type(second()) is dict
    return first() is builtins.globals(), sorted(second()), sorted(third()), fourth(), third(enum).keys()


def text_under_other_names():
    own, run, evaluate = 7, exec, builtins.eval
    run("own, VALUE")
    spaces = eval("\town", {"own": 1}), evaluate("a", {}, {"a": 2}), evaluate(b"VALUE", None)
    return evaluate(" own + VALUE"), spaces, own


def annotations_of_text():
    spaces = [{}, {}, {}]
    exec(TEXT, spaces[0])
    exec(compile(TEXT, "<t>", "exec"), spaces[1])
    run = exec
    run(compile(TEXT, "<t>", mode="exec", dont_inherit=True), spaces[2])
    return [space["f"].__annotations__ for space in spaces]


def where_a_warning_is():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("here", stacklevel=1)
        warnings.warn("there", UserWarning, 2)
        warnings.warn("everywhere", stacklevel=1_000)
    return [(each.filename, each.lineno, each.category) for each in caught[:2]], len(caught)


def where_a_record_is():
    told = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append((record.funcName, record.lineno))
    logger = logging.getLogger("hocket.tests.looking_back")
    logger.addHandler(handler)
    logger.warning("here")
    logger.removeHandler(handler)
    return told


def the_module_of_what_is_made():
    class Metaclass(type):
        pass

    made = [collections.namedtuple("A", "x"), collections.namedtuple("A", "x", module="m"), type("T", (), {}),
            enum.Enum("E", "a b"), enum.IntFlag("F", names=["x"]), typing.NewType("N", int), typing.TypeVar("T"),
            typing.ParamSpec("P"), typing.NamedTuple("Q", [("a", int)]), dataclasses.make_dataclass("D", ["x"]),
            Metaclass("M", (), {"__module__": "given"})]
    return [each.__module__ for each in made], type(made)


def an_import():
    load = __import__
    return load("os.path").__name__, load("os.path", fromlist=["join"]).__name__


LOOKS = [its_own_frame, its_callers_frame, no_such_frame, a_frame_through_partial, the_stack,
         namespaces_under_other_names, text_under_other_names, annotations_of_text, where_a_warning_is,
         where_a_record_is, the_module_of_what_is_made, an_import]
if sys.version_info >= (3, 12):
    LOOKS.append(lambda: (sys._getframemodulename(), sys._getframemodulename(1), sys._getframemodulename(10_000)))


def looked(look):
    return look()


@pytest.mark.parametrize("look", LOOKS)
def test_an_actor_sees_what_plain_code_sees(look):
    plain = looked(look)

    def body():
        found = looked(look)
        assert found == plain

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), str(result)


@pytest.mark.parametrize("look", LOOKS)
def test_who_is_no_actor_sees_it_as_well(look):
    plain = looked(look)
    with Tracker(looked, (sys.modules[__name__],), Visible(data="track")).active():
        assert looked(look) == plain
