"""One search by many processes: the same executions, each class once, whoever runs them.

The coordinator owns the states above every piece of work (shard.py has the workers'
side), and hands their branches out from left to right. A branch that was handed
out sleeps for the later ones, so two branches never run the same class, and the
counts are those of one process, exactly.

Two branches of a state may be explored at the same time if their first steps
*conflict*. Then neither is asleep for the other, what is found below one is no
concern of the other, and a sequence that comes back and fits a branch that is out is
covered by it. If they are independent, the right one has to wait until the left one
is done. It is not enough that the left one *will* be done, as one might hope: while
the left one sleeps, the right one leaves out what both could begin, and relies on the
plans that come from there (readers 3 loses a class if it does not wait). Which leaves
enough to do: where branches do not conflict, the branches below them do.
That is an argument, not a proof: the tests hold it against one process on all
small programs of the published counts and hundreds of random ones, with the
pieces ended in any order.

A worker hands back what it has not done after a while. As long as everybody is busy
it gets it back as it is; if not, the piece is cut at its first state with another
branch that can be handed out, which is where the large branches are. A worker that
dies has told nothing, so its piece is handed out again.

Refused: threads for bodies, since names of modules are replaced for one body at a
time in a process; the source variant and bounds; a checkpoint at the same time; an
estimate, since the path that it is read from is nobody's.

Source: explorer.md c.10, with the waiting that it lacks.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import asdict
from typing import Any

from hocket.errors import ExplorationError, Refused
from hocket.explore.execution import Cast, Choice
from hocket.explore.footprint import Footprint, conflict
from hocket.explore.order import Order
from hocket.explore.program import Program as Model
from hocket.explore.races import Race
from hocket.explore.scale.shard import Plan, Program, Shard, Task, run_body, run_model
from hocket.explore.scale.stack import Reader, Writer
from hocket.explore.search import Search
from hocket.explore.tally import Limits, Tally
from hocket.explore.wakeup import Node, covered_by_sleep, insert
from hocket.trace.event import Event

__all__ = ["Coordinator", "Piece", "Workers", "run_in_parallel", "search_in_parallel"]

_SECONDS = 0.5  # after so long a worker hands back what is left
_LOOK = 0.1  # seconds between two looks at limits
_ATTEMPTS = 3  # how often a piece may take its worker with it
_monotonic = time.monotonic

Row = tuple[dict[Choice, Footprint], Node | None, list[Node]]
"""A state of a path: what sleeps, the step taken, and the other branches."""


class State:
    """A state that the coordinator owns: some branches were handed out, others wait."""

    __slots__ = ("depth", "incoming", "open", "owner", "sleep", "waiting")

    def __init__(self, owner: State | None, incoming: Node | None, sleep: dict[Choice, Footprint]) -> None:
        self.owner, self.incoming = owner, incoming  # the state before, and the step from there
        self.depth: int = owner.depth + 1 if owner is not None else 0
        self.sleep = sleep  # those asleep, and those handed out
        self.waiting: list[Node] = []
        self.open: dict[Choice, Footprint] = {}  # branches handed out that are not done

    def hand_out(self, node: Node) -> None:
        """Its executions will be seen to: nobody else needs to begin with it."""
        choice = node.actor, node.alternative
        self.sleep[choice] = self.open[choice] = node.footprint

    def may_hand_out(self) -> bool:
        """Whether the first branch that waits does not rely on one that is out."""
        return bool(self.waiting) and not any(_asleep_for(self.waiting[0], self.open))


class Piece:
    """A piece of work: a stack whose first state comes after `incoming` from `owner`."""

    __slots__ = ("attempts", "incoming", "owner", "rows")

    def __init__(self, owner: State | None, incoming: Node | None, rows: list[Row]) -> None:
        self.owner, self.incoming, self.rows = owner, incoming, rows
        self.attempts = 0

    @property
    def root(self) -> int:
        """How many states are before it."""
        return self.owner.depth + 1 if self.owner is not None else 0

    def path(self) -> list[tuple[State, Node]]:
        """The states before it, first to last, each with the step that leads on to it."""
        found: list[tuple[State, Node]] = []
        state: State | None = self.owner
        step = self.incoming
        while state is not None:
            assert step is not None, "only the first state of all has no step before it"
            found.append((state, step))
            step, state = state.incoming, state.owner
        return found[::-1]


class Coordinator:
    """Cuts the search into pieces and puts together what comes of them; knows nothing of processes."""

    def __init__(self, hungry: int) -> None:
        self.hungry = hungry  # with fewer pieces at hand than this, they are cut smaller
        self.cast = Cast()
        self._ready = [Piece(None, None, [({}, None, [])])]
        self._waiting: list[State] = []
        self._out = 0

    @property
    def finished(self) -> bool:
        """Nothing is left to do."""
        return not (self._ready or self._waiting or self._out)

    def next(self) -> Piece | None:
        """A piece to be worked on; None if there is none, for now."""
        if self._ready:
            piece = self._ready.pop()
        else:
            state = min(self._free(), key=lambda state: state.depth, default=None)
            if state is None:
                assert self._out or self.finished, "what waits must wait for something"
                return None
            piece = self._branch(state)
        self._out += 1
        return piece

    def task(self, piece: Piece, executions: int | None, seconds: float | None, steps: int | None,
             options: dict[str, Any]) -> Task:
        """What to send to a worker."""
        writer, rows = Writer(self.cast), []
        for state, step in piece.path():
            asleep = {choice: seen for choice, seen in state.sleep.items() if choice != (step.actor, step.alternative)}
            rows.append([writer.sleep(asleep), writer.step(step), [0]])
        for sleep, current, siblings in piece.rows:
            step_told = writer.step(current) if current is not None else None
            rows.append([writer.sleep(sleep), step_told, writer.trees(siblings)])
        return Task({"rows": rows, **writer.tables()}, piece.root, executions, seconds, steps, options)

    def done(self, piece: Piece, report: dict[str, Any]) -> None:
        """A worker has come back with this."""
        self._out -= 1
        path, reader = piece.path(), Reader(report, self.cast)
        for plan in report["plans"]:
            self._plan(path, reader, plan)
        left = report["left"]
        if left is None:
            self._close(piece.owner, piece.incoming)
            return
        reader = Reader(left, self.cast)
        rows: list[Row] = [
            (reader.sleep(sleep), reader.step(*step) if step is not None else None, reader.trees(siblings))
            for sleep, step, siblings in left["rows"][piece.root:]]
        rest = Piece(piece.owner, piece.incoming, rows)
        if len(self._ready) + sum(1 for _ in self._free()) < self.hungry and (place := _where_to_cut(rows)) is not None:
            self._cut(rest, place)
        else:
            self._ready.append(rest)

    def lost(self, piece: Piece) -> None:
        """A worker has died over this piece; raises `ExplorationError` if that happens again and again."""
        self._out -= 1
        piece.attempts += 1
        if piece.attempts >= _ATTEMPTS:
            raise ExplorationError(f"the same piece of work has ended {piece.attempts} workers: "
                                   "does the program end its process?")
        self._ready.append(piece)

    # -- states

    def _free(self) -> Iterator[State]:
        return (state for state in self._waiting if state.may_hand_out())

    def _branch(self, state: State) -> Piece:
        """The first branch that waits: it sleeps from now on, for those that follow."""
        node = state.waiting.pop(0)
        if not state.waiting:
            self._waiting.remove(state)
        sleep = {choice: state.sleep[choice] for choice in _asleep_for(node, state.sleep)}
        state.hand_out(node)
        return Piece(state, node, [(sleep, None, node.children)])

    def _cut(self, piece: Piece, place: int) -> None:
        """The first states of a piece, up to this place, are the coordinator's from now on."""
        owner, incoming = piece.owner, piece.incoming
        for sleep, current, siblings in piece.rows[:place + 1]:
            owner = state = State(owner, incoming, sleep)
            incoming = current
            if current is not None:
                state.hand_out(current)
            if siblings:
                state.waiting = siblings
                self._waiting.append(state)
        if incoming is not None:
            self._ready.append(Piece(owner, incoming, piece.rows[place + 1:]))

    def _close(self, state: State | None, branch: Node | None) -> None:
        """This branch of a state is done."""
        while state is not None:
            assert branch is not None, "only the first state of all has no step before it"
            del state.open[branch.actor, branch.alternative]
            if state.open or state.waiting:
                return
            branch, state = state.incoming, state.owner

    def _plan(self, path: list[tuple[State, Node]], reader: Reader, plan: Plan) -> None:
        at, steps, last, direct = plan
        state, origin = path[at]
        order = _order(reader, steps)
        node = reader.step(*last)
        race = Race(at, 0, node.actor, node.operation, node.alternative, node.footprint, direct)
        events = (1 << len(steps)) - 1
        others = {choice: seen for choice, seen in state.sleep.items() if choice != (origin.actor, origin.alternative)}
        if covered_by_sleep(order, others, events, race):
            return
        tree = [origin, *state.waiting]  # `insert` leaves the first alone: it is being explored
        if insert(order, tree, events, race):
            if not state.waiting:
                self._waiting.append(state)
            state.waiting = tree[1:]


