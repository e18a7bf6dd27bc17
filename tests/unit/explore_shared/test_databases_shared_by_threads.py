"""SQLite: a connection and its cursors are one thing, each method a step; a file is everybody's.

Each program is a function of a guard: without a lock it fails, with one it is proved, with two orders.
"""

import io
import sqlite3
import tempfile
import threading
import zlib
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

import hocket
from tests.together import together


def twice(guard, work):
    def guarded():
        with guard:
            work()

    together(guarded, guarded)


def accounts(place=":memory:"):
    """One account, with nothing on it."""
    connection = sqlite3.connect(place, check_same_thread=False)
    connection.execute("create table account (balance)")
    connection.execute("insert into account values (0)")
    connection.commit()
    return connection


def balance_of(connection):
    return connection.execute("select balance from account").fetchone()[0]


def read_and_written(guard):
    bank = accounts()
    twice(guard, lambda: bank.execute("update account set balance = ?", (balance_of(bank) + 1,)))
    assert balance_of(bank) == 2


def the_row_that_was_inserted_last(guard):
    cursor, rows = accounts().cursor(), []

    def insert():
        cursor.execute("insert into account values (1)")
        rows.append(cursor.lastrowid)

    twice(guard, insert)
    assert sorted(rows) == [2, 3]


def two_cursors_of_one_connection(guard):
    """The transaction is the connection's: who rolls back takes with it what another cursor has done."""
    bank = accounts()

    def deposit():
        with guard, bank:
            bank.cursor().execute("update account set balance = balance + 1")

    def think_better():
        with guard:
            bank.cursor().execute("update account set balance = balance + 5")
            bank.rollback()

    together(deposit, think_better)
    assert balance_of(bank) == 1


def one_goes_through_the_rows(guard):
    """A row that is put in behind the one that was read comes as well."""
    bank, seen = accounts(), []

    def insert():
        with guard:
            bank.execute("insert into account values (1)")
            bank.execute("delete from account where balance = 1")

    def look():
        with guard:
            seen.extend(balance for balance, in bank.execute("select balance from account"))

    together(insert, look)
    assert seen == [0]


def a_function_that_it_calls(guard):
    bank, calls = accounts(), [0]

    def counted(value):
        calls[0] += 1
        return value

    bank.create_function("counted", 1, counted)

    def query():
        with guard:
            bank.execute("select counted(balance) from account").fetchall()

    def count():
        with guard:
            calls[0] += 1

    together(query, count)
    assert calls == [2]


PROGRAMS = [read_and_written, the_row_that_was_inserted_last, two_cursors_of_one_connection, one_goes_through_the_rows,
            a_function_that_it_calls]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_connection_without_a_lock_fails_and_with_one_is_proved(program):
    result = hocket.explore(lambda: program(nullcontext()))
    assert (result.verdict, result.failure.kind) == ("failed", "assertion"), result
    assert result.failure.replayed
    lock = threading.Lock()
    result = hocket.explore(lambda: program(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result


def test_what_one_statement_does_is_one_step():
    def body():
        bank = accounts()
        together(*[lambda: bank.execute("update account set balance = balance + 1")] * 2)
        assert balance_of(bank) == 2

    result = hocket.explore(body)
    assert (result.verdict, result.classes) == ("proved", 2), result


def in_a_file(guard):
    """Each with a connection of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "bank.db")
        accounts(place).close()

        def deposit():
            with closing(sqlite3.connect(place)) as bank:
                bank.execute("update account set balance = ?", (balance_of(bank) + 1,))
                bank.commit()

        twice(guard, deposit)
        with closing(sqlite3.connect(place)) as bank:
            assert balance_of(bank) == 2


def test_a_database_in_a_file_is_ordered_by_a_lock_or_reported():
    lock = threading.Lock()
    result = hocket.explore(lambda: in_a_file(lock))
    assert (result.verdict, result.classes) == ("proved", 2), result
    result = hocket.explore(lambda: in_a_file(nullcontext()))
    assert result.verdict == "incomplete"
    assert any("bank.db is written by" in told for told in result.untracked), result.untracked


OUTSIDE = {"a connection": (accounts(), lambda bank: bank.execute("update account set balance = balance + 1")),
           "a compressor": (zlib.compressobj(), lambda compressor: compressor.compress(b"more"))}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_c_keeps_and_nobody_can_put_back_is_reported(name):
    thing, use = OUTSIDE[name]
    result = hocket.explore(lambda: together(lambda: use(thing), lambda: use(thing)))
    assert (result.verdict, result.classes) == ("incomplete", 2), result
    assert any("was there before and changes" in told for told in result.untracked), result.untracked


def test_a_connection_of_before_may_be_read():
    bank = accounts()

    def body():
        found = []
        together(lambda: found.append(bank.in_transaction), lambda: found.append(bank.total_changes))
        assert sorted(found) == [False, 1]

    assert hocket.explore(body).verdict == "proved"


def test_what_a_stream_says_of_itself_is_a_step():
    def body():
        stream, closed = io.StringIO(), []
        together(stream.close, lambda: closed.append(stream.closed))
        return closed[0]

    result = hocket.explore(body)
    assert (result.verdict, result.outcomes) == ("proved", {True: 1, False: 1}), result
