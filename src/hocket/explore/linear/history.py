"""Histories of calls on one object, and whether the sequential object explains them.

A call begins, and it returns; a call that returned before another began came
first, and must come first in any explanation (Herlihy and Wing, TOPLAS 1990).
The explorer runs each Mazurkiewicz class once, and two interleavings of one class
can differ in which call returned before which began. So what is judged here is
not the one history that was seen but **every** history of the class: begin and
return are steps that conflict with nothing (they cost no executions), the order
of the class says which of them are ordered, and all ways to order the rest are
gone through. Only the hardest ways matter: a return that may come now comes now,
and a call begins when no return may come; whatever else is possible has fewer
calls in order, and an explanation of the harder one explains it too.

While points are laid down, the possible explanations so far are carried along: a
call takes effect at the latest when it returns (Lowe's just-in-time variant,
"Testing for linearizability", 2017, of Wing and Gong's search, JPDC 1993).

Refused: a conflict between begins and returns (exact as well, but every class is
then run once for each order of calls), and judging only the weakest order of a
class (a stale read is legal as long as it overlaps the write).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hocket.explore.linear.sequential import Answer, Call, Kind, Reference

__all__ = ["BEGIN", "RETURN", "History", "Misfit", "Span", "explained", "misfit"]

BEGIN, RETURN = "call", "return"
"""The two kinds of operations that mark a call; they touch nothing."""

Point = tuple[int, int]
"""A lane, and which of its points: 2k is the begin of its call number k, 2k + 1 the return."""


@dataclass(frozen=True, slots=True)
class Span:
    """A call from begin to return: `answer` is None if it never returned.

    `begins_after` and `returns_after` say for each lane how many of its points come before in every order.
    """

    call: Call
    answer: Answer | None
    begins_after: tuple[int, ...]
    returns_after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class History:
    """What was called in each lane (one a thread that called), and what is known of the order."""

    lanes: tuple[tuple[Span, ...], ...]
    names: tuple[str, ...] = ()
    stuck: bool = False  # whether whoever has not returned waits for ever

    @property
    def ends(self) -> tuple[int, ...]:
        """How many points each lane has."""
        return tuple(2 * len(lane) - bool(lane and lane[-1].answer is None) for lane in self.lanes)

    def along(self, order: Sequence[Point]) -> History:
        """The same calls, in this one order of all points."""
        done = [0] * len(self.lanes)
        before: dict[Point, tuple[int, ...]] = {}
        for point in order:
            before[point] = tuple(done)
            done[point[0]] += 1
        never = tuple(done)
        lanes = tuple(
            tuple(Span(span.call, span.answer, before[number, 2 * at], before.get((number, 2 * at + 1), never))
                  for at, span in enumerate(lane))
            for number, lane in enumerate(self.lanes))
        return History(lanes, self.names, self.stuck)


@dataclass(frozen=True, slots=True)
class Misfit:
    """An order of the points that nothing explains. `waiting`: only that somebody waits for ever is unexplained."""

    order: tuple[Point, ...]
    waiting: bool = False


_Explanation = tuple[int, int]  # the sequential state, and the lanes (bits) whose open call has taken effect already


def misfit(history: History, reference: Reference) -> Misfit | None:
    """The first order of the points that no sequential order of the calls explains; None if there is none."""
    return _Orders(history, reference).search((0,) * len(history.lanes), frozenset({(0, 0)}), ())


class _Orders:
    """The search through the hardest orders of a history's points."""

    def __init__(self, history: History, reference: Reference) -> None:
        self.lanes, self.ends, self.reference = history.lanes, history.ends, reference
        self.stuck = history.stuck
        self.fine: set[Any] = set()

    def search(self, at: tuple[int, ...], explanations: frozenset[_Explanation], path: tuple[Point, ...]
               ) -> Misfit | None:
        if (at, explanations) in self.fine:
            return None
        ready = [lane for lane, done in enumerate(at) if done < self.ends[lane] and self._possible(lane, at)]
        returning = [lane for lane in ready if at[lane] % 2]
        if not ready:
            return self._at_the_end(at, explanations, path)
        for lane in returning[:1] or ready:
            left = self._returned(lane, at, explanations) if returning else explanations
            further, longer = _advanced(at, lane), (*path, (lane, at[lane]))
            if not left:
                return Misfit(self._completed(further, longer))
            found = self.search(further, left, longer)
            if found is not None:
                return found
        self.fine.add((at, explanations))
        return None

    def _possible(self, lane: int, at: tuple[int, ...]) -> bool:
        number, returns = divmod(at[lane], 2)
        span = self.lanes[lane][number]
        after = span.returns_after if returns else span.begins_after
        return all(done >= needed for done, needed in zip(at, after, strict=True))

    def _returned(self, lane: int, at: tuple[int, ...], explanations: frozenset[_Explanation]
                  ) -> frozenset[_Explanation]:
        """The explanations in which the open call of `lane` has taken effect, with the answer that it gave."""
        bit = 1 << lane
        found = {(state, early & ~bit) for state, early in explanations if early & bit}
        left = [(state, early) for state, early in explanations if not early & bit]
        seen = set(left)
        while left:
            state, early = left.pop()
            for other, after in self._effects(state, early, at):
                if other == lane:
                    found.add((after, early))
                elif (after, early | 1 << other) not in seen:
                    seen.add((after, early | 1 << other))
                    left.append((after, early | 1 << other))
        return frozenset(found)

    def _effects(self, state: int, early: int, at: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        """Which open calls may take effect now, and the state after it."""
        for lane, done in enumerate(at):
            if done % 2 and not early >> lane & 1:
                span = self.lanes[lane][done // 2]
                answer, after = self.reference.after(state, span.call)
                if answer.kind is not Kind.WAITS and (span.answer is None or answer.same_as(span.answer)):
                    yield lane, after

    def _at_the_end(self, at: tuple[int, ...], explanations: frozenset[_Explanation], path: tuple[Point, ...]
                    ) -> Misfit | None:
        """Whoever waits for ever must be allowed to: in some explanation, none of the open calls could go on."""
        waiting = [lane[done // 2].call for lane, done in zip(self.lanes, at, strict=True) if done % 2]
        if not self.stuck or not waiting:
            return None
        for state, early in explanations:
            if not early and all(self.reference.after(state, call)[0].kind is Kind.WAITS for call in waiting):
                return None
        return Misfit(path, waiting=True)

    def _completed(self, at: tuple[int, ...], path: tuple[Point, ...]) -> tuple[Point, ...]:
        """The rest of the points in some order."""
        while at != self.ends:
            lane = next(lane for lane, done in enumerate(at) if done < self.ends[lane] and self._possible(lane, at))
            path += ((lane, at[lane]),)
            at = _advanced(at, lane)
        return path


def _advanced(at: tuple[int, ...], lane: int) -> tuple[int, ...]:
    return (*at[:lane], at[lane] + 1, *at[lane + 1:])


# -- one order of the points: Wing and Gong's search, and why it fails -------------------------------------------------


def explained(history: History, reference: Reference) -> tuple[tuple[int, int], ...] | str:
    """For a history in one order (`along`): a sequential order of its calls, as (lane, number); or why none fits.

    The reason tells the longest beginning of an order that can be explained, and what each next call would give.
    """
    return _Linearizations(history, reference).search()


class _Linearizations:
    """Wing and Gong's search with a memory of what was tried."""

    def __init__(self, history: History, reference: Reference) -> None:
        self.history, self.lanes, self.reference = history, history.lanes, reference
        self.tried: set[tuple[tuple[int, ...], int]] = set()
        self.best: tuple[tuple[int, int], ...] = ()
        self.next: list[tuple[int, Answer]] = []

    def search(self) -> tuple[tuple[int, int], ...] | str:
        start = (0,) * len(self.lanes)
        found = self._from(start, 0, ())
        return found if found is not None else self._reason()

    def _from(self, done: tuple[int, ...], state: int, path: tuple[tuple[int, int], ...]
              ) -> tuple[tuple[int, int], ...] | None:
        if all(self._is_over(lane, number) for lane, number in enumerate(done)) and self._may_rest(done, state):
            return path
        if (done, state) in self.tried:
            return None
        self.tried.add((done, state))
        refused: list[tuple[int, Answer]] = []
        for lane in self._first(done):
            span = self.lanes[lane][done[lane]]
            answer, after = self.reference.after(state, span.call)
            if answer.kind is Kind.WAITS or (span.answer is not None and not answer.same_as(span.answer)):
                refused.append((lane, answer))
                continue
            found = self._from(_advanced(done, lane), after, (*path, (lane, done[lane])))
            if found is not None:
                return found
        if len(path) > len(self.best) or not self.next:
            self.best, self.next = path, refused
        return None

    def _is_over(self, lane: int, number: int) -> bool:
        return number == len(self.lanes[lane]) or self.lanes[lane][number].answer is None

    def _may_rest(self, done: tuple[int, ...], state: int) -> bool:
        """Whether those who wait for ever may; a call that took effect must return."""
        if not self.history.stuck:
            return True
        open_calls = [(number, lane) for number, lane in zip(done, self.lanes, strict=True)
                      if lane and lane[-1].answer is None]
        return all(number < len(lane) and self.reference.after(state, lane[number].call)[0].kind is Kind.WAITS
                   for number, lane in open_calls)

    def _first(self, done: tuple[int, ...]) -> list[int]:
        """The lanes whose next call may come next: no call that is still to come had returned before it began."""
        return [
            lane for lane, number in enumerate(done) if number < len(self.lanes[lane])
            and all(self.lanes[lane][number].begins_after[other] <= 2 * at + 1 for other, at in enumerate(done)
                    if other != lane)]

    def _reason(self) -> str:
        told = [f"{self._name(lane)}'s {self.lanes[lane][number].call} → {self.lanes[lane][number].answer}"
                for lane, number in self.best]
        begin = f"an order can begin with {', '.join(told)}; then " if told else "whatever comes first, "
        return begin + " and ".join(self._refusal(lane, answer) for lane, answer in self.next)

    def _refusal(self, lane: int, answer: Answer) -> str:
        number = sum(1 for done, _ in self.best if done == lane)
        span = self.lanes[lane][number]
        gives = "would wait" if answer.kind is Kind.WAITS else f"gives {answer}"
        return f"{self._name(lane)}'s {span.call} {gives}, and not {span.answer}"

    def _name(self, lane: int) -> str:
        return self.history.names[lane] if self.history.names else f"t{lane + 1}"
