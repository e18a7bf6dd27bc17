"""Draw what the documentation shows of the code, from the code: `make docs`, or `python docs/draw.py --check`.

Tables and diagrams are never written by hand. Text between `<!-- drawn: NAME -->`
and `<!-- /drawn -->` is replaced by what NAME draws; pictures go to `docs/pictures/`.
With `--check` nothing is written, and the exit code says whether anything is stale.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

from hocket import draw_plan
from hocket.kernel.lifecycle import EDGES, EVENTS, KEEPS, STATES, STOPS, Condition, Edge, Phase
from hocket.verify.codes import CODES

DOCS = Path(__file__).parent


# -- tables of the kernel ---------------------------------------------------------------------------------------------


def event_rows() -> str:
    """EVENTS as a Markdown table."""
    lines = ["| stimulus | from | to | also | why |", "|---|---|---|---|---|"]
    for row in EVENTS:
        also = [
            "opens" if row.opens else "",
            "gives its token back" if row.token else "",
            f"bodies {row.bodies:+d}" if row.bodies else "",
            f"fate: {row.fate}" if row.fate else "",
            f"→ `{row.command.name}`" if row.command is not None else "",
        ]
        origin = ", ".join(str(phase) for phase in row.phases)
        target = "stays" if row.to is None else str(row.to)
        lines.append(f"| `{row.stimulus.name}` | {origin} | {target} | {', '.join(filter(None, also))} | {row.why} |")
    return "\n".join(lines)


def state_rows() -> str:
    """STATES as a Markdown table."""
    lines = ["| in | when | to | also | why |", "|---|---|---|---|---|"]
    for row in STATES:
        when = " and ".join(condition.name.lower().replace("_", " ") for condition in row.when)
        also = [
            "opens" if row.opens else "",
            f"fate: {row.fate}" if row.fate is not None else "",
            f"→ `{row.command.name}`" if row.command is not None else "",
        ]
        lines.append(f"| {row.phase} | {when} | {row.to} | {', '.join(filter(None, also))} | {row.why} |")
    return "\n".join(lines)


def edge_rows() -> str:
    """EDGES and KEEPS as a Markdown table."""
    lines = ["| edge | waits for the source's | holds the target's | is kept (isolate, fail_fast) | is kept (branch) |"]
    lines.append("|---|---|---|---|---|")
    for edge, row in EDGES.items():
        gate = "opening" if row.gate == "start" else "close"
        kept = [_kept(policy, edge) for policy in list(KEEPS)[1:]]
        lines.append(f"| `{edge.name}` | {row.moment.name.lower()} | {gate} | {' | '.join(kept)} |")
    stopping = [policy.value for policy, outcomes in STOPS.items() if outcomes]
    return "\n".join(lines) + f"\n\nA failure stops the rest of its scope under: `{'`, `'.join(stopping)}`."


def _kept(policy: object, edge: Edge) -> str:
    outcomes = KEEPS[policy].get(edge)  # type: ignore[index]
    if outcomes is None:
        return "by a source that opened"
    return "by any outcome" if len(outcomes) > 1 else f"by {next(iter(outcomes))}"


def conditions() -> str:
    """Each condition with the counter that it reads."""
    lines = ["| condition | reads |", "|---|---|"]
    for condition in Condition:
        sign = "≠" if condition.holds_when else "="
        lines.append(f"| {condition.name.lower().replace('_', ' ')} | `{condition.field}` {sign} 0 |")
    return "\n".join(lines)


# -- the picture of the lifecycle -------------------------------------------------------------------------------------

_CENTRE, _STEP, _BOX = 530, 112, (150, 44)
_WIDTH = 1220
_REACH = {"event": (100, 125), "state": (340, 60)}  # how far the first lane goes out, and each further one

Arrow = tuple[Phase, Phase, str]  # from, to, "event" or "state"


def lifecycle_svg() -> str:
    """The two tables as one picture: what happened on the left, where the neighbours stand on the right."""
    labels: dict[Arrow, list[str]] = {}
    for row in EVENTS:
        for phase in row.phases:
            labels.setdefault((phase, phase if row.to is None else row.to, "event"), []).append(row.stimulus.name)
    for state in STATES:
        when = " and ".join(condition.name.lower().replace("_", " ") for condition in state.when)
        labels.setdefault((state.phase, state.to, "state"), []).append(f"{state.why}: {when}")
    lanes = {"event": 0, "state": 0}
    pieces = []
    for arrow, texts in sorted(labels.items(), key=lambda item: item[0][1] - item[0][0]):
        start, end, kind = arrow
        if end == start + 1:
            pieces.append(_straight(arrow, texts))
        else:
            lanes[kind] += 1
            pieces.append(_bow(arrow, texts, lanes[kind]))
    pieces += [_box(phase) for phase in Phase]
    return _SVG.replace("HEIGHT", str(_y(max(Phase)) + 50)).replace("BODY", "\n".join(pieces))


def _y(phase: Phase) -> int:
    return 80 + _STEP * phase


def _box(phase: Phase) -> str:
    left, top = _CENTRE - _BOX[0] // 2, _y(phase) - _BOX[1] // 2
    return (
        f'<rect x="{left}" y="{top}" width="{_BOX[0]}" height="{_BOX[1]}" rx="8"/>'
        f'<text class="phase" x="{_CENTRE}" y="{_y(phase) + 6}">{phase.name}</text>'
    )


def _straight(arrow: Arrow, texts: list[str]) -> str:
    """To the next phase, down the middle."""
    start, end, kind = arrow
    top, bottom = _y(start) + _BOX[1] // 2, _y(end) - _BOX[1] // 2
    middle = (top + bottom) / 2 + (-12 if kind == "event" and len(texts) == 1 else 0)
    shift = -6 if kind == "event" else 6
    line = f'<path class="{kind}" d="M {_CENTRE + shift} {top} V {bottom - 5}" marker-end="url(#{kind}-tip)"/>'
    side, anchor = (_CENTRE - 18, "end") if kind == "event" else (_CENTRE + 18, "start")
    alone = texts[0].replace(": ", ":\n").split("\n") if len(texts) == 1 else texts
    return line + _lines(alone, side, middle, anchor)


def _bow(arrow: Arrow, texts: list[str], lane: int) -> str:
    """Round the side, in a lane of its own: events on the left, neighbours on the right."""
    start, end, kind = arrow
    sign, anchor = (-1, "end") if kind == "event" else (1, "start")
    edge = _CENTRE + sign * _BOX[0] // 2
    reach = edge + sign * (_REACH[kind][0] + _REACH[kind][1] * (lane - 1))
    top, bottom = (_y(start) + 6, _y(end) - 12 + 8 * lane) if end != start else (_y(start) + 9, _y(start) - 9)
    curve = f"M {edge} {top} C {reach} {top}, {reach} {bottom}, {edge + sign * 5} {bottom}"
    label = edge + 0.75 * (reach - edge) + sign * 6
    path = f'<path class="{kind}" d="{curve}" marker-end="url(#{kind}-tip)"/>'
    return path + _lines(texts, label, (top + bottom) / 2, anchor)


def _lines(texts: list[str], x: float, middle: float, anchor: str) -> str:
    first = middle + 4 - 7.5 * (len(texts) - 1)
    return "".join(
        f'<text x="{x}" y="{first + 15 * number}" text-anchor="{anchor}">{escape(text)}</text>'
        for number, text in enumerate(texts)
    )


_TIP = (
    '<marker id="{kind}-tip" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M 0 0 L 8 4 L 0 8 z" style="fill:{colour};stroke:none"/></marker>'
)
_SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} HEIGHT" font-family="sans-serif">
<title>The life of a task, drawn from hocket.kernel.lifecycle</title>
<style>
  svg {{ background: #fff }}
  rect {{ fill: #eef3fb; stroke: #35507a; stroke-width: 1.5 }}
  path {{ fill: none; stroke-width: 1.6 }}
  .event {{ stroke: #b4531a }}
  .state {{ stroke: #35507a; stroke-dasharray: 5 3 }}
  text {{ font-size: 12px; fill: #333 }}
  .phase {{ font-size: 15px; font-weight: 600; text-anchor: middle; fill: #1b2c47 }}
</style>
<defs>{_TIP.format(kind="event", colour="#b4531a")}{_TIP.format(kind="state", colour="#35507a")}</defs>
<text x="20" y="24"><tspan fill="#b4531a" font-weight="600">solid:</tspan> something happened (EVENTS)</text>
<text x="20" y="42"><tspan fill="#35507a" font-weight="600">dashed:</tspan> the neighbours stand so (STATES)</text>
BODY
</svg>
"""


