"""Files in folders that others write in too: no link that they left there is followed."""

import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def write(path: Path, text: str) -> None:
    """All of it, or what was there before stays. Raises OSError."""
    half = path.with_name(f"{path.name}.new")
    half.unlink(missing_ok=True)
    with made(half) as file:
        file.write(text.encode())
    half.replace(path)


def made(path: Path) -> IO[bytes]:
    """A new file, in a folder that is no link. Raises OSError."""
    folder = os.open(path.parent, FOLDER)
    try:
        return os.fdopen(os.open(path.name, NEW, 0o600, dir_fd=folder), "wb")
    finally:
        os.close(folder)


def opened(root: Path, path: str) -> IO[bytes]:
    """A file in a folder; a link may lead to it, but only from within. Raises OSError."""
    root = root.parent.resolve() / root.name
    whole = (root / path).resolve()
    if not whole.is_relative_to(root):
        raise PermissionError(0, f"it is not in {root}")
    with ExitStack() as stack:
        folder = _held(stack, os.open(root, FOLDER))
        for name in whole.relative_to(root).parts[:-1]:
            folder = _held(stack, os.open(name, FOLDER, dir_fd=folder))
        file = os.open(whole.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileNotFoundError(0, "it is no file")
    return os.fdopen(file, "rb")


def lines(file: Path) -> Iterator[bytes]:
    """None where it is no file of its own: an agent may have put a link or a pipe there."""
    with suppress(OSError), opened(file.parent, file.name) as held:
        yield from held


def _held(stack: ExitStack, file: int) -> int:
    stack.callback(os.close, file)
    return file
