"""Who sends what to whom, as a picture: SVG for pages, DOT for whoever has Graphviz; cycles of waiting stand out.

Subsystems stand on a circle, so that no edge is hidden behind a node, and each pair
has at most one arrow a direction, with all its messages. A line says what its
sender waits for: drawn out where it can wait for room, dashed where it waits for an
answer, dotted and grey where it waits for nothing. A cycle that can close is red and
thick, one that is not decided amber, one that is refuted stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import cos, hypot, pi, sin

from hocket.graph.traffic import Mode, Traffic

__all__ = ["Cycles", "dot_of", "svg_of"]

Cycles = Sequence[tuple[str, Sequence[tuple[str, str]]]]
"""Each cycle with its status ("confirmed", "unknown", "refuted") and its edges."""

_COLOURS = {"confirmed": "#b3261e", "unknown": "#9a6200"}
_CALM, _FAINT = "#37474f", "#90a4ae"
_DASHES = dict.fromkeys(Mode, "2 4") | dict.fromkeys((Mode.BOUNDED, Mode.SIGNAL, Mode.EVENT), "") | {Mode.ASKED: "7 4"}
_STYLES = {"": "solid", "7 4": "dashed", "2 4": "dotted"}
_CHARACTER, _HEIGHT, _MARGIN, _FOOT = 7.3, 30.0, 24.0, 92.0  # px, at 12 px of a monospaced face

_AT = 0.36  # so far along an arrow stand its words: those of the arrow back are elsewhere

Edge = tuple[str, str]


def dot_of(traffic: Traffic, cycles: Cycles = ()) -> str:
    """The traffic in Graphviz's language."""
    colours = _coloured(cycles)
    traffic = _shown(traffic, colours)
    lines = ["digraph traffic {", "  node [shape=box, style=rounded, fontname=monospace];"]
    lines += [f"  {_quoted(name)};" for name in _names(traffic)]
    for edge, rows in _edges(traffic).items():
        colour = colours.get(edge, _CALM if _waits(rows) else _FAINT)
        width = 2.5 if edge in colours else 1
        label = "\\n".join(_escaped(text) for text in _messages(rows))
        lines.append(
            f'  {_quoted(edge[0])} -> {_quoted(edge[1])} [label="{label}", color="{colour}", '
            f"style={_STYLES[_dash(rows)]}, penwidth={width:g}];"
        )
    return "\n".join([*lines, "}", ""])


def svg_of(traffic: Traffic, cycles: Cycles = (), title: str = "") -> str:
    """The traffic as an SVG text."""
    colours = _coloured(cycles)
    traffic = _shown(traffic, colours)
    names, edges = _names(traffic), _edges(traffic)
    widths = {name: len(name) * _CHARACTER + 24 for name in names}
    radius = max(90.0, len(names) * (max(widths.values(), default=0) + 84) / (2 * pi))
    side = max((*(len(text) for rows in edges.values() for text in _messages(rows)), 0)) * _CHARACTER / 2
    half = max(widths.values(), default=0) / 2 + max(_MARGIN, side)
    centre = (radius + half, radius + _HEIGHT + _MARGIN)
    width, height = max(2 * centre[0], 560.0), 2 * centre[1] + _FOOT
    centre = (width / 2, centre[1])
    places = {
        name: (centre[0] + radius * sin(turn), centre[1] - radius * cos(turn))
        for number, name in enumerate(names)
        for turn in (2 * pi * number / len(names),)
    }
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">',
            f"<title>{escape(title or 'who sends what to whom')}</title>",
            f"<defs>{''.join(_tip(colour) for colour in (_CALM, _FAINT, *_COLOURS.values()))}</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
            *(
                _arrow(places, widths, edge, rows, colours.get(edge, ""), centre)
                for edge, rows in edges.items()
            ),
            *(_box(name, places[name], widths[name]) for name in names),
            *_legend(height - _FOOT + 24),
            "</svg>",
            "",
        ]
    )


# -- what is drawn -----------------------------------------------------------------------------------------------------


def _shown(traffic: Traffic, colours: Mapping[Edge, str]) -> Traffic:
    """All but signals, which everybody is given: those only where they are part of a cycle."""
    rows = [row for row in traffic.channels if row.mode is not Mode.SIGNAL or (row.sender, row.receiver) in colours]
    return Traffic(traffic.nodes, tuple(rows), traffic.in_turn)


def _names(traffic: Traffic) -> list[str]:
    ends = [name for row in traffic.channels for name in (row.sender, row.receiver)]
    return list(dict.fromkeys((*traffic.nodes, *ends)))


def _edges(traffic: Traffic) -> dict[Edge, list[tuple[str, Mode]]]:
    found: dict[Edge, list[tuple[str, Mode]]] = {}
    for row in traffic.channels:
        found.setdefault((row.sender, row.receiver), []).append((row.message, row.mode))
    return found


def _coloured(cycles: Cycles) -> dict[Edge, str]:
    """By edge, the colour of the gravest cycle that it is part of; refuted ones have none."""
    colours: dict[Edge, str] = {}
    for status in ("unknown", "confirmed"):
        for found, edges in cycles:
            if found == status:
                colours |= dict.fromkeys(edges, _COLOURS[status])
    return colours


