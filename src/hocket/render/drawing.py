"""A task graph as Mermaid, DOT or SVG, with one finding in red: only what is near it, because a picture is for eyes.

A picture is made of boxes and arrows (`Picture`), which `around` takes out of a graph:
what the finding is about, and its neighbours up to a bound; GitHub and GitLab draw
Mermaid in Markdown, and stop at a few hundred arrows. The SVG is laid out in layers by
longest way, one column a layer, with a gap where an arrow passes a column (Sugiyama
1981, with one barycentre pass and no more: the pictures are small); DOT is for whoever has Graphviz.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hocket.render.rows import printable

__all__ = ["DRAWINGS", "Box", "Picture", "around", "dot", "mermaid", "svg"]

_MOST = 60  # boxes of one picture


@dataclass(frozen=True, slots=True)
class Box:
    """A task: `marked` is what the finding is about."""

    name: str
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes, arrows (from, to) between them, the arrows that are marked, and how many boxes were left out."""

    title: str
    boxes: tuple[Box, ...]
    arrows: tuple[tuple[str, str], ...]
    marked: frozenset[tuple[str, str]] = frozenset()
    left_out: int = 0


def around(
    title: str, befores: Mapping[str, Sequence[str]], about: Iterable[str], cycle: Sequence[str] = (), most: int = _MOST
) -> Picture:
    """The picture of these tasks and of what is next to them, nearest first.

    `befores` are the predecessors of each task; `cycle` names tasks each of which waits for the next.
    """
    marked = dict.fromkeys([*cycle, *(name for name in about if name in befores)])
    afters: dict[str, list[str]] = {}
    for name, before in befores.items():
        for one in before:
            afters.setdefault(one, []).append(name)
    chosen = dict.fromkeys(marked)
    layer = list(chosen) or list(befores)[:most]
    chosen.update(dict.fromkeys(layer))
    while layer and len(chosen) < most:
        near = dict.fromkeys(one for name in layer for one in (*befores.get(name, ()), *afters.get(name, ())))
        layer = [name for name in near if name not in chosen and name in befores][: most - len(chosen)]
        chosen.update(dict.fromkeys(layer))
    names = [name for name in befores if name in chosen]
    arrows = tuple((one, name) for name in names for one in dict.fromkeys(befores[name]) if one in chosen)
    ring = frozenset((before, after) for after, before in zip(cycle, (*cycle[1:], *cycle[:1]), strict=True))
    return Picture(title, tuple(Box(name, name in marked) for name in names), arrows, ring, len(befores) - len(names))


def mermaid(picture: Picture) -> str:
    """A Mermaid flowchart, as GitHub and GitLab draw it in Markdown."""
    number = {box.name: f"n{place}" for place, box in enumerate(picture.boxes)}
    lines = ["flowchart LR"]
    lines += [f'    {number[box.name]}["{_for_mermaid(box.name)}"]' for box in picture.boxes]
    lines += [f"    {number[one]} --> {number[other]}" for one, other in picture.arrows]
    red = [str(place) for place, arrow in enumerate(picture.arrows) if arrow in picture.marked]
    marked = [number[box.name] for box in picture.boxes if box.marked]
    if marked:
        lines += ["    classDef found fill:#fdd,stroke:#c00,color:#600", f"    class {','.join(marked)} found"]
    if red:
        lines.append(f"    linkStyle {','.join(red)} stroke:#c00,stroke-width:3px")
    return "\n".join(lines)


def _for_mermaid(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in " _-./:,()" else f"#{ord(sign)};" for sign in text)


