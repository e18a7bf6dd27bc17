"""What the questions answer is answered a second time: by trying every run of small graphs, every cut, every pair.

`every_run` walks the interpreter of the model through all its choices; it shares the
interpreter with the replay, and nothing with shapes, resources or the solver.
"""

from __future__ import annotations

from array import array
from copy import copy
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from hocket.verify.certificate import audit
from hocket.verify.cuts import smallest_cut
from hocket.verify.formula import FALSE, TRUE, Is, Outcome, disjunction
from hocket.verify.judge import judge_graph
from hocket.verify.model import (
    NOWHERE,
    Access,
    Copies,
    Edge,
    Graph,
    Hold,
    Join,
    Mode,
    Point,
    Span,
    Task,
    Until,
    named_group,
    one_by_one,
)
from hocket.verify.order import enforced
from hocket.verify.readers import Reading
from hocket.verify.replay import Did, Event, Story, replay
from hocket.verify.starvation import least_workers
from hocket.verify.structure import knots, ranks, reaches, shape

SUCCEEDED, FAILED = frozenset({Outcome.SUCCEEDED}), frozenset({Outcome.FAILED})


def graph_of(*tasks, **more):
    return Graph("g", "test", {task.name: task for task in tasks}, **more)


def judged(graph, *claims, workers=None, notes=False):
    return judge_graph(Reading(graph), claims, workers, notes)


def codes(graph, **more):
    return [finding.code for finding in judged(graph, **more).findings]


# -- every run --------------------------------------------------------------------------------------------------------


def choices(story):
    """All that can happen next; once in a run somebody may cancel it."""
    if not story.cancelled:
        yield Event(Did.CANCELLED)
    for name, task in story.graph.tasks.items():
        if name in story.closed:
            continue
        if name in story.opened:
            if task.ready and name not in story.ready:
                yield Event(Did.READY, name)
            if story.can_end(task):
                yield from (Event(Did.ENDED, name, way) for way in story.outcomes(task))
        elif story.its_turn(task):
            if not story.may_run(task):
                yield from (Event(Did.PASSED, name, way) for way in story.passed_outcomes(task))
            elif story.blocked(task) is None:
                yield Event(Did.STARTED, name)


def reachable(story):
    """This story and all that can come of it, each once."""
    waiting, seen = [story], set()
    while waiting:
        here = waiting.pop()
        yield here
        for event in choices(here):
            later = stepped(here, event)
            key = (later.cancelled, *map(frozenset, (later.opened, later.closed.items(), later.ran, later.ready)))
            if key not in seen:
                seen.add(key)
                waiting.append(later)


def stepped(story, event):
    later = copy(story)
    later.opened, later.closed = dict(story.opened), dict(story.closed)
    later.ran, later.ready = set(story.ran), set(story.ready)
    later.held = {name: list(holders) for name, holders in story.held.items()}
    later.take(event)
    return later


def every_run(graph):
    """(the tasks that run in some run, whether some run stops before everything has closed)."""
    ran, stuck = set(), False
    for story in reachable(Story(graph, {})):
        ran |= story.ran
        moves = [event for event in choices(story) if event.did is not Did.CANCELLED]
        stuck |= not moves and len(story.closed) < len(graph.tasks)
    return ran, stuck


ACCEPTS = st.sampled_from([None, SUCCEEDED, FAILED, frozenset({Outcome.SKIPPED}), SUCCEEDED | FAILED])
POINTS = st.sampled_from([Point.CLOSED, Point.CLOSED, Point.OPENED, Point.READY])


@st.composite
def conditional_graphs(draw):
    """Up to four tasks with every kind of edge, joins of any one, tasks that are lost, and some never ready."""
    tasks = []
    for number in range(draw(st.integers(1, 4))):
        befores = [before for before in range(number) if draw(st.booleans())]
        edges = tuple(Edge(f"t{one}", NOWHERE, draw(ACCEPTS), point=draw(POINTS)) for one in befores)
        join, activation = Join.ALL, TRUE
        if befores and draw(st.integers(0, 3)) == 0:
            edges = tuple(Edge(f"t{one}", NOWHERE) for one in befores)
            join = Join.ANY
            activation = disjunction(Is(f"t{one}", draw(st.sampled_from([SUCCEEDED, FAILED]))) for one in befores)
        lost = disjunction(Is(f"t{one}", FAILED) for one in befores) if draw(st.booleans()) else FALSE
        may = draw(st.sampled_from([SUCCEEDED, FAILED, SUCCEEDED | FAILED]))
        tasks.append(Task(f"t{number}", NOWHERE, edges, activation=activation, join=join, lost=lost, may=may,
                          ready=draw(st.booleans())))  # fmt: skip
    return graph_of(*tasks)


