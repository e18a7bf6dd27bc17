"""A search on disk: killed at any moment, it goes on where it was, and in the end its counts are those of one search.

Every few seconds, between two executions, the stack of the search (stack.py) and
its account so far are written to a new file that then takes the place of the old
one. So there is always one whole checkpoint; what was done after it is done again
and counted once. At the end of the search, and when it has found a failure that
ends it, the file is removed: what is there is something to go on with.

A file of another program, Python, Hocket or set of options is refused with the
reason: its numbers would mean something else (which program it is: digest.py). When
the path runs again each step is compared all the same, and another step is a
`NondeterminismError`.

Outcomes are the user's values. What `repr` says of plain ones is kept, others are
pickled, hence: read only checkpoints that you wrote. One that can be neither is refused.
Refused: locking the file (two searches on one path each keep a whole file, and one
is lost); writing in the middle of an execution.
"""

from __future__ import annotations

import ast
import base64
import json
import os
import pickle
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hocket import __version__
from hocket.errors import CheckpointError, Refused
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Cast, Execution
from hocket.explore.scale.digest import body_digest, program_digest
from hocket.explore.scale.stack import check_path, restore, snapshot
from hocket.explore.shared.tracker import Visible
from hocket.explore.tally import Failure, Tally
from hocket.trace.operation import Operation
from hocket.trace.schedule import Schedule

if TYPE_CHECKING:
    from hocket.explore.program import Program
    from hocket.explore.search import Search

__all__ = ["BodyKeeper", "Checkpoint", "Keeper", "ModelKeeper", "recalled_outcomes",
           "saved_outcomes"]

_VERSION = 1
_EVERY = 10.0  # seconds between two checkpoints
_monotonic = time.monotonic  # the real one, whatever the program under exploration replaces

Account = dict[str, Any]
"""What the host has counted so far, as JSON."""


class Checkpoint:
    """Where to keep a search, and how often (seconds); `clock` is for tests.

    Raises `CheckpointError` for a file that cannot be read, cannot be written or is of another search.
    """

    def __init__(self, path: str | os.PathLike[str], every: float = _EVERY,
                 clock: Callable[[], float] = _monotonic) -> None:
        self.path, self.every, self.clock = Path(path), every, clock

    @staticmethod
    def of(given: Checkpoint | str | os.PathLike[str]) -> Checkpoint:
        """What was given, or the checkpoint of that path."""
        return given if isinstance(given, Checkpoint) else Checkpoint(given)

    def load(self, identity: dict[str, str]) -> dict[str, Any] | None:
        """What was saved of this search; None if nothing was."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CheckpointError(str(self.path), f"it cannot be read: {error}") from None
        try:
            saved = json.loads(text)
            version = saved["hocket_checkpoint"]
        except (ValueError, KeyError, TypeError):
            raise CheckpointError(str(self.path), "it is no checkpoint of Hocket") from None
        if version != _VERSION:
            raise CheckpointError(str(self.path), f"it is of format {version!r}, and this Hocket reads {_VERSION}")
        for what, now in identity.items():
            then = saved["identity"].get(what)
            if then != now:
                told = "has changed since" if what == "program" else f"was {then!r} and is {now!r}"
                raise CheckpointError(str(self.path), f"its {what} {told}")
        found: dict[str, Any] = saved
        return found

    def write(self, saved: dict[str, Any]) -> None:
        """Put this in the place of what was there; at no moment is there no whole file."""
        new = self.path.with_name(self.path.name + ".new")
        try:
            with open(new, "w", encoding="utf-8") as file:
                json.dump({"hocket_checkpoint": _VERSION, **saved}, file, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            os.replace(new, self.path)
            _sync_directory(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                new.unlink()  # half a file, on a disk that is full as a rule
            raise CheckpointError(str(self.path), f"it cannot be written: {error}") from error

    def remove(self) -> None:
        """The search is over."""
        self.path.unlink(missing_ok=True)


class Keeper:
    """Keeps one search: gives back what was saved of it, and saves it from time to time."""

    def __init__(self, checkpoint: Checkpoint, program: str, options: dict[str, Any]) -> None:
        self._checkpoint = checkpoint
        python = f"{platform.python_implementation()} {platform.python_version()}"
        self._identity = {"program": program, "Python": python, "Hocket": __version__, "options": repr(options)}
        self._strategy: Optimal | None = None
        self._cast = Cast()
        self._path: list[Operation] = []
        self._written = checkpoint.clock()

    def load(self) -> dict[str, Any] | None:
        """What was saved, for `begin`; its "account" is the host's."""
        return self._checkpoint.load(self._identity)

    def begin(self, strategy: object, cast: Cast, saved: dict[str, Any] | None) -> None:
        """From now on keep this strategy, which has not begun; it goes on from what was saved."""
        if not isinstance(strategy, Optimal):
            raise Refused("checkpoint", "given", "not supported for this strategy", "'optimal' or 'source'")
        if strategy.reductions:
            raise Refused("checkpoint", "given", "not supported together with reductions", "no reductions")
        self._strategy, self._cast, self._path = strategy, cast, []
        if saved is not None:
            try:
                restore(strategy, cast, saved["stack"])
            except (KeyError, IndexError, TypeError, ValueError):
                raise CheckpointError(str(self._checkpoint.path), "its stack does not make sense") from None
            strategy.given_up = saved["given_up"]
            path = [frame.planned[0].operation for frame in reversed(strategy.given) if frame.planned]
            self._path = path

    def after(self, execution: Execution, account: Callable[[int], Account]) -> None:
        """An execution has ended, and the strategy knows: save the search if it is time to."""
        if self._path:
            check_path(execution, self._path)
            self._path = []
        if self._checkpoint.clock() - self._written >= self._checkpoint.every:
            self.write(account)

    def write(self, account: Callable[[int], Account]) -> bool:
        """Save the search as it stands between two executions; answers whether anything is left to do, and to save.

        `account` is asked with the number of the state where the next execution parts from the last.
        """
        assert self._strategy is not None, "a keeper must know what it keeps"
        stack = snapshot(self._strategy, self._cast)
        if stack is not None:
            self._checkpoint.write({"identity": self._identity, "stack": stack,
                                    "account": account(len(stack["rows"]) - 1),
                                    "given_up": self._strategy.given_up})
        self._written = self._checkpoint.clock()
        return stack is not None

    def remove(self) -> None:
        """The search is over."""
        self._checkpoint.remove()


