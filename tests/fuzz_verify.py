"""Random graphs with everything that the middle model can say: no crash, no certificate that the audit refuses.

    python -m tests.fuzz_verify 1000 [SEED]

Besides: every run that a finding shows is gone through again, every graph that is
said to hold is judged the same with one more worker than tasks, and notes change no
verdict. Then what has two answers is compared: each "never" of z3 with a refutation of
clauses that were made by other code, for questions about runs and for knots of
resources. Last, certificates are changed at one letter: as they come each is refused,
and one that is sealed anew may be accepted only if all that it claims is so. A slice of
all of it is in CI.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter

from hocket.verdict import Certificate, Violated
from hocket.verify.certificate import audit, seal
from hocket.verify.denials import Denial
from hocket.verify.formula import FALSE, TRUE, Equal, Formula, Is, Not, Outcome, Runs, conjunction, disjunction
from hocket.verify.judge import judge_graph
from hocket.verify.liveness import without_groups
from hocket.verify.model import (
    NOWHERE,
    Access,
    Channel,
    Copies,
    Edge,
    Graph,
    Hold,
    Join,
    Kind,
    Mode,
    Point,
    Task,
    Timing,
    Transfer,
    Until,
    Variable,
    Way,
    named_group,
)
from hocket.verify.readers import Reading
from hocket.verify.refutation import refutation, refutes
from hocket.verify.resources import resources
from hocket.verify.smt import Never, Solver
from hocket.verify.starvation import denial_of, stopped_run
from hocket.verify.structure import ranks, shape

__all__ = ["answered_twice", "changed_letters", "examined", "knotted", "main", "random_graph", "stops_twice"]

_WAYS = tuple(Outcome)


def random_graph(draw: random.Random) -> Graph:
    """Up to eight tasks, some within others, with every field of the model set now and then."""
    names = [f"t{number}" for number in range(draw.randint(1, 8))]
    variables = {name: Variable(name, frozenset({Kind.STRING}), ("x", "y")) for name in ("u", "v")}
    tasks = {}
    for place, name in enumerate(names):
        earlier = names[:place]
        groups = [one for one in earlier if draw.random() < 0.1]
        edges = tuple(_edge(draw, one) for one in earlier if draw.random() < 0.3)
        tasks[name] = Task(
            name,
            NOWHERE,
            edges,
            presence=_atom(draw) if draw.random() < 0.2 else TRUE,
            activation=_condition(draw, [edge.before for edge in edges]) if draw.random() < 0.3 else TRUE,
            may=frozenset(draw.sample(_WAYS[:3], draw.randint(1, 3))) | {draw.choice(_WAYS[:2])},
            parent=groups[0] if groups and not any(edge.before == groups[0] for edge in edges) else "",
            holds=tuple(_hold(draw) for _ in range(draw.choice((0, 0, 0, 1, 2)))),
            lost=disjunction(Is(edge.before, frozenset({Outcome.FAILED})) for edge in edges)
            if draw.random() < 0.2
            else FALSE,
            ready=draw.random() < 0.9,
            awaits=tuple(Edge(one, NOWHERE) for one in earlier if draw.random() < 0.1 and not groups),
            accesses=tuple(
                Access(draw.choice("pq"), draw.choice(list(Mode))) for _ in range(draw.choice((0, 0, 0, 1)))
            ),
            transfers=tuple(_transfer(draw) for _ in range(draw.choice((0, 0, 0, 0, 1, 2)))),
            timing=Timing(1, 2, deadline=draw.choice((3, 9, 99))) if draw.random() < 0.1 else Timing(),
            copies=Copies(0, draw.choice((1, 2, None))) if draw.random() < 0.1 else Copies(),
        )
    for name, task in tasks.items():  # a task that waits for any of several says so by its activation
        if len(task.edges) > 1 and draw.random() < 0.1:
            edges = tuple(Edge(edge.before, NOWHERE) for edge in task.edges)
            either = disjunction(Is(edge.before, frozenset({Outcome.SUCCEEDED})) for edge in edges)
            tasks[name] = Task(name, NOWHERE, edges, activation=either, join=Join.ANY)
    channels = {name: Channel(name, draw.choice((0, 1, None))) for name in ("c", "d")}
    return Graph("g", "test", tasks, variables, channels=channels)


def _edge(draw: random.Random, before: str) -> Edge:
    accepts = draw.choice([None, frozenset({Outcome.SUCCEEDED}), frozenset(draw.sample(_WAYS, 2))])
    point = draw.choice((Point.CLOSED, Point.CLOSED, Point.CLOSED, Point.OPENED, Point.READY))
    return Edge(before, NOWHERE, accepts, draw.random() < 0.2, point)


def _atom(draw: random.Random) -> Formula:
    atom = Equal(draw.choice("uv"), draw.choice("xy"))
    return atom if draw.random() < 0.7 else Not(atom)


def _condition(draw: random.Random, befores: list[str]) -> Formula:
    parts = [_atom(draw), *(Is(one, frozenset(draw.sample(_WAYS, 2))) for one in befores if draw.random() < 0.5)]
    return draw.choice((conjunction, disjunction))(parts)


def _hold(draw: random.Random) -> Hold:
    name, places = draw.choice((("r", 1), ("s", 2), ("z", 3)))
    return Hold(named_group(name, places), NOWHERE, Until.SCOPE, draw.randint(1, places), label=name)


def _transfer(draw: random.Random) -> Transfer:
    return Transfer(draw.choice("cd"), draw.choice(list(Way)), times=draw.randint(1, 2))


def examined(graph: Graph) -> str:
    """The verdict, after everything was looked at that has to be so whatever it is."""
    report = judge_graph(Reading(graph))
    str(report)
    report.case()
    if report.certificate is not None:
        verdict = audit(report.certificate, Reading(graph))
        assert not isinstance(verdict, Violated), f"{verdict}: {graph}"
    assert (report.certificate is not None) == (report.verdict == "holds")
    assert judge_graph(Reading(graph), notes=True).verdict == report.verdict
    return report.verdict


def answered_twice(draw: random.Random) -> int:
    """Some questions about a random graph, by z3 and by refutation; how many were refuted."""
    graph = without_groups(random_graph(draw))
    if min(ranks(shape(graph))) < 0:
        return 0
    refuted = 0
    for _ in range(4):
        one, other = draw.choice(list(graph.tasks)), draw.choice(list(graph.tasks))
        ended = frozenset({draw.choice(_WAYS)})
        question = draw.choice((Runs(one), Not(Runs(one)), Is(one, ended), conjunction((Runs(one), Runs(other))),
                                conjunction((Is(one, ended), Runs(other)))))  # fmt: skip
        calm = draw.random() < 0.5
        answer = Solver(graph, [one, other]).ask(question, calm)
        clauses = Denial("", graph, (one, other), question, calm).clauses()
        assert clauses is not None
        lemmas = refutation(clauses)
        assert isinstance(answer, Never) == (lemmas is not None), (graph, question, answer)
        assert lemmas is None or refutes(clauses, lemmas)
        refuted += lemmas is not None
    return refuted


def knotted(draw: random.Random) -> Graph:
    """A few tasks that hold something while others run within them that take something as well."""
    places = {"A": draw.choice((1, 1, 2)), "B": draw.choice((1, 1, 2, 3)), "C": 1}
    conditions = (TRUE, TRUE, Equal("v", "x"), Equal("v", "y"))
    tasks: dict[str, Task] = {}
    for name in (f"t{number}" for number in range(draw.randint(2, 4))):
        outer = [one for one in tasks if not tasks[one].parent]
        edges = tuple(Edge(one, NOWHERE, point=draw.choice((Point.CLOSED, Point.CLOSED, Point.OPENED)))
                      for one in outer if draw.random() < 0.3)  # fmt: skip
        awaits = tuple(Edge(one, NOWHERE) for one in outer if draw.random() < 0.2)
        tasks[name] = Task(
            name, NOWHERE, edges, draw.choice(conditions), draw.choice(conditions), holds=(_place(draw, places),),
            awaits=awaits, copies=Copies(1, draw.choice((1, 1, 2))),
        )  # fmt: skip
        for inner in (f"{name} / {number}" for number in range(draw.randint(0, 2))):
            tasks[inner] = Task(inner, NOWHERE, parent=name, holds=(_place(draw, places),))
    return Graph("g", "test", tasks, {"v": Variable("v", frozenset({Kind.STRING}), ("x", "y"))})


def _place(draw: random.Random, places: dict[str, int]) -> Hold:
    name = draw.choice(list(places))
    return Hold(named_group(name, places[name]), NOWHERE, Until.SCOPE, draw.randint(1, places[name]), name)


def stops_twice(graph: Graph) -> list[bool]:
    """For each knot of resources whether it was refuted that a run stops there; z3 was asked the same."""
    if min(ranks(shape(graph))) < 0:
        return []
    refuted = []
    for knot in resources(graph).doubtful:
        denial = denial_of(graph, knot)
        clauses = denial.clauses()
        assert clauses is not None
        lemmas = refutation(clauses)
        assert isinstance(stopped_run(denial.graph), Never) == (lemmas is not None), (graph, knot)
        assert lemmas is None or refutes(clauses, lemmas)
        refuted.append(lemmas is not None)
    return refuted


def changed_letters(graph: Graph, draw: random.Random, times: int = 20) -> Counter[str]:
    """What became of the certificate of this graph, with claims about its tasks, changed at one letter each time."""
    names = list(graph.tasks)
    claims = [f"{one} {form} {other}" for one in names for other in names if one != other
              for form in ("before", "never with", "requires")][:20]  # fmt: skip
    report = judge_graph(Reading(graph), claims)
    fine = [claim for claim in claims if not any(f"'{claim}'" in one.message for one in report.findings)]
    certificate = judge_graph(Reading(graph), fine).certificate
    found: Counter[str] = Counter()
    if certificate is None:
        return found
    text = json.dumps(certificate.data)
    for _ in range(times):
        place = draw.randrange(len(text))
        other = draw.choice([one for one in '0123456789abtrue-,"[]{}' if one != text[place]])
        found[_changed(graph, certificate, text[:place] + other + text[place + 1 :])] += 1
    return found


def _changed(graph: Graph, certificate: Certificate, text: str) -> str:
    """Whether the changed certificate is no JSON, is refused, or says the same or something else that is so."""
    try:
        data = json.loads(text)
    except ValueError:
        return "no JSON"
    if data == certificate.data:
        return "the same"
    assert isinstance(audit(Certificate(certificate.kind, data), Reading(graph)), Violated), text
    if not isinstance(data, dict):
        return "refused"
    anew = data | {"seal": seal(data)}
    if isinstance(audit(Certificate(certificate.kind, anew), Reading(graph)), Violated):
        return "refused"
    rows = [row["claim"] for part in ("orders", "shown", "never") for row in data[part]]
    told = [claim for claim in [*rows, *data["ordered"], *data["apart"]] if not claim.startswith("tasks that wait")
            and " is never left out where " not in claim and " never share " not in claim]  # fmt: skip
    wrong = [one.message for one in judge_graph(Reading(graph), told).findings if one.code in ("G020", "G021", "G090")]
    assert not wrong, (wrong, text)
    return "so as well"


def main(count: int, seed: int = 0) -> Counter[str]:
    """Examine so many graphs; returns how often each verdict and finding came out."""
    found: Counter[str] = Counter()
    for number in range(count):
        graph = random_graph(random.Random(f"{seed}/{number}"))
        try:
            found[examined(graph)] += 1
        except Exception:
            print(f"seed {seed}/{number}", file=sys.stderr)
            raise
        found.update({finding.code for finding in judge_graph(Reading(graph)).findings})
        found["refuted"] += answered_twice(random.Random(f"{seed}/{number}"))
        found["knots refuted"] += sum(stops_twice(knotted(random.Random(f"{seed}/{number}"))))
        found += changed_letters(graph, random.Random(f"{seed}/{number}"))
    return found


if __name__ == "__main__":
    print(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
