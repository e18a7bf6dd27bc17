"""Hostile texts for every reader: `python -m tests.fuzz_readers 5000 7` (texts, seed); a slice runs in the suite.

A text is one of the seeds below, which say much in little, changed a few times: cut
off, lines swapped, doubled or deleted, words of another format put in, brackets and
quotes strewn, keys doubled, values nested or aliased. Whatever comes of it, reading
and judging must end in a report or a SourceError, soon, and never in a traceback.
"""

from __future__ import annotations

import random
import resource
import sys
import time

import hocket
from hocket.errors import SourceError
from hocket.verify.readers import FORMATS

SEEDS: dict[str, str] = {
    "hocket": "hocket: 1\ntasks:\n  a: {takes: [1, 2], holds: r}\n"
    "  b: {after: [a, {task: c, accepts: any}], if: v == 'x'}\n"
    "  c: {template: t, copies: [0, null]}\ntemplates: {t: {tasks: {x: {}, y: {after: x}}}}\nvariables: {v: [x, y]}\n"
    "resources: {r: 1}\nassert: [a before b]\n",
    "dot": 'digraph g {\n a -> b -> {c d} [x="y"];\n subgraph cluster_1 { e -> f:p:n }\n'
    ' "g h" -> <<i>>\n c -> a [dir=back]\n}\n',
    "node-link": '{"directed": true, "nodes": [{"id": "a"}, {"id": ["b", 1]}],\n'
    ' "links": [{"source": "a", "target": ["b", 1]}]}\n',
    "compose": "x-a: &a {depends_on: [db]}\nservices:\n  db:\n    image: x\n"
    "    healthcheck: {test: [CMD, x]}\n  web:\n    <<: *a\n"
    "    profiles: [p]\n    extends: {service: db}\n  job:\n    depends_on:\n      db: {condition: service_healthy}\n"
    "      web: {condition: service_completed_successfully, required: false}\n    ports: ['80:1']\n",
    "gitlab": "stages: [a, b]\nworkflow: {rules: [{if: $CI_COMMIT_BRANCH}]}\n.t: &t\n  script: [x]\n"
    "  rules:\n    - if: '$X =~ /^a|b$/ && ($Y != null)'\n"
    "      changes: [src/**/*]\none: {<<: *t, stage: a, parallel: {matrix: [{A: [1, 2]}]}}\ntwo:\n"
    "  extends: .t\n  stage: b\n"
    "  needs: [one, {job: three, optional: true}]\nthree: {script: x, only: [tags, /^v/], except: {variables: [$Z]}}\n"
    "four: {script: x, rules: [!reference [.t, rules]], resource_group: $R, when: manual}\n",
    "github": "on: [push, pull_request]\njobs:\n  a: {runs-on: x, steps: [{run: x}]}\n  b:\n"
    "    needs: [a]\n    if: github.ref == 'x' && !failure()\n"
    "    runs-on: x\n    concurrency: g-${{ github.ref }}\n    steps:\n      - run: echo ${{ needs.a.outputs.x }}\n",
    "airflow": '{"__version": 3, "dag": {"dag_id": "d", "tasks": [\n'
    ' {"__type": "operator", "__var": {"task_id": "a", "task_type": "BranchOperator",\n'
    ' "downstream_task_ids": ["b"]}},\n'
    ' {"__type": "operator", "__var": {"task_id": "b", "trigger_rule": "one_failed", "retries": 2}}]}}\n',
    "argo": "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nspec:\n  entrypoint: m\n  templates:\n"
    "  - {name: w, container: {image: x}}\n"
    "  - name: m\n    synchronization: {mutex: {name: x}}\n    dag:\n      tasks:\n      - {name: a, template: w}\n"
    "      - {name: b, template: m, depends: 'a.Failed || !(a.Skipped)',\n"
    "         when: '{{tasks.a.outputs.result}} == x', withItems: [1]}\n",
    "tekton": "apiVersion: tekton.dev/v1\nkind: Pipeline\nspec:\n  tasks:\n"
    "  - {name: a, taskRef: {name: t}}\n  - name: b\n    runAfter: [a]\n"
    "    when: [{input: $(tasks.a.results.x), operator: in, values: [y]}]\n    taskRef: {name: t}\n"
    "  finally:\n  - {name: c, taskRef: {name: t}}\n",
    "asl": '{"StartAt": "A", "States": {"A": {"Type": "Choice",\n'
    ' "Choices": [{"Variable": "$.x", "NumericLessThan": 5, "Next": "B"}], "Default": "C"},\n'
    ' "B": {"Type": "Parallel",\n'
    ' "Branches": [{"StartAt": "X", "States": {"X": {"Type": "Pass", "End": true}}}], "Next": "A"},\n'
    ' "C": {"Type": "Succeed"}}}\n',
    "systemd": "[Unit]\nAfter=a.service b.target \\\n  c.mount\nRequires=a.service\n"
    "Conflicts=d.service\n[Service]\nExecStart=/x\n[Install]\nWantedBy=m.target\n",
}
_STREWN = (
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    ":",
    "- ",
    "\t",
    "&a ",
    "*a",
    "<<: *a",
    "!x ",
    "? ",
    "\\",
    "# ",
    "--- ",
    "$(",
    "${{",
    "null",
    "0x",
    "1e999",
    "\u2028",
    "é",
    "true",
    "~",
    "|\n",
    ">-\n",
    "%",
    "@",
    "`",
    "(",
    ")",
    "->",
    ";",
    "=",
    "\r",
)


