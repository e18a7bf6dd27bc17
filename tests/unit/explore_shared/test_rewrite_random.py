"""Random programs do the same rewritten as plain: the same result, the same trace, the same failure on the same line.

The programs are grown from a number, not drawn piece by piece: a program of Hypothesis's own making takes longer to
draw than to run. What shrinks is the size.
"""

from __future__ import annotations

import random
import re
import warnings

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.explore_shared.side_by_side import probes, ran

ATOMS = ["a", "b", "c", "d", "e", "a", "b", "-1", "0", "1", "2", "s", "s.a", "o", "o.x", "o.ys", "xs", "m", "xs[0]",
         "m['k']", "'t'", "b'y'", "None", "[]", "()", "G", "H", "0.5"]
GROWN = """
(E + E)|(E - E)|(E * E)|(E | E)|(E & E)|(E % E)|(E < E)|(E == E)|(E != E)|(E in E)|(E not in E)|(E is E)|(E >= E)
(E <= E == E)|(E in E < E)|(E < E is not E)|(E and E)|(E or E)|(E or E and E)|(not E)|(-E)|(E if E else E)|(N := E)
note(E)|note(E, k=E)|note(*[E], E)|s.m(E)|s.m(*[E], **{'k': E})|xs.append(E)|s(E).n(E)|o.get(E, E)|s[E]|xs[E:E]|xs[::E]
[E, *[E]]|{'p': E, **{'q': E}}|f'{E!r:>3}'|f'{E}{a}'|(lambda e=E: E)()|(lambda: (N := E))()|[E for e in [E, 2] if E]
list(E for a, b in [(1, E)])|[(lambda: e) and E for e, o.x in [(E, 1)]]|{N: E for N in [E]}|sum(1 for _ in [E])
[f() for f in [lambda: N for N in [E, 1]]]|m.get(E)|(E, E)|m[E]|m.setdefault(E, E)|isinstance(E, int)|len(xs)|str(E)
[y for x in [E, [1]] if x for y in [x, E]]|[N := x for x in [E]]
""".replace("\n", "|").strip("|").split("|")
TARGETS = ["a", "b", "c", "d", "e", "a", "b", "o.x", "xs[0]", "m['k']", "s.t", "s[1]", "xs[1:2]", "m[a]", "G"]
SIMPLE = """
T = E|T = T = E|T, T = E, E|T, T = E|(T, [T, T]) = E, [E, E]|T, *T = E, 1, 2|[*T, T] = E, 3|T += E|T -= E|T *= E|T |= E
del T|note(E)|E|assert E, note('no')|return E|pass|import os.path as N|import os.path|from os import sep as N
raise ValueError(a)|note(sorted(locals()))|N: note('never') = E|a = [a, b]|T = N = E|G = E|del N|N = 1|T, N = N, E
""".replace("|= ", "\0").replace("\n", "|").strip("|").replace("\0", "|= ").split("|")
HEAD = """\
G, H = 1, [2]
class Thing:
    def get(self, *args): return args
def run(s, log):
    steps = iter([1, 1, 0])
    def step(): return next(steps, 0)
    def note(*args, **kwargs):
        log.append((args, kwargs))
        return args[0]
    o = Thing()
    o.x, o.ys = 1, [3]
    xs, m = [1, 2, 3], {'k': 1, 1: 2}
    a, b, c = 0, [1], 'c'
    def look(): return a, b
"""


