"""What is looked up rather than read, and replaced after all: a method, a class, a namespace, the code of a function.

That a method is found in a class, or a class in an object, is no step: hardly any program changes them while others
run. One that does is found out by the first such write. Then the exploration begins again, and everything under that
name is a step: `Visible.replaced` says which names. Refused: a step for each method that is called (a program has
many times more of these than of all other accesses), and reading from the source which names may be replaced (it is
`setattr` that does it, mostly).

What operators look up in a class (`__len__`, `__eq__`) is asked by Python itself, and reported where it is replaced.
"""

from __future__ import annotations

import contextlib
from functools import cached_property
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    FunctionType,
    GetSetDescriptorType,
    MemberDescriptorType,
    MethodDescriptorType,
    WrapperDescriptorType,
)
from typing import Any

from hocket.explore.shared.announce import _lookup, _missing

__all__ = ["BY_NAME", "OF_C", "OF_CALLS", "OF_LOOKING_UP", "is_data", "is_described", "is_foreign",
           "is_looked_up", "unseen_change"]

OF_LOOKING_UP = ("__class__", "__dict__")
"""Whoever asks an object for anything goes by these."""

OF_CALLS = ("__code__", "__defaults__", "__kwdefaults__")
"""Whoever calls a function goes by these."""

BY_NAME = frozenset({
    *OF_LOOKING_UP, *OF_CALLS, "__name__", "__qualname__", "__module__", "__doc__", "__annotations__", "__wrapped__",
    "__notes__", "__cause__", "__context__", "__traceback__", "__suppress_context__", "__slots__", "__match_args__",
    "__signature__", "__version__", "__all__", "__path__", "__file__", "__spec__", "__loader__", "__package__",
    "__abstractmethods__", "__type_params__", "__orig_bases__", "__orig_class__", "__parameters__",
    "__isabstractmethod__",
})
"""What only those read who name it, or who go by it as is said above."""


def is_data(attribute: Any) -> bool:
    """Whether an attribute of a class is a value, or the place of one, and not code."""
    return type(attribute) in OF_C or not hasattr(type(attribute), "__get__")


def is_described(attribute: Any) -> bool:
    """Whether an attribute of a class is a descriptor that somebody has written, and may take away again."""
    if attribute is _missing or is_data(attribute) or type(attribute) is cached_property:
        return False
    return is_foreign(attribute)


def is_foreign(attribute: Any) -> bool:
    """Whether an attribute of a class is a descriptor that may bring what others have: an Enum's member, say."""
    return type(attribute) not in _OF_METHODS


_OF_METHODS = (FunctionType, staticmethod, classmethod, property, BuiltinFunctionType, WrapperDescriptorType,
               MethodDescriptorType, ClassMethodDescriptorType)
OF_C = (MemberDescriptorType, GetSetDescriptorType)
"""Places of a value that C keeps: a slot, or what a stream says of itself."""


def is_looked_up(o: Any, name: str, value: Any) -> bool:
    """Whether nobody would see that `o.name` is read, as a write of `value` finds it."""
    if name[:2] == "__" and name[-2:] == "__":
        return name in BY_NAME
    is_class = issubclass(type(o), type)
    attribute = _lookup(o if is_class else type(o), name)[1]
    if is_class and type(value) is FunctionType:
        return True
    return attribute is not _missing and not is_data(attribute) and (is_class or type(attribute) is not cached_property)


def unseen_change(f: Any) -> str:
    """What `f`, code that is not tracked, changes where others look without a step; "" if nothing is known."""
    owner, name = getattr(f, "__self__", None), getattr(f, "__name__", "")
    if isinstance(f, type):
        return f"{f.__name__} exchanges what all threads use" if issubclass(f, _EXCHANGING) else ""
    if type(f) is BuiltinFunctionType and (f.__module__, name) in _OF_THE_PROCESS:
        return f"{name} sets what all threads use"
    if name == "add_note" and isinstance(owner, BaseException):
        return f"a note is added to a {type(owner).__name__}"
    return ""


_EXCHANGING = (contextlib.redirect_stdout, contextlib.redirect_stderr, contextlib.chdir)
_OF_THE_PROCESS = frozenset({("_locale", "setlocale"), ("posix", "chdir"), ("posix", "fchdir"), ("posix", "umask"),
                             ("nt", "chdir"), ("nt", "umask"), ("time", "tzset"), ("_signal", "signal")})
"""Functions of C that change something for all threads, which C reads, and no line of a program names."""
