"""SQLite: which files a connection works on, and whether a statement only reads.

A connection and its cursors have one state, of which each method is one step (stateful.py): that is all of a database
in memory. One in a file is also what other connections see. So its file is taken note of as any other that the program
opens: who works on it with a connection of his own has to be ordered with the others, by a lock, say. Refused: steps
for what SQLite does by its own locks, because who waits for these waits in C, where nobody else can be let on.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from hocket.explore.threads.actor import Actor
from hocket.explore.threads.files import note_database

__all__ = ["note_files"]

_QUERY = re.compile(r"\s*(select|values|explain)\b", re.IGNORECASE)
_LOOKING = {"fetchone", "fetchmany", "fetchall", "__next__", "cursor", "__enter__", "close", "interrupt", "iterdump"}


def note_files(actor: Actor, o: Any, method: str, args: tuple[Any, ...] = ()) -> None:
    """A method of `o` is called: the files of the databases that it has open are read or written, if it has any."""
    sqlite: Any = sys.modules.get("sqlite3")
    if sqlite is None or not isinstance(o, (sqlite.Connection, sqlite.Cursor)):
        return
    try:
        connection = o if isinstance(o, sqlite.Connection) else o.connection
        rows = sqlite.Cursor(connection).execute("PRAGMA database_list").fetchall()
    except sqlite.Error:  # it is closed, or belongs to another thread: so says what is called next
        return
    for _, _, file in rows:
        if file:
            note_database(actor, file, _only_reads(method, args))


def _only_reads(method: str, args: tuple[Any, ...]) -> bool:
    """Whether a method of a connection or a cursor leaves the database as it is."""
    if method != "execute":
        return method in _LOOKING
    return bool(args) and isinstance(args[0], str) and _QUERY.match(args[0]) is not None
