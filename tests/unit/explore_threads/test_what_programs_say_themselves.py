"""What an exception or a value says of itself is code of the program: it may raise, and may be made anew each time."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

import hocket


def _in_a_thread(act: Any) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


class _Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")

    __repr__ = __str__


class _Endless:
    def __repr__(self) -> str:
        return repr(self)


def test_an_exception_without_a_text_is_told_by_its_class():
    def body():
        raise _Mute

    result = hocket.explore(body)
    assert result.verdict == "failed"
    assert result.failure.message == "_Mute: (its text cannot be had: ValueError) in main"
    assert result.failure.replayed
    assert "_Mute" in str(result.failure)
    assert "_Mute" in repr(result)


def test_an_assertion_about_a_value_whose_repr_never_ends_is_a_failure_as_any():
    def body():
        value = _Endless()
        _in_a_thread(lambda: None)
        raise AssertionError(value)

    failure = hocket.explore(body).failure
    assert (failure.kind, failure.message) == (
        "assertion", "AssertionError: (its text cannot be had: RecursionError) in main")


@pytest.mark.parametrize("base", [Exception, BaseException, AssertionError])
def test_an_exception_whose_class_the_body_makes_is_the_same_when_it_comes_again(base: Any):
    """Each run makes another class; a failure is compared by the name of it."""
    def body():
        class Local(base):
            pass

        number = hocket.Atomic(0)

        def add() -> None:
            if number.add(1) == 1:
                raise Local("second")

        threads = [threading.Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    failure = hocket.explore(body).failure
    assert failure.kind == ("assertion" if base is AssertionError else "exception")
    assert failure.replayed
    assert failure.message.startswith("Local: second in t")


def test_an_outcome_that_cannot_be_hashed_or_told_is_counted_by_its_class():
    class Odd:
        def __hash__(self) -> int:
            raise ValueError

        def __repr__(self) -> str:
            raise TypeError

    result = hocket.explore(Odd)
    assert result.verdict == "proved"
    assert list(result.outcomes.values()) == [1]
    assert "cannot be told: TypeError" in next(iter(result.outcomes))


def test_a_thread_that_was_started_has_its_numbers_and_is_among_the_threads():
    """`start` returns when the thread has said who it is; one class, and another for a reader that comes later."""
    def body():
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(threading.get_ident()))
        assert thread.ident is None
        thread.start()
        known = thread.ident
        assert known is not None
        assert thread.native_id is not None
        assert threading._active[known] is thread  # type: ignore[attr-defined]
        thread.join()
        assert seen == [known]
        assert known not in threading._active  # type: ignore[attr-defined]

    before = set(threading._active)  # type: ignore[attr-defined]
    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1)
    assert threading._active.keys() <= before  # type: ignore[attr-defined]


def test_setting_a_signal_handler_is_refused_in_main_and_fails_as_ever_in_a_thread():
    def body():
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    before = signal.getsignal(signal.SIGUSR1)
    with pytest.raises(hocket.errors.Refused, match=r"'signal\.signal' was called .* call the handler from a thread"):
        hocket.explore(body)
    assert signal.getsignal(signal.SIGUSR1) is before

    def elsewhere():
        said = []

        def act() -> None:
            try:
                body()
            except ValueError as error:
                said.append(str(error))

        _in_a_thread(act)
        return said[0]

    assert list(hocket.explore(elsewhere).outcomes) == ["signal only works in main thread of the main interpreter"]


def test_asyncio_asks_for_a_handler_and_goes_on_without():
    async def main() -> int:
        return 3

    assert hocket.explore(lambda: asyncio.run(main())).outcomes == {3: 1}
