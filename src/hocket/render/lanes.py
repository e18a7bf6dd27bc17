"""An interleaving as lanes: one column an actor, one line a step, read from top to bottom as it happened.

Whoever reads a counterexample asks, in this order: who, what, where, holding
what. So a step stands in its actor's column, with the value that was read or
written; its file, line and source text stand at the right, where there is room.
Refused: colour in the string (the caller knows whether it is a terminal), and
arrows between lanes (the order of lines says it already).
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Lane", "lanes"]

_SIGNS = ("→", "=")
_GLUE = "\0"  # a blank at which no line is broken
_NARROWEST = 10  # characters from one column to the next
_BROKEN = (36, 24)  # at which steps are broken, before the lanes become a plain list
_GAP = 2  # characters between columns
_NUMBER = 5  # characters in front of all columns
_PLACE = 18  # characters at least for place and source


class Lane(NamedTuple):
    """One step: its number (0: it was not performed), actor, operation in words, place, and the locks then held.

    `value` is what was read or written, `sign` what stands between the operation and it (nothing: the operation has it
    in its words), `before` what a written place had.
    """

    number: int
    actor: str
    text: str
    place: tuple[str, int, str] | None = None
    held: tuple[str, ...] = ()
    value: str = ""
    sign: str = ""
    before: str = ""

    @property
    def told(self) -> str:
        """The operation with its value: `reads n → 0`, `writes n = 1`."""
        return f"{self.text} {self.sign} {self.value}" if self.sign and self.value else self.text


def lanes(headline: str, actors: Sequence[str], rows: Sequence[Lane], command: str, width: int = 80) -> str:
    """The picture, at most `width` columns where words allow; the last line is `command`, never broken."""
    shown = [actor for actor in actors if any(row.actor == actor for row in rows)]
    parts = [headline]
    if rows:
        room = width - _NUMBER - min(_PLACE, width // 4)
        begins = _fitting(shown, rows, room)
        parts += ["", *(_columns(begins, rows, room, width) if begins else _list(shown, rows, width))]
    return "\n".join([*parts, "", f"replay: {command}"])


def _fitting(actors: Sequence[str], rows: Sequence[Lane], room: int) -> dict[str, int]:
    """Where each actor's column begins; nothing if all are cramped.

    A line has the step of one actor, so what is too long for its column may run on under the next: columns are made
    narrower until even that fits, and at last steps are broken.
    """
    steps = {actor: max(len(_with_locks(row)) for row in rows if row.actor == actor) + _GAP for actor in actors}
    limits = range(max(room, _NARROWEST), _NARROWEST - 1, -1)
    for most, limit in ((most, limit) for most in (room, *_BROKEN) for limit in limits):
        begins, total = {}, 0
        for actor, longest in steps.items():
            begins[actor], total = total, total + min(max(longest, len(actor) + _GAP), limit)
        if max(begins[actor] + min(longest, most) for actor, longest in steps.items()) <= room:
            return begins
    return {}


def _columns(begins: dict[str, int], rows: Sequence[Lane], room: int, width: int) -> list[str]:
    pieces = [[" " * begins[row.actor] + piece for piece in _wrapped(_with_locks(row), room - _GAP - begins[row.actor])]
              for row in rows]
    total = max(len(piece) + _GAP for each in pieces for piece in each)
    lines = [" " * _NUMBER + _names(begins, total)]
    for row, (first, *more) in zip(rows, pieces, strict=True):
        lines.append(f"{row.number or '':>3}  {first:<{total}}{_where(row, width - _NUMBER - total)}".rstrip())
        lines += [" " * _NUMBER + piece for piece in more]
    return lines


def _names(begins: dict[str, int], total: int) -> str:
    line = ""
    for (actor, begin), end in zip(begins.items(), [*list(begins.values())[1:], total], strict=True):
        line = f"{line:<{begin}}{_shortened(actor, end - begin - 1)}"
    return line


def _list(actors: Sequence[str], rows: Sequence[Lane], width: int) -> list[str]:
    """For many actors or a narrow terminal: the actor's name before each step."""
    size = min(max(len(actor) for actor in actors), width // 3)
    lines = []
    for row in rows:
        pieces = _wrapped(_with_locks(row), max(10, width - 7 - size))
        for number, piece in enumerate(pieces):
            head = f"{row.number or '':>3}  {_shortened(row.actor, size):<{size}}  "
            lines.append(((head if number == 0 else " " * len(head)) + piece).rstrip())
        where = _where(row, width - 7 - size)
        if where:
            lines.append(" " * (7 + size) + where)
    return lines


def _with_locks(row: Lane) -> str:
    return row.told + (f" [{', '.join(row.held)}]" if row.held else "")


def _where(row: Lane, room: int) -> str:
    if row.place is None:
        return ""
    path, line, _ = row.place
    where = f"{os.path.basename(path)}:{line}"
    source = linecache.getline(path, line).strip()
    return _shortened(f"{where} {source}".rstrip(), room)


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(1, room - 1)] + "…"


def _wrapped(text: str, room: int) -> list[str]:
    """`text` in pieces of at most `room`, broken at blanks if there are some, but not between a sign and its value."""
    for sign in _SIGNS:
        text = text.replace(f" {sign} ", f" {sign}{_GLUE}")
    pieces: list[str] = []
    while len(text) > room:
        cut = text.rfind(" ", 1, room + 1)
        cut = cut if cut > 0 else room
        pieces.append(text[:cut])
        text = text[cut:].lstrip()
    return [piece.replace(_GLUE, " ") for piece in [*pieces, text]]
