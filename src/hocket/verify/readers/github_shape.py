"""What may stand where in a GitHub workflow: tables of keys, and the findings for what does not belong.

The tables follow GitHub's own schema (actions/languageservices,
`workflow-parser/src/workflow-v1.0.json`, August 2026). An unknown key makes
GitHub refuse the whole file, which people learn only after the push.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hocket.verify.findings import Finding
from hocket.verify.model import Span
from hocket.verify.readers.entries import describe, did_you_mean, duplicate, duplicates, unknown_keys
from hocket.verify.yaml_tree import Mapping, Node, Scalar, Sequence

__all__ = [
    "EVENTS",
    "events_of",
    "job_problems",
    "workflow_problems",
]

_WORKFLOW = frozenset(
    {"on", "name", "description", "run-name", "defaults", "env", "permissions", "concurrency", "jobs"}
)
_CALL = frozenset({"name", "uses", "with", "secrets", "needs", "if", "permissions", "concurrency", "strategy"})
_JOB = frozenset(
    {
        "needs", "if", "strategy", "name", "runs-on", "timeout-minutes", "cancel-timeout-minutes", "continue-on-error",
        "container", "services", "env", "environment", "permissions", "concurrency", "outputs", "defaults", "steps",
        "snapshot",
    }
)  # fmt: skip
_STEP = frozenset(
    {
        "name", "id", "if", "continue-on-error", "timeout-minutes", "uses", "with", "env", "run", "working-directory",
        "shell", "background", "wait", "wait-all", "cancel", "parallel",
    }
)  # fmt: skip
_STRATEGY = frozenset({"fail-fast", "max-parallel", "matrix"})
_CONCURRENCY = frozenset({"group", "cancel-in-progress", "queue"})

EVENTS = frozenset(
    {
        "branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment", "deployment_status",
        "discussion", "discussion_comment", "fork", "gollum", "image_version", "issue_comment", "issues", "label",
        "merge_group", "milestone", "page_build", "project", "project_card", "project_column", "public",
        "pull_request", "pull_request_comment", "pull_request_review", "pull_request_review_comment",
        "pull_request_target", "push", "registry_package", "release", "repository_dispatch", "schedule", "status",
        "watch", "workflow_call", "workflow_dispatch", "workflow_run",
    }
)  # fmt: skip
_JOB_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


def workflow_problems(root: Mapping) -> Iterator[Finding]:
    """What is wrong at the top level of a workflow, and in its `on:`."""
    yield from duplicates(root)
    yield from unknown_keys(root, _WORKFLOW, "a workflow")
    if "on" not in root.entries:
        yield Finding(
            "G008", "the workflow has no 'on:', so nothing starts it", root.span, cure="say which events start it"
        )
    else:
        for name, span in events_of(root.get("on")):
            if name not in EVENTS:
                yield Finding(
                    "G008",
                    f"unknown event {name!r}",
                    span,
                    cure=did_you_mean(name, EVENTS, "see GitHub's list of events"),
                )
    yield from _concurrency(root)


def job_problems(name: Scalar, job: Node) -> Iterator[Finding]:
    """What is wrong with the shape of one job."""
    if not _JOB_ID.match(name.text):
        cure = "begin with a letter or _, go on with letters, digits, - and _"
        yield Finding("G008", f"{name.text!r} cannot be the id of a job", name.span, cure=cure)
    if not isinstance(job, Mapping):
        yield Finding(
            "G008",
            f"job {name.text!r} should be a mapping but is {describe(job)}",
            name.span,
            cure="indent its keys below it",
        )
        return
    calls = "uses" in job.entries
    yield from unknown_keys(
        job, _CALL if calls else _JOB, f"a job that {'calls a workflow' if calls else 'runs steps'}"
    )
    if not calls and "runs-on" not in job.entries:
        yield Finding(
            "G008", f"job {name.text!r} has neither 'runs-on' nor 'uses'", name.span, cure="say where it runs"
        )
    if not calls and "steps" not in job.entries:
        yield Finding("G008", f"job {name.text!r} has no 'steps'", name.span, cure="a job has at least one step")
    strategy = job.get("strategy")
    if isinstance(strategy, Mapping):
        yield from unknown_keys(strategy, _STRATEGY, "a strategy")
    yield from _concurrency(job)
    yield from _steps(name.text, job.get("steps"))


def events_of(node: Node | None) -> list[tuple[str, Span]]:
    """The events of an `on:`, each with its place."""
    match node:
        case Scalar():
            return [(node.text, node.span)]
        case Sequence():
            return [(item.text, item.span) for item in node.items if isinstance(item, Scalar)]
        case Mapping():
            return [(name, entry.key.span) for name, entry in node.entries.items()]
    return []


def _concurrency(holder: Mapping) -> Iterator[Finding]:
    node = holder.get("concurrency")
    if isinstance(node, Mapping):
        yield from unknown_keys(node, _CONCURRENCY, "concurrency")
        if "group" not in node.entries:
            yield Finding("G008", "concurrency without 'group'", node.span, cure="name the group")
    elif isinstance(node, Sequence):
        yield Finding("G008", "concurrency should be a name or a mapping, not a list", node.span)


def _steps(job: str, node: Node | None) -> Iterator[Finding]:
    if node is None:
        return
    if not isinstance(node, Sequence):
        yield Finding(
            "G008",
            f"the steps of {job!r} should be a list but are {describe(node)}",
            node.span,
            cure="begin each with '-'",
        )
        return
    ids: dict[str, Scalar] = {}
    for step in node.items:
        if not isinstance(step, Mapping):
            yield Finding(
                "G008",
                f"a step should be a mapping but is {describe(step)}",
                step.span,
                cure="write '- run: …' or '- uses: …'",
            )
            continue
        yield from unknown_keys(step, _STEP, "a step")
        if not step.entries.keys() & {"run", "uses", "wait", "wait-all", "cancel", "parallel"}:
            yield Finding("G008", "a step with neither 'run' nor 'uses'", step.span, cure="say what it does")
        own = step.get("id")
        if isinstance(own, Scalar):
            if own.text.lower() in ids:
                yield duplicate(ids[own.text.lower()], own)
            ids.setdefault(own.text.lower(), own)