def _asleep_for(node: Node, sleep: dict[Choice, Footprint]) -> Iterator[Choice]:
    """Those that go on sleeping when this step is taken."""
    return (choice for choice, seen in sleep.items()
            if choice[0] != node.actor and not conflict(seen, node.footprint))


def _where_to_cut(rows: list[Row]) -> int | None:
    """The first state with two branches that may be explored at the same time; None if there is none."""
    for number, (_, current, siblings) in enumerate(rows):
        both = [current, *siblings] if current is not None else siblings
        if len(both) > 1 and (both[0].actor == both[1].actor or conflict(both[0].footprint, both[1].footprint)):
            return number
    return None


def _order(reader: Reader, steps: list[Any]) -> Order:
    """The order of a sequence that a worker has seen, as far as a wakeup tree asks for it."""
    order = Order()
    for number, (step, past) in enumerate(steps):
        node, bit = reader.step(*step), 1 << number
        order.events.append(Event(node.actor, node.operation, node.alternative))
        order.prints.append(node.footprint)
        order.past.append(past)
        order.actors[node.actor] = order.actors.get(node.actor, 0) | bit
        for index in (*node.footprint.reads, *node.footprint.writes):
            order.touchers[index] = order.touchers.get(index, 0) | bit
        for index in node.footprint.writes:
            order.writers[index] = order.writers.get(index, 0) | bit
    return order


