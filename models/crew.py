"""How executors share what is ready, park, and are woken: what `hocket.runtime.crew` does under its lock.

A *seat* is a worker, or a helper that joins something (a helper inside a body sits above the seat that
the body occupies). A *piece* is one body of a task that is to run, or is running, or was put aside: a task of
many bodies has several. Between taking the lock and giving it back a seat goes through `looking`, `starting`,
`ended`, `ended_with_one` or `leaving`, so each deed here is one line of the runtime and others may come between
two deeds only where the lock is free. What the kernel decides (which tasks become ready, which close) is left
open here: it may be anything that the kernel's own proofs allow.

`owed` is the call of `Seats.wake` that whoever holds the lock still has to make in this section; `coming` is
`Seats._coming`. The rule under proof is the runtime's: *one* wake-up at a time, handed on by whoever has come.
"""

from __future__ import annotations

from hocket.spec import (
    INT,
    Function,
    Relation,
    Sort,
    Spec,
    action,
    always,
    axiom,
    environment,
    exists,
    forall,
    initial,
    ite,
    mistaken,
    sometimes,
)

HOLDING = ("looking", "starting", "ended", "ended_with_one", "leaving")  # whoever is here has the lock
PRESENT = ("hired", "called", "parked", "busy", *HOLDING)
IN_HAND = ("fresh", "worked")


