"""Airflow DAGs: serialized as JSON (as in its database, or by `DagSerialization.to_dict`), or live objects.

A live DAG is anything with a `task_dict` of tasks that know their
`downstream_task_ids` and `trigger_rule`: Airflow itself is never imported here, and
any version of it will do. Python files with DAGs are not run and not parsed: give
`module:dag`, which imports what you name, or the serialized form.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from datetime import timedelta
from enum import Enum
from typing import Any

from hocket.errors import SourceError
from hocket.verify.findings import Finding
from hocket.verify.model import NOWHERE, Span, Timing
from hocket.verify.readers import Reading
from hocket.verify.readers.airflow_rules import Dag, Step, graph_of
from hocket.verify.readers.entries import describe, duplicates, entries, flag, items, number, text
from hocket.verify.readers.outline import outline, tree
from hocket.verify.source import Source
from hocket.verify.yaml_tree import Mapping, Node, Scalar

__all__ = ["Airflow"]


class Airflow:
    """The reader of serialized and live DAGs."""

    def sniff(self, source: object) -> bool:
        if not isinstance(source, Source):
            return isinstance(getattr(source, "task_dict", None), AnyMapping)
        return outline(source).json and outline(source).keys >= {"__version", "dag"}

    def read(self, source: object) -> Reading:
        if not isinstance(source, Source):
            graph, found = graph_of(_live(source), "")
            return Reading(graph, tuple(found))
        root = tree(source)
        found = list(duplicates(root))
        dag = _serialized(root, source, found)
        graph, more = graph_of(dag, source.path)
        return Reading(graph, tuple(found + more), {source.path: source})


# -- serialized -------------------------------------------------------------------------------------------------------


def _plain(node: Node | None) -> Node | None:
    """What `{"__type": …, "__var": x}` wraps."""
    if isinstance(node, Mapping) and "__var" in node.entries and "__type" in node.entries:
        return node.get("__var")
    return node


def _serialized(root: Node, source: Source, found: list[Finding]) -> Dag:
    body = _plain(root.get("dag") if isinstance(root, Mapping) and "dag" in root.entries else root)
    tasks = body.get("tasks") if isinstance(body, Mapping) else None
    if tasks is None or not isinstance(body, Mapping) or isinstance(tasks, Scalar):
        place = (source.path, root.span.line, root.span.column)
        raise SourceError(f"this is no serialized DAG but {describe(root)}", *place, cure="it has 'dag' and 'tasks'")
    parallel = number(body.get("max_active_tasks"))
    dag = Dag(text(body.get("dag_id") or body.get("_dag_id")), parallel=int(parallel) if parallel else None)
    for one in items(tasks):
        fields = _plain(one)
        if not isinstance(fields, Mapping) or not isinstance(named := fields.get("task_id"), Scalar):
            found.append(Finding("G008", "a task without 'task_id'", one.span))
        elif named.text in dag.steps:
            found.append(Finding("G003", f"task {named.text!r} is defined twice", named.span))
        else:
            dag.steps[named.text] = _step(named, fields)
    return dag


def _step(named: Scalar, fields: Mapping) -> Step:
    """A task; what a mapped task passes to each of its copies stands in `partial_kwargs`."""
    partial = _plain(fields.get("partial_kwargs"))

    def get(key: str) -> Node | None:
        return _plain(fields.get(key) or (entries(partial)[key].value if key in entries(partial) else None))

    rule = get("trigger_rule")
    kind = text(get("task_type") or get("_task_type"))
    behind = {one.text: one.span for one in items(_plain(fields.get("downstream_task_ids"))) if isinstance(one, Scalar)}
    return Step(
        named.text,
        named.span,
        behind,
        text(rule) or "all_success",
        rule.span if rule is not None else NOWHERE,
        kind,
        skips=flag(get("_can_skip_downstream")) or _is_branch(kind),
        setup=flag(get("is_setup")),
        teardown=flag(get("is_teardown")),
        empty=flag(get("_is_empty")),
        mapped=flag(get("_is_mapped")),
        deep=_said(get("ignore_downstream_trigger_rules")),
        timing=_timing(get("execution_timeout"), get("retries"), get("retry_delay")),
    )


def _said(node: Node | None) -> bool | None:
    return None if node is None else flag(node)


def _is_branch(kind: str) -> bool:
    return "Branch" in kind or "ShortCircuit" in kind or kind == "LatestOnlyOperator"


def _seconds(node: Node | None) -> float:
    return number(_plain(node)) or 0.0


def _timing(limit: Node | None, retries: Node | None, delay: Node | None) -> Timing:
    seconds, count = _seconds(limit), number(retries) or 0.0
    if not seconds and not count:
        return Timing()
    where = limit if limit is not None else retries
    span = where.span if where is not None else NOWHERE
    return Timing(timeout=seconds or float("inf"), retries=int(count), delay=_seconds(delay), span=span)


# -- live -------------------------------------------------------------------------------------------------------------


def _live(source: Any) -> Dag:
    parallel = getattr(source, "max_active_tasks", None)
    dag = Dag(str(getattr(source, "dag_id", "")), parallel=parallel if isinstance(parallel, int) else None)
    for name, task in source.task_dict.items():
        dag.steps[_word(name)] = _live_step(_word(name), task)
    return dag


def _word(name: Any) -> str:
    """A name as Airflow writes it, also where somebody named a task by a member of an enumeration."""
    return str(name.value if isinstance(name, Enum) else name)


def _live_step(name: str, task: Any) -> Step:
    kind = str(getattr(task, "task_type", type(task).__name__))
    rule = getattr(task, "trigger_rule", "all_success")
    behind: dict[str, Span] = dict.fromkeys(sorted(map(_word, getattr(task, "downstream_task_ids", ()))), NOWHERE)
    limit, retries = getattr(task, "execution_timeout", None), getattr(task, "retries", 0)
    delay = getattr(task, "retry_delay", None)
    skips = getattr(task, "_can_skip_downstream", getattr(task, "inherits_from_skipmixin", False))
    return Step(
        name,
        NOWHERE,
        behind,
        _word(rule),
        kind=kind,
        skips=skips is True or _is_branch(kind),
        setup=getattr(task, "is_setup", False) is True,
        teardown=getattr(task, "is_teardown", False) is True,
        empty=getattr(task, "inherits_from_empty_operator", kind in ("EmptyOperator", "DummyOperator")) is True,
        mapped=getattr(task, "is_mapped", False) is True,
        deep=getattr(task, "ignore_downstream_trigger_rules", None),
        timing=Timing(
            timeout=limit.total_seconds() if isinstance(limit, timedelta) else float("inf"),
            retries=retries if isinstance(retries, int) else 0,
            delay=delay.total_seconds() if isinstance(delay, timedelta) and retries else 0.0,
        ),
    )
