"""Two threads add one to a counter. Plain `threading`; only the counter is one that the explorer can see.

    hocket explore docs/examples/lost_update.py::lost_update
    hocket explore docs/examples/lost_update.py::kept_update
"""

import threading

import hocket


def lost_update() -> None:
    """Read, then write what was read plus one: between the two, the other thread's addition is lost."""
    counter = hocket.Atomic(0)

    def add_one() -> None:
        value = counter.load()
        counter.store(value + 1)

    both(add_one)
    assert counter.load() == 2, f"two additions, and the counter says {counter.load()}"


def kept_update() -> None:
    """The same under a lock."""
    counter = hocket.Atomic(0)
    lock = threading.Lock()

    def add_one() -> None:
        with lock:
            value = counter.load()
            counter.store(value + 1)

    both(add_one)
    assert counter.load() == 2, f"two additions, and the counter says {counter.load()}"


def both(work) -> None:
    threads = [threading.Thread(target=work, name=name) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
