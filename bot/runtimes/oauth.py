"""As whom we come where a token is good for a while only: OAuth's client credentials, fetched when there is none, or it is refused."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, field_validator

from bot import net
from bot.errors import Unavailable
from bot.ports import Turn

VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
SOONER = 30.0  # seconds before its end that a token is no longer used
SHORT = 300.0  # seconds for which a token is good that does not say
TIMEOUT = dict.fromkeys(("connect", "read", "write", "pool"), net.CALL)


class OAuth(BaseModel):
    """The token that we come with is fetched from `url`. `client` and `secret` name variables ($SECRET)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: net.Url
    client: str
    secret: str
    scope: str = ""
    audience: str = ""

    @field_validator("secret")
    @classmethod
    def _named(cls, secret: str) -> str:
        if not VARIABLE.fullmatch(secret):
            raise ValueError("name the variable that holds the secret, like $A2A_SECRET; the secret itself does not belong in a file")
        return secret


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are at the server that gives tokens."""

    url: str
    id: str
    secret: str = field(repr=False)
    scope: str = ""
    audience: str = ""


def credentials(oauth: OAuth, turn: Turn) -> Credentials:
    """Raises Unavailable."""
    id, secret = (filled(getattr(oauth, name), turn, f"oauth.{name}") for name in ("client", "secret"))
    return Credentials(oauth.url, id, secret, oauth.scope, oauth.audience)


def filled(value: str, turn: Turn, key: str) -> str:
    """The value with its variables filled in. Raises Unavailable, without what they hold, which is secret."""
    try:
        return net.filled(VARIABLE.sub(r"${\1}", value), turn.environment, f"{turn.agent.file}: options.{key}")
    except ValueError as error:
        raise Unavailable(str(error)) from error


class Tokens:
    """Those of one client. A thousand sessions that want one wait for it."""

    def __init__(self, client: Credentials) -> None:
        self.client = client
        self.token, self.until = "", 0.0
        self.lock = asyncio.Lock()

    def form(self) -> tuple[dict[str, str], dict[str, str]]:
        """What is sent to get one: the fields, and the headers."""
        given = {"grant_type": "client_credentials", "scope": self.client.scope, "audience": self.client.audience}
        named = base64.b64encode(f"{self.client.id}:{self.client.secret}".encode()).decode()
        sent = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json", "authorization": f"Basic {named}"}
        return {name: value for name, value in given.items() if value}, sent

    def take(self, status: int, body: bytes) -> None:
        """What is answered to that. Raises Unavailable."""
        where = f"{net.host_of(self.client.url)} gives us no token"
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Unavailable(f"{where} (HTTP {status}): check options.oauth, and the variables that it names.")
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        match told:
            case {"access_token": str(token)} if token.isascii() and token.isprintable():
                good = told.get("expires_in")
                seconds = float(good) if isinstance(good, int | float) or str(good).isdigit() else SHORT
                self.token, self.until = token, time.monotonic() + max(seconds - SOONER, seconds / 2)
            case _:
                raise Unavailable(f"{where}: its answer has none. Is options.oauth.url the address for tokens?")

    def refused(self, token: str) -> None:
        """This one is not good any more."""
        self.until = 0.0 if token == self.token else self.until


_KNOWN: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Credentials, Tokens]] = WeakKeyDictionary()


def tokens(client: Credentials) -> Tokens:
    """The one of this client in the running event loop, whatever turn and platform it is for."""
    return _KNOWN.setdefault(asyncio.get_running_loop(), {}).setdefault(client, Tokens(client))


class Flow:
    """Before its like's Auth among the bases of a class, it does this for httpx, and for httpx2: their requests are made alike."""

    def __init__(self, client: Credentials) -> None:
        self.client = client

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        known = tokens(self.client)
        for last in (False, True):
            async with known.lock:
                if time.monotonic() >= known.until:
                    data, headers = known.form()
                    response = yield type(request)("POST", self.client.url, data=data, headers=headers, extensions={"timeout": TIMEOUT})
                    known.take(response.status_code, await response.aread())
                token = known.token
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if last or response.status_code != HTTPStatus.UNAUTHORIZED:
                return
            await response.aread()
            known.refused(token)
