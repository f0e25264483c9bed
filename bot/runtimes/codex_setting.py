"""What Codex is begun with: its folders, its config.toml, its command line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from bot.ports import Turn
from bot.runtimes import gateway, home
from bot.runtimes.child import Command
from bot.runtimes.home import Home

VERSION = "0.169.0"
OLDEST = (0, 163)
REMEDY = f"install it with: npm install -g @openai/codex@{VERSION}, or name it in options.path"
GATEWAY = "LITELLM_API_KEY"
OPENAI = "https://api.openai.com/v1"


class Options(home.Options):
    """The `options` of an agent that runs on Codex."""

    approvals: Literal["untrusted", "on-request", "never"] = "on-request"
    """When a person is asked: for all but what is known to be harmless; where the agent wants out of its sandbox; never."""
    sandbox: Literal["read-only", "workspace-write", "danger-full-access"] = "workspace-write"
    """What its commands may do without asking: read; write in `cwd` and in folders for temporary files; everything."""
    network: bool = False
    """Whether commands in the sandbox may reach the network."""
    questions: bool = True
    """Whether the agent may ask people questions."""
    base_url: str = ""
    """Where a model's Responses API is; by default what OPENAI_BASE_URL says, else OpenAI's own."""
    key: str = "OPENAI_API_KEY"
    """The variable that holds its key; the agent's file has to name it under `environment` too."""
    retries: int = Field(default=4, ge=0, le=100)
    """How often a request to the model is tried again."""


class Memory(BaseModel):
    """What has to be known of a thread in its next process: its tokens, as Codex last told their totals."""

    thread: str = ""
    input: int = 0
    output: int = 0
    cached: int = 0

    @classmethod
    def read(cls, folder: Path, thread: str) -> "Memory":
        try:
            memory = cls.model_validate_json((folder / "codex.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return cls(thread=thread)
        return memory if memory.thread == thread else cls(thread=thread)

    def write(self, folder: Path) -> None:
        half = folder / "codex.json.new"
        half.write_text(self.model_dump_json())
        half.replace(folder / "codex.json")


@dataclass(frozen=True, slots=True)
class Setting:
    """One session's Codex. All that it keeps is in the session's folder."""

    turn: Turn
    options: Options

    @property
    def home(self) -> Home:
        return Home(self.turn, self.options, "codex")

    @property
    def key(self) -> str:
        """The variable that Codex finds the model's key in."""
        return GATEWAY if gateway.of(self.turn) else self.options.key

    @property
    def environment(self) -> dict[str, str]:
        way = gateway.of(self.turn)
        return {"CODEX_HOME": str(self.home.kept), **({GATEWAY: way.key} if way else {})}

    def prepare(self) -> None:
        """Raises Unavailable."""
        self.home.prepare()
        (self.home.kept / "config.toml").write_text(toml(self.config()))

    def command(self) -> Command:
        """Raises Unavailable."""
        return self.home.command("Codex", "codex", "app-server", remedy=REMEDY, environment=self.environment)

    def config(self) -> dict[str, Any]:
        options, way = self.options, gateway.of(self.turn)
        url = way.openai if way else options.base_url or self.turn.environment.get("OPENAI_BASE_URL") or OPENAI
        provider = {
            "name": "OpenAI" if url == OPENAI else "frontdesk", "base_url": url, "wire_api": "responses", "env_key": self.key,
            "request_max_retries": options.retries, "stream_max_retries": options.retries, **({"http_headers": way.headers} if way else {}),
        }  # fmt: skip
        return {
            "model_provider": "frontdesk",
            "model_providers": {"frontdesk": provider},
            "suppress_unstable_features_warning": True,
            "check_for_update_on_startup": False,
            "analytics": {"enabled": False},
            "features": {"default_mode_request_user_input": options.questions},
            "sandbox_workspace_write": {"network_access": options.network},
            # the variables that the agent's file names are there for its commands; the model's key is not
            "shell_environment_policy": {"ignore_default_excludes": True, "exclude": [self.key]},
            # what stands in a repository may not change what Codex asks
            "projects": {str(self.home.work): {"trust_level": "untrusted"}},
        }

    def thread(self) -> dict[str, Any]:
        """What a thread is begun, or gone on with."""
        model, told = self.turn.agent.model, self.turn.instructions
        return {
            "cwd": str(self.home.work), "sandbox": self.options.sandbox,
            "approvalPolicy": self.options.approvals, "approvalsReviewer": "user",
            **({"model": model} if model else {}), **({"developerInstructions": told} if told else {}),
        }  # fmt: skip


def toml(config: Mapping[str, Any], path: str = "") -> str:
    """As TOML, whose strings, numbers, truths and lists of strings are written as JSON's."""
    plain = [f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in config.items() if not isinstance(value, Mapping)]
    inner = {f"{path}.{json.dumps(key)}".lstrip("."): value for key, value in config.items() if isinstance(value, Mapping)}
    head = f"[{path}]\n" if path and plain else ""
    return head + "".join(plain) + "".join(toml(value, name) for name, value in inner.items())
