"""Which code of an exploration is tracked, and the probes of its executions.

By default the module of the body is: the test with whatever stands beside it. `track=`
names more: modules, or packages with all of their modules that are loaded. Their
functions are exchanged for rewritten ones while an exploration runs, and
put back after it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from hocket.errors import Refused
from hocket.explore.execution import Cast
from hocket.explore.shared.blocks import Blocks
from hocket.explore.shared.functions import is_rewritten, rewritten
from hocket.explore.shared.heap import Heap, Shown
from hocket.explore.shared.mocks import HOME
from hocket.explore.shared.names import names_in, written_by
from hocket.explore.shared.parts import own_names, plainly
from hocket.explore.shared.probes import Probes
from hocket.explore.shared.racing import Access, Race, race_of, unordered
from hocket.explore.shared.reaching import homes_of
from hocket.explore.shared.spinning import Spinloops
from hocket.explore.shared.stateful import state_of
from hocket.explore.shared.telling import TELLING
from hocket.explore.threads.control import ACTORS, RESTART, Control, End, Observer, Session
from hocket.explore.threads.files import BOOKS, Book, FileAccess
from hocket.explore.threads.naming import is_hocket
from hocket.explore.threads.spaces import file_of, space_of

__all__ = ["Tracker", "Visible", "named", "new_session"]

_SHOWN = 3  # functions that are named in a note
_BLIND = {"data.write", "data.put"}  # what these do does not depend on what was there
_PROBES: dict[str, type[Probes]] = {"free": Probes, "gil": Blocks}


@dataclass(frozen=True, slots=True)
class Visible:
    """What is an operation in an exploration, besides synchronisation: a replay has to see the same.

    `ends`: the end of an actor; `data`: "track", "race-check" or "off"; `track`: modules besides the body's own;
    `everything`: also reads of attributes that no tracked code assigns outside of `__init__`; `spurious`: wake-ups from
    a Condition that nobody caused, of each actor; `order`: of the callbacks of an event loop; `cancel`: tasks that
    may be cancelled from outside; `reached`: modules that are tracked because shared data came into their hands;
    `mortal`: whether what is referred to weakly still lives; `model`: between which accesses others may come; `afresh`:
    whether what the program left behind is put back before each execution;
    `replaced`: the names of what is looked up, and was found to be replaced meanwhile (replaced.py); `left`: what an
    exploration that began again has left changed for good, `moved`: the numbers of what it has changed and not read.
    """

    ends: bool = False
    data: str = "off"
    track: tuple[str, ...] = ()
    everything: bool = False
    spurious: int = 0
    order: str = "fifo"
    cancel: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    mortal: bool = False
    afresh: bool = False
    model: str = "free"
    replaced: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    moved: tuple[int, ...] = ()

    def flags(self) -> str:
        """What the command that replays has to say besides; nothing of what it finds out by itself."""
        said = [f" --track {name}" for name in dict.fromkeys((*self.track, *self.reached))]
        if self.data == "race-check":
            said.append(" --data race-check")
        if self.model != "free":
            said.append(f" --model {self.model}")
        if self.spurious:
            said.append(f" --spurious {self.spurious}")
        if self.order != "fifo":
            said.append(f" --order {self.order}")
        said += [f" --cancel {name}" for name in self.cancel]
        return "".join(said)

    def tracker(self, body: Callable[[], Any], telling: bool = False) -> Tracker | None:
        """The tracker that this asks for; none if data is nobody's business, or there is no code to track."""
        if self.data == "off":
            return None
        modules = modules_of(body, self.track, self.reached)
        return Tracker(body, modules, self, telling) if modules else None


def new_session(body: Callable[[], Any], steps: int, visible: Visible, observer: Observer | None = None,
                audit: bool = True, telling: bool = False) -> Session:
    """What the executions of one exploration have in common, with `visible` as what there is to see.

    `telling`: what is read and written is noted, for executions that are shown.
    """
    tracker = visible.tracker(body, telling)
    spins = None
    if tracker is not None and visible.data == "track":  # else not all that an actor looks at is an operation
        spins = Spinloops(tracker.probes.heap.known, is_rewritten)
    return Session(Cast(), steps, observer=observer, audit=audit, ends_visible=visible.ends,
                   spurious=visible.spurious, order=visible.order, cancel=tuple(visible.cancel),
                   tracker=tracker, spins=spins)


