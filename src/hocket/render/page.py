"""An interleaving as a page that stands alone: lanes, arrows, source, and a step at a time, with mouse or keyboard.

One file without a network: it is kept beside a CI run, mailed, and opened years later.
The picture is SVG, drawn here, so that it is there without scripts and can be saved by itself; the script
only moves the mark, fills the panel and searches. Values that come from the program are
data in a JSON island and text nodes, never HTML.
"""

from __future__ import annotations

import html
import json
import linecache
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hocket.render.chrome import Slice, chrome_trace
from hocket.render.lanes import Lane

__all__ = ["Interleaving", "page", "picture", "trace"]

_ROW, _COLUMN, _LEFT, _TOP = 34, 230, 56, 44  # pixels
_AROUND = 6  # lines of source above and below
_WIDEST = 34  # characters of a box


@dataclass(frozen=True, slots=True)
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


def page(told: Interleaving) -> str:
    """The whole page."""
    data = json.dumps([_told(row, told) for row in told.rows]).replace("<", "\\u003c")
    said = f"<p class=mattered>{html.escape(told.mattered)}</p>" if told.mattered else ""
    return _PAGE.format(title=html.escape(told.headline.partition("\n")[0]), headline=html.escape(told.headline),
                        mattered=said, svg=picture(told), data=data, command=html.escape(told.command))


def picture(told: Interleaving) -> str:
    """The lanes as SVG."""
    lanes = told.lanes
    wide, high = _LEFT + _COLUMN * len(lanes) + 20, _TOP + _ROW * len(told.rows) + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" '
             'font-family="ui-monospace, monospace" font-size="12"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" '
             'refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#b45309"/>'
             '</marker></defs>']
    for number, actor in enumerate(lanes):
        x = _LEFT + _COLUMN * number + _COLUMN // 2
        parts.append(f'<text x="{x}" y="24" text-anchor="middle" font-weight="bold">{html.escape(actor)}</text>'
                     f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{high - 10}" stroke="#cbd5e1"/>')
    parts += [_box(index, row, lanes) for index, row in enumerate(told.rows)]
    parts += [_arrow(before, after, told, lanes) for before, after in told.arrows]
    return "".join([*parts, "</svg>"])


def trace(told: Interleaving) -> str:
    """For Perfetto and chrome://tracing: a step is a microsecond, arrows are flows."""
    slices = [Slice(row.text, row.actor, 1000 * index, 1000 * index + 800, _where(row))
              for index, row in enumerate(told.rows)]
    index_of = {row.number: index for index, row in enumerate(told.rows) if row.number}
    return chrome_trace(slices, [(index_of[before], index_of[after]) for before, after in told.arrows], told.headline)


# -- the picture ------------------------------------------------------------------------------------------------------


def _spot(index: int, row: Lane, lanes: Sequence[str]) -> tuple[int, int]:
    return _LEFT + _COLUMN * lanes.index(row.actor), _TOP + _ROW * index


def _box(index: int, row: Lane, lanes: Sequence[str]) -> str:
    x, y = _spot(index, row, lanes)
    shown = row.text if len(row.text) <= _WIDEST - 4 else row.text[:_WIDEST - 5] + "…"
    fill = "#fee2e2" if not row.number else "#fef9c3" if row.held else "#f1f5f9"
    return (f'<g class="step" data-index="{index}"><text x="{_LEFT - 12}" y="{y + 16}" text-anchor="end" '
            f'fill="#64748b">{row.number or ""}</text><rect x="{x + 6}" y="{y}" width="{_COLUMN - 12}" height="24" '
            f'rx="4" fill="{fill}" stroke="#94a3b8"/><text x="{x + 14}" y="{y + 16}">{html.escape(shown)}</text>'
            f'<title>{html.escape(row.text)}  {html.escape(_where(row))}</title></g>')


def _arrow(before: int, after: int, told: Interleaving, lanes: Sequence[str]) -> str:
    ends = {row.number: (index, row) for index, row in enumerate(told.rows) if row.number}
    (x1, y1), (x2, y2) = (_spot(*ends[number], lanes) for number in (before, after))
    right = x2 > x1
    x1, x2 = (x1 + _COLUMN - 6, x2 + 6) if right else (x1 + 6, x2 + _COLUMN - 6)
    bend = 24 if right else -24
    return (f'<path class="arrow" data-from="{before}" data-to="{after}" d="M{x1} {y1 + 12}C{x1 + bend} {y1 + 12} '
            f'{x2 - bend} {y2 + 12} {x2} {y2 + 12}" fill="none" stroke="#b45309" marker-end="url(#tip)"/>')


def _where(row: Lane) -> str:
    return f"{os.path.basename(row.place[0])}:{row.place[1]}" if row.place else ""


def _told(row: Lane, told: Interleaving) -> dict[str, Any]:
    path, line, function = row.place or ("", 0, "")
    lines = linecache.getlines(path) if path else []
    first = max(1, line - _AROUND)
    return {"number": row.number, "actor": row.actor, "text": row.text, "held": list(row.held), "where": _where(row),
            "function": function, "line": line, "first": first,
            "source": [text.rstrip("\n") for text in lines[first - 1:line + _AROUND]] if line else [],
            "after": [before for before, after in told.arrows if after == row.number],
            "before": [after for before, after in told.arrows if before == row.number]}


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ margin: 0; font: 14px system-ui, sans-serif; color: #0f172a; display: grid; height: 100vh;
  grid-template: auto 1fr auto / minmax(40%, 1fr) minmax(320px, 38%); }}
