"""An agent: a Markdown file, whose front matter says where it runs and for whom, and whose body says how it works."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Literal

import yaml
from jinja2 import StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from bot import mistakes, template
from bot.errors import ConfigError
from bot.mistakes import explain as explain
from bot.net import AnyUrl, Variable
from bot.trigger import Schedule, Strict, Trigger, swap

TEMPLATES = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def _spelled(options: Any) -> Any:
    """YAML reads the key `on` as true."""
    return {"on" if key is True else key: value for key, value in options.items()} if isinstance(options, dict) else options


Options = Annotated[dict[str, Any], BeforeValidator(_spelled)]


class Allow(Strict):
    """Who may do what: members, admins, guests, everyone, asker, a person's id, or a user group (@platform)."""

    run: tuple[str, ...] = ("members",)
    answer: tuple[str, ...] = ("asker",)
    approve: tuple[str, ...] = ()
    stop: tuple[str, ...] = ("asker", "members")
    bots: tuple[str, ...] = ()

    @field_validator("*", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("run", "answer", "approve", "stop")
    @classmethod
    def _known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            if rule not in WHO and not re.fullmatch(r"@.+|[UWSB][A-Z0-9]{2,}", rule):
                near = get_close_matches(rule, WHO, 1)
                raise ValueError(
                    f"{rule!r} is nobody{f'; did you mean {near[0]!r}?' if near else ''}: say {', '.join(WHO)}, @group or an id"
                )
        return rules


WHO = ("members", "admins", "guests", "everyone", "asker")


class Budget(Strict):
    """When a turn must end: US dollars, and minutes; and how many of them may run at once."""

    usd_per_session: float | None = Field(default=None, gt=0)
    usd_per_day: float | None = Field(default=None, gt=0)
    minutes_per_turn: float = Field(default=60, gt=0)
    turns_at_once: int | None = Field(default=None, gt=0)


class Prompt(Strict):
    """A suggested prompt, as Slack shows it on a button in the direct message."""

    title: str = Field(max_length=60)
    message: str


class Tickets(Strict):
    """Where tickets for findings go: a repository at GitHub, or a team at Linear, by its key. `token` names the variable that lets us in.

    `url` is where its API is, if not at github.com or linear.app; `private` says that this may be in our own network.
    """

    github: str = ""
    linear: str = ""
    token: str
    url: AnyUrl = ""
    private: bool = False

    @field_validator("token")
    @classmethod
    def _named(cls, token: str) -> str:
        if not re.fullmatch(r"\$?[A-Z][A-Z0-9_]*", token):
            raise ValueError("name the variable that holds the token, like GITHUB_TOKEN; the token itself does not belong in a file")
        return token.removeprefix("$")

    @model_validator(mode="after")
    def _one(self) -> "Tickets":
        shape = r"[\w-]+/[\w.-]*[\w-]" if self.github else r"[A-Z][A-Z0-9]*"
        if bool(self.github) == bool(self.linear) or not re.fullmatch(shape, self.github or self.linear):
            raise ValueError("say where, either as `github: owner/repository` or as `linear: TEAM`, by the key that its issues begin with")
        return self

    @property
    def place(self) -> str:
        return "GitHub" if self.github else "Linear"


class Elsewhere(Strict):
    """Another runtime than the agent's own, by its name, or with options and a model for it."""

    runtime: str
    model: str = ""
    options: Options = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"runtime": value} if isinstance(value, str) else value


