"""OpenAI's Responses and Chat Completions on a stand-in that speaks both, against the contract."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import Unavailable
from tests.runtimes.contract import Contract
from tests.runtimes.remote import Elsewhere, Remote, ask
from tests.runtimes.talk import talked
from tests.standins.model import Model
from tests.standins.responses_server import ResponsesServer

NO_PLAN = "the API has no word for a plan"
NO_STEER = "an answer takes no words; what is said meanwhile waits for the next turn"
NO_TOOLS = "Chat Completions have no tools of a platform's own"
NO_COST = "the API counts tokens, and does not know what they cost"


HARNESS = Remote(
    "responses",
    shell=lambda command: f"!tool shell {json.dumps({'command': command})}",
    environment=lambda url: {"OPENAI_API_KEY": "sk-test"},
    ask=ask,
    model="stand-in",
    asks={"tools": [{"type": "mcp", "server_label": "ops", "require_approval": "always"}]},
    cannot={"plan": NO_PLAN, "steer": NO_STEER, "cost": NO_COST},
    parks=True,
)
CHAT = replace(
    HARNESS,
    shell=lambda command: "",
    options={"api": "chat"},
    cannot={**HARNESS.cannot, "steps": NO_TOOLS, "approval": NO_TOOLS, "refusal": NO_TOOLS},
)


class TestResponses(Elsewhere):
    name = "responses"
    harness = HARNESS
    slow = "!say one\n!slow 9\n!say never and more"

    @pytest.fixture
    async def model(self, tmp_path: Path) -> AsyncIterator[ResponsesServer]:
        async with ResponsesServer(folder=tmp_path / "s") as platform:
            yield platform

    @Contract._of("error")
    async def test_an_error_of_the_model_is_told_in_words(self, model: Model, folder: Path) -> None:
        """The model's API is the platform: nothing has begun."""
        with pytest.raises(Unavailable, match="400"):
            await talked(self.harness.turn(folder, model.url, "!error 400 invalid_request_error"))


class TestBackground(TestResponses):
    name = "responses (background)"
    harness = replace(HARNESS, options={"background": True})


class TestOurs(TestResponses):
    """Frontdesk keeps the conversation."""

    name = "responses (ours)"
    harness = replace(HARNESS, options={"state": "ours"})


class TestConversation(TestResponses):
    name = "responses (conversation)"
    harness = replace(HARNESS, options={"state": "conversation"})


class TestChat(TestResponses):
    name = "responses (chat)"
    harness = CHAT
