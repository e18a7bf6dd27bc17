"""The kernel's rows refine the model of running a graph, for any number of tasks, and leave out nothing it allows.

`models/run.py` knows no kernel. Here it is carried along: its own text is run beside each row, over marks of its own
(`said_…`), and whatever it requires of an event becomes what the row ensures. So no row does what the model forbids.
The other way round are theorems: what the model allows, the kernel offers, or a row applies that comes first. Both for
graphs of any size and shape, that grow while they run, under all three policies, in every order of rows.

What is not shown here: that `kernel.py` performs these rows (`kernel_gates_proof` of its counters, `tests/chain` of
its steps), and that it skips at once, as the model does: here a skip may come at any time before the next stimulus.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from hocket.kernel.lifecycle import EventRow, Outcome, Phase, Stimulus
from hocket.spec import TRUE, Function, Relation, Sort, Term, axiom, conj, disj, forall, invariant, ite, theorem
from hocket.spec.language import Now
from models.run import OUTCOMES, POLICIES, Running
from proofs.judge import proved
from proofs.protocol import EVENT_ROWS, STATE_ROWS, Kernel

UNOPENED = (Phase.IDLE, Phase.WAITING, Phase.READY)
Row = Any  # an EventRow or a StateRow
MARKS = ("armed", "opened", "over", "raised", "closed", "outcome", "unwanted", "stopped", "skipped")


def _event(row: Row) -> tuple[str, Outcome | None] | None:
    """What a row is in the words of the model: an event, and the outcome that it says (None: the fate so far)."""
    if isinstance(row, EventRow) and row.stimulus in (Stimulus.ARMED, Stimulus.CANCELLED):
        return {Stimulus.ARMED: "arm", Stimulus.CANCELLED: "cancel"}[row.stimulus], None
    if row.opens:
        return "open", None
    if row.fate is Outcome.SKIPPED:
        return "skip", None
    if row.to is Phase.CLOSED:
        return "close", row.fate
    return ("ran", None) if row.to is Phase.DRAINING else None


def in_words(term: Term, sort: Sort) -> Term:
    """A member of an enum of the kernel's, as the member of the model's sort that has its name."""
    assert term.sort.members is not None
    assert sort.members is not None
    *others, last = term.sort.members
    named = sort[last.name.lower()]
    for member in others:
        named = ite(term == member, sort[member.name.lower()], named)
    return named


def alike(word: Term, member: Term) -> Term:
    """Whether the one has the name of the other."""
    assert member.sort.members is not None
    return conj(*((word == each.name.lower()) == (member == each) for each in member.sort.members))


class Of:
    """`relation[…]`, computed."""

    def __init__(self, read: Callable[[Any], Term]) -> None:
        self._read = read

    def __getitem__(self, at: Any) -> Term:
        return self._read(at)


class Model(Running):
    """The model's text, over the marks of a `Refines`: `require` says what becomes of its guards."""

    def __init__(self, kernel: Refines, require: Callable[[str, Any], None]) -> None:
        self._kernel, self._require = kernel, require

    def __getattribute__(self, name: str) -> Any:
        kernel = object.__getattribute__(self, "__dict__").get("_kernel")
        if name in MARKS:
            return getattr(kernel, f"said_{name}")
        if name in ("after", "inside", "hold", "scope", "Task"):
            return getattr(kernel, name)
        if name in _READ_OFF:
            return _READ_OFF[name](kernel)
        return object.__getattribute__(self, name)

    def require(self, label: str, condition: Any) -> None:
        self._require(label, condition)

    def does(self, event: str, *args: Any) -> None:
        Running.deeds[event].method(self, *args)


_READ_OFF: dict[str, Callable[[Any], Any]] = {
    "bodiless": lambda kernel: Of(lambda t: ~kernel.bodied[t]),
    "policy": lambda kernel: kernel.rule,
    "may_fail": lambda kernel: Of(lambda t: TRUE),
    "may_be_cancelled": lambda kernel: Of(lambda t: TRUE),
}