def dot(picture: Picture) -> str:
    """A Graphviz digraph."""
    lines = ["digraph hocket {", f"  label={_quoted(picture.title)}; rankdir=LR; node [shape=box, fontname=sans];"]
    for box in picture.boxes:
        look = ' [color="#cc0000", style=filled, fillcolor="#ffdddd"]' if box.marked else ""
        lines.append(f"  {_quoted(box.name)}{look};")
    for arrow in picture.arrows:
        look = ' [color="#cc0000", penwidth=3]' if arrow in picture.marked else ""
        lines.append(f"  {_quoted(arrow[0])} -> {_quoted(arrow[1])}{look};")
    return "\n".join([*lines, "}"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


# -- SVG --------------------------------------------------------------------------------------------------------------

_WIDE, _HIGH, _GAP, _ROW = 170, 34, 70, 54  # a box, the gap between columns, the height of a row


def svg(picture: Picture) -> str:
    """A drawing that needs nothing to be shown, neither scripts nor fonts; arrows that lead back are bent around."""
    level, back = _levels(picture)
    columns = _columns(picture, level, back)
    place = {
        stop: (20 + column * (_WIDE + _GAP), 60 + row * _ROW)
        for column, stops in enumerate(columns) for row, stop in enumerate(stops)
    }  # fmt: skip
    width = 20 + max(1, len(columns)) * (_WIDE + _GAP)
    lowest = 60 + max([len(stops) for stops in columns], default=1) * _ROW
    height = lowest + 14 * len(back) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        _ARROWHEADS,
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="20" y="28" font-weight="bold">{_xml(_short(picture.title, (width - 40) // 7))}</text>',
    ]
    for arrow in sorted(picture.arrows, key=picture.marked.__contains__):  # what is marked is drawn over the rest
        below = lowest + 14 * back.index(arrow) if arrow in back else 0
        way = _around_below(place, arrow, below) if below else _way(place, level, arrow)
        parts.append(_line(way, arrow in picture.marked))
    parts += [_box(box, *place[box.name]) for box in picture.boxes]
    if picture.left_out:
        parts.append(f'<text x="20" y="{height - 8}" fill="#777">and {picture.left_out} more tasks</text>')
    return "\n".join([*parts, "</svg>"])


_ARROWHEADS = "<defs>" + "".join(
    f'<marker id="{name}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0L8,4L0,8z" fill="{colour}"/></marker>'
    for name, colour in (("grey", "#888"), ("red", "#c00"))
) + "</defs>"  # fmt: skip

Stop = str | tuple[str, str, int]  # a box, or where an arrow passes a column: (from, to, column)


def _levels(picture: Picture) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """The column of each box, by the longest way to it; and the arrows that lead back, without which there is one."""
    afters: dict[str, list[str]] = {box.name: [] for box in picture.boxes}
    for one, other in picture.arrows:
        afters[one].append(other)
    done: list[str] = []  # in the order in which depth first search leaves them
    back = _back(afters, done)
    level = dict.fromkeys(afters, 0)
    for name in reversed(done):
        for other in afters[name]:
            if (name, other) not in back:
                level[other] = max(level[other], level[name] + 1)
    return level, [arrow for arrow in picture.arrows if arrow in back]


def _back(afters: Mapping[str, Sequence[str]], done: list[str]) -> set[tuple[str, str]]:
    """The arrows that close a cycle, by depth first search with its stack made explicit."""
    found: set[tuple[str, str]] = set()
    open_: dict[str, None] = {}
    for start in afters:
        walk = [(start, iter(afters[start]))] if start not in done else []
        open_.update(dict.fromkeys([start] if walk else []))
        while walk:
            name, rest = walk[-1]
            other = next(rest, None)
            if other is None:
                walk.pop()
                del open_[name]
                done.append(name)
            elif other in open_:
                found.add((name, other))
            elif other not in done:
                open_[other] = None
                walk.append((other, iter(afters[other])))
    return found


def _columns(picture: Picture, level: Mapping[str, int], back: Sequence[tuple[str, str]]) -> list[list[Stop]]:
    """What stands in each column, from the top: boxes, and a gap for each arrow that passes; near what leads there."""
    columns: list[list[Stop]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    befores: dict[Stop, list[Stop]] = {}
    for box in picture.boxes:
        columns[level[box.name]].append(box.name)
    for one, other in picture.arrows:
        if (one, other) in back:
            continue
        last: Stop = one
        for column in range(level[one] + 1, level[other]):
            stop = (one, other, column)
            columns[column].append(stop)
            befores[stop] = [last]
            last = stop
        befores.setdefault(other, []).append(last)
    row: dict[Stop, float] = {}
    for stops in columns:
        middle = {
            stop: sum(row.get(one, 0) for one in befores.get(stop, ())) / max(1, len(befores.get(stop, ())))
            for stop in stops
        }
        stops.sort(key=middle.__getitem__)
        row.update({stop: float(number) for number, stop in enumerate(stops)})
    return columns


def _way(place: Mapping[Stop, tuple[int, int]], level: Mapping[str, int], arrow: tuple[str, str]) -> str:
    """From box to box, through the gaps that were left for it."""
    one, other = arrow
    stops: list[Stop] = [one, *((one, other, column) for column in range(level[one] + 1, level[other])), other]
    x, y = place[one][0] + _WIDE, place[one][1] + _HIGH // 2
    path = f"M{x},{y}"
    for stop in stops[1:]:
        left, down = place[stop][0], place[stop][1] + _HIGH // 2
        path += f"C{x + _GAP // 2},{y} {left - _GAP // 2},{down} {left},{down}"
        x, y = left + _WIDE, down
        if stop != other:
            path += f"L{x},{y}"
    return path


def _around_below(place: Mapping[Stop, tuple[int, int]], arrow: tuple[str, str], low: int) -> str:
    (x1, y1), (x2, y2) = place[arrow[0]], place[arrow[1]]
    x1, y1, y2 = x1 + _WIDE, y1 + _HIGH // 2, y2 + _HIGH // 2
    down = f"M{x1},{y1}C{x1 + 30},{y1} {x1 + 30},{low} {x1},{low}"
    return f"{down}L{x2},{low}C{x2 - 30},{low} {x2 - 30},{y2} {x2},{y2}"


def _box(box: Box, x: int, y: int) -> str:
    fill, line, text = ("#fdd", "#c00", "#600") if box.marked else ("#f4f4f4", "#999", "#222")
    name = _xml(_short(box.name, 22))
    return (
        f'<g><title>{_xml(box.name)}</title><rect x="{x}" y="{y}" width="{_WIDE}" height="{_HIGH}" rx="5" '
        f'fill="{fill}" stroke="{line}"/><text x="{x + _WIDE // 2}" y="{y + 22}" text-anchor="middle" '
        f'fill="{text}">{name}</text></g>'
    )


def _line(way: str, red: bool) -> str:
    colour, wide, head = ("#c00", 2.5, "red") if red else ("#888", 1.2, "grey")
    return f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="{wide}" marker-end="url(#{head})"/>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(1, most - 1)] + "…"


def _xml(text: str) -> str:
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


DRAWINGS = {"svg": svg, "mermaid": mermaid, "dot": dot}
