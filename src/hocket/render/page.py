"""An interleaving as a page that stands alone: lanes, arrows, source, values, and a step at a time.

One file without a network: it is kept beside a CI run, mailed, and opened years later, perhaps on a telephone.
The picture is SVG, drawn in interleaving.py, so that it is there without scripts and can be saved by itself; the script
(sheet.py) only moves the mark, fills the panel and searches. Values that come from the program are
data in a JSON island and text nodes, never HTML.

It opens where the reason is: at the first step of the conflict that mattered, else at the end, where it fails.
"""

from __future__ import annotations

import html
import json
import linecache
import re
from typing import Any

from hocket.render.interleaving import Interleaving, about, picture, trace, where
from hocket.render.lanes import Lane
from hocket.render.sheet import SHEET

__all__ = ["Interleaving", "page", "picture", "trace"]

_AROUND = 6  # lines of source above and below
_STEP = re.compile(r"\bstep (\d+)")


def page(told: Interleaving) -> str:
    """The whole page."""
    named = [int(number) for number in _STEP.findall(told.mattered) if 0 < int(number) <= len(told.rows)]
    data = json.dumps({"rows": [_told(row, told) for row in told.rows], "key": named,
                       "first": min(named, default=len(told.rows)) - 1}).replace("<", "\\u003c")
    said = f"<p class=mattered>{_linked(told.mattered, len(told.rows))}</p>" if told.mattered else ""
    title, _, rest = told.headline.partition("\n")
    return SHEET.substitute(
        title=html.escape(title), headline=html.escape(title) if told.mattered else _linked(title, len(told.rows)),
        rest=f"<pre class=rest>{html.escape(rest)}</pre>" if rest else "", mattered=said, names=_names(told),
        svg=picture(told), data=data, command=html.escape(told.command), wide=told.size[0])


def _linked(text: str, steps: int) -> str:
    """With the steps that it names as links to them."""
    def link(found: re.Match[str]) -> str:
        return f'<a href="#{found[1]}">{found[0]}</a>' if 0 < int(found[1]) <= steps else found[0]

    return _STEP.sub(link, html.escape(text))


def _names(told: Interleaving) -> str:
    """The names of the lanes, which stay in sight while the picture scrolls."""
    return "".join(f'<span style="left:{begin:.0f}px;width:{wide:.0f}px">{html.escape(actor)}</span>'
                   for actor, (begin, wide) in told.columns.items())


def _told(row: Lane, told: Interleaving) -> dict[str, Any]:
    path, line, function = row.place or ("", 0, "")
    lines = linecache.getlines(path) if path else []
    first = max(1, line - _AROUND)
    return {"number": row.number, "actor": row.actor, "text": row.text, "told": row.told, "value": row.value,
            "before": row.before, "sign": row.sign, "about": about(row), "held": list(row.held), "where": where(row),
            "path": path, "function": function, "line": line, "first": first,
            "source": [text.rstrip("\n") for text in lines[first - 1:line + _AROUND]] if line else [],
            "after": sorted(before for before, after in told.arrows if after == row.number),
            "before_steps": sorted(after for before, after in told.arrows if before == row.number)}
