"""What rewritten code calls: each access to data that others may reach becomes an operation, and then happens.

`rewrite.py` writes these calls. A probe looks whether the object is known to be
shared (heap.py); if not, it does the plain thing. If it is, the probe announces
`data.read` or `data.write` of the places that are touched, and once the actor has been
chosen, the plain thing happens before anybody else runs. So the values stay where
they are, in the program's own objects, and the engine knows who touches what.

Attributes that no rewritten code assigns outside of `__init__` are not announced when
they are read; should one be assigned all the same after its object has escaped, the
exploration begins again with everything announced.

Code that was not rewritten and is given something shared may read it unseen: that is
reported, and then nothing is proved.
"""
from __future__ import annotations

import gc
import sys
from abc import ABCMeta
from collections.abc import Callable
from contextlib import nullcontext
from functools import cached_property
from types import (
    CellType,
    FrameType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any

from hocket.explore.shared.afresh import is_put_back
from hocket.explore.shared.announce import SHARING, _lookup, _missing
from hocket.explore.shared.calling import Calling, rewritten_text
from hocket.explore.shared.fields import Lazily
from hocket.explore.shared.heap import SIZE, Thing
from hocket.explore.shared.looking_back import runs_here
from hocket.explore.shared.names import stable_names
from hocket.explore.shared.parts import ENVELOPES, is_local, is_made_by_python, is_member, is_value, own_names
from hocket.explore.shared.replaced import BY_NAME, OF_LOOKING_UP, is_data, is_described, is_foreign, is_looked_up
from hocket.explore.shared.rewrite import unbound
from hocket.explore.shared.scopes import CELLS
from hocket.explore.shared.stateful import faces_of
from hocket.explore.threads.control import ACTORS, Actor
from hocket.explore.threads.naming import caller
from hocket.explore.threads.pool import _get_ident
from hocket.explore.threads.primitives import is_real_lock, made_outside
from hocket.explore.threads.spaces import space_of

__all__ = ["Probes"]

_OF_CLASSES = {"register": ABCMeta, "__subclasses__": type}
_Local = __import__("_thread")._local
_cached_get: Any = cached_property.__get__


class Probes(Calling):
    """The object behind the name that rewritten code calls."""

    # -- attributes ---------------------------------------------------------------------------------------------------

    def get(self, o: Any, name: str) -> Any:
        """`o.name`"""
        thing = self._known.get(id(o))
        if issubclass(type(o), _Local):  # each thread has its own
            return getattr(o, name)
        if self.replaced:
            self._look_up(thing or self._always_shared(o), o, name)
        if thing is None:
            thing = self._always_shared(o)
            if thing is None:
                if type(o) is super:
                    return self._get_super(o, name)
                if type(o) is MethodType:  # an attribute of the function behind it, which others may have
                    behind = self._loaded(o.__func__)
                    return getattr(o, name) if _is_special(name) else self.get(behind, name)
                inherits = name in self._data_of(type(o)) or (
                    (self.everything or name in self.elsewhere) and is_made_by_python(type(o)))
                return self._get_inherited(o, name) if inherits else getattr(o, name)
        return self._get_shared(thing, o, name)

    def _get_shared(self, thing: Thing, o: Any, name: str) -> Any:
        if type(o) is FunctionType and (mock := self.mocks.behind(o, name)) is not o:
            return self.get(mock, name)
        if name in _OF_CLASSES and issubclass(type(o), _OF_CLASSES[name]) and _lookup(o, name)[0] is None:
            self._met_book_of_python(thing, name)
        if name[:2] == "__" and name[-2:] == "__":
            return self._namespace(thing, o) if name == "__dict__" else self._loaded(getattr(o, name))
        if name in faces_of(type(o)):
            return self.get_raw(o, name, getattr)
        own = type(o) if not issubclass(type(o), type) else o
        owner, attribute = _lookup(own, name)
        if self.everything and is_described(attribute):
            self.heap.described.setdefault((own, name), owner)
        if (own, name) in self.heap.described:
            return self._get_described(thing, o, name, self.heap.described[own, name])
        if type(attribute) is cached_property and own is not o and not self._is_rewritten(_cached_get.__code__):
            return self._get_cached(thing, o, name, attribute)
        if attribute is not _missing and not is_data(attribute) and not _shadows(o, name) and not self._may_be_set(
                attribute, name):
            value = getattr(o, name)  # a method, or a property whose code speaks for itself
            return self._loaded(value) if is_foreign(attribute) or is_local(value) else value
        told = self.everything or name in self.written or name in self.elsewhere
        actor = SHARING[_get_ident()] if told else ACTORS.get(_get_ident())
        if actor is not None and (attribute is _missing or type(attribute) is MemberDescriptorType):
            self._look_out(actor, thing, own, name, "written")
        if actor is not None and told:
            self._announce(actor, "data.read", [(thing, name), *self._above(o, own, name, owner, attribute)])
        return self._loaded(getattr(o, name), f"{thing.name}.{name}")

    def _look_up(self, thing: Thing | None, o: Any, name: str) -> None:
        """How `o.name` is found, and what it is, where that may change while several actors live."""
        actor = ACTORS.get(_get_ident())
        if actor is None:
            return
        own = o if issubclass(type(o), type) else type(o)
        things = [thing] if thing is not None else []
        above = [found for kind in own.__mro__ if (found := self.heap.meet(kind)) is not None]
        touched = [(each, special) for special in OF_LOOKING_UP if special in self.replaced for each in things]
        if name in self.replaced:
            touched += [(each, name) for each in (things if "__class__" in self.replaced else [*things, *above])]
        if touched:
            self._announce(actor, "data.read", list(dict.fromkeys(touched)))

    def _may_be_set(self, attribute: Any, name: str) -> bool:
        """Whether it is a method in place of which a class may get another one."""
        return name in self.elsewhere and type(attribute) in (FunctionType, staticmethod, classmethod)

    def _above(self, o: Any, own: type, name: str, owner: type | None, attribute: Any) -> list[tuple[Thing, Any]]:
        """Where an attribute comes from if the object has none, even if it has one now: others may delete it.

        If it may be set on a class, any of them may have it by the time that it is read. What is set on a class of an
        untracked module is reported.
        """
        if self.everything or name in self.elsewhere:
            here = (id(own), id(type(o)) if own is o else 0, id(owner))
            known = self.asked_above.get(here)
            if known is None:
                classes = own.__mro__ if own is not o else own.__mro__[1:] + type(o).__mro__
                met = [self.heap.meet(above) for above in classes if above is owner or self.heap.is_own(above)]
                known = self.asked_above[here] = [above for above in met if above is not None]
            return [(above, name) for above in known]
        above = self.heap.meet(owner) if owner is not None and owner is not o and is_data(attribute) else None
        return [(above, name)] if above is not None else []

    def _get_described(self, thing: Thing, o: Any, name: str, owner: type | None) -> Any:
        """Through a descriptor of the program, which may be gone from its class by the time this is done."""
        actor = SHARING[_get_ident()]
        if actor is not None:
            above = self.heap.meet(owner)
            self._announce(actor, "data.read", [(thing, name), *([(above, name)] if above is not None else ())])
        return self._loaded(getattr(o, name), f"{thing.name}.{name}")

    def _get_inherited(self, o: Any, name: str) -> Any:
        """From the class of an object that is private."""
        actor = ACTORS.get(_get_ident())
        owner, attribute = _lookup(type(o), name)
        if actor is not None and type(o) is FrameType:
            return self._variables_of(actor, o)
        if type(attribute) is cached_property and not self._is_rewritten(_cached_get.__code__):
            return self._get_cached(None, o, name, attribute)
        if actor is None or _shadows(o, name):
            return getattr(o, name)
        if attribute is not _missing and not is_data(attribute) and not self._may_be_set(attribute, name):
            return getattr(o, name)
        if self.everything or name in self.written or name in self.elsewhere:
            places = self._above(o, type(o), name, owner, attribute)
            if places:
                self._announce(actor, "data.read", places)
        value = getattr(o, name)
        if type(value) is MethodType and value.__self__ is o:  # which is as private as before
            return value
        return self._loaded(value, f"{owner.__name__}.{name}" if owner is not None else name)

    def _variables_of(self, actor: Actor, frame: FrameType) -> Any:
        """`frame.f_locals`: nobody is told of what is read and, from 3.13 on, written there (PEP 667)."""
        found: Any = frame.f_locals
        if not self.heap.alone(actor.control) and (type(found) is not dict or not runs_here(frame)):
            self._report("the variables of a frame are looked at from outside")
        return found

    def _get_super(self, o: Any, name: str) -> Any:
        """`super().name`: of the classes above one, which others may read and set as well."""
        actor, mro = ACTORS.get(_get_ident()), o.__self_class__.__mro__
        if actor is None or not (self.everything or name in self.written or name in self.elsewhere):
            return getattr(o, name)
        above = mro[mro.index(o.__thisclass__) + 1:]
        attribute = next((vars(each)[name] for each in above if name in vars(each)), _missing)
        if attribute is not _missing and not is_data(attribute) and not self._may_be_set(attribute, name):
            return getattr(o, name)
        things = [self.heap.meet(each) for each in above if self.heap.is_own(each) or name in vars(each)]
        self._announce(actor, "data.read", [(each, name) for each in things if each is not None])
        return self._loaded(getattr(o, name), name)

    def _get_cached(self, thing: Thing | None, o: Any, name: str, attribute: Any) -> Any:
        """A `cached_property`: asked, computed if need be, and stored; before 3.12 under the lock of the property."""
        actor = SHARING[_get_ident()] if thing is not None else ACTORS.get(_get_ident())
        if actor is None or (thing is None and name in vars(o)):
            return getattr(o, name)
        self._cached_access(actor, thing, "data.read", name)
        found = o.__dict__.get(name, _missing)
        if found is not _missing:
            return self._loaded(found)
        with self._lock_of(attribute, name):
            if hasattr(attribute, "lock"):
                self._cached_access(actor, thing, "data.read", name)
                found = o.__dict__.get(name, _missing)
            if found is _missing:
                found = self.call(attribute.func, o)
                if thing is not None:
                    self.heap.escape(found, actor, f"{thing.name}.{name}")
                self._cached_access(actor, thing, "data.write", name)
                o.__dict__[name] = found
        return found

    def _cached_access(self, actor: Actor, thing: Thing | None, kind: str, name: str) -> None:
        if thing is not None:
            self._announce(actor, kind, [(thing, name)])

    def _lock_of(self, attribute: Any, name: str) -> Any:
        """The lock of a `cached_property`; a stand-in where it was made before the exploration."""
        lock = getattr(attribute, "lock", None)
        if lock is None or not is_real_lock(lock):
            return lock or nullcontext()
        known = self.locks.get(id(lock))
        if known is None:  # not made by an actor, so that it is the same whoever asks first
            known = self.locks[id(lock)] = made_outside(lock, name)
        return known

    def set(self, value: Any, o: Any, name: str) -> None:
        """`o.name = value`"""
        o = self.mocks.behind(o, name)
        thing = self._known.get(id(o)) or self._always_shared(o) if not issubclass(type(o), _Local) else None
        if thing is not None and _is_special(name) and name not in BY_NAME and id(o) in self._known:
            self._wrote_of_python(thing, name)
        elif thing is not None and not self._is_managed(o, name):
            self._writing(thing, o, name, value, type(o))
        elif thing is None and (is_value(type(o)) or type(o) in ENVELOPES):
            self._wrote_value(o, name)
        if name == "__dict__":
            self._lent(thing, o, value)
        setattr(o, name, value)
        if issubclass(type(o), type):
            self._class_data.clear()

    def _met_book_of_python(self, thing: Thing, name: str) -> None:
        actor = ACTORS.get(_get_ident())
        if actor is not None and not self.heap.alone(actor.control):
            self._report(f"{thing.name}.{name} is called: which classes there are is written down where nobody sees it")

    def _wrote_of_python(self, thing: Thing, name: str) -> None:
        """The class of an object, the code of a function: what Python reads by itself, and nobody else sees."""
        actor = ACTORS.get(_get_ident())
        if actor is not None and not self.heap.alone(actor.control):
            self._report(f"attribute {name!r} of {thing.name} is written, which Python itself reads")

    def _wrote_value(self, o: Any, name: str) -> None:
        """An Enum's member, or something else that is taken for unchangeable, is changed after all."""
        actor, frame = ACTORS.get(_get_ident()), caller(sys._getframe(1))
        home = frame.f_globals.get("__name__") if frame is not None else None
        if home == "enum" or (home == type(o).__module__ and not is_member(type(o))):
            return  # it is made, and not yet anybody's; or it notes what always comes out alike, as a path does
        if actor is not None and not self.heap.alone(actor.control):
            self._report(f"attribute {name!r} of a {type(o).__qualname__} is written, which is taken for unchangeable")

    def get_raw(self, o: Any, name: str, getter: Callable[[Any, str], Any]) -> Any:
        """`object.__getattribute__(o, name)`, or that of another class, as `getter`"""
        thing = self._known.get(id(o)) or self._always_shared(o)
        actor = SHARING[_get_ident()] if thing is not None else None
        if thing is None or actor is None:
            return getter(o, name)
        if name[:2] == "__" and name[-2:] == "__":
            return self._namespace(thing, o) if name == "__dict__" else getter(o, name)
        if name in faces_of(type(o)):
            self._moved_on(thing, "get")
        self._announce(actor, "data.read", [(thing, SIZE if name in faces_of(type(o)) else name)])
        return self._loaded(self.face(o, name, getter(o, name)), f"{thing.name}.{name}")

    def set_raw(self, o: Any, name: str, value: Any, setter: Callable[[Any, str, Any], None]) -> None:
        """`object.__setattr__(o, name, value)`, or that of another class, as `setter`"""
        thing = self._known.get(id(o)) or self._always_shared(o)
        if thing is not None:
            self._writing(thing, o, name, value)
        if name == "__dict__":
            self._lent(thing, o, value)
        setter(o, name, value)

    def delete_raw(self, o: Any, name: str, deleter: Callable[[Any, str], None]) -> None:
        """`object.__delattr__(o, name)`, or that of another class, as `deleter`"""
        thing = self._known.get(id(o)) or self._always_shared(o)
        if thing is not None:
            self._writing(thing, o, name, None)
        deleter(o, name)

    def delete(self, o: Any, name: str) -> None:
        """`del o.name`"""
        thing = self._known.get(id(o)) or self._always_shared(o) if not issubclass(type(o), _Local) else None
        if thing is not None and not self._is_managed(o, name):
            self._writing(thing, o, name, None)
        delattr(o, name)

    def _writing(self, thing: Thing, o: Any, name: str, value: Any, kind: type | None = None) -> None:
        actor = SHARING[_get_ident()]
        if actor is None:
            return
        for part in list(value.values()) if name == "__dict__" and type(value) is dict else (value,):
            self.heap.escape(part, actor, f"{thing.name}.{name}")
        if kind is not None:
            self._look_out(actor, thing, kind, name, "mentioned")
        is_class = issubclass(type(o), type)
        expected = self.elsewhere if is_class else self.written
        if not self.everything and name not in expected and not self.heap.alone(actor.control):
            self.surprised = True
        if type(o) is ModuleType and not self.heap.alone(actor.control) and name in stable_names(o):
            self._report(f"global {name!r} of {thing.name} is replaced, which functions read without a step")
        if name not in self.replaced and is_looked_up(o, name, value) and not self.heap.alone(actor.control):
            self._replacing(thing, o, name)
        if type(o) is CellType and CELLS not in self.replaced and not self.heap.alone(actor.control):
            self.replacing[CELLS] = None
        if name == "__class__" and self.asks and not self.heap.alone(actor.control):
            self._report(f"the class of {thing.name} is replaced, which Python itself reads (`isinstance`)")
        if is_class and not self.heap.is_own(o) and not self.heap.alone(actor.control):
            self._report(f"attribute {name!r} is set on {thing.name}, a class of a module that is not tracked")
        if thing.is_older() and not is_put_back(o, name):
            self._left_changed(f"attribute {name!r} of {thing.name}")
        self._announce(actor, "data.write", [(thing, SIZE if name in faces_of(type(o)) else name)])

    def _replacing(self, thing: Thing, o: Any, name: str) -> None:
        """What others look up without a step is replaced."""
        found = _lookup(o if issubclass(type(o), type) else type(o), name)[1]
        asked_above = name in self.elsewhere and not _is_special(name)  # by whoever reads it
        if (type(o), name) in self.heap.described or (
                asked_above and (found is _missing or self._may_be_set(found, name))):
            return
        if "__class__" in self.replaced and not _is_special(name):
            self._report(f"{name!r} of {thing.name} is replaced, and so are classes of objects")
        else:
            self.replacing[name] = None

    def _lent(self, thing: Thing | None, o: Any, names: Any) -> None:
        """`names` is the namespace of `o` from now on, and perhaps that of others, too: their attributes are one."""
        actor, shared = ACTORS.get(_get_ident()), self._known.get(id(names))
        if actor is None or not isinstance(names, dict):
            return
        if thing is not None and shared not in (None, thing) and not self.heap.alone(actor.control):
            self._report(f"{thing.name} gets a namespace that others use")
        if shared is None and thing is None:
            self.heap.escape(names, actor, f"{type(o).__name__}().__dict__")
        self.heap.lend(shared or thing or self._known[id(names)], names, o)

    def _is_managed(self, o: Any, name: str) -> bool:
        """Whether code, such as a property's, takes care of the attribute."""
        _, attribute = _lookup(type(o), name)
        if type(attribute) is property and attribute.fset is not None and not self._speaks_itself(attribute.fset):
            return False
        return attribute is not _missing and hasattr(type(attribute), "__set__") and not is_data(attribute)

    def _namespace(self, thing: Thing, o: Any) -> Any:
        own = object.__getattribute__(o, "__dict__")
        names = gc.get_referents(own)[0] if type(own) is MappingProxyType else own
        if type(names) is dict and type(o) is not ModuleType:
            self.heap.namespaces[id(names)] = names
            self._known[id(names)] = thing
        return own

    def _always_shared(self, o: Any) -> Thing | None:
        if type(o) is ModuleType:
            return self.heap.module(o)
        if issubclass(type(o), (type, FunctionType)):
            return None if is_local(o) and not self.heap.kept.is_older(o) else self.heap.meet(o)
        return self.mocks.thing(o) if self.mocks.has(o) else None

    def _data_of(self, kind: type) -> dict[str, type]:
        """The data attributes of a class and those above it, each with the class that has it."""
        found = self._class_data.get(kind)
        if found is None:
            own_cache = self._is_rewritten(_cached_get.__code__)
            found = self._class_data[kind] = {"f_locals": kind} if kind is FrameType else {
                name: owner for owner in reversed(kind.__mro__) if is_made_by_python(owner)
                for name, value in vars(owner).items()
                if name[:2] != "__" and (is_data(value) or (type(value) is cached_property and not own_cache))
                and type(value) is not MemberDescriptorType}
        return found

    # -- what needs no operation of its own ---------------------------------------------------------------------------

    def slice(self, start: Any, stop: Any, step: Any) -> slice:
        """`start:stop:step`"""
        return slice(start, stop, step)

    def link(self, sign: str, a: Any, b: Any) -> Any:
        """`a < b < …`: the outcome; if it is true, `linked` answers `b`."""
        outcome = self.contained(a, b) if sign == "in" else self.compare(sign, a, b)
        if self.truth(outcome):
            self._links[_get_ident()] = b
            return True
        return outcome

    def linked(self) -> Any:
        return self._links.pop(_get_ident())

    def lazily(self, reader: Callable[[], Any]) -> Lazily:
        """For a pattern that names a value: asked when the pattern is tried."""
        return Lazily(reader)

    def code(self, text: Any, mode: str) -> Any:
        """What `exec(text)` is to execute: rewritten, like the code around it."""
        return rewritten_text(text, mode)

    # -- cells and globals --------------------------------------------------------------------------------------------

    def cell(self, name: str, reader: Callable[[], Any]) -> Any:
        """The enclosing variable that `reader` reads."""
        thing = self._known.get(id(_cell_of(reader)))
        actor = SHARING[_get_ident()] if thing is not None else None
        if thing is not None and actor is not None:
            self._announce(actor, "data.read", [(thing, SIZE)])
        try:
            value = reader()
        except NameError:
            raise unbound(name, reader) from None
        return value if thing is None else self._loaded(value, name)

    def setcell(self, name: str, reader: Callable[[], Any], value: Any) -> Any:
        """Announces that the variable is assigned; the assignment follows."""
        thing = self._known.get(id(_cell_of(reader)))
        actor = SHARING[_get_ident()] if thing is not None else ACTORS.get(_get_ident())
        if thing is not None and actor is not None:
            self.heap.escape(value, actor, name)
            self._announce(actor, "data.write", [(thing, SIZE)])
        elif actor is not None:
            actor.rebound += 1
        return value

    def delcell(self, name: str, reader: Callable[[], Any]) -> None:
        self.setcell(name, reader, None)

    def glob(self, names: dict[str, Any], name: str) -> Any:
        """A global variable of a module, or a built-in."""
        actor = SHARING[_get_ident()] if id(names) in self._known else ACTORS.get(_get_ident())
        if actor is not None:
            self._touch_global(actor, names, name, "read")
        if name in names:
            return self._loaded(names[name], name)
        builtins = names["__builtins__"]
        found = (builtins if type(builtins) is dict else vars(builtins)).get(name, _missing)
        if found is _missing:
            raise NameError(f"name '{name}' is not defined", name=name)
        return found

    def name(self, here: dict[str, Any], names: dict[str, Any], name: str) -> Any:
        """A name at the top of an executed text, or in the body of a class."""
        if type(here) is dict:
            return self.glob(here if name in here else names, name)
        try:
            return here[name]  # a namespace of somebody's own making, who is asked once, and for nothing else
        except KeyError:
            return self.glob(names, name)

    def setglob(self, names: dict[str, Any], name: str, value: Any) -> Any:
        """Announces that a global variable is assigned; the assignment follows."""
        actor = SHARING[_get_ident()] if id(names) in self._known else ACTORS.get(_get_ident())
        if actor is not None:
            self._touch_global(actor, names, name, "put", value)
        return value

    def delglob(self, names: dict[str, Any], name: str) -> None:
        self.setglob(names, name, None)

    def _touch_global(self, actor: Actor, names: dict[str, Any], name: str, touch: str, value: Any = None) -> None:
        """The variables of a module are its attributes; those of an executed text are the keys of its dict."""
        if type(names) is not dict:  # one who made a namespace of his own is told by the assignment itself
            return
        module: Any = sys.modules.get(names.get("__name__", ""))
        if issubclass(type(module), ModuleType) and space_of(module) is names:
            self.heap.module(module)
        thing = self._known.get(id(names))
        if thing is not None:
            self.heap.escape(value, actor, name)
            self._touch(actor, thing, names, touch, (name,))


def _cell_of(reader: Callable[[], Any]) -> CellType:
    cells: Any = getattr(reader, "__closure__")  # noqa: B009  # of a function, which a Callable need not be
    return cells[0]  # type: ignore[no-any-return]


def _is_special(name: str) -> bool:
    return name[:2] == "__" and name[-2:] == "__"


def _shadows(o: Any, name: str) -> bool:
    """Whether the instance has an attribute of its own; a `__getattribute__` of the program is not asked."""
    own = own_names(o)
    return own is not None and name in own
