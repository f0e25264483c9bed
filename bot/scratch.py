"""A folder that is thrown away in the end; where its process was killed, by the next that makes one."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from bot import nofollow, processes
from bot.errors import ConfigError

LOCK = ".lock"


@contextmanager
def scratch() -> Iterator[Path]:
    """Raises ConfigError where there is no place for one."""
    try:
        folder = TemporaryDirectory(prefix="frontdesk-")
    except OSError as error:
        raise ConfigError(
            "There is no folder for temporary files. Give the process a /tmp that it may write to, or name one in TMPDIR."
        ) from error
    with folder as name, _held(here := Path(name).resolve()):
        _sweep(here.parent)
        yield here


def _held(folder: Path) -> IO[str]:
    """The file whose lock says that somebody uses the folder; the system takes the lock away with the process."""
    file = (folder / "new").open("w")
    with suppress(OSError):  # where nothing can be locked nothing is swept
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    (folder / "new").rename(folder / LOCK)
    return file


def _sweep(place: Path) -> None:
    """End and take away what was left there by those of us that were killed."""
    for lock in place.glob(f"frontdesk-*/{LOCK}"):
        with suppress(OSError), nofollow.opened(lock.parent, LOCK) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _take(lock.parent)


def _take(folder: Path) -> None:
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        return
    for mark in processes.marks(folder):
        processes.end_all(mark)
    shutil.rmtree(folder, ignore_errors=True)