@settings(max_examples=60, deadline=None)
@given(conditional_graphs())
def test_a_task_is_said_never_to_run_exactly_if_no_run_has_it(graph):
    ran, stuck = every_run(graph)
    report = judged(graph)
    dead = {finding.about[0] for finding in report.findings if finding.code in ("G004", "G012", "G015")}
    assert {finding.code for finding in report.findings} <= {"G004", "G012", "G015"}
    assert dead == set(graph.tasks) - ran
    assert not stuck


@settings(max_examples=25, deadline=None)
@given(conditional_graphs(), st.data())
def test_an_order_is_said_to_hold_exactly_if_no_run_breaks_it(graph, data):
    if len(graph.tasks) < 2:
        return
    one, other = data.draw(st.permutations(list(graph.tasks)))[:2]
    broken = any(other in story.ran and one in story.opened for story in reachable(Story(graph, {}))) or any(
        story.ran >= {other} and one not in story.ran and one not in story.closed and one in finally_ran
        for story in reachable(Story(graph, {})) for finally_ran in [after(story)]
    )  # fmt: skip
    said = [finding.code for finding in judged(graph, parsed(f"{one} before {other}")).findings]
    if "G090" not in said:  # a timeline that is not found is no answer
        assert ("G020" in said) == broken


def parsed(text):
    from hocket.verify.assertions import parse_assertion

    return parse_assertion(text)


def after(story):
    """Every task that runs in some run from here on."""
    return set().union(*(later.ran for later in reachable(story)))


def test_whoever_waits_for_a_service_is_decided_once_that_is_ready_or_has_closed():
    web = Task("web", NOWHERE, (Edge("db", NOWHERE, point=Point.READY),))
    story = Story(graph_of(Task("db", NOWHERE), web), {})
    story.take(Event(Did.STARTED, "db"))
    assert not story.its_turn(web)
    story.take(Event(Did.READY, "db"))
    assert story.its_turn(web)
    assert story.may_run(web)
    failed = Story(story.graph, {})
    for event in (Event(Did.STARTED, "db"), Event(Did.ENDED, "db", Outcome.FAILED)):
        failed.take(event)
    assert failed.its_turn(web)
    assert not failed.may_run(web)


def test_whoever_waits_for_a_beginning_is_decided_once_it_has_begun():
    after = Task("after", NOWHERE, (Edge("first", NOWHERE, point=Point.OPENED),))
    story = Story(graph_of(Task("first", NOWHERE), after), {})
    assert not story.its_turn(after)
    story.take(Event(Did.STARTED, "first"))
    assert story.its_turn(after)
    assert story.may_run(after)


# -- resources --------------------------------------------------------------------------------------------------------


@st.composite
def graphs_with_resources(draw):
    """Up to four tasks, nested or not, that hold up to two resources of one or two places and await each other."""
    tasks = []
    for number in range(draw(st.integers(2, 4))):
        earlier = [f"t{one}" for one in range(number)]
        after_ = tuple(Edge(one, NOWHERE, SUCCEEDED) for one in earlier if draw(st.integers(0, 3)) == 0)
        taken = {edge.before for edge in after_}
        awaits = tuple(
            Edge(one, NOWHERE) for one in earlier if one not in taken and draw(st.integers(0, 2)) == 0
        )
        holds = tuple(
            Hold(named_group(name, places), NOWHERE, Until.SCOPE, amount=draw(st.integers(1, places)))
            for name, places in (("r", 2), ("s", 1)) if draw(st.booleans())
        )  # fmt: skip
        tasks.append(Task(f"t{number}", NOWHERE, after_, may=SUCCEEDED, awaits=awaits, holds=holds))
    return graph_of(*tasks)


