"""The tables. A change here is a migration in migrations/versions/ too; a test compares the two."""

import sqlalchemy as sa

meta = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

sessions = sa.Table(
    "sessions",
    meta,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("thread", sa.String, nullable=False, index=True),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("asker", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("muted", sa.Boolean, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("changed", sa.Float, nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)

inbox = sa.Table(
    "inbox",
    meta,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("session_id", sa.ForeignKey("sessions.id"), nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Index("ix_inbox_session_id_done", "session_id", "done"),
)

events = sa.Table(
    "events",
    meta,
    sa.Column("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("type", sa.String, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

turns = sa.Table(
    "turns",
    meta,
    sa.Column("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("runtime", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("version", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("began", sa.Float, nullable=False),
    sa.Column("ended", sa.Float, nullable=False),
    sa.Column("input_tokens", sa.Integer, nullable=False),
    sa.Column("output_tokens", sa.Integer, nullable=False),
    sa.Column("cached_tokens", sa.Integer, nullable=False),
    sa.Column("usd", sa.Float, nullable=False),
    sa.Index("ix_turns_agent_began", "agent", "began"),
)

questions = sa.Table(
    "questions",
    meta,
    sa.Column("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("answered", sa.Text, nullable=False),
)

feedback = sa.Table(
    "feedback",
    meta,
    sa.Column("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("person", sa.String, primary_key=True),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)

THUMB = sa.not_(feedback.c.data.contains('"reasons":["compared"'))
"""Not what was preferred to another agent's answer, and what was not."""

reports = sa.Table(
    "reports",
    meta,
    sa.Column("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    meta,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("done", sa.Boolean, nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("lane", sa.String, nullable=False, server_default=""),
    sa.Column("owner", sa.String, nullable=False, server_default=""),
    sa.Index("ix_deliveries_lane_done", "lane", "done"),
)

posts = sa.Table(
    "posts",
    meta,
    sa.Column("slot", sa.String, primary_key=True),
    sa.Column("session_id", sa.String, nullable=False, index=True),
    sa.Column("thread", sa.String, nullable=False),
    sa.Column("id", sa.String, nullable=False),
    sa.Column("ts", sa.String, nullable=False, index=True),
    sa.Column("shown", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
)

replicas = sa.Table(
    "replicas",
    meta,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("seen", sa.Float, nullable=False),
    sa.Column("agents", sa.String, nullable=False),
)

marks = sa.Table(
    "marks",
    meta,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
)

budgets = sa.Table(
    "budgets",
    meta,
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("tat", sa.Float, nullable=False),  # of replicas one version older
    sa.Column("taken", sa.Text, nullable=False, server_default="[]"),
)

kept = sa.Table(
    "kept",
    meta,
    sa.Column("session_id", sa.ForeignKey("sessions.id"), primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("data", sa.Text, nullable=False),
)

schedules = sa.Table(
    "schedules",
    meta,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("spec", sa.String, nullable=False),
    sa.Column("due", sa.Float, nullable=False, index=True),
    sa.Column("last", sa.Float, nullable=False),
    sa.Column("paused", sa.String, nullable=False),
    sa.Column("asked", sa.String, nullable=False),
    sa.Column("trouble", sa.String, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

findings = sa.Table(
    "findings",
    meta,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("data", sa.Text, nullable=False),
)

trials = sa.Table(
    "trials",
    meta,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("old_version", sa.String, nullable=False),
    sa.Column("new_version", sa.String, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("usd", sa.Float, nullable=False, server_default="0"),
    sa.Index("ix_trials_agent_at", "agent", "at"),
)

votes = sa.Table(
    "votes",
    meta,
    sa.Column("trial_id", sa.ForeignKey("trials.id"), primary_key=True),
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("voter", sa.String, primary_key=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

proposals = sa.Table(
    "proposals",
    meta,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("agent", sa.String, nullable=False),
    sa.Column("finding", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False, index=True),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)
