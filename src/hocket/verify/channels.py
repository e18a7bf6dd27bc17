"""Tasks that wait for each other over channels that are full or empty (G024).

What is sent to a full channel waits until somebody receives, and what is received
from an empty one until somebody sends. Starting and ending only ever let more happen,
so they are done at once; what is left to chance is which of the possible transfers
comes first. All of these orders are gone through on the interpreter itself, state by
state, within a bound; the run that stops is what is shown. Where each channel has one
sender and one receiver the order does not matter (Kahn 1974), and one run decides.

Gone through is the configuration in which everything runs and succeeds. In a graph
with conditions that is not all there is, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace

from hocket.verify.budget import UNLIMITED, Budget
from hocket.verify.findings import Finding, Note, undecided
from hocket.verify.formula import Outcome
from hocket.verify.model import Graph, Task, Way
from hocket.verify.replay import Did, Event, Mismatch, Run, Story, default_value, replay
from hocket.verify.smt import slice_of

__all__ = ["MOST_STATES", "channel_findings", "never_stops"]

MOST_STATES = 20_000


def channel_findings(graph: Graph, budget: Budget = UNLIMITED) -> Iterator[Finding]:
    """The run that stops because of channels, or that none was found and not all was looked at."""
    if not graph.uses("transfers"):
        return
    users = [task for task in graph.tasks.values() if task.transfers]
    run, whole = _search(graph, budget)
    span = users[0].transfers[0].span if users[0].transfers[0].span.line else users[0].span
    if run is not None:
        yield _stopped(graph, run)
    elif not whole:
        reason = budget.is_over or f"more than {MOST_STATES} states"
        yield undecided("whether tasks can wait for each other over channels", reason, span)
    elif graph.conditional:
        reason = "only the configuration in which everything runs was looked at"
        yield undecided("whether tasks can wait for each other over channels", reason, span)


def never_stops(graph: Graph) -> bool:
    """Whether no order of the transfers makes the run stop; for the audit."""
    return _search(graph) == (None, True)


def _search(graph: Graph, budget: Budget = UNLIMITED) -> tuple[Run | None, bool]:
    """(a run that stops, whether everything was looked at)."""
    graph = _bare(graph)
    values = {name: default_value(variable) for name, variable in graph.variables.items()}
    try:
        first = Story(graph, values)
    except Mismatch:
        return None, True
    one_each = _is_determinate(graph)
    waiting: list[tuple[Story, tuple[Event, ...]]] = [_settled(first, ())]
    seen: set[object] = set()
    while waiting:
        story, events = waiting.pop()
        steps = _steps(story)
        if not steps and len(story.closed) < len(graph.tasks):
            stuck = next(name for name in graph.tasks if name in story.opened or name not in story.closed)
            run = Run(values, (*events, Event(Did.STUCK, stuck)))
            replay(graph, run)
            return run, True
        for step in steps[:1] if one_each else steps:
            after, more = _settled(_taken(story, step), (*events, step))
            key = (frozenset(after.closed), tuple(sorted(after.moved.items())), tuple(sorted(after.filled.items())))
            if key not in seen:
                seen.add(key)
                waiting.append((after, more))
        if len(seen) > MOST_STATES or not budget.left:
            return None, False
    return None, True


def _bare(graph: Graph) -> Graph:
    """The part of the graph that transfers depend on, without resources: those are another question."""
    users = [name for name, task in graph.tasks.items() if task.transfers]
    tasks = {name: replace(task, holds=()) for name, task in slice_of(graph, users).items()}
    return replace(graph, holds=(), tasks=tasks)


def _is_determinate(graph: Graph) -> bool:
    ends = [(step.channel, step.way, task.name) for task in graph.tasks.values() for step in task.transfers]
    return len(set(ends)) == len({(channel, way) for channel, way, _ in ends})


def _steps(story: Story) -> list[Event]:
    steps = (story.transfer(story.graph.tasks[name]) for name in story.opened)
    return [step for step in steps if step is not None and story.can_move(step)]


def _taken(story: Story, step: Event) -> Story:
    after = copy(story)
    after.opened, after.closed, after.ran = dict(story.opened), dict(story.closed), set(story.ran)
    after.ready, after.moved, after.filled = set(story.ready), dict(story.moved), dict(story.filled)
    after.take(step)
    return after


def _settled(story: Story, events: tuple[Event, ...]) -> tuple[Story, tuple[Event, ...]]:
    """Everything done that only lets more happen: whoever can start, be passed over or end."""
    moved = True
    while moved:
        moved = False
        for name, task in story.graph.tasks.items():
            for event in _free(story, name, task):
                story.take(event)
                events = (*events, event)
                moved = True
    return story, events


def _free(story: Story, name: str, task: Task) -> Iterator[Event]:
    if name in story.opened:
        if story.can_end(task):
            choices = story.outcomes(task)
            usual = Outcome.SUCCEEDED if Outcome.SUCCEEDED in choices else min(choices, key=lambda way: way.value)
            yield Event(Did.ENDED, name, usual)
    elif name not in story.closed and story.its_turn(task):
        if not story.may_run(task):
            yield Event(Did.PASSED, name, story.passed_outcomes(task)[0])
            return
        yield Event(Did.STARTED, name)
        if task.ready:
            yield Event(Did.READY, name)


def _stopped(graph: Graph, run: Run) -> Finding:
    """Who waits for which channel, read off the end of the run."""
    story = replay(_bare(graph), run)
    steps = ((graph.tasks[name], story.transfer(graph.tasks[name])) for name in story.opened)
    waits = [(task, step) for task, step in steps if step is not None]
    notes, told = [], []
    for task, step in waits[:6]:
        full = step.did is Did.SENT
        why = "is full" if full else "is empty"
        told.append(f"{task.name!r} {'sends to' if full else 'receives from'} {step.channel!r}, which {why}")
        way = Way.SEND if full else Way.RECEIVE
        span = next((one.span for one in task.transfers if one.channel == step.channel and one.way is way), task.span)
        notes.append(Note(span if span.line else task.span, f"{task.name!r} waits here"))
    message = f"these tasks can wait for ever: {'; '.join(told)}"
    span = notes[0].span if notes else next(iter(graph.tasks.values())).span
    return Finding("G024", message, span, tuple(notes), run, about=tuple(task.name for task, _ in waits))
