"""All small programs: `python -m tests.exhaust_certificates [every how-many-th [family ...]]`.

A program is two actors with one or two statements each, or three with one each, over the alphabet of a family of
objects; together the alphabets use every row of the table of operations whose argument can be written down. The order
of the actors says nothing, so each set of them is tried once. For each program brute force finds all classes, and one
interleaving of each is recorded, without any search that knows of independence. Then

- the optimal search must find exactly these classes, each once;
- the auditor must accept all of them together;
- and no part of them: each single one taken out; each proper non-empty part of up to `WHOLE` classes, and of more
  classes `DRAWN` parts by chance.

The last is the claim of docs/explanation/certificate.md, here without its argument.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations_with_replacement, islice, product
from typing import Any

from hocket.explore import audit as auditing
from hocket.explore import recorded
from hocket.explore.audit import audit
from hocket.explore.certificate import KIND, Recorder
from hocket.explore.classes import class_of
from hocket.explore.dfs import DepthFirst
from hocket.explore.dpor import Optimal
from hocket.explore.execution import Execution
from hocket.explore.model import run
from hocket.explore.semantics import ROWS
from hocket.verdict import Holds, Violated
from tests.fuzz_explorer import search
from tests.programs import Statement, build

WHOLE, DRAWN = 10, 500
_WAITS = [("lock", 0, [("wait", how)]) for how in ("plain", "timed", "spurious")]
_NOTIFIES = [("lock", 0, [("notify", 1)]), ("lock", 0, [("notify", 0)]), ("lock", 0, [("notifyany", 2)])]

FAMILIES: dict[str, list[Statement]] = {
    "cells": [("load", 0), ("store", 0, 1), ("store", 0, 2), ("swap", 0, 2), ("add", 0), ("increment", 0, 1),
              ("cas", 0, 0, 1), ("cas", 0, 1, 2), ("store", 1, 1), ("load", 1)],
    "data": [("read",), ("write",), ("nothing", "thread.sleep"), ("nothing", "call"), ("nothing", "return"),
             ("nothing", "thread.begin"), ("add", 0)],
    "blocks": [("block", 1), ("block", 2), ("block", 3), ("block", 4), ("read",), ("write",)],
    "keys": [("key", "put"), ("key", "ensure"), ("key", "drop"), ("key", "put_at"), ("key", "read"), ("read",),
             ("write",)],
    "locks": [("acquire", 0), ("release", 0), ("locked", 0), ("trylock", 0, [("load", 0)]), ("timedlock", 0, []),
              ("lock", 0, [("store", 0, 1)]), ("lock", 1, [("lock", 0, [])]), ("lock", 0, [("lock", 1, [])])],
    "rlocks": [("rlock", 0, []), ("tryrlock", 0, [("load", 0)]), ("timedrlock", 0, []), ("twice", [("store", 0, 1)]),
               ("relocked",), ("rerelease",)],
    "semaphores": [("down",), ("trydown",), ("timeddown",), ("up",), ("bounded", 0, []), ("boundedup",)],
    "units": [("unitsdown",), ("unitstimed",), ("unitsup", 1), ("unitsup", 2), ("store", 0, 1)],
    "conditions": [*_WAITS, *_NOTIFIES, ("notify", 1), ("timedlock", 0, [])],
    "reconditions": [("twice", [("rewait", "timed")]), ("rlock", 0, [("rewait", "plain")]),
                     ("rlock", 0, [("renotify", 1)]), ("twice", [("renotify", 0)]), ("tryrlock", 0, [])],
    "events": [("set",), ("clear",), ("isset",), ("eventwait",), ("eventtimed",), ("store", 0, 1)],
    "barriers": [("meet",), ("crowd",), ("store", 0, 1), ("load", 0)],
    "queues": [("put", 1), ("put", 2), ("get",), ("tryget",), ("timedget",), ("load", 0)],
    "small queues": [("smallput", 1), ("smalltryput", 2), ("smalltimedput", 1), ("smallget",), ("length",)],
    "threads": [("spawn", [("store", 0, 1)]), ("plainspawn", [("store", 0, 2)]), ("plainspawn", []), ("join",),
                ("timedjoin",), ("alive",), ("load", 0)],
    "choices": [("choose", 2), ("choose", 3), ("if", 1, [("store", 0, 1)]), ("load", 0), ("cas", 0, 0, 1)],
    "mixed": [("load", 0), ("store", 0, 1), ("cas", 0, 0, 1), ("acquire", 0), ("release", 0),
              ("trylock", 0, [("store", 0, 2)]), ("timedlock", 0, []), ("down",), ("timeddown",), ("up",),
              ("eventwait",), ("set",), ("choose", 2), _WAITS[1], _NOTIFIES[0], ("put", 1), ("get",)],
}
# what takes functions for arguments has no certificate; event loops and who polls are those of real code, not of models
UNWRITTEN = {"cell.update", "cell.await", "cell.until",
             *(kind for kind in ROWS if kind.startswith(("loop.", "poll.")))}


@dataclass
class Account:
    """What was tried."""

    programs: int = 0
    interleavings: int = 0
    classes: int = 0
    parts: int = 0  # of the classes of a program: each was refused
    kinds: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return (f"{self.programs} programs, {self.interleavings} interleavings, {self.classes} classes, "
                f"{self.parts} parts refused, {len(self.kinds)} kinds of operations")


def programs(alphabet: list[Statement]) -> Iterator[list[list[Statement]]]:
    """Two actors of one or two statements, and three of one; without regard to the order of actors."""
    lines = [list(line) for size in (1, 2) for line in product(alphabet, repeat=size)]
    for pair in combinations_with_replacement(lines, 2):
        yield list(pair)
    for three in combinations_with_replacement(alphabet, 3):
        yield [[statement] for statement in three]


def judge(source: list[list[Statement]], account: Account) -> None:
    """Raise AssertionError unless all that is claimed holds of this program."""
    records = _recorded(source, account)
    found = search(build(source), Optimal())
    assert len(found) == len(set(found)) == len(records), f"the search found {len(found)} of {len(records)}: {source}"
    whole = {"kind": KIND, "executions": records}
    verdict = audit(whole)
    assert isinstance(verdict, Holds), f"refused, though complete: {source}: {verdict}"
    if len(records) > 1:
        rest = {**whole, "executions": records[:-1]}
        assert isinstance(audit(rest), Violated), f"accepted without the last execution: {source}"
    closed = _closed_part(records, account)
    assert not closed, f"a part is closed: {closed:b} of {len(records)}: {source}"
    account.programs += 1
    account.classes += len(records)


def _recorded(source: list[list[Statement]], account: Account) -> list[Any]:
    """One execution of each class, found by brute force, as it is read from a file."""
    recorder, seen = Recorder(), set()

    def see(execution: Execution) -> None:
        account.kinds.update(event.operation.kind for event in execution.events)
        if (key := class_of(execution)) not in seen:
            seen.add(key)
            recorder.record(execution)

    account.interleavings += run(build(source), DepthFirst(), watch=see).executions
    certificate = recorder.certificate()
    assert certificate is not None, recorder.refusal
    read: list[Any] = json.loads(json.dumps(certificate.data))["executions"]
    return read


def _closed_part(records: list[Any], account: Account) -> int:
    """A proper non-empty part in which every race finds its reversal, as a set of bits; 0 if there is none."""
    numbers: dict[Any, int] = {}
    runs = [recorded.Run(record, numbers) for record in records]
    holders = auditing._holders(runs)
    asked = [[_holding(race.identities, holders) for race in auditing._races(run)] for run in runs]
    whole = (1 << len(runs)) - 1
    for part in _parts(len(runs)):
        account.parts += 1
        if all(part & answer for number, answers in enumerate(asked) if part >> number & 1 for answer in answers):
            return part
        assert part != whole
    return 0


def _parts(count: int) -> Iterable[int]:
    if count <= WHOLE:
        return range(1, (1 << count) - 1)
    rng, whole = random.Random(count), (1 << count) - 1
    return [*(whole ^ 1 << left for left in range(count)), *(rng.randrange(1, whole) for _ in range(DRAWN))]


def _holding(identities: list[Any], holders: dict[Any, int]) -> int:
    """The executions that contain all these events."""
    common = -1
    for identity in identities:
        common &= holders.get(identity, 0)
    return common


def exhaust(family: str, every: int = 1, account: Account | None = None) -> Account:
    """Judge the programs of a family, or every so-many-th of them."""
    account = account or Account()
    for source in islice(programs(FAMILIES[family]), 0, None, every):
        judge(source, account)
    return account


def main(every: int = 1, *families: str) -> None:
    """Judge them all, and say so by family."""
    start, kinds = time.process_time(), set()
    for family in families or FAMILIES:
        account = exhaust(family, every)
        kinds |= account.kinds
        print(f"{family}: {account}; {time.process_time() - start:.0f} s of CPU", flush=True)
    print(f"all accepted, no part accepted; rows not met: {', '.join(sorted(set(ROWS) - kinds)) or 'none'}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
