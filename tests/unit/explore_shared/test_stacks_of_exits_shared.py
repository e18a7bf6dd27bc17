"""An `ExitStack`, or a stream, that several threads enter, push to and leave: `contextlib` is tracked where that is so.

Each program is a function of a guard: without a lock it fails, with one it is proved, with two orders.
"""

import io
import threading
from contextlib import ExitStack, closing, contextmanager, nullcontext

import pytest

import hocket
from tests.together import together


def twice(guard, work):
    def guarded():
        with guard:
            work()

    together(guarded, guarded)


def the_first_pushes(guard):
    closed, stack, seen = [], ExitStack(), []

    def work():
        if not seen:
            seen.append(1)
            stack.callback(closed.append, 1)

    twice(guard, work)
    stack.close()
    assert closed == [1]


def two_leave_it(guard):
    """`__exit__` looks whether callbacks are left, and then takes the last one: without a lock it may be gone."""
    closed, stack = [], ExitStack()
    stack.callback(closed.append, 1)

    def work():
        with stack:
            pass

    twice(guard, work)
    assert closed == [1]


def one_moves_to_another_stack(guard):
    """`pop_all` makes a new stack, gives it the callbacks, and then puts new ones in their place."""
    closed, stack = [], ExitStack()
    stack.callback(closed.append, 1)
    twice(guard, lambda: stack.pop_all().close())
    assert closed == [1]


PROGRAMS = [the_first_pushes, two_leave_it, one_moves_to_another_stack]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_stack_without_a_lock_fails_and_with_one_is_proved(program):
    result = hocket.explore(lambda: program(nullcontext()))
    assert (result.verdict, result.failure.replayed) == ("failed", True), result
    lock = threading.Lock()
    result = hocket.explore(lambda: program(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_what_is_entered_in_a_shared_stack_is_left_once():
    """The two entries are one after the other, which is all that others see: 2 classes."""

    class Resource:
        def close(self):
            closed.append(1)

    closed = []

    def body():
        closed.clear()
        with ExitStack() as stack:
            together(*[lambda: stack.enter_context(closing(Resource()))] * 2)
        assert closed == [1, 1]

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_a_stack_of_one_thread_is_nobody_elses():
    """Two appends to what is shared, either first; and `contextlib` is not tracked."""

    def body():
        closed = []

        def work():
            with ExitStack() as stack:
                stack.callback(closed.append, 1)

        together(work, work)
        assert closed == [1, 1]

    result = hocket.explore(body)
    assert (result.verdict, result.classes, result.notes) == ("proved", 2, ()), result


def test_a_stream_that_a_block_closes_is_closed_by_a_step():
    """One reads before or after the other has closed."""

    def body(guard):
        stream, read = io.StringIO("text"), []

        def close():
            with guard, stream:
                pass

        def look():
            with guard:
                if not stream.closed:
                    read.append(stream.read())

        together(close, look)
        assert read in ([], ["text"])

    failure = hocket.explore(lambda: body(nullcontext())).failure
    assert str(failure.exception) == "I/O operation on closed file"
    lock = threading.Lock()
    result = hocket.explore(lambda: body(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_a_manager_is_entered_as_ever():
    """What `as` binds, what is raised and what is swallowed: nothing of that changes."""

    @contextmanager
    def swallowing(told):
        try:
            yield told
        except KeyError as error:
            told.append(error)

    def body():
        told = []
        lines = io.StringIO("a\nb")

        def work():
            with swallowing(told) as given, lines as same, nullcontext(3) as three:
                assert (given is told, same is lines, three) == (True, True, 3)
                told.append(next(lines))
                raise KeyError("swallowed")

        together(work)
        assert (told[0], type(told[1]), lines.closed) == ("a\n", KeyError, True)

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), result
