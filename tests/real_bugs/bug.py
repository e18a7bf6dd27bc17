"""What is known of a bug in a published package, and what the explorer is expected to say of it.

A program of `programs/` states one as `BUG` and shows it by `body`: plain threads, plain use of the package, an
assertion that its documentation lets one write. Nothing in it helps the explorer.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Bug"]


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug of `package` in version `affected`, gone in `fixed`.

    `package` is "python" for the standard library; then the versions say from which Python on it is gone, and whether
    it is there is asked of the Python at hand. `fixed` is "" where nobody has fixed it, or no such version was tried.
    `kind`: what the failure has to be. `needs`: other packages that have to be installed. `track`: what is rewritten.
    `preemptions`: how many the schedule that is shown has at most. `bound`: of the exploration of the fixed version,
    where all of it would be too much. `mended`, where the cure came to several versions: a module of the standard
    library, and a text that its source holds since. `cancel`: the tasks that may be cancelled from outside. `dear`: too
    long for CI. `until`: the last Python that can import the affected version, where a later one cannot.
    """

    package: str
    affected: str
    fixed: str
    link: str
    track: tuple[str, ...]
    kind: str = "assertion"
    preemptions: int = 1
    needs: tuple[str, ...] = ()
    bound: int | None = None
    mended: tuple[str, str] | None = None
    cancel: tuple[str, ...] = ()
    dear: bool = False
    until: tuple[int, int] | None = None
