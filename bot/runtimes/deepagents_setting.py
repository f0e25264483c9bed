"""What a local LangGraph server is begun with: a graph, its folders, its environment."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import field_validator

from bot.errors import Unavailable
from bot.ports import Turn
from bot.runtimes import gateway, home
from bot.runtimes.child import Command
from bot.runtimes.home import Home

REMEDY = "install it with: pip install 'langgraph-cli[inmem]' deepagents, or name it in options.path"
NAME = "agent"
DOOR = """\
import hmac
from pathlib import Path
from langgraph_sdk import Auth

auth = Auth()
key = Path(__file__).with_name("key").read_bytes()


@auth.authenticate
async def authenticate(headers: dict) -> str:
    if not hmac.compare_digest(headers.get(b"x-api-key") or b"", key):
        raise Auth.exceptions.HTTPException(status_code=401)
    return "frontdesk"
"""
SWITCHES = {
    "LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1", "LOG_COLOR": "false", "BG_JOB_SHUTDOWN_GRACE_PERIOD_SECS": "0",
    "PYTHONUNBUFFERED": "1",
}  # fmt: skip


class Options(home.Options):
    """The `options` of an agent that is a graph in a file. It works in the folder that the variable WORKSPACE names."""

    graph: str
    """The file, and the graph in it: agents/coder.py:graph. A graph of DeepAgents, or any other of LangGraph."""
    configurable: Mapping[str, Any] = {}
    """What the graph finds in its configuration under `configurable`; with `model:` of the agent's file as `model`."""

    @field_validator("graph")
    @classmethod
    def _named(cls, graph: str) -> str:
        if not re.fullmatch(r".+\.py:\w+", graph):
            raise ValueError("write a file and the graph in it, as in agents/coder.py:graph")
        return graph


@dataclass(frozen=True, slots=True)
class Setting:
    turn: Turn
    options: Options

    @property
    def home(self) -> Home:
        return Home(self.turn, self.options, "deepagents")

    def command(self, port: int, key: str) -> Command:
        """Who does not know the key is not served: others work on this machine too, and so do pages in browsers. Raises Unavailable."""
        self.home.prepare()
        kept = self.home.kept  # where the server runs, so that what it keeps of the conversation is not among the agent's files
        (kept / "door.py").write_text(DOOR)
        (kept / "key").write_text(key)
        (kept / "langgraph.json").write_text(json.dumps(self._config()))
        words = ("langgraph", "dev", "--config", str(kept / "langgraph.json"), "--host", "127.0.0.1", "--port", str(port))
        quiet = ("--no-browser", "--no-reload", "--allow-blocking")
        environment = {**SWITCHES, **self._models(), "WORKSPACE": str(self.home.work)}
        return replace(self.home.command("LangGraph", *words, *quiet, remedy=REMEDY, environment=environment), folder=kept)

    def _config(self) -> Mapping[str, Any]:
        file, _, name = self.options.graph.rpartition(":")
        graph = Path(file).resolve()
        if not graph.is_file():
            raise Unavailable(f"There is no file {graph}, which options.graph in {self.turn.agent.file} names.")
        auth = {"path": f"{self.home.kept / 'door.py'}:auth", "disable_studio_auth": True}
        return {"dependencies": [str(graph.parent)], "graphs": {NAME: f"{graph}:{name}"}, "auth": auth}

    def _models(self) -> Mapping[str, str]:
        if not (way := gateway.of(self.turn)):
            return {}
        keys = dict.fromkeys(("ANTHROPIC_API_KEY", "OPENAI_API_KEY"), way.key)
        return {**keys, "ANTHROPIC_BASE_URL": way.url, "OPENAI_BASE_URL": way.openai}