# -- the account of a pure model --------------------------------------------------------------------------------------


class ModelKeeper(Keeper):
    """Keeps the exploration of a pure model."""

    def __init__(self, given: Checkpoint | str | os.PathLike[str], program: Program, strategy: object, tally: Tally,
                 cast: Cast) -> None:
        checkpoint = Checkpoint.of(given)
        options = {"strategy": type(strategy).__name__, "steps": tally.limits.steps}
        super().__init__(checkpoint, program_digest(program), options)
        self._tally = tally
        self._cut = ""  # whether an execution was cut short: that stays in the verdict
        saved = self.load()
        self.begin(strategy, cast, saved)
        if saved is not None:
            self._recall(saved["account"])

    def ended(self, execution: Execution) -> None:
        """An execution is in the tally."""
        self._cut = self._tally.reason
        self.after(execution, self._account)

    def over(self) -> None:
        """The search has come to its end, or to a limit; that is of no account if it was the last execution."""
        tally, strategy = self._tally, self._strategy
        assert strategy is not None, "a keeper must know what it keeps"
        if not tally.exhausted and strategy.frames and not self.write(self._account):
            tally.exhausted, tally.reason = True, self._cut
        if tally.exhausted:
            self.remove()

    def _account(self, _: int) -> Account:
        tally = self._tally
        failures = [[failure.kind, str(failure.schedule), failure.message, list(failure.waits)]
                    for failure in tally.failures]
        return {"executions": tally.executions, "abandoned": tally.abandoned, "events": tally.events,
                "failed": tally.failed, "failures": failures, "seconds": tally.seconds, "cut": self._cut,
                "outcomes": saved_outcomes(tally.outcomes, self._checkpoint.path)}

    def _recall(self, account: Account) -> None:
        tally = self._tally
        tally.executions, tally.abandoned = account["executions"], account["abandoned"]
        tally.events, tally.failed, tally.before = account["events"], account["failed"], account["seconds"]
        tally.outcomes = recalled_outcomes(account["outcomes"])
        tally.reason = self._cut = account["cut"]
        tally.failures = [Failure(kind, Schedule.parse(schedule), message, None, tuple(waits))
                          for kind, schedule, message, waits in account["failures"]]


# -- the account of a body with threads -------------------------------------------------------------------------------


