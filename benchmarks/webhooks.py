"""How long GitHub waits for an acknowledgement, which we give only when the call is proven, and what comes of it is on the disk."""

import asyncio
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

import aiohttp

from benchmarks.rows import Row, millis, share
from benchmarks.stage import OURS, Stage, pace, postgres, process, stage

RECORDED = Path(__file__).parents[1] / "tests" / "recordings" / "webhooks" / "github_pull_request_opened.json"
SECRET = "a secret that both know"
ASKS = "source: github, secret: $HOOK, events: [pull_request], per_minute: 1000000, prompt: 'Review {{ body.pull_request.html_url }}'"
CHANNELS = ("general", "reviews", "triage", "random")
HOOKED = "description: Is called.\nruntime: echo\ntriggers: [{{webhook: {{{asks}, post_to: '#{channel}'}}}}]"
LONGEST, RATE = 0.1, 100.0  # seconds in which 99 of 100 are acknowledged, at so many calls a second
FLIGHT = 32  # calls at once, where it is asked how many there can be
numbers = count()


async def measure(quick: bool) -> list[Row]:
    """With Slack's limits, as they are: what is taken waits there for its turn to be posted."""
    seconds = 3 if quick else 20
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(postgres())
        rows: list[Row] = []
        for kind, url in (("SQLite", ""), ("PostgreSQL", await made.create())):
            rows += await _measured(kind, url, seconds)
    return rows


async def _measured(kind: str, url: str, seconds: int) -> list[Row]:
    agents = {f"called-{channel}": HOOKED.format(asks=ASKS, channel=channel) for channel in CHANNELS}
    async with stage(rates=1.0, agents=agents, url=url) as place, called(place) as caller:
        await caller.load(20, 2, "pull_request")  # connections and channels are known from now on
        ignored = await caller.load(RATE, seconds, "issues")
        taken = await caller.load(RATE, seconds, "pull_request")
        many = await caller.flood(seconds / 4)
    aim = f"p99 < {LONGEST * 1000:g} ms"
    return [
        Row(f"webhooks, {RATE:g}/s, {kind}, p50 / p99", millis(taken, 50, 99), "", aim, share(taken, 99) < LONGEST),
        Row(f"… that nobody wants, {kind}", millis(ignored, 50, 99), "", aim, share(ignored, 99) < LONGEST),
        Row(f"… as many as there can be, {FLIGHT} at once, {kind}", f"{many:.0f}/s"),
    ]


class Caller:
    """GitHub, as it sends each delivery with an id and a signature of its own."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url = http, url
        self.body = json.loads(RECORDED.read_text("utf-8"))

    async def load(self, rate: float, seconds: float, event: str) -> list[float]:
        """How long each acknowledgement took, of so many calls a second."""
        began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            sent = []
            for number in range(int(rate * seconds)):
                await pace(began, number, rate)
                sent.append(tasks.create_task(self.call(event)))
        return [task.result() for task in sent]

    async def flood(self, seconds: float) -> float:
        """How many a second are taken where the next comes as soon as one is."""
        until, done = time.monotonic() + seconds, 0

        async def go_on() -> None:
            nonlocal done
            while time.monotonic() < until:
                await self.call("pull_request")
                done += 1

        async with asyncio.TaskGroup() as tasks:
            for _ in range(FLIGHT):
                tasks.create_task(go_on())
        return done / seconds

    async def call(self, event: str) -> float:
        number = next(numbers)
        raw = json.dumps({**self.body, "number": number}).encode()
        told = {"X-GitHub-Event": event, "X-GitHub-Delivery": f"delivery-{number}", "Content-Type": "application/json"}
        headers = {**told, "X-Hub-Signature-256": f"sha256={hmac.new(SECRET.encode(), raw, sha256).hexdigest()}"}
        began = time.perf_counter()
        async with self.http.post(f"{self.url}/hooks/called-{CHANNELS[number % 4]}/github", data=raw, headers=headers) as answer:
            if answer.status != (202 if event == "pull_request" else 200):
                raise RuntimeError(f"{answer.status}: {await answer.text()}")
        return time.perf_counter() - began


@asynccontextmanager
async def called(place: Stage) -> AsyncIterator[Caller]:
    """A bot that can be called, connected, until the block is left."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    environment = {**place.environment(), "HTTP_PORT": str(port), "HOOK": SECRET}
    async with process(OURS, environment) as child, aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await place.slack.until(lambda: place.slack.sockets or child.returncode is not None, 60)
        yield Caller(http, f"http://127.0.0.1:{port}")