def hostile(source: random.Random, format: str) -> str:
    """A text of this format, changed one to six times."""
    text = SEEDS[format]
    for _ in range(source.choice((1, 1, 1, 2, 3, 6))):
        text = source.choice(_CHANGES)(source, text) or text
        if len(text) > 200_000:
            break
    return text


def _cut(source: random.Random, text: str) -> str:
    return text[: source.randrange(len(text) + 1)]


def _strew(source: random.Random, text: str) -> str:
    at = source.randrange(len(text) + 1)
    return text[:at] + source.choice(_STREWN) * source.choice((1, 1, 1, 2, 120)) + text[at:]


def _lines(source: random.Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if not lines:
        return text
    one, other = source.randrange(len(lines)), source.randrange(len(lines))
    match source.randrange(4):
        case 0:
            lines[one], lines[other] = lines[other], lines[one]
        case 1:
            lines.insert(other, lines[one])
        case 2:
            del lines[one]
        case _:
            lines[one] = source.choice(("  ", " ", "")) + lines[one].lstrip(" ")
    return "".join(lines)


def _words(source: random.Random, text: str) -> str:
    """A word of this text, or of another seed, in the place of another one."""
    words = text.split(" ")
    place = source.randrange(len(words))
    words[place] = source.choice(source.choice(list(SEEDS.values())).split(" "))
    return " ".join(words)


def _nest(source: random.Random, text: str) -> str:
    at = source.randrange(len(text) + 1)
    depth = source.choice((3, 60, 5000))
    opened, closed = source.choice((("[", "]"), ("{a: ", "}"), ('{"a": ', "}"), ("(", ")")))
    return text[:at] + opened * depth + closed * source.choice((0, depth)) + text[at:]


def _bomb(source: random.Random, text: str) -> str:
    rows = "".join(f"x{n}: &x{n} [*x{n - 1}, *x{n - 1}, *x{n - 1}]\n" for n in range(1, source.choice((5, 40))))
    return "x0: &x0 {a: b}\n" + rows + text


_CHANGES = (_cut, _strew, _strew, _lines, _lines, _lines, _words, _words, _nest, _bomb)


def run(count: int, seed: int, slowest: float) -> dict[str, int]:
    """Judge so many texts; how many ended how. Raises AssertionError for a slow one, and lets any traceback through."""
    source = random.Random(seed)
    ended: dict[str, int] = {}
    for number in range(count):
        format = source.choice(list(SEEDS))
        text = hostile(source, format)
        began = time.process_time()
        try:
            word = hocket.verify(text + "\n", format=source.choice((format, format, None))).verdict
        except SourceError:
            word = "refused"
        except Exception:
            print(f"text {number} of seed {seed}, format {format}:\n{text[:3000]}", file=sys.stderr)
            raise
        took = time.process_time() - began
        assert took < slowest, f"text {number} of seed {seed} ({format}) took {took:.1f} s:\n{text[:2000]}"
        ended[word] = ended.get(word, 0) + 1
    return ended


if __name__ == "__main__":
    assert set(SEEDS) <= set(FORMATS)
    ended = run(int(sys.argv[1]), int(sys.argv[2]), 30.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{sum(ended.values())} texts: {ended}; peak memory {peak} MB")
