"""As whom we come to a platform: with a token that is fetched by OAuth's client credentials, or with a certificate; and where we may go."""

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import cache

import httpx

from bot import net
from bot.errors import Unavailable

SOONER = 30.0  # seconds before its end that a token is no longer used
SHORT = 300.0  # seconds for which a token is good that does not say


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are at the server that gives tokens."""

    url: str
    id: str
    secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Pass:
    """Whoever agrees in all of it shares connections. `private` allows addresses of our own network, `local` means this very machine;
    `tls` are the files of a certificate, its key, and an authority.
    """

    private: bool = False
    local: bool = False
    client: Credentials | None = None
    tls: tuple[str, str, str] | None = None

    def trust(self) -> ssl.SSLContext:
        return _trust(*self.tls) if self.tls else net.trust()


@cache
def _trust(certificate: str, key: str, authority: str) -> ssl.SSLContext:
    """Raises Unavailable where a file is none."""
    try:
        context = ssl.create_default_context(cafile=authority or None)
        context.load_cert_chain(certificate, key)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        why = getattr(error, "strerror", None) or str(error)
        raise Unavailable(f"options.tls cannot be used ({why}): look at the files that it names; they have to be PEM.") from error
    return context


class Bearer(httpx.Auth):
    """Fetches a token when there is none that is good, and once more when it is refused."""

    def __init__(self, client: Credentials) -> None:
        self.client = client
        self._token, self._until = "", 0.0
        self._lock = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        for last in (False, True):
            async with self._lock:  # a thousand sessions that want one wait for it
                if time.monotonic() >= self._until:
                    response = yield self._asked()
                    self._take(response, await response.aread())
                token = self._token
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if last or response.status_code != httpx.codes.UNAUTHORIZED:
                return
            await response.aread()
            self._until = 0.0 if token == self._token else self._until

    def _asked(self) -> httpx.Request:
        given = {"grant_type": "client_credentials", "scope": self.client.scope, "audience": self.client.audience}
        sent = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        request = httpx.Request("POST", self.client.url, data={name: value for name, value in given.items() if value}, headers=sent)
        request.extensions["timeout"] = httpx.Timeout(net.CALL).as_dict()
        return next(httpx.BasicAuth(self.client.id, self.client.secret).auth_flow(request))

    def _take(self, response: httpx.Response, body: bytes) -> None:
        where = f"{net.host_of(self.client.url)} gives us no token"
        if not response.is_success:
            raise Unavailable(f"{where} (HTTP {response.status_code}): check options.oauth, and the variables that it names.")
        try:
            told = response.json()
        except ValueError:
            told = None
        match told:
            case {"access_token": str(token)} if token.isascii() and token.isprintable():
                good = told.get("expires_in")
                seconds = float(good) if isinstance(good, int | float) or str(good).isdigit() else SHORT
                self._token, self._until = token, time.monotonic() + max(seconds - SOONER, seconds / 2)
            case _:
                raise Unavailable(f"{where}: its answer has none. Is options.oauth.url the address for tokens?")
