"""python-statemachine: an event that is sent while another thread is about to finish stays in the queue.

Who sends an event puts it into a queue and becomes the one who works it off, unless somebody is at it already. That one
finds the queue empty and then lets go; an event that comes in between is nobody's, until the next one is sent. So a
machine that was told twice to go on has gone on once. Since 2.3.2 there is a lock, which is what the second thread
does not wait for; 3.2.2 does the same.
"""

import threading

from statemachine import State, StateMachine

from tests.real_bugs.bug import Bug

BUG = Bug("python-statemachine", "2.5.0", "",
          "https://github.com/fgmacedo/python-statemachine/blob/v2.5.0/statemachine/engines/sync.py#L55",
          track=("statemachine",), dear=True)


class Door(StateMachine):
    shut = State(initial=True)
    ajar = State()
    wide = State(final=True)
    push = shut.to(ajar) | ajar.to(wide)


def body() -> None:
    door = Door()
    visitors = [threading.Thread(target=lambda: door.send("push")) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert door.current_state is door.wide, f"pushed twice, the door is {door.current_state.id}"
