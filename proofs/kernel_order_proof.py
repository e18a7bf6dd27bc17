"""Order: for any number of tasks, nothing happens before what it waits for, and every outcome has its reason.

The claims are in plain words of the seeds' semantics (open ≤ ran ≤ close; after, inside, hold), not in those of the
kernel's tables: a row that says something else is refuted by them.
"""

from __future__ import annotations

from hocket.kernel.lifecycle import Outcome, Phase, Policy, Stimulus
from hocket.spec import INT, Function, Relation, exists, forall, invariant, two_state
from proofs.judge import proved
from proofs.protocol import Kernel

WORK = {Stimulus.STARTED: +1, Stimulus.SPLIT: +1, Stimulus.RETURNED: -1, Stimulus.RAISED: -1}  # what the words mean
UNSTARTED = (Phase.IDLE, Phase.WAITING, Phase.READY)


class Order(Kernel):
    """What is always so, whatever the order of events."""

    Task = Kernel.Task
    began = Relation(Task, ghost=True)  # an executor took it
    at_work = Function(Task, to=INT, ghost=True)  # its bodies that have not returned or raised

    def begins(s):
        s.began.each(lambda t: False)
        s.at_work.each(lambda t: 0)

    def takes(s, row, t):
        if row.stimulus in WORK:
            s.at_work[t] = s.at_work[t] + WORK[row.stimulus]
        if row.stimulus is Stimulus.STARTED:
            s.began[t] = True

    def opens(s, t):
        s.ensure("it opens for the first time", ~s.opened[t])
        s.opened[t] = True

    def relates(s, row, t, u):
        s.edge(row)[t, u] = True
        s.ensure("from now on they are related", s.edge(row)[t, u])

    def waits_are_over(s, t):
        """Everything that it waits for has happened, and has happened well."""
        return forall(
            s.Task,
            lambda u: (s.after[t, u] >> (s.is_closed(u) & (s.fate[u] == Outcome.FINISHED)))
            & (s.inside[t, u] >> s.opened[u]),
        )

    def has_lost_child(s, t):
        return exists(
            s.Task,
            lambda c: s.hold[t, c]
            & s.is_closed(c)
            & (s.fate[c] != Outcome.FINISHED)
            & (s.policy[s.scope[c]] != Policy.BRANCH),
        )

    def waited_in_vain(s, t):
        """Something that it waited for was lost."""
        return exists(
            s.Task,
            lambda u: (s.after[t, u] & s.is_closed(u) & (s.fate[u] != Outcome.FINISHED))
            | (s.inside[t, u] & s.never_opens(u)),
        )

    # -- where a task stands

    @invariant
    def before_it_starts_nothing_has_happened_to_it(s):
        fresh = lambda t: ~s.opened[t] & (s.fate[t] == Outcome.FINISHED) & (s.bodies[t] == 0) & ~s.raised[t]  # noqa: E731
        return forall(s.Task, lambda t: s.phase[t].among(*UNSTARTED) >> fresh(t))

    @invariant
    def bodies_are_at_work_only_while_it_runs(s):
        return forall(s.Task, lambda t: (s.bodies[t] >= 0) & ((s.bodies[t] > 0) >> (s.phase[t] == Phase.RUNNING)))

    @invariant
    def what_is_being_built_is_not_armed(s):
        return forall(s.Task, lambda t: (s.phase[t] == Phase.IDLE) >> ~s.armed[t])

    @invariant
    def what_runs_has_opened_and_has_a_body(s):
        runs = forall(s.Task, lambda t: (s.phase[t] == Phase.RUNNING) >> s.opened[t])
        return runs & forall(s.Task, lambda t: s.phase[t].among(Phase.READY, Phase.RUNNING) >> s.bodied[t])

    @invariant(needs=("before_it_starts_nothing_has_happened_to_it", "what_runs_has_opened_and_has_a_body"))
    def what_has_a_body_opens_by_being_started_and_nothing_else_does(s):
        begun = forall(s.Task, lambda t: s.began[t] >> s.opened[t])
        return begun & forall(s.Task, lambda t: s.opened[t] >> (s.bodied[t] == s.began[t]))

    @invariant(needs=())
    def all_bodies_at_work_are_counted(s):
        return forall(s.Task, lambda t: s.bodies[t] == s.at_work[t])

    @invariant
    def while_it_runs_it_is_lost_only_if_it_raised(s):
        fate = lambda t: ite_failed(s, t)  # noqa: E731
        return forall(s.Task, lambda t: (s.phase[t] == Phase.RUNNING) >> fate(t))

    # -- order

    @invariant(layer=1)
    def it_is_ready_only_once_its_waits_are_over(s):
        return forall(s.Task, lambda t: (s.phase[t] == Phase.READY) >> s.waits_are_over(t))

    @invariant(layer=1)
    def nothing_opens_before_what_it_waits_for(s):
        return forall(s.Task, lambda t: s.opened[t] >> s.waits_are_over(t))

    @invariant(layer=1)
    def a_parent_closes_after_its_children(s):
        return forall(s.Task, s.Task, lambda p, c: (s.is_closed(p) & s.hold[p, c]) >> s.is_closed(c))

    @invariant(layer=2)
    def what_comes_after_a_fork_opens_after_all_its_prongs_have_closed(s):
        return forall(
            s.Task,
            s.Task,
            s.Task,
            lambda t, f, c: (s.opened[t] & s.after[t, f] & s.hold[f, c]) >> s.is_closed(c),
        )

    @invariant(needs=("while_it_runs_it_is_lost_only_if_it_raised", "before_it_starts_nothing_has_happened_to_it"))
    def it_is_skipped_only_once_all_its_waits_are_settled(s):
        settled = lambda t, u: (  # noqa: E731
            (s.after[t, u] >> s.is_closed(u)) & (s.inside[t, u] >> (s.opened[u] | s.never_opens(u)))
        )
        return forall(s.Task, s.Task, lambda t, u: (s.fate[t] == Outcome.SKIPPED) >> settled(t, u))

    # -- outcomes

    @invariant(layer=1)
    def what_did_not_open_is_skipped_or_cancelled(s):
        barred = lambda t: s.fate[t].among(Outcome.SKIPPED, Outcome.CANCELLED)  # noqa: E731
        return forall(s.Task, lambda t: (s.phase[t] >= Phase.DRAINING) >> (s.opened[t] == ~barred(t)))

    @invariant(layer=1)
    def what_finished_did_not_raise_and_lost_no_child(s):
        finished = lambda t: s.is_closed(t) & (s.fate[t] == Outcome.FINISHED)  # noqa: E731
        return forall(s.Task, lambda t: finished(t) >> (~s.raised[t] & ~s.has_lost_child(t)))

    @invariant(layer=1)
    def who_raised_fails(s):
        return forall(s.Task, lambda t: s.raised[t] >> (s.fate[t] == Outcome.FAILED))

    @invariant(needs=("while_it_runs_it_is_lost_only_if_it_raised", "before_it_starts_nothing_has_happened_to_it"))
    def a_failure_has_a_cause(s):
        return forall(s.Task, lambda t: (s.fate[t] == Outcome.FAILED) >> (s.raised[t] | s.has_lost_child(t)))

    @invariant(needs=("while_it_runs_it_is_lost_only_if_it_raised", "before_it_starts_nothing_has_happened_to_it"))
    def who_is_skipped_waited_in_vain(s):
        return forall(s.Task, lambda t: (s.fate[t] == Outcome.SKIPPED) >> s.waited_in_vain(t))

    @invariant(layer=1)
    def who_is_cancelled_was_unwanted_or_its_scope_was_stopped(s):
        return forall(
            s.Task, lambda t: (s.fate[t] == Outcome.CANCELLED) >> (s.unwanted[t] | s.stopped[s.scope[t]])
        )

    @invariant(needs=())
    def a_scope_is_stopped_by_a_failure_in_it_under_fail_fast(s):
        def stopped(x):
            who = s.stopper[x]
            failed = s.is_closed(who) & (s.fate[who] == Outcome.FAILED) & (s.scope[who] == x)
            return failed & (s.policy[x] == Policy.FAIL_FAST)

        return forall(s.Scope, lambda x: s.stopped[x] >> stopped(x))

    @invariant(layer=1)
    def every_failure_under_fail_fast_stops_its_scope(s):
        fails = lambda t: s.is_closed(t) & (s.fate[t] == Outcome.FAILED)  # noqa: E731
        fast = lambda t: s.policy[s.scope[t]] == Policy.FAIL_FAST  # noqa: E731
        return forall(s.Task, lambda t: (fails(t) & fast(t)) >> s.stopped[s.scope[t]])

    @invariant(layer=1)
    def nothing_in_a_stopped_scope_is_about_to_start(s):
        return forall(
            s.Task, lambda t: s.stopped[s.scope[t]] >> ~s.phase[t].among(Phase.WAITING, Phase.READY)
        )

    # -- every step

    @two_state(layer=2)
    def an_outcome_is_final(s, later):
        same = lambda t: later.is_closed(t) & (later.fate[t] == s.fate[t])  # noqa: E731
        return forall(s.Task, lambda t: s.is_closed(t) >> same(t))

    @two_state(layer=2)
    def nobody_goes_back(s, later):
        return forall(s.Task, lambda t: (s.phase[t] <= later.phase[t]) & (s.opened[t] >> later.opened[t]))

    @two_state(layer=2)
    def after_a_failure_under_fail_fast_nothing_of_the_scope_starts(s, later):
        return forall(s.Task, lambda t: (s.stopped[s.scope[t]] & ~s.opened[t]) >> ~later.opened[t])

    @two_state(layer=2)
    def what_runs_is_never_closed_by_somebody_else(s, later):
        """A running task leaves that phase by draining, and only once its bodies are over."""
        left = lambda t: (s.phase[t] == Phase.RUNNING) & (later.phase[t] != Phase.RUNNING)  # noqa: E731
        return forall(s.Task, lambda t: left(t) >> ((s.bodies[t] == 0) & (later.phase[t] == Phase.DRAINING)))


def ite_failed(s, t):
    """Lost exactly if it raised, and lost by failing."""
    return (s.raised[t] & (s.fate[t] == Outcome.FAILED)) | (~s.raised[t] & (s.fate[t] == Outcome.FINISHED))


SPECS = (Order,)


def test_the_order_is_kept_for_any_number_of_tasks():
    proved(Order)
