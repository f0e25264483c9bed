"""The environment, read once, into one frozen value."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.errors import ConfigError

SECRETS = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "AGENTS_TOKEN")


class Settings(BaseModel):
    """What whoever runs Frontdesk can set; each field is the environment variable of its name, in capitals.

    `hold_minutes`: how long a process that asked a question is kept alive for its answer. `drain_seconds`: how long running
    turns may go on after SIGTERM. `file_megabytes`: the largest file that is taken from Slack. `http_port`: where /healthz, /readyz and
    /metrics are served, on `http_host`; 0 serves nothing. `public_url`: where others reach that port, so that agents elsewhere can ring.
    `webhook_megabytes`: the longest call that a webhook takes.
    `turns_at_once`, `turns_per_person`: how many may run at once in this process.
    `catch_up_hours`: how far back to look for what was said while nobody listened; 0 looks for nothing. `workspace_days`: how
    long a session's copy of a repository, and its caches, are kept after its last turn; `workspace_gigabytes`: the room for all
    copies, 0 for any.
    `litellm_api_base`: a LiteLLM gateway, through which the model calls of all harnesses then go, with `litellm_api_key`.
    `agents_token`: with which changes of agents' files are taken to the remote of their folder, which no agent is ever given;
    `agents_api_url`: GitHub's API, where it is not github.com's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slack_bot_token: str = ""
    slack_app_token: str = ""
    slack_api_url: str = "https://slack.com/api/"
    database_url: str = "sqlite+aiosqlite:///frontdesk.db"
    agents_dir: Path = Path("agents")
    sessions_dir: Path = Path("sessions")
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65535)
    public_url: str = Field(default="", pattern="^(https?://.+)?$")
    webhook_megabytes: float = Field(default=1, gt=0)
    log_format: str = Field(default="text", pattern="^(text|json)$")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    hold_minutes: float = Field(default=10, gt=0)
    drain_seconds: float = Field(default=20, ge=0)
    file_megabytes: float = Field(default=50, gt=0)
    turns_at_once: int = Field(default=1000, gt=0)
    turns_per_person: int = Field(default=1000, gt=0)
    catch_up_hours: float = Field(default=24, ge=0)
    workspace_days: float = Field(default=30, gt=0)
    workspace_gigabytes: float = Field(default=50, ge=0)
    litellm_api_base: str = Field(default="", pattern="^(https?://.+)?$")
    litellm_api_key: str = ""
    agents_token: str = ""
    agents_api_url: str = Field(default="", pattern="^(https?://.+)?$")
    environment: Mapping[str, str] = Field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return "Settings(…)"  # tokens stand in it


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in this environment. Raises ConfigError, which names each variable that is wrong."""
    names = set(Settings.model_fields) - {"environment"}
    known = {name: environ[name.upper()] for name in names if environ.get(name.upper())}
    rest = {name: value for name, value in environ.items() if name not in SECRETS}
    try:
        return Settings.model_validate({**known, "environment": rest})
    except ValidationError as error:
        raise ConfigError("\n".join(f"{str(wrong['loc'][0]).upper()}: {wrong['msg']}" for wrong in error.errors())) from error


def load() -> Settings:
    """The settings in the environment of this process."""
    return read(os.environ)
