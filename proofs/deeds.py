"""A model's deeds over a finite scope, each compiled when it is first done: for traces, where few of many occur."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hocket.spec import Spec
from hocket.spec.layout import Layout, StepFunction
from hocket.spec.terms import Term

__all__ = ["Deeds"]


class Deeds(Layout):
    """One run of a model: `start` is the state to begin with, all false and first, unless more is `given`."""

    def __init__(self, spec: type[Spec], sizes: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> None:
        super().__init__(spec.theory(), sizes, given)
        self.known: dict[tuple[str, ...], StepFunction] = {}
        begin = self.function(self.theory.initial[0], {})(bytes(len(self.cells)), b"")
        assert not isinstance(begin, int), "the given values are none to begin with"
        self.start = begin

    def step(self, state: bytes, event: tuple[str, ...]) -> bytes | str:
        """The state after an event, or the label of the guard that refuses it."""
        step = self.theory.step(event[0])
        if event not in self.known:
            at = [self.scope.index(name, param.sort) for name, param in zip(event[1:], step.params, strict=True)]
            bound = {p.payload: Term("lit", (), p.sort, number) for p, number in zip(step.params, at, strict=True)}
            self.known[event] = self.function(step, bound)
        after = self.known[event](state, b"")
        return step.guards[after].label if isinstance(after, int) else after
