"""Real bugs in published asyncio code: found in the affected versions, and the fixed ones proved.

The standard library's is that of the Python at hand. For the others `HOCKET_TARGETS` names a directory of directories
`<package>-<version>` (made by `pip install --target`); each that is there is tried in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import hocket

TARGETS = Path(os.environ.get("HOCKET_TARGETS", "/nowhere"))


def test_a_notification_is_lost_with_a_waiter_that_is_cancelled():
    """https://github.com/python/cpython/issues/112202, gone in 3.13: a waiter that was notified is cancelled."""

    async def body():
        condition, woken = asyncio.Condition(), []

        async def wait(name):
            async with condition:
                await condition.wait()
            woken.append(name)

        tasks = [asyncio.create_task(wait(name), name=name) for name in ("a", "b")]
        await asyncio.sleep(0)
        async with condition:
            condition.notify(1)
        await asyncio.wait(tasks, timeout=1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert woken, "one notify(), one waiter left, nobody woken"

    result = hocket.explore(body, cancel="a")
    if sys.version_info < (3, 13):
        assert (result.verdict, result.failure.kind) == ("failed", "assertion")
        with pytest.raises(AssertionError, match="nobody woken"):
            hocket.replay(body, str(result.failure.schedule), cancel="a")
    else:
        assert result.verdict == "proved"


PROGRAMS = {
    "anyio": ("waiter", """
        import anyio
        async def body():
            lock = anyio.Lock()
            async def waiter():
                async with lock:
                    pass
            await lock.acquire()
            task = asyncio.create_task(waiter(), name="waiter")
            for _ in range(3):
                await asyncio.sleep(0)
            lock.release()
            await lock.acquire()
            lock.release()
            await asyncio.wait({task})
    """),
    "aiorwlock": (None, """
        import aiorwlock
        async def body():
            lock, inside = aiorwlock.RWLock(fast=True), 0
            async def write():
                nonlocal inside
                async with lock.writer:
                    inside += 1
                    assert inside == 1, "two writers"
                    await asyncio.sleep(0.01)
                    inside -= 1
            async def read_and_write():
                async with lock.reader:
                    await asyncio.sleep(0.01)
                await write()
            await asyncio.gather(read_and_write(), write())
    """),
    "async-lru": (None, """
        from async_lru import alru_cache
        async def body():
            @alru_cache(maxsize=1, ttl=10)
            async def double(number):
                await asyncio.sleep(0.01)
                return 2 * number
            assert await asyncio.gather(double(1), double(2)) == [2, 4]
    """),
    "janus": (None, """
        import janus
        async def body():
            queue = janus.Queue()
            queue.sync_q.put(1)
            queue.sync_q.get()
            queue.sync_q.task_done()
            await queue.async_q.put(2)
            await asyncio.sleep(0.01)
            joining = asyncio.create_task(queue.async_q.join())
            await asyncio.wait({joining}, timeout=0.1)
            joining.cancel()
            queue.close()
            await queue.wait_closed()
    """),
}
EXPECTED = [
    ("anyio", "4.13.0", "failed deadlock"), ("anyio", "4.14.0", "proved 6"),
    ("aiorwlock", "1.1.0", "failed assertion"), ("aiorwlock", "1.2.0", "proved 1"),
    ("async-lru", "2.0.2", "failed exception"), ("async-lru", "2.0.3", "proved 4"),
    # that it repeats is seen, that it does so for ever is not certain: the program's module cannot be looked through
    ("janus", "1.1.0", "incomplete _sync_mutex.acquire"), ("janus", "1.2.0", "proved 1"),
]
RUN = """
import asyncio, hocket
{program}
result = hocket.explore(body, cancel={cancel!r})
detail = result.failure.kind if result.failure else result.classes if result.verdict == "proved" else result.reason
print(result.verdict, detail)
"""


@pytest.mark.parametrize(("package", "version", "expected"), EXPECTED)
def test_the_affected_version_fails_and_the_fixed_one_is_proved(package, version, expected, tmp_path):
    home = TARGETS / f"{package}-{version}"
    if not home.is_dir():
        pytest.skip(f"needs pip install --target {home.name} {package}=={version}, below HOCKET_TARGETS")
    cancel, program = PROGRAMS[package]
    script = tmp_path / "program.py"
    script.write_text(RUN.format(program=textwrap.dedent(program), cancel=cancel))
    ran = subprocess.run([sys.executable, script], env={**os.environ, "PYTHONPATH": str(home)}, capture_output=True,
                         text=True, timeout=60, check=False)
    verdict, _, detail = expected.partition(" ")
    assert ran.stdout.startswith(verdict), ran.stderr
    assert detail in ran.stdout
