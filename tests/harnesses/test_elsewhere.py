"""Graphs on a LangGraph server of others, the real one, against the contract: by LangGraph's own API, and by A2A, which it speaks too."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from bot.runtimes.loopback import free
from tests.runtimes.contract import Contract
from tests.runtimes.remote import Remote
from tests.runtimes.talk import talked
from tests.standins.cutter import Cutter
from tests.standins.model import Model

from . import harness
from .test_deepagents import DEEPAGENTS, GRAPH
from .test_http import Served, Server, served

GRAPHS = {"dependencies": [str(GRAPH.parent)], "graphs": {"agent": f"{GRAPH}:graph", "asking": f"{GRAPH}:asking"}}

QUIET = ("--no-browser", "--no-reload", "--allow-blocking")


@pytest.fixture
async def server(folder: Path) -> AsyncIterator[Server]:
    async with Model() as model:
        port = free()
        config = await asyncio.to_thread(configured, folder)
        command = (harness("langgraph"), "dev", "--config", config, "--host", "127.0.0.1", "--port", str(port), *QUIET)
        work = {"WORKSPACE": str(folder / "work"), "LANGSMITH_TRACING": "false"}
        environment = {"ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-test", **work}
        async with served(model, folder, command, port, environment, "/ok") as server:
            yield server


def configured(folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "langgraph.json").write_text(json.dumps(GRAPHS))
    return str(folder / "langgraph.json")


class OnLangGraph(Served):
    @Contract._of("garbage")
    async def test_what_cannot_be_read_harms_nothing(self, model: Any, folder: Path, tmp_path: Path) -> None:
        """Here that is a line which is cut in the middle of a letter, a name, a number."""
        async with Cutter(int(model.url.rpartition(":")[2].partition("/")[0]), iter([2500, 777])) as cutter:
            there = model.url.replace(model.url.rpartition("//")[2].partition("/")[0], cutter.url.removeprefix("http://"))
            talk = await talked(self.harness.turn(folder, there, "!say all the same"))

        assert talk.answered.strip() == "all the same"


class TestLangGraph(OnLangGraph):
    name = "langgraph"
    worded: ClassVar = {
        "credentials": r"does not accept the key \(401\)",
        "throttled": r"asked too often \(429\)",
        "page": "Is it a LangGraph server",
    }
    harness = Remote(
        "langgraph",
        shell=DEEPAGENTS.shell,
        environment=lambda url: {},
        ask=DEEPAGENTS.ask,
        plan=DEEPAGENTS.plan,
        asks={"assistant": "asking"},
        cannot={
            **DEEPAGENTS.cannot,
            "stop": "a stop cancels the run; a command that it had begun ends by itself",
            "error": "its server says that it failed, and keeps the reason for its own log",
        },
        parks=True,
    )

    @pytest.fixture
    async def model(self, server: Server) -> Server:
        return server


async def test_a_graph_answers_by_a2a_too(server: Server, folder: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        found = (await http.post(f"{server.url}/assistants/search", json={"graph_id": "agent"})).json()
    card = f"{server.url}/.well-known/agent-card.json?assistant_id={found[0]['assistant_id']}"

    talk = await talked(Remote("a2a", shell=DEEPAGENTS.shell, environment=lambda url: {}).turn(folder, card, "!say hello from the model"))

    assert (talk.answered.strip(), talk.finished.state) == ("hello from the model", "completed")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "s"
