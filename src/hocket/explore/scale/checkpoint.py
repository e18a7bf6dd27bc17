"""A search on disk: killed at any moment, it goes on where it was, and in the end its counts are those of one search.

Every few seconds, between two executions, the stack of the search (stack.py) and
its account so far are written to a new file that then takes the place of the old
one. So there is always one whole checkpoint; what was done after it is done again
and counted once. At the end of the search, and when it has found a failure that
ends it, the file is removed: what is there is something to go on with.

A file of another program, Python, Hocket or set of options is refused with the
reason: its numbers would mean something else. The program is known by the text of
the files that its bodies are in and by their code, not by what these import; when
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
import inspect
import json
import os
import pickle
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from hocket import __version__
from hocket.errors import CheckpointError, Refused
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Cast, Execution
from hocket.explore.scale.stack import check_path, restore, snapshot, text_of
from hocket.explore.shared.tracker import Visible
from hocket.explore.tally import Failure, Tally
from hocket.trace.operation import Operation
from hocket.trace.schedule import Schedule

if TYPE_CHECKING:
    from hocket.explore.front import _Search
    from hocket.explore.model import Program

__all__ = ["BodyKeeper", "Checkpoint", "Keeper", "ModelKeeper", "body_digest", "program_digest", "recalled_outcomes",
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

    def __init__(self, given: Checkpoint | str | os.PathLike[str], search: _Search) -> None:
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
                "seconds": search.elapsed()}

    def _recall(self, account: Account) -> None:
        search, session = self._search, self._search.session
        search.runner.executions, search.classes = account["executions"], account["classes"]
        search.events, search.before = account["events"], account["seconds"]
        search.outcomes = recalled_outcomes(account["outcomes"])
        session.sometimes, session.notes = account["sometimes"], account["notes"]
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


# -- which program it is ----------------------------------------------------------------------------------------------


def body_digest(body: Callable[..., Any]) -> str:
    """A digest of a function: its name, code, closure, and the text of the file that it is in."""
    return _digest(_of_function(body))


def program_digest(program: Program) -> str:
    """A digest of a pure model: its objects, and its bodies with what they are given."""
    parts = [f"{family} {name} {_text(state)}" for family, state, name in program.initial]
    bodies = [*program.bodies, *([program.main] if program.main is not None else [])]
    for body, arguments in bodies:
        parts += [*_of_function(body), *map(_text, arguments)]
    for function in (*program.checks, program.outcome):
        parts += _of_function(function)
    return _digest(parts)


def _digest(parts: Iterable[str]) -> str:
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _of_function(function: Any) -> list[str]:
    function = getattr(function, "__hocket_body__", function)
    if isinstance(function, partial):
        given = [*map(_text, function.args), *(f"{key}={_text(value)}" for key, value in function.keywords.items())]
        return [*_of_function(function.func), *given]
    function = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(function, "__code__", None)
    if code is None:
        return [f"{type(function).__module__}.{type(function).__qualname__}", *_of_call(function)]
    cells = [_text(_content(cell)) for cell in function.__closure__ or ()]
    return [f"{function.__module__}.{function.__qualname__}", *_of_code(code), *cells, _source(code.co_filename)]


def _of_call(thing: Any) -> list[str]:
    call = type(thing).__dict__.get("__call__")
    code = getattr(call, "__code__", None)
    return [*_of_code(code), _source(code.co_filename)] if code is not None else []


def _of_code(code: CodeType) -> list[str]:
    """Bytecode, names and constants, also of the functions inside."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    constants = [_text(constant) for constant in code.co_consts if not isinstance(constant, CodeType)]
    return [code.co_code.hex(), *code.co_names, *constants, *(part for one in inner for part in _of_code(one))]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _text(value: Any) -> str:
    """What is the same in every process: the text of a plain value, else the name of its type."""
    return text_of(value) or f"{type(value).__module__}.{type(value).__qualname__}"


def _source(filename: str) -> str:
    try:
        return Path(filename).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


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
