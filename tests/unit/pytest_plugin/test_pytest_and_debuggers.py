"""Explored tests beside what looks into programs: coverage.py, and `breakpoint()` with somebody at a pipe."""

from __future__ import annotations

import sys

import pytest

pytest_plugins = "pytester"

BANK = """
class Account:
    def __init__(self):
        self.balance = 0

    def deposit(self, amount):
        if amount < 0:
            raise ValueError(amount)
        old = self.balance
        self.balance = old + amount
        return self.balance
"""
TEST = """
import threading
import pytest
from bank import Account

@pytest.mark.explore(track=["bank"])
def test_deposits():
    account = Account()
    threads = [threading.Thread(target=account.deposit, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.balance > 0
"""


def test_coverage_counts_the_lines_of_explored_code_and_the_verdict_stays(pytester):
    coverage = pytest.importorskip("coverage")
    pytester.makepyfile(bank=BANK, test_it=TEST)
    result = pytester.run(sys.executable, "-m", "coverage", "run", "--branch", "--include=bank.py", "-m", "pytest")
    # as without coverage
    result.stdout.fnmatch_lines(["proved      test_it.py::test_deposits  8 classes, 8 executions*"])
    measured = coverage.Coverage()
    measured.load()
    _, lines, _, missing, _ = measured.analysis2(str(pytester.path / "bank.py"))
    assert (lines, missing) == ([1, 2, 3, 5, 6, 7, 8, 9, 10], [7])


def test_a_breakpoint_stops_in_the_interleaving_that_fails_and_in_no_other(pytester):
    pytester.makepyfile(test_it="""
        import threading
        import pytest

        @pytest.mark.explore
        def test_lost():
            count = [0]
            def add():
                old = count[0]
                count[0] = old + 1
                if count[0] == 1:
                    breakpoint()
            threads = [threading.Thread(target=add) for _ in range(2)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert count[0] == 2

        @pytest.mark.explore
        def test_right():
            breakpoint()
    """)
    result = pytester.run(sys.executable, "-m", "pytest", stdin=b"p 'seen', old, count\nc\n" * 2)
    # the shown interleaving: both have read 0, and each finds the 1 that it has written
    result.stdout.fnmatch_lines(["*PDB set_trace*", "(Pdb) ('seen', 0, [[]1])", "*PDB continue*"])
    assert str(result.stdout).count("('seen', 0, [1])") == 2
    result.stdout.fnmatch_lines([
        "assertion: AssertionError: assert 1 == 2 in main",
        "proved *test_right*breakpoint() passed over: it stops in a failing interleaving, and with --explore-replay"])
