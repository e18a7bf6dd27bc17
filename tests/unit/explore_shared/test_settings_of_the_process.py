"""A locale, a working directory, a mask: C keeps them for all threads; who sets one while others live is told so."""

import calendar
import locale
import os
import threading

import pytest

import hocket


def of_the_locale():
    return calendar.LocaleTextCalendar(locale="C").formatweekday(0, 3)


SETTINGS = {"setlocale": of_the_locale, "chdir": lambda: os.chdir("."), "umask": lambda: os.umask(os.umask(0o22))}


@pytest.mark.parametrize("name", SETTINGS)
def test_who_sets_what_all_threads_use_is_reported(name):
    def body():
        threads = [threading.Thread(target=SETTINGS[name]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    before = locale.setlocale(locale.LC_TIME)
    result = hocket.explore(body, track=["calendar", "locale"])
    assert (result.verdict, locale.setlocale(locale.LC_TIME)) == ("incomplete", before)
    assert any(f"{name} sets what all threads use" in line for line in result.untracked)
