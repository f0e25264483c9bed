"""What OpenCode's server is begun with: its folders, its environment, its rules."""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from bot.errors import Unavailable
from bot.runtimes import gateway, home
from bot.runtimes.child import Command

REMEDY = "install it with: npm install -g opencode-ai@1.18.33, or name it in options.path"
SWITCHES = {"OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_LSP_DOWNLOAD": "1"}
BROUGHT = (".opencode/plugin", ".opencode/plugins", "opencode.json", "opencode.jsonc")  # 1.18 runs plugins though it is told not to
FOLDERS = {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_STATE_HOME": "state"}
CONFIG = "OPENCODE_CONFIG_CONTENT"
HOSTED = "opencode/"  # with which the models of OpenCode's own makers begin; they need no key, and are taken where nothing else is there
VENDORLESS = {"disabled_providers": ["opencode"]}


class Options(home.Options):
    """The `options` of an agent that runs on OpenCode."""

    permission: Mapping[str, Any] = {"bash": "ask", "edit": "ask", "webfetch": "ask"}
    """What needs a person, as `permission` in opencode.json: allow, ask or deny, for each tool or for each pattern of one."""
    config: Mapping[str, Any] = {}
    """What else opencode.json may hold: providers, MCP servers. `{env:NAME}` stands for a variable that `environment:` names."""
    project_config: bool = False
    """Whether the repository's own opencode.json, .opencode/ and AGENTS.md count; its plugins run code. Without this OpenCode does not
    begin where there are any: it runs them whatever it is told."""


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    options: Options
    name: str = "opencode"

    def begun(self, password: str) -> Command:
        """Raises Unavailable."""
        self.prepare()
        if not self.options.project_config:
            file = self.turn.agent.file
            self.trust("OpenCode", *BROUGHT, remedy=f"Where you do too, say `project_config: true` under `options:` in {file}")
        self._forget()
        kept = {name: str(self.kept / folder) for name, folder in FOLDERS.items()}
        config = {
            "share": "disabled",
            **self._vendor(),
            "permission": dict(self.options.permission),
            **self.options.config,
            **self._gateway(),
        }
        config |= {"mcp": {**config.get("mcp", {}), **self._tools()}}
        own = {CONFIG: json.dumps(config), "OPENCODE_SERVER_PASSWORD": password}
        project = {} if self.options.project_config else {"OPENCODE_DISABLE_PROJECT_CONFIG": "1"}
        words = ("opencode", "serve", "--hostname", "127.0.0.1", "--port", "0")
        return self.command("OpenCode", *words, remedy=REMEDY, environment={**SWITCHES, **project, **kept, **own})

    def _forget(self) -> None:
        """Plugins and rules that stand there count in all later turns; a script that people allowed once may have left them."""
        for left in (self.kept / FOLDERS["XDG_CONFIG_HOME"], self.turn.folder / "home" / ".opencode"):
            with suppress(FileNotFoundError):
                left.rename(aside := left.with_name(f"{left.name}-{uuid4().hex}"))  # also where it has become a link
                shutil.rmtree(aside, ignore_errors=True)

    def model(self) -> dict[str, str]:
        """As OpenCode names it; nothing where the file names none. Raises Unavailable."""
        agent = self.turn.agent
        if agent.model and gateway.of(self.turn):
            return {"providerID": "litellm", "modelID": agent.model}
        provider, slash, model = agent.model.partition("/")
        if agent.model and not (slash and provider and model):
            raise Unavailable(
                f"OpenCode names a model with its provider: write `model: anthropic/{agent.model}` or the like in {agent.file}."
            )
        return {"providerID": provider, "modelID": model} if slash else {}

    def _vendor(self) -> Mapping[str, Any]:
        """Models of OpenCode's makers are asked only where the file names one."""
        return {} if self.turn.agent.model.startswith(HOSTED) else VENDORLESS

    def _tools(self) -> dict[str, Any]:
        """Ours, where the turn is lent them."""
        lent = self.turn.tools
        return {lent.name: {"type": "remote", "url": lent.url, "headers": lent.headers, "enabled": True}} if lent else {}

    def _gateway(self) -> dict[str, Any]:
        way = gateway.of(self.turn)
        return way.opencode(self.turn.agent.model) if way else {}
