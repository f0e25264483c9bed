"""The MCP server of our tools, on loopback: whoever shows a turn's token speaks in its name."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import getdoc

import uvicorn
from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams, TextContent, Tool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bot.errors import Unavailable
from bot.tools.deeds import DEEDS, Errand, Refused

HOSTS = ["127.0.0.1:*"]
MOST = 4 << 20  # bytes of one call: the SDK takes it in as a whole, and the memory is ours, not the agent's
INSTRUCTIONS = "These tools reach the people in the Slack thread who asked for your work."
Whose = Callable[[str], Errand | None]


class Ours(uvicorn.Server):
    """uvicorn, which leaves the process's signals to the desk."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ToolServer:
    """`whose` knows the errand that a token stands for."""

    def __init__(self, whose: Whose) -> None:
        self.whose = whose
        app = Server("frontdesk", instructions=INSTRUCTIONS, on_list_tools=self._list, on_call_tool=self._call)
        security = TransportSecuritySettings(allowed_hosts=HOSTS, allowed_origins=[])
        self._mcp = StreamableHTTPSessionManager(app, stateless=True, security_settings=security)
        config = uvicorn.Config(
            self._serve, "127.0.0.1", 0, interface="asgi3", lifespan="off", ws="none", log_config=None, access_log=False,
            proxy_headers=False,
        )  # fmt: skip
        self._http = Ours(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> str:
        """Its address. Raises Unavailable."""
        started = asyncio.Event()
        self._serving = asyncio.create_task(self._run(started), name="tools")
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait([waiting, self._serving], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not self._http.started:
            raise Unavailable("The tools cannot be served on this machine's loopback; the log says why.")
        return f"http://127.0.0.1:{self._http.servers[0].sockets[0].getsockname()[1]}/mcp"

    async def _run(self, started: asyncio.Event) -> None:
        """In one task from its beginning to its end, as the SDK has to have it."""
        async with self._mcp.run():
            config = self._http.config
            config.load()
            self._http.lifespan = config.lifespan_class(config)
            await self._http.startup()
            started.set()
            try:
                await self._http.main_loop()
            finally:
                await self._http.shutdown()

    async def close(self) -> None:
        self._http.should_exit = self._http.force_exit = True
        if self._serving:
            await asyncio.wait([self._serving])

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] != "/mcp" or self._errand(Request(scope)) is None:
            return await Response("Show the token of a turn that runs.", 401)(scope, receive, send)
        if large(Request(scope)):
            return await Response(f"A call has a length, of at most {MOST >> 20} MiB.", 413)(scope, receive, send)
        await self._mcp.handle_request(scope, receive, send)

    def _errand(self, request: Request) -> Errand | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.whose(token) if kind == "Bearer" else None

    async def _list(self, context: ServerRequestContext, _: PaginatedRequestParams | None) -> ListToolsResult:
        errand = self._errand(context.request) if context.request else None
        return ListToolsResult(
            tools=[
                Tool(name=name, description=" ".join((getdoc(kind) or "").split()), input_schema=kind.model_json_schema())
                for name, (kind, _) in DEEDS.items()
                if errand and name in errand.deeds
            ]
        )

    async def _call(self, context: ServerRequestContext, params: CallToolRequestParams) -> CallToolResult:
        errand = self._errand(context.request) if context.request else None
        try:
            said, wrong = await errand.call(params.name, params.arguments or {}) if errand else "The turn is over.", errand is None
        except Refused as error:
            said, wrong = str(error), True
        return CallToolResult(content=[TextContent(text=said)], is_error=wrong)


def large(request: Request) -> bool:
    """Or of a length that nobody says."""
    return "transfer-encoding" in request.headers or int(request.headers.get("content-length", 0)) > MOST
