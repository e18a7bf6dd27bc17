"""Elements that nobody can tell apart: states that differ only by who is who are taken for one.

A permutation of the elements of a sort maps runs to runs if no term names an element
of it, and if what is given is the same after it as before. The states reached are then
unions of orbits, and one member of each, the least, stands for all.

Two ways to the least member. Where every symbol that changes has the sort once among
its arguments and never as its value, the cells of an element form a word. Elements are
*twins* if to exchange the two keeps what is given; that is an equivalence, and among
twins sorting the words is enough. What is left are renamings of whole classes of twins:
one for each coset of the group that the exchanges generate, which is normal, for a
renaming takes twins to twins. So the least of the sorted ones is the same for all that
differ by who is who. For other sorts all permutations that keep what is given are tried.
Refused: words compared first and permutations tried within ties, which is faster in the
middle of the range and needs a proof of its own.

After Clarke, Enders, Filkorn, Jha: Exploiting symmetry in temporal logic model checking
(1996); Ip and Dill: Better verification through symmetry (1996), whose scalarsets our
unbounded sorts are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import islice, permutations, product
from math import factorial, prod

from hocket.errors import SpecError
from hocket.spec.ground import Cell, Given, Scope
from hocket.spec.layout import executed
from hocket.spec.packed import Packed
from hocket.spec.terms import BOOL, Sort, Term, claim, walk
from hocket.spec.traced import Theory

__all__ = ["Symmetry", "symmetry"]

_MOST = 40_320  # permutations that are looked through for those that keep what is given: 8!
_TRIED = 1_000  # permutations that are tried on each state

Renaming = Mapping[Sort, tuple[int, ...]]  # for each element the number of the one that takes its place
Twins = Mapping[Sort, list[list[int]]]  # of each sort whose elements' cells form words, its classes


class Symmetry:
    """What is taken for one: `twins` by sorting, the rest by `renamings`; `size` is the group's order."""

    def __init__(self, packed: Packed, sorts: Collection[Sort], twins: Twins, renamings: list[Renaming]) -> None:
        self.packed, self.twins, self.renamings = packed, twins, renamings
        alike = [len(one) for classes in twins.values() for one in classes]
        self.size = len(renamings) * prod(map(factorial, alike))
        self.sorts = tuple(sorts)

    def canon(self) -> Callable[[int], int]:
        """The least state that differs from a given one only by who is who."""
        lines = ["def least(s):", *(f"    {line}" for line in self._sorting()), "    return s"]
        least: Callable[[int], int] = executed(lines, "least")
        others = [text for renaming in self.renamings if (text := self._moved(renaming)) != "s"]
        if not others:
            return least
        ways = ", ".join(f"least({text})" for text in others) if self.twins else ", ".join(others)
        first = "least(s)" if self.twins else "s"
        made: Callable[[int], int] = executed([f"canon = lambda s: min({first}, {ways})"], "canon", least=least)
        return made

    def _sorting(self) -> Iterable[str]:
        """Lines that sort the words of each class of twins."""
        packed = self.packed
        for sort, classes in self.twins.items():
            cells = [cell for cell in packed.offset if sort in cell[0].domain]
            for alike in classes:
                ours = [[cell for cell in cells if _element(cell, sort) == n] for n in alike]
                width = sum(map(packed.width, ours[0]))
                if width and len(alike) > 1:
                    yield from self._sorted([min(packed.offset[cell] for cell in own) for own in ours], width)

    def _sorted(self, begin: list[int], width: int) -> Iterable[str]:
        """Lines that sort the words of this width that begin at these bits."""
        word = (1 << width) - 1
        rest = self.packed.whole ^ sum(word << at for at in begin)
        yield f"w = sorted(({', '.join(f's >> {at} & {word}' for at in begin)}))"
        yield " | ".join([f"s = s & {rest}", *(f"w[{n}] << {at}" for n, at in enumerate(begin))])

    def _moved(self, renaming: Renaming) -> str:
        """The state in which everybody has changed places, as a Python expression; "s" for nobody."""
        packed = self.packed
        shifts: dict[int, int] = {}
        parts = []
        for cell, at in packed.offset.items():
            to = packed.offset[_renamed(cell, renaming)]
            places = renaming.get(cell[0].to)
            if places is None or places == tuple(sorted(places)):
                shifts[to - at] = shifts.get(to - at, 0) | packed.mask(cell)
            else:
                parts.append(f"{places}[s >> {at} & {packed.mask(cell) >> at}] << {to}")
        if not parts and set(shifts) <= {0}:
            return "s"
        for by, bits in shifts.items():
            way = f" << {by}" if by > 0 else f" >> {-by}" if by else ""
            parts.append(f"(s & {bits}){way}")
        return " | ".join(parts)


def symmetry(
    theory: Theory, sizes: Mapping[str, object], given: Given | None, names: Collection[str], claims: Iterable[Term]
) -> Symmetry:
    """Take the elements of the sorts called `names` for interchangeable; raises SpecError where something tells them
    apart: a term of the model or of a claim that names one, or too many ways to exchange them."""
    sorts = [_sort(theory, name) for name in names]
    for sort in sorts:
        _nobody_is_named(theory, sort, claims)
    plain = Packed(theory, sizes, given)
    grouped = _sortable(plain, sorts)
    packed = Packed(theory, sizes, given, grouped)
    twins = {sort: _classes(packed.scope, sort) for sort in grouped}
    return Symmetry(packed, sorts, twins, _keeping(packed.scope, sorts, twins))


