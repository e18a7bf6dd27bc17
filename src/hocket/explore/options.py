"""What can be asked of an exploration, and in what company; what cannot is refused by name, before anything runs.

An option whose machinery does not exist is not ignored, and neither are two that
do not go together: a search that did something else than was asked for would say
"proved" of something else.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from hocket.errors import Refused
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal, Source
from hocket.explore.sampling.portfolio import SAMPLERS
from hocket.explore.strategy import Strategy

__all__ = [
    "MODELS",
    "STRATEGIES",
    "SUPPORTED",
    "check_body",
    "check_certificate",
    "check_model",
    "check_options",
    "check_reductions",
    "check_sharing",
    "check_strategy",
    "may_be_shared_out",
]

STRATEGIES: dict[str, Callable[..., Strategy]] = {
    # youngest first: main, which mostly joins, is woken once instead of after each thread
    "optimal": functools.partial(Optimal, youngest_first=True),
    "source": functools.partial(Source, youngest_first=True),
    "dfs": DepthFirst,
}
MODELS: dict[str, tuple[str, ...]] = {
    # between which accesses others may come, and what a reader of the verdict has to know of that
    "free": (),
    "gil": ("model gil: others come in only where CPython 3.11 to 3.14 gives up its global lock (calls and loops); "
            "a free-threaded build or another Python may switch elsewhere",),
}
# for each option the values that work today
SUPPORTED: dict[str, tuple[Any, ...]] = {
    "model": tuple(MODELS),
    "data": ("track", "race-check", "off"),
    "strategy": tuple(STRATEGIES),
}


def check_body(body: Any) -> None:
    if not callable(body):
        raise Refused("body", f"given as {body!r}", "nothing that can be called", "a function without parameters")
    try:
        signature = inspect.signature(body)
        signature.bind()
    except ValueError:
        return  # a builtin without a signature: calling it will tell
    except TypeError as error:
        name = getattr(body, "__name__", repr(body))
        raise Refused(name, "given as a body", f"a function that needs arguments ({error})",
                      "a function without parameters", "wrap it: lambda: f(x)") from None


def check_options(**options: Any) -> None:
    for name, value in options.items():
        supported = SUPPORTED[name]
        if value not in supported:
            raise Refused(name, f"set to {value!r}", "not supported", " or ".join(map(repr, supported)))


def check_model(model: str, data: str) -> None:
    """A race is one on every Python, and where accesses are only watched nobody comes between them anyway."""
    if model == "gil" and data == "race-check":
        raise Refused("model", "set to 'gil'", "of no use to data='race-check'", "data='track', or model='free'")


def check_reductions(strategy: str, **others: Any) -> None:
    """Rules say what a search by independence may leave out; who does not search so has no use for them."""
    if strategy not in ("optimal", "source"):
        raise Refused("reductions", "given", f"of no use to strategy {strategy!r}", "strategy='optimal' or 'source'")
    for name, value in others.items():
        if value is not None:
            raise Refused("reductions", "given", f"not supported with {name}", f"{name}=None, or no reductions")


def check_sharing(**options: Any) -> None:
    """What other processes cannot be asked for."""
    for name, value in options.items():
        if value not in (None, "optimal"):
            raise Refused("executor", f"given with {name}={value!r}", "not supported together",
                          "an optimal search without bound and checkpoint")


def may_be_shared_out(options: Mapping[str, Any]) -> bool:
    """Whether a search with these options can be made by several processes."""
    alone = any(options.get(name) for name in ("checkpoint", "certificate", "reductions", "executor"))
    return not alone and options.get("bound") is None and options.get("strategy", "optimal") == "optimal"


def check_certificate(**options: Any) -> None:
    """What a certificate cannot come from."""
    for name, value in options.items():
        if value not in (None, ()):
            raise Refused("certificate", f"asked for with {name}={value!r}", "not supported together",
                          "a search that leaves nothing out, in one piece and without reductions")


def check_strategy(strategy: str) -> None:
    if strategy not in SAMPLERS:
        check_options(strategy=strategy)
