"""A program that reaches its limit of steps is run again, to see whether it would ever end. If it blocks outside of the
explorer's control then, there is no execution to look at (IndexError): whether it ends stays unknown."""

import threading
import time

import hocket


def test_whether_it_would_end_stays_unknown():
    runs, real = [], threading.Lock()

    def body():
        runs.append("run")
        if len(runs) > 1:
            with real:  # held from before the exploration: nobody sees who waits for it
                pass
        while True:
            time.sleep(1)

    with real:
        result = hocket.explore(body, data="off", steps=50)
    assert (result.verdict, len(runs)) == ("incomplete", 2)
    assert result.reason.startswith("an execution reached the limit of 50 steps")
