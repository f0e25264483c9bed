"""A stand-in for AgentCore's data plane, from botocore's model of bedrock-agentcore: it passes invocations on to a container.

`refuse` is what it answers in place of the next invocations: an error's name and status; `cut` is after how many bytes it breaks the
next answer; `page` sends a web page. `asked` are the orders that came through.
"""

import asyncio
import json
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web

from bot.spoken import SESSION
from tests.standins.site import Site

ARN = "arn:aws:bedrock-agentcore:eu-central-1:123456789012:runtime/coder-a1"
SAID = {"ThrottlingException": "Rate exceeded", "ExpiredTokenException": "The security token included in the request is expired"}


class AgentCoreDataPlane(Site):
    """`async with AgentCoreDataPlane(container) as plane:` serves on loopback."""

    def __init__(self, container: str, bearer: str = "") -> None:
        self.container, self.bearer = container, bearer
        self.refuse: list[tuple[str, int]] = []
        self.cut: list[int] = []
        self.page = self.stall = False
        self.asked: list[dict[str, Any]] = []
        self.sessions: set[str] = set()
        self.stopped: list[str] = []
        self.app = app = web.Application(client_max_size=100 << 20)
        app.router.add_post("/runtimes/{arn}/invocations", self._invoke)
        app.router.add_post("/runtimes/{arn}/stopruntimesession", self._stop)

    async def up(self, port: int = 0) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        await super().up(port)

    async def down(self) -> None:
        await super().down()
        await self._http.close()

    async def _invoke(self, request: web.Request) -> web.StreamResponse:
        if no := self._no(request):
            return no
        session, body = request.headers[SESSION], await request.read()
        self.sessions.add(session)
        self.asked.append(json.loads(body))
        headers = {"Content-Type": request.headers["Content-Type"], SESSION: session}
        async with self._http.post(f"{self.container}/invocations", data=body, headers=headers) as inner:
            if inner.status >= 400:
                return refused("RuntimeClientError", 424, f"Received error ({inner.status}) from runtime.")
            return await self._pass(request, inner, session)

    async def _pass(self, request: web.Request, inner: aiohttp.ClientResponse, session: str) -> web.StreamResponse:
        left = self.cut.pop(0) if self.cut and "event-stream" in inner.content_type else 1 << 40
        response = web.StreamResponse(headers={"Content-Type": inner.headers["Content-Type"], SESSION: session})
        await response.prepare(request)
        async for chunk in inner.content.iter_any():
            await response.write(chunk[:left])
            left -= len(chunk)
            if left <= 0:
                assert request.transport
                request.transport.abort()
                break
        return response

    def _no(self, request: web.Request) -> web.Response | None:
        assert unquote(request.match_info["arn"]) == ARN
        authorization = request.headers.get("Authorization", "")
        if self.page:
            return web.Response(text="<html><body>Sign in</body></html>", content_type="text/html")
        if not authorization.startswith("AWS4-HMAC-SHA256") if not self.bearer else authorization != f"Bearer {self.bearer}":
            return refused("AccessDeniedException", 403, f"not allowed: {authorization}")
        if len(request.headers.get(SESSION, "")) < 33:
            return refused("ValidationException", 400, "runtimeSessionId must be at least 33 characters")
        if self.refuse:
            name, status = self.refuse.pop(0)
            return refused(name, status, SAID.get(name, name))
        return None

    async def _stop(self, request: web.Request) -> web.Response:
        if no := self._no(request):
            return no
        session = request.headers[SESSION]
        self.stopped.append(session)
        await asyncio.sleep(0)
        return web.json_response({}) if session in self.sessions else refused("ResourceNotFoundException", 404, "no such session")


def refused(name: str, status: int, words: str) -> web.Response:
    return web.json_response({"message": words}, status=status, headers={"x-amzn-ErrorType": name})
