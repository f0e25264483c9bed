"""The way to models through LiteLLM, where that is set: what a harness is told of it."""

import json
from dataclasses import dataclass, field
from typing import Any

from bot.ports import Turn

NAME = "litellm"
REMEDY = "Calls of models go through LITELLM_API_BASE: put a key that it knows into frontdesk's environment as LITELLM_API_KEY."


@dataclass(frozen=True, slots=True)
class Gateway:
    """`url` is for clients of Anthropic's API, `openai` for those of OpenAI's, Chat Completions and Responses alike."""

    url: str
    key: str = field(repr=False)

    @property
    def openai(self) -> str:
        return f"{self.url}/v1"

    @property
    def environment(self) -> dict[str, str]:
        """Where clients of both look, in place of keys of their own."""
        keys = dict.fromkeys(("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY"), self.key)
        return {**keys, "ANTHROPIC_BASE_URL": self.url, "OPENAI_BASE_URL": self.openai}

    def opencode(self, model: str) -> dict[str, Any]:
        """The same for OpenCode: the only provider of its config."""
        options = {"baseURL": self.openai, "apiKey": self.key}
        provider = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {model: {}} if model else {}}
        return {"provider": {NAME: provider}, "enabled_providers": [NAME]}

    def acp(self, model: str) -> dict[str, str]:
        """The same for whatever is behind ACP: each takes of it what it knows. Hermes takes no such word there, but in its own file."""
        codex = {"name": NAME, "base_url": self.openai, "wire_api": "responses", "env_key": "OPENAI_API_KEY"}
        return {
            **self.environment,
            "OPENCODE_CONFIG_CONTENT": json.dumps(self.opencode(model.removeprefix(f"{NAME}/"))),
            "CODEX_CONFIG": json.dumps({"model_provider": NAME, "model_providers": {NAME: codex}}),
            "MODEL_PROVIDER": NAME,
        }


def of(turn: Turn) -> Gateway | None:
    """None where the harness has a key of its own."""
    url, key = turn.gateway
    return Gateway(url.rstrip("/").removesuffix("/v1"), key) if url else None
