"""AgentCore by a bearer token, over plain HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot import net
from bot.breaker import BREAKER, Down
from bot.errors import RuntimeFailed, Unavailable
from bot.ports import Turn
from bot.runtimes.agentcore_words import Place, worded
from bot.runtimes.shim_line import SAID, AtOnce, Chunks, Cut
from bot.spoken import SESSION


class Bearer(AtOnce):
    """Open it before use. `token` is the shim's, which nobody may see."""

    def __init__(self, place: Place, key: str, turn: Turn, token: str) -> None:
        self.at, self.place, self.session = place, place.name, place.session
        self.credentials = f"the variable {key}, which options.key in {place.file} names"
        if not (value := turn.environment.get(key, "").strip()):
            raise Unavailable(f"{place.file}: options.key needs {key}: name it under `environment:`, and set it where frontdesk runs.")
        self.headers = {"Authorization": f"Bearer {value}", "Content-Type": "application/json", SESSION: place.session}
        self.secrets = net.Secrets.of([value, token])
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        try:
            self._http = net.session(self.at.url, self.at.private)
        except net.Forbidden as error:
            raise Unavailable(f"{self.at.host}: {error} in {self.at.file}.") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http:
            await self._http.close()

    @asynccontextmanager
    async def opened(self, body: bytes, limit: float) -> AsyncIterator[Chunks]:
        with BREAKER.through(self.at.host):
            response = await self._posted("invocations", body, limit)
        try:
            yield self._chunks(response)
        finally:
            response.close()

    async def reach(self) -> None:
        """Raises Unavailable."""
        with BREAKER.through(self.at.host):
            (await self._posted("stopruntimesession", b"{}", net.CALL)).close()

    async def end(self) -> None:
        with suppress(RuntimeFailed):
            (await self._posted("stopruntimesession", b"{}", 1.0)).close()

    async def _posted(self, what: str, body: bytes, limit: float) -> aiohttp.ClientResponse:
        assert self._http
        await net.pace(self.at.host)
        url = URL(f"{self.at.url}/runtimes/{quote(self.at.arn, safe='')}/{what}?qualifier={quote(self.at.qualifier)}", encoded=True)
        timeout = aiohttp.ClientTimeout(total=None, connect=net.CONNECTING)
        headers = {**self.headers, "Accept": "text/event-stream, application/json"}
        try:
            async with asyncio.timeout(limit):
                response = await self._http.post(url, data=body, headers=headers, allow_redirects=False, timeout=timeout)
        except (aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error
        if response.status < 300 and "html" not in response.content_type:
            return response
        try:
            raise await self._refused(response)
        finally:
            response.close()

    async def _chunks(self, response: aiohttp.ClientResponse) -> Chunks:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise Cut(f"The connection to {self.place} broke ({type(error).__name__}).") from error

    async def _refused(self, response: aiohttp.ClientResponse) -> Unavailable:
        if response.status < 300:
            return Unavailable(f"{self.at.host} answered with a web page where JSON belongs: look at options.url in {self.at.file}.")
        if response.status < 400:
            return Unavailable(f"{self.at.host} sends us on to somebody else: look at options.url in {self.at.file}.")
        try:
            said = (await response.content.read(SAID)).decode("utf-8", "replace")
        except (aiohttp.ClientError, OSError):
            said = ""
        code = response.headers.get("x-amzn-ErrorType", "").partition(":")[0]
        return worded(code, response.status, self.secrets.mask(_message(said)), self.at, self.credentials)

    def _broken(self, error: Exception) -> Unavailable:
        match error:
            case aiohttp.ClientConnectorError(os_error=net.Forbidden()):
                return Unavailable(f"{self.at.host}: {error.os_error} in {self.at.file}.")
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                return Unavailable(f"{self.at.host} cannot be trusted: look at options.url in {self.at.file}, and SSL_CERT_FILE.")
            case TimeoutError():
                return Down(f"{self.place} did not answer in time: try again later.")
        return Down(f"{self.at.host} cannot be reached ({type(error).__name__}): look at options.url in {self.at.file}.")


def _message(said: str) -> str:
    """AWS's words, without the JSON around them."""
    try:
        told: Any = json.loads(said)
    except ValueError:
        return said
    return str(told.get("message") or told.get("Message") or told.get("error") or said) if isinstance(told, dict) else said