# -- processes --------------------------------------------------------------------------------------------------------


class Workers(Executor):
    """So many processes, made anew when one of them dies; what `executor=2` means.

    `alone`: for so many seconds a search goes on by itself before it is shared out, and if it cannot be, to its end.
    """

    def __init__(self, count: int, alone: float = 0.0) -> None:
        self.most, self.alone = count, alone
        self._pool = self._new()

    @property
    def count(self) -> int:
        """How many may work now."""
        return self.most

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As every executor."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = self._new()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As every executor."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _new(self) -> ProcessPoolExecutor:
        """Fresh interpreters: a fork would copy the threads' locks without the threads."""
        return ProcessPoolExecutor(self.most, multiprocessing.get_context("spawn"))


class _Team:
    """An executor, how many pieces to keep it busy with, and whether it is ours to close."""

    def __init__(self, given: Executor | int) -> None:
        if isinstance(given, bool) or not isinstance(given, (Executor, int)) or (isinstance(given, int) and given < 1):
            raise Refused("executor", f"set to {given!r}", "no executor", "a concurrent.futures.Executor, or a number "
                          "of processes")
        self.ours = isinstance(given, int)
        self.executor = Workers(given) if isinstance(given, int) else given

    @property
    def count(self) -> int:
        """How many workers there are at the moment."""
        found: int = getattr(self.executor, "count", 0) or getattr(self.executor, "_max_workers", 0)
        return found or os.cpu_count() or 1

    def work(self, coordinator: Coordinator, submit: Callable[[Piece], Future[Any]],
             heard: Callable[[dict[str, Any]], bool], look: Callable[[], bool]) -> bool:
        """Until all is done, or `heard` or `look` say no; answers whether all is done."""
        out: dict[Future[Any], Piece] = {}
        try:
            while True:
                while len(out) <= self.count and (piece := coordinator.next()) is not None:
                    out[self._submitted(submit, piece)] = piece
                if not out:
                    return coordinator.finished
                for future in wait(out, timeout=_LOOK, return_when=FIRST_COMPLETED).done:
                    if not self._took(coordinator, out.pop(future), future, heard):
                        return False
                if not (coordinator.finished or look()):
                    return False
        finally:
            for future in out:
                future.cancel()
            if self.ours:
                self.executor.shutdown(wait=False, cancel_futures=True)

    def _submitted(self, submit: Callable[[Piece], Future[Any]], piece: Piece) -> Future[Any]:
        try:
            return submit(piece)
        except (BrokenExecutor, RuntimeError) as error:
            raise ExplorationError(f"the executor takes no more work: {error}; give a number of processes instead, "
                                   "and dead ones are replaced") from error

    @staticmethod
    def _took(coordinator: Coordinator, piece: Piece, future: Future[Any], heard: Callable[[dict[str, Any]], bool]
              ) -> bool:
        try:
            report = future.result()
        except (BrokenExecutor, CancelledError):
            coordinator.lost(piece)
            return True
        if "error" in report:
            raise ExplorationError(f"a worker: {report['error']}")
        coordinator.done(piece, report)
        return heard(report)


