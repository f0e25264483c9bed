"""The routes at which others call, and what is taken of it: proven, wanted, and kept before it is acknowledged."""

import asyncio
import logging
import re
import secrets
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from bot import clock
from bot.agent import Agent
from bot.errors import StoreFailed
from bot.fired import delivery
from bot.triggers import signed
from bot.triggers.call import Call, read
from bot.triggers.held import Held, Take
from bot.triggers.hook import Hook, meant
from bot.triggers.rate import Rate
from bot.triggers.template import Unfilled

log = logging.getLogger(__name__)
ROUTE = "/hooks/{agent}/{which}"
PATIENCE = 10.0  # seconds that a call may take to be sent
ROOM = 64  # calls of the largest size that may be read at once
JSON = re.compile(r"application/(\S+\+)?json")
SOON, LATER = {"Retry-After": "5"}, {"Retry-After": "60"}

WRONG = "This is not proven: the secret, or what it was signed with, is wrong; or there is no such webhook."
SECRETLESS = "The secret of this webhook is not set where Frontdesk runs, so nothing is taken. `frontdesk doctor` names the variable."
FORM = "Send JSON, as it is. At GitHub: choose application/json as the webhook's content type."
STARTING = "Frontdesk is just starting. Try again in a moment."
TIGHT = "Too much is being sent at once. Try again in a moment."
SLOW = "It took too long to be sent."
LONG = "This is longer than the {:,} bytes that are taken here. WEBHOOK_MEGABYTES allows more."
FULL = "Too many calls wait here already until an agent's file is mended. Send it again when that is done."
FLOOD = "More than {} calls a minute came to {}'s webhook, and its file allows no more (`per_minute`)."


class Webhooks:
    """`take` keeps what is to be dealt with; `environment` holds the secrets; `limit` is the longest call in bytes."""

    def __init__(self, agents: Callable[[], Sequence[Agent]], take: Take, environment: Mapping[str, str], limit: int) -> None:
        self.agents, self.take, self.environment, self.limit = agents, take, environment, limit
        self.held = Held(agents, take)
        self.routes = [web.post(ROUTE, self.called)]
        self.handlers = {"held": self.held.mended}
        self._room = ROOM * limit
        self._rates: dict[str, Rate] = {}
        self._nobody = secrets.token_hex()  # proves a webhook that is not there, so that it takes as long

    async def called(self, request: web.Request) -> web.Response:
        """202 where it is taken, 200 where it was before, or where nobody wants it."""
        if not (agents := self.agents()):
            raise web.HTTPServiceUnavailable(text=STARTING, headers=SOON)
        if not JSON.fullmatch(request.content_type) or request.headers.get("Content-Encoding", "identity") != "identity":
            raise web.HTTPUnsupportedMediaType(text=FORM)
        if not signed.tried(request.headers):
            raise web.HTTPUnauthorized(text=WRONG)
        raw = await self._read(request)
        found = self._proven(meant(agents, request.match_info["agent"], request.match_info["which"]), request.headers, raw)
        try:
            return await self._take(found, _call(found[0], request.headers, raw))
        except StoreFailed as error:
            raise web.HTTPServiceUnavailable(text=str(error), headers=LATER) from error

    async def _read(self, request: web.Request) -> bytes:
        """What was sent, unless that is too much, or takes too long."""
        found = bytearray()
        try:
            self._fits(request.content_length or 0)
            async with asyncio.timeout(PATIENCE):
                async for piece in request.content.iter_any():
                    found += piece
                    self._room -= len(piece)
                    self._fits(len(found))
            return bytes(found)
        except TimeoutError as error:
            raise web.HTTPRequestTimeout(text=SLOW) from error
        finally:
            self._room += len(found)

    def _fits(self, size: int) -> None:
        if size > self.limit:
            raise web.HTTPRequestEntityTooLarge(self.limit, size, text=LONG.format(self.limit))
        if self._room < 0:
            raise web.HTTPServiceUnavailable(text=TIGHT, headers=SOON)

    def _proven(self, there: Sequence[Hook], headers: Mapping[str, str], raw: bytes) -> list[Hook]:
        """Those whose secret the sender knows, at least one. Where there are none, nobody learns that."""
        known = [(hook, secret) for hook in there if (secret := self.environment.get(hook.variable))]
        if there and not known:
            log.error("webhook_secretless", extra={"action": "webhook_secretless", "agent": there[0].agent.name})
            raise web.HTTPServiceUnavailable(text=SECRETLESS, headers=LATER)
        found = [hook for hook, secret in known if signed.genuine(hook.asks.source, secret, headers, raw)]
        if not known:
            signed.genuine("generic", self._nobody, headers, raw)
        if not found:
            log.info("webhook_not_proven", extra={"action": "webhook_not_proven"})
            raise web.HTTPUnauthorized(text=WRONG)
        return found

    async def _take(self, proven: Sequence[Hook], call: Call) -> web.Response:
        """The first that wants it has it. Raises StoreFailed."""
        for hook in proven:
            try:
                if hook.wants(call):
                    return await self._begin(hook, call)
            except Unfilled as error:
                return await self._hold(hook, call, error)
        return web.Response(
            text="pong" if call.ping else "Nobody wants to know: the events or the filter of the agent's file leave it out."
        )

    async def _begin(self, hook: Hook, call: Call) -> web.Response:
        kept = hook.delivery(call, now := clock.now())
        if wait := self._rates.setdefault(hook.name, Rate()).take(hook.asks.per_minute):
            words = FLOOD.format(hook.asks.per_minute, hook.agent.name)
            await self.take(delivery(hook.word(f"flood:{now // 3600:.0f}", f"{words} Who sent more was told to send it again later.", now)))
            raise web.HTTPTooManyRequests(text=words, headers={"Retry-After": str(wait)})
        return _taken(await self.take(kept))

    async def _hold(self, hook: Hook, call: Call, error: Unfilled) -> web.Response:
        if self.held.full:
            raise web.HTTPServiceUnavailable(text=FULL, headers=LATER)
        return _taken(await self.held.hold(hook, call, error))


def _call(hook: Hook, headers: Mapping[str, str], raw: bytes) -> Call:
    """What was told to a webhook; those of one address are of one source."""
    try:
        call = read(hook.asks.source, headers, raw, now := clock.now())
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"This is no JSON: {error}") from error
    if not signed.fresh(call.source, call.body, now):
        raise web.HTTPUnauthorized(text=WRONG)
    return call


def _taken(new: bool) -> web.Response:
    return web.Response(status=202, text="Taken.") if new else web.Response(text="It was taken before.")
