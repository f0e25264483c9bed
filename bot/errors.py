"""What can go wrong, in words for the person who can act on it.

BotError
├── ConfigError      an agent's file or the environment is wrong: told by `frontdesk check`, and at start
├── Denied           policy said no: told only to the person who asked
├── Forgotten        what a button is about was pruned: told to the person
├── StoreFailed      nothing can be kept (a full disk, no database): told to the person, and in the log
├── Superseded       another owner has the session now: told to nobody, the turn just ends
└── RuntimeFailed    where the agent runs said no: told in the thread
    └── Unavailable  the same, but another try, or another runtime, may help
"""


class BotError(Exception):
    """Something that Frontdesk knows how to tell. `str()` is the sentence, with the remedy."""


class ConfigError(BotError):
    """A file or a setting is wrong. The sentence names the file and the key."""


class Denied(BotError):
    """This person may not do this. The sentence says who may."""


class Forgotten(BotError, LookupError):
    """It was over long ago, and is not in the database any more."""

    def __init__(self) -> None:
        super().__init__("That is no longer known: it was over long ago, and has been cleared away since. Ask again.")


class StoreFailed(BotError):
    """Nothing could be written or read."""


def away(said: object) -> str:
    """A PostgreSQL that does not answer; what its driver guesses stands on lines of its own, behind a tab."""
    lines = [line.strip().rstrip(".") for line in str(said).splitlines() if line.strip() and not line.startswith("\t")]
    return (
        f"The database does not answer: {'; '.join(lines)}. Look whether PostgreSQL runs,"
        " and whether DATABASE_URL names its host, port, user, password and database."
    )


class Superseded(BotError):
    """A newer owner has taken the session; whatever is still running here must stop, and write nothing."""


class RuntimeFailed(BotError):
    """The place where the agent runs said no."""


class Unavailable(RuntimeFailed):
    """It said no before anything was begun."""