@dataclass(slots=True)
class Tracker:
    """Tracks the shared data of the executions of one exploration."""

    body: Callable[[], Any]
    modules: tuple[ModuleType, ...]
    visible: Visible
    telling: bool = False  # whether the executions are shown
    probes: Probes = field(init=False)
    race: Race | None = None
    watch: Any = None  # the observer of the session, if it is a Watch
    refused: dict[str, None] = field(default_factory=dict)
    led: bool = False  # an execution went by what an earlier one had left behind
    leads: bool = False  # the last one would go another way if it were run again
    _last: Control | None = None
    _book: Book = field(init=False)  # of files
    _told: bool = False

    def __post_init__(self) -> None:
        self._book = Book(self.body)
        files = [file_of(module) or "" for module in self.modules]
        names = written_by(files)
        own = {HOME, *(module.__name__ for module in self.modules)}
        kinds = TELLING if self.telling else _PROBES
        heap = Heap(lambda kind: plainly(kind, "__module__") in own)
        self.probes = kinds[self.visible.model](heap, is_rewritten, names)
        self.probes.everything = self.visible.everything or names.free
        self.probes.heap.mortal = self.visible.mortal
        self.probes.replaced = frozenset(self.visible.replaced)
        self.probes.left.update(dict.fromkeys(self.visible.left))
        self.probes.findings.update(self.probes.left)
        self.probes.moved.update((number, {"changed"}) for number in self.visible.moved)
        self.probes.asks = any(names_in(file).asks for file in files)

    @contextmanager
    def active(self) -> Iterator[None]:
        """For the time in which executions run."""
        heap = self.probes.heap
        for module in self.modules:
            heap.module(module)
        heap.adopt(_roots(self.body, self.modules))
        for module in self.modules:
            heap.kept.keep(module)
        exchanged = rewritten(self.modules, self.probes)
        try:
            ACTORS.stranger = self.probes.met_stranger
            with exchanged, self.probes.mocks.active():
                self.refused.update(dict.fromkeys(str(refusal) for refusal in exchanged.refused))
                exchanged.freeze()
                yield
        finally:
            ACTORS.stranger = None
            if self._last is not None:
                BOOKS.pop(id(self._last.session), None)
            exchanged.thaw()
            if self._is_to_put_back():
                heap.kept.put_back()

    def _is_to_put_back(self) -> bool:
        """Whether what the program left behind is nobody's: what ran was of no account, or is to begin afresh."""
        last = self._last
        of_no_account = last is not None and (last.session.stop == RESTART or last.end == End.DIVERGED)
        return self.visible.afresh or self.leads or of_no_account

    def begin(self, control: Control) -> None:
        self._book.begin()
        BOOKS[id(control.session)] = self._book
        self.race, self._last = None, control
        if self.visible.afresh:
            self.probes.heap.kept.put_back()
        _forget_levels()
        self.probes.begin()
        self.probes.mocks.begin()
        self.probes.heap.begin(control)
        self.probes.accesses = [] if self.visible.data == "race-check" else None
        self.watch = control.session.observer
        if not self._told:
            self._told = True
            control.session.notes += self._notes()

    def _notes(self) -> list[str]:
        """What a reader has to know of what is tracked."""
        also = [f"tracked as well, because shared data is in its hands: {name}" for name in self.visible.reached]
        if self.visible.afresh:
            also.append("executions leave something behind that others read: what the tracked code had in its hands is "
                        "put back before each of them, and at the end")
        if self.refused:
            told = "; ".join(list(self.refused)[:_SHOWN])
            more = f"; and {len(self.refused) - _SHOWN} more" if len(self.refused) > _SHOWN else ""
            also.append(f"code that cannot be rewritten is only watched: {told}{more}")
        return also

    def end(self, control: Control) -> None:
        accesses = self.probes.accesses
        self._look_for_leavings(control)
        self._look_at_files(control)
        if accesses:
            self.race = race_of(control.execution, accesses)
        self.probes.heap.end()

    def _look_at_files(self, control: Control) -> None:
        """Whether threads go for one file and nothing orders them, or an earlier execution has left one behind."""
        findings, seen = self.probes.findings, self._book.accesses
        for path in self._book.changed:
            findings.setdefault(f"file {path} is not as the first execution found it, and files are not put back: "
                                "make it in the test, in a folder of its own (tempfile.TemporaryDirectory)")
        places: dict[tuple[str, int], int] = {}
        accesses = [Access(each.actor, each.events, each.mode, places.setdefault(place, len(places)), ())
                    for each in seen for place in _places_of(each, {each.actor for each in seen})]
        race = unordered(control.execution, accesses)
        if race is not None:
            (path, _), names = list(places)[race[0].place], control.execution.cast.actors
            deeds = " and ".join(f"{'written' if each.mode == 'w' else 'read'} by {names[each.actor]}" for each in race)
            findings.setdefault(f"{'folder' if path.endswith('/') else 'file'} {path} is {deeds}, and nothing orders "
                                "these: what else they may find was not tried (it would be under a lock)")

    def _look_for_leavings(self, control: Control) -> None:
        """Whether this execution was led by what an earlier one has left behind; if it failed, whether it would be."""
        heap = self.probes.heap
        found = (each.name for each in heap.shown.values() if each.was_left() and self._was_read(control, each))
        left = next(found, "")
        if left and self.visible.afresh:
            self.probes.findings.setdefault(
                f"{left} holds what an earlier execution has left there, and it cannot be put back")
        elif not self.visible.afresh:
            self.led = bool(left) or (control.end == End.DIVERGED and self._has_left_something())
            self.leads = control.end != End.COMPLETE and any(
                each.is_left(heap.kept.is_old) and self._was_read(control, each) for each in heap.shown.values())

    def _has_left_something(self) -> bool:
        heap = self.probes.heap
        return heap.kept.has_changed() or any(each.was_left() for each in heap.shown.values())

    def _was_read(self, control: Control, shown: Shown) -> bool:
        deeds = [(event.operation.kind in _BLIND, event.operation.objects) for event in control.execution.events]
        deeds += [(access.mode == "w", (access.place,)) for access in self.probes.accesses or ()]
        if state_of(shown.thing.held) is not None:  # whoever writes there goes on from what there was
            return True
        return self.probes.heap.was_read_alone(shown.thing) or shown.was_read(deeds)

    def saw_too_little(self) -> bool:
        """Whether the exploration has to begin again."""
        probes = self.probes
        return (self.led or probes.mocks.is_late() or probes.heap.stale or probes.heap.bereaved
                or (probes.surprised and not probes.everything) or bool(probes.replacing) or bool(self.wanted()))

    def wanted(self) -> tuple[str, ...]:
        """The modules that have shared data in their hands and are not tracked yet."""
        if not self.probes.wanted and not (self.watch is not None and self.watch.files):
            return ()
        tracked = set(map(id, self.modules))  # a module may have several names: `__mp_main__` is `__main__`
        asked = {module.__name__ for module in self.modules}.union(self.visible.reached)  # it may be imported anew
        files = self.watch.files if self.watch is not None else ()
        return tuple(name for name in dict.fromkeys([*self.probes.wanted, *homes_of(files)])
                     if name not in asked and id(sys.modules.get(name)) not in tracked)

    def again(self) -> Visible | None:
        """With what to begin again, if this exploration turned out to have seen too little; what executions have
        changed so far, and is not put back, is remembered."""
        moved = tuple(number for number, seen in self.probes.moved.items() if "changed" in seen)
        left, wider = tuple(self.probes.left), self._wider()
        if wider is None and not moved and not left:
            return None
        return replace(wider or replace(self.visible, ends=True), left=left, moved=moved)

    def _wider(self) -> Visible | None:
        heap, further = self.probes.heap, self.reaching_further()
        if further is not None:
            if self.watch is not None:
                self.watch.begin_again()
            return further
        if self.probes.surprised and not self.probes.everything:
            return replace(self.visible, everything=True)
        if self.led:
            return replace(self.visible, afresh=True)
        if heap.bereaved:
            return replace(self.visible, mortal=True)
        if heap.stale or self.probes.mocks.is_late():
            heap.stale = False
            return self.visible
        return None

    def reaching_further(self) -> Visible | None:
        """With the modules tracked as well that have shared data in their hands, and as steps what is looked up and
        was replaced; None if there is no more of either."""
        wanted, replacing = self.wanted(), self.probes.replacing
        if not wanted and not replacing:
            return None
        return replace(self.visible, reached=(*self.visible.reached, *wanted),
                       replaced=(*self.visible.replaced, *replacing))

    def get(self, o: Any, name: str) -> Any:
        """`o.name`, as tracked code would ask for it: a step, if any of it assigns that."""
        return self.probes.get(o, name)

    def saved(self) -> str:
        """What another process has to know to go on."""
        return self.probes.heap.saved()

    def recall(self, text: str) -> None:
        self.probes.heap.recall(text)

    def findings(self) -> list[str]:
        return list(self.probes.findings)


