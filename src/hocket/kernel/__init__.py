"""The kernel: a task's life as rows of data, and the machine that executes them."""

from hocket.kernel.kernel import Commands, Kernel
from hocket.kernel.lifecycle import Command, Edge, Outcome, Phase, Policy, Stimulus
from hocket.kernel.node import Node, Scope

__all__ = ["Command", "Commands", "Edge", "Kernel", "Node", "Outcome", "Phase", "Policy", "Scope", "Stimulus"]
