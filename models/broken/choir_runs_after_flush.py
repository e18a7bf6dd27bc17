"""C-B10, an order broken: a task runs although one that it depends on was flushed.

A panic elsewhere flushes the queue: the flushed task gives its token back as if it had
run. If another dependency is still at work, the last token comes from there, and the
dependent runs. Repaired: who depends on something cancelled is cancelled.
"""

from __future__ import annotations

from hocket.spec import INT, Function, Sort, Spec, action, always, environment, initial, ite, sometimes
from models.showcase import Showcase, able

DONE = ("finished", "failed", "cancelled")


class Flushing(Spec):
    """Two workers; `stray` and `a` run, `b` is queued, `d` depends on a and b."""

    Task = Sort("Task", ("stray", "a", "b", "d"))
    Place = Sort("Place", ("waiting", "queued", "running", *DONE))
    at = Function(Task, to=Place)
    tokens = Function(to=INT)  # of d

    @initial
    def two_run_and_one_is_queued(s):
        s.at["stray"], s.at["a"], s.at["b"], s.at["d"] = "running", "running", "queued", "waiting"
        s.tokens = 2

    @action(Task)
    def take(s, t):
        s.require("it is queued", s.at[t] == "queued")
        s.require("a worker is free", (s.at["stray"] == "finished") | (s.at["a"] == "finished"))
        s.at[t] = "running"

    @action(Task)
    def finish(s, t):
        s.require("it runs", s.at[t] == "running")
        s.at[t] = "finished"
        needed = t.among("a", "b")
        last = needed & (s.tokens == 1) & (s.at["d"] == "waiting")
        s.tokens = ite(needed, s.tokens - 1, s.tokens)
        s.at["d"] = ite(last, s.Place["queued"], s.at["d"])

    @environment()
    def panic(s):
        s.require("the stray task runs", s.at["stray"] == "running")
        s.at["stray"] = "failed"
        flushed = s.at["b"] == "queued"
        s.at["b"] = ite(flushed, s.Place["cancelled"], s.at["b"])
        s.tokens = ite(flushed, s.tokens - 1, s.tokens)
        s.at["d"] = ite(s.at["d"] == "queued", s.Place["cancelled"], s.at["d"])
        s.tell_dependents(flushed)

    def tell_dependents(s, flushed):
        s.at["d"] = ite(flushed, s.Place["cancelled"], s.at["d"])

    @always
    def d_opens_only_after_a_and_b_have_finished(s):
        return s.at["d"].among("running", "finished") >> ((s.at["a"] == "finished") & (s.at["b"] == "finished"))

    @always
    def every_token_is_held_by_one_that_has_not_closed(s):
        holds = lambda t: ite(s.at[t].among(*DONE), 0, 1)  # noqa: E731  # a word of this sentence only
        return s.tokens == holds("a") + holds("b")

    @always
    def who_can_go_no_further_has_closed_everything(s):
        closed = [s.at[task].among(*DONE) for task in ("stray", "a", "b", "d")]
        return able(s) | (closed[0] & closed[1] & closed[2] & closed[3])

    @sometimes
    def d_runs(s):
        return s.at["d"] == "running"


class FlushedAsIfRun(Flushing):
    """The same, but a flushed task releases its dependents."""

    def tell_dependents(s, flushed):
        s.at["d"] = ite(flushed & (s.tokens == 0), s.Place["cancelled"], s.at["d"])


SHOWCASE = Showcase(
    rank=5,
    seed="C-B10",
    kind="assertion",
    claim="d_opens_only_after_a_and_b_have_finished",
    broken=FlushedAsIfRun,
    repaired=Flushing,
)
