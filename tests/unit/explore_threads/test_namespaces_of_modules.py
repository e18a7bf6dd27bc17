"""Namespaces are looked through again as soon as there is a reason to, and only then."""

from __future__ import annotations

import gc
import sys
import weakref
from types import ModuleType

import pytest

from hocket.explore.threads.spaces import Spaces, identities


class Asked:
    """Says that a namespace matters which has a name "lock", and notes whom it was asked about."""

    def __init__(self) -> None:
        self.about: list[str] = []
        self.spaces = Spaces(self)

    def __call__(self, space):
        self.about.append(space["__name__"])
        return "lock" in space

    def again(self):
        self.about.clear()
        return [space["__name__"] for space in self.spaces.now()]


@pytest.fixture
def module(monkeypatch):
    made = ModuleType("with_a_lock")
    made.lock = object()
    monkeypatch.setitem(sys.modules, "with_a_lock", made)
    return made


def test_as_long_as_nothing_changes_only_those_that_matter_are_asked_again(module):
    asked = Asked()
    first = asked.again()
    assert "with_a_lock" in first
    assert len(asked.about) == len(identities())
    assert asked.again() == first
    assert asked.about == first


def test_a_module_that_comes_or_goes_or_gets_a_name_is_a_reason_to_ask_about_all(module, monkeypatch):
    asked = Asked()
    first = asked.again()
    later = ModuleType("later")
    monkeypatch.setitem(sys.modules, "later", later)
    assert asked.again() == first
    assert "later" in asked.about
    later.lock = object()
    assert asked.again() == [*first, "later"]
    monkeypatch.delitem(sys.modules, "with_a_lock")
    assert "with_a_lock" not in asked.again()


def test_a_module_of_two_names_is_met_once_and_what_is_no_module_not_at_all(module, monkeypatch):
    monkeypatch.setitem(sys.modules, "with_another_name", module)
    monkeypatch.setitem(sys.modules, "no_module", "text")
    monkeypatch.setitem(sys.modules, "nothing", None)
    asked = Asked()
    assert asked.again().count("with_a_lock") == 1
    assert asked.again().count("with_a_lock") == 1


def test_no_module_is_kept_alive(monkeypatch):
    short = ModuleType("short")
    short.lock = object()
    monkeypatch.setitem(sys.modules, "short", short)
    asked = Asked()
    asked.again()
    gone = weakref.ref(short)
    monkeypatch.undo()
    del short
    gc.collect()
    assert gone() is None
