"""Which conditions over one text can be true together: decided by automata, without a solver.

"Begins with v", "fits ^v[0-9]+$" and "is main" are regular languages. Each becomes the
automaton of its positions (Glushkov, 1961), of which sets of positions are the states;
all of them are stepped side by side, letter by letter, from the beginning on, until no
new combination of states is reached. What is accepted in the combinations are all the
ways in which the conditions can be true and false together (`ways`), each with a
shortest text that shows it. Letters that no condition tells apart are one letter.

A certificate rests on this: it says that a text of no other kind exists. So it shares
nothing with the terms that z3 is given (`regex`) but Python's parser of expressions,
and `re` itself is what the tests hold it against: letters as ASCII has them, as
`formula.matches` has them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from operator import getitem
from typing import Any

from hocket.verify.formula import Equal, How, Matches
from hocket.verify.regex import between, parsed

__all__ = ["Condition", "Ways", "condition_of", "ways"]

_MOST_POSITIONS = 1_000  # of one condition, and ...
_MOST_STATES = 2_000  # ... sets of them
_LAST = 0x10FFFF

Condition = tuple[How | None, str]  # None: the text is this one and no other
Ways = dict[tuple[bool, ...], str]
Letters = tuple[tuple[int, int], ...]  # spans of characters, in order and apart

_ANY: Letters = ((0, _LAST),)
_CLASSES: dict[str, Letters] = {
    "CATEGORY_DIGIT": ((48, 57),),
    "CATEGORY_SPACE": ((9, 13), (32, 32)),
    "CATEGORY_WORD": ((48, 57), (65, 90), (95, 95), (97, 122)),
}


def condition_of(atom: Equal | Matches) -> Condition:
    """What an atom says of a text."""
    return (atom.how, atom.text) if isinstance(atom, Matches) else (None, str(atom.value))


class _TooMany(Exception):
    """More positions or combinations than anybody waits for."""


@lru_cache(maxsize=20_000)
def ways(conditions: tuple[Condition, ...], most: int = 4_000) -> Ways | None:
    """Every way in which these can be true and false of one text, with a shortest such text.

    None if there are more than `most` combinations of states, or an expression is larger than anybody writes.
    Expressions have to be such as `regex.expressible` accepts.
    """
    try:
        machines = [_machine(*condition) for condition in conditions]
        letters = _alphabet(machines)
        return _together([_smallest(machine.table(letters)) for machine in machines], letters, most)
    except _TooMany:
        return None


def _together(tables: Sequence[_Table], letters: Sequence[int], most: int) -> Ways:
    """A search, breadth first, through the combinations of states."""
    steps = _different([rows for rows, _ in tables], letters)
    accepting = [accepts for _, accepts in tables]
    start = (0,) * len(tables)
    found: Ways = {}
    texts = {start: ""}
    layer = [start]
    while layer:
        following = []
        for states in layer:
            text = texts[states]
            found.setdefault(tuple(map(getitem, accepting, states)), text)
            for letter, columns in steps:
                after = tuple(map(getitem, columns, states))
                if after not in texts:
                    if len(texts) >= most:
                        raise _TooMany
                    texts[after] = text + letter
                    following.append(after)
        layer = following
    return found


def _different(tables: Sequence[list[list[int]]], letters: Sequence[int]) -> list[tuple[str, tuple[list[int], ...]]]:
    """Each letter with the states to which it leads, one list for each machine; one of those that lead alike."""
    columns = [list(zip(*rows, strict=True)) for rows in tables]
    found: dict[tuple[tuple[int, ...], ...], int] = {}
    for place, letter in enumerate(letters):
        found.setdefault(tuple(column[place] for column in columns), letter)
    return [(chr(letter), tuple(map(list, leads))) for leads, letter in found.items()]


def _smallest(table: _Table) -> _Table:
    """The same machine with as few states as can be: those that no text tells apart are one (Moore, 1956)."""
    rows, accepts = table
    kind: list[int] = list(map(int, accepts))
    while True:
        signs = [(kind[state], *(kind[after] for after in row)) for state, row in enumerate(rows)]
        number = {sign: place for place, sign in enumerate(dict.fromkeys(signs))}
        finer = [number[sign] for sign in signs]
        if len(number) == len(set(kind)):
            break
        kind = finer
    first = {one: state for state, one in reversed(list(enumerate(finer)))}
    order = sorted(first)  # the beginning is the first sign, so it stays the first state
    return [[finer[after] for after in rows[first[one]]] for one in order], [accepts[first[one]] for one in order]


def _alphabet(machines: Iterable[_Machine]) -> list[int]:
    """One of each kind of letters that some machine tells apart: the first of each span between two borders."""
    borders = {0} | {border for machine in machines for letters in machine.letters
                     for low, high in letters for border in (low, high + 1)}  # fmt: skip
    return sorted(border for border in borders if border <= _LAST)


class _Machine:
    """Positions with their letters; `after` says which can follow each, and position 0 is before the first letter."""

    def __init__(self) -> None:
        self.letters: list[Letters] = [()]
        self.after: list[set[int]] = [set()]
        self.last: set[int] = set()

    def position(self, letters: Letters) -> _Part:
        if len(self.letters) >= _MOST_POSITIONS:
            raise _TooMany
        self.letters.append(letters)
        self.after.append(set())
        here = frozenset({len(self.letters) - 1})
        return False, here, here

    def finished(self, part: _Part) -> _Machine:
        """The machine whose texts are those of this part."""
        empty, first, last = part
        self.after[0] = set(first)
        self.last = set(last) | ({0} if empty else set())
        return self

    def table(self, letters: Sequence[int]) -> _Table:
        """Sets of positions as states, from the one before the first letter on; rows say where each letter leads."""
        states = [frozenset({0})]
        number = {states[0]: 0}
        rows: list[list[int]] = []
        for state in states:  # of which there come more meanwhile
            if len(states) > _MOST_STATES:
                raise _TooMany
            following = frozenset[int]().union(*(self.after[one] for one in state))
            row = [frozenset(one for one in following if _among(letter, self.letters[one])) for letter in letters]
            for after in row:
                if after not in number:
                    number[after] = len(states)
                    states.append(after)
            rows.append([number[after] for after in row])
        return rows, [not self.last.isdisjoint(state) for state in states]

    # -- parts: (whether it can be empty, the positions with which it can begin, and with which it can end) -----------

    def joined(self, parts: Iterable[_Part]) -> _Part:
        """One after the other."""
        empty, first, last = True, frozenset[int](), frozenset[int]()
        for its_empty, its_first, its_last in parts:
            for one in last:
                self.after[one] |= its_first
            first = first | its_first if empty else first
            last = last | its_last if its_empty else its_last
            empty = empty and its_empty
        return empty, first, last

    def either(self, parts: Iterable[_Part]) -> _Part:
        empty, first, last = False, frozenset[int](), frozenset[int]()
        for its_empty, its_first, its_last in parts:
            empty, first, last = empty or its_empty, first | its_first, last | its_last
        return empty, first, last

    def any_number(self, part: _Part) -> _Part:
        _, first, last = part
        for one in last:
            self.after[one] |= first
        return True, first, last


_Table = tuple[list[list[int]], list[bool]]  # where each letter leads from each state, and which states accept
_Part = tuple[bool, frozenset[int], frozenset[int]]
_EMPTY: _Part = (True, frozenset(), frozenset())


def _among(letter: int, letters: Letters) -> bool:
    place = bisect_right(letters, (letter, _LAST)) - 1
    return place >= 0 and letters[place][0] <= letter <= letters[place][1]


def _machine(how: How | None, text: str) -> _Machine:
    machine = _Machine()
    if how is How.FITS:
        return machine.finished(_Expression(machine, text).found())
    word = [machine.position(((ord(letter), ord(letter)),)) for letter in text]
    before = [machine.any_number(machine.position(_ANY))] if how in (How.ENDS, How.CONTAINS) else []
    after = [machine.any_number(machine.position(_ANY))] if how in (How.STARTS, How.CONTAINS) else []
    return machine.finished(machine.joined([*before, *word, *after]))


class _Expression:
    """A regular expression, found somewhere in a text."""

    def __init__(self, machine: _Machine, pattern: str) -> None:
        self.machine = machine
        self.ways, self.folded = parsed(pattern)

    def found(self) -> _Part:
        return self.machine.either([self._way(items) for items in self.ways])

    def _way(self, items: list[Any]) -> _Part:
        begins, inside, ends = between(items)
        machine = self.machine
        before = _EMPTY if begins else machine.any_number(machine.position(_ANY))
        after = _EMPTY
        if not ends:
            after = machine.any_number(machine.position(_ANY))
        elif ends == "AT_END":  # `$` also stands before a last line break
            after = machine.either([_EMPTY, machine.position(((10, 10),))])
        return machine.joined([before, self._all(inside), after])

    def _all(self, items: Any) -> _Part:
        return self.machine.joined([self._one(str(kind), value) for kind, value in items])

    def _one(self, kind: str, value: Any) -> _Part:
        match kind:
            case "BRANCH":
                return self.machine.either([self._all(branch) for branch in value[1]])
            case "SUBPATTERN":
                return self._all(value[3])
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeated(*value)
        return self.machine.position(self._letters(kind, value))

    def _repeated(self, least: int, most: int, inside: Any) -> _Part:
        """As often as it has to be, then as often as it may; without an end, the last of these any number of times."""
        parts = [self._all(inside) for _ in range(least)]
        if most > _MOST_POSITIONS:
            return self.machine.joined([*parts, self.machine.any_number(self._all(inside))])
        may = [self.machine.either([_EMPTY, self._all(inside)]) for _ in range(most - least)]
        return self.machine.joined([*parts, *may])

    def _letters(self, kind: str, value: Any) -> Letters:
        match kind:
            case "LITERAL":
                return self._fold([(value, value)])
            case "NOT_LITERAL":
                return _but(self._fold([(value, value)]))
            case "ANY":
                return _but(((10, 10),))
        negated = str(value[0][0]) == "NEGATE"
        letters = self._fold(span for one, what in value[negated:] for span in _spans(str(one), what))
        return _but(letters) if negated else letters

    def _fold(self, spans: Iterable[tuple[int, int]]) -> Letters:
        """The spans in order; where case does not count, with the other case of each letter of ASCII."""
        found = list(spans)
        if self.folded:
            cases = ((65, 90, 32), (97, 122, -32))
            found += [(max(low, first) + to, min(high, final) + to) for low, high in found
                      for first, final, to in cases if max(low, first) <= min(high, final)]  # fmt: skip
        return _merged(found)


def _spans(kind: str, what: Any) -> Letters:
    match kind:
        case "LITERAL":
            return ((what, what),)
        case "RANGE":
            return (tuple(what),)
    name = str(what)
    letters = _CLASSES[name.replace("NOT_", "")]
    return _but(letters) if "NOT_" in name else letters


def _merged(spans: Iterable[tuple[int, int]]) -> Letters:
    found: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return tuple(found)


def _but(letters: Letters) -> Letters:
    """All other letters."""
    return tuple(_gaps(letters))


def _gaps(letters: Letters) -> Iterator[tuple[int, int]]:
    borders = [(-1, -1), *letters, (_LAST + 1, _LAST + 1)]
    for (_, before), (after, _) in pairwise(borders):
        if before + 1 < after:
            yield before + 1, after - 1