class Grown:
    """A program grown from a random source."""

    def __init__(self, chance: random.Random, size: int) -> None:
        self.chance = chance
        self.budget = size

    def filled(self, form: str, depth: int) -> str:
        out = []
        for at, char in enumerate(form):
            alone = not (form[at - 1: at] + form[at + 1: at + 2]).strip(" ()[]{}*,:;.=+-|!\0'~").isalnum()
            out.append({"E": self.expression, "N": self.name, "T": self.target}[char](depth)
                       if char in "ENT" and alone else char)
        return "".join(out)

    def name(self, depth: int) -> str:
        return self.chance.choice("abcde")

    def target(self, depth: int) -> str:
        return self.chance.choice(TARGETS)

    def expression(self, depth: int) -> str:
        if depth <= 0 or self.chance.random() < 0.4:
            return self.chance.choice(ATOMS)
        return self.filled(self.chance.choice(GROWN), depth - 1)

    def block(self, depth: int) -> list[str]:
        lines: list[str] = []
        for _ in range(self.chance.randint(1, 3)):
            lines += self.statement(depth)
        return lines

    def statement(self, depth: int) -> list[str]:
        self.budget -= 1
        if depth <= 0 or self.budget <= 0 or self.chance.random() < 0.5:
            return [self.filled(self.chance.choice(SIMPLE), 2)]
        return self.chance.choice(COMPOUND)(self, depth - 1)

    def under(self, header: str, depth: int, *, first: tuple[str, ...] = (), last: tuple[str, ...] = ()) -> list[str]:
        lines = [*first, *self.block(depth), *last]
        return [self.filled(header, 2), *("    " + line for line in lines)]

    def branches(self, depth: int) -> list[str]:
        return self.under("if E:", depth) + self.under("elif E:", depth) + self.under("else:", depth)

    def loops(self, depth: int) -> list[str]:
        headers = ["for T in [E, 1]:", "for T, T in [(1, 2), (3, E)]:", "for N in xs[:2]:"]
        return self.under(self.chance.choice(headers), depth)

    def repeats(self, depth: int) -> list[str]:
        return self.under("while note(step()) and E:", depth, last=("continue",)) + self.under("else:", depth)

    def tries(self, depth: int) -> list[str]:
        return (self.under("try:", depth) + self.under("except (ValueError, TypeError, NameError) as N:", depth)
                + self.under("except AttributeError:", depth) + self.under("finally:", depth))

    def withs(self, depth: int) -> list[str]:
        return self.under(self.chance.choice(["with s as T, s.w as N:", "with s, s.v as (T, T):"]), depth)

    def functions(self, depth: int) -> list[str]:
        name = self.chance.choice("fab")
        declared = self.chance.choice(["pass", "nonlocal a", "nonlocal b, c", "global H", "global G, d"])
        called = self.chance.choice([f"note({name}())", f"list({name}())", "pass"])
        decorated = self.chance.choice([[], [], ["@note"]])
        last = self.chance.choice([("return a, b",), ("yield a", "b = yield c"), ()])
        return [*decorated, *self.under(f"def {name}(e=E):", depth, first=(declared,), last=last), called]

    def classes(self, depth: int) -> list[str]:
        lines = self.under("class N(Thing):", depth, last=("def meth(self): return a, self.x, self.__y",))
        return [line for line in lines if "return" not in line or "meth" in line]

    def matches(self, depth: int) -> list[str]:
        cases = ["case [N, *_]:", "case 1 | None:", "case o.x:", "case {'k': N, **e} if E:", "case Thing(x=N):",
                 "case [1, _] if E:", "case str() as N:", "case int(N) if E:"]
        lines = [self.filled("match E:", 2)]
        for case in self.chance.sample(cases, 3):
            lines += ["    " + line for line in self.under(case, depth)]
        return [*lines, "    case _: pass"]


COMPOUND = [Grown.branches, Grown.loops, Grown.repeats, Grown.tries, Grown.withs, Grown.functions, Grown.functions,
            Grown.classes, Grown.matches]


def program(seed: int, size: int) -> str | None:
    """The program that grows from a seed; None if Python will not have it."""
    grown = Grown(random.Random(seed), size)
    lines: list[str] = []
    while grown.budget > 0:
        lines += grown.statement(3)
    source = HEAD + "".join(f"    {line}\n" for line in [*lines, "return a, b, c, xs, m, vars(o), look()"])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `1 is 2`, and the like
            compile(source, "<program>", "exec")
    except SyntaxError:  # a name that is bound before it is declared nonlocal, a walrus where there may be none ...
        return None
    return source


def settled(outcome: tuple[str, list[str], list[str]]) -> tuple[str, list[str], list[str]]:
    """An outcome without the two differences that are known.

    A false link of a chain that is no bool is asked for its truth twice. A temporary name stays in its frame when an
    exception flies while it is in use.
    """
    result, log, names = outcome
    log = [re.sub(r"'__hocket_\d+__', ", "", line) for line in log]
    once = [line for at, line in enumerate(log) if not line[:-1].endswith(" bool") or log[at - 1: at] != [line]]
    return result, once, names


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**32), st.booleans(), st.booleans(), st.booleans())
def test_a_random_program_does_the_same_rewritten(size, seed, truth, executed, direct):
    source = next(filter(None, (program(seed + at, size) for at in range(1000))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = ran(source, again=False, truth=truth)
        if "NameError" in plain[0] or "UnboundLocalError" in plain[0] or any("Error" in line for line in plain[1]):
            direct = True  # calls of the other form look a method up after its arguments, if those are names
        with probes():
            new = ran(source, again=True, truth=truth, executed=executed, direct=direct)
    assert settled(new) == settled(plain), source
