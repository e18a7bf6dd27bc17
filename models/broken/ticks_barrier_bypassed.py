"""S-B3, a barrier bypassed: a prong that is finalised itself runs before its fork may.

That prongs wait for their fork's predecessor is nowhere written down: the manager
just does not go there earlier. Whoever finalises a prong sends the manager there by
another way. Repaired in `models.ticks`: the barrier is an edge.

Where only the last node of a graph is finalised the two do the same, state by state.
"""

from __future__ import annotations

from hocket.spec import TRUE
from models.showcase import Showcase
from models.ticks import Ticks, graph


class BarrierOnTheWay(Ticks):
    """The same, but the barrier is only the way that the manager takes."""

    def barrier(s, n):
        return TRUE


SHOWCASE = Showcase(
    rank=12,
    seed="S-B3",
    kind="assertion",
    claim="no_prong_is_unblocked_before_its_forks_single_is_complete",
    broken=BarrierOnTheWay,
    repaired=Ticks,
    scope={"Node": ["t0", "F", "p"]},
    given=graph(["t0", "F", "p"], single=[("F", "t0")], prong=[("F", "p")], root=["F", "p"]),
)
