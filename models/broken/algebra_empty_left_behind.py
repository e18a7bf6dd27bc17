"""S-B1, a crash: taking empty graphs out of a tree looks once, from above.

`remove_nil` looks whether a child *is* empty before it has made it so: seq(a, seq(∅, ∅))
becomes seq(a, ∅), and assembling that says "Nil should always be removed". Repaired: the
children first, then their parent.

No transition system: the claim is about every tree, and here every tree of up to four
leaves is tried. There are C(k)·2ᵏ·2ᵏ⁻¹ of k leaves, each leaf a task or empty, each
pair a seq or a fork, C the Catalan numbers: 2 + 8 + 64 + 640.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from models.showcase import Cases

Tree = str | tuple[str, "Tree", "Tree"]
EMPTY, TASK = "empty", "task"
LEAVES = 4


def trees(leaves: int) -> Iterator[Tree]:
    """Every tree of so many leaves."""
    if leaves == 1:
        yield from (TASK, EMPTY)
    for left in range(1, leaves):
        for head in trees(left):
            for tail in trees(leaves - left):
                yield from ((pair, head, tail) for pair in ("seq", "fork"))


def all_trees() -> Iterator[Tree]:
    """The small ones first."""
    return (tree for leaves in range(1, LEAVES + 1) for tree in trees(leaves))


def from_above(tree: Tree) -> Tree:
    """What the seed does: drop the children that are empty already, then go down."""
    match tree:
        case (_, "empty", "empty"):
            return EMPTY
        case (_, "empty", kept) | (_, kept, "empty"):
            return from_above(kept)
        case (pair, head, tail):
            return pair, from_above(head), from_above(tail)
    return tree


def from_below(tree: Tree) -> Tree:
    """The repair: children first."""
    match tree:
        case (pair, head, tail):
            first, second = from_below(head), from_below(tail)
            if EMPTY in (first, second):
                return second if first == EMPTY else first
            return pair, first, second
    return tree


def _is_clean(tree: Tree) -> bool:
    """Nothing in it is empty."""
    return all(map(_is_clean, tree[1:])) if isinstance(tree, tuple) else tree != EMPTY


def can_be_assembled(without_empties: Callable[[Tree], Tree]) -> Callable[[Tree], bool]:
    """Whether a tree becomes empty altogether, or has nothing empty in it."""

    def holds(tree: Tree) -> bool:
        left = without_empties(tree)
        return left == EMPTY or _is_clean(left)

    return holds


SHOWCASE = Cases(
    rank=14,
    seed="S-B1",
    claim="every tree can be assembled",
    cases=all_trees,
    broken=can_be_assembled(from_above),
    repaired=can_be_assembled(from_below),
)
