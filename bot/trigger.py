"""A trigger: one way to reach an agent, as its file writes it."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from jinja2 import TemplateSyntaxError, nodes
from jinja2.sandbox import SandboxedEnvironment
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from bot import template

COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
PLACE = re.compile(r"#\S+|[CDGUW][A-Z0-9]+")
Source = Literal["github", "linear", "generic"]
TOLD = {"body", "event"}  # what a webhook's filter and prompt may speak of
TEMPLATES = SandboxedEnvironment()


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Watch(Strict):
    """Messages of a channel that need no mention."""

    channel: str
    pattern: str = ""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern


class Shortcut(Strict):
    callback: str = Field(max_length=255)
    name: str = Field(max_length=24)


def place(post_to: str) -> str:
    """A channel or a person, as a file may write them. Raises ValueError."""
    if not PLACE.fullmatch(post_to):
        raise ValueError(f'{post_to!r} is neither a channel nor a person: write "#{post_to.strip("#@")}" (in quotes), or an id')
    return post_to


PostTo = Annotated[str, AfterValidator(place)]


class Schedule(Strict):
    """Times at which the agent begins by itself. `missed` says what comes of those at which nobody was there to begin it."""

    cron: str
    timezone: str = "UTC"
    post_to: PostTo
    prompt: str = Field(min_length=1)
    missed: Literal["tell", "run", "skip"] = "tell"

    @field_validator("timezone")
    @classmethod
    def _somewhere(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{timezone!r} is no time zone: write it like Europe/Berlin, America/New_York or UTC") from error
        return timezone

    @field_validator("cron")
    @classmethod
    def _comes(cls, cron: str) -> str:
        if len(cron.split()) != 5:
            raise ValueError(f'{cron!r} has to be five fields (minute hour day month weekday), like "0 9 * * 1-5" for 9:00 on weekdays')
        try:
            next(CronSim(cron, datetime.now(UTC)))
        except CronSimError as error:
            raise ValueError(f"{cron!r} names no time that comes ({str(error).lower()})") from error
        except StopIteration:
            raise ValueError(f"{cron!r} never comes: there is no such day") from None
        return cron

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def ticks(self, after: float) -> Iterator[datetime]:
        """The times that come later than then (Unix seconds), in its own time zone, one after the other.

        In the night when clocks change, a time that is left out comes when the clock has jumped, and one that there is twice comes once;
        what comes each so many minutes or each hour goes on as if nothing were.
        """
        ticks = CronSim(self.cron, datetime.fromtimestamp(after, self.zone))
        return (tick for tick in ticks if tick.timestamp() > after)


class Webhook(Strict):
    """A call from elsewhere at which the agent begins. `secret` is the $NAME of what proves who calls; `filter` a jinja2 expression;
    `per_minute` how many may begin something: Slack takes as many messages in one channel.
    """

    source: Source
    secret: str
    events: tuple[str, ...] = ()
    filter: str = ""
    post_to: PostTo
    prompt: str = Field(min_length=1)
    per_minute: int = Field(default=60, gt=0)

    @field_validator("secret")
    @classmethod
    def _elsewhere(cls, secret: str) -> str:
        if not re.fullmatch(r"\$[A-Za-z_]\w*", secret, re.ASCII):
            raise ValueError("name the variable that holds the secret, like $GITHUB_HOOK; the secret itself does not belong in a file")
        return secret

    @field_validator("events", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("filter")
    @classmethod
    def _judges(cls, filter: str) -> str:
        if not filter.strip():
            return ""
        try:
            match (tree := template.read(TEMPLATES, f"{{{{ {filter} }}}}")).body:
                case [nodes.Output(nodes=[nodes.Expr()])]:
                    return _spoken(tree, filter)
            raise TemplateSyntaxError("it has to be one expression", 1)
        except TemplateSyntaxError as error:
            raise ValueError(f"{filter!r} is no expression: {error.message}; write it like body.action == 'opened'") from error

    @field_validator("prompt")
    @classmethod
    def _fills(cls, prompt: str) -> str:
        try:
            return _spoken(template.read(TEMPLATES, prompt), prompt)
        except TemplateSyntaxError as error:
            raise ValueError(f"this is no template: {str(error.message).rstrip('.')}, in line {error.lineno}") from error

    @model_validator(mode="after")
    def _eventful(self) -> "Webhook":
        if self.source == "generic" and self.events:
            raise ValueError("a generic webhook says of no event what it is; write `filter`, like body.kind == 'alert', not `events`")
        return self


def _spoken(tree: nodes.Template, text: str) -> str:
    """The text, whose template speaks only of what there is. Raises ValueError."""
    if unknown := template.names(tree) - TEMPLATES.globals.keys() - TOLD:
        raise ValueError(f"nothing is called {min(unknown)!r}; there are {' and '.join(sorted(TOLD))}")
    return text


class Trigger(Strict):
    """One way to reach an agent: exactly one of the keys is set."""

    mention: tuple[str, ...] = ()
    messages: Watch | None = None
    dm: bool = False
    command: str = ""
    shortcut: Shortcut | None = None
    reaction: str = ""
    schedule: Schedule | None = None
    webhook: Webhook | None = None

    @field_validator("mention", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("mention")
    @classmethod
    def _places(cls, places: tuple[str, ...]) -> tuple[str, ...]:
        for place in places:
            if not re.fullmatch(r"\*|#\S+|[CDG][A-Z0-9]{2,}", place):
                raise ValueError(f'{place!r} is no channel: write "#{place.strip("#")}" (in quotes), "*" for everywhere, or an id')
        return places

    @field_validator("command")
    @classmethod
    def _slashed(cls, command: str) -> str:
        if command and not COMMAND.fullmatch(command):
            raise ValueError(f"{command!r} is no command: it is written /like-this, in small letters, at most 32 characters")
        return command

    @field_validator("reaction")
    @classmethod
    def _bare(cls, reaction: str) -> str:
        return reaction.strip(":")

    @model_validator(mode="after")
    def _one(self) -> "Trigger":
        if len(self.model_fields_set) != 1:
            keys = "mention, messages, dm, command, shortcut, reaction, schedule or webhook"
            raise ValueError(f"each trigger has exactly one key: {keys}")
        return self

    @property
    def places(self) -> tuple[str, ...]:
        """The channels and people that it names, by name or id."""
        watched = (self.messages.channel,) if self.messages else ()
        return (*self.mention, *watched, *(begins.post_to for begins in (self.schedule, self.webhook) if begins))

    def resolved(self, ids: Mapping[str, str]) -> "Trigger":
        """With ids in place of names; a name without one stays."""
        given: dict[str, Any] = {"mention": swap(self.mention, ids), "messages": _moved(self.messages, "channel", ids)}
        given |= {"schedule": _moved(self.schedule, "post_to", ids), "webhook": _moved(self.webhook, "post_to", ids)}
        return self.model_copy(update=given)


def _moved(one: Strict | None, key: str, ids: Mapping[str, str]) -> Strict | None:
    return one and one.model_copy(update={key: ids.get(getattr(one, key), getattr(one, key))})


def swap(names: tuple[str, ...], ids: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(ids.get(name, name) for name in names)
