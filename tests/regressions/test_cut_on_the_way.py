"""An execution that is stopped from outside on its way to what is new was taken for one that had ended there.

The search then looked for races among the events of the execution before, and an IndexError came out.
"""

from __future__ import annotations

import threading

import pytest

import hocket
from hocket.explore.threads.control import Control


@pytest.mark.parametrize("stopped_at", [0, 1, 4])
def test_an_execution_that_is_stopped_early_is_of_no_account(monkeypatch, stopped_at):
    executions = []

    def body():
        executions.append(True)
        lock = threading.Lock()

        def work():
            for _ in range(3):
                lock.acquire()
                lock.release()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    choose_next = Control._choose_next

    def stopping(control, actor):
        if len(executions) == 3 and len(control.execution.events) == stopped_at:
            control.session.stop = "seconds"
        return choose_next(control, actor)

    monkeypatch.setattr(Control, "_choose_next", stopping)
    result = hocket.explore(body, data="off")
    assert (result.verdict, result.classes, result.executions) == ("incomplete", 2, 2)