@settings(max_examples=40, deadline=None)
@given(graphs_with_resources())
def test_a_run_is_said_to_stop_exactly_if_one_does(graph):
    _, stuck = every_run(graph)
    report = judged(graph)
    assert {finding.code for finding in report.findings} <= {"G018", "G019"}
    assert bool(report.findings) == stuck
    if not stuck:
        assert type(audit(report.certificate, Reading(graph))).__name__ in ("Holds", "Unknown")


def two_transfers(first, second):
    one, other = Hold(named_group("A"), NOWHERE), Hold(named_group("B"), NOWHERE)
    order = {"AB": (one, other), "BA": (other, one)}
    return graph_of(
        *one_by_one(Task("t1", NOWHERE, holds=order[first])), *one_by_one(Task("t2", NOWHERE, holds=order[second]))
    )


def test_locks_taken_in_two_orders_deadlock_and_in_one_order_never():
    assert codes(two_transfers("AB", "BA")) == ["G019"]
    report = judged(two_transfers("AB", "AB"))
    assert report.verdict == "holds"
    assert report.certificate.data["resources"] == [[["A"], 0]]  # of B some is always left: nobody waits holding it
    assert type(audit(report.certificate, Reading(report.graph))).__name__ == "Holds"


def sensors(number, **more):
    awaits = (Edge("load", NOWHERE),)
    return graph_of(*(Task(f"s{one}", NOWHERE, awaits=awaits, **more) for one in range(number)), Task("load", NOWHERE))


def test_the_least_number_of_workers_is_one_more_than_can_wait_at_once():
    assert [least_workers(sensors(number)) for number in range(5)] == [1, 2, 3, 4, 5]
    assert codes(sensors(3), workers=3) == ["G018"]
    assert codes(sensors(3), workers=4) == []


def test_sensors_one_after_another_need_two_workers_however_many_they_are():
    chain = [Task("load", NOWHERE)]
    for number in range(4):
        edges = (Edge(f"s{number - 1}", NOWHERE, SUCCEEDED),) if number else ()
        chain.append(Task(f"s{number}", NOWHERE, edges, awaits=(Edge("load", NOWHERE),)))
    assert least_workers(graph_of(*chain)) == 2


def test_any_number_of_copies_that_wait_starve_any_pool():
    hold = Hold(named_group("pool", 5), NOWHERE)
    many = Task("s", NOWHERE, awaits=(Edge("w", NOWHERE),), holds=(hold,), copies=Copies(0, None))
    few = Task("s", NOWHERE, awaits=(Edge("w", NOWHERE),), holds=(hold,), copies=Copies(0, 4))
    work = Task("w", NOWHERE, holds=(hold,))
    assert codes(graph_of(many, work)) == ["G018"]
    assert codes(graph_of(few, work)) == []


# -- order ------------------------------------------------------------------------------------------------------------

dags = st.integers(1, 8).flatmap(
    lambda size: st.fixed_dictionaries(
        {node: st.sets(st.integers(0, max(node - 1, 0)), max_size=3 if node else 0) for node in range(size)}
    )
)


@settings(max_examples=50, deadline=None)
@given(dags, st.sets(st.integers(0, 7)))
def test_one_pass_answers_as_one_search_for_each_pair_does(befores, loose):
    graph = graph_of(*(
        Task(f"t{node}", NOWHERE, tuple(Edge(f"t{one}", NOWHERE) for one in sorted(before)),
             join=Join.ANY if node in loose else Join.ALL) for node, before in befores.items()
    ))  # fmt: skip
    form = shape(graph)
    pairs = [(one, other) for one in range(form.size) for other in range(form.size) if one != other]
    assert enforced(form, ranks(form), pairs) == [bool(reaches(form, *pair)) for pair in pairs]


digraphs = st.integers(2, 5).flatmap(
    lambda size: st.fixed_dictionaries({node: st.sets(st.integers(0, size - 1), max_size=3) for node in range(size)})
)


def has_cycle(befores):
    left = {node: set(before) for node, before in befores.items()}
    while free := [node for node, before in left.items() if before.isdisjoint(left)]:
        for node in free:
            del left[node]
    return bool(left)


