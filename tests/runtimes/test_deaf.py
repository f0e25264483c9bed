"""Where nothing can be heard of people any more, the turn ends and says why, whatever the agent is doing: it would wait for ever."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.agent import Agent
from bot.errors import StoreFailed
from bot.event import Started
from bot.ports import Turn
from tests.standins import acp_agent
from tests.standins.wall import SSE, Wall, says

from .contract import family
from .talk import ANNA, gone, talking
from .test_langgraph import Kept

STREAM_JSON = """
import json, sys
sys.stdin.readline()
print(json.dumps({"type": "system", "session_id": "p1"}), flush=True)
sys.stdin.readline()
"""
PI = """
import json, sys

def tell(**record):
    print(json.dumps(record), flush=True)

for line in sys.stdin:
    match json.loads(line):
        case {"type": "get_state"}:
            tell(type="extension_ui_request", method="setStatus", statusKey="frontdesk")
            tell(type="response", id="state", success=True, data={"sessionFile": "/s/1.jsonl"})
        case {"type": "get_messages"}:
            tell(type="response", id="messages", success=True, data={"messages": []})
"""
OPENCODE = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event

class Server(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        if self.path == "/event":
            self.wfile.write(b'data: {"type": "server.connected", "properties": {}}\\n\\n')
            Event().wait()
        self.wfile.write(b'{"version": "1.18.33"}')

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"id": "s"}')

server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
print("listening on http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
"""


def program(folder: Path, text: str) -> str:
    """It is run by its name, as harnesses are."""
    file = folder / "program"
    file.write_text(f"#!{sys.executable}\n{text}")
    file.chmod(0o755)
    return str(file)


def asked(folder: Path, runtime: str, environment: dict[str, str] | None = None, **options: Any) -> Turn:
    given = {"name": "coder", "version": "1", "description": "Codes.", "runtime": runtime, "options": options}
    given["model"] = "" if runtime == "acp" else "fake/stand-in"
    (folder / "s").mkdir()
    agent = Agent.model_validate(given)
    return Turn("s1", 1, agent, "!wait", folder=folder / "s", person=ANNA, environment=environment or {}, keep=Kept())


async def ends(turn: Turn) -> None:
    """And nothing of it stays."""
    async with talking(turn) as talk:
        await talk.until(lambda: talk.all(Started))
        ours = family(turn.folder)
        talk.inbox.fail(StoreFailed("The database does not answer."))
        with pytest.raises(StoreFailed, match="does not answer"):
            async with asyncio.timeout(5):
                await talk.task

    assert await gone(ours, 2)


async def test_a_program_that_works(tmp_path: Path) -> None:
    await ends(asked(tmp_path, "stream_json", command=[program(tmp_path, STREAM_JSON)]))


async def test_an_agent_over_acp(tmp_path: Path) -> None:
    await ends(asked(tmp_path, "acp", command=[sys.executable, "-P", acp_agent.__file__, str(tmp_path)]))


async def test_pi(tmp_path: Path) -> None:
    await ends(asked(tmp_path, "pi", path=program(tmp_path, PI)))


async def test_opencode(tmp_path: Path) -> None:
    await ends(asked(tmp_path, "opencode", path=program(tmp_path, OPENCODE)))


async def test_hermes_elsewhere_whose_work_is_stopped(tmp_path: Path) -> None:
    async with Wall() as wall:
        wall.on("GET", "/v1/models", says({}))
        wall.on("POST", "/v1/runs", says({"run_id": "r1"}))
        wall.on("GET", "/v1/runs/r1/events", silent)
        wall.on("POST", "/v1/runs/r1/stop", says({}))

        await ends(asked(tmp_path, "hermes", {"KEY": "secret"}, url=wall.url, key="KEY", private=True))

    assert ("POST", "/v1/runs/r1/stop", {}) in wall.asked


async def silent(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers=SSE)
    await response.prepare(request)
    await asyncio.Event().wait()
    return response
