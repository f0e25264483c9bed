"""Calls as GitHub, Linear and others make them, and what is kept of them."""

import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.agent import Agent, parse
from bot.fired import Fired
from bot.journal import Delivery
from bot.triggers.webhook import Webhooks

FOLDER = Path(__file__).parents[1] / "recordings" / "webhooks"
SECRET = "a secret that both know"
Called = tuple[Mapping[str, str], bytes]


def recorded(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def github(body: Any, event: str, secret: str = SECRET, id: str = "", **more: str) -> Called:
    raw = json.dumps(body).encode()
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": id or str(uuid4()),
        "X-Hub-Signature-256": f"sha256={mark(raw, secret)}",
        **more,
    }, raw


def linear(body: Any, secret: str = SECRET, id: str = "", at: float = 0.0) -> Called:
    """As if it were sent just now, or then (Unix seconds)."""
    raw = json.dumps({**body, "webhookTimestamp": int(at or time.time()) * 1000}).encode()
    told = {"Linear-Delivery": id or str(uuid4()), "Linear-Event": body["type"], "Linear-Signature": mark(raw, secret)}
    return {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Linear-Webhook", **told}, raw


def generic(body: Any, secret: str = SECRET, **more: str) -> Called:
    return {"Content-Type": "application/json", "Authorization": f"Bearer {secret}", **more}, json.dumps(body).encode()


def mark(raw: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), raw, sha256).hexdigest()


def agent(*webhooks: str, name: str = "reviewer") -> Agent:
    """One with these webhooks, each written as YAML within braces."""
    lines = "".join(f"  - webhook: {{{webhook}}}\n" for webhook in webhooks)
    return parse(name, f"---\ndescription: Reviews.\nruntime: echo\ntriggers:\n{lines}---\nYou review.\n")


PULLS = "source: github, secret: $HOOK, events: [pull_request], post_to: '#reviews', prompt: 'Review {{ body.pull_request.html_url }}'"
ISSUES = "source: linear, secret: $HOOK, events: [Issue.create], post_to: '#triage', prompt: 'Triage {{ body.data.title }}'"
ALERTS = "source: generic, secret: $HOOK, post_to: '#triage', prompt: 'Look at {{ body }}'"


@dataclass(slots=True)
class Kept:
    """What was taken, as the door keeps it."""

    rows: dict[str, Delivery] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    async def take(self, delivery: Delivery) -> bool:
        keys = {delivery.key, delivery.same} - {""}
        new = not keys & self.known
        self.known |= keys
        if new:
            self.rows[delivery.key] = delivery
        return new

    @property
    def fired(self) -> list[Fired]:
        return [Fired(**json.loads(row.body)) for row in self.rows.values() if row.kind == "fired"]

    @property
    def prompts(self) -> list[str]:
        return [fired.prompt for fired in self.fired if fired.prompt]

    @property
    def words(self) -> list[str]:
        return [fired.headline for fired in self.fired if not fired.prompt]


@dataclass(slots=True)
class Desk:
    """Routes that are served, for these agents; what is called there, and what was kept of it."""

    webhooks: Webhooks
    kept: Kept
    client: TestClient[web.Request, web.Application]
    agents: list[Agent]

    async def call(self, path: str, called: Called) -> tuple[int, str]:
        headers, raw = called
        async with self.client.post(path, data=raw, headers=headers) as answer:
            return answer.status, await answer.text()


@asynccontextmanager
async def served(*agents: Agent, environment: Mapping[str, str] | None = None, limit: int = 1 << 20) -> AsyncIterator[Desk]:
    there, kept = [*agents], Kept()
    webhooks = Webhooks(lambda: there, kept.take, {"HOOK": SECRET} if environment is None else environment, limit)
    app = web.Application()
    app.add_routes(webhooks.routes)
    async with TestClient(TestServer(app)) as client:
        yield Desk(webhooks, kept, client, there)
