"""A stand-in for a server that gives tokens, by OAuth's client credentials."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


@dataclass
class Tokens:
    """A server that gives tokens: `next` is what it gives, `asked` what it was asked with."""

    next: list[Any]
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def give(self, request: web.Request) -> web.Response:
        self.asked.append((request.headers["Authorization"], {key: str(value) for key, value in (await request.post()).items()}))
        given = self.next.pop(0)
        return given if isinstance(given, web.Response) else web.json_response(given)


@asynccontextmanager
async def giving(*tokens: Any) -> AsyncIterator[tuple[Tokens, dict[str, Any]]]:
    """The server, and the option that names it."""
    server, app = Tokens(list(tokens)), web.Application()
    app.router.add_post("/token", server.give)
    async with TestServer(app) as site:
        url = str(site.make_url("/token"))
        yield server, {"url": url, "client": "$ID", "secret": "$SECRET", "scope": "a2a.call"}


def bearer(token: str, seconds: float = 3600) -> dict[str, Any]:
    return {"access_token": token, "token_type": "Bearer", "expires_in": seconds}
