"""Every interleaving of unmodified code: `hocket.explore(body)`; the package itself is the function.

`hocket.explore.test` is the decorator for tests; the engine's parts (`semantics`,
`execution`, `dpor`, `model`) are modules of this package.
"""

from hocket.door import callable_package
from hocket.explore.front import explore as _explore
from hocket.explore.front import replay, test
from hocket.explore.linear.linearizable import linearizable
from hocket.explore.linear.sequential import Waits
from hocket.explore.result import Result
from hocket.explore.threads.atomic import Atomic, choose, sometimes
from hocket.explore.threads.primitives import ExploredPrimitives

__all__ = ["Atomic", "ExploredPrimitives", "Result", "Waits", "choose", "linearizable", "replay", "sometimes", "test"]

callable_package(__name__, _explore)
