"""circuitbreaker: two failures at the same time count as one, and the circuit stays closed.

The number of failures is read, added to and written back. At a threshold of two, a service that has failed both of its
callers is called a third time.
"""

import threading
from contextlib import suppress

from circuitbreaker import CircuitBreaker

from tests.real_bugs.bug import Bug

BUG = Bug("circuitbreaker", "2.1.3", "",
          "https://github.com/fabfuel/circuitbreaker/blob/2.1.3/circuitbreaker.py#L231",
          track=("circuitbreaker",))


def body() -> None:
    breaker = CircuitBreaker(failure_threshold=2)

    def call() -> None:
        with suppress(ValueError):
            breaker.call(int, "no number")

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert breaker.opened, f"two calls have failed, and {breaker.failure_count} counts"
