"""Plans: trees and graphs of tasks, compiled once and checked, with data that flows from task to task through slots.

Nothing here runs anything: `hocket.runtime.plans` does.
"""

from hocket.plan.adapters import (
    catch_as_failure,
    retry_fixed,
    retry_fixed_passthrough,
    retry_forever,
    with_retry,
)
from hocket.plan.bind import (
    Bound,
    bind,
    bind_forward_prev,
    bind_forward_prev_member,
    bind_into,
    bind_into_member,
    bind_member,
)
from hocket.plan.compile import compile_plan
from hocket.plan.context import Context, context
from hocket.plan.layouts import Layout, conflict, lay_out
from hocket.plan.plan import Node, Plan
from hocket.plan.results import Status, StepResult, TaskResult
from hocket.plan.sources import (
    DirectOut,
    Source,
    borrow_prev,
    borrow_prev_mut,
    consume_prev,
    copy_prev,
    from_ctx,
    ref,
    value,
)
from hocket.plan.tree import Fanout, TaskTree, task_tree

__all__ = [
    "Bound",
    "Context",
    "DirectOut",
    "Fanout",
    "Layout",
    "Node",
    "Plan",
    "Source",
    "Status",
    "StepResult",
    "TaskResult",
    "TaskTree",
    "bind",
    "bind_forward_prev",
    "bind_forward_prev_member",
    "bind_into",
    "bind_into_member",
    "bind_member",
    "borrow_prev",
    "borrow_prev_mut",
    "catch_as_failure",
    "compile_plan",
    "conflict",
    "consume_prev",
    "context",
    "copy_prev",
    "from_ctx",
    "lay_out",
    "ref",
    "retry_fixed",
    "retry_fixed_passthrough",
    "retry_forever",
    "task_tree",
    "value",
    "with_retry",
]
