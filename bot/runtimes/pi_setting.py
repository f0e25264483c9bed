"""What Pi is begun with: its folders, its environment, its command line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot import nofollow
from bot.runtimes import gateway, home
from bot.runtimes.child import Command

EXTENSION = Path(__file__).with_name("pi_extension.ts")
REMEDY = "install it with: npm install -g @earendil-works/pi-coding-agent@0.87.1, or name it in options.path"
BARE = ("--no-extensions", "--no-skills", "--no-prompt-templates", "--no-context-files", "--no-approve")


class Options(home.Options):
    """The `options` of an agent that runs on Pi."""

    ask: tuple[str, ...] = ("bash", "edit", "write")
    """Tools that a person has to allow, each time: read, bash, edit, write; "*" for all."""
    models: Mapping[str, Any] = {}
    """Providers that Pi does not know by itself, as `providers` in its models.json; `$NAME` as a key is a variable."""
    project_config: bool = False
    """Whether the repository's own AGENTS.md, skills and extensions count; its extensions run code."""


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    options: Options
    name: str = "pi"

    @property
    def session(self) -> Path | None:
        """The conversation so far, if it is here."""
        file = self.kept / "sessions" / self.turn.resume
        return file if self.turn.resume and file.is_file() else None

    def begun(self) -> Command:
        """Raises Unavailable."""
        self.prepare()
        words = ["pi", "--mode", "rpc", "--session-dir", str(self.kept / "sessions"), "--extension", str(EXTENSION)]
        words += ["--approve"] if self.options.project_config else BARE
        words += ["--session", str(self.session)] if self.session else []
        words += self._instructions() + self._model()
        own = {
            "PI_CODING_AGENT_DIR": str(self.kept),
            "PI_OFFLINE": "1",
            "PI_TELEMETRY": "0",
            "FRONTDESK_ASK": ",".join(self.options.ask),
            **({"FRONTDESK_URL": self.turn.tools.url, "FRONTDESK_TOKEN": self.turn.tools.token} if self.turn.tools else {}),
        }
        return self.command("Pi", *words, remedy=REMEDY, environment=own)

    def _instructions(self) -> list[str]:
        """By way of a file: a text that happens to be a path would be read as one."""
        file = self.kept / "instructions.md"
        nofollow.write(file, self.turn.instructions)
        return ["--append-system-prompt", str(file)] if self.turn.instructions else []

    def _model(self) -> list[str]:
        model, way = self.turn.agent.model, gateway.of(self.turn)
        providers = dict(self.options.models)
        if way:
            given = {"baseUrl": way.openai, "api": "openai-completions", "apiKey": way.key}
            providers = {"litellm": {**given, "models": [{"id": model}]}}
        if providers:
            nofollow.write(self.kept / "models.json", json.dumps({"providers": providers}))
        return ["--provider", "litellm", "--model", model] if way and model else ["--model", model] if model else []
