"""What Hermes' gateway is begun with: its folders, its environment, its settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import model_validator

from bot import net, nofollow
from bot.runtimes import gateway, home
from bot.runtimes.child import Command

REMEDY = "install it with: pip install 'hermes-agent[acp]==0.19.0' aiohttp, or name it in options.path"
PATIENT = 30 * 24 * 3600  # seconds for which a person may think; how long they really may is the desk's to say


class Options(home.Options):
    """The `options` of an agent that runs on Hermes: on a gateway of its own that is started here, or on one that runs at `url`."""

    url: net.AnyUrl = ""
    """The address of a gateway that runs already; without it, one is started."""
    private: bool = False
    """Whether that may be an address of your own network."""
    key: net.Variable = ""
    """The variable, named under `environment:`, that holds that gateway's API_SERVER_KEY."""
    config: Mapping[str, Any] = {}
    """What else Hermes' config.yaml may hold, for a gateway that is started here: providers, MCP servers, toolsets."""

    @model_validator(mode="after")
    def _complete(self) -> "Options":
        if self.url and not self.key:
            raise ValueError("options.url needs options.key: the variable that holds the gateway's API_SERVER_KEY")
        return self


@dataclass(frozen=True, slots=True)
class Setting(home.Home):
    options: Options
    name: str = "hermes"

    def begun(self, port: int, key: str) -> Command:
        """Raises Unavailable."""
        self.prepare()
        nofollow.write(self.kept / "config.yaml", json.dumps(self._config()))  # which is YAML too
        served = {"API_SERVER_ENABLED": "true", "API_SERVER_HOST": "127.0.0.1", "API_SERVER_PORT": str(port), "API_SERVER_KEY": key}
        environment = {**served, "HERMES_HOME": str(self.kept)}
        return self.command("Hermes", "hermes", "gateway", "run", remedy=REMEDY, environment=environment)

    def _config(self) -> Mapping[str, Any]:
        """People decide, and nothing else does: Hermes would let a model judge, and give people a minute."""
        given = dict(self.options.config)
        model = given.pop("model", {})
        named = {"default": self.turn.agent.model} if self.turn.agent.model else {}
        return {
            "approvals": {"mode": "manual", "timeout": PATIENT, "gateway_timeout": PATIENT},
            "terminal": {"cwd": str(self.work)},
            **given,
            "model": {**(model if isinstance(model, dict) else {"default": model}), **named, **self._way()},
            "mcp_servers": {**(given.get("mcp_servers") or {}), **self._ours()},
        }

    def _way(self) -> Mapping[str, str]:
        way = gateway.of(self.turn)
        return {"provider": "custom", "base_url": way.openai, "api_key": way.key} if way else {}

    def _ours(self) -> Mapping[str, Any]:
        ours = self.turn.tools
        return {"frontdesk": {"url": ours.url, "headers": ours.headers}} if ours else {}