@settings(max_examples=80, deadline=None)
@given(digraphs)
def test_the_fewest_waits_to_cut_are_the_fewest(befores):
    graph = graph_of(*(
        Task(f"t{node}", NOWHERE, tuple(Edge(f"t{one}", NOWHERE) for one in sorted(before)))
        for node, before in befores.items()
    ))  # fmt: skip
    form = shape(graph)
    cuts = [smallest_cut(graph, form, part) for part in knots(form, ranks(form))]
    gone = {wait for cut in cuts for wait in cut.waits}
    left = {node: {one for one in before if (f"t{node}", f"t{one}") not in gone} for node, before in befores.items()}
    assert not has_cycle(left)
    waits = [(node, one) for node, before in befores.items() for one in before]
    for fewer in combinations(waits, len(gone) - 1) if gone else ():
        some = {node: {one for one in before if (node, one) not in fewer} for node, before in befores.items()}
        assert has_cycle(some)


# -- uses of one resource ---------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(dags, st.data())
def test_two_tasks_are_said_to_race_exactly_if_nothing_orders_them_and_one_writes(befores, data):
    modes = {node: data.draw(st.sampled_from([None, Mode.READ, Mode.WRITE])) for node in befores}
    graph = graph_of(*(
        Task(f"t{node}", NOWHERE, tuple(Edge(f"t{one}", NOWHERE, SUCCEEDED) for one in sorted(before)),
             accesses=() if modes[node] is None else (Access("x", modes[node]),)) for node, before in befores.items()
    ))  # fmt: skip
    form = shape(graph)
    due = {
        frozenset((f"t{one}", f"t{other}")) for one, other in combinations(befores, 2)
        if Mode.WRITE in (modes[one], modes[other]) and None not in (modes[one], modes[other])
        and not reaches(form, form.closing[f"t{one}"], form.opening[f"t{other}"])
        and not reaches(form, form.closing[f"t{other}"], form.opening[f"t{one}"])
    }  # fmt: skip
    report = judged(graph)
    assert {frozenset(finding.about[:2]) for finding in report.findings if finding.code == "G017"} == due
    for finding in report.findings:
        starts = max(finding.witness.at(Did.STARTED, name) for name in finding.about[:2])
        assert starts < min(finding.witness.at(Did.ENDED, name) for name in finding.about[:2])
        replay(graph, finding.witness)


def test_readers_and_a_writer_behind_one_lock_do_not_race_and_the_certificate_says_why():
    write, read = Access("table", Mode.WRITE), Access("table", Mode.READ)
    whole, part = Hold(named_group("lock", 3), NOWHERE, amount=3), Hold(named_group("lock", 3), NOWHERE)
    graph = graph_of(
        Task("w", NOWHERE, accesses=(write,), holds=(whole,)),
        Task("r1", NOWHERE, accesses=(read,), holds=(part,)),
        Task("r2", NOWHERE, accesses=(read,), holds=(part,)),
    )
    report = judged(graph)
    assert report.verdict == "holds"
    assert sorted(report.certificate.data["apart"]) == ["w never with r1", "w never with r2"]
    assert type(audit(report.certificate, Reading(graph))).__name__ == "Holds"


def test_many_uses_of_one_resource_in_a_row_cost_one_pass():
    # 20,000 writers make 200 million pairs; in a row only neighbours are compared
    write = (Access("log", Mode.WRITE),)
    tasks = [
        Task(f"t{n}", NOWHERE, (Edge(f"t{n - 1}", NOWHERE, SUCCEEDED),) if n else (), accesses=write)
        for n in range(20_000)
    ]
    assert codes(graph_of(*tasks)) == []


# -- scale ------------------------------------------------------------------------------------------------------------


def test_a_cycle_through_every_task_of_a_long_chain_is_found_without_recursion():
    size = 10_000
    tasks = [Task(f"t{n}", Span("g", n + 1, 1), (Edge(f"t{(n + 1) % size}", NOWHERE),)) for n in range(size)]
    (finding,) = judged(graph_of(*tasks)).findings
    assert finding.code == "G001"
    assert len(finding.witness) == size


def test_ranks_of_an_empty_graph_are_none():
    assert ranks(shape(graph_of())) == array("q")
    assert judged(graph_of()).verdict == "holds"
