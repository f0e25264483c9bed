"""What a turn on a platform is begun with: the profile, the address, and what is secret."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, Field

from bot import net
from bot.errors import ConfigError, Unavailable
from bot.ports import Turn
from bot.runtimes.http_profile import Profile

Token = Callable[[], Awaitable[str]]


class Options(BaseModel):
    """The `options` of an agent on a platform that a profile describes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    profile: str
    """One of ours, or a file as it is seen from agents/."""
    url: net.AnyUrl = ""
    """The platform's address, where the profile's is not yours."""
    key: net.Variable = ""
    """The variable, named under `environment:`, that holds the credentials."""
    headers: net.Headers = Field(default={}, repr=False)
    """More headers for each request; ${NAME} stands for a variable that is named under `environment:`."""
    values: Mapping[str, Any] = {}
    """What the profile wants to know: which agent, which project. ${NAME} stands for a variable there too."""
    private: bool = False
    """Whether the address may lead into your own network, or to this machine."""
    silence: float = Field(default=300, gt=0)
    """Seconds without a sign of life, until it is held for lost."""
    patience: float = Field(default=60, ge=0)
    """Seconds to get a lost connection back."""


@dataclass(frozen=True, slots=True)
class Setting:
    """All that requests are made of. `token` gives the credentials as they are now."""

    profile: Profile
    url: str
    file: str
    headers: Mapping[str, str] = field(repr=False)
    values: Mapping[str, Any] = field(repr=False)
    token: Token = field(repr=False)
    secrets: net.Secrets
    private: bool = False
    silence: float = 300.0

    @property
    def host(self) -> str:
        return net.host_of(self.url)


def setting(options: Options, profile: Profile, turn: Turn) -> Setting:
    """Raises Unavailable, in words that name the key but not its value."""
    environment, file = turn.environment, turn.agent.file
    if options.key and not environment.get(options.key, "").strip():
        raise Unavailable(
            f"{file}: options.key needs the variable {options.key}: name it under `environment:`, and set it where frontdesk runs."
        )
    secret = environment.get(options.key, "").strip()
    try:
        headers = {name: net.filled(value, environment, f"{file}: options.headers.{name}") for name, value in options.headers.items()}
        values = {name: _filled(value, turn, f"{file}: options.values.{name}") for name, value in options.values.items()}
    except ValueError as error:
        raise Unavailable(str(error)) from error
    named = {name for value in (*options.headers.values(), *map(str, options.values.values())) for name in net.VARIABLE.findall(value)}
    secrets = net.Secrets.of([secret, *(environment[name].strip() for name in named)])
    token = token_of(profile, secret)
    return Setting(
        profile, options.url or profile.url, file, headers, {**profile.values, **values}, token, secrets, options.private, options.silence
    )


def _filled(value: Any, turn: Turn, place: str) -> Any:
    return net.filled(value, turn.environment, place) if isinstance(value, str) and net.VARIABLE.search(value) else value


def token_of(profile: Profile, secret: str) -> Token:
    """Raises ConfigError where what signs in is not installed."""

    async def given() -> str:
        return secret

    if profile.auth != "google":
        return given
    try:
        google = import_module("bot.runtimes.http_google")
    except ModuleNotFoundError as error:
        raise ConfigError(f"{profile.name} needs google-auth; install it with: pip install 'frontdesk[google]'") from error
    token: Token = google.Signed(secret).token
    return token


def missing(options: Options, profile: Profile) -> list[str]:
    """What an agent's file has to say beside what it says, and what it says in vain."""
    unknown = options.values.keys() - profile.values.keys()
    wanted = [name for name, value in profile.values.items() if value is None and name not in options.values]
    there = f"; there are {', '.join(sorted(profile.values))}" if profile.values else ""
    return [
        *([] if options.url or profile.url else [f"options.url: say where {profile.name} is"]),
        *(f"options.values.{name}: {profile.name} has to know it" for name in wanted),
        *(f"options.values.{name}: {profile.name} knows no such value{there}" for name in sorted(unknown)),
    ]


def scope(turn: Turn, profile: Profile, values: Mapping[str, Any]) -> dict[str, Any]:
    """What every request may name; what is kept comes to it later."""
    once = uuid5(NAMESPACE_URL, f"{turn.session_id}/{turn.number}" + (f"/{turn.answer.question}" if turn.answer else ""))
    new = not turn.resume or (turn.again and turn.number == 1)
    words = [turn.instructions.strip(), turn.prompt] if new else [turn.prompt]
    return {
        **dict.fromkeys(profile.kept),
        **values,
        "prompt": turn.prompt,
        "words": "\n\n".join(filter(None, words)),
        "instructions": turn.instructions.strip() or None,
        "model": turn.agent.model or None,
        "session": turn.session_id,
        "turn": turn.number,
        "person": turn.person.id or None,
        "once": str(once),
    }
