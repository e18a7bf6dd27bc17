"""Telling every subsystem the same signal, although some of them are slow.

The orchestra tries every signal queue in turn; where there is no room it does not
wait: it goes on, and afterwards awaits all those whom it could not reach, at once.
`models.broken.orchestra_broadcast_in_turn` waits in turn, and deadlocks.

Three subsystems, every queue of room one (a deadlock of many places is there with one
place already). s1 and s2 send to s3 for every signal, s1 once and s2 twice. A message
carries how many signals its sender had seen, and s3 holds it back until it has seen
as many: while it does, it takes signals only.

Its counts are those of the seeds' own model (their O-B1): 2,743 states without the
bug, 969 with it, and 22 steps to the deadlock. That model was not written down, its
counts were: who sends how much to whom, in how many rounds, and that ending a round is
a step of its own, was varied until all three came out.
"""

from __future__ import annotations

from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    Term,
    action,
    always,
    conj,
    forall,
    initial,
    ite,
    mistaken,
    sometimes,
)
from models.showcase import able

ROUNDS = 3


class Broadcast(Spec):
    """Try all, then await those who had no room."""

    Subsystem = Sort("Subsystem", ("s1", "s2", "s3"))
    rounds = Function(to=INT)  # broadcasts that are complete
    tried = Relation(Subsystem)  # in this round
    deferred = Relation(Subsystem)
    signals = Function(Subsystem, to=INT)  # that wait for it
    seen = Function(Subsystem, to=INT)
    to_send = Function(Subsystem, to=INT)  # messages before it looks at its signals again
    queued = Relation()  # s3's message queue
    queued_stamp = Function(to=INT)
    held = Relation()  # s3's message that came too early
    held_stamp = Function(to=INT)

    @initial
    def nothing_was_sent(s):
        for part in (s.tried, s.deferred):
            part.each(lambda x: False)
        for count in (s.signals, s.seen, s.to_send):
            count.each(lambda x: 0)
        s.rounds, s.queued_stamp, s.held_stamp = 0, 0, 0
        s.queued, s.held = False, False

    # -- the orchestra

    @action(Subsystem)
    def offer(s, x):
        s.require("there is another round", s.rounds < ROUNDS)
        s.require("it has not been tried in this round", ~s.tried[x])
        s.require("those before it have", forall(s.Subsystem, lambda y: (y < x) >> s.tried[y]))
        room = s.signals[x] < 1
        s.without_room(x, ~room)
        s.tried[x] = True
        s.signals[x] = ite(room, s.signals[x] + 1, s.signals[x])

    def without_room(s, x, full):
        s.deferred[x] = full

    @action(Subsystem)
    def reach(s, x):
        s.require("everybody was tried", forall(s.Subsystem, lambda y: s.tried[y]))
        s.require("it has not been reached", s.deferred[x])
        s.require("there is room by now", s.signals[x] < 1)
        s.deferred[x] = False
        s.signals[x] += 1

    @action()
    def end_the_round(s):
        s.require("everybody was tried", forall(s.Subsystem, lambda y: s.tried[y]))
        s.require("everybody was reached", forall(s.Subsystem, lambda y: ~s.deferred[y]))
        s.rounds += 1
        s.tried.each(lambda y: False)

    # -- the subsystems

    @action(Subsystem)
    def take_signal(s, x):
        s.require("a signal waits", s.signals[x] > 0)
        s.require("it has nothing to send", s.to_send[x] == 0)
        s.require("it holds no message that may be delivered", ~((x == "s3") & s.held & (s.held_stamp <= s.seen["s3"])))
        s.signals[x] -= 1
        s.seen[x] += 1
        s.to_send[x] = ite(x == "s1", 1, ite(x == "s2", 2, 0))

    @action(Subsystem)
    def send(s, x):
        s.require("it has something to send", s.to_send[x] > 0)
        s.require("there is room", ~s.queued)
        s.to_send[x] -= 1
        s.queued, s.queued_stamp = True, s.seen[x]

    @action()
    def take_message(s):
        s.require("a message waits, and none is held", s.queued & ~s.held)
        s.require("signals come first", s.signals["s3"] == 0)
        early = s.queued_stamp > s.seen["s3"]
        s.held, s.held_stamp = early, ite(early, s.queued_stamp, 0)
        s.queued, s.queued_stamp = False, 0

    @action()
    def deliver(s):
        s.require("a message is held", s.held)
        s.require("what its sender had seen has been seen", s.held_stamp <= s.seen["s3"])
        s.held, s.held_stamp = False, 0

    # -- what holds

    @always
    def who_can_go_no_further_has_handled_everything(s):
        return able(s) | s.everything_handled()

    def everything_handled(s) -> Term:
        idle = forall(s.Subsystem, lambda x: (s.signals[x] == 0) & (s.to_send[x] == 0))
        return conj(s.rounds == ROUNDS, idle, ~s.queued, ~s.held)

    @always
    def signals_are_seen_or_wait(s):
        """Nobody is more than one signal ahead of the round, and nobody misses one for good."""
        given = lambda x: s.tried[x] & ~s.deferred[x]  # noqa: E731  # a word of this sentence only
        return forall(s.Subsystem, lambda x: s.seen[x] + s.signals[x] == s.rounds + ite(given(x), 1, 0))

    @always
    def queues_hold_one(s):
        return forall(s.Subsystem, lambda x: s.signals[x] <= 1)

    @sometimes
    def a_message_is_held_back(s):
        return s.held

    @sometimes
    def somebody_is_awaited(s):
        return s.deferred["s2"]

    @mistaken
    def nobody_is_more_than_one_signal_behind(s):
        """Queues of room one hold one signal each, and one more is under way."""
        return forall(s.Subsystem, s.Subsystem, lambda x, y: s.seen[x] <= s.seen[y] + 1)
