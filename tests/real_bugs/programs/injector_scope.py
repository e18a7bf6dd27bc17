"""injector: two singletons of one class, although each scope has a lock.

The scope itself is bound when somebody asks for it first, by a check and a write without a lock: two threads
that ask at once get two scopes, and each scope has a lock and an instance of its own. The race is in the registry,
one floor above the lock. In 0.22.0 it is gone; how annotations are read there is more than can be tracked, so nothing
is proved of it.
"""

import threading

import injector

from tests.real_bugs.bug import Bug

BUG = Bug("injector", "0.20.0", "", "https://github.com/python-injector/injector/blob/master/injector/__init__.py",
          track=("injector",), needs=("typing_extensions==4.15.0",), dear=True)


class Service:
    """What there should be one of."""


def body() -> None:
    registry = injector.Injector(
        lambda binder: binder.bind(Service, to=Service, scope=injector.singleton), auto_bind=False)
    got: list[Service] = []
    threads = [threading.Thread(target=lambda: got.append(registry.get(Service))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got[0] is got[1], "two singletons"
