"""A plan to be drawn: an order that is read once, and handled along two branches."""

from __future__ import annotations

from typing import Annotated

from hocket import borrow_prev, compile_plan, consume_prev, copy_prev, task_tree


def order() -> dict:
    return {"lines": [3, 4], "to": "Leiden"}


def lines(order: Annotated[dict, borrow_prev]) -> list:
    return list(order["lines"])


def total(lines: Annotated[list, borrow_prev]) -> int:
    return sum(lines)


def invoice(total: Annotated[int, borrow_prev]) -> str:
    return f"{total} to pay"


def address(order: Annotated[dict, borrow_prev]) -> str:
    return order["to"]


def label(address: Annotated[str, consume_prev]) -> bytes:
    return address.encode()


def archive(label: Annotated[bytes, copy_prev]) -> None: ...


TREE = task_tree(
    order,
    task_tree(lines, task_tree(total, invoice)),
    task_tree(address, task_tree(label, archive)),
)
PLAN = compile_plan(TREE)