# -- which modules ----------------------------------------------------------------------------------------------------


def modules_of(body: Callable[[], Any], track: Iterable[str], reached: Iterable[str] = ()) -> tuple[ModuleType, ...]:
    """The module that `body` is written in, those that are named, with all below them, and those that were `reached`.

    Raises `Refused` for a name of no module.
    """
    found: dict[str, ModuleType] = {}
    home = _module_of(body)
    if home is not None:
        found[home.__name__] = home
    for name in track:
        inside = [module for known, module in list(sys.modules.items())
                  if (known == name or known.startswith(name + ".")) and isinstance(module, ModuleType)]
        if not inside:
            raise Refused("track", f"given {name!r}", "no module that is loaded", "a module or package to be tracked",
                          f"import {name} before the exploration")
        found.update((module.__name__, module) for module in inside)
    found.update((name, sys.modules[name]) for name in reached if name in sys.modules)
    return tuple(module for module in found.values() if _has_source(module))


def named(track: Any) -> tuple[str, ...]:
    """The modules of `track=`, which may be given as names, modules, classes or functions, or one of them."""
    several = [track] if isinstance(track, (str, ModuleType, type)) or callable(track) else list(track)
    names = []
    for entry in several:
        name = entry if isinstance(entry, str) else getattr(entry, "__module__", None) or getattr(
            entry, "__name__", None)
        if isinstance(entry, ModuleType):
            name = entry.__name__
        if not isinstance(name, str):
            raise Refused("track", f"given {entry!r}", "nothing that has a module", "names of modules, or modules")
        names.append(name)
    return tuple(dict.fromkeys(names))


