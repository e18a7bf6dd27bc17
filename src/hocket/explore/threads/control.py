"""The baton: one actor runs at a time, and whoever runs decides who is next.

An actor is a real OS thread. At each visible operation it announces what it is
about to do, asks the strategy inline, and either goes on or hands its baton, one
raw lock, directly to the actor that was chosen. There is no controller thread,
so that a step without a switch costs no system call and a switch costs one
hand-over. A blocked actor is simply not enabled; nobody spins and nobody polls.

When an execution is over, every actor that still stands before an operation is
unwound by a private exception, one after the other, so that the next execution
inherits no thread, no lock and no half-done `with`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import Any

from hocket.errors import DivergenceError, NondeterminismError, Refused
from hocket.explore.semantics import Raise, unread
from hocket.explore.strategy import Strategy
from hocket.explore.threads.actor import ACTORS, Actor, Unwind, current
from hocket.explore.threads.ends import End, natural_end
from hocket.explore.threads.locals import FORGETS_ALL
from hocket.explore.threads.looking import looking_on
from hocket.explore.threads.naming import Place, place_of
from hocket.explore.threads.once import Once
from hocket.explore.threads.pool import POOL, Voice, _allocate_lock, _get_ident
from hocket.explore.threads.session import RESTART, DataTracker, Observer, Session
from hocket.explore.threads.values import Deed, Values
from hocket.trace.operation import Operation

__all__ = ["ACTORS", "RESTART", "Actor", "Control", "DataTracker", "End", "Observer", "Session", "Unwind", "current"]

_WATCHED = 3  # executions that are watched as a whole: what a program keeps from run to run is there from the second on
_FEW = 4  # places, of which an operation is kept: all of a large container are other ones each time it grows
_PATIENCE = 1_000  # how often an actor may swallow its unwinding before it is given up


class Control:
    """One execution on real threads."""

    __slots__ = (
        "_audited",
        "_main",
        "_repeated",
        "abandoned",
        "actors",
        "alive",
        "asked",
        "clocks",
        "early",
        "end",
        "error",
        "execution",
        "failed",
        "fresh",
        "held",
        "leaks",
        "loops",
        "observer",
        "over",
        "places",
        "running",
        "session",
        "signals",
        "story",
        "strategy",
        "tales",
        "timed",
        "value",
        "values",
        "watched",
    )

    def __init__(self, session: Session, strategy: Strategy, *, places: bool = False) -> None:
        self.session = session
        self.observer = session.observer
        self.strategy = strategy
        self.execution = Once(session.cast)
        self.actors: dict[int, Actor] = {}
        self.alive = 1  # actors that are not done
        self.over = False
        self.end = ""
        self.error: BaseException | None = None  # what an actor let out
        self.failed: Actor | None = None  # and which
        self.value: Any = None  # what the body returned
        self.places: list[Place | None] | None = [] if places else None  # where each event happened
        self.values = Values(self.execution) if places else None  # and what it read or wrote
        self.timed = False  # whether any clock has moved
        self.asked = False  # whether the program has looked at one
        self.clocks: dict[int, float] = {}  # object -> virtual time of its last write
        self.held: dict[int, Any] = {}  # object -> the lock that is held, for the leak check
        # id of a condition -> who notified it when nobody waited, after how many events, and where
        self.early: dict[int, tuple[int, int, Place | None]] = {}
        self.signals: dict[int, Any] = {}  # object -> the condition whose waiter it is
        self.loops: list[Any] = []  # the event loops that were made
        self.leaks: list[str] = []  # what was left behind, in words; besides locks
        # object -> what is told of who waits for it at the end: who, for what, and where
        self.tales: dict[int, list[tuple[str, str, Place | None]]] = {}
        self.story: list[Deed] | None = [] if places else None  # what tasks of event loops did, if places are recorded
        self.running: Actor | None = None
        self.abandoned: list[Actor] = []  # actors that would not go
        self.watched: Any = None  # the observer's notes on this execution
        self._audited = session.audit  # as long as this execution repeats the one before
        self._main: Actor | None = None
        # so many steps are those of the execution before: what the program does after each was watched when it was new
        known = self.observer is not None and session.executed >= _WATCHED
        self._repeated = min(strategy.fixed, len(session.previous)) if known else 0
        self.fresh = not self._repeated  # whether what the program does now was not seen before

    # -- an execution -------------------------------------------------------------------------------------------------

    def run(self, body: Callable[[], Any], voice: Voice) -> None:
        """Run the program once; called on the OS thread of `voice`, which becomes main."""
        self._main = main = Actor(self, 0, body)
        main.voice = voice
        self._settle(voice)
        self.actors[0] = self.running = main
        ACTORS[_get_ident()] = main
        self.session.control = self
        self.session.executed += 1
        self.session.on_begin(self)
        if self.session.spins is not None:
            self.session.spins.begin(self)
        try:
            self._perform_body(main)
            if not self.over:
                self._main_returned(main)
            self._unwind_all(main)
        finally:
            self.session.on_end(self)
            del ACTORS[_get_ident()]
            self.session.previous = self.execution.events

    def _perform_body(self, actor: Actor) -> None:
        observer = self.session.observer
        tracing = threading.gettrace()  # coverage and debuggers ask for it in every thread
        try:
            if tracing is not None:
                sys.settrace(looking_on(tracing))
            if observer is not None:
                self._enter(observer, actor)
            value = actor.task()
            if actor.number == 0:
                self.value = value
        except Unwind:
            pass
        except BaseException as error:
            self._raised(actor, error)
        finally:
            if observer is not None:
                observer.leave(actor)
            if tracing is not None:
                sys.settrace(None)
            actor.task = _nothing  # its closure may keep the whole execution alive
            if observer is not None:  # a finaliser may have come to where the watch goes on
                observer.pause()

    def _enter(self, observer: Observer, actor: Actor) -> None:
        observer.enter(actor)
        if not self.fresh:
            observer.pause()

    def raised_in_finaliser(self, actor: Actor, error: BaseException, where: str) -> None:
        """Python goes on after such an exception; the execution has failed all the same, and ends at the next step."""
        if not isinstance(error, Unwind):
            error.add_note(f"hocket: raised in the finaliser {where}, where Python prints it and goes on")
            self._raised(actor, error)

    def used_by_outsider(self, name: str) -> None:
        """A thread that is no actor has used an object of this execution, which nobody can explore then."""
        error = Refused(name, "used by a thread that the explorer does not know", "shared with an explored program",
                        "threads started through threading or _thread", "a C extension, or a function that was taken "
                        "from _thread before and kept in a container, starts threads behind the explorer's back")
        if not self.over:
            self.error = error
            self._over(End.RAISED)
        raise error

    def _raised(self, actor: Actor, error: BaseException) -> None:
        if not self.over:  # an exception on the way out is a consequence, not a cause
            self.error, self.failed = error, actor
            self._over(End.RAISED)

    def _main_returned(self, main: Actor) -> None:
        self._retire(main)
        if self._choose_next(main) is not None:
            assert main.voice is not None
            main.voice.baton.acquire()  # whoever finds that the execution is over releases it

    def _unwind_all(self, main: Actor) -> None:
        assert self.over, "actors are unwound at the end only"
        assert main.voice is not None
        for actor in list(self.actors.values()):
            if actor is main or actor.done:
                continue
            if actor.voice is None:  # it never began
                actor.done = True
                continue
            actor.voice.baton.release()
            main.voice.baton.acquire()
        if not FORGETS_ALL:  # each actor has had a voice for itself
            for actor in self.actors.values():
                if actor is not main and actor.voice is not None and actor not in self.abandoned:
                    POOL.give(actor.voice)

    def forget(self) -> None:
        """Let go of the actors once the execution was judged, so that no cycle is left for the garbage collector."""
        for actor in self.actors.values():
            actor.thread = None  # which knows its actor
        self.actors.clear()
        self.running = self._main = None

    # -- one step -----------------------------------------------------------------------------------------------------

    def step(self, actor: Actor, operation: Operation) -> Any:
        """Announce `operation`, let the strategy decide, and return its result once it was chosen and performed."""
        observer = self.observer
        if observer is not None and self.fresh:
            observer.pause()
        try:
            if self.over:
                self._swallowed(actor)
                raise Unwind
            spins = self.session.spins
            self.execution.pending[actor.number] = spins.announced(actor, operation) if spins is not None else operation
            if self.values is not None:
                actor.place = place_of(sys._getframe(1))
                self.values.announced(actor.number, sys._getframe(1))
            try:
                chosen = self._choose_next(actor)
            except RecursionError as error:  # the program has left us no room: its exception, although met here
                self._raised(actor, error)
                chosen = None
            if chosen is not actor:
                self._wait(actor, chosen)
            result = actor.result
            if type(result) is Raise:
                raise result.type(result.message)
            return result
        finally:
            if observer is not None and self.fresh:
                observer.resume()

    def plain(self, actor: Actor, kind: str, number: int) -> Any:
        """A step without an argument on one object."""
        operations = self.session.operations
        operation = operations.get((kind, number))
        if operation is None:
            operation = operations[kind, number] = Operation(kind, (number,))
        return self.step(actor, operation)

    def touch(self, actor: Actor, kind: str, places: tuple[int, ...]) -> Any:
        """A step without an argument on these places; only of few of them is it the same object each time."""
        operations = self.session.operations
        operation = operations.get((kind, places))
        if operation is None:
            operation = Operation(kind, places)
            if len(places) <= _FEW:
                operations[kind, places] = operation
        return self.step(actor, operation)

    def about(self, kind: str, number: int, child: int | None) -> Operation:
        """An operation on thread object `number`, which in every execution is that of actor `child`."""
        operations = self.session.operations
        operation = operations.get((kind, number))
        if operation is None:
            operation = operations[kind, number] = Operation(kind, (number,), child)
        return operation

    def _wait(self, actor: Actor, chosen: Actor | None) -> None:
        """Be silent until chosen; if nobody was chosen, the execution is over and main has to clean up first."""
        if chosen is None:
            if actor is self._main:
                raise Unwind
            self._wake_main()
        assert actor.voice is not None
        actor.voice.baton.acquire()
        if self.over:
            raise Unwind

    def _choose_next(self, actor: Actor) -> Actor | None:
        """Let the strategy choose, perform what it chose, and start whoever goes on; None if the execution is over."""
        execution, session = self.execution, self.session
        if session.stop or len(execution.events) >= session.steps:
            end = self._cut()
            if end:
                self._over(end)
                return None
        try:
            choice = self.strategy.choose(execution)
        except RecursionError:
            raise
        except BaseException as error:
            self.error = error
            self._over(End.DIVERGED if isinstance(error, (DivergenceError, NondeterminismError)) else End.RAISED)
            return None
        if choice is None:
            self._over(natural_end(self))
            return None
        number, alternative = choice
        if self._audited and not self._is_as_before(number, alternative):
            self._over(End.DIVERGED)
            return None
        chosen = self.actors[number]
        chosen.result = execution.perform(number, alternative)
        if self.timed:
            self._advance_clock(chosen)
        if self.places is not None and self.values is not None:
            self.places.append(chosen.place)
            self.values.performed(execution.events[-1])
        self.running = chosen
        if not self.fresh:
            self.fresh = len(execution.events) > self._repeated
        if chosen is not actor:
            if actor.done or chosen.voice is None:
                self._hand_over(actor, chosen)
            else:
                chosen.voice.baton.release()
        return chosen

    def _hand_over(self, actor: Actor, chosen: Actor) -> None:
        """Let `chosen` go on. Who is done leaves its voice to one that begins, so that no other thread has to wake."""
        ended = actor.voice if FORGETS_ALL and actor.done and actor is not self._main else None
        if chosen.voice is not None:
            if ended is not None:
                POOL.give(ended)
            chosen.voice.baton.release()
        elif ended is not None:
            chosen.voice = ended
        else:
            chosen.voice = POOL.take()
            chosen.voice.run(lambda: self._sing(chosen))

    def _sing(self, actor: Actor) -> None:
        """The life of an actor other than main, and of those that begin when it has ended, on one voice."""
        voice, ident, following = actor.voice, _get_ident(), actor
        assert voice is not None
        while following.voice is voice:
            actor = ACTORS[ident] = following
            self._settle(voice)
            try:
                Context().run(self._live, actor)  # a thread begins without the context of anybody else
            finally:
                del ACTORS[ident]
            if self.over:
                break
            self._retire(actor)
            chosen = self._choose_next(actor)
            if chosen is None:
                break
            following = chosen
        else:
            return
        actor.done = True
        if FORGETS_ALL:
            POOL.give(voice)
        self._wake_main()

    def _settle(self, voice: Voice) -> None:
        """A voice begins with an actor: nothing is left of the one before."""
        voice.locals.clear()
        if voice.cpu != self.session.seat.cpu:
            voice.cpu = self.session.seat.sit()

    def _live(self, actor: Actor) -> None:
        self._perform_body(actor)
        if self.session.ends_visible and not self.over:
            self._end_visibly(actor)

    def _end_visibly(self, actor: Actor) -> None:
        thread = self.execution.threads[actor.number]
        with suppress(Unwind):
            self.step(actor, Operation("thread.end", (thread,)))

    def _retire(self, actor: Actor) -> None:
        actor.done = True
        self.alive -= 1
        self.execution.finish(actor.number)
        if self.session.observer is not None and self.alive == 1:
            self.session.observer.finished(self)

    # -- the end ------------------------------------------------------------------------------------------------------

    def _cut(self) -> str:
        """Why the execution has to be cut short here; nothing if it is at its end anyway."""
        if self.session.stop:
            return End.STOPPED
        return End.BOUND if self.execution.options() else ""

    def _over(self, end: str) -> None:
        """Nobody is chosen any more; the caller sees to it that main wakes up and cleans up."""
        if self.values is not None:
            self.values.settle()
        self.over, self.end = True, end

    def _wake_main(self) -> None:
        main = self._main.voice if self._main is not None else None
        assert main is not None
        main.baton.release()

    def stop(self, actor: Actor, end: str, error: BaseException | None = None) -> None:
        """End the execution here, for a reason that is not the strategy's; raises what unwinds the actor."""
        if not self.over:
            self.error = error
            self._over(end)
            self._wait(actor, None)
        raise Unwind

    def fail(self, actor: Actor, error: BaseException) -> None:
        """The execution has failed, although the program goes on with what it does until its next step."""
        self._raised(actor, error)

    def _swallowed(self, actor: Actor) -> None:
        actor.unwound += 1
        if actor.unwound < _PATIENCE:
            return
        self.end = End.SWALLOWED
        self.failed = actor
        self.abandoned.append(actor)
        actor.done = True
        if actor is self._main:
            self.session.give_up()
        else:
            self._wake_main()
        forever = _allocate_lock()
        forever.acquire()
        forever.acquire()

    # -- the audit: the same choices must meet the same operations ----------------------------------------------------

    def _is_as_before(self, number: int, alternative: int) -> bool:
        index = len(self.execution.events)
        if index >= len(self.session.previous):
            self._audited = False
            return True
        before = self.session.previous[index]
        if before.actor != number or before.alternative != alternative:
            self._audited = False
            return True
        now = self.execution.pending[number]
        if now is not None and now.same_as(before.operation):
            return True
        objects = self.session.cast.objects
        self.error = NondeterminismError(
            index + 1, self.session.cast.actors[number], before.operation.told(objects),
            now.told(objects) if now is not None else "nothing")
        return False

    # -- children and time --------------------------------------------------------------------------------------------

    def see_ends(self) -> None:
        """Somebody looks whether a thread has ended; so ends must be steps, in this exploration from its start."""
        if not self.session.ends_visible:
            self.session.stop = self.session.stop or RESTART

    def spawn(self, creator: Actor, task: Callable[[], Any], daemon: bool, thread: Any = None) -> Actor:
        """Make `task` an actor; it can be chosen from the next step on."""
        if self.over:
            raise Unwind
        execution, observer = self.execution, self.observer
        if observer is not None and self.fresh:
            observer.pause()
        number = execution.new_actor(creator.number)
        made = execution.threads[number]
        child = Actor(self, number, task, daemon)
        child.clock = creator.clock
        child.thread = thread
        self.actors[number] = child
        self.step(creator, self.about("thread.spawn", made, number))
        self.alive += 1
        execution.pending[number] = self.about("thread.begin", made, None)
        if observer is not None:
            observer.spawned(creator)
            if not self.fresh:
                observer.pause()
        return child

    def pass_time(self, actor: Actor, seconds: float) -> None:
        """`actor` has slept or waited in vain for so long."""
        if seconds > 0:
            actor.clock += seconds
            self.timed = True

    def _advance_clock(self, actor: Actor) -> None:
        """Time follows happens-before, so that a class of interleavings has one time; reads leave no mark."""
        event = self.execution.events[-1]
        operation = event.operation
        for index in operation.objects:
            actor.clock = max(actor.clock, self.clocks.get(index, 0.0))
        if not event.reads_only:
            for index in unread(operation, event.alternative):
                self.clocks[index] = actor.clock


def _nothing() -> None:
    return None
