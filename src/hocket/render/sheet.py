"""The page that an interleaving is filled into: how it looks, and the script that steps and searches.

Beside each other where there is room, one above the other where there is not. Dark where the reader's system is dark.
"""

from __future__ import annotations

from string import Template

__all__ = ["SHEET"]

_STYLE = """
:root { --ink: #0f172a; --dim: #5b6678; --paper: #fff; --panel: #f8fafc; --rule: #cbd5e1; --mark: #fde68a;
  --stress: #b45309; --at: #1d4ed8; --chip: #e2e8f0; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ink: #e2e8f0; --dim: #94a3b8; --paper: #0f172a; --panel: #1e293b;
  --rule: #334155; --mark: #6b4e0b; --stress: #fbbf24; --at: #60a5fa; --chip: #334155; } }
* { box-sizing: border-box; }
body { margin: 0; font: 14px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); display: grid;
  height: 100vh; height: 100dvh; grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr) minmax(320px, 36%); }
header { grid-column: 1 / -1; padding: 10px 16px; border-bottom: 1px solid var(--rule); }
h1 { font-size: 16px; margin: 0 0 2px; overflow-wrap: anywhere; }
.rest { margin: 2px 0 6px; padding: 6px 8px; max-height: 9em; }
.mattered { margin: 0 0 6px; color: var(--stress); overflow-wrap: anywhere; }
a { color: inherit; }
.bar { display: flex; flex-wrap: wrap; gap: 6px 8px; align-items: center; }
.bar input[type=range] { flex: 1 1 120px; max-width: 360px; min-width: 80px; accent-color: var(--at); }
.bar input[type=search] { flex: 0 1 190px; min-width: 110px; }
button, input { font: inherit; } button { padding: 2px 10px; }
#count, #hits { color: var(--dim); font-variant-numeric: tabular-nums; white-space: nowrap; }
main { overflow: auto; outline: none; } main:focus-visible { box-shadow: inset 0 0 0 2px var(--at); }
.names { position: sticky; top: 0; z-index: 1; height: 30px; background: var(--paper);
  border-bottom: 1px solid var(--rule); }
.names span { position: absolute; top: 5px; text-align: center; font: bold 12px/20px ui-monospace, monospace;
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
main svg { display: block; margin-top: -30px; } main svg .name { display: none; }
aside { overflow: auto; padding: 10px 16px; border-left: 1px solid var(--rule); }
h2 { font-size: 17px; margin: 4px 0 2px; overflow-wrap: anywhere; } aside p { margin: 2px 0 6px; }
.chip { background: var(--chip); border-radius: 4px; padding: 1px 6px; font: 13px ui-monospace, monospace;
  overflow-wrap: anywhere; }
.dim { color: var(--dim); } p:empty { display: none; }
pre { font: 12px/1.4 ui-monospace, monospace; background: var(--panel); padding: 8px; margin: 6px 0; overflow: auto; }
.here { background: var(--mark); display: block; width: max-content; min-width: 100%; }
table { border-collapse: collapse; font: 12px ui-monospace, monospace; } caption { text-align: left; color: var(--dim);
  font: 13px system-ui, sans-serif; padding: 6px 0 2px; } td { padding: 1px 14px 1px 0; overflow-wrap: anywhere; }
td:first-child, caption { white-space: nowrap; }
tr.now td { color: var(--stress); font-weight: bold; }
footer { grid-column: 1 / -1; padding: 6px 16px; border-top: 1px solid var(--rule); color: var(--dim);
  display: flex; flex-wrap: wrap; gap: 2px 18px; max-height: 20vh; overflow: auto; }
.legend { border: 1px solid; border-radius: 3px; padding: 0 6px; } .write.legend { border-color: #ea9a4b; }
.lock.legend { border-color: #c9b64a; } .end.legend { border-color: #dc6b6b; }
code { user-select: all; overflow-wrap: anywhere; color: var(--ink); } kbd { border: 1px solid var(--rule);
  border-radius: 3px; padding: 0 4px; font: 12px ui-monospace, monospace; }
.lanes .step { cursor: pointer; } .lanes .step.key rect { stroke: var(--stress); stroke-width: 2; }
.lanes .step.at rect { stroke: var(--at); stroke-width: 3; } .lanes .step.miss { opacity: .2; }
.lanes .step.later { opacity: .55; } .lanes .arrow { stroke-opacity: .25; }
.lanes .arrow.at { stroke-opacity: 1; stroke-width: 2; }
@media (max-width: 820px) {
  body { grid-template: auto minmax(0, 1fr) minmax(0, 1fr) auto / minmax(0, 1fr); }
  aside { border-left: 0; border-top: 1px solid var(--rule); padding: 6px 10px; } .keys { display: none; }
  header { padding: 8px 10px; max-height: 45vh; overflow: auto; } h1 { font-size: 15px; } footer { padding: 4px 10px; }
}
@media (max-height: 500px) { .keys, .rest { display: none; } }
"""