def _module_of(body: Any) -> ModuleType | None:
    while isinstance(body, functools.partial):
        body = body.func
    body = getattr(body, "__hocket_body__", body)
    body = inspect.unwrap(getattr(body, "__func__", body))
    name = getattr(body, "__module__", None) or type(body).__module__
    module = sys.modules.get(name)
    names = getattr(body, "__globals__", None)
    return module if module is not None and (names is None or own_names(module) is names) else None


def _has_source(module: ModuleType) -> bool:
    file = file_of(module)
    if file is None:  # a console or a notebook, whose cells are known to `linecache`
        return module.__name__ == "__main__"
    return str(file).endswith(".py") and not is_hocket(str(file))


def _places_of(access: FileAccess, actors: set[int]) -> list[tuple[str, int]]:
    """A file is one place; in a folder each actor has its own, which who lists it reads: two that add do not mind."""
    if not access.path.endswith("/"):
        return [(access.path, 0)]
    return [(access.path, actor) for actor in (sorted(actors) if access.mode == "r" else [access.actor])]


def _forget_levels() -> None:
    """Loggers remember what they are enabled for: the first execution would take a lock that the next do not."""
    logging: Any = sys.modules.get("logging")
    loggers = [logging.root, *logging.root.manager.loggerDict.values()] if logging is not None else []
    for logger in loggers:
        if isinstance(logger, logging.Logger):
            logger._cache.clear()


def _roots(body: Callable[[], Any], modules: Iterable[ModuleType]) -> Iterator[tuple[Any, str]]:
    """What the program begins with."""
    yield body, getattr(body, "__name__", "body")
    for module in modules:
        for name, value in list(space_of(module).items()):
            if name[:2] != "__":
                yield value, name
                if isinstance(value, type) and value.__module__ == module.__name__:
                    yield from ((part, f"{name}.{key}") for key, part in list(vars(value).items()) if key[:2] != "__")