class BodyKeeper(Keeper):
    """Keeps one call of `hocket.explore`."""

    def __init__(self, given: Checkpoint | str | os.PathLike[str], search: Search) -> None:
        options = {"strategy": search.strategy_name, "bound": search.bound, "steps": search.steps,
                   "data": search.visible.data, "track": list(search.visible.track), "model": search.visible.model}
        super().__init__(Checkpoint.of(given), body_digest(search.body), options)
        self._search = search
        self._saved = self.load()

    @property
    def visible(self) -> Visible | None:
        """What was an operation in the search that was saved; None if there is none."""
        saved = self._saved["account"]["visible"] if self._saved is not None else None
        if saved is None:
            return None
        told: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()}
        return Visible(**told)

    def reset(self) -> None:
        """The search has made its strategy and its session anew: let them go on from what was saved, once."""
        saved, self._saved = self._saved, None
        self.begin(self._search.strategy, self._search.session.cast, saved)
        if saved is not None:
            self._recall(saved["account"])

    def judged(self, execution: Execution, goes_on: bool) -> bool:
        """An execution is in the account; whether to go on, after a limit only if it was the last execution anyway."""
        self.after(execution, self._account)
        return goes_on or not self.write(self._account)

    def _account(self, parts: int) -> Account:
        search, session = self._search, self._search.session
        if len(session.outside) > 1:
            raise CheckpointError(str(self._checkpoint.path), (
                f"the body uses {len(session.outside)} locks or Atomics that were made outside of it, and these cannot "
                "be told apart in another process: make them in the body"))
        return {"executions": search.runner.executions, "classes": search.classes, "events": search.events,
                "outcomes": saved_outcomes(search.outcomes, self._checkpoint.path),
                "sometimes": session.sometimes, "notes": session.notes, "visible": asdict(search.visible),
                "untracked": list(search.untracked()),
                "estimate": search.estimate.saved(parts) if search.estimate is not None else None,
                "keys": search.tracker.saved() if search.tracker is not None else "[]",
                "time": [search.asked, search.slept], "seconds": search.elapsed()}

    def _recall(self, account: Account) -> None:
        search, session = self._search, self._search.session
        search.runner.executions, search.classes = account["executions"], account["classes"]
        search.events, search.before = account["events"], account["seconds"]
        search.outcomes = recalled_outcomes(account["outcomes"])
        session.sometimes, session.notes = account["sometimes"], account["notes"]
        search.tells_time(*account["time"])
        session.named = len(session.cast.objects)
        if search.estimate is not None and account["estimate"] is not None:
            search.estimate.restore(account["estimate"])
        if search.tracker is not None:
            search.tracker.recall(account["keys"])
        if search.watch is not None:
            search.watch.findings.update(dict.fromkeys(account["untracked"]))


# -- outcomes ---------------------------------------------------------------------------------------------------------


def saved_outcomes(outcomes: Counter[Any], path: Path) -> list[list[Any]]:
    """Outcomes and their counts as JSON; raises `CheckpointError` for one that cannot be kept."""
    return [[*_kept(value, path), count] for value, count in outcomes.items()]


def recalled_outcomes(rows: Iterable[list[Any]]) -> Counter[Any]:
    """What `saved_outcomes` said."""
    return Counter({_RECALL[how](text): count for how, text, count in rows})


def _unpickled(text: str) -> Any:
    return pickle.loads(base64.b64decode(text))


_RECALL: dict[str, Callable[[str], Any]] = {"literal": ast.literal_eval, "pickle": _unpickled}


def _kept(value: Any, path: Path) -> tuple[str, str]:
    text = repr(value)
    try:
        again = ast.literal_eval(text)
        if type(again) is type(value) and again == value:
            return "literal", text
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        pass
    try:
        pickled = pickle.dumps(value)
        if pickle.loads(pickled) == value:
            return "pickle", base64.b64encode(pickled).decode("ascii")
    except Exception as error:
        raise CheckpointError(str(path), f"outcome {text} cannot be kept ({error}): return something plain") from None
    raise CheckpointError(str(path), f"the outcome {text} is not equal to itself once it was pickled: "
                                     "return something plain")


def _sync_directory(directory: Path) -> None:
    """So that the new name survives a loss of power; not every system can."""
    try:
        number = os.open(directory, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(number)
    except OSError:
        pass
    finally:
        os.close(number)
