"""pyrate-limiter: two threads that ask for the last permit at once, and one of them waits for ever.

Both find room in the bucket, a `queue.Queue` with a limit; the second `put` into it blocks until somebody takes
something out, which nobody does: instead of a `BucketFullException` there is no answer.
"""

import threading
from contextlib import suppress

from pyrate_limiter import BucketFullException, Limiter, RequestRate

from tests.real_bugs.bug import Bug

BUG = Bug("pyrate-limiter", "2.10.0", "",
          "https://github.com/vutran1710/PyrateLimiter/blob/v2.10.0/pyrate_limiter/bucket.py",
          track=("pyrate_limiter",), kind="deadlock")


def body() -> None:
    limiter = Limiter(RequestRate(1, 60))

    def ask() -> None:
        with suppress(BucketFullException):
            limiter.try_acquire("ours")

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
