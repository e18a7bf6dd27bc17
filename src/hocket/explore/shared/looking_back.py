"""What looks at the frame of its caller finds the one that the user's code is in, and none of ours.

`sys._getframe()`, `globals` under another name, `warnings.warn`, `compile` (which inherits `from __future__ import
annotations`), `namedtuple` and all that notes the module where it was called: a probe stands between them and their
caller. Those that can be told where to look are told. The others are called by a function that is made for the
purpose: it has the globals, the file, the name and the line of the user's, and no line of ours.

Not covered: functions of untracked packages that look at their caller. Refused: calling all foreign code in this way,
which would cost every call what only a few need.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import collections
import dataclasses
import inspect
import sys
import traceback
import typing
import warnings
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from hocket.explore.shared.announce import unseen
from hocket.explore.shared.sources import PROBES, copied, rewrite_source
from hocket.explore.threads.control import ACTORS
from hocket.explore.threads.naming import is_hocket
from hocket.explore.threads.pool import _get_ident as get_ident

__all__ = ["FOR_THE_USER", "LOOKING_BACK", "as_called_by", "rewritten_text", "runs_here", "users"]

_FUTURE = __future__.annotations.compiler_flag | __future__.barry_as_FLUFL.compiler_flag


def users(frame: FrameType) -> FrameType:
    """The innermost frame, from `frame` outwards, that is not ours; `frame` itself if all are."""
    return next(_outwards(frame), frame)


def flags_of(frame: FrameType) -> int:
    """What text that is compiled there inherits."""
    return frame.f_code.co_flags & _FUTURE


def as_called_by(frame: FrameType, f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose caller's frame has the module, the file, the name and the line that `frame` has."""
    between = _between(f)
    code = between.__code__.replace(co_filename=frame.f_code.co_filename, co_name=frame.f_code.co_name,
                                    co_qualname=frame.f_code.co_qualname, co_firstlineno=frame.f_lineno)
    return FunctionType(_inheriting(code, frame), frame.f_globals, f.__name__, None, between.__closure__)


def _between(f: Callable[..., Any]) -> Any:
    return lambda *args, **named: f(*args, **named)  # on one line: the first is the only one


def _inheriting(code: CodeType, frame: FrameType) -> CodeType:
    return code.replace(co_flags=code.co_flags & ~_FUTURE | flags_of(frame))


# -- frames -----------------------------------------------------------------------------------------------------------


def _outwards(frame: FrameType) -> Iterator[FrameType]:
    """The frames that are not ours, from `frame` on."""
    here: FrameType | None = frame
    while here is not None:
        if not is_hocket(here.f_code.co_filename):
            yield here
        here = here.f_back


def runs_here(frame: FrameType) -> bool:
    """Whether the calling thread is in it."""
    return any(each is frame for each in _outwards(sys._getframe(1)))


def _frame(depth: int = 0, /) -> FrameType:
    frames = list(_outwards(sys._getframe(1)))
    if depth >= len(frames):
        raise ValueError("call stack is not deep enough")
    return frames[max(depth, 0)]


def _module_name(depth: int = 0) -> str | None:
    try:
        name: str | None = _frame(depth).f_globals.get("__name__")
    except ValueError:
        return None
    return name


def _current() -> FrameType:
    return users(sys._getframe(1))


def _globals() -> dict[str, Any]:
    return _current().f_globals


def _locals() -> Any:
    return _own(_current())


