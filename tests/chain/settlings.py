"""One task settled in the middle of a step: what the kernel's list of whom to look at promises, in every neighbourhood.

A step of the kernel's settles one task after the other, from a list that grows while it is read. That nobody is
forgotten follows from what holds of each settling, whoever is on the list:

- it does what the rows say, to the task and to all who wait for it, and puts whom it says on the list, in order;
- then no row applies to the task any more;
- whoever else has one that applies is on the list, if that was so before;
- where a failure stops the scope, nobody was still to be skipped. (Whom this very failure hurts is cancelled.)

The same is looked at of being told something, which is where each step begins.
So at the end no row applies to anybody, and nobody was cancelled who was to be skipped: in any graph, by induction on
the settlings; there are finitely many, since rows only lead on. Here they are looked at for a task of which a row
applies, however it stands, beside any one, any two in either order, and any three of a few: waiting for the task, on
the list, both, or neither.

`python -m tests.chain.settlings` goes through all of it; a slice is part of the tests.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, combinations_with_replacement, islice, product
from typing import Any

from hocket.errors import Refused
from hocket.kernel import Edge, Kernel, Node, Policy
from hocket.kernel.lifecycle import Stimulus
from hocket.kernel.tables import settle, state_row
from tests.chain import steps
from tests.chain.steps import FLAGS, O, P, Said, Stands, kernel_of, possible, seen, waiters


class Looked(Kernel):
    """A kernel that takes down who is still to be skipped when a scope is about to be stopped."""

    def __init__(self, policy: Policy = Policy.ISOLATE) -> None:
        super().__init__(policy)
        self.late: list[Node] = []

    def _skip_first(self) -> None:
        super()._skip_first()
        self.late += [node for node in self.nodes if node.phase is P.WAITING and not node.start and node.hurt]

    def follow(self) -> None:
        """Not here: one at a time."""


def differs(said: Said) -> str | None:
    """What the settling of the first node breaks of what is promised."""
    kernel, nodes = _looked(said)
    before = [replace(one) for one in said.nodes]
    said.agenda = [nodes.index(node) for node in kernel._agenda]
    settle(kernel, nodes[0])
    said.settle(0)
    theirs = [(command, nodes.index(node)) for command, node in kernel.commands], [*map(nodes.index, kernel._agenda)]
    ours = said.commands, said.agenda
    same = [seen(node) for node in nodes] == [one.seen() for one in said.nodes]
    same = same and ours == theirs and said.stopped == (kernel.scope.stopped is not None)
    broken = [*([] if same else ["does what the rows say"]), *_broken(kernel, nodes)]
    return f"settled under {said.policy.name} in {before}: not so that it {', '.join(broken)}" if broken else None


def forgets(said: Said, stimulus: Stimulus) -> str | None:
    """What a kernel that was told something breaks of what is promised, before anybody else is looked at."""
    kernel, nodes = _looked(said)
    with suppress(Refused):
        kernel.receive(stimulus, nodes[0])
        if broken := _broken(kernel, nodes):
            return f"{stimulus.name} under {said.policy.name} in {said.nodes}: not so that it {', '.join(broken)}"
    return None


def _looked(said: Said) -> tuple[Looked, list[Node]]:
    """Whoever has a row that applies is on the list."""
    kernel, nodes = kernel_of(said, Looked)
    assert isinstance(kernel, Looked)
    kernel._agenda += [node for node in nodes[1:] if state_row(node) is not None]
    return kernel, nodes


def _broken(kernel: Looked, nodes: list[Node]) -> list[str]:
    promises = {
        "leaves no row that applies to it": state_row(nodes[0]) is None,
        "lists whoever has one": all(state_row(node) is None or node in kernel._agenda for node in nodes[1:]),
        "skips before it stops": not kernel.late,
    }
    return [promise for promise, kept in promises.items() if not kept]


# -- every neighbourhood -----------------------------------------------------------------------------------------------


def middles() -> Iterator[Stands]:
    """A node of which a row applies, however it stands."""
    for hurt, bereft, bodied, children in product(FLAGS, FLAGS, FLAGS, range(2)):
        rest: Any = {"hurt": hurt, "bereft": bereft, "bodied": bodied, "children": children}
        yield Stands(P.WAITING, **rest)
        if bodied and not hurt:
            yield from (Stands(P.RUNNING, fate, True, **rest) for fate in (O.FINISHED, O.FAILED))
            if not children:
                yield from (Stands(P.DRAINING, fate, fate <= O.FAILED, **rest) for fate in O)


def listed() -> Iterator[Stands]:
    """Somebody of whom a row applies, and who therefore is on the list; perhaps the node in the middle is its child."""
    for one in middles():
        if one.phase is not P.RUNNING:
            yield one
            if one.children:
                yield from (replace(one, children=count, by=(Edge.HOLD,)) for count in (1, 2))


def bystanders() -> Iterator[Stands]:
    """Somebody who does not wait for it: a stop falls on these as well."""
    for hurt, aside in product(FLAGS, FLAGS):
        yield from (Stands(phase, start=1, hurt=hurt, aside=aside) for phase in (P.IDLE, P.WAITING))
        yield Stands(P.READY, aside=aside)


def few() -> list[Stands]:
    """Of each kind those whose marks matter to others."""
    known = (one for one in listed() if not one.bereft and one.children < 2)
    return [*waiters(few=True), *known, *(one for one in bystanders() if not (one.hurt or one.aside))]


def neighbourhoods(every: int = 1) -> Iterator[Said]:
    some = few()
    around = chain(
        [()],
        ((one,) for one in chain(waiters(), listed(), bystanders())),
        product(some, repeat=2),
        combinations_with_replacement(some, 3),
    )
    asked = product(around, Policy, FLAGS, list(middles()))
    for others, policy, stopped, middle in islice(asked, None, None, every):
        if possible(policy, stopped, (middle, *others)):
            yield Said(policy, stopped, [replace(one) for one in (middle, *others)])


def judged(every: int = 1) -> tuple[int, int]:
    """How many settlings and beginnings were tried, every so manieth; AssertionError for the first broken promise."""
    settlings = beginnings = 0
    for said in neighbourhoods(every):
        found = differs(said)
        assert found is None, found
        settlings += 1
    for said, stimulus in steps.neighbourhoods(every):
        found = forgets(said, stimulus)
        assert found is None, found
        beginnings += 1
    return settlings, beginnings


if __name__ == "__main__":
    began = time.process_time()
    tried = judged(int(sys.argv[1]) if sys.argv[1:] else 1)
    print(f"{tried[0]} settlings and {tried[1]} beginnings as promised, {time.process_time() - began:.0f} s")
