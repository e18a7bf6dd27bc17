"""pluggy: a plugin that one thread adds for a single call is called by another thread as well.

`call_extra` puts the methods that it is given among those of the hook, calls all of them, and takes the old list back.
Whoever calls the hook in between calls them, too. Version 1.5.0, among others, calls a list of its own.
"""

import threading

import pluggy

from tests.real_bugs.bug import Bug

BUG = Bug("pluggy", "0.13.1", "1.5.0", "https://github.com/pytest-dev/pluggy/blob/0.13.1/src/pluggy/hooks.py#L296",
          track=("pluggy",),
          dear=True)

specified, implemented = pluggy.HookspecMarker("example"), pluggy.HookimplMarker("example")


class Specification:
    @specified
    def started(self) -> None:
        """Somebody has started."""


def body() -> None:
    manager = pluggy.PluginManager("example")
    manager.add_hookspecs(Specification)
    answers: list[object] = []
    hook = manager.hook.started
    threads = [threading.Thread(target=lambda: hook.call_extra([lambda: "mine"], {})),
               threading.Thread(target=lambda: answers.extend(hook()))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not answers, f"{answers} is another thread's"
