"""What a node costs: at most 150 ns of CPU above the bare call in the recursive executor, where there are no payloads.

The measured functions do the same, which is tested first. A slow machine is slow in both, so the limit is asked of
machines on which a bare call takes up to 40 ns, and grows with it beyond.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.plan import nodes

WITHOUT_PAYLOADS = [name for name in nodes.TOPOLOGIES if name.endswith("no payloads")]


@pytest.mark.parametrize("topology", nodes.TOPOLOGIES)
def test_the_bare_function_and_every_contender_call_the_same_bodies_in_the_same_order(topology, monkeypatch):
    called: list = []

    def noting(name):
        body = getattr(nodes, name)

        def noted(*args):
            called.append((name, *args))
            return body(*args)

        noted.__name__, noted.__annotations__ = name, body.__annotations__
        noted.__wrapped__ = body  # its signature
        return noted

    for name in ("nothing", "five", "more", "read", "block", "use"):
        monkeypatch.setattr(nodes, name, noting(name))
    tree, text = nodes.TOPOLOGIES[topology]()
    plan = nodes.compile_plan(tree)
    seen = []
    for call in nodes.contenders(plan, text).values():
        called.clear()
        call()
        seen.append(list(called))
    assert len(plan) == len(seen[0])
    assert all(one == seen[0] for one in seen)


@pytest.mark.parametrize("topology", WITHOUT_PAYLOADS)
def test_a_node_without_payload_costs_at_most_150_ns_above_its_call(topology):
    found = nodes.cost(topology, calls=200, rounds=15)
    assert found.above("recursive") <= 150 * max(1.0, found.bare / 40)
