"""Alembic's door: runs the migrations on the database that the configuration names."""

import sqlalchemy as sa
from alembic import context

from bot.store.tables import meta

ALONE = 7_305_116  # the key of the lock under which one replica migrates, and the others wait

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url") or "")
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=meta, render_as_batch=True)
    with context.begin_transaction():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ALONE})")
        context.run_migrations()
engine.dispose()
