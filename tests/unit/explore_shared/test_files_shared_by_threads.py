"""Files: what threads read and write there is compared, and where nothing orders it nothing is proved."""

import os
import pathlib
import tempfile
import threading
from contextlib import nullcontext

import pytest

import hocket


def both(first, second):
    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def a_count(folder, guard):
    path = pathlib.Path(folder, "count")
    path.write_text("0")

    def work():
        with guard:
            path.write_text(str(int(path.read_text()) + 1))

    both(work, work)
    assert path.read_text() == "2"


def a_folder_that_is_made_if_it_is_not_there(folder, guard):
    path = os.path.join(folder, "made")

    def work():
        with guard:
            if not os.path.exists(path):
                os.mkdir(path)

    both(work, work)


def a_list_of_what_two_files_are_in(folder, guard):
    seen = []

    def write():
        with guard:
            for name in "ab":
                with open(os.path.join(folder, name), "w"):
                    pass

    def look():
        with guard:
            seen.append(len(os.listdir(folder)))

    both(write, look)
    assert seen[0] in (0, 2)


PROGRAMS = [a_count, a_folder_that_is_made_if_it_is_not_there, a_list_of_what_two_files_are_in]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_what_nothing_orders_is_not_proved_and_what_a_lock_orders_is(program):
    def body(guard):
        with tempfile.TemporaryDirectory() as folder:
            program(folder, guard)

    result = hocket.explore(lambda: body(nullcontext()))
    assert result.verdict == "incomplete", result
    assert any("and nothing orders these" in told for told in result.untracked)
    lock = threading.Lock()
    result = hocket.explore(lambda: body(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_files_of_ones_own_and_reading_need_no_order():
    def body():
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "shared")
            with open(path, "w") as file:
                file.write("1")

            def work(name):
                with open(path) as file, open(os.path.join(folder, name), "w") as own:
                    own.write(file.read())

            both(lambda: work("a"), lambda: work("b"))

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 1), result


def test_a_file_that_an_execution_leaves_behind_is_told(tmp_path):
    """The second execution would find it, and the race to make it would be run once."""
    path, lock = tmp_path / "left", threading.Lock()

    def body():
        made = []

        def work():
            with lock:
                if not path.exists():
                    path.touch()
                    made.append(1)

        both(work, work)

    result = hocket.explore(body)
    assert result.verdict == "incomplete", result
    assert any("is not as the first execution found it" in told for told in result.untracked)
