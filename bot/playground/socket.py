"""Socket Mode's server side: envelopes go to one socket each, and come again until they are acknowledged."""

import asyncio
import json
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from .feed import Feed, Json

MOST_SOCKETS = 10
ACK_SECONDS = 3.0
# How long Slack waits before it sends an event again; with a quicker clock than Slack's, as tests have it, there is no waiting.
RETRIES, QUICK = (0.0, 60.0, 300.0), (0.0, 0.0)
PING_SECONDS = 10.0
TICKET_SECONDS = 30.0
KEPT = 100_000


@dataclass(slots=True)
class Envelope:
    """One thing that was delivered: `at`, `sent_at` and `acked_at` in monotonic seconds, `ack` the payload of the acknowledgement,
    `links` the numbers of the sockets that it was sent over.

    `state` is waiting, acked, late (acknowledged after the time was over: it did not count), lost, or forgotten with all else.
    """

    envelope_id: str
    type: str
    payload: Json
    accepts: bool
    at: float = field(default_factory=time.monotonic)
    sent_at: list[float] = field(default_factory=list)
    links: list[int] = field(default_factory=list)
    acked_at: float | None = None
    ack: Json | None = None
    state: str = "waiting"
    attempts: int = 0
    answer: asyncio.Future[Json | None] | None = None
    timer: asyncio.TimerHandle | None = None
    text: str = ""

    def frame(self) -> str:
        """The envelope as it goes over the wire; the payload is written out once."""
        self.text = self.text or json.dumps(self.payload)
        retry = ""
        if self.type == "events_api":
            reason = "timeout" if self.attempts > 1 else ""
            retry = f'"retry_attempt":{self.attempts - 1},"retry_reason":"{reason}",'
        head = f'{{"envelope_id":"{self.envelope_id}","type":"{self.type}",'
        return f'{head}{retry}"accepts_response_payload":{str(self.accepts).lower()},"payload":{self.text}}}'


@dataclass(eq=False, slots=True)
class Link:
    """One open socket of the app."""

    ws: web.WebSocketResponse
    transport: asyncio.Transport | None
    number: int = 0  # the first socket is 1
    outbox: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    dead: bool = False  # half open: it takes everything and gives nothing
    leaving: bool = False  # it was told to disconnect


