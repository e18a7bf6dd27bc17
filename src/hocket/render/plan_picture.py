"""A plan as a picture: tasks from top to bottom in the order of a serial run, and beside them a column for each slot.

A bar in a column is a payload's life: from the row of the task that gives it to the row after which it is over. So a
person sees why two tasks share a slot: their bars lie in one column and do not touch. A mark on a bar, in the row of
another task, says how that task takes the payload. Drawn from neutral rows; who makes them knows plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Bar", "Mark", "PlanRow", "draw"]

_ROW, _COLUMN, _TOP, _INDENT = 34, 64, 84, 22
_LETTER = 7.3  # the width of a letter of 12 px, generously


@dataclass(frozen=True, slots=True)
class Mark:
    """The task of this row takes the payload of the task in row `owner`; `how` is "read", "change", "copy" or "take";
    `staged`: its copy is made of the stage."""

    owner: int
    how: str
    staged: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A payload: in which slot it lies, and the row after which it is over; from row `taken` on it is somebody's own,
    and its slot is empty. `staged`: a copy lies beside it."""

    slot: int
    last: int
    kind: str
    staged: bool = False
    taken: int | None = None


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One task: `parent` is a row (None: none, or it is no tree); `takes` says where its arguments come from."""

    name: str
    depth: int
    parent: int | None
    takes: str
    bar: Bar | None
    marks: tuple[Mark, ...] = ()


def draw(rows: Sequence[PlanRow], slots: int, title: str) -> str:
    """The picture, as SVG."""
    names = max(len(row.name) * _LETTER + row.depth * _INDENT for row in rows) + 50
    takes = max([len(row.takes) * 6.4 for row in rows] + [90]) + 30
    left = names + takes
    kinds = max((len(row.bar.kind) for row in rows if row.bar), default=0) * 6.4
    width = max(left + slots * _COLUMN + kinds + 40, 820)
    height = _TOP + len(rows) * _ROW + 60
    pieces = [_heading(title, names, left, slots, width)]
    pieces += [_row(place, row, rows, names, width) for place, row in enumerate(rows)]
    pieces += [_bar(place, row, left) for place, row in enumerate(rows) if row.bar is not None]
    pieces += [_mark(place, mark, rows, left) for place, row in enumerate(rows) for mark in row.marks]
    pieces.append(_legend(height))
    return _SVG.format(width=round(width), height=height, title=escape(title), body="\n".join(pieces))


def _y(place: int) -> int:
    return _TOP + place * _ROW + _ROW // 2


def _x(slot: int, left: float) -> float:
    return left + slot * _COLUMN + _COLUMN / 2


def _heading(title: str, names: float, left: float, slots: int, width: float) -> str:
    lines = [f'<text class="title" x="20" y="30">{escape(title)}</text>']
    lines += [f'<text class="head" x="20" y="{_TOP - 12}">task</text>']
    lines += [f'<text class="head" x="{names:.0f}" y="{_TOP - 12}">takes</text>']
    for slot in range(slots):
        middle = _x(slot, left)
        lines.append(f'<text class="head mid" x="{middle:.0f}" y="{_TOP - 12}">slot {slot}</text>')
    lines.append(f'<path class="rule" d="M 20 {_TOP - 2} H {width - 20:.0f}"/>')
    return "\n".join(lines)


def _row(place: int, row: PlanRow, rows: Sequence[PlanRow], names: float, width: float) -> str:
    y, x = _y(place), 24 + row.depth * _INDENT
    pieces = [f'<path class="faint" d="M 20 {y + _ROW // 2} H {width - 20:.0f}"/>']
    if row.parent is not None:
        stem = 24 + rows[row.parent].depth * _INDENT + 4
        pieces.append(f'<path class="edge" d="M {stem} {_y(row.parent) + 9} V {y} H {x - 3}"/>')
    pieces.append(f'<text class="name" x="{x}" y="{y + 4}">{escape(row.name)}</text>')
    pieces.append(f'<text class="takes" x="{names:.0f}" y="{y + 4}">{escape(row.takes)}</text>')
    return "\n".join(pieces)


def _bar(place: int, row: PlanRow, left: float) -> str:
    bar = row.bar
    assert bar is not None, f"{row.name} has no payload to draw"
    x, top = _x(bar.slot, left), _y(place) - 8
    tall = _y(bar.last) + 10 - top
    full = tall if bar.taken is None else _y(bar.taken) + 10 - top
    pieces = []
    if full < tall:
        pieces.append(f'<rect class="empty" x="{x - 9:.0f}" y="{top}" width="18" height="{tall}" rx="5"/>')
    pieces.append(f'<rect class="life b{place % 4}" x="{x - 9:.0f}" y="{top}" width="18" height="{full}" rx="5"/>')
    pieces.append(f'<text class="kind" x="{x + 13:.0f}" y="{top + 12}">{escape(bar.kind)}</text>')
    if bar.staged:
        pieces.append(f'<rect class="stage" x="{x - 20:.0f}" y="{top + 4}" width="7" height="{tall - 4}" rx="3"/>')
    return "\n".join(pieces)


def _mark(place: int, mark: Mark, rows: Sequence[PlanRow], left: float) -> str:
    bar = rows[mark.owner].bar
    assert bar is not None, f"{rows[mark.owner].name} has no payload to take"
    return _SIGNS[mark.how].format(x=_x(bar.slot, left) - (16.5 if mark.staged else 0), y=_y(place))


_SIGNS = {
    "read": '<circle class="sign" cx="{x:.1f}" cy="{y}" r="4.5"/>',
    "change": '<circle class="sign full" cx="{x:.1f}" cy="{y}" r="4.5"/>',
    "copy": '<rect class="sign" x="{x:.1f}" y="{y}" width="8" height="8" transform="translate(-4 -4)"/>',
    "take": '<path class="sign full" d="M {x:.1f} {y} m -5 -4 h 10 l -5 9 z"/>',
}
_WORDS = {"read": "reads", "change": "changes", "copy": "copies", "take": "takes it out of the slot"}


def _legend(height: int) -> str:
    x, pieces = 26.0, []
    for how, word in _WORDS.items():
        pieces.append(_SIGNS[how].format(x=x, y=height - 24))
        pieces.append(f'<text class="kind" x="{x + 11:.0f}" y="{height - 20}">{word}</text>')
        x += 30 + len(word) * 6.4
    pieces.append(f'<rect class="life b0" x="{x:.0f}" y="{height - 32}" width="14" height="16" rx="5"/>')
    pieces.append(f'<text class="kind" x="{x + 19:.0f}" y="{height - 20}">a payload lives</text>')
    x += 110
    pieces.append(f'<rect class="empty" x="{x:.0f}" y="{height - 32}" width="14" height="16" rx="5"/>')
    pieces.append(f'<text class="kind" x="{x + 19:.0f}" y="{height - 20}">its slot, kept empty</text>')
    x += 140
    pieces.append(f'<rect class="stage" x="{x:.0f}" y="{height - 32}" width="7" height="16" rx="3"/>')
    pieces.append(f'<text class="kind" x="{x + 13:.0f}" y="{height - 20}">its copy on the stage</text>')
    return "\n".join(pieces)


_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
font-family="sans-serif">
<title>{title}</title>
<style>
  svg {{ background: #fff }}
  text {{ font-size: 12px; fill: #333 }}
  .title {{ font-size: 15px; font-weight: 600; fill: #1b2c47 }}
  .head {{ font-size: 11px; fill: #667 }}
  .mid {{ text-anchor: middle }}
  .name {{ font-weight: 600; fill: #1b2c47 }}
  .takes {{ font-family: monospace; font-size: 10.5px; fill: #555 }}
  .kind {{ font-size: 10.5px; fill: #555 }}
  path {{ fill: none }}
  .rule {{ stroke: #35507a; stroke-width: 1.2 }}
  .faint {{ stroke: #eceff4 }}
  .edge {{ stroke: #8fa3c0; stroke-width: 1.2 }}
  .life {{ stroke: #35507a; stroke-width: 1.2 }}
  .b0 {{ fill: #cfe0f7 }} .b1 {{ fill: #fbe0cd }} .b2 {{ fill: #d9efd3 }} .b3 {{ fill: #eadcf3 }}
  .empty {{ fill: #fff; stroke: #9fb0c8; stroke-dasharray: 2 3 }}
  .stage {{ fill: #fff; stroke: #b4531a; stroke-dasharray: 3 2 }}
  .sign {{ fill: #fff; stroke: #1b2c47; stroke-width: 1.5 }}
  .full {{ fill: #1b2c47 }}
</style>
{body}
</svg>
"""
