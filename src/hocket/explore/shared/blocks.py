"""`model="gil"`: neighbouring accesses that CPython's global lock lets nobody come between are one operation.

`rewrite_blocks.py` has read off the source where such a stretch begins, what it may touch, and where it ends. Here it
is run: at its beginning the places are looked up, of all that is written in it, in whatever branch, and announced as
one operation; what is touched then needs no operation of its own. So an operation says at once what it may touch, as
every other does, and the search need not know of any of this. What cannot be told at the beginning, because it
depends on what is read in the stretch, is a step for itself: a switch more than CPython has, never one less.

The source does not show what an operator or an attribute leads to. Whatever may run a line of Python ends the stretch
when it is come to: a property, a `__getattr__`, an operand or a key of a class that somebody has written, a value
that is let go of and may have a finaliser.

It rests on where CPython's evaluation loop (`ceval.c`, `bytecodes.c`; 3.11 to 3.14) looks at its `eval_breaker`.
"""

from __future__ import annotations

import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import CodeType, MemberDescriptorType, ModuleType
from typing import Any, NamedTuple

from hocket.explore.shared.announce import _lookup, _missing
from hocket.explore.shared.containers import touch_of
from hocket.explore.shared.heap import SIZE, Thing
from hocket.explore.shared.probes import Probes, _cell_of
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.naming import caller
from hocket.explore.threads.pool import _get_ident
from hocket.trace.operation import Operation

__all__ = ["Blocks"]

_MOST_WRITTEN = 4  # places that one operation writes; there is a row for each number
_MOST_KEYS = 1_000  # of a dict that is looked through for keys that have methods
_ATOMS: set[type] = {int, float, complex, str, bytes, bool, type(None)}
_HOLDERS = (dict, OrderedDict, list)
_COUNTED = (*_HOLDERS, tuple, set, frozenset, deque, bytearray)  # whose truth is their length
_GETTERS: tuple[Any, ...] = (object.__getattribute__, type.__getattribute__, ModuleType.__getattribute__)
_SETTERS: tuple[Any, ...] = (object.__setattr__, type.__setattr__, ModuleType.__setattr__)
_MODES: dict[str, Callable[[int], str]] = {  # of the places of an operation on data
    "data.read": lambda count: "r" * count,
    "data.write": lambda count: "w" * count,
    "data.put_at": lambda count: "rw",
    "data.put": lambda count: "w-",  # of a key that is there
}


class _Block(NamedTuple):
    """A stretch that an actor is in: whose code it is, from line to line, and what was announced: by place r or w."""

    frame: int
    code: CodeType
    first: int
    last: int
    places: dict[int, str]


@dataclass(slots=True)
class _Look:
    """What a stretch may touch, as far as it was looked through."""

    actor: Actor
    places: dict[int, str] = field(default_factory=dict)
    touched: int = 0
    clear: bool = True  # whether all that was touched is known


