"""A schedule: who goes on at each visible operation. It prints in one line, parses and replays.

    hocket1:main.t1x2.t2/1.main

says: main takes one step, its first child two, its second child one (with its
alternative 1, say "timed out"), main one. `t1_2` is the second child of `t1`:
an actor is named by who created it, because that name is the same in every
process; numbers given in the order of appearance are not. The 1 after `hocket`
is the version of this notation. Refused: a compressed or encoded form, which
nobody could read, edit or bisect by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple
from zlib import crc32

from hocket.errors import ScheduleError

__all__ = ["MAIN", "Schedule", "Step", "child_name", "digest_of"]

MAIN = "main"
_PREFIX = re.compile(r"\s*hocket(\d+):(.*)\s*", re.DOTALL)
_PART = re.compile(r"(?P<actor>main|t[1-9]\d*(?:_[1-9]\d*)*)(?:x(?P<times>[1-9]\d*))?(?:/(?P<alternative>\d+))?")
_DIGEST = re.compile(r"[0-9a-f]{6}")
_VERSION = "1"
_LONGEST = 10_000_000  # steps: a typing error in a count must not fill the memory


class Step(NamedTuple):
    """One choice: the actor that goes on, and which alternative of its operation it takes."""

    actor: str
    alternative: int = 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The choices of one execution, in order."""

    steps: tuple[Step, ...] = ()
    digest: str = ""  # of what the steps did, six hexadecimal digits; empty if not known

    def __str__(self) -> str:
        told = ".".join(_part(step, len(list(run))) for step, run in groupby(self.steps))
        return f"hocket{_VERSION}:{told}" + (f"#{self.digest}" if self.digest else "")

    def __len__(self) -> int:
        return len(self.steps)

    @staticmethod
    def parse(text: str) -> Schedule:
        """The schedule that `str` printed; raises `ScheduleError` with what is wrong and where."""
        if not isinstance(text, str):
            raise ScheduleError(f"a schedule is a text that starts with hocket{_VERSION}: , and this one is {text!r}",
                                repr(text))
        steps, mark, digest = text.strip().partition("#")
        if mark and not _DIGEST.fullmatch(digest):
            raise ScheduleError(f"a schedule may end with # and six hexadecimal digits; this one has {digest!r}", text)
        return Schedule(tuple(_steps(steps)), digest)

    @property
    def switches(self) -> int:
        """How often the next step is another actor's."""
        return sum(a.actor != b.actor for a, b in zip(self.steps, self.steps[1:], strict=False))


def child_name(parent: str, number: int) -> str:
    """The name of the `number`-th actor (from 1) that `parent` created: `t2` for main's, `t2_1` for t2's."""
    return f"t{number}" if parent == MAIN else f"{parent}_{number}"


def digest_of(steps: Iterable[tuple[str, str]]) -> str:
    """Six hexadecimal digits for what the steps did: (actor, kind of operation) in order."""
    text = "\n".join(f"{actor} {kind}" for actor, kind in steps)
    return f"{crc32(text.encode()) & 0xFFFFFF:06x}"


def _part(step: Step, times: int) -> str:
    return step.actor + (f"x{times}" if times > 1 else "") + (f"/{step.alternative}" if step.alternative else "")


def _steps(text: str) -> Iterable[Step]:
    steps: list[Step] = []
    for number, part in enumerate(_parts(text), 1):
        match = _PART.fullmatch(part)
        if match is None:
            raise ScheduleError(
                f"part {number} of the schedule is {part!r}; expected an actor, e.g. main, t1, t1_2, "
                "optionally with a count and an alternative: t1x3, t1/1", text)
        times = int(match["times"] or 1)
        if len(steps) + times > _LONGEST:
            raise ScheduleError(f"part {number}, {part!r}, makes the schedule longer than {_LONGEST} steps", text)
        steps += [Step(match["actor"], int(match["alternative"] or 0))] * times
    return steps


def _parts(text: str) -> list[str]:
    match = _PREFIX.fullmatch(text)
    if match is None:
        raise ScheduleError(f"a schedule starts with hocket{_VERSION}: , and this one with {text[:12]!r}", text)
    if match[1] != _VERSION:
        raise ScheduleError(
            f"this schedule is in notation {match[1]}, and this Hocket reads notation {_VERSION}: "
            "replay it with the Hocket that printed it", text)
    body = match[2].strip()
    return body.split(".") if body else []
