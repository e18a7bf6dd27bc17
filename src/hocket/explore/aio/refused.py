"""What no explored event loop does: the world outside. Each of it is refused by name, with the stack and what to do.

A socket that answers when it likes cannot be run in every order, nor twice alike; waiting for one for real
would look like a hang. So the call itself fails, the exploration ends, and the caller of `explore` is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hocket.explore.threads import refused

__all__ = ["METHODS", "refuse"]

_SOCKET = ("real network traffic", "let the code under test take its streams as arguments, and give it asyncio.Queue "
           "or asyncio.StreamReader objects that the test feeds")
_PIPE = ("real pipes", "feed an asyncio.StreamReader from the test")
_PROCESS = ("another process", "put a coroutine of the test in its place")
_SIGNAL = ("signals of the operating system", "call the handler from a task or with call_soon; cancellation from "
           "outside is explored with cancel=")
_NAMES = ("a name server", "give addresses, or put a coroutine of the test in its place")

_BY_REASON: dict[tuple[str, str], tuple[str, ...]] = {
    _SOCKET: (
        "create_connection", "create_server", "create_datagram_endpoint", "create_unix_connection",
        "create_unix_server", "connect_accepted_socket", "start_tls", "sendfile", "sock_recv", "sock_recv_into",
        "sock_recvfrom", "sock_recvfrom_into", "sock_sendto", "sock_sendall", "sock_connect", "sock_accept",
        "sock_sendfile", "add_reader", "add_writer", "remove_reader", "remove_writer",
    ),
    _PIPE: ("connect_read_pipe", "connect_write_pipe"),
    _PROCESS: ("subprocess_exec", "subprocess_shell"),
    _SIGNAL: ("add_signal_handler", "remove_signal_handler"),
    _NAMES: ("getaddrinfo", "getnameinfo"),
}


def refuse(did: str, state: str, expected: str, cure: str, thing: str = "asyncio") -> None:
    """As for any explored program (threads/refused.py)."""
    refused.refuse(did, state, expected, cure, thing)


def _refusing(name: str, what: str, cure: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        refuse(f"asked for loop.{name}", f"{what}, which cannot be explored", "an explored program without it", cure)

    method.__name__ = name
    return method


METHODS: dict[str, Callable[..., Any]] = {
    name: _refusing(name, what, cure) for (what, cure), names in _BY_REASON.items() for name in names}
"""By name, what a loop must not do; also what asyncio awaits, because it is refused on the call."""
