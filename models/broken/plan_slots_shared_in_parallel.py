"""Y-B5, a payload overwritten: a compact layout under a picker that runs siblings in parallel.

Siblings share a slot because the first is over before the second begins. Let them run
at the same time, as YOrch announces, and one payload lies on the other. Repaired: a
slot for each of them; or the serial picker, for which `models.plans` finds the compact
layout sound.
"""

from __future__ import annotations

from models.plans import InParallel, plan
from models.showcase import Showcase

TREE = (None, 0, 0)  # a root with two children
COMPACT, _ = plan(TREE, layout="compact")
ONE_TO_ONE, SCOPE = plan(TREE)

SHOWCASE = Showcase(
    rank=15,
    seed="Y-B5",
    kind="assertion",
    claim="no_two_payloads_share_a_slot",
    broken=InParallel,
    repaired=InParallel,
    scope=SCOPE,
    given=COMPACT,
    given_repaired=ONE_TO_ONE,
)
