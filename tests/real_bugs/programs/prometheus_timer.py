"""prometheus_client: the timer of a decorated function is shared by all its calls, and so is the time they began.

A call that is under way loses its start to one that begins later, and is recorded as shorter than it was. Since 0.3.1
each call has a timer of its own.
"""

import threading

import prometheus_client
from prometheus_client import core

from tests.real_bugs.bug import Bug

BUG = Bug("prometheus_client", "0.3.0", "0.3.1", "https://github.com/prometheus/client_python/issues/287",
          track=("prometheus_client",))


class Clock:
    """Time passes when a call says so."""

    def __init__(self) -> None:
        self.now, self._lock = 0, threading.Lock()

    def advance(self, seconds: int) -> None:
        with self._lock:
            self.now += seconds


def body() -> None:
    registry, clock = prometheus_client.CollectorRegistry(), Clock()
    summary = prometheus_client.Summary("request", "how long requests take", registry=registry)
    core.default_timer = lambda: clock.now

    @summary.time()
    def request(takes: int) -> None:
        clock.advance(takes)

    calls = [threading.Thread(target=request, args=(takes,)) for takes in (100, 7)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert registry.get_sample_value("request_sum") >= 107, "a call was recorded as shorter than it was"
