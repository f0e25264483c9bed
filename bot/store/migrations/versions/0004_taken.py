"""What was called of Slack, call by call; replicas one version older go on with `tat`"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("budgets", sa.Column("taken", sa.Text(), nullable=False, server_default="[]"))
