"""Processes on this machine that are begun for sessions: whose each is, what it began and how much memory that takes; and their end."""

import ctypes
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

MARK = "FRONTDESK_HARNESS"
KEEP_OUT = 4  # prctl's PR_SET_DUMPABLE
FIRST, SIGNALLED = 1, 128  # the id of a container's first process; what shells add to the number of a signal
WEIGH = 2.0  # seconds between two looks at what they use
MEMORY = 4096  # MiB for each, with all that it began, where its agent's file says nothing
Known = tuple[int, str]  # a process's id, which the system gives again, and when it began


def hide() -> None:
    """From now on no other process of our user sees our environment, where the secrets are, or our memory (Linux). root sees all."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(KEEP_OUT, 0)


def first() -> None:
    """Where we are a container's first process, a child goes on as ourselves, and this one passes signals on and buries what is left to it.

    An init of somebody else's would show all our secrets in its own environment.
    """
    if os.getpid() != FIRST or not (child := os.fork()):
        return
    for name in ends():
        signal.signal(name, lambda number, _: os.kill(child, number))
    while (ended := os.wait())[0] != child:
        continue
    code = os.waitstatus_to_exitcode(ended[1])
    os._exit(code if code >= 0 else SIGNALLED - code)


def end_all(mark: str, more: Collection[Known] = ()) -> None:
    """Kill every process with this entry in its environment, `more`, and what they began: tools run in sessions of their own, and may
    outlive who began them.

    Where there is no /proc, what the harness itself ends on SIGTERM has to be enough.
    """
    for _ in range(3):  # what is killed may have begun another just before
        found = {pid for first in (*marked(mark), *still(more)) for pid in family(first)}
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def marked(mark: str) -> Iterator[int]:
    entry = mark.encode()
    return (pid for pid, environment in _environments() if entry in environment)


def ends() -> list[signal.Signals]:
    """The signals by which we are told to end; without the one of a terminal that is closed, where somebody has us ignore that."""
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else [])]


def marks(folder: Path) -> set[str]:
    """Those of all processes that are begun for sessions in this folder."""
    ours = f"{MARK}={folder}/".encode()
    return {entry.decode(errors="replace") for _, environment in _environments() for entry in environment if entry.startswith(ours)}


def used(pid: int, mark: str) -> int:
    """Bytes of memory of a process and all that it began, also of what has parted from it."""
    return sum(map(_memory, {*family(pid), *_census(int(time.monotonic() / WEIGH)).get(mark, ())}))


@lru_cache(maxsize=1)
def _census(_tick: int) -> Mapping[str, Collection[int]]:
    """All processes by their marks, looked up once for all who ask at the same tick."""
    found: dict[str, set[int]] = defaultdict(set)
    for pid, environment in _environments():
        for entry in filter(lambda entry: entry.startswith(MARK.encode()), environment):
            found[entry.decode(errors="replace")].add(pid)
    return found


def _environments() -> Iterator[tuple[int, list[bytes]]]:
    running = os.listdir("/proc") if os.path.isdir("/proc") else []
    for name in filter(str.isdigit, running):  # no Path: all else waits meanwhile, and that takes three times as long
        with suppress(OSError), open(f"/proc/{name}/environ", "rb") as environment:
            yield int(name), environment.read().split(b"\0")


def family(pid: int) -> Iterator[int]:
    """A process and all that it began, as far as /proc tells."""
    yield pid
    for thread in _threads(pid):
        with suppress(OSError):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from family(int(child))


def _threads(pid: int) -> list[str]:
    """None where it has ended, which it may at any moment."""
    with suppress(OSError):
        return os.listdir(f"/proc/{pid}/task")
    return []


def known(pids: Iterable[int]) -> set[Known]:
    return {(pid, begun) for pid in pids if (begun := _begun(pid))}


def still(those: Iterable[Known]) -> Iterator[int]:
    """Those that have not ended."""
    return (pid for pid, begun in those if _begun(pid) == begun)


def _begun(pid: int) -> str:
    """When, as the system counts; empty where it has ended."""
    with suppress(OSError, IndexError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return "" if state == "Z" else fields[18]
    return ""


def _memory(pid: int) -> int:
    """In bytes; 0 where it has gone."""
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
