"""Functions of the library that look at what they are given and keep nothing, as they are used for reports and logs."""

import contextlib
import io
import sys
import traceback
from datetime import timedelta

import pytest

import hocket
from tests.together import together

DAY = timedelta(1)


def noted(note):
    error = ValueError("of both")
    error.__notes__ = [note]
    return error


def test_an_exception_that_several_threads_report():
    """Either is first to append: 2 classes."""

    def body():
        error, told = ValueError("of both"), []

        def report():
            told.append(traceback.format_exception_only(type(error), error))

        together(report, report)
        assert told == [["ValueError: of both\n"]] * 2

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_an_exception_that_another_thread_changes_meanwhile():
    def body():
        error, told = ValueError("before"), []

        def change():
            error.args = ("after",)

        together(lambda: told.append(traceback.format_exception_only(error)), change)
        return told[0][0]

    result = hocket.explore(body)
    assert result.verdict == "proved", result
    assert result.outcomes == {"ValueError: before\n": 1, "ValueError: after\n": 1}


class OwnError(Exception):
    pass


class Own:
    def __str__(self):
        return "own"


@pytest.mark.parametrize("make", [lambda: OwnError("of both"), lambda: ValueError(Own()), lambda: noted(Own())],
                         ids=["its class", "what it holds", "a note"])
def test_an_exception_that_asks_the_program_is_asked_unseen(make):
    def body():
        error = make()
        together(*[lambda: traceback.format_exception_only(error)] * 2)

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert any("format_exception_only" in told for told in result.untracked), result.untracked


def test_a_method_that_is_taken_from_a_class_of_c_is_given_to_nobody():
    def body():
        found = []
        together(lambda: found.append(timedelta.total_seconds(DAY)), lambda: found.append(str.upper("a")))
        assert set(found) == {86400.0, "A"}

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_the_stream_that_all_print_to_is_put_back_whatever_the_threads_have_left():
    """Two that redirect it may each put back what the other has put there."""
    before = sys.stdout, sys.stderr

    def body():
        def redirect():
            with contextlib.redirect_stdout(io.StringIO()):
                print("unheard")

        assert (sys.stdout, sys.stderr) == before
        together(redirect, redirect)
        sys.stderr = io.StringIO()

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert any("redirect_stdout exchanges what all threads use" in told for told in result.untracked)
    assert (sys.stdout, sys.stderr) == before