def _own(frame: FrameType) -> Any:
    """What `locals()` gives there: from 3.13 on a copy if it is a function, where a frame has a view (PEP 667)."""
    own: Any = frame.f_locals
    is_view = sys.version_info >= (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED
    return dict(own) if is_view else own


def _vars(*of: Any) -> Any:
    return vars(*of) if of else _locals()


def _dir(*of: Any) -> list[str]:
    return dir(*of) if of else sorted(_locals())


def _stack(context: int = 1) -> list[Any]:
    return inspect.getouterframes(_current(), context)


def _tracing(f: Callable[..., Any]) -> Callable[..., Any]:
    def traced(frame: FrameType | None = None, *args: Any, **named: Any) -> Any:
        return f(named.pop("f", None) or frame or _current(), *args, **named)

    return traced


def _warn(message: Any, category: Any = None, stacklevel: int = 1, source: Any = None, **more: Any) -> None:
    raw, counted, frame = 0, 0, sys._getframe()
    while frame.f_back is not None and counted < stacklevel:
        frame, raw = frame.f_back, raw + 1
        counted += not is_hocket(frame.f_code.co_filename)
    warnings.warn(message, category, raw + 1 if stacklevel > 0 else stacklevel, source, **more)


# -- text -------------------------------------------------------------------------------------------------------------


def _compile(source: Any, filename: Any, mode: str, flags: int = 0, dont_inherit: bool = False, optimize: int = -1,
             **more: Any) -> Any:
    inherited = 0 if dont_inherit else flags_of(_current())
    made = compile(source, filename, mode, flags | inherited, True, optimize, **more)
    if type(made) is CodeType and mode != "single":
        own = copied(source) if isinstance(source, ast.AST) else source
        _MADE_OF[made] = (own, filename, mode, flags | inherited)
    return made


_MADE_OF: WeakKeyDictionary[CodeType, tuple[Any, Any, str, int]] = WeakKeyDictionary()
"""What explored code has compiled, and how: if it has that code run, it is rewritten as the text would be."""


def prepared(text: Any, mode: str, frame: FrameType) -> Any:
    """What `exec` and `eval` take: a text as they read it, with what it inherits from `frame`; code as it is."""
    if not isinstance(text, (str, bytes)):
        return text
    return compile(text_of(text, mode), "<string>", mode, flags_of(frame), True)


def text_of(text: Any, mode: str) -> Any:
    """`eval` does not mind blanks before an expression."""
    blanks: Any = b" \t" if isinstance(text, bytes) else " \t"
    return text.lstrip(blanks) if mode == "eval" else text


def _running(run: Callable[..., Any]) -> Callable[..., Any]:
    def ran(text: Any, /, *spaces: Any, **named: Any) -> Any:
        frame = _current()
        text = prepared(text, run.__name__, frame)
        if (spaces and spaces[0] is not None) or "globals" in named:
            return run(text, *spaces, **named)
        own = spaces[1] if len(spaces) > 1 and spaces[1] is not None else _own(frame)
        return run(text, frame.f_globals, named.pop("locals", own), *spaces[2:], **named)

    return ran


MAKERS: tuple[Any, ...] = (
    type, collections.namedtuple, typing.NamedTuple, typing.NewType, typing.TypeVar, typing.ParamSpec,
    dataclasses.make_dataclass, builtins.__import__, *filter(None, [getattr(typing, "TypeVarTuple", None)]))
"""What notes, or goes by, the module in which it was called."""

LOOKING_BACK: dict[Any, Callable[..., Any]] = {
    sys._getframe: _frame, inspect.currentframe: _current, inspect.stack: _stack,
    globals: _globals, locals: _locals, vars: _vars, dir: _dir, compile: _compile,
    eval: _running(eval), exec: _running(exec), warnings.warn: _warn,
    **{f: _tracing(f) for f in (traceback.extract_stack, traceback.format_stack, traceback.print_stack)},
}
"""By what looks for the frame of its caller, what finds it although a probe stands between."""

if hasattr(sys, "_getframemodulename"):  # 3.12
    LOOKING_BACK[sys._getframemodulename] = _module_name


# -- what the probes do -----------------------------------------------------------------------------------------------


def rewritten_text(text: Any, mode: str) -> Any:
    """A text, or what was compiled of one, rewritten like the code around it."""
    if isinstance(text, (str, bytes)):
        how = (text_of(text, mode), "<string>", mode, flags_of(_current()))
    elif type(text) is CodeType and text in _MADE_OF:
        how = _MADE_OF[text]
    else:
        return text
    with unseen(ACTORS.get(get_ident())):
        return rewrite_source(*how)


def _exec(probes: Any, text: Any, *spaces: Any, **named: Any) -> None:
    LOOKING_BACK[exec](_text_within(text, "exec", spaces, named), *spaces, **named)


def _eval(probes: Any, text: Any, *spaces: Any, **named: Any) -> Any:
    return LOOKING_BACK[eval](_text_within(text, "eval", spaces, named), *spaces, **named)


def _text_within(text: Any, mode: str, spaces: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Rewritten, unless it is to run with built-ins of its own, among which no probes are found."""
    space: Any = spaces[0] if spaces else named.get("globals")
    own = dict.get(space, "__builtins__") if issubclass(type(space), dict) else None
    found = vars(own) if issubclass(type(own), ModuleType) else own
    return text if type(found) is dict and PROBES not in found else rewritten_text(text, mode)


def _type(probes: Any, *args: Any, **named: Any) -> Any:
    return type(args[0]) if len(args) == 1 and not named else _noting(type)(probes, *args, **named)


def _noting(f: Any) -> Callable[..., Any]:
    def noted(probes: Any, *args: Any, **named: Any) -> Any:
        return probes._handed_over(ACTORS[get_ident()], as_called_by(_current(), f), args, named)

    return noted


def _finding(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda probes, *args, **named: f(*args, **named)


FOR_THE_USER: dict[Any, Callable[..., Any]] = {
    **{f: _finding(found) for f, found in LOOKING_BACK.items()}, **{f: _noting(f) for f in MAKERS},
    exec: _exec, eval: _eval, type: _type,
}
"""By what looks back, what the probes do in its place."""
