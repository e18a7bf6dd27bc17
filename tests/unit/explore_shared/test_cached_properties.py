"""A `functools.cached_property` is written by whoever asks first, although no line of the program assigns it.

No code here may assign an attribute of these names: then each read would be an operation for that reason.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

import hocket


class Report:
    @functools.cached_property
    def author(self) -> str:
        return threading.current_thread().name


class Longer(Report):
    pass


def asked_by_two(ask: Callable[[Report], str]) -> str:
    report, answers = Report(), []
    threads = [threading.Thread(target=lambda: answers.append(ask(report)), name=name) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return report.author


def test_who_asks_second_may_have_been_first() -> None:
    result = hocket.explore(lambda: asked_by_two(lambda report: report.author))
    assert (result.verdict, dict(result.outcomes)) == ("proved", {"one": 4, "other": 4})


def test_asked_for_by_name_it_is_the_same() -> None:
    result = hocket.explore(lambda: asked_by_two(lambda report: getattr(report, "author")))  # noqa: B009
    assert (result.verdict, dict(result.outcomes)) == ("proved", {"one": 4, "other": 4})


def test_a_class_that_inherits_it_is_asked_for_the_property_itself() -> None:
    def body() -> bool:
        kept, found = Longer(), []
        thread = threading.Thread(target=lambda: found.append((Longer.author, kept)))
        thread.start()
        thread.join()
        return found[0][0] is vars(Report)["author"] and "author" not in vars(kept)

    assert dict(hocket.explore(body).outcomes) == {True: 1}


def test_a_method_that_lru_cache_has_wrapped_is_not_certified_where_a_thread_calls_it_unseen() -> None:
    def body() -> int:
        asked = []

        class Source:
            @functools.lru_cache  # noqa: B019  # lives as long as the execution
            def read(self) -> None:
                asked.append(1)

        source = Source()
        threads = [threading.Thread(target=source.read) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(asked)

    result = hocket.explore(body)
    assert result.verdict == "incomplete"
    assert result.untracked == ("read, made by C (_lru_cache_wrapper), is called by a thread",)
