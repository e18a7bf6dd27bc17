"""Random programs with threads, explored, and held against every schedule of plain Python.

    python -m tests.fuzz_threads [programs] [seed] [family]

A program is text: two or three threads of a few statements on something shared, drawn from
`tests/thread_templates.py` and put into calls, loops, lambdas and handlers. `tests/thread_oracle.py` runs
it in real threads with all switches between bytecodes that few preemptions allow. What the
oracle came to, the exploration has to have come to as well, or it has not proved
anything; and it must run each class once, and end without an error of its own. Where the oracle has left nothing
out, what only the exploration comes to is told, too: it is allowed where a call of C is several steps.
"""

from __future__ import annotations

import importlib.util
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import hocket
from hocket.errors import HocketError
from tests.thread_oracle import Ends, ends_of
from tests.thread_templates import FAMILIES, Family

__all__ = ["Answer", "Program", "check", "programs"]

_NAME = "drawn_threads"
_EXECUTIONS = 3_000
# how a read is put: {0} is the expression
_READINGS = ("note({0})",) * 6 + (
    "x = {0} ¶ note(x)", "note((lambda: {0})())", "def h(): return {0} ¶ note(h())", "for _ in range(2): note({0})",
    "note(*[{0} for _ in (1,)])", "if {0}: note('yes') ¶ else: note('no')", "note(f'{{{0}!r:}}')", "note(({0}, {0}))",
    "note(functools.partial(lambda x: x, {0})())", "x = {0} ¶ y = {0} ¶ note(x == y)",
    "note(*map(lambda _: {0}, (1,)))",
    "def h(): ¶     yield {0} ¶ note(*h())", "assert {0}", "with contextlib.nullcontext({0}) as x: note(x)",
    "try: note({0}) ¶ finally: note('done')", "note(sorted([1], key=lambda _: bool({0})))",
    "while {0}: ¶     note(1) ¶     break", "def h(x={0}): return x ¶ note(h())", "note(repr({0}))",
    "x = [{0}] ¶ note(x)", "if (x := {0}): note(x)",
    "note(next(iter([lambda: {0}]))())", "note({0} if {0} else 0)",
)
# how a deed is put, line by line
_DOINGS = ("{0}",) * 8 + (
    "for _ in range(2): ¶ {1}", "def h(): ¶ {1} ¶ h()", "try: ¶ {1} ¶ except Exception as e: note(type(e).__name__)",
    "with lock: ¶ {1}", "try: ¶ {1} ¶ finally: note('done')", "class T: ¶     def m(self): ¶ {2} ¶ T().m()",
    "if True: ¶ {1}", "with contextlib.suppress(LookupError): ¶ {1}",
)
_HEAD = "import contextlib, functools, threading\n"


class Program(NamedTuple):
    """What each thread does, statement by statement, with what is made by `made`; as a module whose `body` is run."""

    family: Family
    made: str
    tasks: tuple[tuple[str, ...], ...]
    lasting: bool  # what is shared is the module's, and stays from one execution to the next

    @property
    def text(self) -> str:
        """`body` returns what it came to, as text."""
        functions = [f"def task{at}(note):\n" + _indented("\n".join(task)) for at, task in enumerate(self.tasks)]
        shared = "\n".join(["lock = threading.Lock()", self.made, *functions])
        names = "".join(f"task{number}, " for number in range(len(self.tasks)))
        head = shared if self.lasting else ""
        return f"""{_HEAD}{self.family.before}
{head}
def body():
{"" if self.lasting else _indented(shared)}
    notes = [[] for _ in range({len(self.tasks)})]
    threads = [threading.Thread(target=guarded, args=(task, one)) for task, one in zip(({names}), notes)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return repr((notes, {self.family.end}))
def guarded(task, notes):
    def note(*values): notes.append(repr(values))
    try: task(note)
    except Exception as error: notes.append(type(error).__name__)
"""

    def written(self) -> frozenset[str]:
        """The variables that functions assign to."""
        named = re.findall(r"(?:global|nonlocal) ([\w, ]+)", self.text)
        return frozenset(name.strip() for names in named for name in names.split(","))

    def smaller(self) -> Iterator[Program]:
        """This one with a statement less, or a thread."""
        for at, task in enumerate(self.tasks):
            before, after = self.tasks[:at], self.tasks[at + 1:]
            if len(self.tasks) > 2:
                yield self._replace(tasks=before + after)
            if len(task) > 1:
                yield from (self._replace(tasks=(*before, task[:n] + task[n + 1:], *after)) for n in range(len(task)))
        if self.lasting:
            yield self._replace(lasting=False)


# -- drawing programs -------------------------------------------------------------------------------------------------


def programs(count: int, seed: int, only: str = "") -> Iterator[Program]:
    """Programs of all families in turn, or of those whose name contains `only`."""
    rng = random.Random(seed)
    families = [family for family in FAMILIES if only in family.name]
    made = 0
    while made < count:
        program = _drawn(rng, families[made % len(families)])
        if _can_be_read(program):
            made += 1
            yield program


def _can_be_read(program: Program) -> bool:
    """A template may not stand everywhere: `nonlocal` means nothing in a module."""
    try:
        compile(program.text, _NAME, "exec")
    except SyntaxError:
        return False
    return True


def _drawn(rng: random.Random, family: Family) -> Program:
    fresh = iter(range(10, 90))
    threads = rng.choice((2, 2, 2, 3))
    tasks = [_task(rng, family, rng.randint(1, 3 if threads == 2 else 2), fresh) for _ in range(threads)]
    return Program(family, _filled(family.made, rng, fresh), tuple(tasks), rng.random() < 0.3)


