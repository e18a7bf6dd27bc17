"""Verify task graphs before they run: `hocket.verify(source)`, and `hocket.audit(certificate, source)`.

The package can be called (see `hocket.door`), and importing it imports neither z3
nor yaml nor the questions: they are loaded when a graph is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hocket.door import callable_package

if TYPE_CHECKING:
    from hocket.verdict import Certificate, Verdict
    from hocket.verify.assertions import Assertion
    from hocket.verify.checking import Check
    from hocket.verify.findings import Report

__all__ = ["audit", "check", "verify"]


def verify(
    source: Any,
    *,
    format: str | None = None,
    assertions: Iterable[str | Assertion] = (),
    workers: int | None = None,
    notes: bool = False,
    seconds: float = 30.0,
) -> Report:
    """What can go wrong in any configuration of any run of this graph; or a certificate that nothing of it can.

    `source` is a path, a text (with line breaks, or with its `format`), a mapping of tasks to predecessors as
    `graphlib` takes it, or an iterable of objects with `.predecessors`. `assertions` are claims such as
    "build before deploy" (see `hocket.verify.assertions`). `workers` is how many tasks can run at once: with it,
    starvation and makespans are those with so many. With `notes`, remarks that are no mistakes are findings as well.
    After `seconds` nothing long is begun any more: what was not answered by then is listed as not decided, and the
    verdict is no better than "unknown" (`math.inf` for no limit).

    >>> import hocket
    >>> hocket.verify({"deploy": ["build"], "build": []}, assertions=["build before deploy"]).verdict
    'holds'
    >>> print(hocket.verify({"a": ["b"], "b": ["a"]}).findings[0].message)
    these tasks wait for each other: b → a → b

    The report's `.verdict` is "holds", "violated" or "unknown"; `.findings` each have `.code .message .path .line
    .column .witness`; `.certificate` is there where it holds. Raises `SourceError` for a source that cannot be used,
    `MissingExtra` where PyYAML is needed and absent; without z3 a graph with conditions is "unknown".
    """
    from hocket.verify.judge import judge

    return judge(source, format, assertions, workers, notes, seconds)


def audit(certificate: Certificate, source: Any, *, format: str | None = None) -> Verdict:
    """Check a certificate against its source, without z3: Holds, Violated (it lies) or Unknown.

    What never happens is checked by its refutation; Unknown is for what only a solver has said, such as how regular
    expressions exclude each other.
    """
    from hocket.verify.certificate import audit as check
    from hocket.verify.judge import read_quickly

    return check(certificate, read_quickly(source, format))


def check(graph: Any, *, format: str | None = None, workers: int | None = None, seconds: float = 30.0) -> Check:
    """Claims about a graph, each asked by a method that raises `Unverified` if it does not hold.

    >>> import hocket
    >>> graph = {"deploy": ["test"], "test": ["build"], "build": []}
    >>> hocket.check(graph).always_before("build", "deploy").never_together("test", "deploy").holds()
    >>> hocket.check(graph).can_run_before("deploy", "build")
    Traceback (most recent call last):
    hocket.errors.Unverified: G020 'deploy' can never run before 'build': it waits for it (build → test → deploy)...
    """
    from hocket.verify.checking import check

    return check(graph, format=format, workers=workers, seconds=seconds)


callable_package(__name__, verify)
