"""The schema's history, under Alembic; `upgrade` brings a database to the newest."""

from importlib import import_module
from pathlib import Path

import sqlalchemy as sa

from bot.errors import ConfigError

HEAD = "0001"


def upgrade(url: str) -> None:
    """Bring the schema to HEAD. Raises ConfigError where it is newer than this version of frontdesk knows."""
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            found = _version(connection)
        if found == HEAD:
            return
        if found is not None and found > HEAD:
            raise ConfigError(f"The database has schema {found}, and this frontdesk knows {HEAD} at most. Run the newer version again.")
        _alembic(url)
    finally:
        engine.dispose()


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return version


def _alembic(url: str) -> None:
    # 10 MB that only a first start and an upgrade need
    command, config = import_module("alembic.command"), import_module("alembic.config").Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")