class Hub:
    """The sockets of the app, and the envelopes on their way."""

    def __init__(self, feed: Feed, ack_seconds: float = ACK_SECONDS) -> None:
        self.feed = feed
        self.ack_seconds = ack_seconds
        self.retries = RETRIES if ack_seconds >= ACK_SECONDS else QUICK
        self.envelopes: list[Envelope] = []
        self.delay = 0.0
        self.duplicate = False
        self.refusals = 0
        self.down_until = 0.0
        self.links: list[Link] = []
        self._tickets: dict[str, float] = {}
        self._waiting: dict[str, Envelope] = {}
        self._turn = 0
        self._opened = 0
        self._timers: deque[asyncio.TimerHandle] = deque(maxlen=1000)

    def ticket(self) -> str:
        key = uuid.uuid4().hex
        self._tickets[key] = time.monotonic() + TICKET_SECONDS
        return key

    def send(self, kind: str, payload: Json, accepts: bool = False) -> Envelope:
        """Deliver to one socket. Only `events_api` comes again when it is not acknowledged."""
        envelope = Envelope(str(uuid.uuid4()), kind, payload, accepts)
        if kind != "events_api":
            envelope.answer = asyncio.get_running_loop().create_future()
        self.envelopes.append(envelope)
        if len(self.envelopes) > KEPT:
            del self.envelopes[: KEPT // 2]
        self._waiting[envelope.envelope_id] = envelope
        self._deliver(envelope)
        return envelope

    def _deliver(self, envelope: Envelope) -> None:
        envelope.attempts += 1
        envelope.timer = asyncio.get_running_loop().call_later(self.ack_seconds, self._overdue, envelope)
        for _ in range(2 if self.duplicate else 1):
            if self.delay:
                self._timers.append(asyncio.get_running_loop().call_later(self.delay, self._write, envelope))
            else:
                self._write(envelope)

    def _write(self, envelope: Envelope) -> None:
        link = self._next()
        if link is None:
            if envelope.answer is not None or not envelope.sent_at:  # nobody listens, and nobody is told later
                self._end(envelope, "lost")
            return
        envelope.sent_at.append(time.monotonic())
        envelope.links.append(link.number)
        link.outbox.put_nowait(envelope.frame())
        self.feed.tell("envelope", id=envelope.envelope_id, type=envelope.type, attempt=envelope.attempts)

    def _next(self) -> Link | None:
        ready = [link for link in self.links if not link.leaving]
        if not ready:
            return None
        self._turn += 1
        return ready[self._turn % len(ready)]

    def _overdue(self, envelope: Envelope) -> None:
        if envelope.type != "events_api" or envelope.attempts > len(self.retries):
            self._end(envelope, "lost")
        elif wait := self.retries[envelope.attempts - 1]:
            envelope.timer = asyncio.get_running_loop().call_later(wait, self._deliver, envelope)
        else:
            self._deliver(envelope)

    def _end(self, envelope: Envelope, state: str) -> None:
        envelope.state = state
        if envelope.timer is not None:
            envelope.timer.cancel()
        if state == "acked":
            self._waiting.pop(envelope.envelope_id, None)
        if envelope.answer is not None and not envelope.answer.done():
            envelope.answer.set_result(envelope.ack if state == "acked" else None)
        self.feed.tell("envelope", id=envelope.envelope_id, type=envelope.type, state=state)

    def _acknowledged(self, frame: Json) -> None:
        envelope = self._waiting.pop(str(frame.get("envelope_id")), None)
        if envelope is None:
            return
        envelope.acked_at = time.monotonic()
        envelope.ack = frame.get("payload") or {}
        late = envelope.state == "lost"
        self._end(envelope, "late" if late else "acked")

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """The WebSocket end point: a ticket of apps.connections.open opens it once."""
        if self.refusals > 0 or time.monotonic() < self.down_until:
            self.refusals = max(0, self.refusals - 1)
            return web.Response(status=503, text="unavailable")
        if self._tickets.pop(request.query.get("ticket", ""), 0.0) < time.monotonic():
            return web.Response(status=403, text="ticket is used or expired")
        ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await ws.prepare(request)
        link = Link(ws, request.transport)
        if len(self.links) >= MOST_SOCKETS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "applink-play"}})
            await ws.close()
            return ws
        await ws.send_json(self._hello(request))
        await self._serve(link)
        return ws

    def _hello(self, request: web.Request) -> Json:
        debug = {"host": "applink-play", "build_number": 1, "approximate_connection_time": 18060}
        info = {"app_id": request.query.get("app_id", "")}
        return {"type": "hello", "num_connections": len(self.links) + 1, "debug_info": debug, "connection_info": info}

    async def _serve(self, link: Link) -> None:
        self._opened += 1
        link.number = self._opened
        self.links.append(link)
        self.feed.tell("socket", open=len(self.links))
        writer = asyncio.create_task(self._drain(link))
        try:
            async for message in link.ws:
                await self._heard(link, message.type, message.data)
        finally:
            self.links.remove(link)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.feed.tell("socket", open=len(self.links))

    async def _drain(self, link: Link) -> None:
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    frame = await link.outbox.get()
            except TimeoutError:
                frame = None
            if link.dead or link.ws.closed:
                continue
            await (link.ws.ping(b"ping") if frame is None else link.ws.send_str(frame))

    async def _heard(self, link: Link, kind: WSMsgType, data: Any) -> None:
        if link.dead:
            return
        if kind == WSMsgType.PING:
            await link.ws.pong(data)
        elif kind == WSMsgType.TEXT:
            self._acknowledged(json.loads(data))

    def tell_all(self, reason: str) -> int:
        """Send a disconnect frame over each socket; they get nothing more. Returns how many there were."""
        frame = json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-play"}})
        links = [link for link in self.links if not link.dead]
        for link in links:
            link.leaving = True
            link.outbox.put_nowait(frame)
        return len(links)

    def abort(self) -> int:
        """Cut each socket's TCP connection, with no close frame. Returns how many there were."""
        links = list(self.links)
        for link in links:
            link.leaving = True
            if link.transport is not None:
                link.transport.abort()
        return len(links)

    def forget(self) -> None:
        """Nothing that was to be delivered comes any more; who waits for an answer gets none."""
        for envelope in self._waiting.values():
            self._end(envelope, "forgotten")
        for timer in self._timers:
            timer.cancel()
        self._waiting.clear()
        self.envelopes.clear()

    async def close(self) -> None:
        for envelope in list(self._waiting.values()):
            if envelope.timer is not None:
                envelope.timer.cancel()
            if envelope.answer is not None:
                envelope.answer.cancel()
        for timer in self._timers:
            timer.cancel()
        for link in list(self.links):
            link.leaving = True
            await link.ws.close(code=1001)
