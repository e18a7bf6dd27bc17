"""Mocks that several threads call: what they record is read and written where `mock.py` does it, and no lock is there.

Each program is a function of a guard: without a lock it fails, with one it is proved, with two orders.
"""

import subprocess
import sys
import threading
from contextlib import nullcontext
from unittest.mock import MagicMock, Mock, call, create_autospec, patch

import pytest

import hocket
from tests.together import together


class Service:
    def get(self, key):
        return key


def twice(guard, work):
    def guarded():
        with guard:
            work()

    together(guarded, guarded)


def a_value_is_fetched_once(guard):
    client, found = Mock(), []
    client.fetch.return_value = 42

    def get():
        if not found:
            found.append(client.fetch("key"))

    twice(guard, get)
    client.fetch.assert_called_once_with("key")


def two_calls_are_counted(guard):
    """`call_count += 1` in `mock.py` reads, and then writes."""
    mock = Mock()
    twice(guard, mock)
    assert mock.call_count == 2


def who_was_called_has_arguments(guard):
    """`called` is set before `call_args`."""
    mock, seen = Mock(), []

    def work():
        with guard:
            mock(1)

    def look():
        with guard:
            if mock.called:
                seen.append(mock.call_args)

    together(work, look)
    assert seen in ([], [call(1)])


def a_list_of_calls_that_was_taken_before(guard):
    mock, seen = Mock(), []
    calls = mock.call_args_list

    def work():
        with guard:
            mock(1)
            mock(2)

    def look():
        with guard:
            seen.append(len(calls))

    together(work, look)
    assert seen[0] in (0, 2)


def calls_of_a_parent_in_order(guard):
    manager = Mock()

    def work():
        manager.begin()
        manager.end()

    twice(guard, work)
    assert manager.method_calls == [call.begin(), call.end()] * 2


def what_a_mock_returns_is_shared(guard):
    mock = Mock(return_value={"n": 0})

    def work():
        found = mock()
        found["n"] += 1

    twice(guard, work)
    assert mock()["n"] == 2


def a_value_is_set_by_who_calls(guard):
    mock = Mock(return_value=0)

    def work():
        mock.return_value = mock() + 1

    twice(guard, work)
    assert mock() == 2


def a_magic_method_of_c(guard):
    table, mock = {"n": 0}, MagicMock()
    mock.__getitem__.side_effect, mock.__setitem__.side_effect = table.__getitem__, table.__setitem__

    def work():
        mock["n"] = mock["n"] + 1

    twice(guard, work)
    assert table["n"] == 2


def load(key):
    return key


def calls_of_a_function_with_a_signature_are_counted(guard):
    function = create_autospec(load, return_value=3)
    twice(guard, lambda: function(1))
    assert function.call_count == 2


def a_function_with_a_signature_is_asked_by_its_assertions(guard):
    function, found = create_autospec(load), []

    def get():
        if not found:
            found.append(function("key"))

    twice(guard, get)
    function.assert_called_once_with("key")


def a_function_with_a_signature_gets_another_answer(guard):
    function = create_autospec(load, return_value=0)

    def work():
        function.return_value = function(1) + 1

    twice(guard, work)
    assert function(1) == 2


def a_mock_that_is_entered(guard):
    session = MagicMock()

    def work():
        with session:
            pass

    twice(guard, work)
    assert session.__enter__.call_count == 2


def an_attribute_of_a_child(guard):
    mock = Mock()
    mock.connection.uses = 0

    def work():
        mock.connection.uses += 1

    twice(guard, work)
    assert mock.connection.uses == 2


PROGRAMS = [a_value_is_fetched_once, two_calls_are_counted, who_was_called_has_arguments,
            a_list_of_calls_that_was_taken_before, calls_of_a_parent_in_order, what_a_mock_returns_is_shared,
            a_value_is_set_by_who_calls, a_magic_method_of_c, an_attribute_of_a_child,
            calls_of_a_function_with_a_signature_are_counted, a_function_with_a_signature_is_asked_by_its_assertions,
            a_function_with_a_signature_gets_another_answer, a_mock_that_is_entered]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_mock_without_a_lock_fails_and_with_one_is_proved(program):
    result = hocket.explore(lambda: program(nullcontext()))
    assert (result.verdict, result.failure.kind) == ("failed", "assertion"), result
    assert result.failure.replayed
    lock = threading.Lock()
    result = hocket.explore(lambda: program(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_what_nobody_asks_a_mock_is_no_step():
    log = Mock()

    def body():
        together(lambda: log.info("a"), lambda: log.info("b"))

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), result


def test_what_several_threads_use_is_not_patched_by_one_of_them_unnoticed():
    def body():
        def work():
            with patch.object(Service, "get", return_value=1):
                Service().get(1)

        together(work, work)

    result = hocket.explore(body)
    assert result.verdict == "incomplete", result
    assert any("patch exchanges what all threads use" in told for told in result.untracked)


def test_what_nobody_asks_a_function_with_a_signature_is_no_step():
    def body():
        function = create_autospec(load)
        together(lambda: function(1), lambda: function(2))

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), result


def test_a_function_with_a_signature_made_before_is_as_it_was_in_each_execution():
    function = create_autospec(load, side_effect=[1, 2])

    def body():
        together(lambda: function(1), lambda: function(2))
        assert function.call_count in (1, 2)
        assert len(function.mock_calls) == 2

    result = hocket.explore(body)
    assert result.verdict == "proved", result
    assert (function.call_count, function.mock_calls, function.side_effect.__length_hint__()) == (0, [], 2)


LOADS_IT_LATE = """
import sys, threading, hocket

def body():
    from unittest import mock
    called = mock.Mock()
    threads = [threading.Thread(target=called) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert called.call_count == 2

assert "unittest.mock" not in sys.modules
print(hocket.explore(body).verdict)
"""


def test_mocks_are_seen_where_the_test_itself_is_first_to_load_them(tmp_path):
    program = tmp_path / "late.py"
    program.write_text(LOADS_IT_LATE)
    done = subprocess.run([sys.executable, program], capture_output=True, text=True, check=True)
    assert done.stdout == "failed\n"


def test_mocks_are_put_back():
    before = dict(vars(Mock.__mro__[2]))
    hocket.explore(lambda: together(Mock(), Mock()))
    assert dict(vars(Mock.__mro__[2])) == before


def test_what_a_mock_of_a_fixture_has_recorded_is_taken_back_before_each_execution():
    client, lock = MagicMock(), threading.Lock()
    client.get.side_effect = [1, 2]
    found = []

    def body():
        found.clear()

        def work():
            with lock:
                found.append(client.get("key"))

        together(work, work)
        assert found == [1, 2]
        assert client.get.call_args_list == client.get.mock_calls == [call("key")] * 2
        assert client.method_calls == [call.get("key")] * 2

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result
    assert client.get.call_count == 0


def test_what_is_patched_around_the_threads_is_new_in_each_execution():
    def body():
        with patch.object(Service, "get", return_value=5):
            found = []
            together(*[lambda: found.append(Service().get(1))] * 2)
        assert found == [5, 5]

    result = hocket.explore(body)
    assert result.verdict == "proved", result
