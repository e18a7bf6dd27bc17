"""What a piece of compiled Python may write that another actor could see, read from its bytecode.

Only writes are looked for. Two accesses race only if one of them is a write, and
a race that nobody tracks makes a certificate worthless; so if every write that
may be shared is found, nothing is lost by leaving reads alone. A use of an
iterator is a write, because it moves the iterator. What is *not* reported must
be provably private: a local name, a display or comprehension that never leaves
its function before it is last written, `self` in an `__init__` that started no
thread. All else is reported, also what is in fact private: a false alarm makes a
verdict "incomplete", a missed write would make it false.

Refused: reading the source (it may be absent, generated or stale), and guessing
from names or types (explorer.md 2.16 lists what that certified wrongly).
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

__all__ = ["Code", "Finding", "code_of"]

Resolve = Callable[[str, str], Any]  # ("LOAD_FAST", "name") -> the value it has now, or UNKNOWN
UNKNOWN = object()


class Finding(NamedTuple):
    """A write that may be shared: its line, and in words what is written and how."""

    line: int
    what: str


class Step(NamedTuple):
    """One instruction, with how many values it takes from the stack and how many it leaves."""

    offset: int
    name: str
    arg: int
    value: Any
    line: int
    takes: int
    leaves: int


_OF_EXCEPTIONS = {"__context__", "__cause__", "__traceback__", "__suppress_context__"}  # how it was raised, no result
_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD",
         "JUMP_BACKWARD_NO_INTERRUPT"}
_JUMPS = {dis.opname[number] for number in (*dis.hasjrel, *dis.hasjabs)}
_TWO_IN_ONE = {  # 3.13 fuses neighbours; taken apart they need no rules of their own
    "LOAD_FAST_LOAD_FAST": ("LOAD_FAST", "LOAD_FAST"),
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": ("LOAD_FAST", "LOAD_FAST"),
    "STORE_FAST_LOAD_FAST": ("STORE_FAST", "LOAD_FAST"),
    "STORE_FAST_STORE_FAST": ("STORE_FAST", "STORE_FAST"),
}
_SAME = {"LOAD_FAST_CHECK": "LOAD_FAST", "LOAD_FAST_AND_CLEAR": "LOAD_FAST", "LOAD_FAST_BORROW": "LOAD_FAST",
         "LOAD_CLASSDEREF": "LOAD_DEREF", "LOAD_FROM_DICT_OR_DEREF": "LOAD_DEREF",
         "LOAD_SMALL_INT": "LOAD_CONST", "LOAD_COMMON_CONSTANT": "LOAD_CONST"}
_LEAVES_TWO = {"LOAD_METHOD", "UNPACK_EX", "BEFORE_WITH", "FOR_ITER", "SEND", "GET_LEN", "MATCH_KEYS"}
_LEAVES_NONE = ("STORE_", "DELETE_", "POP_", "LIST_APPEND", "SET_ADD", "MAP_ADD", "LIST_EXTEND", "SET_UPDATE",
                "DICT_UPDATE", "DICT_MERGE", "RETURN_VALUE", "RESUME", "NOP", "CACHE", "PRECALL", "KW_NAMES",
                "MAKE_CELL", "COPY_FREE_VARS", "JUMP", "END_", "RAISE_VARARGS")
_DISPLAYS = {"BUILD_LIST", "BUILD_MAP", "BUILD_SET", "BUILD_CONST_KEY_MAP", "BUILD_TUPLE", "BUILD_STRING"}
_COLLECTED = ("BUILD_LIST", "BUILD_SET", "BUILD_MAP")
_CALLS = ("CALL", "CALL_KW")  # 3.13 has one of its own for calls with names of arguments, which lie on top
_MAKERS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "OrderedDict", "Counter", "sorted"}
_HARMLESS = {  # builtins that keep nothing of their arguments
    "len", "sorted", "sum", "min", "max", "any", "all", "repr", "str", "print", "list", "tuple", "set", "dict",
    "frozenset", "isinstance", "enumerate", "range", "zip", "bool", "reversed", "hash", "id", "type",
}
_PRIVATE_USES = {"GET_LEN", "GET_ITER", "CONTAINS_OP", "COMPARE_OP", "UNARY_NOT", "RETURN_VALUE", "BINARY_SUBSCR",
                 "POP_TOP", "LIST_EXTEND", "SET_UPDATE", "DICT_UPDATE", "FORMAT_VALUE", "FORMAT_SIMPLE", "IS_OP",
                 "BINARY_SLICE", "DELETE_SUBSCR", "TO_BOOL", "UNPACK_SEQUENCE"}
_IMMUTABLE_RESULTS = {"LOAD_CONST", "COMPARE_OP", "CONTAINS_OP", "IS_OP", "UNARY_NOT", "UNARY_NEGATIVE",
                      "UNARY_INVERT", "BINARY_OP", "BUILD_STRING", "FORMAT_VALUE", "FORMAT_SIMPLE", "BUILD_TUPLE"}
_READS = {"LOAD_FAST", "LOAD_DEREF", "LOAD_GLOBAL", "LOAD_NAME"}
_INPLACE = {number: symbol for number, (_, symbol) in enumerate(getattr(dis, "_nb_ops", ())) if symbol.endswith("=")}
# where the standard library keeps state that it guards itself, but that a program could look at unguarded
_GUARDED = {"unfinished_tasks", "_flag", "_value", "_waiters", "_state", "_is_stopped", "_work_queue", "_threads"}
_MUTATORS = {
    "append", "appendleft", "add", "extend", "extendleft", "insert", "remove", "discard", "pop", "popleft", "popitem",
    "clear", "update", "setdefault", "sort", "reverse", "rotate", "__setitem__", "__delitem__", "send",
}
_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_ITERABLES: tuple[type, ...] = (list, tuple, dict, set, frozenset, range, str, bytes, *_VIEWS)


@lru_cache(maxsize=4096)
def code_of(code: CodeType) -> Code:
    """The reading of `code`; one for each code object."""
    return Code(code)


class Code:
    """A code object taken apart."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.steps = list(_steps(code))
        self.index = {step.offset: number for number, step in reversed(list(enumerate(self.steps)))}
        self._targets = {step.value for step in self.steps if step.name in _JUMPS}
        self._after = self._successors()
        self._private = {name for name in code.co_varnames if self._is_private(name)}

    # -- the questions ------------------------------------------------------------------------------------------------

    def findings(self, resolve: Resolve, start: int | None = None, end: int | None = None,
                 fresh_self: bool = True) -> dict[int, Finding]:
        """By instruction, each write that may be shared among those that can run after offset `start` and before `end`.

        `resolve` tells the present value of a name where it can be known. `fresh_self`: in an `__init__`, the new
        object is not yet known to anybody.
        """
        span = self.between(start, end)
        exempt = fresh_self and self.code.co_name in ("__init__", "__post_init__") and self.code.co_argcount > 0
        return {number: found for number in sorted(span) if (found := self._finding(number, resolve, exempt))}

    def receiver_is_private(self, offset: int) -> bool:
        """Whether the method call at `offset` is on a container that only this function knows."""
        number = self.index.get(offset)
        while number is not None and not self.steps[number].name.startswith("CALL"):
            number = number + 1 if self.steps[number].name in ("PRECALL", "KW_NAMES", "CACHE") else None
        if number is None:
            return False
        step = self.steps[number]
        method = self._producer(number, step.arg + _names_on_top(step))
        if method is None or not _is_method_load(self.steps[method]):
            return False
        return self._is_private_value(self._producer(method, 0))

    # -- one instruction ----------------------------------------------------------------------------------------------

    def _finding(self, number: int, resolve: Resolve, exempt: bool) -> Finding | None:
        step = self.steps[number]
        rule = rule_for(step.name)
        what = rule(self, number, step, resolve, exempt) if rule else None
        return Finding(step.line, what) if what else None

    def _stored_attribute(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        producer = self._producer(number, 0)
        if exempt and producer is not None and self._is_self(self.steps[producer]):
            return None
        if step.value in _OF_EXCEPTIONS:
            return None
        return f"attribute {step.value!r} is {_verb(step)}"

    def _stored_item(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        position = {"STORE_SUBSCR": 1, "DELETE_SUBSCR": 1, "STORE_SLICE": 2}[step.name]
        producer = self._producer(number, position)
        if self._is_private_value(producer):
            return None
        return f"an item of {self._described(producer)} is {_verb(step)}"

    def _stored_name(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        kind = "global" if step.name.endswith("GLOBAL") else "enclosing variable"
        return f"{kind} {step.value!r} is {_verb(step)}"

    def _stored_in_namespace(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        return f"name {step.value!r} is {_verb(step)} by exec" if self.code.co_name == "<module>" else None

    def _unknown(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        return f"something is {_verb(step)} by an instruction that is newer than this version of Hocket: {step.name}"

    def _augmented(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        if step.arg not in _INPLACE:
            return None
        producer = self._producer(number, 1)
        if producer is not None and self._is_immutable(producer):
            return None
        return f"{self._described(producer)} may be changed in place by {_INPLACE[step.arg]}"

    def _iterated(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        producer = self._producer(number, 0)
        if producer is None:
            return "an iterator is advanced that may be shared"
        source = self.steps[producer]
        if source.name in _READS:
            value = resolve(source.name, source.value)
            if isinstance(value, _ITERABLES) or source.value == ".0" or self._is_ever_a_display(source):
                return None
            return f"{source.value!r} is iterated, and may be a shared iterator"
        if source.name == "LOAD_ATTR":
            return f"attribute {source.value!r} is iterated, and may be a shared iterator"
        return None  # the fresh result of a call or of a display

    def _read_name(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        value = resolve(step.name, step.value)
        if value is UNKNOWN or step.value == ".0" or isinstance(value, type):
            return None
        if _is_real_lock(value):
            return f"{step.value!r} is a lock that was made outside of the exploration"
        if hasattr(type(value), "__next__"):
            return f"{step.value!r} is an iterator, and using it changes it"
        return None

    def _read_attribute(self, number: int, step: Step, resolve: Resolve, exempt: bool) -> str | None:
        if step.value in _GUARDED:
            return f"attribute {step.value!r} of a synchroniser is read without its lock"
        if step.value in _MUTATORS and not _is_method_load(step) and not self._is_python_method(number, step, resolve):
            return f"method {step.value!r} is taken, to be called from elsewhere"
        return None

    def _is_python_method(self, number: int, step: Step, resolve: Resolve) -> bool:
        producer = self._producer(number, 0)
        source = self.steps[producer] if producer is not None else None
        if source is None or source.name not in _READS:
            return False
        owner = resolve(source.name, source.value)
        return isinstance(getattr(type(owner), step.value, None), FunctionType)

    # -- names and values ---------------------------------------------------------------------------------------------

    def _is_self(self, step: Step) -> bool:
        return step.name == "LOAD_FAST" and step.value == self.code.co_varnames[0]

    def _described(self, producer: int | None) -> str:
        if producer is None:
            return "an object"
        step = self.steps[producer]
        if step.name in _READS or step.name in ("LOAD_ATTR", "LOAD_METHOD"):
            return repr(step.value)
        return "an object"

    def _is_private_value(self, producer: int | None) -> bool:
        if producer is None:
            return False
        step = self.steps[producer]
        return self._is_display(producer) or (step.name == "LOAD_FAST" and step.value in self._private)

    def _is_display(self, number: int) -> bool:
        step = self.steps[number]
        if step.name in _DISPLAYS:
            return True
        if step.name in _CALLS:  # a comprehension (3.11 makes it a function), or list() and the like
            called = self._called(number)
            return called is not None and called in ("<listcomp>", "<setcomp>", "<dictcomp>", *_MAKERS)
        return False

    def _called(self, number: int) -> str | None:
        """The name of what is called at `number`, as far as the bytecode shows it."""
        step = self.steps[number]
        for position in (step.arg, step.arg + 1):
            producer = self._producer(number, position + _names_on_top(step))
            if producer is None:
                continue
            source = self.steps[producer]
            if source.name == "LOAD_GLOBAL":
                return str(source.value)
            if source.name == "MAKE_FUNCTION" and isinstance(self.steps[producer - 1].value, CodeType):
                return str(self.steps[producer - 1].value.co_name)
        return None

    def _is_immutable(self, number: int, seen: frozenset[str] = frozenset()) -> bool:
        """Whether the value made at `number` is surely a new or an immutable one, so that `+=` shows to nobody."""
        step = self.steps[number]
        if step.name in _IMMUTABLE_RESULTS or self._is_display(number):
            return True
        if step.name in _CALLS:
            return self._called(number) in ("len", "int", "float", "str", "sum", "range", "bool")
        if step.name != "LOAD_FAST" or step.value in self.code.co_varnames[: self.code.co_argcount]:
            return False
        if step.value in seen:
            return True  # a loop of assignments adds nothing new
        stores = self._stores(step.value)
        made = [self._producer(at, 0) for at in stores]
        return bool(stores) and all(at is not None and self._is_immutable(at, seen | {step.value}) for at in made)

    def _is_ever_a_display(self, source: Step) -> bool:
        """Whether a local is never anything but a display or comprehension of this function."""
        if source.name != "LOAD_FAST" or source.value in self.code.co_varnames[: _parameters(self.code)]:
            return False
        stores = self._stores(source.value)
        return bool(stores) and all(map(self._stores_a_display, stores))

    def _stores_a_display(self, number: int) -> bool:
        made = self._producer(number, 0)
        return self._is_display(made) if made is not None else self._ends_a_comprehension(number)

    def _ends_a_comprehension(self, number: int) -> bool:
        """Whether what lies on the stack before `number` was collected by a comprehension; from 3.12 on it is inlined.

        It begins with an empty display under an iterator, which no other loop has: BUILD, SWAP, FOR_ITER.
        """
        while number and self.steps[number - 1].name in ("POP_TOP", "END_FOR"):
            number -= 1
            if self.steps[number].name == "END_FOR":
                break
        end = self.steps[number]
        loops = [at for at, step in enumerate(self.steps) if step.name == "FOR_ITER" and step.value == end.offset]
        if end.name != "END_FOR" or len(loops) != 1 or loops[0] < 2:
            return False
        empty, under, _ = self.steps[loops[0] - 2:loops[0] + 1]
        return empty.name in _COLLECTED and empty.arg == 0 and (under.name, under.arg) == ("SWAP", 2)

    def _is_private(self, name: str) -> bool:
        """Whether local `name` is only ever a fresh container, and leaves its function only by being returned."""
        if name in self.code.co_cellvars or name in self.code.co_varnames[: _parameters(self.code)]:
            return False
        stores = self._stores(name)
        if not stores or not all(map(self._stores_a_display, stores)):
            return False
        loads = [at for at, step in enumerate(self.steps) if step.name == "LOAD_FAST" and step.value == name]
        return all(self._use_is_private(at) for at in loads)

    def _use_is_private(self, number: int) -> bool:
        found = self._consumer(number)
        if found is None:
            return False
        consumer, position = found
        step = self.steps[consumer]
        if step.name == "STORE_SUBSCR":
            return position == 1
        if _is_method_load(step) or step.name in _PRIVATE_USES or step.name.startswith("POP_JUMP"):
            return True
        if step.name == "BINARY_OP":
            return step.arg not in _INPLACE or position == 1
        first = _names_on_top(step)
        return step.name in _CALLS and first <= position < first + step.arg and self._called(consumer) in _HARMLESS

    def _stores(self, name: str) -> list[int]:
        return [at for at, step in enumerate(self.steps) if step.name == "STORE_FAST" and step.value == name]

    # -- the stack ----------------------------------------------------------------------------------------------------

    def _producer(self, number: int, position: int) -> int | None:
        """Which instruction made the value at `position` from the top before `number`; None if paths meet between."""
        while number > 0:
            if self.steps[number].offset in self._targets:
                return None
            number -= 1
            step = self.steps[number]
            if step.name in _ENDS or step.name in _JUMPS:
                return None
            if step.name == "COPY":
                position = step.arg - 1 if position == 0 else position - 1
            elif step.name == "SWAP":
                position = {0: step.arg - 1, step.arg - 1: 0}.get(position, position)
            elif position < step.leaves:
                return number
            else:
                position += step.takes - step.leaves
        return None

    def _consumer(self, number: int) -> tuple[int, int] | None:
        """Which instruction takes the value that `number` has made, and at which position from the top."""
        position = 0
        for at in range(number + 1, len(self.steps)):
            step = self.steps[at]
            if step.offset in self._targets or step.name in ("COPY", "SWAP"):
                return None
            if position < step.takes:
                return at, position
            if step.name in _JUMPS or step.name in _ENDS:
                return None
            position += step.leaves - step.takes
        return None

    # -- the flow -----------------------------------------------------------------------------------------------------

    def between(self, start: int | None, end: int | None) -> set[int]:
        everything = set(range(len(self.steps)))
        forward = everything if start is None else _reach(self._after, self._after[self._last_at(start)])
        if end is None:
            return forward
        before: list[list[int]] = [[] for _ in self.steps]
        for at, nexts in enumerate(self._after):
            for following in nexts:
                before[following].append(at)
        return forward & _reach(before, [self._last_at(end)])

    def _last_at(self, offset: int) -> int:
        """The instruction at `offset`, or the last one in front of it (a frame may stand in an inline cache)."""
        return max(number for number, step in enumerate(self.steps) if step.offset <= offset)

    def _successors(self) -> list[list[int]]:
        after: list[list[int]] = []
        last = len(self.steps) - 1
        for number, step in enumerate(self.steps):
            nexts = [] if step.name in _ENDS or number == last else [number + 1]
            if step.name in _JUMPS:
                nexts.append(self.index[step.value])
            after.append(nexts)
        for entry in dis.Bytecode(self.code).exception_entries:  # type: ignore[attr-defined]  # not in typeshed
            for number, step in enumerate(self.steps):
                if entry.start <= step.offset < entry.end:
                    after[number].append(self.index[entry.target])
        return after


def _reach(edges: list[list[int]], start: list[int]) -> set[int]:
    found, waiting = set(start), list(start)
    while waiting:
        for following in edges[waiting.pop()]:
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found


def _steps(code: CodeType) -> Iterator[Step]:
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        positions = instruction.positions
        line = (positions and positions.lineno) or line
        yield from _apart(instruction, line)


def known_name(name: str, shown: str) -> str:
    """What an instruction is called in the rules; `shown`: how its argument is. From 3.14 on BINARY_OP subscribes."""
    return "BINARY_SUBSCR" if (name, shown) == ("BINARY_OP", "[]") else _SAME.get(name, name)


def _apart(instruction: dis.Instruction, line: int) -> Iterator[Step]:
    pair = _TWO_IN_ONE.get(instruction.opname)
    if pair is not None:
        for name, value in zip(pair, instruction.argval, strict=True):
            yield Step(instruction.offset, name, 0, value, line, *((0, 1) if name == "LOAD_FAST" else (1, 0)))
        return
    name = known_name(instruction.opname, instruction.argrepr)
    arg = instruction.arg or 0
    yield Step(instruction.offset, name, arg, instruction.argval, line, *_effect(instruction, name, arg))


def _effect(instruction: dis.Instruction, name: str, arg: int) -> tuple[int, int]:
    """How many values an instruction takes and leaves; only the difference is documented, the rest is known here."""
    if name == "UNPACK_SEQUENCE":
        return 1, arg
    if name == "PRECALL":  # the call proper accounts for what it takes
        return 0, 0
    if name == "CALL":
        return arg + 2, 1
    change = dis.stack_effect(instruction.opcode, instruction.arg, jump=False)
    leaves = 0 if name.startswith(_LEAVES_NONE) and name != "POP_EXCEPT" else 1
    if name in _LEAVES_TWO or (name in ("LOAD_GLOBAL", "LOAD_ATTR") and arg & 1 and _null_bit(name, change)):
        leaves = 2
    if change > leaves:
        leaves = change
    return leaves - change, leaves


def _null_bit(name: str, change: int) -> bool:
    return change == (2 if name == "LOAD_GLOBAL" else 1)


def _is_method_load(step: Step) -> bool:
    return step.name == "LOAD_METHOD" or (step.name == "LOAD_ATTR" and step.leaves == 2)


def _names_on_top(step: Step) -> int:
    return int(step.name == "CALL_KW")


def _parameters(code: CodeType) -> int:
    flags = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)  # *args, **kwargs
    return code.co_argcount + code.co_kwonlyargcount + flags


def _verb(step: Step) -> str:
    return "deleted" if step.name.startswith("DELETE") else "written"


def _is_real_lock(value: Any) -> bool:
    return type(value).__module__ == "_thread" and type(value).__name__ in ("lock", "RLock")


Rule = Callable[[Code, int, Step, Resolve, bool], str | None]
_RULES: Mapping[str, Rule] = {
    "STORE_ATTR": Code._stored_attribute,
    "DELETE_ATTR": Code._stored_attribute,
    "STORE_SUBSCR": Code._stored_item,
    "DELETE_SUBSCR": Code._stored_item,
    "STORE_SLICE": Code._stored_item,
    "STORE_GLOBAL": Code._stored_name,
    "DELETE_GLOBAL": Code._stored_name,
    "STORE_DEREF": Code._stored_name,
    "DELETE_DEREF": Code._stored_name,
    "STORE_NAME": Code._stored_in_namespace,
    "DELETE_NAME": Code._stored_in_namespace,
    "BINARY_OP": Code._augmented,
    "GET_ITER": Code._iterated,
    "LOAD_GLOBAL": Code._read_name,
    "LOAD_DEREF": Code._read_name,
    "LOAD_FAST": Code._read_name,
    "LOAD_ATTR": Code._read_attribute,
    "LOAD_METHOD": Code._read_attribute,
}
_OF_THE_FRAME = {"STORE_FAST", "DELETE_FAST", "STORE_FAST_MAYBE_NULL"}


def rule_for(name: str) -> Rule | None:
    """The rule for an instruction; one that nobody knows is a write, if it is called so."""
    rule = _RULES.get(name)
    if rule is None and name not in _OF_THE_FRAME and ("STORE_" in name or "DELETE_" in name):
        return Code._unknown
    return rule
