"""werkzeug: a request pops what another request has pushed.

A `LocalStack` keeps its list in a context variable. Contexts are copied, the list in them is not: pushing made a copy
of it, popping took from the one that all contexts share. From 2.2.0 on no list in a context is changed; that is not
proved here, because what `Context.run` does with a function is C code's affair.
"""

import contextvars
import threading

from werkzeug.local import LocalStack

from tests.real_bugs.bug import Bug

BUG = Bug("werkzeug", "2.0.0", "", "https://github.com/pallets/werkzeug/blob/2.0.0/src/werkzeug/local.py#L229",
          track=("werkzeug.local",), preemptions=0, needs=("MarkupSafe==2.1.1",))


def body() -> None:
    stack: LocalStack[int] = LocalStack()
    stack.push(1)
    stack.push(2)
    popped: list[int | None] = []

    def request() -> None:
        popped.append(stack.pop())

    requests = [threading.Thread(target=contextvars.copy_context().run, args=(request,)) for _ in range(2)]
    for each in requests:
        each.start()
    for each in requests:
        each.join()
    assert popped == [2, 2], f"{popped}, and each began with 2 on top"
