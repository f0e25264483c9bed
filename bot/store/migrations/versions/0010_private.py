"""What a trial has cost; and of conversations from before that is known which only one person reads: those in direct messages of Slack's"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("trials", sa.Column("usd", sa.Float(), nullable=False, server_default="0"))
    sessions = sa.table("sessions", sa.column("data", sa.Text()))
    data = sessions.c.data
    direct = sa.and_(data.contains('"channel":"D'), sa.not_(data.contains('"private":true')))
    op.execute(sessions.update().where(direct).values(data=sa.literal('{"private":true,') + sa.func.substr(data, 2)))