_SCRIPT = """
"use strict";
const {rows, key, first} = JSON.parse(document.getElementById("rows").textContent);
const by = id => document.getElementById(id), steps = [...document.querySelectorAll(".step")];
let at = 0, hits = [];
function link(number) {
  const a = document.createElement("a");
  a.href = "#" + number; a.textContent = "step " + number;
  return a;
}
function linked(words, numbers) {
  return numbers.length ? [words, ...numbers.flatMap((number, i) => [i ? ", " : "", link(number)])] : [];
}
function values() {  // what is known of the data at this moment
  const found = new Map();
  for (const row of rows.slice(0, at + 1))
    if (row.about && (row.value || row.sign)) {
      found.delete(row.about);
      found.set(row.about, row.sign === "was" ? "removed" : row.value);
    }
  return [...found].reverse();  // what was touched last stands first
}
function cells(texts, name) {
  const line = document.createElement("tr");
  line.className = name;
  line.replaceChildren(...texts.map(text => {
    const cell = document.createElement("td"); cell.textContent = text; return cell; }));
  return line;
}
function showValue(row) {
  const chip = document.createElement("span"), known = row.value && row.sign !== "was";
  chip.className = "chip"; chip.textContent = row.value;
  const words = {"→": row.about ? "read " : "got ", "=": "wrote ", "": "with "};
  const was = row.sign === "was" ? row.value : row.before;
  by("value").replaceChildren(...(known ? [words[row.sign] || "", chip] : []),
    was ? (known ? ", where " : "") + was + " was" : "");
}
function show(index) {
  at = Math.max(0, Math.min(rows.length - 1, index));
  const row = rows[at], known = values();
  steps.forEach((step, number) => {
    step.classList.toggle("at", number === at); step.classList.toggle("later", number > at); });
  document.querySelectorAll(".arrow").forEach(arrow => arrow.classList.toggle(
    "at", row.number !== 0 && (+arrow.dataset.from === row.number || +arrow.dataset.to === row.number)));
  by("count").textContent = (at + 1) + " of " + rows.length;
  by("slide").value = at + 1;
  by("what").textContent = row.actor + ": " + row.told;
  by("where").textContent = row.where + (row.function ? " in " + row.function : "");
  by("where").title = row.path;
  showValue(row);
  by("held").textContent = row.held.length ? "holds " + row.held.join(", ") : "";
  by("source").hidden = !row.source.length;
  by("source").replaceChildren(...row.source.map((text, number) => {
    const line = document.createElement("span");
    line.textContent = String(row.first + number).padStart(4) + "  " + text + "\\n";
    if (row.first + number === row.line) line.className = "here";
    return line; }));
  const after = linked("comes after ", row.after), before = linked("comes before ", row.before_steps);
  by("order").replaceChildren(...after, after.length && before.length ? "; " : "", ...before,
    after.length || before.length ? ", in every run that behaves like this one" : "");
  by("values").hidden = !known.length;
  by("known").replaceChildren(...known.map(([name, value]) => cells([name, value], name === row.about ? "now" : "")));
  const here = by("source").querySelector(".here");
  if (here) by("source").scrollTop = here.offsetTop - by("source").clientHeight / 2;
  seen(steps[at]);
  try { history.replaceState(null, "", "#" + (at + 1)); } catch (refused) { }
}
function seen(step) {  // below the names, and with its neighbours
  const box = step.querySelector("rect").getBoundingClientRect(), pane = by("lanes");
  const frame = pane.getBoundingClientRect();
  if (box.top < frame.top + 70) pane.scrollTop += box.top - frame.top - 70;
  if (box.bottom > frame.bottom - 50) pane.scrollTop += box.bottom - frame.bottom + 50;
  if (box.left < frame.left + 50) pane.scrollLeft += box.left - frame.left - 50;
  if (box.right > frame.right - 10) pane.scrollLeft += box.right - frame.right + 10;
}
function search(text) {
  const wanted = text.trim().toLowerCase();
  const found = rows.map(row => (row.actor + " " + row.told + " " + row.where + " " + row.held.join(" ") + " "
    + (row.source[row.line - row.first] || "")).toLowerCase().includes(wanted));
  steps.forEach((step, number) => step.classList.toggle("miss", wanted !== "" && !found[number]));
  hits = wanted ? rows.map((row, number) => number).filter(number => found[number]) : [];
  if (hits.length) show(hits.find(number => number >= at) ?? hits[0]);
  tell(wanted);
}
function tell(wanted) {
  by("hits").textContent = !wanted ? "" : hits.length ? (hits.indexOf(at) + 1) + " of " + hits.length : "not found";
}
function further(by_) {
  if (!hits.length) return;
  show(hits[(hits.indexOf(at) + by_ + hits.length) % hits.length]);
  tell(true);
}
function same(by_) {  // the next step of the same actor
  for (let other = at + by_; rows[other]; other += by_) if (rows[other].actor === rows[at].actor) return other;
  return at;
}
key.forEach(number => steps[number - 1].classList.add("key"));
steps.forEach((step, number) => step.addEventListener("click", () => show(number)));
by("back").onclick = () => show(at - 1); by("on").onclick = () => show(at + 1);
by("slide").oninput = event => show(+event.target.value - 1);
by("search").oninput = event => search(event.target.value);
window.addEventListener("hashchange", () => show((parseInt(location.hash.slice(1), 10) || 1) - 1));
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === by("search")) {
    if (event.key === "Escape") { by("search").value = ""; search(""); by("search").blur(); }
    if (event.key === "Enter") { event.preventDefault(); further(event.shiftKey ? -1 : 1); }
    return;
  }
  const go = {j: at + 1, ArrowDown: at + 1, ArrowRight: at + 1, k: at - 1, ArrowUp: at - 1, ArrowLeft: at - 1,
    n: same(1), p: same(-1), PageDown: at + 10, PageUp: at - 10, Home: 0, End: rows.length - 1}[event.key];
  if (go !== undefined) { event.preventDefault(); show(go); }
  if (event.key === "/") { event.preventDefault(); by("search").focus(); }
});
by("slide").max = rows.length;
show(parseInt(location.hash.slice(1), 10) - 1 >= 0 ? parseInt(location.hash.slice(1), 10) - 1 : first);
"""

