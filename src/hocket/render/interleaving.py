"""An interleaving as a picture that stands alone, and as a trace for Perfetto.

Lanes side by side, one box a step, from top to bottom as it happened; at the right the place and the line of source,
as in a terminal. A box says what was read or written; where it is too narrow, the name is shortened before the value,
because names repeat and values do not. Arrows lead to the steps that have to come after.

Colours stand in the elements, for whatever draws SVG without styles, and once more in a style for dark surroundings.
"""

from __future__ import annotations

import html
import linecache
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from hocket.render.chrome import Slice, chrome_trace
from hocket.render.lanes import Lane

__all__ = ["Interleaving", "about", "picture", "source_of", "trace", "where"]

_ROW, _TOP, _LEFT = 32, 40, 44  # pixels
_SIGN = 7.25  # of a character of the font, 12 pixels high
_GAP = 30  # between two lanes, for arrows
_NARROW, _WIDE = 9, 44  # characters of a lane
_ALL = 150  # characters of all lanes together, where they have to give way
_LINE = 62  # characters of place and source

_STYLE = """<style>
.step{cursor:default}@media(prefers-color-scheme:dark){svg.lanes{background:#0f172a}
.lanes text{fill:#e2e8f0}.lanes .dim{fill:#94a3b8}.lanes line{stroke:#334155}.lanes rect{fill:#1e293b;stroke:#475569}
.lanes .write rect{fill:#3b2410;stroke:#b45309}.lanes .lock rect{fill:#33300f;stroke:#8a7a1d}
.lanes .end rect{fill:#451a1a;stroke:#b91c1c}.lanes .arrow{stroke:#f59e0b}}</style>"""
_COLOURS = {"write": ("#ffedd5", "#ea9a4b"), "lock": ("#fef9c3", "#c9b64a"), "end": ("#fee2e2", "#dc6b6b"),
            "read": ("#f1f5f9", "#94a3b8")}


@dataclass(frozen=True)
class Interleaving:
    """What there is to see: `arrows` are pairs of numbers of rows, the second has to come after the first."""

    headline: str
    mattered: str
    actors: Sequence[str]
    rows: Sequence[Lane]
    arrows: Sequence[tuple[int, int]]
    command: str

    @property
    def lanes(self) -> list[str]:
        """The actors that take a step."""
        return [actor for actor in self.actors if any(row.actor == actor for row in self.rows)]

    @cached_property
    def columns(self) -> dict[str, tuple[float, float]]:
        """Of each lane, where it begins and how wide it is, in pixels."""
        needed = {actor: max(_NARROW, len(actor), *(len(_told(row)) + 2 for row in self.rows if row.actor == actor))
                  for actor in self.lanes}
        limit = _WIDE
        while sum(min(need, limit) for need in needed.values()) > _ALL and limit > _NARROW + 7:
            limit -= 1
        begins, columns = float(_LEFT), {}
        for actor, need in needed.items():
            wide = min(need, limit) * _SIGN + 8
            columns[actor] = (begins, wide)
            begins += wide + _GAP
        return columns

    @property
    def size(self) -> tuple[int, int]:
        """Pixels: how wide the lanes are, with the places beside them, and how high."""
        end = max((begin + wide for begin, wide in self.columns.values()), default=_LEFT)
        return round(end + 16 + _LINE * _SIGN), _TOP + _ROW * len(self.rows) + 12


def where(row: Lane) -> str:
    """`file.py:12`; empty if it is nowhere."""
    return f"{os.path.basename(row.place[0])}:{row.place[1]}" if row.place else ""


def source_of(row: Lane) -> str:
    """The line that the step stands in."""
    return linecache.getline(row.place[0], row.place[1]).strip() if row.place else ""


def about(row: Lane) -> str:
    """The name of the data that a step reads or writes; empty if it does something else."""
    verb, _, name = row.text.partition(" ")
    return name if verb in ("reads", "writes", "removes") else ""


def kind_of(row: Lane) -> str:
    """What it is coloured by."""
    if not row.number:
        return "end"
    return "write" if row.sign in ("=", "was") or row.before else "lock" if row.held else "read"


def trace(told: Interleaving) -> str:
    """For Perfetto and chrome://tracing: a step is a microsecond, arrows are flows."""
    slices = [Slice(row.told, row.actor, 1000 * index, 1000 * index + 800, "", more=_facts(row))
              for index, row in enumerate(told.rows)]
    index_of = {row.number: index for index, row in enumerate(told.rows) if row.number}
    return chrome_trace(slices, [(index_of[before], index_of[after]) for before, after in told.arrows], told.headline)


