"""Alembic's door: runs the migrations on the database that the configuration names."""

import sqlalchemy as sa
from alembic import context

from bot.store.tables import meta

engine = sa.create_engine(context.config.get_main_option("sqlalchemy.url") or "")
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=meta, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
