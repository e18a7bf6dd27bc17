"""A plan as the text of a Python function: the recursion over a tree, unfolded once, when the plan is first run.

An interpreter of trees costs about a microsecond a node; a plan is known beforehand, so its walk can be written out.
Slots become local variables, what may be left out stands under an `if` of those that it needs, and a node without
payload costs little more than its call. One `try` around everything: an exception costs nothing where there is none,
and `at` says whose it was.

Names in the text: `f3` the body of node 3, `t3` its task, `k3_0` a value, `c0` a part of the context, `s1` a slot, `g3`
a stage, `b3` whether node 3 has succeeded, `x0` a payload on its way to who consumes it.
"""

from __future__ import annotations

from typing import Any

from hocket.plan.attempts import CONTROL, breach, settled
from hocket.plan.bind import Bound, Slot, Style
from hocket.plan.copies import copy_of
from hocket.plan.layouts import Layout
from hocket.plan.plan import NOBODY, Plan
from hocket.plan.results import OK, StepResult
from hocket.plan.sources import DirectOut, Mode

__all__ = ["LARGEST", "Unfolding"]

LARGEST = 5_000
"""The most nodes that are written out: Python compiles some ten thousand lines a second."""


class Unfolding:
    """The text of a function `run(context, tell, cancelled)`, and the names that it uses.

    `watched`: it tells of every entering, success and leaving; `cancellable`: it asks before every node. `names` lacks
    what an executor brings: `Stop`, `went_on`, `attempts`, `stopped` and `failed`.
    """

    def __init__(self, plan: Plan, layout: Layout, watched: bool = False, cancellable: bool = False) -> None:
        self._plan, self._layout = plan, layout
        self._watched, self._cancellable = watched, cancellable
        self._lines: list[str] = []
        self._contexts: dict[Any, str] = {}
        self._taken: dict[str, None] = {}  # the variables through which payloads are consumed
        self.names: dict[str, Any] = {
            "OK": OK, "CONTROL": CONTROL, "ABORTED": StepResult.abort_execution(), "Out": DirectOut,
            "copy": copy_of, "settled": settled, "breach": breach,
        }  # fmt: skip
        self._needs = self._flags_needed()
        for node in range(len(plan)):
            self._node(node)
        self.text = "\n".join(self._whole())

    # -- what stands under an `if` ------------------------------------------------------------------------------------

    def _flags_needed(self) -> list[frozenset[int]]:
        """For each node the nodes whose success has to be asked for: the nearest before it that may end otherwise."""
        needs: list[frozenset[int]] = []
        for node in range(len(self._plan)):
            found: frozenset[int] = frozenset()
            for before in self._plan.befores(node):
                found |= {before} if _may_end(self._plan.tasks[before]) else needs[before]
            needs.append(found)
        return needs

    # -- a node -------------------------------------------------------------------------------------------------------

    def _node(self, node: int) -> None:
        task = self._plan.tasks[node]
        lines = [f"at = {node}"]
        if self._cancellable:
            lines.append("if cancelled(): raise Stop(ABORTED)")
        if self._watched:
            lines.append(f"tell.entered({node})")
        given, taken = self._arguments(node, task)
        lines += [f"{mine} = {slot}; {slot} = None" for mine, slot in taken]
        lines += self._call(node, task, given)
        lines += [f"{mine} = None" for mine, _ in taken]
        flags = " and ".join(f"b{needed}" for needed in sorted(self._needs[node]))
        if flags:
            self._lines.append(f"if {flags}:")
        self._lines += ["    " + line if flags else line for line in lines]
        self._leave(node)

    def _call(self, node: int, task: Bound, given: list[str]) -> list[str]:
        """The call, and what is made of what it returns."""
        self.names[f"t{node}"], self.names[f"f{node}"] = task, task.body
        if _may_end(task):
            return self._call_that_may_end(node, task, given)
        call = f"f{node}({', '.join(given)})"
        if task.slot is Slot.NONE:
            lines = [f"r = {call}", f"if r is not None: raise breach(t{node}, r)"]
        else:
            slot = self._slot(node)
            lines = [f"{slot} = {call}", f"if {slot}.__class__ in CONTROL: raise breach(t{node}, {slot})"]
        return lines + self._succeeded(node)

    def _call_that_may_end(self, node: int, task: Bound, given: list[str]) -> list[str]:
        arguments = "".join(f"{one}, " for one in given)
        if task.adapters:
            lines = [f"r = attempts(t{node}, lambda: ({arguments}), cancelled)"]
        elif task.style is Style.INTO:
            lines = [f"o = Out(t{node}.payload)", f"r = settled(t{node}, f{node}({arguments}o), o)", "o = None"]
        elif task.slot is Slot.NONE:
            lines = [f"r = f{node}({arguments})", f"if r is not OK: r = settled(t{node}, r)"]
        else:
            lines = [f"r = settled(t{node}, f{node}({arguments}))"]
        lines.append(f"b{node} = r is OK or went_on({node}, r, tell)")
        inside = [f"{self._slot(node)} = r.value"] if self._plan.owns(node) else []
        inside += self._succeeded(node)
        if inside:
            lines += [f"if b{node}:", *("    " + line for line in inside)]
        return [*lines, "r = None"]

    def _succeeded(self, node: int) -> list[str]:
        staged = [f"g{node} = copy({self._slot(self._plan.owner[node])})"] if node in self._plan.staged else []
        return [*staged, *([f"tell.succeeded({node})"] if self._watched else [])]

    def _leave(self, node: int) -> None:
        """Whose subtree, or last use, ends here."""
        plan = self._plan
        for over in (plan.left_after if self._watched else plan.over_after).get(node, ()):
            self._lines += [f"g{over} = None"] if over in plan.staged else []
            self._lines += [f"{self._slot(over)} = None"] if plan.owns(over) else []
            self._lines += [f"tell.left({over})"] if self._watched else []

    # -- arguments ----------------------------------------------------------------------------------------------------

    def _arguments(self, node: int, task: Bound) -> tuple[list[str], list[tuple[str, str]]]:
        """The text of each argument; and, for those that are consumed, the variable that takes it from which slot."""
        given: list[str] = []
        taken: list[tuple[str, str]] = []
        for place, (source, owner) in enumerate(zip(task.sources, self._plan.feeds(node), strict=True)):
            if source.mode is Mode.CONTEXT:
                given.append(self._contexts.setdefault(source.type, f"c{len(self._contexts)}"))
            elif source.mode is Mode.VALUE:
                self.names[f"k{node}_{place}"] = source.held
                given.append(f"k{node}_{place}")
            elif source.mode is Mode.COPY:
                staged = self._plan.takes_stage(node)
                given.append(f"copy({f'g{self._plan.parents[node]}' if staged else self._slot(owner)})")
            elif source.mode is Mode.CONSUME:
                taken.append((f"x{len(taken)}", self._slot(owner)))
                self._taken[taken[-1][0]] = None
                given.append(taken[-1][0])
            else:
                given.append(self._slot(owner))
        return given, taken

    def _slot(self, owner: int) -> str:
        assert self._layout.slot[owner] != NOBODY, f"{self._plan.names[owner]} has no slot"
        return f"s{self._layout.slot[owner]}"

    # -- the function -------------------------------------------------------------------------------------------------

    def _whole(self) -> list[str]:
        plan = self._plan
        self.names.update((f"T{place}", kind) for place, kind in enumerate(self._contexts))
        holding = [f"s{slot}" for slot in range(self._layout.count)] + [f"g{node}" for node in sorted(plan.staged)]
        empty = " = ".join([*holding, *self._taken, "r", "o", "None"])
        guarded = sorted({flag for needs in self._needs for flag in needs if self._needs[flag]})
        flags = [f"{' = '.join(f'b{flag}' for flag in guarded)} = False"] if guarded else []
        contexts = [f"{name} = context.get(T{place})" for place, name in enumerate(self._contexts.values())]
        inside = ["at = 0", *flags, *contexts, "try:", *("    " + line for line in self._lines), "    return OK"]
        inside += ["except Stop as ended:", f"    {empty}", "    return stopped(ended, tell)"]
        inside += ["except Exception as error:", f"    {empty}", "    return failed(at, error, tell)"]
        return ["def run(context, tell, cancelled):", *("    " + line for line in inside)]


def _may_end(task: Bound) -> bool:
    """Whether it can end with another status than success, without an exception."""
    return task.control or bool(task.adapters)