def _waits(rows: Sequence[tuple[str, Mode]]) -> bool:
    return _dash(rows) != "2 4"


def _dash(rows: Sequence[tuple[str, Mode]]) -> str:
    """The line of an arrow that stands for several messages: that of the one that can wait."""
    return min((_DASHES[mode] for _, mode in rows), key=["", "7 4", "2 4"].index)


def _messages(rows: Sequence[tuple[str, Mode]]) -> list[str]:
    return [message if mode is Mode.BOUNDED else f"{mode.value} {message}" for message, mode in rows]


def _quoted(name: str) -> str:
    return f'"{_escaped(name)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


# -- shapes ------------------------------------------------------------------------------------------------------------


def _tip(colour: str) -> str:
    return (
        f'<marker id="tip{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto" markerUnits="userSpaceOnUse"><path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
    )


def _box(name: str, place: tuple[float, float], width: float) -> str:
    x, y = place
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - _HEIGHT / 2:.1f}" width="{width:.1f}" height="{_HEIGHT:.1f}" rx="7" '
        f'fill="#eceff1" stroke="{_CALM}"/>'
        f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle" fill="#102027">{escape(name)}</text>'
    )


def _arrow(
    places: Mapping[str, tuple[float, float]],
    widths: Mapping[str, float],
    edge: Edge,
    rows: Sequence[tuple[str, Mode]],
    colour: str,
    centre: tuple[float, float],
) -> str:
    line = colour or (_CALM if _waits(rows) else _FAINT)
    dash = f' stroke-dasharray="{_dash(rows)}"' if _dash(rows) else ""
    path, middle = _loop(places[edge[0]], widths[edge[0]], centre) if edge[0] == edge[1] else _bow(places, widths, edge)
    words = "".join(
        f'<tspan x="{middle[0]:.1f}" dy="{14 if number else 0}">{escape(text)}</tspan>'
        for number, text in enumerate(_messages(rows))
    )
    return (
        f'<path d="{path}" fill="none" stroke="{line}" stroke-width="{2.4 if colour else 1.2}"{dash} '
        f'marker-end="url(#tip{line[1:]})"/>'
        f'<text x="{middle[0]:.1f}" y="{middle[1]:.1f}" text-anchor="middle" fill="{line}" stroke="#ffffff" '
        f'stroke-width="4" paint-order="stroke">{words}</text>'
    )


def _bow(
    places: Mapping[str, tuple[float, float]], widths: Mapping[str, float], edge: Edge
) -> tuple[str, tuple[float, float]]:
    """A curve to the left of the straight way, so that there and back are two; and where its words stand."""
    (x1, y1), (x2, y2) = places[edge[0]], places[edge[1]]
    length = hypot(x2 - x1, y2 - y1) or 1.0
    bend = 0.16 * length
    control = ((x1 + x2) / 2 + (y2 - y1) / length * bend, (y1 + y2) / 2 - (x2 - x1) / length * bend)
    start = _rim((x1, y1), widths[edge[0]], control)
    end = _rim((x2, y2), widths[edge[1]], control)
    curve = zip(start, control, end, strict=True)
    words = [(1 - _AT) ** 2 * a + 2 * _AT * (1 - _AT) * b + _AT**2 * c for a, b, c in curve]
    path = f"M{start[0]:.1f} {start[1]:.1f} Q{control[0]:.1f} {control[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
    return path, (words[0], words[1] + 4)


def _rim(place: tuple[float, float], width: float, towards: tuple[float, float]) -> tuple[float, float]:
    """Where a line from the middle of a box towards a point leaves the box."""
    dx, dy = towards[0] - place[0], towards[1] - place[1]
    part = min(width / 2 / abs(dx) if dx else 1e9, _HEIGHT / 2 / abs(dy) if dy else 1e9, 1.0)
    return place[0] + dx * part, place[1] + dy * part


def _loop(place: tuple[float, float], width: float, centre: tuple[float, float]) -> tuple[str, tuple[float, float]]:
    """From a box back to itself, on the side that faces away from the others."""
    x, y = place
    away = -1 if y <= centre[1] else 1
    edge, far = y + away * _HEIGHT / 2, y + away * (_HEIGHT / 2 + 30)
    path = f"M{x - 14:.1f} {edge:.1f} C{x - 24:.1f} {far:.1f} {x + 24:.1f} {far:.1f} {x + 14:.1f} {edge:.1f}"
    return path, (x, y + away * (_HEIGHT / 2 + 22) + 4)


_LEGEND = (
    ("", _CALM, "its sender can wait for room"),
    ("7 4", _CALM, "its sender waits for an answer"),
    ("2 4", _FAINT, "its sender waits for nothing"),
    ("", _COLOURS["confirmed"], "part of a cycle of waiting that can close"),
)


def _legend(top: float) -> list[str]:
    rows = []
    for number, (dash, colour, text) in enumerate(_LEGEND):
        y = top + 18 * number
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        width = 2.4 if colour in _COLOURS.values() else 1.2
        rows.append(
            f'<path d="M{_MARGIN} {y} H{_MARGIN + 44}" stroke="{colour}" stroke-width="{width}"{dashes} '
            f'marker-end="url(#tip{colour[1:]})"/>'
            f'<text x="{_MARGIN + 56}" y="{y + 4}" fill="#37474f">{text}</text>'
        )
    return rows
