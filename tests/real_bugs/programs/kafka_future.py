"""kafka-python: a callback that is added while the future succeeds is never called.

`add_callback` asks whether the future is done and puts the callback on a list if not; `success` calls what is on
the list. If the future succeeds between the two, nobody looks at the list again, and who waits for the callback waits
for ever. Version 2.2.0, among others, holds a lock.
"""

import threading

from kafka.future import Future

from tests.real_bugs.bug import Bug

BUG = Bug("kafka-python", "2.0.2", "2.2.0", "https://github.com/dpkp/kafka-python/blob/2.0.2/kafka/future.py",
          track=("kafka.future",), dear=True)


def body() -> None:
    sent: Future = Future()
    told: list[int] = []
    threads = [threading.Thread(target=sent.success, args=(1,)),
               threading.Thread(target=sent.add_callback, args=(told.append,))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [1], "the callback was not called"