# -- putting it in place ----------------------------------------------------------------------------------------------

def _of_models(table: str) -> str:
    """A table about `models/`, which is beside the package and no part of it."""
    if str(DOCS.parent) not in sys.path:
        sys.path.insert(0, str(DOCS.parent))
    from models.page import TABLES

    return TABLES[table]()


# -- findings of the verifier ------------------------------------------------------------------------------------------


def finding_rows() -> str:
    """The table of finding codes as a Markdown table."""
    lines = ["| code | what it is | severity | cure |", "|---|---|---|---|"]
    lines += [
        f"| {row.code} | {row.title} | {row.severity.value} | {_cell(row.cure)} |" for row in CODES.values()
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


DRAWN = {
    "events": event_rows,
    "states": state_rows,
    "edges": edge_rows,
    "conditions": conditions,
    "models": partial(_of_models, "models"),
    "broken": partial(_of_models, "broken"),
    "findings": finding_rows,
}


def plan_svg() -> str:
    """The plan of docs/examples, with its slots."""
    namespace: dict[str, Any] = {"__name__": "plan_of_an_order"}
    exec((DOCS / "examples" / "plan_of_an_order.py").read_text(), namespace)
    return draw_plan(namespace["PLAN"])


def subsystems_svg() -> str:
    """The orchestra of docs/examples, with the cycle that can close."""
    namespace: dict[str, Any] = {"__name__": "node_of_a_network"}
    exec((DOCS / "examples" / "node_of_a_network.py").read_text(), namespace)
    picture: str = namespace["Node"].picture()
    return picture


PICTURES = {"lifecycle.svg": lifecycle_svg, "plan.svg": plan_svg, "subsystems.svg": subsystems_svg}

_PLACE = re.compile(r"(<!-- drawn: (\w+) -->\n).*?(\n<!-- /drawn -->)", re.DOTALL)


def wanted() -> dict[Path, str]:
    """Every drawn file, with what it should contain."""
    files = {DOCS / "pictures" / name: draw() for name, draw in PICTURES.items()}
    for page in sorted(DOCS.rglob("*.md")):
        text = page.read_text()
        drawn = _PLACE.sub(lambda match: match[1] + DRAWN[match[2]]() + match[3], text)
        if drawn != text or _PLACE.search(text):
            files[page] = drawn
    return files


def stale() -> list[Path]:
    """The files that are not as the code would draw them."""
    return [path for path, text in wanted().items() if not path.exists() or path.read_text() != text]


def main() -> int:
    old = stale()
    if "--check" in sys.argv:
        lines = [f"stale: {path.relative_to(DOCS.parent)}" for path in old]
        print("\n".join(lines) or "all drawings are as the code says")
        return bool(old)
    drawn = wanted()
    for path in old:
        path.parent.mkdir(exist_ok=True)
        path.write_text(drawn[path])
        print(f"drawn: {path.relative_to(DOCS.parent)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
