"""Reports call a thread what the program has called it; a schedule calls it t1 as ever, and replays under any name."""

from __future__ import annotations

import threading

import pytest

import hocket


def crossing(*names):
    """Two threads that take two locks in opposite order, called so (None: not named)."""

    def body():
        left, right = threading.Lock(), threading.Lock()

        def crossing(first, second):
            with first, second:
                pass

        threads = [threading.Thread(target=crossing, args=pair, name=name)
                   for name, pair in zip(names, ((left, right), (right, left)), strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return body


@pytest.mark.parametrize(("names", "told"), [
    ((None, None), ("t1", "t2")),
    (("reader", "writer"), ("reader", "writer")),
    (("reader", None), ("reader", "t2")),
    (("worker", "worker"), ("worker (t1)", "worker (t2)")),
    (("main", "t1"), ("main (t1)", "t1 (t2)")),  # names that somebody else has already
    (("Thread-7", "ThreadPoolExecutor-0_1"), ("t1", "t2")),  # as threading names those that nobody names
])
def test_a_deadlock_names_threads_and_locks_as_the_program_does(names, told):
    failure = hocket.explore(crossing(*names), data="off").failure
    one, two = told
    assert set(failure.cycle) == {one, two}
    assert f"{one} holds left and waits for right" in failure.message
    assert f"{two} holds right and waits for left" in failure.message
    assert failure.actors == ("main", one, two)
    assert {row.actor for row in failure.rows} == {"main", one, two}
    assert f"start {one}" in {row.text for row in failure.rows}
    assert {step.actor for step in failure.schedule.steps} == {"main", "t1", "t2"}
    with pytest.raises(hocket.errors.DeadlockError):
        hocket.replay(crossing(None, None), str(failure.schedule), data="off")


def test_a_long_name_keeps_to_its_column():
    failure = hocket.explore(crossing("the one that reads " * 9, "writer"), data="off").failure
    header = str(failure).splitlines()[2]
    assert len(header) <= 80
    assert "the one" in header
    assert header.split()[-1] == "writer"


def test_a_lane_of_a_failed_assertion_has_the_name_too():
    def body():
        def work():
            raise AssertionError("wrong")

        thread = threading.Thread(target=work, name="checker")
        thread.start()
        thread.join()

    failure = hocket.explore(body, data="off").failure
    assert failure.message == "AssertionError: wrong in checker"
    assert failure.rows[-1].actor == "checker"