def run_in_parallel(make: Callable[[], Model], executor: Executor | int, limits: Limits | None = None,
                    seconds: float | None = _SECONDS, each: int | None = None) -> Tally:
    """As `model.run` with `Optimal`: every class of the program that `make` makes, once, by all workers together.

    `make` is a function of a module, or can be pickled (`functools.partial(counter, 3)`). `executor`: any of
    concurrent.futures, threads included, or a number of processes. A piece of work is handed back after `seconds`,
    or `each` executions. Failures keep their schedules; numbers of objects in outcomes may differ from those of
    one process, names do not. Raises `Refused` for what cannot be sent, `ExplorationError` for what a worker raised.
    """
    tally, team, coordinator = Tally(limits or Limits()), _Team(executor), None
    program = Program.of(make)
    coordinator = Coordinator(team.count)

    def submit(piece: Piece) -> Future[Any]:
        budget = _least(each, tally.limits.executions, tally.executions)
        return team.executor.submit(run_model, program,
                                    coordinator.task(piece, budget, seconds, tally.limits.steps, {}))

    def heard(report: dict[str, Any]) -> bool:
        for name in ("executions", "events", "failed", "abandoned"):
            setattr(tally, name, getattr(tally, name) + report[name])
        tally.failures += report["failures"]
        tally.outcomes += Counter(report["outcomes"])
        tally.reason = tally.reason or report["reason"]
        return coordinator.finished or tally.may_go_on()

    tally.may_go_on()
    tally.exhausted = team.work(coordinator, submit, heard, tally.may_go_on)
    return tally


def search_in_parallel(search: Search, executor: Executor | int) -> bool:
    """Explore the body of a search that has not begun by other processes; its account is then filled.

    Answers whether others were asked at all: not if it came to its end, whatever that was, within the time that
    the executor leaves it `alone`.
    """
    if isinstance(executor, ThreadPoolExecutor):
        raise Refused("executor", "given", "one of threads", "one of processes, or their number",
                      "names of modules are replaced while a body is explored: one body at a time in a process")
    team = _Team(executor)
    coordinator, session = Coordinator(team.count), search.session
    options = {"pid": os.getpid(), "visible": asdict(search.visible)}
    alone: float = getattr(team.executor, "alone", 0.0)
    if alone and _ends_alone(search, coordinator, alone):
        return False
    program = Program.of(search.body)

    def submit(piece: Piece) -> Future[Any]:
        budget = _least(None, search.limit, search.runner.executions)
        return team.executor.submit(run_body, program,
                                    coordinator.task(piece, budget, _SECONDS, search.steps, options))

    def heard(report: dict[str, Any]) -> bool:
        if not session.stop:
            session.stop = report["stop"]
        _enter(search, report)
        if report["failure"] is not None:
            search.fail_at(report["failure"])
        return not (session.stop or search.reason or search.first) and (coordinator.finished or search.within_limits())

    def look() -> bool:
        search.look()
        return not session.stop

    search.exhausted = team.work(coordinator, submit, heard, look)
    return True


def _ends_alone(search: Search, coordinator: Coordinator, seconds: float) -> bool:
    """Search in this process for a while; what is left then is the coordinator's, if it can be sent."""
    piece = coordinator.next()
    assert piece is not None, "a search that has not begun is a piece of work"
    shard = Shard(coordinator.task(piece, None, seconds, search.steps, {}), search.session.cast, youngest_first=True)
    search.strategy = shard
    search.run_here()
    if search.first is not None:
        search.fail_simply(search.first)
    if search.is_over() or not shard.frames:
        return True
    try:
        Program.of(search.body)
        if len(search.session.outside) > 1:
            raise Refused("executor", "given", "used for a body with locks that were made outside of it", "its own")
    except Refused as refusal:
        search.session.notes.append(f"not shared out: {refusal}")
        shard.go_on()
        search.run_here()
        return True
    coordinator.done(piece, shard.report())
    return False


def _enter(search: Search, report: dict[str, Any]) -> None:
    session = search.session
    search.runner.executions += report["executions"]
    search.events += report["events"]
    assert isinstance(search.classes, int), "an optimal search counts its classes"
    search.classes += report["classes"]
    search.outcomes += Counter(report["outcomes"])
    search.reason = search.reason or report["reason"]
    search.tells_time(*report["time"])
    for label, reached in report["sometimes"].items():
        session.sometimes[label] = session.sometimes.get(label, False) or reached
    session.notes += [note for note in report["notes"] if note not in session.notes]
    if search.watch is not None:
        search.watch.findings.update(dict.fromkeys(report["untracked"]))


def _least(each: int | None, limit: int | None, executions: int) -> int | None:
    """How many executions a piece may make."""
    bounds = [bound for bound in (each, limit - executions if limit is not None else None) if bound is not None]
    return max(1, min(bounds)) if bounds else None
