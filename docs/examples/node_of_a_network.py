"""A small node of a network as an orchestra, with two cycles of waiting left in: `hocket verify` shows how they close.

    hocket verify docs.examples.node_of_a_network:Node
"""

from __future__ import annotations

from hocket.orchestra import Orchestra, apart, asks, subsystem, unbounded


class Leaf: ...


class Collate: ...


class Backing: ...


class Availability: ...


class Statement: ...


class Node(Orchestra, signal=Leaf, event=str, error=Exception, routes=Collate):
    collation = subsystem(consumes=Collate, sends=[Backing, unbounded(Statement)])
    backing = subsystem(consumes=Backing, sends=asks(Availability))
    availability = subsystem(consumes=Availability, sends=Backing)
    statements = subsystem(consumes=Statement, sends=apart(Backing), events=True)