header {{ grid-column: 1 / 3; padding: 10px 16px; border-bottom: 1px solid #cbd5e1; }}
h1 {{ font-size: 16px; margin: 0 0 4px; white-space: pre-wrap; }}
.mattered {{ margin: 0 0 6px; color: #b45309; }}
main {{ overflow: auto; padding: 8px; }} aside {{ overflow: auto; padding: 12px 16px; border-left: 1px solid #cbd5e1; }}
footer {{ grid-column: 1 / 3; padding: 6px 16px; border-top: 1px solid #cbd5e1; color: #475569; }}
pre {{ font: 12px ui-monospace, monospace; background: #f8fafc; padding: 8px; overflow: auto; }}
.here {{ background: #fde68a; display: block; }}
.step {{ cursor: pointer; }} .step.at rect {{ stroke: #1d4ed8; stroke-width: 3; }} .step.miss {{ opacity: .2; }}
.step.later rect {{ fill-opacity: .45; }} .arrow {{ opacity: .35; }} .arrow.at {{ opacity: 1; stroke-width: 2; }}
code {{ user-select: all; }} button, input {{ font: inherit; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #f8fafc; }} }}
</style></head><body>
<header><h1>{headline}</h1>{mattered}
<button id="back" title="k or ↑">◀ back</button> <button id="on" title="j or ↓">forward ▶</button>
<span id="count"></span> <input id="search" type="search" placeholder="search (/)" aria-label="search"></header>
<main tabindex="0">{svg}</main>
<aside aria-live="polite"><h2 id="what"></h2><p id="where"></p><p id="held"></p><pre id="source"></pre>
<p id="order"></p></aside>
<footer>replay: <code>{command}</code> · j k or arrows: step · Home End · / search</footer>
<script type="application/json" id="rows">{data}</script>
<script>
"use strict";
const rows = JSON.parse(document.getElementById("rows").textContent);
const by = id => document.getElementById(id), steps = [...document.querySelectorAll(".step")];
let at = 0;
function show(index) {{
  at = Math.max(0, Math.min(rows.length - 1, index));
  const row = rows[at];
  steps.forEach((step, number) => {{
    step.classList.toggle("at", number === at); step.classList.toggle("later", number > at); }});
  document.querySelectorAll(".arrow").forEach(arrow => arrow.classList.toggle(
    "at", row.number !== 0 && (+arrow.dataset.from === row.number || +arrow.dataset.to === row.number)));
  by("count").textContent = (at + 1) + " of " + rows.length;
  by("what").textContent = row.actor + ": " + row.text;
  by("where").textContent = row.where + (row.function ? " in " + row.function : "");
  by("held").textContent = row.held.length ? "holds " + row.held.join(", ") : "";
  by("source").replaceChildren(...row.source.map((text, number) => {{
    const line = document.createElement("span");
    line.textContent = String(row.first + number).padStart(4) + "  " + text + "\\n";
    if (row.first + number === row.line) line.className = "here";
    return line; }}));
  by("order").textContent = [row.after.length ? "has to come after " + row.after.join(", ") : "",
    row.before.length ? "has to come before " + row.before.join(", ") : ""].filter(Boolean).join("; ");
  steps[at].scrollIntoView({{block: "nearest"}});
  history.replaceState(null, "", "#" + (at + 1));
}}
function search(text) {{
  const wanted = text.toLowerCase();
  const hits = rows.map(row => (row.actor + " " + row.text + " " + row.where + " " + row.held.join(" ") + " "
    + row.source.join(" ")).toLowerCase().includes(wanted));
  steps.forEach((step, number) => step.classList.toggle("miss", wanted !== "" && !hits[number]));
  const next = hits.findIndex((hit, number) => hit && number >= at);
  if (wanted && hits.includes(true)) show(next < 0 ? hits.indexOf(true) : next);
}}
steps.forEach((step, number) => step.addEventListener("click", () => show(number)));
by("back").onclick = () => show(at - 1); by("on").onclick = () => show(at + 1);
by("search").oninput = event => search(event.target.value);
document.addEventListener("keydown", event => {{
  if (event.target === by("search")) {{
    if (event.key === "Escape") {{ by("search").value = ""; search(""); by("search").blur(); }}
    return;
  }}
  const go = {{j: at + 1, ArrowDown: at + 1, ArrowRight: at + 1, k: at - 1, ArrowUp: at - 1, ArrowLeft: at - 1,
    Home: 0, End: rows.length - 1}}[event.key];
  if (go !== undefined) {{ event.preventDefault(); show(go); }}
  if (event.key === "/") {{ event.preventDefault(); by("search").focus(); }}
}});
show(parseInt(location.hash.slice(1), 10) - 1 || 0);
</script></body></html>
"""
