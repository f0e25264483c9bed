"""A stand-in for an agent that speaks A2A: the SDK's own server, whose agent plays the script in its prompt (a2a_script.py).

`letters` keeps what came, `canceled` the tasks that were canceled, `calls` each request's method and headers; requests of the
methods in `deaf` are never answered. With `rings` it sends push notifications; `signed` signs its card.
Run it alone with: python -m tests.standins.a2a_agent --port 8903
"""

import argparse
import asyncio
import json
import re
import socket
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import httpx
import uvicorn
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import BasePushNotificationSender, InMemoryPushNotificationConfigStore, InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentExtension, AgentInterface, AgentSkill, Message
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as Frame

from tests.standins.a2a_script import Scripted

KINDS = {"statusUpdate": "status-update", "artifactUpdate": "artifact-update"}


class Door:
    """Looks at each request: who may come in, which version is spoken, and what is kept of it."""

    def __init__(self, app: ASGIApp, agent: "Agent") -> None:
        self.app, self.agent = app, agent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        method = str((json.loads(body) if body else {}).get("method", request.url.path))
        self.agent.calls.append((method, dict(request.headers)))
        self.agent.came.set()
        if method in self.agent.deaf:
            while (await receive())["type"] != "http.disconnect":
                pass
        elif self.agent.token and request.headers.get("authorization") != f"Bearer {self.agent.token}":
            await Response(status_code=401)(scope, receive, send)
        elif self.agent.speaks == "0.3" and method[0].isupper():
            error = {"code": -32601, "message": "Method not found"}
            await JSONResponse({"jsonrpc": "2.0", "id": None, "error": error})(scope, receive, send)
        else:
            mixed = self.agent.speaks == "mixed" and method[0].isupper()
            await self.app(scope, again(body, receive), older(send) if mixed else send)


def again(body: bytes, receive: Receive) -> Receive:
    frames: list[Frame] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Frame:
        return frames.pop() if frames else await receive()

    return given


def older(send: Send) -> Send:
    """All streamed events but tasks take the shape of 0.3, as LangGraph's server does it under a card of 1.0."""

    def aged(match: "re.Match[bytes]") -> bytes:
        data = json.loads(match[1])
        data["result"] = next(({"kind": KINDS[key], **value} for key, value in data["result"].items() if key in KINDS), data["result"])
        return b"data: " + json.dumps(data).encode()

    async def sent(frame: Frame) -> None:
        if b"data: {" in frame.get("body", b""):
            frame = {**frame, "body": re.sub(rb"data: (\{.*\})", aged, frame["body"])}
        await send(frame)

    return sent


class Agent:
    """The server. `card` and `speaks` are versions (1.0, 0.3); "mixed" is said to be 1.0, and partly is not; "rest" has no JSON-RPC."""

    def __init__(
        self, streaming: bool = True, card: str = "1.0", speaks: str = "1.0", token: str = "", port: int = 0, *,
        extensions: Sequence[str] = (), rings: bool = False, signed: Callable[[AgentCard], AgentCard] | None = None,
    ) -> None:  # fmt: skip
        self.streaming, self.card, self.speaks, self.token, self.port = streaming, card, speaks, token, port
        self.extensions, self.rings, self.signed = extensions, rings, signed
        self.executor = Scripted()
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.deaf: set[str] = set()
        self.came = asyncio.Event()

    @property
    def letters(self) -> list[Message]:
        return self.executor.letters

    @property
    def canceled(self) -> list[str]:
        return self.executor.canceled

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def methods(self) -> list[str]:
        return [method for method, _ in self.calls]

    async def called(self, method: str, times: int) -> None:
        """Wait until this has been called so often."""
        while self.methods().count(method) < times:
            self.came.clear()
            await self.came.wait()

    def release(self, name: str = "") -> None:
        """Let a script go on that holds."""
        self.executor.held[name].set()

    def cut(self) -> None:
        """Reset all connections; the agent works on."""
        for connection in list(self.server.server_state.connections):
            connection.transport.abort()

    async def __aenter__(self) -> "Agent":
        await self.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()
        await self.handler.aclose()
        if self.rings:
            await self.http.aclose()

    async def open(self) -> None:
        """Listen; on the same port and with the same tasks, if it did before."""
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=False)
        self.port = listener.getsockname()[1]
        if not hasattr(self, "handler"):
            self.handler = DefaultRequestHandler(self.executor, InMemoryTaskStore(), self.described(), **self.bell())
        config = uvicorn.Config(self.app(), log_level="error", lifespan="off", ws="none", http="h11")
        config.load()
        self.server = uvicorn.Server(config)
        self.server.lifespan = config.lifespan_class(config)
        await self.server.startup([listener])  # and not serve(), which takes 0.2 s to stop

    async def close(self) -> None:
        """Stop listening, and break all connections; the agent works on."""
        for server in self.server.servers:
            server.close()
        self.cut()

    def bell(self) -> dict[str, Any]:
        if not self.rings:
            return {}
        self.http, configs = httpx.AsyncClient(), InMemoryPushNotificationConfigStore()
        return {"push_config_store": configs, "push_sender": BasePushNotificationSender(self.http, configs)}

    def described(self) -> AgentCard:
        binding, version = ("HTTP+JSON", "1.0") if self.speaks == "rest" else ("JSONRPC", self.card)
        return AgentCard(
            name="Stand-in", description="Does what it is told.", version="1",
            default_input_modes=["text/plain"], default_output_modes=["text/plain"],
            capabilities=AgentCapabilities(
                streaming=self.streaming, push_notifications=self.rings, extensions=[AgentExtension(uri=uri) for uri in self.extensions]
            ),
            skills=[AgentSkill(id="script", name="Script", description="Plays a script.", tags=["test"])],
            supported_interfaces=[AgentInterface(url=f"{self.url}/", protocol_binding=binding, protocol_version=version)],
        )  # fmt: skip

    def app(self) -> ASGIApp:
        cards = create_agent_card_routes(self.signed(self.described()) if self.signed else self.described())
        if self.card == "0.3":
            cards = [Route("/.well-known/agent-card.json", lambda request: JSONResponse(self.old_card()))]
        if self.speaks == "rest":
            return Door(Starlette(routes=[*cards, Mount("", routes=create_rest_routes(self.handler))]), self)
        calls = create_jsonrpc_routes(self.handler, "/", enable_v0_3_compat=self.speaks in ("0.3", "mixed"))
        return Door(Starlette(routes=[*cards, *calls]), self)

    def old_card(self) -> dict[str, Any]:
        return {
            "protocolVersion": "0.3.0", "name": "Stand-in", "description": "Does what it is told.", "version": "1",
            "url": f"{self.url}/", "preferredTransport": "JSONRPC", "capabilities": {"streaming": self.streaming}, "skills": [],
            "defaultInputModes": ["text/plain"], "defaultOutputModes": ["text/plain"],
        }  # fmt: skip


async def serve(port: int) -> None:
    async with Agent(port=port) as agent:
        print(agent.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8903)
    asyncio.run(serve(parser.parse_args().port))
