"""What Codex is begun with: its folders, its config.toml, its command line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from bot import net, nofollow
from bot.runtimes import gateway, home, memory
from bot.runtimes.child import Command

VERSION = "0.169.0"
OLDEST = (0, 163)
REMEDY = f"install it with: npm install -g @openai/codex@{VERSION}, or name it in options.path"
GATEWAY = "LITELLM_API_KEY"
BEARER = "FRONTDESK_TOOLS"  # the variable with the token of our tools
OPENAI = "https://api.openai.com/v1"
Commands = Literal["read-only", "workspace-write", "danger-full-access"]


class Options(home.Options):
    """The `options` of an agent that runs on Codex."""

    approvals: Literal["untrusted", "on-request", "never"] = "on-request"
    """When a person is asked: for all but what is known to be harmless; where the agent wants out of its sandbox; never."""
    commands: Commands = "workspace-write"
    """What its commands may do without asking, in Codex's own sandbox: read; write in `cwd` and in folders for temporary files;
    everything."""
    commands_network: bool = False
    """Whether commands in Codex's own sandbox may reach the network."""
    questions: bool = True
    """Whether the agent may ask people questions."""
    base_url: str = ""
    """Where a model's Responses API is; by default what OPENAI_BASE_URL says, else OpenAI's own."""
    key: net.Variable = "OPENAI_API_KEY"
    """The variable that holds its key; the agent's file has to name it under `environment` too."""
    retries: int = Field(default=4, ge=0, le=100)
    """How often a request to the model is tried again."""
    daemon_hours: float = Field(default=0, ge=0, le=168)
    """How old Codex may get where frontdesk ends while a person is asked: until then it waits, and goes on with what it was doing once
    the next frontdesk brings the answer (Linux). By default it ends too, and is told the answer in words."""

    @field_validator("sandbox", mode="before")
    @classmethod
    def _ours(cls, sandbox: object) -> object:
        if sandbox in get_args(Commands):
            raise ValueError(f"that is a word of Codex's own sandbox; write commands: {sandbox}")
        return sandbox


class Memory(memory.Memory):
    """What has to be known of a thread in its next process: its tokens, as Codex last told their totals, and what people allowed."""

    file = "codex.json"
    thread: str = ""
    input: int = 0
    output: int = 0
    cached: int = 0
    allowed: set[str] = Field(default_factory=set)

    def of(self, thread: str) -> "Memory":
        """This, unless it belongs to another thread."""
        return self if self.thread == thread else Memory(thread=thread)


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    """One session's Codex. All that it keeps is in the session's folder."""

    options: Options
    name: str = "codex"

    @property
    def key(self) -> str:
        """The variable that Codex finds the model's key in."""
        return GATEWAY if gateway.of(self.turn) else self.options.key

    @property
    def alone(self) -> bool:
        """Whether it may go on without us: not where its model or its tools are reached through this very process, nor in our sandbox,
        from which its socket is not reached."""
        bound = self.turn.tools or gateway.of(self.turn) or self.options.sandbox == "bwrap"
        return bool(self.options.daemon_hours and not bound and Path("/proc/self").exists())

    @property
    def socket(self) -> Path:
        return self.kept / "socket"

    def begun(self) -> Command:
        """Raises Unavailable."""
        self.prepare()
        nofollow.write(self.kept / "config.toml", toml(self.config()))
        way, tools = gateway.of(self.turn), {BEARER: self.turn.tools.token} if self.turn.tools else {}
        environment = {"CODEX_HOME": str(self.kept), **({GATEWAY: way.key} if way else {}), **tools}
        return self.command("Codex", "codex", "app-server", remedy=REMEDY, environment=environment)

    def config(self) -> dict[str, Any]:
        options, way = self.options, gateway.of(self.turn)
        url = way.openai if way else options.base_url or self.turn.environment.get("OPENAI_BASE_URL") or OPENAI
        provider = {
            "name": "OpenAI" if url == OPENAI else "frontdesk", "base_url": url, "wire_api": "responses", "env_key": self.key,
            "request_max_retries": options.retries, "stream_max_retries": options.retries,
        }  # fmt: skip
        return {
            "model_provider": "frontdesk",
            "model_providers": {"frontdesk": provider},
            "suppress_unstable_features_warning": True,
            "check_for_update_on_startup": False,
            "analytics": {"enabled": False},
            # a model that cannot be reached is waited for as long as `retries` says, and not for ever
            "features": {"default_mode_request_user_input": options.questions, "unbounded_connection_retries": False},
            "sandbox_workspace_write": {"network_access": options.commands_network},
            # the variables that the agent's file names are there for its commands; the model's key is not
            "shell_environment_policy": {"ignore_default_excludes": True, "exclude": [self.key, BEARER]},
            # what stands in a repository may not change what Codex asks
            "projects": {str(work): {"trust_level": "untrusted"} for work in (self.work, self.work.resolve())},
            "mcp_servers": self._tools(),
        }

    def _tools(self) -> dict[str, Any]:
        """Ours, where the turn is lent them: they do nothing that a person has to allow."""
        lent = self.turn.tools
        server = {"bearer_token_env_var": BEARER, "default_tools_approval_mode": "approve"}
        return {lent.name: {"url": lent.url, **server}} if lent else {}

    def thread(self) -> dict[str, Any]:
        """What a thread is begun, or gone on with."""
        model, told = self.turn.agent.model, self.turn.instructions
        return {
            "cwd": str(self.work), "sandbox": self.options.commands,
            "approvalPolicy": self.options.approvals, "approvalsReviewer": "user",
            **({"model": model} if model else {}), **({"developerInstructions": told} if told else {}),
        }  # fmt: skip


def toml(config: Mapping[str, Any], path: str = "") -> str:
    """As TOML, whose strings, numbers, truths and lists of strings are written as JSON's."""
    plain = [f"{json.dumps(key)} = {json.dumps(value)}\n" for key, value in config.items() if not isinstance(value, Mapping)]
    inner = {f"{path}.{json.dumps(key)}".lstrip("."): value for key, value in config.items() if isinstance(value, Mapping)}
    head = f"[{path}]\n" if path and plain else ""
    return head + "".join(plain) + "".join(toml(value, name) for name, value in inner.items())
