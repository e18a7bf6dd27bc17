"""Subsystems that live long and talk by declared messages and signals, on asyncio and on threads.

An orchestra is declared as a class (`Orchestra`, `subsystem`), checked before it
runs (`Orchestra.check`: who can wait for whom), built (`Orchestra.builder`) and
run. After Orchestra, the Rust crate; section 4 of the seeds' semantics says what
it does, and docs/explanation/subsystems.md what is done differently and why.
"""

from hocket.orchestra.builder import Builder, Connector
from hocket.orchestra.check import Report
from hocket.orchestra.context import BlockingContext, BlockingSender, Context, Sender
from hocket.orchestra.declare import Declaration, apart, asks, replies, subsystem, trying, unbounded
from hocket.orchestra.lane import Undelivered
from hocket.orchestra.orchestra import Orchestra
from hocket.orchestra.system import Broadcast, Ended, Handle, System, Termination

__all__ = [
    "BlockingContext",
    "BlockingSender",
    "Broadcast",
    "Builder",
    "Connector",
    "Context",
    "Declaration",
    "Ended",
    "Handle",
    "Orchestra",
    "Report",
    "Sender",
    "System",
    "Termination",
    "Undelivered",
    "apart",
    "asks",
    "replies",
    "subsystem",
    "trying",
    "unbounded",
]