class Crew(Spec):
    """Any number of seats, tasks, pieces and joiners; people and bodies that call in from outside."""

    Task = Sort()
    Piece = Sort()
    Seat = Sort()
    Joiner = Sort()  # a thread that waits without helping
    Lock = Sort("Lock", ("free", "outsider", "seat"))
    # in the order in which a piece goes down, but that drawing one more argument lets it rise once
    Stage = Sort("Stage", ("over", "fresh", "queued", "worked", "unborn"))
    # in the order in which a seat comes to rest
    At = Sort("At", ("absent", "gone", "parked", "busy", "starting", "leaving", "looking", "ended_with_one", "ended",
                     "called", "hired"))
    Wait = Sort("Wait", ("away", "waiting", "told"))

    of = Function(Piece, to=Task, rigid=True)
    size = Function(Task, to=INT, rigid=True)  # how many arguments; 0 where the body is called once, without
    before = Relation(Task, Task, rigid=True)  # an order in which every join points downward

    lock = Function(to=Lock)
    at = Function(Seat, to=At)
    stage = Function(Piece, to=Stage)
    hand = Relation(Seat, Piece)
    left = Function(Task, to=INT)  # arguments that nobody has drawn
    begun = Relation(Task)
    shared = Relation(Task)  # one more may join its bodies
    void = Relation(Task)  # cancelled before it began
    closed = Relation(Task)
    owed = Relation()
    coming = Relation(Seat)
    dismissed = Relation(Seat)
    joins = Relation(Seat, Task)  # what a helper waits for
    above = Relation(Seat, Seat)  # a helper above the seats that its thread has put aside
    wait = Function(Joiner, to=Wait)
    wants = Relation(Joiner, Task)
    holder = Function(to=Seat, ghost=True)

    @axiom
    def before_is_an_order(s):
        irreflexive = forall(s.Task, lambda t: ~s.before[t, t])
        return irreflexive & forall(
            s.Task, s.Task, s.Task, lambda t, u, v: (s.before[t, u] & s.before[u, v]) >> s.before[t, v]
        )

    @initial
    def nobody_is_there(s):
        s.require("no task has less than no arguments", forall(s.Task, lambda t: s.size[t] >= 0))
        s.lock = "free"
        s.owed = False
        s.at.each(lambda w: "absent")
        s.stage.each(lambda p: "unborn")
        s.left.each(lambda t: s.size[t])
        s.wait.each(lambda j: "away")
        for relation in (s.begun, s.shared, s.void, s.closed, s.coming, s.dismissed):
            relation.each(lambda x: False)
        for relation in (s.hand, s.joins, s.above, s.wants):
            relation.each(lambda x, y: False)

    # -- words --------------------------------------------------------------------------------------------------------

    def is_there(s, w):
        return s.at[w].among(*PRESENT)

    def is_done(s, w):
        """`done()` of the runtime: a worker was dismissed, or what a helper joins has closed."""
        return s.dismissed[w] | exists(s.Task, lambda t: s.joins[w, t] & s.closed[t])

    def something_is_queued(s):
        return exists(s.Piece, lambda p: s.stage[p] == "queued")

    def there_is_work(s):
        return s.something_is_queued() | exists(s.Task, lambda t: s.shared[t])

    def runs(s, t):
        return s.begun[t] & exists(s.Piece, lambda p: (s.of[p] == t) & s.stage[p].among("queued", *IN_HAND))

    def somebody_parks(s):
        return exists(s.Seat, lambda w: s.at[w] == "parked")

    def takes_lock(s, w, at):
        s.require("the lock is free", s.lock == "free")
        s.lock = "seat"
        s.holder = w
        s.at[w] = at

    def looks(s, w):
        """It holds the lock, at the head of its loop."""
        s.require("it looks for work", s.at[w] == "looking")
        s.require("no wake-up is owed", ~s.owed)

    # -- from outside: people, and bodies that call the scheduler -----------------------------------------------------

    @environment()
    def enter(s):
        s.require("the lock is free", s.lock == "free")
        s.lock = "outsider"

    @action()
    def go(s):
        s.require("an outsider has the lock", s.lock == "outsider")
        s.require("no wake-up is owed", ~s.owed)
        s.lock = "free"

    @environment(Piece)
    def offer(s, p):
        """A task has become ready. Whoever ended a body takes one piece itself, and wakes nobody for that one."""
        s.require("somebody has the lock", s.lock != "free")
        alone = forall(s.Piece, lambda q: (s.of[q] == s.of[p]) >> (s.stage[q] == "unborn"))
        s.require("its task is new", alone & ~s.void[s.of[p]] & ~s.closed[s.of[p]])
        s.stage[p] = "queued"
        s.owed = s.owed | ~exists(s.Seat, lambda w: s.at[w] == "ended")
        s.at.each(lambda w: ite(s.at[w] == "ended", s.At["ended_with_one"], s.at[w]))

    @environment(Task)
    def cancel(s, t):
        s.require("somebody has the lock", s.lock != "free")
        s.require("it has not begun", ~s.begun[t])
        s.void[t] = True

    @action(Task)
    def close(s, t):
        """Whoever joins it is told: helpers are called out of their sleep, and know why."""
        s.require("somebody has the lock", s.lock != "free")
        s.require("it has not closed", ~s.closed[t])
        idle = lambda p: s.stage[p].among("over", "unborn") | ((s.stage[p] == "queued") & s.void[t])  # noqa: E731
        s.require("none of its bodies is left", forall(s.Piece, lambda p: (s.of[p] == t) >> idle(p)))
        s.closed[t] = True
        s.at.each(lambda w: ite((s.at[w] == "parked") & s.joins[w, t], s.At["called"], s.at[w]))
        s.wait.each(lambda j: ite((s.wait[j] == "waiting") & s.wants[j, t], s.Wait["told"], s.wait[j]))

    @environment(Seat)
    def dismiss(s, w):
        s.require("an outsider has the lock", s.lock == "outsider")
        s.require("it is there", s.is_there(w))
        s.dismissed[w] = True
        s.at[w] = ite(s.at[w] == "parked", s.At["called"], s.at[w])

    # -- coming and leaving -------------------------------------------------------------------------------------------

    @environment(Seat)
    def hire(s, w):
        """A worker's thread is started: it comes when it gets the lock."""
        s.require("an outsider has the lock", s.lock == "outsider")
        s.require("it is not there yet", s.at[w] == "absent")
        s.at[w] = "hired"

    @action(Seat)
    def come(s, w):
        s.require("it was hired", s.at[w] == "hired")
        s.takes_lock(w, "looking")

    @environment(Seat, Task)
    def come_to_help(s, w, t):
        s.require("it is not there yet", s.at[w] == "absent")
        s.require("what it joins is open", ~s.closed[t])
        s.joins[w, t] = True
        s.takes_lock(w, "looking")

    @environment(Seat, Seat, Task)
    def help_inside(s, w, below, t):
        """A body joins: its thread becomes a helper, above everything that it has put aside."""
        s.require("it is not there yet", s.at[w] == "absent")
        s.require("what it joins is open", ~s.closed[t])
        s.require("a body is at work", s.at[below] == "busy")
        s.require("and does not join already", ~exists(s.Seat, lambda v: s.above[v, below]))
        aside = lambda v: (v == below) | s.above[below, v]  # noqa: E731  # two uses, one word
        waits = lambda v, p: (aside(v) & s.hand[v, p]) >> s.before[t, s.of[p]]  # noqa: E731
        s.require("it does not wait for itself", forall(s.Seat, s.Piece, waits))
        s.joins[w, t] = True
        s.above.each(lambda v, x: s.above[v, x] | ((v == w) & aside(x)))
        s.takes_lock(w, "looking")

    @action(Seat)
    def leave(s, w):
        """Its time is over: it hands on (rule 3)."""
        s.looks(w)
        s.require("it is done", s.is_done(w))
        s.at[w] = "leaving"
        s.owed = s.there_is_work()

    @action(Seat)
    def be_gone(s, w):
        """The last one to leave tells those who wait."""
        s.require("it leaves", s.at[w] == "leaving")
        s.require("no wake-up is owed", ~s.owed)
        last = forall(s.Seat, lambda v: (v == w) | ~s.is_there(v))
        s.wait.each(lambda j: ite(last & (s.wait[j] == "waiting"), s.Wait["told"], s.wait[j]))
        s.at[w] = "gone"
        s.lock = "free"
        s.above.each(lambda v, x: s.above[v, x] & (v != w))

    # -- looking for work, under the lock -----------------------------------------------------------------------------

    @action(Seat, Piece)
    def take(s, w, p):
        """It takes a piece, and wakes the next one while more is left (rule 2)."""
        s.looks(w)
        s.require("it is not done", ~s.is_done(w))
        s.require("the piece is queued", s.stage[p] == "queued")
        s.into_hand(w, p)
        more = exists(s.Piece, lambda q: (q != p) & (s.stage[q] == "queued"))
        s.owed = more | exists(s.Task, lambda t: s.shared[t])

    @action(Seat, Piece)
    def take_part(s, w, p):
        """Nothing is queued; it joins the bodies of a task that is shared."""
        t = s.of[p]
        s.looks(w)
        s.require("it is not done", ~s.is_done(w))
        s.require("nothing is queued", ~s.something_is_queued())
        s.require("it is a new piece", s.stage[p] == "unborn")
        s.require("its task is shared", s.shared[t])
        s.require("its task runs", s.runs(t))  # and arguments were left, by a look that draws do not wait for
        s.into_hand(w, p)
        s.owed = True

    def into_hand(s, w, p):
        s.stage[p] = "fresh"
        s.hand[w, p] = True
        s.at[w] = "starting"

    @action(Seat, Task)
    def forget(s, w, t):
        s.looks(w)
        s.require("it is not done", ~s.is_done(w))
        s.require("nothing is queued", ~s.something_is_queued())
        s.require("it is shared", s.shared[t])
        s.require("it does not run, or all is drawn", ~s.runs(t) | (s.left[t] == 0))
        s.shared[t] = False

    @action(Seat)
    def park(s, w):
        """It looked for work under the lock, and lies down under the lock (rule 1)."""
        s.looks(w)
        s.require("it is not done", ~s.is_done(w))
        s.require("there is no work", ~s.there_is_work())
        s.at[w] = "parked"
        s.lock = "free"

    # -- wake-ups -----------------------------------------------------------------------------------------------------

    @action(Seat)
    def wake(s, w):
        s.require("a wake-up is owed", s.owed)
        s.require("nobody is coming", ~exists(s.Seat, lambda v: s.coming[v]))
        s.require("it is parked", s.at[w] == "parked")
        s.at[w] = "called"
        s.coming[w] = True
        s.owed = False

    @action()
    def wake_nobody(s):
        s.require("a wake-up is owed", s.owed)
        s.require("somebody is coming, or nobody parks", exists(s.Seat, lambda v: s.coming[v]) | ~s.somebody_parks())
        s.owed = False

    @action(Seat)
    def rise(s, w):
        """Whoever was called gets the lock, some time after."""
        s.require("it was called", s.at[w] == "called")
        s.coming[w] = False
        s.takes_lock(w, "looking")

    @environment(Seat)
    def stir(s, w):
        """Woken by nothing at all."""
        s.require("it is parked", s.at[w] == "parked")
        s.takes_lock(w, "looking")

    # -- bodies -------------------------------------------------------------------------------------------------------

    @action(Seat, Piece)
    def think_better(s, w, p):
        """It was cancelled in the queue."""
        s.require("it is about to start it", (s.at[w] == "starting") & s.hand[w, p])
        s.require("it was cancelled", s.void[s.of[p]])
        s.require("no wake-up is owed", ~s.owed)
        s.hand[w, p] = False
        s.stage[p] = "over"
        s.at[w] = "looking"

    @action(Seat, Piece)
    def share(s, w, p):
        t = s.of[p]
        s.require("it is about to start it", (s.at[w] == "starting") & s.hand[w, p])
        s.require("it is the first of its bodies", ~s.begun[t] & ~s.void[t])
        s.require("there are several arguments", s.left[t] > 1)
        s.begun[t] = True
        s.shared[t] = True
        s.owed = True

    @action(Seat, Piece)
    def begin(s, w, p):
        s.require("it is about to start it", (s.at[w] == "starting") & s.hand[w, p])
        s.require("it was not cancelled", ~s.void[s.of[p]])
        s.require("no wake-up is owed", ~s.owed)
        s.begun[s.of[p]] = True
        s.at[w] = "busy"
        s.lock = "free"

    @action(Seat, Piece)
    def draw(s, w, p):
        """The next argument, without the lock."""
        t = s.of[p]
        s.in_body(w, p)
        s.require("arguments are left", s.left[t] > 0)
        s.left[t] = s.left[t] - 1
        s.stage[p] = "worked"

    @action(Seat, Piece)
    def put_aside(s, w, p):
        """Others are waiting, or it is wanted elsewhere: the body goes to the end of the queue.

        Arguments were left a moment before; draws do not wait for the lock, so there may be none by now.
        """
        s.in_body(w, p)
        s.require("it has drawn one", s.stage[p] == "worked")
        s.hand[w, p] = False
        s.stage[p] = "queued"
        s.takes_lock(w, "looking")

    @action(Seat, Piece)
    def end(s, w, p):
        """The body returns or raises."""
        s.in_body(w, p)
        s.hand[w, p] = False
        s.stage[p] = "over"
        s.takes_lock(w, "ended")

    def in_body(s, w, p):
        s.require("it is in the body", (s.at[w] == "busy") & s.hand[w, p])
        s.require("which does not join", ~exists(s.Seat, lambda v: s.above[v, w]))

    @action(Seat)
    def go_on(s, w):
        s.require("it has told the kernel", s.at[w].among("ended", "ended_with_one"))
        s.require("no wake-up is owed", ~s.owed)
        s.at[w] = "looking"

    # -- those who wait without helping -------------------------------------------------------------------------------

    @environment(Joiner, Task)
    def wait_for(s, j, t):
        s.require("the lock is free", s.lock == "free")
        s.require("it does not wait yet", (s.wait[j] == "away") & ~exists(s.Task, lambda u: s.wants[j, u]))
        s.require("it is open", ~s.closed[t])
        s.require("somebody is there", exists(s.Seat, lambda w: s.is_there(w)))
        s.wait[j] = "waiting"
        s.wants[j, t] = True

    @action(Joiner, Task)
    def hear(s, j, t):
        """Told that what it waits for has closed, or that nobody is left; or else it waits on."""
        s.require("the lock is free", s.lock == "free")
        s.require("it was told", (s.wait[j] == "told") & s.wants[j, t])
        on = ~s.closed[t] & exists(s.Seat, lambda w: s.is_there(w))
        s.wait[j] = ite(on, s.Wait["waiting"], s.Wait["away"])

    # -- what a search looks at ---------------------------------------------------------------------------------------

    @always
    def nobody_sleeps_beside_work_unless_somebody_comes(s):
        awake = exists(s.Seat, lambda w: s.is_there(w) & (s.at[w] != "parked"))
        return (s.there_is_work() & s.somebody_parks() & (s.lock == "free")) >> awake

    @always
    def a_piece_is_in_one_hand(s):
        return forall(s.Seat, s.Seat, s.Piece, lambda v, w, p: (s.hand[v, p] & s.hand[w, p]) >> (v == w))

    @sometimes
    def all_sleep_and_all_is_over(s):
        ran = forall(s.Piece, lambda p: s.stage[p] == "over")
        return ran & exists(s.Seat, lambda w: s.at[w] == "parked")

    @mistaken
    def where_work_is_queued_nobody_sleeps(s):
        """One is woken at a time."""
        return ~(s.something_is_queued() & s.somebody_parks() & (s.lock == "free"))

    @mistaken
    def who_is_called_is_needed(s):
        """Somebody else may have taken the work by the time it comes."""
        called = exists(s.Seat, lambda w: s.coming[w])
        return (called & (s.lock == "free")) >> s.there_is_work()