def _task(rng: random.Random, family: Family, count: int, fresh: Iterator[int]) -> tuple[str, ...]:
    reads, deeds = _rows(family.reads), _rows(family.deeds)
    statements = []
    for _ in range(count):
        if rng.random() < 0.45:
            lines = _lines(rng.choice(_READINGS).format(rng.choice(reads)))
        else:
            lines = _done(rng.choice(_DOINGS), rng.choice(deeds))
        statements.append(_filled("\n".join(lines), rng, fresh))
    return tuple(statements)


def _done(how: str, deed: str) -> list[str]:
    """A deed, in company; its lines are moved to where they stand."""
    found = []
    for line in _lines(how):
        place = re.fullmatch(r"\{(\d)\}", line.strip())
        found += ["    " * int(place[1]) + each for each in _lines(deed)] if place else [line]
    return found


def _rows(text: str) -> list[str]:
    return [line.strip() for line in text.strip().split("\n") if line.strip()]


def _lines(row: str) -> list[str]:
    return row.split(" ¶ ")


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.split("\n"))


def _filled(text: str, rng: random.Random, fresh: Iterator[int]) -> str:
    text = re.sub(r"\bK\b", lambda _: str(rng.randrange(3)), text)
    return re.sub(r"\bN\b", lambda _: str(next(fresh)), text)


# -- the check --------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What came of one program: a word, and what there is to say."""

    word: str
    told: str
    classes: int = 0
    schedules: int = 0


def check(program: Program, most: int = 500, model: str = "free") -> Answer:
    """Explore a program and compare. Words: agreed, more, MISSED, BROKEN, FAILED, incomplete, senseless."""
    try:
        oracle = _asked(program, most, model)
    except Exception as error:
        return Answer("senseless", repr(error))
    try:
        result = _explored(program, model)
    except (HocketError, Exception) as error:
        return Answer("BROKEN", f"{type(error).__name__}: {error}")
    counts = (result.classes, oracle.schedules)
    if result.verdict == "failed":
        assert result.failure is not None
        if program.lasting and any("put back" in each for each in result.untracked):
            return Answer("incomplete", _reason(result), *counts)
        agreed = "deadlock" in oracle.found and "deadlock" in str(result.failure.kind)
        return Answer("agreed" if agreed else "FAILED", str(result)[:3_000], *counts)
    missed = oracle.found.keys() - set(result.outcomes)
    if result.verdict != "proved":
        return Answer("incomplete", _reason(result) + (" (and missed)" if missed else ""), *counts)
    if missed:
        return Answer("MISSED", _compared(missed, oracle, result), *counts)
    if result.classes != result.executions:
        return Answer("BROKEN", f"{result.classes} classes, {result.executions} executions", *counts)
    invented = set(result.outcomes) - oracle.found.keys()
    if invented and oracle.complete:  # three switches were needed, or steps of one call of C
        return Answer("more", "\n".join(sorted(map(str, invented))[:4]), *counts)
    return Answer("agreed", "", *counts)


def _compared(missed: set[Any], oracle: Ends, result: Any) -> str:
    rows = [f"missed   {end}  by {oracle.found[end]}" for end in sorted(missed)[:4]]
    return "\n".join([*rows, *(f"explored {end}" for end in sorted(result.outcomes)[:6]), str(result)])


def _reason(result: Any) -> str:
    told = result.untracked[0] if result.untracked else ""
    return re.sub(r"\d+", "#", re.sub(r"\S+\.py:\d+ ", "", f"{result.reason}: {told}"))[:160]


def _asked(program: Program, most: int, model: str) -> Ends:
    code = compile(program.text, _NAME, "exec")

    def once() -> Any:
        names: dict[str, Any] = {"__name__": _NAME}
        exec(code, names)
        return names["body"]()

    module = sys.modules[_NAME] = ModuleType(_NAME)
    try:
        return ends_of(once, written=program.written(), drops=program.family.drops, gil=model == "gil", most=most)
    finally:
        del sys.modules[module.__name__]


def _explored(program: Program, model: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{_NAME}.py"
        path.write_text(program.text)
        module = _loaded(path)
        try:
            return hocket.explore(module.body, model=model, executions=_EXECUTIONS)
        finally:
            del sys.modules[_NAME]


def _loaded(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(_NAME, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- the hunt ---------------------------------------------------------------------------------------------------------


def shrunk(program: Program, answer: Answer, model: str = "free") -> tuple[Program, Answer]:
    """The smallest that is found of which the same is to be said."""
    for smaller in program.smaller():
        other = check(smaller, model=model)
        if other.word == answer.word:
            return shrunk(smaller, other, model)
    return program, answer


def hunt(drawn: Iterator[Program], tell: Callable[[int, Program, Answer], None], model: str = "free",
         most: int = 500) -> Counter[str]:
    """How often each word is said of them."""
    words: Counter[str] = Counter()
    for number, program in enumerate(drawn):
        answer = check(program, most, model)
        words[answer.word] += 1
        tell(number, program, answer)
    return words


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    model = sys.argv[4] if len(sys.argv) > 4 else "free"
    reasons: Counter[str] = Counter()
    began = time.process_time()

    def tell(number: int, program: Program, answer: Answer) -> None:
        if answer.word == "incomplete":
            reasons[f"{program.family.name}: {answer.told}"] += 1
        elif answer.word == "senseless":
            print(f"== senseless {number} {program.family.name}: {answer.told}")
        elif answer.word not in ("agreed", "more"):
            program, answer = shrunk(program, answer, model)
            print(f"== {answer.word} {number} {program.family.name}\n{program.text}\n{answer.told}\n", flush=True)

    words = hunt(programs(count, seed, only), tell, model)
    for reason, often in reasons.most_common(40):
        print(f"{often:5} incomplete {reason}")
    print(dict(words), f"{time.process_time() - began:.0f} s of CPU")


if __name__ == "__main__":
    main()