def _sort(theory: Theory, name: str) -> Sort:
    known = {sort.name: sort for sort in theory.sorts}
    claim(name in known, f"there is no sort {name!r} whose elements could be alike", f"one of {', '.join(known)}")
    return known[name]


def _nobody_is_named(theory: Theory, sort: Sort, claims: Iterable[Term]) -> None:
    for name, term in (*_said(theory), *(("a claim", term) for term in claims)):
        for part in walk(term):
            if part.op == "lit" and part.sort is sort:
                deed = theory.spec.deeds.get(name)
                raise SpecError(
                    f"{name} tells the elements of {sort} apart: it names {part}",
                    *(deed.line if deed else ("", 0)),
                    cure=f"symmetric= without {sort.name!r}",
                )


def _said(theory: Theory) -> Iterable[tuple[str, Term]]:
    """Every term of the model, with the name of what it belongs to."""
    for step in (*theory.initial, *theory.steps):
        yield from ((step.name, guard.term) for guard in step.guards)
        yield from ((step.name, definition.body) for definition in step.after.values())
    for axiom in theory.axioms:
        yield axiom.name, axiom.term


def _sortable(packed: Packed, sorts: Iterable[Sort]) -> list[Sort]:
    """Sorts whose elements' cells form words: once among the arguments of what is not given, and never a value."""
    found: list[Sort] = []
    changing = dict.fromkeys(cell[0] for cell in packed.offset)
    for sort in sorts:
        symbols = [symbol for symbol in changing if sort in (*symbol.domain, symbol.to)]
        plain = all(symbol.domain.count(sort) == 1 and symbol.to is not sort for symbol in symbols)
        if plain and all(not set(symbol.domain) & set(found) for symbol in symbols):
            found.append(sort)
    return found


def _classes(scope: Scope, sort: Sort) -> list[list[int]]:
    """The elements of a sort, each with those that it can be exchanged for."""
    places = [*range(len(scope.names[sort]))]
    found: list[list[int]] = []
    for one in places:
        for alike in found:
            swapped = [*places]
            swapped[one], swapped[alike[0]] = alike[0], one
            if _keeps(scope.fixed, {sort: tuple(swapped)}):
                alike.append(one)
                break
        else:
            found.append([one])
    return found


def _shuffles(scope: Scope, sort: Sort, classes: list[list[int]] | None) -> tuple[int, Iterable[tuple[int, ...]]]:
    """How many renamings of a sort there are to be looked at, and which: of twins, those that keep their order."""
    if classes is None:
        size = len(scope.names[sort])
        return factorial(size), permutations(range(size))
    of_size: dict[int, list[int]] = {}
    for number, alike in enumerate(classes):
        of_size.setdefault(len(alike), []).append(number)
    ways = product(*(permutations(numbers) for numbers in of_size.values()))
    many = prod(factorial(len(numbers)) for numbers in of_size.values())
    return many, (_in_order(classes, [*of_size.values()], way) for way in ways)


def _in_order(classes: list[list[int]], before: list[list[int]], after: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """The renaming that takes whole classes to whole classes: the first of one to the first of the other, and so on."""
    places: dict[int, int] = {}
    for numbers, moved in zip(before, after, strict=True):
        for number, to in zip(numbers, moved, strict=True):
            places.update(zip(classes[number], classes[to], strict=True))
    return tuple(places[n] for n in range(len(places)))


def _keeping(scope: Scope, sorts: list[Sort], twins: Twins) -> list[Renaming]:
    """Every renaming of the elements after which what is given is as it was, up to exchanges of twins."""
    shuffles = [_shuffles(scope, sort, twins.get(sort)) for sort in sorts]
    many = prod(count for count, _ in shuffles)
    if many > _MOST:
        named = ", ".join(sort.name for sort in sorts)
        raise SpecError(f"there are {many} ways to exchange the elements of {named}", cure="fewer elements")
    ways = [renamed for _, renamed in shuffles]
    renamings: Iterable[Renaming] = (dict(zip(sorts, places, strict=True)) for places in product(*ways))
    found = list(islice((one for one in renamings if _keeps(scope.fixed, one)), _TRIED + 1))
    if len(found) > _TRIED:
        raise SpecError(f"more than {_TRIED} renamings would be tried on each state", cure="fewer elements, or sorts")
    return found


def _keeps(fixed: Mapping[Cell, Term], renaming: Renaming) -> bool:
    for cell, value in fixed.items():
        there = fixed.get(_renamed(cell, renaming))
        places = renaming.get(cell[0].to)
        mine = places[value.payload] if places is not None and value.sort is not BOOL else value.payload
        if there is None or there.payload != mine:
            return False
    return True


def _renamed(cell: Cell, renaming: Renaming) -> Cell:
    symbol, at = cell
    places = (renaming.get(sort) for sort in symbol.domain)
    return symbol, tuple(n if to is None else to[n] for n, to in zip(at, places, strict=True))


def _element(cell: Cell, sort: Sort) -> int:
    return cell[1][cell[0].domain.index(sort)]
