"""The schema's history, under Alembic; `upgrade` brings a database to the newest."""

import logging
from importlib import import_module
from pathlib import Path

import sqlalchemy as sa

from bot.errors import ConfigError

log = logging.getLogger(__name__)
HEAD = max(path.name[:4] for path in (Path(__file__).parent / "versions").glob("0*.py"))


def upgrade(url: str) -> None:
    """Bring the schema to HEAD. One that is newer by one version is that of an upgrade under way, and can be worked with.

    Raises ConfigError where it is newer than that.
    """
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            found = _version(connection)
        if found == HEAD:
            return
        if found is not None and int(found) > int(HEAD) + 1:
            raise ConfigError(f"The database has schema {found}, and this frontdesk knows {HEAD}. Run the newer version again.")
        if found is not None and int(found) > int(HEAD):
            log.warning("schema_newer", extra={"action": "schema_newer", "found": found, "known": HEAD})
            return
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