class Refines(Kernel):
    """The kernel and its model, side by side."""

    Task, Scope = Kernel.Task, Kernel.Scope
    Told = Sort("Told", OUTCOMES)  # the model has names for what the kernel has an enum for
    Rule = Sort("Rule", POLICIES)
    rule = Function(Scope, to=Rule, rigid=True)
    said_armed = Relation(Task, ghost=True)
    said_opened = Relation(Task, ghost=True)
    said_over = Relation(Task, ghost=True)
    said_raised = Relation(Task, ghost=True)
    said_closed = Relation(Task, ghost=True)
    said_outcome = Function(Task, to=Told, ghost=True)
    said_unwanted = Relation(Task, ghost=True)
    said_stopped = Relation(Scope, ghost=True)
    said_skipped = Relation(Task, ghost=True)

    @axiom
    def a_rule_is_a_policy(s):
        return forall(s.Scope, lambda x: alike(s.rule[x], s.policy[x]))

    def begins(s):
        marks = (s.said_armed, s.said_opened, s.said_over, s.said_raised, s.said_closed, s.said_unwanted)
        for relation in (*marks, s.said_skipped, s.said_stopped):
            relation.each(lambda t: False)
        s.said_outcome.each(lambda t: "finished")

    def moves(s, row, t):
        """The model goes first: what it requires, it requires of the state before."""
        event = _event(row)
        if event is not None:
            name, outcome = event
            fate = s.fate[t] if outcome is None else s.Outcome[outcome]
            model = Model(s, lambda label, condition: s.ensure(f"{name}: {label}", condition))
            model.does(name, t, *([in_words(fate, Refines.Told)] if name in ("ran", "close") else []))
        Kernel.moves(s, row, t)

    # -- how the marks of the model stand to the kernel's

    @invariant
    def what_has_happened_is_said(s):
        same = lambda t: (s.said_armed[t] == s.armed[t]) & (s.said_opened[t] == s.opened[t])  # noqa: E731
        closed = lambda t: s.said_closed[t] == s.is_closed(t)  # noqa: E731
        over = lambda t: s.said_over[t] == (s.opened[t] & (s.phase[t] >= Phase.DRAINING))  # noqa: E731
        return forall(s.Task, lambda t: same(t) & closed(t) & over(t))

    @invariant
    def what_will_not_be_is_said(s):
        unwanted = lambda t: s.said_unwanted[t] == (s.fate[t] == Outcome.CANCELLED)  # noqa: E731
        skipped = lambda t: s.said_skipped[t] == (s.fate[t] == Outcome.SKIPPED)  # noqa: E731
        stopped = forall(s.Scope, lambda x: s.said_stopped[x] == s.stopped[x])
        return forall(s.Task, lambda t: unwanted(t) & skipped(t)) & stopped

    @invariant
    def how_it_ended_is_said(s):
        raised = lambda t: s.said_raised[t] == (s.said_over[t] & s.raised[t])  # noqa: E731
        outcome = lambda t: s.is_closed(t) >> alike(s.said_outcome[t], s.fate[t])  # noqa: E731
        return forall(s.Task, lambda t: raised(t) & outcome(t))

    # -- how the kernel's own stand to each other

    @invariant
    def before_it_starts_nothing_has_happened_to_it(s):
        fresh = lambda t: ~s.opened[t] & (s.fate[t] == Outcome.FINISHED) & (s.bodies[t] == 0) & ~s.raised[t]  # noqa: E731
        return forall(s.Task, lambda t: s.phase[t].among(*UNOPENED) >> fresh(t))

    @invariant
    def the_handle_is_given_back_first(s):
        building = lambda t: (s.phase[t] == Phase.IDLE) >> ~s.armed[t]  # noqa: E731
        built = lambda t: s.phase[t].among(Phase.WAITING, Phase.READY, Phase.RUNNING) >> s.armed[t]  # noqa: E731
        return forall(s.Task, lambda t: building(t) & built(t) & (s.opened[t] >> s.armed[t]))

    @invariant
    def what_runs_has_a_body_and_opened(s):
        bodied = lambda t: s.phase[t].among(Phase.READY, Phase.RUNNING) >> s.bodied[t]  # noqa: E731
        counted = lambda t: (s.bodies[t] >= 0) & ((s.bodies[t] > 0) >> (s.phase[t] == Phase.RUNNING))  # noqa: E731
        return forall(s.Task, lambda t: bodied(t) & counted(t) & ((s.phase[t] == Phase.RUNNING) >> s.opened[t]))

    @invariant
    def what_never_opens_is_lost_by_being_skipped_or_cancelled(s):
        barred = lambda t: s.fate[t].among(Outcome.SKIPPED, Outcome.CANCELLED)  # noqa: E731
        early = lambda t: s.phase[t].among(*UNOPENED) >> ~barred(t)  # noqa: E731
        late = lambda t: (s.phase[t] >= Phase.RUNNING) >> (s.opened[t] == ~barred(t))  # noqa: E731
        return forall(s.Task, lambda t: early(t) & late(t))

    @invariant
    def until_it_closes_it_fails_exactly_if_it_raised(s):
        fails = lambda t: (s.fate[t] == Outcome.FAILED) == s.raised[t]  # noqa: E731
        return forall(s.Task, lambda t: (~s.is_closed(t) >> fails(t)) & (s.raised[t] >> s.opened[t]))

    @invariant
    def nothing_in_a_stopped_scope_is_about_to_start(s):
        about = lambda t: s.phase[t].among(Phase.WAITING, Phase.READY)  # noqa: E731
        return forall(s.Task, lambda t: s.stopped[s.scope[t]] >> ~about(t))

    @invariant(layer=1)
    def what_is_ready_has_waited_for_all(s):
        well = lambda u: s.is_closed(u) & (s.fate[u] == Outcome.FINISHED)  # noqa: E731
        waited = lambda t, u: (s.after[t, u] >> well(u)) & (s.inside[t, u] >> s.opened[u])  # noqa: E731
        return forall(s.Task, s.Task, lambda t, u: (s.phase[t] == Phase.READY) >> waited(t, u))

    # -- what the model allows, the kernel offers

    def model(s):
        return Model(s, s.require)

    def allows(s, event, *args):
        """What the model requires of an event, without doing it."""
        Model(type(s)(Now()), s.require).does(event, *args)

    def moves_itself(s, t, *phases):
        """A row applies to it, without anybody's doing."""
        return disj(*(s.enabled(name, t) for name, row in STATE_ROWS.items() if row.phase in phases))

    @theorem(Kernel.Task)
    def what_may_be_armed_can_be_told_so(s, t):
        s.allows("arm", t)
        return s.enabled("armed", t)

    @theorem(Kernel.Task)
    def what_may_be_cancelled_can_be_told_so(s, t):
        s.allows("cancel", t)
        return s.enabled("cancelled", t)

    @theorem(Kernel.Task)
    def what_may_open_is_offered_or_opens_by_itself(s, t):
        s.require("it was not skipped: then it was hurt (`kernel_order_proof`)", s.fate[t] != Outcome.SKIPPED)
        s.allows("open", t)
        return s.enabled("started", t) | s.moves_itself(t, Phase.WAITING)

    @theorem(Kernel.Task)
    def what_may_be_over_is_at_work_or_is_over_by_itself(s, t):
        s.allows("ran", t, Refines.Told["finished"])
        at_work = s.enabled("returned", t) & s.enabled("raised", t)
        return at_work | s.moves_itself(t, Phase.RUNNING)

    @theorem(Kernel.Task, Told)
    def what_may_close_closes_by_itself(s, t, how):
        s.allows("close", t, how)
        return s.moves_itself(t, Phase.DRAINING)

    @theorem(Kernel.Task)
    def what_is_to_be_skipped_is_skipped_by_itself(s, t):
        s.allows("skip", t)
        return s.moves_itself(t, Phase.WAITING)


assert set(EVENT_ROWS) >= {"armed", "cancelled", "started", "returned", "raised"}
SPECS = (Refines,)


def test_the_kernel_does_what_the_model_allows_and_offers_all_of_it_for_any_number_of_tasks():
    proved(Refines)


@pytest.mark.skipif(not os.environ.get("HOCKET_WHOLE"), reason="takes ten seconds: `make prove` asks for it")
def test_without_a_guard_a_row_does_what_the_model_forbids():
    """But for three that the kernel's counter of bodies repeats, and for edges to a task that has closed, of which the
    model, whose graph is there from the beginning, has no word (`kernel_order_proof` has one)."""
    found = Refines.mutants(2, lambda deed, kind, line: kind == "guard")
    assert len(found.all) == 36
    assert [(one.deed, one.line) for one in found.survivors] == [
        ("returned", "it is running"),
        ("raised", "it is running"),
        ("pended", "it is running"),
        ("link hold", "it may still be given this edge"),
    ]
