"""Fixtures are set up once, around all executions, and each execution finds them as they were set up."""

from __future__ import annotations

import hocket.explore.front  # noqa: F401  # pytester forgets what its runs have imported

pytest_plugins = "pytester"

TESTS = """
    import collections, dataclasses, queue, threading
    import pytest

    class Account:
        def __init__(self):
            self.balance, self.lock, self.log = 0, threading.Lock(), collections.deque()

        def pay_in(self):
            with self.lock:
                self.balance += 1
                self.log.append(self.balance)

    class Service:
        def __init__(self, account):
            self.account, self.jobs, self.over = account, queue.Queue(), threading.Event()
            self.found = {}

        def work(self):
            self.account.pay_in()
            self.jobs.put(1)
            self.over.set()

        def lazily(self):
            if "made" not in self.found:
                self.found["made"] = object()
            return self.found["made"]

    @dataclasses.dataclass
    class Table:
        rows: dict = dataclasses.field(default_factory=dict)

    class Worker(threading.Thread):
        def run(self):
            self.done = True

    def twice(task):
        threads = [threading.Thread(target=task) for _ in range(2)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()

    @pytest.fixture
    def account():
        account = Account()
        yield account
        assert account.balance == 0 and not account.log, "at the teardown it stands as it was set up"

    @pytest.fixture
    def service(account): return Service(account)

    @pytest.fixture(scope="module")
    def table(): return Table()

    @pytest.fixture
    def worker(): return Worker()

    @pytest.mark.explore
    def test_an_object_of_the_program(account):
        twice(account.pay_in)
        assert account.balance == 2

    @pytest.mark.explore
    def test_what_it_holds(service):
        assert not service.over.is_set()
        twice(service.work)
        assert (service.account.balance, service.jobs.qsize(), len(service.account.log)) == (2, 2, 2)

    @pytest.mark.explore
    @pytest.mark.parametrize("number", range(2))
    def test_one_of_all_tests_of_the_module(table, number):
        lock = threading.Lock()
        def enter():
            with lock:
                table.rows[len(table.rows)] = number
        twice(enter)
        assert len(table.rows) == 2

    @pytest.mark.explore
    def test_a_thread_that_is_not_started_yet(worker):
        worker.start()
        worker.join()
        assert worker.done

    class TestOfAClass:
        @pytest.fixture(autouse=True)
        def own(self):
            self.entries, self.lock = [], threading.Lock()

        @pytest.mark.explore
        def test_what_is_set_up_on_the_instance(self):
            def enter():
                with self.lock:
                    self.entries.append(len(self.entries))
            twice(enter)
            assert self.entries == [0, 1]

    @pytest.mark.explore
    def test_a_race_that_only_a_fresh_one_has(service):
        got = []
        twice(lambda: got.append(service.lazily()))
        assert got[0] is got[1]
"""


def test_each_execution_and_the_teardown_find_what_the_fixture_has_set_up(pytester):
    """Seven tests that change what they are given; the last has a race, in the first use of what it is given."""
    pytester.makepyfile(TESTS)
    result = pytester.runpytest("-p", "no:randomly")
    result.assert_outcomes(passed=6, failed=1)
    result.stdout.fnmatch_lines(["*test_a_race_that_only_a_fresh_one_has*", "*AssertionError*"])
