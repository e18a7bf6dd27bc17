"""Signals, messages and the watermark between subsystems, as Orchestra has them and as they should be.

Signals are numbered; every subsystem gets all of them, in one order. A message is stamped with the number of signals
that its sender had heard, and its receiver may take it only when it has heard as many (the watermark). Until then
it is *pending*, ahead of everything else but signals. A subsystem has a queue of each kind, first in first out, and
looks at unbounded before priority before bulk. A broadcast goes from one subsystem to the next, and the next begins
only when all that are alive have been reached: that is what is repaired here (O-B1, O-B2, O-B4). After section 4.2 of
the seeds' semantics.
"""

from __future__ import annotations

from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    axiom,
    environment,
    exists,
    forall,
    initial,
    ite,
    mistaken,
    rank,
    sometimes,
)


class Watermark(Spec):
    """Any number of subsystems, messages and signals."""

    Node = Sort()
    Message = Sort()
    Kind = Sort("Kind", ("unbounded", "priority", "bulk"))
    Where = Sort("Where", ("lost", "delivered", "pending", "queued", "unsent"))

    sender = Function(Message, to=Node, rigid=True)
    outside = Relation(Message, rigid=True)  # sent by nobody of these, through the orchestra
    to = Function(Message, to=Node, rigid=True)
    kind = Function(Message, to=Kind, rigid=True)
    capacity = Function(Node, Kind, to=INT, rigid=True)
    signal_capacity = Function(Node, to=INT, rigid=True)
    signals = Function(to=INT, rigid=True)  # how many there will ever be

    epoch = Function(to=INT)  # signals broadcast
    sent = Function(Node, to=INT)  # signals put into its queue
    heard = Function(Node, to=INT)  # signals it has taken out
    alive = Relation(Node)
    where = Function(Message, to=Where)
    stamp = Function(Message, to=INT)
    ticket = Function(Message, to=INT)  # when it was sent
    tickets = Function(to=INT)
    room = Function(Node, Kind, to=INT)
    known = Function(Message, to=INT, ghost=True)  # how many signals its sender had heard when it sent it

    @axiom
    def there_is_room_for_one(s):
        """A queue without room would block every sender for ever."""
        return forall(s.Node, lambda i: s.signal_capacity[i] > 0) & forall(
            s.Node, s.Kind, lambda i, k: s.capacity[i, k] > 0
        )

    @initial
    def all_are_at_the_beginning(s):
        s.epoch = 0
        s.tickets = 0
        s.alive.each(lambda i: True)
        s.sent.each(lambda i: 0)
        s.heard.each(lambda i: 0)
        s.room.each(lambda i, k: s.capacity[i, k])
        s.where.each(lambda m: "unsent")
        s.stamp.each(lambda m: 0)
        s.ticket.each(lambda m: 0)
        s.known.each(lambda m: 0)

    # -- signals ------------------------------------------------------------------------------------------------------

    @environment()
    def broadcast(s):
        s.require("there is another signal", s.epoch < s.signals)
        reached = forall(s.Node, lambda i: s.alive[i] >> (s.sent[i] == s.epoch))
        s.require("the last signal has reached all that are alive", reached)
        s.epoch = s.epoch + 1

    @action(Node)
    def reach(s, i):
        s.require("it is alive", s.alive[i])
        s.require("a signal is on its way", s.sent[i] < s.epoch)
        s.require("there is room in its queue of signals", s.sent[i] - s.heard[i] < s.signal_capacity[i])
        s.sent[i] = s.sent[i] + 1

    @action(Node)
    def hear(s, i):
        s.require("it is alive", s.alive[i])
        s.require("no message may be delivered first", ~exists(s.Message, lambda m: s.is_due(i, m)))
        s.require("a signal is in its queue", s.heard[i] < s.sent[i])
        s.heard[i] = s.heard[i] + 1

    @environment(Node)
    def exit(s, i):
        """Its mailboxes go with it."""
        s.require("it is alive", s.alive[i])
        s.alive[i] = False
        held = lambda m: (s.to[m] == i) & s.where[m].among("queued", "pending")  # noqa: E731
        s.where.each(lambda m: ite(held(m), s.Where["lost"], s.where[m]))

    # -- messages -----------------------------------------------------------------------------------------------------

    @environment(Message)
    def send(s, m):
        s.require("one of the subsystems sends it", ~s.outside[m])
        s.require("its sender is alive", s.alive[s.sender[m]])
        s.puts(m, s.heard[s.sender[m]])
        s.known[m] = s.heard[s.sender[m]]

    @environment(Message)
    def post(s, m):
        """From outside: everything that the receiver was sent comes first."""
        s.require("it comes from outside", s.outside[m])
        s.puts(m, s.sent[s.to[m]])
        s.known[m] = s.sent[s.to[m]]

    def puts(s, m, stamp):
        place = (s.to[m], s.kind[m])
        s.require("it is new", s.where[m] == "unsent")
        s.require("its receiver is alive", s.alive[s.to[m]])
        s.require("there is room", (s.kind[m] == "unbounded") | (s.room[place] > 0))
        s.where[m] = "queued"
        s.stamp[m] = stamp
        s.ticket[m] = s.tickets
        s.tickets = s.tickets + 1
        s.room[place] = ite(s.kind[m] == "unbounded", s.room[place], s.room[place] - 1)

    def is_due(s, i, m):
        """It was pending, and its time has come."""
        return (s.to[m] == i) & (s.where[m] == "pending") & (s.stamp[m] <= s.heard[i])

    def is_first(s, m):
        """Nothing else in its receiver's queues comes before it."""
        same = lambda n: (s.where[n] == "queued") & (s.to[n] == s.to[m])  # noqa: E731
        kinds = lambda n: rank(s.kind[m]) <= rank(s.kind[n])  # noqa: E731
        line = lambda n: (s.kind[n] == s.kind[m]) >> (s.ticket[m] <= s.ticket[n])  # noqa: E731
        return (s.where[m] == "queued") & forall(s.Message, lambda n: same(n) >> (kinds(n) & line(n)))

    def takes(s, m):
        i = s.to[m]
        s.require("its receiver is alive", s.alive[i])
        held = exists(s.Message, lambda n: (s.to[n] == i) & (s.where[n] == "pending"))
        s.require("nothing is pending", ~held)
        s.require("no signal is in the queue", s.heard[i] == s.sent[i])
        s.require("it is the first in line", s.is_first(m))
        place = (i, s.kind[m])
        s.room[place] = ite(s.kind[m] == "unbounded", s.room[place], s.room[place] + 1)

    @action(Message)
    def take(s, m):
        s.takes(m)
        s.require("its receiver has heard what its sender had", s.stamp[m] <= s.heard[s.to[m]])
        s.delivers(m)

    @action(Message)
    def set_aside(s, m):
        s.takes(m)
        s.require("its receiver has not heard what its sender had", s.stamp[m] > s.heard[s.to[m]])
        s.where[m] = "pending"

    @action(Message)
    def resume(s, m):
        s.require("its receiver is alive", s.alive[s.to[m]])
        s.require("its time has come", s.is_due(s.to[m], m))
        s.delivers(m)

    def delivers(s, m):
        s.ensure("its receiver has heard whatever its sender had when it sent it", s.known[m] <= s.heard[s.to[m]])
        s.where[m] = "delivered"

    # -- what a search looks at ---------------------------------------------------------------------------------------

    @sometimes
    def a_message_waits_for_a_signal(s):
        return exists(s.Message, lambda m: s.where[m] == "pending")

    @mistaken
    def all_have_heard_the_same(s):
        """They differ by what is in their queues."""
        return forall(s.Node, s.Node, lambda i, j: s.heard[i] == s.heard[j])

    @mistaken
    def messages_come_in_the_order_of_sending(s):
        """Only those of one kind do."""
        pair = lambda m, n: (s.to[m] == s.to[n]) & (s.where[n] == "delivered") & (s.where[m] == "queued")  # noqa: E731
        return forall(s.Message, s.Message, lambda m, n: pair(m, n) >> (s.ticket[n] < s.ticket[m]))