class Blocks(Probes):
    """The probes of `model="gil"`."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._blocks: dict[int, _Block] = {}  # by actor
        self._look: _Look | None = None  # while a stretch is looked through

    def begin(self) -> None:
        super().begin()
        self._blocks.clear()
        self._look = None

    # -- what the marks say -------------------------------------------------------------------------------------------

    def together(self, last: int, fresh: bool, *accesses: tuple[Any, ...]) -> None:
        """A stretch begins that may make these accesses; not `fresh`: or goes on, if one that makes them has begun."""
        actor = ACTORS.get(_get_ident())
        if actor is None or actor.control.over or self.heap.mortal or self.heap.alone(actor.control):
            return
        if actor.number in self.within:  # C waits for the answer of this code, and looks around before it goes on
            return
        frame = caller(sys._getframe(1))
        assert frame is not None, "a stretch is code of the program"
        places, count = self._looked_through(actor, accesses)
        block = self._blocks.pop(actor.number, None)
        if block is not None and not fresh and block.frame == id(frame) and _within(places, block.places):
            self._blocks[actor.number] = block
        elif count > 1:
            written = [index for index, mode in places.items() if mode == "w"]
            read = [index for index, mode in places.items() if mode == "r"]
            kind = f"data.mixed{len(written)}" if written and read else "data.write" if written else "data.read"
            actor.control.step(actor, Operation(kind, (*written, *read)))
            self._blocks[actor.number] = _Block(id(frame), frame.f_code, frame.f_lineno, last, places)

    def apart(self, value: Any = None) -> Any:
        """Here it ends."""
        self._end()
        return value

    def dropped(self, value: Any) -> None:
        """The old value of a name is about to be let go of."""
        if not _is_atom(value):
            self._end()

    def _end(self) -> None:
        actor = ACTORS.get(_get_ident()) if self._blocks else None
        if actor is not None:
            self._blocks.pop(actor.number, None)

    # -- what is touched ----------------------------------------------------------------------------------------------

    def _looked_through(self, actor: Actor, accesses: tuple[tuple[Any, ...], ...]) -> tuple[dict[int, str], int]:
        """All that is touched up to where it cannot be told, and by how many accesses."""
        self._look = look = _Look(actor)
        places: dict[int, str] = {}
        count = 0
        try:
            for how, *what in accesses:
                before, known = look.touched, _LOOKS[how](self, *what)
                if not look.clear or list(look.places.values()).count("w") > _MOST_WRITTEN:
                    break
                places = dict(look.places)
                count += look.touched > before
                if not known:
                    break
        finally:
            self._look = None
        return places, count

    def _announce(self, actor: Actor, kind: str, touched: list[tuple[Thing, Any]], state: Any = None) -> Any:
        if self._look is not None:
            self._noticed(self._look, kind, touched, state)
            return None
        block = self._blocks.get(actor.number) if self._blocks and not actor.control.over else None
        if block is not None:
            if self._is_announced(block, kind, touched, state):
                return None
            del self._blocks[actor.number]
        return super()._announce(actor, kind, touched, state)

    def _noticed(self, look: _Look, kind: str, touched: list[tuple[Thing, Any]], state: Any) -> None:
        look.touched += 1
        look.clear = look.clear and _is_known(kind, state)
        for index, mode in self._modes(kind, touched, state) if look.clear else ():
            if look.places.get(index) != "w":
                look.places[index] = mode

    def _is_announced(self, block: _Block, kind: str, touched: list[tuple[Thing, Any]], state: Any) -> bool:
        """Whether the access is one of the stretch, and made by its code."""
        frame = caller(sys._getframe(2))
        if frame is None or id(frame) != block.frame or frame.f_code is not block.code:
            return False
        if not block.first <= frame.f_lineno <= block.last or not _is_known(kind, state):
            return False
        return _within(dict(self._modes(kind, touched, state)), block.places)

    def _modes(self, kind: str, touched: list[tuple[Thing, Any]], state: Any) -> list[tuple[int, str]]:
        modes = zip(touched, _MODES[kind](len(touched)), strict=True)
        return [(self.heap.place(thing, key, state if key is not SIZE else None), mode)
                for (thing, key), mode in modes if mode != "-"]

    def _loaded(self, value: Any, hint: str = "") -> Any:
        return value if self._look is not None else super()._loaded(value, hint)

    # -- looking through a stretch: whether it can be told what comes next ---------------------------------------------

    def _owner(self, root: Any, path: tuple[str, ...]) -> Any:
        """What the path leads to; `_missing` if that can be another thing once the stretch has its turn."""
        look = self._look
        assert look is not None, "asked while a stretch is looked through"
        for name in path:
            before = look.touched
            if not _is_got_plainly(root, name):
                return _missing
            root = self.get(root, name)
            if look.touched > before:
                return _missing
        return root

    def _look_get(self, root: Any, path: tuple[str, ...], name: str) -> bool:
        owner = self._owner(root, path)
        if owner is _missing or not _is_got_plainly(owner, name):
            return False
        self.get(owner, name)
        return True

    def _look_set(self, root: Any, path: tuple[str, ...], name: str) -> bool:
        owner = self._owner(root, path)
        if owner is _missing or not _is_set_plainly(owner, name):
            return False
        thing = self._known.get(id(owner)) or self._always_shared(owner)
        if thing is not None:
            self._touched("data.write", (thing, name))
        return True

    def _look_item(self, root: Any, path: tuple[str, ...], key: Any, method: str = "__getitem__") -> bool:
        owner = self._owner(root, path)
        if owner is _missing or not _is_held_plainly(owner, key):
            return False
        thing = self._known.get(id(owner))
        if thing is not None and self._look is not None:
            self._touch(self._look.actor, thing, owner, touch_of(type(owner), method), (key,))
        return True

    def _look_replace(self, root: Any, path: tuple[str, ...], key: Any) -> bool:
        return self._look_item(root, path, key, "__setitem__")

    def _look_glob(self, names: dict[str, Any], name: str, touch: str = "read") -> bool:
        if self._look is not None:
            self._touch_global(self._look.actor, names, name, touch)
        return True

    def _look_setglob(self, names: dict[str, Any], name: str) -> bool:
        return self._look_glob(names, name, "put")

    def _look_cell(self, reader: Callable[[], Any], kind: str = "data.read") -> bool:
        thing = self._known.get(id(_cell_of(reader)))
        if thing is not None:
            self._touched(kind, (thing, SIZE))
        return True

    def _look_setcell(self, reader: Callable[[], Any]) -> bool:
        return self._look_cell(reader, "data.write")

    def _touched(self, kind: str, place: tuple[Thing, Any]) -> None:
        if self._look is not None:
            self._noticed(self._look, kind, [place], None)

    # -- what the source does not show: here others may go on after all ------------------------------------------------

    def get(self, o: Any, name: str) -> Any:
        if self._blocks and self._look is None and not _is_got_plainly(o, name):
            self._end()
        return super().get(o, name)

    def set(self, value: Any, o: Any, name: str) -> None:
        old = None
        if self._blocks and _is_set_plainly(o, name) and _is_got_plainly(o, name):
            old = getattr(o, name, None)
        else:
            self._end()
        super().set(value, o, name)
        self.dropped(old)

    def item(self, o: Any, key: Any) -> Any:
        if self._blocks and not _is_held_plainly(o, key):
            self._end()
        return super().item(o, key)

    def put(self, value: Any, o: Any, key: Any) -> None:
        old = None
        if self._blocks and _is_held_plainly(o, key):
            old = _old_item(o, key)
        else:
            self._end()
        super().put(value, o, key)
        self.dropped(old)

    def setglob(self, names: dict[str, Any], name: str, value: Any) -> Any:
        self.dropped(names.get(name))
        return super().setglob(names, name, value)

    def setcell(self, name: str, reader: Callable[[], Any], value: Any) -> Any:
        if self._blocks:
            with suppress(NameError):
                self.dropped(reader())
        return super().setcell(name, reader, value)

    def truth(self, o: Any) -> Any:
        if self._blocks and not (_is_atom(o) or type(o) in _COUNTED):
            self._end()
        return super().truth(o)

    def compare(self, sign: str, a: Any, b: Any) -> Any:
        self._operating("", a, b)
        return super().compare(sign, a, b)

    def binary(self, sign: str, a: Any, b: Any) -> Any:
        self._operating(sign, a, b)
        return super().binary(sign, a, b)

    def inplace(self, sign: str, a: Any, b: Any) -> Any:
        self._operating(sign, a, b)
        return super().inplace(sign, a, b)

    def _operating(self, sign: str, *operands: Any) -> None:
        """An operator is code of C if it is that of a number or a text, or puts lists together."""
        joined = (list, tuple) if sign in ("+", "*") else ()
        if self._blocks and not all(_is_atom(each) or type(each) in joined for each in operands):
            self._end()


_LOOKS: dict[str, Callable[..., bool]] = {
    "get": Blocks._look_get, "set": Blocks._look_set, "item": Blocks._look_item, "replace": Blocks._look_replace,
    "glob": Blocks._look_glob, "setglob": Blocks._look_setglob,
    "cell": Blocks._look_cell, "setcell": Blocks._look_setcell,
}


def _is_known(kind: str, state: Any) -> bool:
    """Whether the places of an operation on data say which of them it changes."""
    return kind in _MODES and (kind != "data.put" or state is True)


def _within(places: dict[int, str], announced: dict[int, str]) -> bool:
    return all(announced.get(index) in ("w", mode) for index, mode in places.items())


def _is_atom(value: Any) -> bool:
    """Whether all that can be done with the value is code of C, and it holds nothing."""
    return type(value) in _ATOMS


def _is_key(value: Any) -> bool:
    return type(value) in _ATOMS or (type(value) is tuple and all(map(_is_key, value)))


def _is_got_plainly(o: Any, name: str) -> bool:
    """Whether `o.name` runs no line of Python."""
    kind = type(o)
    if kind.__getattribute__ not in _GETTERS or _lookup(kind, "__getattr__")[1] is not _missing:
        return False
    if issubclass(kind, type):
        return kind is type and _is_value(_lookup(o, name)[1]) and _is_value(_lookup(kind, name)[1])
    if kind is ModuleType:
        return "__getattr__" not in vars(o)
    return _is_value(_lookup(kind, name)[1])


def _is_set_plainly(o: Any, name: str) -> bool:
    """Whether `o.name = …` runs no line of Python."""
    kind = type(o)
    return kind.__setattr__ in _SETTERS and _is_value(_lookup(kind, name)[1])


def _is_value(attribute: Any) -> bool:
    """Whether what a class has under a name is nothing, a value, or the place of one."""
    kind = type(attribute)
    return attribute is _missing or kind is MemberDescriptorType or not (
        hasattr(kind, "__get__") or hasattr(kind, "__set__"))


def _is_held_plainly(o: Any, key: Any) -> bool:
    """Whether finding the key runs no line of Python."""
    if type(o) not in _HOLDERS or not _is_key(key):
        return False
    return type(o) is list or (len(o) <= _MOST_KEYS and all(map(_is_key, o)))


def _old_item(o: Any, key: Any) -> Any:
    try:
        return o[key]
    except (LookupError, TypeError):
        return None
