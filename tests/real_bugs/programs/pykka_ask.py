"""pykka: a question to an actor that stops at the same time is never answered, and whoever asked waits for ever.

`ask` looks whether the actor lives, then puts the question into its inbox; in between the actor may stop and empty the
inbox for the last time. Nobody has fixed it.
"""

import contextlib
import threading

import pykka

from tests.real_bugs.bug import Bug

BUG = Bug("pykka", "4.4.1", "", "https://github.com/jodal/pykka/blob/v4.4.1/src/pykka/_ref.py", track=("pykka",),
          kind="deadlock")


class Echo(pykka.ThreadingActor):
    def on_receive(self, message: object) -> object:
        return message


def body() -> None:
    echo = Echo.start()

    def ask() -> None:
        with contextlib.suppress(pykka.ActorDeadError):  # the answer that the documentation promises
            echo.ask("anybody there?")

    asking = threading.Thread(target=ask)
    asking.start()
    echo.stop()
    asking.join()
