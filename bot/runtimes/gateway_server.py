"""The harnesses' way to LiteLLM: a door on loopback that has the key, so that no harness has it, and says whom each call is for."""

import asyncio
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
from aiohttp import web

from bot.aid import Talk
from bot.ports import Runtime, Turn
from bot.runtimes.gateway_bill import Bill, Cost

MODELS = re.compile(r"/v1/(messages|messages/count_tokens|(chat/)?completions|responses(/compact)?|embeddings|models(/[\w:-][\w.:-]*)?)")
FREE = re.compile(r"/v1/(messages/count_tokens|models.*)")
OWN = {  # what belongs to one connection, and what says who calls
    "authorization", "x-api-key", "api-key", "cookie", "set-cookie", "host", "accept-encoding", "expect", "connection", "keep-alive",
    "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
CONNECT = 30.0  # seconds; how long a model may think is the harness's to say


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a token stands for."""

    stamp: Mapping[str, str]
    bill: Bill


class GatewayServer:
    """An aid: each turn has a token of its own. It serves from the first turn on."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url.rstrip("/").removesuffix("/v1"), key
        self._callers: dict[str, Caller] = {}
        self._starting = asyncio.Lock()
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def lend(self, turn: Turn, runtime: Runtime, talk: Talk) -> AsyncIterator[Turn]:
        async with self._starting:
            if self._runner is None:
                await self._start()
        assert self._runner
        token = secrets.token_urlsafe(32)
        self._callers[token] = Caller(stamp(turn), bill := Bill(talk.tell))
        talk.priced = bill.priced
        try:
            yield replace(turn, gateway=("http://{}:{}".format(*self._runner.addresses[0]), token))
        finally:
            del self._callers[token]

    async def close(self) -> None:
        if self._runner:
            await self._runner.cleanup()
        if self._http:
            await self._http.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False, handler_cancellation=True, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT)
        self._http = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0), auto_decompress=False)
        self._runner = runner

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        caller = self._callers.get(shown(request.headers))
        if caller is None:
            return refused(401, "Show the token of a turn that runs.")
        if not MODELS.fullmatch(request.raw_path.partition("?")[0]):
            return refused(404, "Only calls of models go through here.")
        assert self._http
        headers = [*carried(request.headers), *caller.stamp.items(), *([("Authorization", f"Bearer {self.key}")] if self.key else [])]
        body = request.content if request.body_exists else None
        try:
            async with self._http.request(
                request.method,
                self.url + request.raw_path,
                headers=headers,
                data=body,
                allow_redirects=False,
                skip_auto_headers=("User-Agent", "Content-Type"),
            ) as answer:
                return await self._pass(request, answer, caller.bill)
        except aiohttp.ClientError as error:
            return refused(502, f"LiteLLM at LITELLM_API_BASE cannot be reached ({type(error).__name__}); see that it runs there.")

    async def _pass(self, request: web.Request, answer: aiohttp.ClientResponse, bill: Bill) -> web.StreamResponse:
        """The answer piece by piece, as it comes; and what it costs, told before the harness knows that it has ended."""
        response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=carried(answer.headers))
        cost, told = Cost(answer.headers), None
        await response.prepare(request)
        try:
            async for piece in answer.content.iter_any():
                cost.hear(piece)
                if cost.usd is not None and cost.usd != told:
                    await bill.count(cost.usd - (told or 0.0))
                    told = cost.usd
                await response.write(piece)
        except (aiohttp.ClientError, ConnectionResetError):
            if request.transport:
                request.transport.abort()  # half an answer may not look like a whole one
            return response
        finally:
            if told is None and answer.status < 300 and not FREE.fullmatch(request.path):
                await bill.count(None)  # also where the answer was cut: the model has been paid
        await response.write_eof()
        return response


def stamp(turn: Turn) -> dict[str, str]:
    """What LiteLLM counts a call by: tags (session:…, agent:…, person:…, channel:…) and the end user."""
    names = {"session": turn.session_id, "agent": turn.agent.name, "person": turn.person.id, "channel": turn.channel}
    told = {name: re.sub(r"[^\w.@-]", "_", value, flags=re.ASCII) for name, value in names.items() if value}
    return {
        "Accept-Encoding": "identity",  # so that the cost can be read
        "x-litellm-tags": ",".join(f"{name}:{value}" for name, value in told.items()),
        "x-litellm-spend-logs-metadata": json.dumps(told),
        **({"x-litellm-end-user-id": told["person"]} if "person" in told else {}),
    }


def shown(headers: Mapping[str, str]) -> str:
    """The token, where clients of either API put a key."""
    return headers.get("Authorization", "").removeprefix("Bearer ") or headers.get("x-api-key", "")


def carried(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What goes on to the other side: neither what is this connection's own, nor what a harness may say to LiteLLM in our name."""
    named = {name.strip().lower() for name in headers.get("Connection", "").split(",")}
    return [
        (name, value) for name, value in headers.items()
        if (low := name.lower()) not in OWN and low not in named and not low.startswith("x-litellm-")
    ]  # fmt: skip


def refused(status: int, why: str) -> web.Response:
    """As clients of both APIs read it."""
    return web.json_response({"type": "error", "error": {"type": "frontdesk", "message": why}}, status=status)