def _facts(row: Lane) -> dict[str, object]:
    facts = {"step": row.number, "place": where(row), "source": source_of(row), "value": row.value,
             "before": row.before, "held": ", ".join(row.held)}
    return {name: fact for name, fact in facts.items() if fact}


# -- the picture ------------------------------------------------------------------------------------------------------


def picture(told: Interleaving) -> str:
    """The lanes as SVG."""
    wide, high = told.size
    parts = [f'<svg class="lanes" xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
             f'viewBox="0 0 {wide} {high}" font-family="ui-monospace, monospace" font-size="12">{_STYLE}<defs>'
             '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto" '
             'markerUnits="userSpaceOnUse"><path d="M0 0L8 4L0 8z" fill="#b45309"/></marker></defs>']
    for actor, (begin, width) in told.columns.items():
        x = round(begin + width / 2)
        name = _shortened(actor, int(width / _SIGN))
        parts.append(f'<text class="name" x="{x}" y="22" text-anchor="middle" font-weight="bold">{html.escape(name)}'
                     f'</text><line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{high - 6}" stroke="#cbd5e1"/>')
    parts += [_box(index, row, told) for index, row in enumerate(told.rows)]
    parts += [_arrow(before, after, told) for before, after in told.arrows]
    return "".join([*parts, "</svg>"])


def _box(index: int, row: Lane, told: Interleaving) -> str:
    begin, width = told.columns[row.actor]
    y, kind = _TOP + _ROW * index, kind_of(row)
    fill, stroke = _COLOURS[kind]
    shown = _shortened_before_value(row, int((width - 8) / _SIGN) - 1)
    beside = told.size[0] - _LINE * _SIGN
    line = _shortened(f"{where(row)} {source_of(row)}".strip(), _LINE - 2)
    was = f" (was {row.before})" if row.before else ""
    return (f'<g class="step {kind}" data-index="{index}"><text class="dim" x="{_LEFT - 12}" y="{y + 16}" '
            f'text-anchor="end" fill="#64748b">{row.number or ""}</text><rect x="{begin:.0f}" y="{y}" '
            f'width="{width:.0f}" height="24" rx="4" fill="{fill}" stroke="{stroke}"/><text x="{begin + 7:.0f}" '
            f'y="{y + 16}">{html.escape(shown)}</text><text class="dim" x="{beside:.0f}" y="{y + 16}" '
            f'fill="#64748b">{html.escape(line)}</text><title>{html.escape(_told(row) + was)}  '
            f'{html.escape(where(row))}</title></g>')


def _arrow(before: int, after: int, told: Interleaving) -> str:
    ends = {row.number: (index, row) for index, row in enumerate(told.rows) if row.number}
    (first, one), (second, other) = ends[before], ends[after]
    (left, width), (right, wide) = told.columns[one.actor], told.columns[other.actor]
    forth = right > left
    x1, x2 = (left + width, right) if forth else (left, right + wide)
    y1, y2, bend = _TOP + _ROW * first + 12, _TOP + _ROW * second + 12, 20 if forth else -20
    return (f'<path class="arrow" data-from="{before}" data-to="{after}" d="M{x1:.0f} {y1}C{x1 + bend:.0f} {y1} '
            f'{x2 - bend:.0f} {y2} {x2:.0f} {y2}" fill="none" stroke="#b45309" stroke-opacity="0.45" '
            'marker-end="url(#tip)"/>')


def _told(row: Lane) -> str:
    return row.told + (f" [{', '.join(row.held)}]" if row.held else "")


def _shortened_before_value(row: Lane, room: int) -> str:
    """The operation first gives up its locks, then the middle of its name, and only then its value."""
    text = _told(row)
    if len(text) <= room:
        return text
    text, value = row.text, f" {row.sign} {row.value}" if row.sign and row.value else ""
    left = room - len(value)
    if len(text) > left and left >= _NARROW:
        verb, _, name = text.partition(" ")
        kept = left - len(verb) - 2
        text = f"{verb} …{name[-kept:]}" if about(row) and kept > 3 else _shortened(text, left)
    return _shortened(text + value, room)


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(1, room - 1)] + "…"