class Agent(Strict):
    """An agent's file, read and found good. `version` is a hash of the whole file; `held` its options at home, where it is elsewhere."""

    hidden: ClassVar = {"name", "version", "instructions", "held"}  # what is no key of the file
    name: str
    version: str
    instructions: str = ""
    description: str = Field(min_length=1, max_length=300)
    runtime: str
    model: str = ""
    options: Options = Field(default_factory=dict)
    environment: tuple[Variable, ...] = ()
    workspace: str = ""
    tools: bool = False
    improve: bool | None = None
    judge: str = ""
    digest: bool = False
    tickets: Tickets | None = None
    fallback: tuple[Elsewhere, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    prompts: tuple[Prompt, ...] = Field(default=(), max_length=4)
    reply: Literal["thread", "private"] = "thread"
    allow: Allow = Allow()
    budget: Budget = Budget()
    held: Mapping[str, Any] = {}

    @property
    def choices(self) -> "tuple[Agent, ...]":
        """Itself, and itself on each that may stand in."""
        return (self.model_copy(update={"fallback": ()}), *map(self._on, self.fallback))

    def on(self, runtime: str) -> "Agent":
        """Itself on this runtime, by what its file says of that."""
        return self.found(runtime) or self._on(Elsewhere(runtime=runtime))

    def found(self, runtime: str) -> "Agent | None":
        """Itself on this runtime, if its file names it."""
        return next((choice for choice in self.choices if choice.runtime == runtime), None)

    def _on(self, other: Elsewhere) -> "Agent":
        here = other.runtime == self.runtime and not other.options
        given = {"options": self.options if here else other.options, "model": other.model or (self.model if here else "")}
        return self.model_copy(update={"runtime": other.runtime, "fallback": (), "held": {} if here else self.options, **given})

    @property
    def schedules(self) -> dict[str, Schedule]:
        """The times at which it begins by itself, by their names: helper:1, helper:2 …"""
        timed = (trigger.schedule for trigger in self.triggers if trigger.schedule)
        return {f"{self.name}:{number}": schedule for number, schedule in enumerate(timed, 1)}

    @property
    def file(self) -> str:
        return f"agents/{self.name.partition('@')[0]}.md"  # it may be tried on another runtime

    def names(self) -> set[str]:
        """The channels (#reviews) and user groups (@platform) that this file names, and that have to be looked up."""
        allow = (*self.allow.run, *self.allow.answer, *self.allow.approve, *self.allow.stop)
        places = [place for trigger in self.triggers for place in trigger.places]
        return {name for name in (*allow, *places) if name.startswith(("#", "@"))}

    def resolved(self, ids: Mapping[str, str]) -> "Agent":
        """This agent with names of channels and groups replaced by their ids; a name without one stays, and matches nothing."""
        allow = {key: swap(getattr(self.allow, key), ids) for key in ("run", "answer", "approve", "stop")}
        triggers = tuple(trigger.resolved(ids) for trigger in self.triggers)
        return self.model_copy(update={"allow": self.allow.model_copy(update=allow), "triggers": triggers})

    def claims(self) -> list[str]:
        """The places where only one agent can be meant, in words."""
        found: list[str] = []
        for trigger in self.triggers:
            found += [f"mentions in {place}" if place != "*" else "mentions everywhere" for place in trigger.mention]
            found += [f"messages in {trigger.messages.channel} like {trigger.messages.pattern!r}"] if trigger.messages else []
            found += ["direct messages"] if trigger.dm else []
            found += [f"the command {trigger.command}"] if trigger.command else []
            found += [f"the shortcut {trigger.shortcut.callback!r}"] if trigger.shortcut else []
            found += [f"the reaction :{trigger.reaction}:"] if trigger.reaction else []
            found += [f"{self.name}'s schedule {timed.cron} ({timed.timezone}) for {timed.post_to}"] if (timed := trigger.schedule) else []
            found += [f"{self.name}'s {called.source} webhook for {called.post_to}"] if (called := trigger.webhook) else []
        return found


def gone(name: str) -> Agent:
    """What stands for an agent whose file is gone, so that what it left can be seen and stopped."""
    return Agent(name=name, version="", description="Its file is gone.", runtime="gone")


def version(text: str) -> str:
    """What the agent of this file's text is told apart by."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parse(name: str, text: str) -> Agent:
    """The agent that a file's text describes. Raises ConfigError, which names the file, the key and the nearest right one."""
    file = f"agents/{name}.md"
    if not NAME.fullmatch(name):
        raise ConfigError(f"{file}: an agent's name is its file's: small letters, digits, - and _, at most 40 of them; rename the file")
    front, body = _read(file, text)
    wrong = [*_taken(file, name, front), *_untemplated(file, body)]
    try:
        agent = _agent(name, text, front, body)
    except ValidationError as error:
        raise ConfigError("\n".join([*wrong, *(f"{file}: {line}" for line in explain(error, Agent))])) from error
    if wrong:
        raise ConfigError("\n".join(wrong))
    return agent


def remains(name: str, text: str) -> Agent | None:
    """The agent without what is wrong with its file: what its runtime has against the rest is told at once. None if it names none."""
    try:
        front, body = _read(f"agents/{name}.md", text)
    except ConfigError:
        return None
    given = {key: value for key, value in front.items() if isinstance(key, str)} | {"description": "It is wrong."}
    body = "" if any(_untemplated("", body)) else body
    try:
        return _agent(name, text, given, body)
    except ValidationError as error:
        good = given.keys() - {wrong["loc"][0] for wrong in error.errors()}
    return _agent(name, text, {key: given[key] for key in good}, body) if "runtime" in good else None


def _agent(name: str, text: str, front: Mapping[str, Any], body: str) -> Agent:
    """Raises ValidationError."""
    given = {key: value for key, value in front.items() if key not in Agent.hidden}
    return Agent.model_validate({**given, "name": name, "version": version(text), "instructions": body.strip()})


def _read(file: str, text: str) -> tuple[dict[str, Any], str]:
    """The front matter, and the body. Raises ConfigError."""
    head, body = _halves(file, text)
    try:
        front = mistakes.read(head)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = " ".join(str(error).split()).replace('in "<unicode string>", line', "in line")
        raise ConfigError(f"{file}: the front matter is no YAML: {where}{mistakes.remedy(where)}") from error
    if not isinstance(front, dict):
        raise ConfigError(f"{file}: the front matter has to be keys and values, like `description: Answers questions.`")
    return front, body


def _untemplated(file: str, body: str) -> Iterable[str]:
    try:
        template.read(TEMPLATES, body, plain=True)
    except TemplateSyntaxError as error:
        yield f"{file}: the text below the front matter is no template: {str(error.message).rstrip('.')}, in line {error.lineno}"


def _halves(file: str, text: str) -> tuple[str, str]:
    """The front matter and the body, each with empty lines before it, so that mistakes are told with the file's own line numbers."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != "---":
        raise ConfigError(f"{file}: the first line has to be ---, then keys and values, then --- again, then what the agent is told")
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            return "\n".join(["", *lines[1:number]]), "\n" * (number + 1) + "\n".join(lines[number + 1 :])
    raise ConfigError(f"{file}: the front matter that begins with --- has no second --- to end it")


def _taken(file: str, name: str, front: Mapping[str, Any]) -> Iterable[str]:
    """Keys that are the agent's and not its file's. Claude Code's files repeat the name; it may stand here too, if it is the file's."""
    if front.get("name", name) != name:
        yield f"{file}: name: the agent is called like its file, {name!r}; remove the key, or rename the file"
    for key in sorted(Agent.hidden & front.keys() - {"name"}):
        yield f"{file}: {key}: not a key of an agent's file; the text below the front matter is the instructions"
