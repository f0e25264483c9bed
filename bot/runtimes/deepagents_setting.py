"""What a local LangGraph server is begun with: a graph, its folders, its environment."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import field_validator

from bot import nofollow
from bot.errors import Unavailable
from bot.runtimes import gateway, home
from bot.runtimes.child import Command

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
class Setting(home.Home):
    options: Options
    name: str = "deepagents"

    def begun(self, port: int, key: str) -> Command:
        """Who does not know the key is not served: others work on this machine too, and so do pages in browsers. Raises Unavailable."""
        self.prepare()
        kept = self.kept  # where the server runs, so that what it keeps of the conversation is not among the agent's files
        nofollow.write(kept / "door.py", DOOR)
        nofollow.write(kept / "key", key)
        nofollow.write(kept / "langgraph.json", json.dumps(self._config()))
        words = ("langgraph", "dev", "--config", str(kept / "langgraph.json"), "--host", "127.0.0.1", "--port", str(port))
        quiet = ("--no-browser", "--no-reload", "--allow-blocking")
        environment = {**SWITCHES, **self._models(), "WORKSPACE": str(self.work)}
        return replace(self.command("LangGraph", *words, *quiet, remedy=REMEDY, environment=environment), folder=kept)

    def _config(self) -> Mapping[str, Any]:
        file, name = graph(self.options.graph, self.turn.agent.file)
        auth = {"path": f"{self.kept / 'door.py'}:auth", "disable_studio_auth": True}
        return {"dependencies": [str(file.parent)], "graphs": {NAME: f"{file}:{name}"}, "auth": auth}

    def _models(self) -> Mapping[str, str]:
        way = gateway.of(self.turn)
        return way.environment if way else {}


def graph(named: str, file: str) -> tuple[Path, str]:
    """The file that holds it, and its name there. Raises Unavailable."""
    place, _, name = named.rpartition(":")
    if not (found := Path(place).resolve()).is_file():
        raise Unavailable(f"There is no file {found}, which options.graph in {file} names.")
    return found, name