_BODY = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>""" + _STYLE + """</style></head><body>
<header><h1>$headline</h1>$rest$mattered
<div class="bar"><button id="back" title="k or ↑">◀ back</button><button id="on" title="j or ↓">forward ▶</button>
<span id="count"></span><input id="slide" type="range" min="1" aria-label="step">
<input id="search" type="search" placeholder="search (/)" aria-label="search"><span id="hits"></span></div></header>
<main id="lanes" tabindex="0"><div class="names" style="width:${wide}px">$names</div>$svg</main>
<aside aria-live="polite"><h2 id="what"></h2><p id="where" class="dim"></p><p id="value"></p><p id="held"></p>
<pre id="source"></pre><p id="order" class="dim"></p>
<table id="values"><caption>as far as it is known at this step</caption><tbody id="known"></tbody></table></aside>
<footer><span>replay: <code>$command</code></span><span class="keys"><kbd>j</kbd> <kbd>k</kbd> or arrows: step ·
<kbd>n</kbd> <kbd>p</kbd> the same lane · <kbd>Home</kbd> <kbd>End</kbd> · <kbd>/</kbd> search,
<kbd>Enter</kbd> next</span><span class="keys"><span class="write legend">writes</span>
<span class="lock legend">holds a lock</span> <span class="end legend">not performed any more</span></span></footer>
<script type="application/json" id="rows">$data</script>
<script>""" + _SCRIPT + """</script></body></html>
"""

SHEET = Template(_BODY)
"""To be filled with title, headline, rest, mattered, names, wide, svg, data and command: HTML, all of it."""
