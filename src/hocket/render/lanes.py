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

_NARROWEST = 14  # characters of a column before the lanes become a plain list
_PLACE = 20  # characters at least for place and source


class Lane(NamedTuple):
    """One step: its number (0: it was not performed), actor, operation in words, place, and the locks then held."""

    number: int
    actor: str
    text: str
    place: tuple[str, int, str] | None = None
    held: tuple[str, ...] = ()


def lanes(headline: str, actors: Sequence[str], rows: Sequence[Lane], command: str, width: int = 80) -> str:
    """The picture, at most `width` columns where words allow; the last line is `command`, never broken."""
    shown = [actor for actor in actors if any(row.actor == actor for row in rows)]
    parts = [headline]
    if rows:
        widest = max(len(_with_locks(row)) for row in rows) + 2
        column = min(widest, (width - 5 - min(_PLACE, width // 4)) // max(1, len(shown)))
        draw = _columns if column >= _NARROWEST else _list
        parts += ["", *draw(shown, rows, column, width)]
    return "\n".join([*parts, "", f"replay: {command}"])


def _columns(actors: Sequence[str], rows: Sequence[Lane], column: int, width: int) -> list[str]:
    lines = ["     " + "".join(f"{_shortened(actor, column - 1):<{column}}" for actor in actors).rstrip()]
    for row in rows:
        before = " " * (column * actors.index(row.actor))
        after = column * (len(actors) - actors.index(row.actor))
        pieces = _wrapped(_with_locks(row), column - 1)
        room = width - 5 - column * len(actors)
        for number, piece in enumerate(pieces):
            head = f"{row.number or '':>3}  " if number == 0 else "     "
            tail = _where(row, room) if number == 0 else ""
            lines.append((head + before + f"{piece:<{after}}" + tail).rstrip())
    return lines


def _list(actors: Sequence[str], rows: Sequence[Lane], column: int, width: int) -> list[str]:
    """For many actors or a narrow terminal: the actor's name before each step."""
    size = max(len(actor) for actor in actors)
    lines = []
    for row in rows:
        pieces = _wrapped(_with_locks(row), max(10, width - 7 - size))
        for number, piece in enumerate(pieces):
            head = f"{row.number or '':>3}  {row.actor:<{size}}  " if number == 0 else " " * (7 + size)
            lines.append((head + piece).rstrip())
        where = _where(row, width - 7 - size)
        if where:
            lines.append(" " * (7 + size) + where)
    return lines


def _with_locks(row: Lane) -> str:
    return row.text + (f" [{', '.join(row.held)}]" if row.held else "")


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
    """`text` in pieces of at most `room`, broken at blanks where there are some."""
    pieces: list[str] = []
    while len(text) > room:
        cut = text.rfind(" ", 1, room + 1)
        cut = cut if cut > 0 else room
        pieces.append(text[:cut])
        text = text[cut:].lstrip()
    return [*pieces, text]
