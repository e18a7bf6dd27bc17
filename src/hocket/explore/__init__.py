"""Every interleaving of unmodified code: `hocket.explore(body)`; the package itself is the function.

`hocket.explore.test` is the decorator for tests; the engine's parts (`semantics`,
`execution`, `dpor`, `model`) are modules of this package.
"""

from hocket.door import callable_package
from hocket.explore.atomic import Atomic, choose, sometimes
from hocket.explore.front import explore as _explore
from hocket.explore.front import replay, test
from hocket.explore.linear import linearizable
from hocket.explore.primitives import ExploredPrimitives
from hocket.explore.result import Result
from hocket.explore.sequential import Waits

__all__ = ["Atomic", "ExploredPrimitives", "Result", "Waits", "choose", "linearizable", "replay", "sometimes", "test"]

callable_package(__name__, _explore)
