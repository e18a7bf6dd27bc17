"""concurrent.futures: `wait` waits for ever for a future that `shutdown(cancel_futures=True)` has cancelled.

`shutdown` cancels what has not begun, and takes it out of the queue. A cancelled future tells those who wait for it
when a worker meets it there; none ever will. No schedule is needed: each one waits for ever.
"""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

from tests.real_bugs.bug import Bug

BUG = Bug("python", "", "", "https://github.com/python/cpython/blob/3.11/Lib/concurrent/futures/thread.py#L215",
          track=("concurrent.futures",), kind="deadlock", preemptions=0, dear=True)


def body() -> None:
    go = threading.Event()
    pool = ThreadPoolExecutor(1)
    jobs = [pool.submit(go.wait), pool.submit(int)]
    pool.shutdown(wait=False, cancel_futures=True)
    go.set()
    wait(jobs)
