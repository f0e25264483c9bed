"""What is kept, and how.

store/tables.py         the tables
store/rows.py           objects as rows, and back
store/database.py       the database: opened, migrated, written to in groups
store/sql.py            sessions, what waits for them, what was said, and what it cost
store/replicas.py       who shares the database, and what time it is
store/journal.py        what came in and what went out
store/keep.py           what runtimes keep of their sessions
store/opinions.py       what people thought of the answers, and what those cost
store/past.py           turns that are over
store/trials.py         what was tried, and what people think of it
store/reports.py        what agents said would have helped them
store/happened.py       what went well and wrong, fact by fact
store/findings.py       what repeats, and what people made of it
store/proposals.py      changes of agents' files, and what came of them
store/schedules.py      when each is due, and who begins it
store/budget.py         Slack's limits as rows, for all replicas
store/files.py          the folder of agents' files
store/glances.py        what people have with the desk
store/figures.py        what whoever runs the bot asks of it
store/prune.py          what was over long ago, taken out
store/backup.py         a copy, while the bot runs
store/migrations/__init__.py  the schema's history
store/migrations/env.py Alembic's door
"""
