"""Workspaces that nobody has used for long are taken away, and the oldest of those that take more room than they may."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot import processes
from bot.workspaces.lock import free

LEFT = ("tmp", "home/.cache", "home/.npm")  # of a session: what whoever needs it makes again


@dataclass(frozen=True, slots=True)
class Found:
    """Something that can be taken away: a session's workspace, a mirror, or what a setup left. `used` in Unix seconds."""

    folder: Path
    lock: Path
    used: float

    @property
    def size(self) -> int:
        return sum(_room(Path(folder, name)) for folder, _, names in os.walk(self.folder) for name in names)


def tidy(sessions: Path, store: Path, days: float, gigabytes: float, *, dry: bool = False) -> list[Path]:
    """Take away what is older, and then the oldest until the rest fits (0 GB is any size); whose turn runs is left alone.

    Mirrors go only once no session's workspace needs them. What harnesses left beside their work goes by its age alone.
    """
    before, most, gone = time.time() - days * 86400, int(gigabytes * 2**30), list[Path]()
    for kind in (_workspaces(sessions), _mirrors(sessions, store, gone), _caches(store)):
        gone += [found.folder for found in kind if found.used < before and (dry or _take(found))]
    gone += [folder for folder in _left(sessions, before) if dry or _away(folder)]
    if not most:
        return gone
    left = [found for found in (*_workspaces(sessions), *_caches(store)) if found.folder not in gone]
    sizes = {found.folder: found.size for found in left}
    room = most - sum(sizes.values()) - sum(mirror.size for mirror in _all(store, "*.git"))
    for found in sorted(left, key=lambda found: found.used):
        if room >= 0:
            break
        if dry or _take(found):
            gone.append(found.folder)
            room += sizes[found.folder]
    return gone


def _take(found: Found) -> bool:
    """Whether nobody uses it; then it is away."""
    with suppress(OSError), free(found.lock) as alone:
        if alone:
            _away(found.folder)
    return not found.folder.exists()


def _away(folder: Path) -> bool:
    """Whether it is, and at once: half of one would be taken for the whole."""
    aside = folder.with_name(f"{folder.name}.away")
    with suppress(OSError):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    return not os.path.lexists(folder)


def _left(sessions: Path, before: float) -> Iterator[Path]:
    """Where no harness runs; each has touched its session's `tmp`."""
    for tmp in sessions.glob("*/tmp"):
        if tmp.lstat().st_mtime < before and not processes.marks(tmp.parent.resolve()):
            yield from (folder for name in LEFT if os.path.isdir(folder := tmp.parent / name))


def _workspaces(sessions: Path) -> Iterator[Found]:
    for mark in sessions.glob("*/workspace/*.ready"):
        if (folder := mark.with_suffix("")).is_dir():
            yield Found(folder, mark.with_suffix(".lock"), mark.stat().st_mtime)


def _mirrors(sessions: Path, store: Path, gone: list[Path]) -> Iterator[Found]:
    marks = [mark for mark in sessions.glob("*/workspace/*.ready") if (folder := mark.with_suffix("")).is_dir() and folder not in gone]
    needed = {mark.read_text() for mark in marks}
    yield from (found for found in _all(store, "*.git") if found.folder.name not in needed)


def _caches(store: Path) -> Iterator[Found]:
    return _all(store, "*.cache")


def _room(file: Path) -> int:
    """In bytes; 0 where it has just gone."""
    with suppress(OSError):
        return file.lstat().st_blocks * 512
    return 0


def _all(store: Path, pattern: str) -> Iterator[Found]:
    return (Found(folder, folder.with_suffix(".lock"), folder.stat().st_mtime) for folder in store.glob(pattern))
