"""What it means to run a graph, without any scheduler.

A task opens, its body runs, it closes with an outcome. Everything else is about what
a task waits for (`after`, `inside`, `hold`), and what becomes of those who waited
for something that was lost. Which of the possible events comes next is nobody's
business here: a scheduler may choose, and may not add.

From the unified core of the seed systems (their section 7): open ≤ ran ≤ close;
after(b, a): close(a) < open(b); inside(c, p): open(p) < open(c); hold(p, c):
close(c) < close(p); outcomes and their propagation; policies per scope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from hocket.spec import (
    Function,
    Relation,
    Run,
    Sort,
    Spec,
    action,
    always,
    consequence,
    environment,
    exists,
    forall,
    initial,
    mistaken,
    sometimes,
)
from hocket.spec.machine import Machine
from hocket.spec.search import Found

OUTCOMES = ("finished", "failed", "skipped", "cancelled")
POLICIES = ("isolate", "fail_fast", "branch")


class Running(Spec):
    """Any graph of tasks, run once."""

    Task = Sort()
    Scope = Sort()  # tasks that share the consequences of a failure
    Outcome = Sort("Outcome", OUTCOMES)
    Policy = Sort("Policy", POLICIES)

    # the graph
    after = Relation(Task, Task, rigid=True)  # after[b, a]: b opens after a has closed
    inside = Relation(Task, Task, rigid=True)  # inside[c, p]: c opens after p has opened
    hold = Relation(Task, Task, rigid=True)  # hold[p, c]: p closes after c has closed; c is its child
    bodiless = Relation(Task, rigid=True)  # a fork or a join point
    scope = Function(Task, to=Scope, rigid=True)
    policy = Function(Scope, to=Policy, rigid=True)
    late = Relation(Task, rigid=True)  # its handle is given back only during the run
    may_fail = Relation(Task, rigid=True)  # its body may raise
    may_be_cancelled = Relation(Task, rigid=True)  # somebody may not want it any more

    # the run
    armed = Relation(Task)  # nothing can be added any more to what it waits for
    opened = Relation(Task)
    over = Relation(Task)  # its body is over
    raised = Relation(Task)  # ... and failed
    closed = Relation(Task)
    outcome = Function(Task, to=Outcome)  # of a closed task
    unwanted = Relation(Task)  # cancelled before it opened: by somebody, or by the failure of its scope
    stopped = Relation(Scope)  # by a failure, under fail_fast
    skipped = Relation(Task)  # it cannot open any more: what it waited for was lost

    @initial
    def nothing_has_happened(s):
        for part in (s.opened, s.over, s.raised, s.closed, s.unwanted, s.skipped):
            part.each(lambda t: False)
        s.outcome.each(lambda t: "finished")
        s.stopped.each(lambda x: False)
        s.armed.each(lambda t: ~s.late[t])

    # -- words

    def lost(s, t):
        return s.closed[t] & (s.outcome[t] != "finished")

    def barred(s, t):
        """It will never open."""
        return s.unwanted[t] | s.skipped[t]

    def settled(s, t):
        """All that it waits for has happened, or never will: its one gate is open."""
        return forall(
            s.Task,
            lambda u: (s.after[t, u] >> s.closed[u]) & (s.inside[t, u] >> (s.opened[u] | s.barred(u))),
        )

    def hurt(s, t):
        """Something that it waited for was lost."""
        return exists(s.Task, lambda u: (s.after[t, u] & s.lost(u)) | (s.inside[t, u] & s.barred(u)))

    def children_closed(s, t):
        return forall(s.Task, lambda c: s.hold[t, c] >> s.closed[c])

    def bereft(s, t):
        """A child was lost, and its scope is not one in which parents go on."""
        return exists(s.Task, lambda c: s.hold[t, c] & s.lost(c) & (s.policy[s.scope[c]] != "branch"))

    # -- deeds

    @environment(Task)
    def arm(s, t):
        s.require("it is not armed yet", ~s.armed[t])
        s.require("its end is not decided", ~s.barred(t))
        s.armed[t] = True
        s.unwanted[t] = s.stopped[s.scope[t]]

    @action(Task)
    def open(s, t):
        s.require("it is armed", s.armed[t])
        s.require("it has not opened", ~s.opened[t])
        s.require("nobody has cancelled it", ~s.unwanted[t])
        s.require("nothing that it waits for was lost", ~s.hurt(t))
        s.require("what it waits for has happened", s.settled(t))
        s.opened[t] = True
        s.over[t] = s.bodiless[t]

    @environment(Task, Outcome)
    def ran(s, t, how):
        s.require("it has opened", s.opened[t])
        s.require("its body is at work", ~s.over[t])
        s.require("a body finishes or fails", how.among("finished", "failed"))
        s.require("its body may fail", (how == "finished") | s.may_fail[t])
        s.over[t] = True
        s.raised[t] = how == "failed"

    @action(Task, Outcome)
    def close(s, t, how):
        s.require("it has not closed", ~s.closed[t])
        s.require("its body is over, or will never begin", s.over[t] | s.barred(t))
        s.require("all its children have closed", s.children_closed(t))
        s.require("cancelled if and only if it was cancelled", (how == "cancelled") == s.unwanted[t])
        s.require("skipped if and only if what it waited for was lost", (how == "skipped") == s.skipped[t])
        failing = ~s.barred(t) & (s.raised[t] | s.bereft(t))
        s.require("failed if and only if its body raised or a child was lost", (how == "failed") == failing)
        s.closed[t] = True
        s.outcome[t] = how
        stops = (how == "failed") & (s.policy[s.scope[t]] == "fail_fast")
        waits = lambda u: s.armed[u] & ~s.opened[u] & ~s.skipped[u]  # noqa: E731  # what is late is cancelled when armed
        s.unwanted.each(lambda u: s.unwanted[u] | (stops & (s.scope[u] == s.scope[t]) & waits(u)))
        s.stopped.each(lambda x: s.stopped[x] | (stops & (x == s.scope[t])))

    @environment(Task)
    def cancel(s, t):
        s.require("somebody may cancel it", s.may_be_cancelled[t])
        s.require("it has not opened", ~s.opened[t])
        s.require("its end is not decided", ~s.barred(t))
        s.unwanted[t] = True

    @consequence(Task)
    def skip(s, t):
        s.require("it is armed", s.armed[t])
        s.require("it has not opened, and its end is not decided", ~s.opened[t] & ~s.barred(t))
        s.require("what it waits for is settled", s.settled(t))
        s.require("something that it waited for was lost", s.hurt(t))
        s.skipped[t] = True

    # -- what holds

    @always
    def nothing_opens_before_what_it_waits_for_has_closed(s):
        return forall(s.Task, s.Task, lambda t, u: (s.opened[t] & s.after[t, u]) >> s.closed[u])

    @always
    def nothing_opens_before_its_parent(s):
        return forall(s.Task, s.Task, lambda t, u: (s.opened[t] & s.inside[t, u]) >> s.opened[u])

    @always
    def a_parent_closes_after_its_children(s):
        return forall(s.Task, s.Task, lambda p, c: (s.closed[p] & s.hold[p, c]) >> s.closed[c])

    @always
    def what_finished_had_opened(s):
        return forall(s.Task, lambda t: (s.closed[t] & s.outcome[t].among("finished", "failed")) >> s.opened[t])

    @always
    def what_was_skipped_or_cancelled_never_opens(s):
        return forall(s.Task, lambda t: s.barred(t) >> ~s.opened[t])

    @always
    def who_was_skipped_waited_for_something_lost(s):
        return forall(s.Task, lambda t: s.skipped[t] >> s.hurt(t))

    @always
    def without_failures_and_cancellations_everything_finishes(s):
        harmless = forall(s.Task, lambda t: ~s.may_fail[t] & ~s.may_be_cancelled[t])
        return harmless >> forall(s.Task, lambda t: s.closed[t] >> (s.outcome[t] == "finished"))

    @sometimes
    def everything_has_closed(s):
        return forall(s.Task, lambda t: s.closed[t])

    @always
    def who_can_go_no_further_has_closed_everything(s):
        """No graph without a cycle gets stuck: no bound on executors is spoken of here."""
        able = s.enabled("arm") | s.enabled("open") | s.enabled("ran") | s.enabled("close")
        return forall(s.Task, lambda t: s.closed[t]) | able

    # -- what somebody may think, and a search refutes

    @mistaken
    def a_parent_is_at_work_while_its_children_are(s):
        """A body may be over long before the children it holds are."""
        return forall(s.Task, s.Task, lambda p, c: (s.hold[p, c] & s.opened[c] & ~s.over[c]) >> ~s.over[p])

    @mistaken
    def one_at_a_time(s):
        """Two tasks that do not wait for each other may overlap."""
        at_work = lambda t: s.opened[t] & ~s.over[t]  # noqa: E731  # a word of this sentence only
        return forall(s.Task, s.Task, lambda t, u: (at_work(t) & at_work(u)) >> (t == u))

    @mistaken
    def a_failed_task_had_a_body_that_raised(s):
        """It may have lost a child."""
        return forall(s.Task, lambda t: (s.closed[t] & (s.outcome[t] == "failed")) >> s.raised[t])


Pairs = Iterable[tuple[Any, Any]]


def graph(
    tasks: Collection[Any],
    after: Pairs = (),
    inside: Pairs = (),
    hold: Pairs = (),
    bodiless: Iterable[Any] = (),
    policy: str = "isolate",
    scope: Mapping[Any, str] | None = None,
    policies: Mapping[str, str] | None = None,
    may_fail: Iterable[Any] | None = None,
    may_be_cancelled: Iterable[Any] = (),
    late: Iterable[Any] = (),
) -> dict[str, Any]:
    """The given values of one graph.

    after: (b, a) for b after a; inside: (c, p) for c inside p; hold: (p, c) for p holds c. One scope of one `policy`,
    or a `scope` per task and `policies` per scope. `may_fail` None: every body may. `late`: those that are armed by an
    event of the run; all others are armed from the beginning.
    """
    scope = scope or dict.fromkeys(tasks, "run")
    names = list(dict.fromkeys(scope.values()))
    return {
        "after": set(after),
        "inside": set(inside),
        "hold": set(hold),
        "bodiless": set(bodiless),
        "scope": dict(scope),
        "policy": {name: (policies or {}).get(name, policy) for name in names},
        "may_fail": set(tasks if may_fail is None else may_fail),
        "may_be_cancelled": set(may_be_cancelled),
        "late": set(late),
    }


def search(given: Mapping[str, Any], claims: Collection[str] | None = None) -> Found:
    """Every run of one graph."""
    return Running.search(given, claims, Task=list(given["scope"]), Scope=list(given["policy"]))


def acceptor(given: Mapping[str, Any]) -> Run:
    """The runs of one graph, one event at a time.

    Events: ("open", t), ("ran", t, outcome), ("close", t, outcome), ("cancel", t), and ("arm", t) for those that are
    late; outcomes by name. Compiled once for all graphs whose tasks and scopes have these names.
    """
    return Run(_machine(tuple(given["scope"]), tuple(given["policy"])), given)


@lru_cache(maxsize=64)
def _machine(tasks: tuple[Any, ...], scopes: tuple[Any, ...]) -> Machine:
    return Running.machine(fold=False, Task=list(tasks), Scope=list(scopes))
