"""The broken models and their repaired twins a second time, programmed directly: the same counts.

One function per model: the states after a state, one for each thing that can happen, as plain tuples; `broken` says
which of the two. Nothing here knows the language of models/.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

EXPECTED = tomllib.loads((Path(__file__).parents[3] / "models" / "expected.toml").read_text())
SECOND_OPINION = {}


def from_(*start):
    """Register a function of the name of its model, and where it starts."""

    def register(after):
        SECOND_OPINION[after.__name__] = start, after
        return after

    return register


def counts(start, after, broken):
    seen, frontier, transitions, terminal, depth = {start}, [start], 0, 0, -1
    while frontier:
        depth, fresh = depth + 1, []
        for state in frontier:
            steps = list(after(broken, *state))
            transitions += len(steps)
            terminal += not steps
            for one in steps:
                if one not in seen:
                    seen.add(one)
                    fresh.append(one)
        frontier = fresh
    return {"states": len(seen), "transitions": transitions, "terminal": terminal, "depth": depth}


@from_("looking", "running", 0, 2)
def choir_notify_without_lock(broken, worker, joiner, queued, left):
    if worker == "looking":
        yield ("running", joiner, 0, left) if queued else ("empty-handed", joiner, queued, left)
    if worker == "running":
        yield "looking", joiner, queued, left - 1
    if worker == "empty-handed":
        yield "locked", joiner, queued, left
    if worker == "locked":
        yield ("looking" if queued else "about to wait"), joiner, queued, left
    if worker == "about to wait":
        yield "asleep", joiner, queued, left
    if joiner == "running":
        yield worker, "pushed", 1, left - 1
    if joiner == "pushed" and (broken or worker not in ("locked", "about to wait")):
        yield ("looking" if worker == "asleep" else worker), "gone", queued, left


@from_("queued", "joining", False)
def choir_helper_never_leaves(broken, task, joiner, woken):
    if task == "queued":
        yield "worker", joiner, woken
    if task == "worker":
        yield "done", joiner, joiner == "asleep"
    if joiner == "joining":
        yield task, ("gone" if task == "done" else "looking"), woken
    if joiner == "looking":
        yield ("joiner", "running", woken) if task == "queued" else (task, "empty-handed", woken)
    if joiner == "running":
        yield "done", "gone", woken
    if joiner == "empty-handed":
        yield task, (("looking" if broken else "gone") if task == "done" else "asleep"), woken
    if joiner == "asleep" and woken:
        yield task, "gone", woken


@from_("none", True, False, 0, 0)
def choir_running_parent_closed(broken, child, working, raised, forks, closes):
    back = (forks, closes + 1) if forks == 0 else (forks - 1, closes)
    if working and child == "none":
        yield "queued", working, raised, forks + 1, closes
    if child == "queued":
        yield "running", working, raised, forks, closes
    if child == "running":
        yield "closed", working, raised, *back
    if working:
        yield child, False, raised, *back
        yield child, False, True, *((0, closes + 1) if broken else back)


@from_("queued", "waiting", False)
def choir_orphaned_dependents(broken, first, second, joined):
    if first == "queued":
        yield "running", second, joined
    if first == "running":
        yield "finished", "queued", joined
        yield "failed", (second if broken else "cancelled"), joined
    if second == "queued":
        yield first, "running", joined
    if second == "running":
        yield first, "finished", joined
    if not joined and second in ("finished", "cancelled"):
        yield first, second, True


@from_("running", "running", "queued", "waiting", 2)
def choir_runs_after_flush(broken, stray, a, b, d, tokens):
    free = "finished" in (stray, a)
    ready = "queued" if tokens == 1 and d == "waiting" else d
    if b == "queued" and free:
        yield stray, a, "running", d, tokens
    if d == "queued" and free:
        yield stray, a, b, "running", tokens
    if stray == "running":
        yield "finished", a, b, d, tokens
        flushed, left = b == "queued", tokens - (b == "queued")
        gone = d == "queued" or (flushed and (left == 0 or not broken))
        yield "failed", a, ("cancelled" if flushed else b), ("cancelled" if gone else d), left
    if a == "running":
        yield stray, "finished", b, ready, tokens - 1
    if b == "running":
        yield stray, a, "finished", ready, tokens - 1
    if d == "running":
        yield stray, a, b, "finished", tokens


@from_(3, False)
def choir_returns_after_one_index(broken, left, returned):
    if not returned:
        yield (left - 1, broken) if left else (0, True)


@from_("queued", "waiting", "looking", "looking")
def choir_helper_sleeps_alone(broken, a, d, worker, joiner):
    # a and d: waiting, queued, "worker" or "joiner" that runs it, done
    if worker == "looking":
        yield a, d, "gone", joiner
    for name, doing in (("worker", worker), ("joiner", joiner)):

        def place(now, name=name):
            return (now, joiner) if name == "worker" else (worker, now)

        if doing == "looking" and a == "queued":
            yield name, d, *place("running")
        if doing == "looking" and d == "queued":
            yield a, name, *place("running")
        if a == name:
            after = place("looking")
            wakes = after[1] == "asleep" and not broken
            yield "done", "queued", after[0], "looking" if wakes else after[1]
        if d == name:
            after = place("looking")
            yield a, "done", after[0], "looking" if after[1] == "asleep" else after[1]
    if joiner == "looking" and d == "done":
        yield a, d, worker, "gone"
    elif joiner == "looking" and "queued" not in (a, d):
        yield a, d, worker, "asleep"


@from_(0, 0, (0, 0, 0), (0, 0, 0), (0, 0, 0), (0, 0), (), None)
def orchestra_broadcast_in_turn(broken, rounds, turn, waits, queue, seen, to_send, box, held):
    def put(where, x, n=1):
        return (*where[:x], where[x] + n, *where[x + 1 :])

    rest = (seen, to_send, box, held)
    if rounds < 3 and turn < 3 and queue[turn] < 1:
        yield rounds, turn + 1, waits, put(queue, turn), *rest
    if rounds < 3 and turn < 3 and queue[turn] == 1 and not broken:
        yield rounds, turn + 1, put(waits, turn), queue, *rest
    if turn == 3 and not any(waits):
        yield rounds + 1, 0, waits, queue, *rest
    for x in range(3):
        if turn == 3 and waits[x] and queue[x] < 1:
            yield rounds, turn, put(waits, x, -1), put(queue, x), *rest
    for x in (0, 1):
        if to_send[x] == 0 and queue[x]:
            sends = put(to_send, x, x + 1)
            yield rounds, turn, waits, put(queue, x, -1), put(seen, x), sends, box, held
        if to_send[x] and not box:
            yield rounds, turn, waits, queue, seen, put(to_send, x, -1), (seen[x],), held
    if held is not None and held <= seen[2]:
        yield rounds, turn, waits, queue, seen, to_send, box, None
    elif queue[2]:
        yield rounds, turn, waits, put(queue, 2, -1), put(seen, 2), to_send, box, held
    elif box and held is None:
        yield rounds, turn, waits, queue, seen, to_send, (), box[0] if box[0] > seen[2] else None


@from_(False, 0, 0, 0, None, False)
def orchestra_partial_broadcast(broken, closed, rounds, first, last, stamp, delivered):
    if not closed:
        yield True, rounds, first, last, stamp, delivered
    if rounds < 2:
        yield closed, rounds + 1, first + 1, last + (not (broken and closed)), stamp, delivered
    if stamp is None and first:
        yield closed, rounds, first, last, first, delivered
    if stamp is not None and not delivered and last >= stamp:
        yield closed, rounds, first, last, stamp, True


@from_(0, 0, 2, None, False)
def orchestra_signal_not_counted(broken, sender, receiver, queued, stamp, delivered):
    if sender < 2:
        yield sender + 1, receiver, queued, stamp, delivered
    if stamp is None:
        yield sender, receiver, queued, sender, delivered
    if queued:
        yield sender, receiver + 1, queued - 1, stamp, delivered
        yield sender, receiver + (not broken), queued - 1, stamp, delivered
    if stamp is not None and not delivered and not queued and receiver >= stamp:
        yield sender, receiver, queued, stamp, True


@from_(3, False, 0, "none")
def orchestra_spawn_behind_messages(broken, to_come, routing, queued, job):
    if not routing and to_come:
        yield to_come - 1, True, queued, job
    if routing and not queued:
        yield to_come, False, 1, job
    if job == "none" and queued:
        yield to_come, routing, 0, "asked"
    if job == "asked" and not (broken and routing):
        yield to_come, routing, queued, "running"
    if job == "running":
        yield to_come, routing, queued, "none"


@from_("looking", "unsent", "unsent")
def orchestra_priority_unheard(broken, at, bulk, priority):
    if bulk == "unsent":
        yield at, "queued", priority
    if priority == "unsent":
        yield at, bulk, "queued"
    if priority == "queued" and (at == "looking" or not broken):
        yield "looking", bulk, "received"
    if at == "looking" and priority != "queued":
        yield "waiting", bulk, priority
    if at == "waiting" and bulk == "queued" and (broken or priority != "queued"):
        yield "looking", "received", priority


@from_(0, 0, 0, 0, False, False)
def orchestra_backlog_lost(broken, sent, bulk, priority, received, closed, ended):
    end = closed and not priority and (broken or not bulk)
    if sent < 2:
        yield sent + 1, bulk + 1, priority, received, closed, ended
    if sent == 2:
        yield 3, bulk, 1, received, closed, ended
    if sent == 3 and not closed:
        yield sent, bulk, priority, received, True, ended
    if not ended and priority:
        yield sent, bulk, 0, received + 1, closed, ended
    if not ended and not priority and bulk and not end:
        yield sent, bulk - 1, priority, received + 1, closed, ended
    if not ended and end:
        yield sent, bulk, priority, received, closed, True


@from_(False, False, False, False)
def ticks_missing_is_complete(broken, made, exists, ran, believed):
    if not made:
        yield True, exists, ran, believed
    if made and not exists:
        yield made, True, ran, believed
    if exists and not ran:
        yield made, exists, True, believed
    if made and not believed and (ran or (broken and not exists)):
        yield made, exists, ran, True


@from_(("untouched",) * 3)
def plan_slots_shared_in_parallel(broken, at):
    # the layout changes nothing of the run: root 0, children 1 and 2
    def now(n, place):
        return ((*at[:n], place, *at[n + 1 :]),)

    for n in range(3):
        if at[n] == "untouched" and (n == 0 or at[0] == "live"):
            yield now(n, "at work")
        if at[n] == "at work":
            yield now(n, "live")
        if at[n] == "live" and (n > 0 or at[1:] == ("over", "over")):
            yield now(n, "over")


@from_(10, 10, 0, "idle")
def plan_retry_of_half_done(broken, payload, kept, attempts, doing):
    if doing == "idle":
        yield payload + 1, payload, attempts + 1, "at work"
    if doing == "at work":
        yield payload, kept, attempts, "over"
        if attempts < 3:
            yield (payload if broken else kept), kept, attempts, "idle"


@from_("looking", "idle", False)
def choir_push_unheard(broken, worker, host, queued):
    if host == "idle":
        yield worker, "pushed", True
    if host == "pushed" and (broken or worker != "about to wait"):
        yield ("looking" if worker == "waiting" else worker), "done", queued
    if worker == "looking":
        yield ("ran it", host, False) if queued else ("about to wait", host, queued)
    if worker == "about to wait":
        yield "waiting", host, queued


@from_("queued", True, False, 0, 0)
def choir_fork_not_counted(broken, other, working, adopted, forks, closes):
    back = (forks, closes + 1) if forks == 0 else (forks - 1, closes)
    if working and not adopted and other != "closed":
        yield other, working, True, forks + (not broken), closes
    if other == "queued":
        yield "running", working, adopted, forks, closes
    if other == "running":
        yield "closed", working, adopted, *(back if adopted else (forks, closes))
    if working:
        yield other, False, adopted, *back


@from_("joining", "running", False, False)
def choir_dead_waiter_notified(broken, joiner, finisher, registered, dead):
    done, locked = finisher != "running", finisher == "notifying" and not broken
    if joiner == "joining" and not locked:
        yield ("gone", finisher, registered, dead) if done else ("asleep", finisher, True, dead)
    if finisher == "running":
        yield joiner, "notifying", registered, dead
    if finisher == "notifying":
        yield joiner, "gone", False, registered and joiner == "gone"
    if joiner == "asleep":
        yield "awake", finisher, registered, dead
        if finisher == "gone":
            yield "awake", finisher, registered, dead
    if joiner == "awake" and not locked:
        yield ("gone" if done else "asleep"), finisher, registered, dead


@from_(frozenset({("a", "A"), ("b", "B")}))
def choir_circles(broken, before):
    # a and A are one task's opening and close
    def closure(pairs):
        pairs = set(pairs)
        while more := {(x, z) for x, y in pairs for w, z in pairs if w == y} - pairs:
            pairs |= more
        return frozenset(pairs)

    asked = [[(one.upper(), other)] for one, other in ("ab", "ba")]  # depend_on
    asked += [[(one.upper(), other.upper())] for one in "ab" for other in "ab"]  # add_fork
    asked += [[(one, other), (other.upper(), one.upper())] for one, other in ("ab", "ba")]  # fork
    for pairs in asked:
        after = closure(before | set(pairs))
        if broken or all(x != y for x, y in after):
            yield (after,)


@from_(("queued",) * 3, ())
def choir_join_inside(broken, at, stack):
    # one worker; its stack of begun tasks
    def now(n, place):
        return (*at[:n], place, *at[n + 1 :])

    queued = at.index("queued") if "queued" in at else None
    helps = not stack or (not broken and at[stack[-1]] == "joining")
    if queued is not None and helps:
        yield now(queued, "at work"), (*stack, queued)
    if stack:
        top = stack[-1]
        over = top == 2 or at[top + 1] == "done"
        if at[top] == "at work":
            yield (now(top, "done"), stack[:-1]) if over else (now(top, "joining"), stack)
        elif over:
            yield now(top, "at work"), stack


ROWS = [row for row in EXPECTED["broken"] if row["file"] in SECOND_OPINION]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_a_second_opinion_counts_the_same(row):
    start, after = SECOND_OPINION[row["file"]]
    assert counts(start, after, broken=True) == row["broken"]
    assert counts(start, after, broken=False) == row["repaired"]


def test_only_the_model_that_has_a_manager_is_counted_elsewhere():
    # tests/unit/models/test_ticks_model.py has a manager of its own
    assert {row["file"] for row in EXPECTED["broken"]} - set(SECOND_OPINION) == {"ticks_barrier_bypassed"}
