"""Faults planted into graphs of others: `python -m tests.plant_faults FOLDER… [--most 50]`; the seeds run in the suite.

Every file below the folders that is read without an error gets each fault that its
format can express, one at a time: a cycle, an undefined need, branches that can never
join, a condition that contradicts itself, a group or pool that nobody can leave. The
fault has to be found, with its code, at the line that was planted; a file that had an
error before is passed by. A plant is a row: what it changes in the text, by the
places in the tree, and what has to be said of which of its lines.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hocket.errors import SourceError
from hocket.verify.findings import Report
from hocket.verify.judge import judge, read_graph
from hocket.verify.readers import FORMATS, sniffed
from hocket.verify.readers.entries import entries, items, text
from hocket.verify.readers.outline import tree
from hocket.verify.source import Source, read
from hocket.verify.yaml_tree import Entry, Mapping, Scalar, Sequence, documents

MARK = "zz"  # in every name that is planted


@dataclass(frozen=True)
class Planted:
    """A text with a fault in it, and the lines of which one has to be named with one of the codes."""

    text: str
    lines: frozenset[int]
    codes: frozenset[str]


Plant = Callable[[Source], Planted | None]


# -- texts ------------------------------------------------------------------------------------------------------------


def inserted(source: Source, line: int, added: list[str], codes: str, at: int | None = None) -> Planted:
    """The text with some lines put in before that line; the fault is in the one at `at` of them, or in any."""
    lines = list(source.lines)
    lines[line - 1 : line - 1] = added
    where = range(line, line + len(added)) if at is None else (line + at,)
    return Planted("\n".join(lines) + "\n", frozenset(where), frozenset(codes.split()))


def appended(source: Source, added: list[str], codes: str, at: int | None = None) -> Planted:
    return inserted(source, len(source.lines) + 1, added, codes, at)


def block(entry: Entry) -> tuple[int, str] | None:
    """Line and indentation of the first key of a mapping that is written key below key; None if it is not."""
    node = entry.value
    if not isinstance(node, Mapping) or not node.entries or "<<" in node.entries:
        return None
    first = next(iter(node.entries.values())).key.span
    # anchors and flowing mappings stand on the line of their key
    return (first.line, " " * (first.column - 1)) if first.line > entry.key.span.line else None


def bodies(holder: Mapping | None, without: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """Entries of a mapping, written key below key, that lack these keys: name, line and indentation."""
    for name, entry in holder.entries.items() if isinstance(holder, Mapping) else ():
        place = block(entry)
        if place is not None and not set(without) & entries(entry.value).keys():
            yield name, *place


def listed(holder: object, without: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    """Items of a list, written key below key after `- `, that have a name and lack these keys."""
    for one in items(holder) if isinstance(holder, Sequence) else ():
        keys = list(entries(one).values())
        plain = len(keys) > 1 and keys[1].key.span.line > keys[0].key.span.line and isinstance(keys[0].value, Scalar)
        if plain and not set(without) & entries(one).keys() and text(entries(one).get("name", keys[0]).value):
            yield text(entries(one).get("name", keys[0]).value), keys[0].key.span.line + 1, " " * (
                keys[0].key.span.column - 1
            )


def needed_by(source: Source, format: str) -> dict[str, list[str]]:
    """Who comes directly after each task, by what was read."""
    graph = read_graph(source, format).graph
    found: dict[str, list[str]] = {}
    for task in graph.tasks.values():
        for edge in task.edges:
            found.setdefault(edge.before, []).append(task.name)
    return found


def single(source: Source) -> Mapping:
    root = tree(source)
    assert isinstance(root, Mapping)
    return root


# -- GitHub and GitLab ------------------------------------------------------------------------------------------------


def jobs_of(source: Source) -> Mapping:
    root = single(source)
    jobs = root.get("jobs")
    return jobs if isinstance(jobs, Mapping) else Mapping(root.span)


def github_cycle(source: Source) -> Planted | None:
    after = needed_by(source, "github")
    for name, line, indent in bodies(jobs_of(source), ("needs",)):
        if after.get(name):
            return inserted(source, line, [f"{indent}needs: [{after[name][0]}]"], "G001")
    return None


def github_key(line_of: str, codes: str) -> Plant:
    def plant(source: Source) -> Planted | None:
        for _, line, indent in bodies(jobs_of(source), (line_of.partition(":")[0], "uses")):
            return inserted(source, line, [indent + line_of], codes)
        return None

    return plant


def github_join(source: Source) -> Planted | None:
    jobs = jobs_of(source)
    if not jobs.entries or jobs.span.line == 0:
        return None
    indent = " " * (next(iter(jobs.entries.values())).key.span.column - 1)
    if block(next(iter(jobs.entries.values()))) is None or list(single(source).entries)[-1] != "jobs":
        return None
    body = [f"{indent}  runs-on: x", f"{indent}  steps: [{{run: x}}]"]
    added = [
        f"{indent}zz-a:", f"{indent}  if: github.ref == 'refs/heads/a'", *body,
        f"{indent}zz-b:", f"{indent}  if: github.ref != 'refs/heads/a'", *body,
        f"{indent}zz-join:", f"{indent}  needs: [zz-a, zz-b]", *body,
    ]  # fmt: skip
    return appended(source, added, "G015", 8)


def github_group(source: Source) -> Planted | None:
    root = single(source)
    if "concurrency" in root.entries:
        return None
    for _, line, indent in bodies(jobs_of(source), ("concurrency", "if")):
        planted = inserted(source, line, [f"{indent}concurrency: zz-lock"], "G006")
        first = root.entries["jobs"].key.span.line
        lines = planted.text.splitlines()
        lines[first - 1 : first - 1] = ["concurrency: zz-lock"]
        return Planted("\n".join(lines) + "\n", frozenset({line + 1}), planted.codes)
    return None


def gitlab_jobs(source: Source, without: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    graph = read_graph(source, "gitlab").graph
    here = {task.name for task in graph.tasks.values() if task.span.path == source.path}
    mine = documents(source)[-1]
    for name, line, indent in bodies(mine if isinstance(mine, Mapping) else None, without):
        if name in here:
            yield name, line, indent


def gitlab_cycle(source: Source) -> Planted | None:
    after = needed_by(source, "gitlab")
    for name, line, indent in gitlab_jobs(source, ("needs", "extends")):
        if after.get(name):
            return inserted(source, line, [f"{indent}needs: ['{after[name][0]}']"], "G001 G030")
    return None


def gitlab_key(line_of: str, codes: str, without: tuple[str, ...]) -> Plant:
    def plant(source: Source) -> Planted | None:
        for _, line, indent in gitlab_jobs(source, without):
            return inserted(source, line, [indent + line_of], codes)
        return None

    return plant


def gitlab_join(source: Source) -> Planted | None:
    if next(gitlab_jobs(source, ()), None) is None:
        return None
    added = [
        "zz-a: {stage: .pre, script: x, rules: [{if: '$CI_COMMIT_BRANCH == \"a\"'}]}",
        "zz-b: {stage: .pre, script: x, rules: [{if: '$CI_COMMIT_BRANCH && $CI_COMMIT_BRANCH != \"a\"'}]}",
        "zz-join: {stage: .post, script: x, needs: [zz-a, zz-b], rules: [{if: $CI_COMMIT_BRANCH}]}",
    ]
    return appended(source, added, "G013 G015", 2)


# -- compose ----------------------------------------------------------------------------------------------------------


def services(source: Source, without: tuple[str, ...]) -> Iterator[tuple[str, int, str]]:
    holder = single(source).get("services")
    return bodies(holder if isinstance(holder, Mapping) else None, (*without, "extends"))


def compose_cycle(source: Source) -> Planted | None:
    after = needed_by(source, "compose")
    for name, line, indent in services(source, ("depends_on",)):
        if after.get(name):
            return inserted(source, line, [f"{indent}depends_on: [{after[name][0]}]"], "G001")
    return None


def compose_undefined(source: Source) -> Planted | None:
    for _, line, indent in services(source, ("depends_on",)):
        return inserted(source, line, [f"{indent}depends_on: [zz-nobody]"], "G002")
    return None


def compose_services(first: str, second: str, codes: str) -> Plant:
    """Two services at the end, of which the second is wrong."""

    def plant(source: Source) -> Planted | None:
        root = single(source)
        if next(services(source, ()), None) is None or list(root.entries)[-1] != "services":
            return None
        indent = " " * (next(iter(entries(root.get("services")).values())).key.span.column - 1)
        return appended(source, [indent + first, indent + second], codes, 1)

    return plant


# -- Argo and Tekton --------------------------------------------------------------------------------------------------


def dag_tasks(source: Source, without: tuple[str, ...]) -> Iterator[tuple[str, int, str, Sequence]]:
    for root in documents(source):
        if "kind" not in entries(root) or "Workflow" not in text(entries(root)["kind"].value):
            continue
        spec = entries(root)["spec"].value if "spec" in entries(root) else None
        inner = entries(spec)["workflowSpec"].value if "workflowSpec" in entries(spec) else spec
        for template in items(entries(inner)["templates"].value if "templates" in entries(inner) else None):
            dag = entries(template)["dag"].value if "dag" in entries(template) else None
            tasks = entries(dag)["tasks"].value if "tasks" in entries(dag) else None
            if isinstance(tasks, Sequence):
                for row in listed(tasks, without):
                    yield *row, tasks


def pipeline_tasks(source: Source, without: tuple[str, ...]) -> Iterator[tuple[str, int, str, Sequence]]:
    for root in documents(source):
        if "kind" not in entries(root) or text(entries(root)["kind"].value) not in ("Pipeline", "PipelineRun"):
            continue
        spec = entries(root)["spec"].value if "spec" in entries(root) else None
        inner = entries(spec)["pipelineSpec"].value if "pipelineSpec" in entries(spec) else spec
        tasks = entries(inner)["tasks"].value if "tasks" in entries(inner) else None
        if isinstance(tasks, Sequence):
            for row in listed(tasks, without):
                yield *row, tasks


Rows = Callable[[Source, tuple[str, ...]], Iterator[tuple[str, int, str, Sequence]]]


def listed_cycle(rows: Rows, key: str, without: tuple[str, ...]) -> Plant:
    """A task waits for one that waits for it."""

    def plant(source: Source) -> Planted | None:
        for name, line, indent, tasks in rows(source, without):
            for other in items(tasks):
                waits = entries(other)[key].value if key in entries(other) else None
                if name in (text(one) for one in items(waits)):
                    after = text(entries(other)["name"].value)
                    return inserted(source, line, [f"{indent}{key}: ['{after}']"], "G001")
        return None

    return plant


def listed_key(rows: Rows, line_of: str, codes: str, without: tuple[str, ...]) -> Plant:
    def plant(source: Source) -> Planted | None:
        for _, line, indent, _ in rows(source, without):
            return inserted(source, line, [indent + line_of], codes)
        return None

    return plant


def listed_join(rows: Rows, a: str, b: str, join: str) -> Plant:
    """Two branches that exclude each other, and one who waits for both."""

    def plant(source: Source) -> Planted | None:
        for _, line, indent, _ in rows(source, ()):
            dash = indent[:-2] + "- "
            return inserted(source, line - 1, [dash + a, dash + b, dash + join], "G015 G004", 2)
        return None

    return plant


_ARGO = ("dependencies", "depends", "when", "withItems", "withParam", "withSequence")
_BODY = "inline: {container: {image: x}}"
_TASK = "taskSpec: {steps: [{image: x}]}"


def tekton_when(value: str) -> str:
    return f"{{input: $(params.zz), operator: in, values: [{value}]}}"


# -- Step Functions ---------------------------------------------------------------------------------------------------


def _states(source: Source) -> Iterator[tuple[str, Mapping]]:
    states = single(source).get("States")
    for name, entry in states.entries.items() if isinstance(states, Mapping) else ():
        if isinstance(entry.value, Mapping):
            yield name, entry.value


def _put(source: Source, scalar: Scalar, word: str) -> tuple[str, int]:
    """The text with another word in the place of this scalar."""
    lines = list(source.lines)
    span = scalar.span
    line = lines[span.line - 1]
    quote = "" if scalar.plain else line[span.column - 1]
    lines[span.line - 1] = line[: span.column - 1] + quote + word + quote + line[span.end_column - 1 :]
    return "\n".join(lines) + "\n", span.line


def asl_undefined(source: Source) -> Planted | None:
    for _, state in _states(source):
        after = state.get("Next")
        if isinstance(after, Scalar):
            changed, line = _put(source, after, "zz nobody")
            return Planted(changed, frozenset({line}), frozenset({"G002"}))
    return None


def asl_endless(source: Source) -> Planted | None:
    """The first state goes to itself, and nobody ever ends."""
    first = text(single(source).get("StartAt"))
    for name, state in _states(source):
        after = state.get("Next")
        plain = text(state.get("Type")) in ("Pass", "Task", "Wait") and not state.entries.keys() & {"Catch", "End"}
        if name == first and plain and isinstance(after, Scalar):
            changed, _ = _put(source, after, name)
            states = single(source).get("States")
            assert isinstance(states, Mapping)
            return Planted(changed, frozenset({states.entries[name].key.span.line}), frozenset({"G035"}))
    return None


# -- systemd, DOT -----------------------------------------------------------------------------------------------------


def dot_cycle(source: Source) -> Planted | None:
    for task in read_graph(source, "dot").graph.tasks.values():
        for edge in task.edges:
            end = source.text.rstrip().rfind("}")
            begin, quoted = source.text[:end], [f'"{one}"' for one in (task.name, edge.before)]
            if end < 0 or any("\\" in one or "\n" in one or one.count('"') > 2 for one in quoted):
                return None
            if "arrows=" in source.text or read_graph(source, "dot").graph.tasks[task.name].span.line < 2:
                return None
            line = begin.count("\n") + 2
            changed = f"{begin}\n{quoted[0]} -> {quoted[1]}\n{source.text[end:]}"
            return Planted(changed, frozenset({line}), frozenset({"G001"}))
    return None


PLANTS: dict[str, dict[str, Plant]] = {
    "github": {
        "cycle": github_cycle,
        "undefined need": github_key("needs: [zz-nobody]", "G002"),
        "contradictory condition": github_key("if: github.ref == 'a' && github.ref == 'b'", "G004"),
        "branches that never join": github_join,
        "group that nobody can leave": github_group,
    },
    "gitlab": {
        "cycle": gitlab_cycle,
        "undefined need": gitlab_key("needs: [zz-nobody]", "G002", ("needs",)),
        "contradictory condition": gitlab_key(
            "rules: [{if: '$CI_COMMIT_BRANCH == \"a\" && $CI_COMMIT_BRANCH == \"b\"'}]", "G004 G033",
            ("rules", "only", "except", "extends", "needs"),
        ),
        "branches that never join": gitlab_join,
    },
    "compose": {
        "cycle": compose_cycle,
        "undefined need": compose_undefined,
        "branches that never join": compose_services(
            "zz-ever: {image: x, restart: always}",
            "zz-join: {image: x, depends_on: {zz-ever: {condition: service_completed_successfully}}}", "G032",
        ),
        "contradictory condition": compose_services(
            "zz-some: {image: x, profiles: [zz]}", "zz-all: {image: x, depends_on: [zz-some]}", "G013"
        ),
    },
    "argo": {
        "cycle": listed_cycle(dag_tasks, "dependencies", _ARGO),
        "undefined need": listed_key(dag_tasks, "dependencies: [zz-nobody]", "G002", _ARGO),
        "contradictory condition": listed_key(
            dag_tasks, "when: '{{workflow.parameters.zz}} == a && {{workflow.parameters.zz}} == b'", "G004", _ARGO
        ),
        "branches that never join": listed_join(
            dag_tasks,
            f"{{name: zz-a, {_BODY}, when: '{{{{workflow.parameters.zz}}}} == a'}}",
            f"{{name: zz-b, {_BODY}, when: '{{{{workflow.parameters.zz}}}} != a'}}",
            f"{{name: zz-join, {_BODY}, depends: zz-a.Succeeded && zz-b.Succeeded}}",
        ),
    },
    "tekton": {
        "cycle": listed_cycle(pipeline_tasks, "runAfter", ("runAfter",)),
        "undefined need": listed_key(pipeline_tasks, "runAfter: [zz-nobody]", "G002", ("runAfter",)),
        "contradictory condition": listed_key(
            pipeline_tasks, f"when: [{tekton_when('a')}, {tekton_when('b')}]", "G004", ("when",)
        ),
        "branches that never join": listed_join(
            pipeline_tasks,
            f"{{name: zz-a, {_TASK}, when: [{tekton_when('a')}]}}",
            f"{{name: zz-b, {_TASK}, when: [{tekton_when('b')}]}}",
            f"{{name: zz-join, {_TASK}, params: [{{name: x, value: $(tasks.zz-a.results.r)$(tasks.zz-b.results.r)}}]}}",
        ),
    },
    "asl": {"undefined need": asl_undefined, "cycle": asl_endless},
    "dot": {"cycle": dot_cycle},
}  # fmt: skip


# -- the run ----------------------------------------------------------------------------------------------------------


def is_found(report: Report, planted: Planted, path: str) -> bool:
    """Whether a finding of one of the codes names one of the lines, itself or in a note."""
    for finding in report.findings:
        places = {(finding.path, finding.line), *((note.span.path, note.span.line) for note in finding.notes)}
        if finding.code in planted.codes and any((path, line) in places for line in planted.lines):
            return True
    return False


def format_of(source: Source) -> str:
    reader = sniffed(source)
    return next((name for name, (_, made) in FORMATS.items() if type(reader).__name__ == made), "")


def faults(source: Source) -> Iterator[tuple[str, str, bool | None]]:
    """(format, fault, whether it was found) for each fault that can be planted; None where reading refuses the text."""
    format = format_of(source)
    plants = PLANTS.get(format, {})
    try:
        before = judge(source, format) if plants else None
    except SourceError:
        return
    if before is None or before.verdict != "holds":
        return
    partly = any(finding.code == "G091" for finding in before.findings)  # a name may be defined in what was not read
    for fault, plant in plants.items():
        planted = None if partly and fault == "undefined need" else plant(source)
        if planted is None:
            continue
        try:
            after = judge(replace(source, text=planted.text), format)
        except SourceError:
            yield format, fault, None
            continue
        yield format, fault, is_found(after, planted, source.path)


def files(folders: list[str]) -> Iterator[Source]:
    """Every text below the folders that may be a graph."""
    for folder in folders:
        for home, _, names in os.walk(folder):
            for name in sorted(names):
                if name.endswith((".yml", ".yaml", ".json", ".dot", ".gv")):
                    try:
                        yield read(os.path.join(home, name))
                    except SourceError:
                        continue


def main(arguments: list[str]) -> int:
    """Plant, and tell how often each fault of each format was found; the exit code is 1 if one was missed."""
    most = int(arguments[arguments.index("--most") + 1]) if "--most" in arguments else 10**9
    folders = [one for one in arguments if not one.startswith("--") and one != str(most)]
    counts: Counter[tuple[str, str, bool | None]] = Counter()
    tried: Counter[str] = Counter()
    for source in files(folders):
        if tried[format_of(source)] >= most:
            continue
        for format, fault, found in faults(source):
            counts[format, fault, found] += 1
            tried[format] += fault == next(iter(PLANTS[format]))
            if found is False:
                print(f"missed: {fault} in {source.path}")
    for format, fault in sorted({(format, fault) for format, fault, _ in counts}):
        found, missed, refused = (counts[format, fault, one] for one in (True, False, None))
        print(f"{format:8} {fault:28} found {found:5} missed {missed:3} refused {refused:3}")
    return int(any(found is False for _, _, found in counts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
