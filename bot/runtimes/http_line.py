"""The connection to a platform: requests by its profile, what comes back, and what goes wrong with them in words."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from itertools import count
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from bot import net
from bot.breaker import BREAKER, Down
from bot.errors import Unavailable
from bot.runtimes import http_values as values
from bot.runtimes.claude_words import short
from bot.runtimes.feed import Raw, Stalled, Unread, events, parsed, whole
from bot.runtimes.http_profile import Call
from bot.runtimes.http_setting import Setting

ENDED = 300  # from here on an HTTP status is no answer
SILENT = frozenset({408, 502, 503, 504})  # the platform, or what stands before it, is not there


class Unsent(Down):
    """Nobody was reached, so that nobody has heard anything."""


class Cut(Unavailable):
    """The connection broke, or fell silent, after it had begun to tell."""


class Gone(Unavailable):
    """There is no such thing there, or not any more."""


class Busy(Unavailable):
    """It was asked too often, or cannot do it now. `wait` seconds are what it asks for; `undone` says that it has done nothing yet."""

    def __init__(self, words: str, wait: float | None, *, undone: bool) -> None:
        super().__init__(words)
        self.wait, self.undone = wait, undone


class Line:
    """Open it before use. Raises Unavailable, and the kinds of it above."""

    def __init__(self, setting: Setting) -> None:
        self.setting, self.secrets = setting, setting.secrets
        self.place = f"options.url in {setting.file}"

    async def __aenter__(self) -> Self:
        try:
            self._http = net.session(self.setting.url, self.setting.private)
        except net.Forbidden as error:
            raise Unavailable(f"{self.setting.host}: {error} in {self.setting.file}.") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def reach(self) -> None:
        """Whether somebody is there at all: any answer to a request that means nothing will do."""
        with BREAKER.through(self.setting.host):
            (await self._request("get", str(URL(self.setting.url).origin()), {}, None, net.CALL)).close()

    async def call(self, call: Call, scope: Mapping[str, Any]) -> Any:
        """The answer as JSON; None where there is none."""
        async with self._answered(call, scope, {}, net.CALL) as response:
            try:
                said = await whole(response.content.iter_any(), net.CALL)
                return parsed(said) if said.strip() else None
            except (Unread, Stalled, aiohttp.ClientError, OSError) as error:
                raise self._broken(error) from error

    @asynccontextmanager
    async def opened(self, call: Call, scope: Mapping[str, Any], more: Mapping[str, str]) -> AsyncIterator[AsyncGenerator[Raw, None]]:
        """What it then tells, once it has answered at all. `more` are headers."""
        async with self._answered(call, scope, {"Accept": ACCEPT[call.form], **more}, self.setting.silence) as response:
            if "html" in response.content_type:
                raise self._broken(Unread("answered with a web page where JSON belongs"))
            async with aclosing(self._told(response, call)) as told:
                yield told

    async def _told(self, response: aiohttp.ClientResponse, call: Call) -> AsyncGenerator[Raw, None]:
        try:
            async with aclosing(events(response.content.iter_any(), call.form, self.setting.silence)) as raws:
                async for raw in raws:
                    yield raw
        except (Unread, Stalled, aiohttp.ClientError, OSError) as error:
            raise self._broken(error) from error

    @asynccontextmanager
    async def _answered(
        self, call: Call, scope: Mapping[str, Any], more: Mapping[str, str], limit: float
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        with BREAKER.through(self.setting.host):
            response = await self._tried(call, scope, more, limit)
        try:
            yield response
        finally:
            response.close()

    async def _tried(self, call: Call, scope: Mapping[str, Any], more: Mapping[str, str], limit: float) -> aiohttp.ClientResponse:
        """Once more where that does no harm: nobody has heard it, or it may be said twice, or there were too many at once."""
        for tries in count(1):
            try:
                return await self._once(call, scope, more, limit)
            except Busy as error:
                wait = net.pause(tries) if error.wait is None else error.wait
                if tries >= net.TRIES or wait > net.LONGEST or not (call.twice or error.undone):  # whoever waits longer wants to know
                    raise
            except Down as error:
                wait = net.pause(tries)
                if tries >= net.TRIES or not (call.twice or isinstance(error, Unsent)):
                    raise
            await asyncio.sleep(wait)
        raise AssertionError

    async def _once(self, call: Call, scope: Mapping[str, Any], more: Mapping[str, str], limit: float) -> aiohttp.ClientResponse:
        token = await self.setting.token()
        self.secrets = net.Secrets.of([token, *self.setting.secrets.values])
        told = {**scope, "secret": token}
        try:
            query = urlencode(values.find(call.query, None, told), doseq=True)
            url = self.setting.url + values.address(call.path, told) + (f"?{query}" if query else "")
            given = values.find({**self.setting.profile.headers, **call.headers}, None, told)
            body = None if call.body is None else json.dumps(values.find(call.body, None, told)).encode()
        except (values.Wrong, TypeError, ValueError) as error:
            raise Unavailable(f"{self.setting.profile.name}: {call.path} cannot be filled in: {self.secrets.mask(str(error))}") from error
        kind = {"Content-Type": "application/json"} if body is not None else {}
        headers = {**kind, **{name: str(value) for name, value in given.items()}, **more, **self.setting.headers}
        response = await self._request(call.verb, url, headers, body, limit)
        if response.status < ENDED:
            return response
        try:
            raise await self._refused(response)
        finally:
            response.close()

    async def _request(self, verb: str, url: str, headers: Mapping[str, str], body: bytes | None, limit: float) -> aiohttp.ClientResponse:
        await net.pace(self.setting.host)
        try:
            async with asyncio.timeout(limit):
                return await self._http.request(
                    verb.upper(), URL(url, encoded=True), headers=headers, data=body, allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=None, connect=net.CONNECTING),
                )  # fmt: skip
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._worded(error) from error

    async def _refused(self, response: aiohttp.ClientResponse) -> Unavailable:
        host, code = self.setting.host, response.status
        if code < 400:
            there = net.onward(response.headers.get("Location", ""))
            return Unavailable(f"{host} sends us on to {there}, which is not whom we are to talk to: correct {self.place}, if it is.")
        said = await self._said(response)
        match code:
            case 401 | 403 | 407:
                where = f"options.key in {self.setting.file}"
                return Unavailable(f"{host} does not accept the credentials ({code}): those of {where} are wrong, or have expired.{said}")
            case 404 | 410:
                return Gone(f"{host} knows no such thing ({code}): look at {self.place}, and at options.values.{said}")
            case 429 | 503 if code == 429 or "Retry-After" in response.headers:
                wait = net.asked_to_wait(response.headers)
                when = f"in {wait:g} seconds" if wait else "later"
                why = "was asked too often" if code == 429 else "cannot do it now"
                return Busy(f"{host} {why} ({code}). Try again {when}.{said}", wait, undone=code == 429)
            case _ if code in SILENT:
                return Down(f"{host} cannot do it now ({code}). Try again later.{said}")
        return Unavailable(f"{host} refused what it was asked ({code}).{said}")

    async def _said(self, response: aiohttp.ClientResponse) -> str:
        """What it says of its refusal; a web page says nothing."""
        try:
            async with asyncio.timeout(net.CALL):
                text = (await response.content.read(4000)).decode("utf-8", "replace")
        except (aiohttp.ClientError, OSError):
            return ""
        words = short(" ".join(self.secrets.mask(text).split()), 300)
        return f" It said: {words}" if words and "html" not in response.content_type else ""

    def _worded(self, error: Exception) -> Unavailable:
        """What aiohttp raises before there is an answer, in words."""
        host = self.setting.host
        match error:
            case aiohttp.ClientConnectorError(os_error=net.Forbidden()):
                return Unavailable(f"{host}: {error.os_error} in {self.setting.file}.")
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                return Unavailable(f"{host} cannot be trusted: check {self.place}, and SSL_CERT_FILE if it has a certificate of your own.")
            case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError() | aiohttp.ClientHttpProxyError():
                why = getattr(getattr(error, "os_error", None), "strerror", None) or type(error).__name__
                return Unsent(f"{host} does not answer ({why}): check that it runs, and {self.place}.")
            case TimeoutError():
                return Down(f"{host} did not answer in time: look there, or raise options.silence in {self.setting.file}.")
            case aiohttp.InvalidURL() | ValueError():
                return Unavailable(f"{host} cannot be asked like this: check {self.place}, options.key and options.headers.")
        return Down(f"The connection to {host} broke ({type(error).__name__}): look there before you ask again.")

    def _broken(self, error: Exception) -> Unavailable:
        """The same for the answer itself."""
        host, name = self.setting.host, self.setting.profile.name
        match error:
            case Stalled():
                return Cut(f"{host} was silent for {error} seconds: look there, or raise options.silence in {self.setting.file}.")
            case Unread():
                return Unavailable(f"{host} {error}: check {self.place}, and whether that is {name}.")
        return Cut(f"The connection to {host} broke ({type(error).__name__}): look there before you ask again.")


ACCEPT = {"sse": "text/event-stream", "lines": "application/x-ndjson, application/json", "json": "application/json"}
