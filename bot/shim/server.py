"""The door of a container: whoever has the token runs one of our harnesses in it. AgentCore's contract, which suits Kubernetes as well."""

import asyncio
import hmac
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from uuid import uuid4

from aiohttp import web
from pydantic import ValidationError

from bot.agent import Agent
from bot.errors import BotError, ConfigError
from bot.ports import Runtime
from bot.shim.conversation import Conversation
from bot.spoken import ORDER, SESSION, Json, Run, Say, Stop, line

LARGEST = 96 << 20  # bytes of an order, with its files
SMALL = 64 << 10  # of one that does not begin with the token
SHORTEST = 16  # characters of a token
STRANGER = "This is not the token of this shim."


class Shim:
    """`build` makes a runtime for an agent; `folder` is where conversations are kept. Raises ConfigError without a good token."""

    def __init__(self, token: str, folder: Path, build: Callable[[Agent], Runtime], environment: Mapping[str, str]) -> None:
        if len(token) < SHORTEST:
            raise ConfigError(f"SHIM_TOKEN: set one of at least {SHORTEST} characters; without it anybody could run commands here.")
        self.token, self.folder, self.build, self.environment = token, folder, build, environment
        self.conversations: dict[str, Conversation] = {}
        self.boot = uuid4().hex
        self.changed = time.time()
        self.port = 0
        app = web.Application()
        app.add_routes([web.post("/invocations", self._asked), web.get("/ping", self._pinged)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self, host: str, port: int) -> None:
        """Raises ConfigError where the port cannot be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            raise ConfigError(f"nothing can be served on {host}:{port}: {error.strerror}; name another with --port") from error
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self.conversations.values()))
        await self._runner.cleanup()

    @property
    def busy(self) -> bool:
        return any(each.busy for each in self.conversations.values())

    @property
    def idle(self) -> float:
        """For how many seconds nobody has needed it."""
        return 0.0 if self.busy else time.time() - self.changed

    async def _pinged(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "HealthyBusy" if self.busy else "Healthy", "time_of_last_update": int(self.changed)})

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        id = request.headers.get(SESSION, "")
        try:
            order = ORDER.validate_json(await self._read(request))
        except web.HTTPUnauthorized:
            return _refused(401, STRANGER)
        except ValidationError as error:
            return _refused(400, f"This shim cannot read that order: {error.errors()[0]['msg']}. Are both of the same version?")
        if not hmac.compare_digest(order.token.get_secret_value().encode(), self.token.encode()):
            return _refused(401, STRANGER)
        if not 0 < len(id) <= 256:
            return _refused(400, f"The header {SESSION} has to name the conversation.")
        self.changed = time.time()
        conversation = self._conversation(id)
        match order:
            case Say():
                return web.json_response({"taken": conversation.say(order)})
            case Stop():
                return web.json_response({"stopped": await conversation.stop(order.turn)})
            case Run():
                return await self._run(request, conversation, order)

    async def _read(self, request: web.Request) -> bytes:
        """The order. Ours begin with the token, so that nobody without it can make us hold much."""
        begins, said = line({"token": self.token})[:-1].encode(), bytearray()
        async for chunk in request.content.iter_any():
            said += chunk
            if len(said) > SMALL and not hmac.compare_digest(said[: len(begins)], begins):
                raise web.HTTPUnauthorized
            if len(said) > LARGEST:
                raise web.HTTPRequestEntityTooLarge(LARGEST, len(said))
        return bytes(said)

    def _conversation(self, id: str) -> Conversation:
        if id not in self.conversations:
            self.conversations[id] = Conversation(id, self.folder, self.build, self.environment)
        return self.conversations[id]

    async def _run(self, request: web.Request, conversation: Conversation, order: Run) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", SESSION: conversation.id})
        try:
            work = await conversation.run(order)
        except BotError as error:
            return _refused(422, str(error))
        await response.prepare(request)
        hello: Json = {"n": work.first - 1, "turn": work.name, "boot": self.boot} if work else {"n": 0, "lost": True}
        await response.write(self._written(conversation, hello))
        if work:
            await self._stream(response, conversation, work.follow(order.after))
        return response

    async def _stream(self, response: web.StreamResponse, conversation: Conversation, records: AsyncGenerator[Json | None, None]) -> None:
        with suppress(ConnectionError):  # whoever was cut off comes back
            await self._each(response, conversation, records)
        self.changed = time.time()

    async def _each(self, response: web.StreamResponse, conversation: Conversation, records: AsyncGenerator[Json | None, None]) -> None:
        async with aclosing(records):
            async for record in records:
                await response.write(self._written(conversation, record) if record else b": still here\n\n")

    def _written(self, conversation: Conversation, record: Json) -> bytes:
        return f"id: {record['n']}\ndata: {line({'session': conversation.id, **record})}\n\n".encode()


def _refused(status: int, words: str) -> web.Response:
    return web.json_response({"error": words}, status=status)
