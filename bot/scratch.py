"""A folder for what is thrown away in the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.errors import ConfigError


@contextmanager
def scratch() -> Iterator[Path]:
    """Raises ConfigError where there is no place for one."""
    try:
        folder = TemporaryDirectory(prefix="frontdesk-")
    except OSError as error:
        raise ConfigError(
            "There is no folder for temporary files. Give the process a /tmp that it may write to, or name one in TMPDIR."
        ) from error
    with folder as name:
        yield Path(name)
