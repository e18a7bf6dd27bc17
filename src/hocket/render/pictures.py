"""A task graph and how it ended, as a picture: SVG for pages and reports, Mermaid for whatever renders Markdown.

Tasks stand in columns: each to the right of all that it comes after. An outcome is a
sign before the name as well as a colour, so that it can be read in print and by who
does not see red and green. Refused: calling `dot`, which is a program to install; and
a layout that is right for thousands of tasks, which nobody looks at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from statistics import mean
from typing import NamedTuple

from hocket.graph import Graph, ranks

__all__ = ["mermaid_of", "svg_of"]


class _Look(NamedTuple):
    sign: str
    fill: str
    line: str


_LOOKS: Mapping[str, _Look] = {
    "finished": _Look("✓", "#dff2e3", "#2f7d4a"),
    "failed": _Look("✗", "#fbdcd9", "#b3261e"),
    "skipped": _Look("→", "#eceff1", "#6b777d"),
    "cancelled": _Look("⊘", "#fff0cc", "#9a6200"),
    "": _Look("", "#ffffff", "#6b777d"),
}
"""By outcome; the last is for tasks of which none is known."""

_CHARACTER, _HEIGHT, _GAP_X, _GAP_Y, _MARGIN = 7.3, 28.0, 56.0, 14.0, 16.0  # px, at 12 px of a monospaced face


def svg_of(graph: Graph, outcomes: Sequence[str] = (), title: str = "") -> str:
    """The graph as an SVG text; `outcomes` of its tasks in the same order, "" where one is not known.

    Lines lead from a task to those that come after it; dashed ones from a task to the one that it holds open; dotted
    ones from a task to those that open inside it. Raises CycleError: what waits for itself has no columns.
    """
    labels = _labels(graph, outcomes)
    layout = _layout(graph, labels)
    legend = {outcome: _LOOKS[outcome] for outcome in _LOOKS if outcome and outcome in outcomes}
    width, height = layout.width, layout.height + 24 * bool(legend)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">',
        f"<title>{escape(title or f'{len(graph.tasks)} tasks')}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#6b777d"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        *_drawn_edges(layout),
        *(_drawn_box(task.name, labels[number], layout.boxes[number, 0], _outcome(outcomes, number))
          for number, task in enumerate(graph.tasks)),
        *_drawn_legend(legend, height),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def mermaid_of(graph: Graph, outcomes: Sequence[str] = ()) -> str:
    """The graph as a Mermaid flowchart, which GitHub and GitLab draw in Markdown."""
    lines = ["flowchart LR"]
    for number, label in enumerate(_labels(graph, outcomes)):
        kind = _outcome(outcomes, number)
        shape = '["{}"]' if graph.tasks[number].body is not None else '(["{}"])'
        lines.append(f"    t{number}{shape.format(_quoted(label))}" + (f":::{kind}" if kind else ""))
    for arrow, pairs in (
        ("-->", [(earlier, later) for later, earlier in graph.after]),
        ("-. opens .->", [(outer, inner) for inner, outer in graph.inside]),
        ("-. holds .->", [(child, parent) for parent, child in graph.hold]),
    ):
        lines += [f"    t{one} {arrow} t{other}" for one, other in pairs]
    for kind in (kind for kind in _LOOKS if kind and kind in outcomes):
        lines.append(f"    classDef {kind} fill:{_LOOKS[kind].fill},stroke:{_LOOKS[kind].line},color:#1b1f22")
    return "\n".join(lines) + "\n"


def _outcome(outcomes: Sequence[str], number: int) -> str:
    return outcomes[number] if number < len(outcomes) else ""


def _labels(graph: Graph, outcomes: Sequence[str]) -> list[str]:
    def label(number: int, name: str) -> str:
        name = name if len(name) <= 40 else name[:39] + "…"
        return f"{_LOOKS[_outcome(outcomes, number)].sign} {name}".strip()

    return [label(number, task.name) for number, task in enumerate(graph.tasks)]


def _quoted(text: str) -> str:
    """As the label of a Mermaid node: its own marks as numbers of characters."""
    return "".join(letter if letter.isalnum() or letter in " _-.,:()/…✓✗→⊘" else f"#{ord(letter)};" for letter in text)


# -- where everything stands -------------------------------------------------------------------------------------------

_Place = tuple[int, int]  # a task, by its number and 0; or where an edge passes a column: its number, and the column


class _Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class _Layout:
    boxes: Mapping[_Place, _Box]
    column_of: Sequence[int]
    edges: Sequence[_Edge]
    width: float
    height: float


class _Edge(NamedTuple):
    one: int
    other: int
    style: str


def _layout(graph: Graph, labels: Sequence[str]) -> _Layout:
    edges = [_Edge(earlier, later, "") for later, earlier in graph.after]
    edges += [_Edge(outer, inner, ' stroke-dasharray="2 3"') for inner, outer in graph.inside]
    edges += [_Edge(child, parent, ' stroke-dasharray="7 4"') for parent, child in graph.hold]
    column_of = _column_of(graph)
    columns = _columns(column_of, edges)
    tall = max((sum(_tall(place) for place in column) for column in columns), default=_HEIGHT) - _GAP_Y
    boxes, x = dict[_Place, _Box](), _MARGIN
    for column in columns:
        width = max((len(labels[number]) * _CHARACTER + 20 for number, passing in column if not passing), default=0.0)
        y = _MARGIN + (tall - sum(map(_tall, column)) + _GAP_Y) / 2
        for place in column:
            boxes[place] = _Box(x, y, width, _tall(place) - _GAP_Y)
            y += _tall(place)
        x += width + _GAP_X
    return _Layout(boxes, column_of, edges, max(x - _GAP_X + _MARGIN, 2 * _MARGIN), tall + 2 * _MARGIN + 8)


def _tall(place: _Place) -> float:
    return _GAP_Y + (2 if place[1] else _HEIGHT)


def _columns(column_of: Sequence[int], edges: Sequence[_Edge]) -> list[list[_Place]]:
    """The tasks of each column and the edges that pass it, in the order of where they come from (Sugiyama)."""
    columns: list[list[_Place]] = [[] for _ in range(max(column_of, default=-1) + 1)]
    before: dict[_Place, list[_Place]] = {}
    for number, column in enumerate(column_of):
        columns[column].append((number, 0))
    for index, edge in enumerate(edges):
        places = _passed(index, edge, column_of)
        for column, place in enumerate(places[1:-1], column_of[edge.one] + 1):
            columns[column].append(place)
        for one, other in pairwise(places):
            before.setdefault(other, []).append(one)
    at: dict[_Place, float] = {}
    for places in columns:
        places.sort(key=lambda place: mean(at[one] for one in before[place]) if place in before else 0.0)
        at.update({place: index - len(places) / 2 for index, place in enumerate(places)})
    return columns


def _passed(index: int, edge: _Edge, column_of: Sequence[int]) -> list[_Place]:
    """From where an edge begins to where it ends; an edge that leads back passes nothing."""
    between = range(column_of[edge.one] + 1, column_of[edge.other])
    if column_of[edge.one] >= column_of[edge.other]:
        return []
    return [(edge.one, 0), *((index, column) for column in between), (edge.other, 0)]


def _column_of(graph: Graph) -> list[int]:
    """By the longest way to each task. Raises CycleError where there is none.

    What comes after a task stands to the right of all that this one holds, too. A child that waits for nothing stands
    to the right of its parent, where that closes no circle.
    """
    ranks(graph)
    earlier: list[set[int]] = [set() for _ in graph.tasks]
    children: list[list[int]] = [[] for _ in graph.tasks]
    for parent, child in graph.hold:
        children[parent].append(child)
    for later, other in graph.inside:
        earlier[later].add(other)
    for later, other in graph.after:
        earlier[later] |= _held(other, children)
    beside = [set(others) for others in earlier]
    for parent, child in graph.hold:
        if not earlier[child]:
            beside[child].add(parent)
    return _longest_ways(beside) or _longest_ways(earlier)


def _held(number: int, children: Sequence[Sequence[int]]) -> set[int]:
    """A task, and all that it holds."""
    found, agenda = {number}, [number]
    for one in agenda:  # grows while it is read
        agenda += [child for child in children[one] if child not in found]
        found.update(children[one])
    return found


def _longest_ways(earlier: Sequence[Set[int]]) -> list[int]:
    """By task, how many come before it on the longest way to it; nothing where some wait for each other."""
    waits = [len(others) for others in earlier]
    following: list[list[int]] = [[] for _ in earlier]
    for number, others in enumerate(earlier):
        for other in sorted(others):
            following[other].append(number)
    longest = [0] * len(earlier)
    agenda = [number for number, waiting in enumerate(waits) if not waiting]
    for number in agenda:  # grows while it is read
        for later in following[number]:
            longest[later] = max(longest[later], longest[number] + 1)
            waits[later] -= 1
            if not waits[later]:
                agenda.append(later)
    return longest if len(agenda) == len(earlier) else []


# -- what is drawn -----------------------------------------------------------------------------------------------------


def _drawn_edges(layout: _Layout) -> Iterator[str]:
    for index, edge in enumerate(layout.edges):
        one, other = layout.boxes[edge.one, 0], layout.boxes[edge.other, 0]
        columns = layout.column_of[edge.other] - layout.column_of[edge.one]
        if columns > 0:
            way = _on(index, one, other, layout)
        else:
            way = _beside(one, other) if columns == -1 else _back(one, other)
        yield (f'<path d="{way}" fill="none" stroke="#6b777d" stroke-width="1.2"{edge.style} '
               'marker-end="url(#tip)"/>')


def _on(index: int, one: _Box, other: _Box, layout: _Layout) -> str:
    """A curve from the right of one box to the left of a later one, through the gaps that were left for it."""
    x, y = one.x + one.width, one.y + one.height / 2
    way = f"M{x:.1f} {y:.1f}"
    edge = layout.edges[index]
    between = range(layout.column_of[edge.one] + 1, layout.column_of[edge.other])
    for box in (*(layout.boxes[index, column] for column in between), other):
        x2, y2 = box.x, box.y + box.height / 2
        bend = max(24.0, (x2 - x) / 2)
        way += f"C{x + bend:.1f} {y:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        x, y = box.x + box.width, y2
        way += f"H{x:.1f}" if box is not other else ""
    return way


def _beside(one: _Box, other: _Box) -> str:
    """A curve to a box of the column before, between the two: its lower half, for from its middle lines lead on."""
    x1, y1, x2, y2 = one.x, one.y + one.height / 2, other.x + other.width, other.y + other.height * 0.75
    bend = (x1 - x2) / 2
    return f"M{x1:.1f} {y1:.1f}C{x1 - bend:.1f} {y1:.1f} {x2 + bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"


def _back(one: _Box, other: _Box) -> str:
    """A curve to a box that stands in the same column, or far to the left: from below to below."""
    x1, y1, x2, y2 = one.x + one.width / 2, one.y + one.height, other.x + other.width / 2, other.y + other.height
    low = max(y1, y2) + _GAP_Y
    return f"M{x1:.1f} {y1:.1f}C{x1:.1f} {low:.1f} {x2:.1f} {low:.1f} {x2:.1f} {y2:.1f}"


def _drawn_box(name: str, label: str, box: _Box, outcome: str) -> str:
    look = _LOOKS[outcome]
    middle, y = box.x + box.width / 2, box.y + _HEIGHT / 2 + 4.2
    told = f"{name}: {outcome}" if outcome else name
    return (
        f'<g><title>{escape(told)}</title><rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{_HEIGHT:.0f}" rx="5" fill="{look.fill}" stroke="{look.line}"/>'
        f'<text x="{middle:.1f}" y="{y:.1f}" text-anchor="middle" fill="#1b1f22">{escape(label)}</text></g>'
    )


def _drawn_legend(looks: Mapping[str, _Look], height: float) -> list[str]:
    drawn, x = [], _MARGIN
    for outcome, look in looks.items():
        drawn.append(f'<text x="{x:.1f}" y="{height - 10:.1f}" fill="{look.line}">{look.sign} {outcome}</text>')
        x += (len(outcome) + 4) * _CHARACTER
    return drawn
