"""A database in which nothing stands yet, so that not each test brings one up through all of the schema's history."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.store.migrations import upgrade


def blank(file: Path) -> str:
    """Its address."""
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "blank.db"
        upgrade(f"sqlite:///{file}")
        return file.read_bytes()
