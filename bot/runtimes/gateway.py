"""LiteLLM, where it is set: every harness's calls of models go through it, stamped with what they are for."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.ports import Turn

REMEDY = "Calls of models go through LITELLM_API_BASE: put a key that it knows into frontdesk's environment as LITELLM_API_KEY."


@dataclass(frozen=True, slots=True)
class Gateway:
    """`url` is for clients of Anthropic's API, `openai` for those of OpenAI's, Chat Completions and Responses alike.

    `headers` go with every call. What LiteLLM counts by them are tags (session:…, agent:…, person:…, channel:…) and the end user.
    """

    url: str
    key: str = field(repr=False)
    headers: Mapping[str, str]

    @property
    def openai(self) -> str:
        return f"{self.url}/v1"

    @property
    def anthropic(self) -> dict[str, str]:
        """The environment of Claude Code, in place of a key of its own."""
        return {
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_AUTH_TOKEN": self.key,
            "ANTHROPIC_API_KEY": "",
            "ANTHROPIC_CUSTOM_HEADERS": "\n".join(f"{name}: {value}" for name, value in self.headers.items()),
        }


def of(turn: Turn) -> Gateway | None:
    """The way to models that the turn has to take; None where the harness has a key of its own."""
    url, key = turn.gateway
    return Gateway(url.rstrip("/").removesuffix("/v1"), key, stamp(turn)) if url else None


def stamp(turn: Turn) -> dict[str, str]:
    names = {"session": turn.session_id, "agent": turn.agent.name, "person": turn.person.id, "channel": turn.channel}
    told = {name: re.sub(r"[^\w.@-]", "_", value, flags=re.ASCII) for name, value in names.items() if value}
    return {
        "x-litellm-tags": ",".join(f"{name}:{value}" for name, value in told.items()),
        "x-litellm-spend-logs-metadata": json.dumps(told),
        **({"x-litellm-end-user-id": told["person"]} if "person" in told else {}),
    }
